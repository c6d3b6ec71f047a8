"""One investigation out of the store, as it was: what it was asked, what it saw and what it could not see.

Alerts are the one thing the store keeps only in its last word: an alert that was resolved since fired then. What the
investigation was told of them is among its observations, and is put back. Called by ``bootstrap`` for the command
``export``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from agent_sre.domain.alert import Alert, AlertStatus
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.evidence import Observation
from agent_sre.domain.incident import Incident
from agent_sre.domain.instant import parse_instant
from agent_sre.domain.signal import Signal
from agent_sre.domain.verdict import Question, Verdict
from agent_sre.evidence import alerts_received
from agent_sre.ports.export import Export
from agent_sre.ports.store import CaseStore, IncidentStore

_NAMED = 5


async def export_of(
    incident_id: str, incidents: IncidentStore, cases: CaseStore, signals: Sequence[Signal] = ()
) -> Export:
    """The newest investigation of the incident that has an answer.

    Raises PermanentError for an id that is not known, naming the newest that are, and where there is no answer yet.
    """
    incident = await incidents.get(incident_id)
    if incident is None:
        newest = ", ".join(item.id for item in await incidents.newest(_NAMED)) or "none yet"
        raise PermanentError(f"there is no incident {incident_id!r}; the newest are: {newest}")
    run, verdict = await _answered(incident, cases)
    observations = await cases.observations(incident_id, run)
    findings, gaps = await cases.findings(incident_id, run)
    question = verdict.question or _guessed(incident, observations)
    alerts, missing = _alerts_then(await incidents.alerts(incident_id), observations, question)
    if verdict.question is None:
        missing += ("the moment, window and namespaces of the investigation: they are taken from its observations",)
    if verdict.hypotheses and not findings:
        missing += ("findings of the investigation",)
    return Export(
        incident_id=incident.id,
        run=run,
        title=incident.title,
        question=question,
        alerts=alerts,
        observations=observations,
        gaps=gaps,
        signals=tuple(signals),
        engine=verdict.engine,
        missing=missing,
    )


async def _answered(incident: Incident, cases: CaseStore) -> tuple[int, Verdict]:
    for run in range(incident.run, 0, -1):
        verdict = await cases.verdict(incident.id, run)
        if verdict is not None:
            return run, verdict
    raise PermanentError(f"incident {incident.id} has no finished investigation yet; export it once it has an answer")


def _guessed(incident: Incident, observations: Sequence[Observation]) -> Question:
    """For an answer of a version that did not keep its question."""
    windows = [item.window for item in observations if item.window is not None]
    if not windows:
        raise PermanentError(f"of the investigation of {incident.id} no observation is stored; it cannot be replayed")
    window = max(windows, key=lambda item: (item.end, item.start))
    return Question(observations[0].observed_at, window, (incident.namespace,) if incident.namespace else ())


def _alerts_then(
    alerts: Sequence[Alert], observations: Sequence[Observation], question: Question
) -> tuple[tuple[Alert, ...], tuple[str, ...]]:
    """The alerts as they were known at the time, and what is not known of that."""
    told = [seen for seen in observations if seen.collector == alerts_received.NAME]
    fired: dict[str, Mapping[str, Any]] = {
        str(alert.get("fingerprint")): alert
        for seen in told
        for rule in seen.rules
        for alert in rule.get("alerts") or ()
        if alert.get("fingerprint")
    }
    then = [_put_back(alert, fired.get(alert.fingerprint), question) for alert in alerts]
    missing = tuple(f"alerts of the time: {text}" for seen in told for text in seen.left_out)
    return tuple(alert for alert in then if alert is not None), missing


def _put_back(alert: Alert, fired: Mapping[str, Any] | None, question: Question) -> Alert | None:
    """One alert as it was; None where it came only later."""
    if alert.received_at <= question.now:
        return alert
    if fired is None:
        return None
    return replace(
        alert,
        status=AlertStatus.FIRING,
        starts_at=parse_instant(str(fired["activeAt"])),
        ends_at=None,
        received_at=question.now,
        labels={str(key): str(value) for key, value in fired["labels"].items()},
        annotations={str(key): str(value) for key, value in fired["annotations"].items()},
    )
