"""One timeline from what was stored and from what the evidence says about when things happened.

Stored entries say what the product and people did. The rest of the story is in the evidence: when the alert's condition
began, what changed, when a metric turned, the first error, the Kubernetes events. ``merge`` puts both in one order, so
that a reader sees cause before effect. Nothing is concluded: a derived entry is an excerpt with its time and its id.

Called by ``service.read_incident``, the postmortem and the terminal report. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence

from agent_sre.domain.alert import Alert, AlertStatus
from agent_sre.domain.evidence import Evidence, Observation
from agent_sre.domain.finding import Finding
from agent_sre.domain.telemetry import Change
from agent_sre.domain.timeline import Entry
from agent_sre.domain.verdict import Verdict
from agent_sre.domain.visible import one_line

# Causes before effects where two things share a time.
_ORDER = ("change", "event", "onset", "error", "alert", "investigation", "approval", "action", "verification", "note")
_MAX_TEXT = 220


def merge(
    incident_id: str,
    stored: Sequence[Entry],
    alerts: Sequence[Alert],
    verdict: Verdict | None,
    observations: Mapping[str, Observation],
    sentences: Mapping[str, str],
) -> tuple[Entry, ...]:
    """Everything with a time, oldest first. ``sentences`` are facts in words by evidence id, where known."""
    derived = [*_from_alerts(incident_id, alerts, stored)]
    if verdict is not None:
        derived += _from_evidence(incident_id, verdict, observations, sentences)
    seen: set[tuple[object, str, str]] = set()
    merged: list[Entry] = []
    for entry in sorted([*stored, *derived], key=lambda item: (item.time, _rank(item.kind), item.sequence)):
        key = (entry.time, entry.kind, entry.text)
        if key not in seen:
            seen.add(key)
            merged.append(entry)
    return tuple(merged)


def facts_in_words(verdict: Verdict | None, findings: Iterable[Finding]) -> dict[str, str]:
    """The sentence of each piece of evidence, from the facts that cite the same excerpt of the same observation."""
    if verdict is None:
        return {}
    texts = {
        (fact.observation, fact.excerpt): fact.text
        for finding in findings
        for fact in (*finding.facts, *finding.against)
    }
    found = ((item.id, texts.get((item.observation, item.excerpt), "")) for item in verdict.evidence)
    return {key: text for key, text in found if text}


def kind_of(evidence: Evidence, observation: Observation | None) -> str:
    """Which kind of entry a piece of evidence makes, by what its observation holds."""
    if observation is None:
        return "note"
    filled = (
        ("change", observation.changes),
        ("onset", observation.series),
        ("error", observation.streams or observation.spans),
        ("event", observation.objects),
    )
    return next((kind for kind, content in filled if content), "note")


def cited_change(evidence: Evidence, observation: Observation | None) -> Change | None:
    """The recorded change that a piece of evidence is an excerpt of, or None."""
    if observation is None:
        return None
    same_time = [item for item in observation.changes if item.time == evidence.time]
    return next((item for item in same_time if item.id in evidence.excerpt), same_time[0] if same_time else None)


def _from_alerts(incident_id: str, alerts: Sequence[Alert], stored: Sequence[Entry]) -> Iterable[Entry]:
    told = [entry.text for entry in stored if entry.kind == "alert"]
    for alert in alerts:
        if not any(alert.name in text for text in told):
            text = f"{alert.name} fires: {one_line(alert.summary, _MAX_TEXT)}"
            yield Entry(incident_id, alert.starts_at, "alert", text, actor=alert.source)
        if alert.status is AlertStatus.RESOLVED and alert.ends_at and not any("resolved" in text for text in told):
            yield Entry(incident_id, alert.ends_at, "alert", f"{alert.name} resolved", actor=alert.source)


def _from_evidence(
    incident_id: str, verdict: Verdict, observations: Mapping[str, Observation], sentences: Mapping[str, str]
) -> Iterable[Entry]:
    for item in verdict.evidence:
        if item.time is None:
            continue
        observation = observations.get(item.observation)
        kind = kind_of(item, observation)
        if kind == "onset" and item.id not in sentences:
            continue  # a level that was looked at to test a cause; it may well not have moved
        text, actor = sentences.get(item.id) or item.excerpt, item.source
        change = cited_change(item, observation) if kind == "change" else None
        if change is not None:
            text, actor = f"{change.kind} of {change.target}: {change.summary}", change.author or actor
        yield Entry(incident_id, item.time, kind, one_line(text, _MAX_TEXT), actor=actor, evidence=(item.id,))


def _rank(kind: str) -> int:
    return _ORDER.index(kind) if kind in _ORDER else len(_ORDER)
