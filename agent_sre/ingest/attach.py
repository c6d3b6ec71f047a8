"""Open, join, reopen or only count: what a message does to the incident of its group.

A message never resolves an incident by itself: that is ``settle``'s part, once all messages that arrived together are
seen, so that one alert's end and another's start in one payload don't close and reopen the incident.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from agent_sre.domain.alert import Alert, AlertStatus, Severity
from agent_sre.domain.incident import Incident, IncidentStatus
from agent_sre.domain.instant import format_instant
from agent_sre.domain.visible import one_line
from agent_sre.ingest.step import Decision, Novelty, Reason, Step

_RANK = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}


def attach(step: Step) -> Step:
    """Set the step's incident, as it is after this message, and the decision."""
    return _ATTACH[step.novelty](step)


def _fires(step: Step) -> Step:
    incident = step.standing.incident if step.standing else None
    if incident is None:
        return _open(step, "no incident is known for this group")
    if incident.active:
        return _join(step, incident)
    if not _is_news(step, incident):
        end = _end(incident)
        return _count(step, incident, Reason.REPEATED, f"it fires since before {incident.id} ended at {_at(end)}")
    if incident.status is IncidentStatus.CLOSED:
        return _open(step, f"{incident.id} of the same group is closed")
    return _reopen(step, incident)


def _is_news(step: Step, incident: Incident) -> bool:
    """Whether firing contradicts that the incident is over.

    An alert whose resolve is known, or that nothing is known of, fires for a reason of its own. One that never stopped
    firing says nothing new to an incident that was ended without it, unless it started again after that end.
    """
    last = step.last_word
    if last is None or last.status is AlertStatus.RESOLVED:
        return True
    return step.alert.speaks_of > _end(incident)


def _repeats(step: Step) -> Step:
    fires = step.alert.status is AlertStatus.FIRING
    text = "repeat of a firing alert" if fires else "repeat of a resolve"
    return _count(step, _incident(step), Reason.REPEATED, text)


def _resolves(step: Step) -> Step:
    return _count(step, _incident(step), Reason.RESOLVED, f"resolved at {_at(step.alert.speaks_of)}")


def _resolves_unseen(step: Step) -> Step:
    text = f"resolved at {_at(step.alert.speaks_of)}, before any message that it fires; kept to recognise a late one"
    if step.standing:
        return _count(step, step.standing.incident, Reason.RESOLVED_UNSEEN, text)
    incident = replace(_new(step), status=IncidentStatus.RESOLVED, resolved_at=step.now, due_at=None)
    return _count(step, incident, Reason.RESOLVED_UNSEEN, text)


def _overtaken(step: Step) -> Step:
    last = step.last_word
    if last is None:
        raise AssertionError("unreachable: a message is stale only against a later word")
    if last.status is AlertStatus.RESOLVED:
        text = f"stale: fires since {_at(step.alert.speaks_of)}, not after the resolve at {_at(last.speaks_of)}"
    else:
        text = f"stale: resolved at {_at(step.alert.speaks_of)}, but it fires anew since {_at(last.speaks_of)}"
    return _count(step, _incident(step), Reason.STALE, text)


def _open(step: Step, because: str) -> Step:
    incident = _new(step)
    return _decided(step, _counted(incident, step.alert), Reason.OPENED, f"opened {incident.id} because {because}")


def _join(step: Step, incident: Incident) -> Step:
    last = step.last_word
    if last is not None and last.status is AlertStatus.FIRING:
        return _count(step, incident, Reason.REPEATED, "repeat of a firing alert, with a later start")
    how = "fires again in" if last else "joined"
    joined = replace(_counted(incident, step.alert), updated_at=step.now)
    return _decided(step, joined, Reason.JOINED, f"{how} {incident.id} because of the same group")


def _reopen(step: Step, incident: Incident) -> Step:
    opened = incident.to(IncidentStatus.OPEN, step.now)
    opened = replace(opened, run=incident.run + 1, due_at=step.now, severity=step.alert.severity)
    text = f"reopened {incident.id}: fires since {_at(step.alert.speaks_of)}, and the incident was resolved"
    return _decided(step, _counted(opened, step.alert), Reason.REOPENED, text)


def _count(step: Step, incident: Incident, reason: Reason, text: str) -> Step:
    return _decided(step, _counted(incident, step.alert), reason, text)


def _decided(step: Step, incident: Incident, reason: Reason, text: str) -> Step:
    sentence = f"{one_line(step.alert.name, 120)}: {text}"
    return replace(step, incident=incident, decision=Decision(step.alert, incident.id, reason, sentence))


def _new(step: Step) -> Incident:
    alert = step.alert
    return Incident(
        id=step.new_id(),
        title=one_line(alert.summary),
        status=IncidentStatus.OPEN,
        severity=alert.severity,
        namespace=alert.namespace,
        service=alert.service,
        group_key=step.group_key,
        opened_at=step.now,
        updated_at=step.now,
        due_at=step.now,
    )


def _counted(incident: Incident, alert: Alert) -> Incident:
    """One more message; a graver alert makes the incident graver while it lasts."""
    graver = incident.active and alert.status is AlertStatus.FIRING and _RANK[alert.severity] > _RANK[incident.severity]
    return replace(
        incident,
        alerts=incident.alerts + 1,
        truncated=max(incident.truncated, alert.truncated),
        severity=alert.severity if graver else incident.severity,
        namespace=incident.namespace or alert.namespace,
        service=incident.service or alert.service,
    )


def _incident(step: Step) -> Incident:
    if step.standing is None:
        raise AssertionError("unreachable: only a message about a known alert comes here")
    return step.standing.incident


def _end(incident: Incident) -> datetime:
    return incident.resolved_at or incident.updated_at


def _at(instant: datetime) -> str:
    return format_instant(instant)


_ATTACH: Mapping[Novelty, Callable[[Step], Step]] = {
    Novelty.FIRST: _fires,
    Novelty.AGAIN: _fires,
    Novelty.REPEAT: _repeats,
    Novelty.RESOLVE: _resolves,
    Novelty.UNSEEN: _resolves_unseen,
    Novelty.STALE: _overtaken,
}
