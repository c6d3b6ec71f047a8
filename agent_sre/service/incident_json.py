"""An incident as JSON for scripts: where it stands, its answer, its approvals and effects. Called by the console."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from agent_sre.domain.approval import Approval
from agent_sre.domain.effect import Effect
from agent_sre.domain.incident import Incident
from agent_sre.domain.instant import format_instant
from agent_sre.service.read_incident import IncidentRow, IncidentView


def row_to_plain(row: IncidentRow) -> dict[str, Any]:
    """One line of the list."""
    return {
        **_incident(row.incident),
        "leading_hypothesis": row.lead or None,
        "confidence": row.confidence if row.lead else None,
        "approvals_waiting": row.waiting,
    }


def incident_to_plain(view: IncidentView) -> dict[str, Any]:
    """One incident. ``verdict`` is null before there is one; times are RFC 3339 in UTC."""
    return {
        **_incident(view.incident),
        "verdict": _plain(asdict(view.verdict)) if view.verdict else None,
        "verdict_run": view.verdict_run,
        "gaps": [asdict(gap) for gap in view.gaps],
        "approvals": [_approval(item) for item in view.approvals],
        "effects": [_effect(item) for item in view.effects.values()],
        "timeline": [
            {"time": format_instant(item.time), "kind": item.kind, "text": item.text, "actor": item.actor}
            for item in view.timeline
        ],
    }


def _incident(incident: Incident) -> dict[str, Any]:
    return {
        "id": incident.id,
        "title": incident.title,
        "status": str(incident.status),
        "severity": str(incident.severity),
        "namespace": incident.namespace,
        "service": incident.service,
        "opened_at": format_instant(incident.opened_at),
        "updated_at": format_instant(incident.updated_at),
        "resolved_at": format_instant(incident.resolved_at) if incident.resolved_at else None,
        "alerts_firing": incident.firing,
        "alerts_truncated": incident.truncated,
        "run": incident.run,
    }


def _approval(item: Approval) -> dict[str, Any]:
    proposal = item.proposal
    return {
        "id": item.id,
        "state": str(item.state),
        "digest": item.digest,
        "action": proposal.action,
        "target": asdict(proposal.target),
        "parameters": dict(proposal.parameters),
        "risk": str(proposal.risk),
        "runbook": proposal.runbook,
        "preview": proposal.preview,
        "undo": proposal.undo,
        "expires_at": format_instant(item.expires_at),
        "decided_by": item.decided_by or None,
        "decided_at": format_instant(item.decided_at) if item.decided_at else None,
        "reason": item.reason or None,
    }


def _effect(item: Effect) -> dict[str, Any]:
    return {
        "id": item.id,
        "approval": item.approval_id,
        "state": str(item.state),
        "detail": item.detail,
        "verified": str(item.verified) if item.verified else None,
        "verification": item.verification,
    }


def _plain(value: Any) -> Any:
    """Nested values with instants as text."""
    if isinstance(value, datetime):
        return format_instant(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
