"""One timeline from what was stored and from the story that the evidence tells.

Stored entries say what the product and people did. The rest is the verdict's story: when the alert's condition began,
what changed, when a metric turned, the first error, the Kubernetes events, each with its evidence. ``merge`` puts both
in one order, so that a reader sees cause before effect. Nothing is concluded and nothing is bounded here: the story is
(``analysis.chronicle``), and of its own doings the product says all.

Called by ``service.read_incident``, the postmortem and the terminal report. Pure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from agent_sre.domain.alert import Alert, AlertStatus
from agent_sre.domain.finding import Finding
from agent_sre.domain.timeline import Entry
from agent_sre.domain.verdict import Moment, Verdict
from agent_sre.domain.visible import one_line

# Causes before effects where two things share a time.
_ORDER = ("change", "event", "onset", "error", "alert", "investigation", "approval", "action", "verification", "note")
_MAX_TEXT = 220


def merge(
    incident_id: str, stored: Sequence[Entry], alerts: Sequence[Alert], verdict: Verdict | None
) -> tuple[Entry, ...]:
    """Everything with a time, oldest first."""
    story = verdict.story if verdict is not None else ()
    told = [_with_evidence(entry, story) for entry in stored]
    derived = [*_from_story(incident_id, story, told)]
    derived += _from_alerts(incident_id, alerts, [*told, *derived])
    seen: set[tuple[object, str, str]] = set()
    merged: list[Entry] = []
    for entry in sorted([*told, *derived], key=lambda item: (item.time, _rank(item.kind), item.sequence)):
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


def _with_evidence(entry: Entry, story: Sequence[Moment]) -> Entry:
    """A stored entry about an alert with the evidence of that alert."""
    if entry.kind != "alert" or entry.evidence:
        return entry
    shown = next((item for item in story if item.kind == "alert" and _alert_name(item) in entry.text), None)
    return replace(entry, evidence=shown.evidence) if shown is not None else entry


def _alert_name(moment: Moment) -> str:
    return moment.text.partition(" fires")[0]


def _from_story(incident_id: str, story: Sequence[Moment], stored: Sequence[Entry]) -> Iterable[Entry]:
    told = [entry.text for entry in stored if entry.kind == "alert"]
    for item in story:
        if item.kind != "alert" or not any(_alert_name(item) in text for text in told):
            actor = item.actor or "agent_sre"
            yield Entry(incident_id, item.time, item.kind, item.text, actor=actor, evidence=item.evidence)


def _from_alerts(incident_id: str, alerts: Sequence[Alert], known: Sequence[Entry]) -> Iterable[Entry]:
    """Alerts that no entry tells of yet, and that they resolved; the latter cites what showed them firing."""
    told = [entry for entry in known if entry.kind == "alert"]
    for alert in alerts:
        of_it = [entry for entry in told if alert.name in entry.text]
        if not of_it:
            text = f"{alert.name} fires: {one_line(alert.summary, _MAX_TEXT)}"
            yield Entry(incident_id, alert.starts_at, "alert", text, actor=alert.source)
        said = any("resolved" in entry.text for entry in told)
        if alert.status is AlertStatus.RESOLVED and alert.ends_at is not None and not said:
            shown = next((entry.evidence for entry in of_it if entry.evidence), ())
            yield Entry(
                incident_id, alert.ends_at, "alert", f"{alert.name} resolved", actor=alert.source, evidence=shown
            )


def _rank(kind: str) -> int:
    return _ORDER.index(kind) if kind in _ORDER else len(_ORDER)
