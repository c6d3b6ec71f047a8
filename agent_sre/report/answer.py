"""The answer as one JSON document: what ``investigate --json`` prints, the API returns and evaluation scores.

The shape is versioned (``schema``). Times are RFC 3339 in UTC, text is as stored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from agent_sre.domain.action import Proposal
from agent_sre.domain.evidence import Evidence
from agent_sre.domain.hypothesis import Hypothesis
from agent_sre.domain.instant import format_instant
from agent_sre.domain.timeline import Entry
from agent_sre.domain.verdict import Verdict

SCHEMA = 1


def answer(
    incident_id: str, verdict: Verdict, proposals: Sequence[Proposal], timeline: Sequence[Entry]
) -> dict[str, Any]:
    """Verdict, proposals and timeline of one incident as plain JSON values."""
    return {
        "schema": SCHEMA,
        "incident": incident_id,
        "status": str(verdict.status),
        "hypotheses": [_hypothesis(item) for item in verdict.hypotheses],
        "ruled_out": [asdict(item) for item in verdict.ruled_out],
        "gaps": [asdict(item) for item in verdict.gaps],
        "evidence": {item.id: _evidence(item) for item in verdict.evidence},
        "actions": [_action(item) for item in proposals],
        "impact": asdict(verdict.impact),
        "timeline": [_entry(item) for item in timeline],
        "engine": verdict.engine,
        "cost": asdict(verdict.cost),
        "seconds": {stage: round(seconds, 4) for stage, seconds in sorted(verdict.seconds.items())},
    }


def _hypothesis(item: Hypothesis) -> Mapping[str, Any]:
    return {
        "rank": item.rank,
        "fault": item.fault,
        "object": asdict(item.object),
        "change": item.change,
        "confidence": round(item.confidence, 4),
        "statement": item.statement,
        "evidence": list(item.evidence),
        "against": list(item.against),
        "distinguish": item.distinguish,
        "predictions": [asdict(prediction) for prediction in item.predictions],
    }


def _evidence(item: Evidence) -> Mapping[str, Any]:
    return {
        "source": item.source,
        "query": item.query,
        "time": format_instant(item.time) if item.time else None,
        "window": str(item.window) if item.window else None,
        "excerpt": item.excerpt,
        "link": item.link or None,
        "observation": item.observation,
    }


def _action(item: Proposal) -> Mapping[str, Any]:
    return {
        "runbook": item.runbook,
        "action": item.action,
        "target": asdict(item.target),
        "parameters": dict(item.parameters),
        "risk": str(item.risk),
        "preview": item.preview,
        "expected": item.expected,
        "verify": item.verify,
        "undo": item.undo,
        "hypothesis": item.hypothesis,
    }


def _entry(item: Entry) -> Mapping[str, Any]:
    return {
        "time": format_instant(item.time),
        "kind": item.kind,
        "text": item.text,
        "actor": item.actor,
        "evidence": list(item.evidence),
    }
