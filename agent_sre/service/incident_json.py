"""An incident as JSON for scripts: where it stands, its answer, its approvals and effects. Called by the console."""

from dataclasses import asdict
from typing import Any

from agent_sre.domain.alert import Alert
from agent_sre.domain.approval import Approval
from agent_sre.domain.effect import Effect
from agent_sre.domain.hold import Hold
from agent_sre.domain.incident import Incident
from agent_sre.domain.instant import format_instant
from agent_sre.domain.placement import Placement
from agent_sre.report.answer import answer
from agent_sre.report.card import build_card
from agent_sre.service.read_incident import IncidentRow, IncidentView


def row_to_plain(row: IncidentRow) -> dict[str, Any]:
    """One line of the list."""
    return {
        **incident_fields(row.incident),
        "leading_hypothesis": row.lead or None,
        "confidence": row.confidence if row.lead else None,
        "approvals_waiting": row.waiting,
    }


def incident_to_plain(view: IncidentView) -> dict[str, Any]:
    """One incident. ``answer`` is what ``investigate --json`` prints, null before there is one; times RFC 3339, UTC."""
    proposals = [item.proposal for item in view.approvals]
    return {
        **incident_fields(view.incident),
        "alerts": [_alert(item, view.placements.get(item.fingerprint)) for item in view.alerts],
        "parts": [item.id for item in view.parts],
        "answer": answer(view.incident.id, view.verdict, proposals, view.timeline) if view.verdict else None,
        "answer_run": view.verdict_run,
        "card": _card(view),
        "approvals": [_approval(item) for item in view.approvals],
        "effects": [_effect(item) for item in view.effects.values()],
        "timeline": [
            {"time": format_instant(item.time), "kind": item.kind, "text": item.text, "actor": item.actor}
            for item in view.timeline
        ],
    }


def incident_fields(incident: Incident) -> dict[str, Any]:
    """Where it stands, without its story."""
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
        "alert_messages": incident.alerts,
        "alerts_truncated": incident.truncated,
        "run": incident.run,
        "priority": str(incident.priority),
        "priority_because": incident.priority_because,
        "part_of": incident.parent_id or None,
        "earlier": incident.earlier_id or None,
        "merged_into": incident.merged_into or None,
        "storm_by": incident.storm or None,
        "flapping_since": format_instant(incident.flapping_since) if incident.flapping_since else None,
        "hold": _hold(incident.hold) if incident.hold else None,
        "looked_after_by": incident.owner or None,
    }


def _hold(hold: Hold) -> dict[str, Any]:
    """Why it is left alone, since when, and until when (null: until somebody ends it)."""
    return {
        "kind": str(hold.kind),
        "since": format_instant(hold.since),
        "until": format_instant(hold.until) if hold.until else None,
        "by": hold.by,
        "reason": hold.reason or None,
    }


def _alert(alert: Alert, placement: Placement | None) -> dict[str, Any]:
    return {
        "fingerprint": alert.fingerprint,
        "name": alert.name,
        "status": str(alert.status),
        "no_word": alert.lapsed,
        "summary": alert.summary,
        "labels": dict(alert.labels),
        "starts_at": format_instant(alert.starts_at),
        "ends_at": format_instant(alert.ends_at) if alert.ends_at else None,
        "placement": placement_to_plain(placement) if placement else None,
    }


def placement_to_plain(item: Placement) -> dict[str, Any]:
    """Why an alert is in an incident, and what became of its messages."""
    return {
        "incident": item.incident_id,
        "fingerprint": item.fingerprint,
        "name": item.name,
        "reason": str(item.reason),
        "because": item.sentence,
        "facts": list(item.facts),
        "stage": item.stage,
        "since": format_instant(item.placed_at),
        "latest": str(item.latest),
        "latest_because": item.latest_sentence,
        "latest_at": format_instant(item.latest_at),
        "messages": item.messages,
        "messages_by_reason": dict(item.counts),
    }


def _card(view: IncidentView) -> dict[str, Any]:
    """The incident in a few neutral blocks, for whoever shows it elsewhere."""
    card = build_card(
        view.incident,
        view.verdict,
        view.timeline,
        view.approvals,
        tuple(view.effects.values()),
        sentences=view.sentences,
        link=f"/incidents/{view.incident.id}",
    )
    blocks = [{"block": type(block).__name__.lower(), **asdict(block)} for block in card.blocks]
    return {"fallback": card.fallback, "blocks": blocks}


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
