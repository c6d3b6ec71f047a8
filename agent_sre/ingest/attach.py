"""Open, join, reopen or only count: what a message does to the incident it was found or matched to.

A message never resolves an incident by itself: that is ``settle``'s part, once all messages that arrived together are
seen, so that one alert's end and another's start in one payload don't close and reopen the incident.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from agent_sre.domain.alert import Alert, AlertStatus
from agent_sre.domain.footprint import Footprint
from agent_sre.domain.incident import Incident, IncidentStatus
from agent_sre.domain.instant import format_instant
from agent_sre.domain.placement import Reason
from agent_sre.domain.visible import one_line
from agent_sre.ingest.step import Decision, Match, Novelty, Step, end_of
from agent_sre.ingest.traits import footprint_of


def attach(step: Step) -> Step:
    """Set the step's incident, as it is after this message, and the decision."""
    return _ATTACH[step.novelty](step)


def _fires(step: Step) -> Step:
    incident = step.found
    if step.homeless:
        return _matched(step, step.match) if step.match else _open(step)
    if incident is None:
        raise AssertionError("unreachable: an alert that fires anew has an incident or is homeless")
    if incident.active:
        return _join(step, incident)
    if not step.news:
        end = format_instant(end_of(incident))
        return _count(step, incident, Reason.REPEATED, f"it fires since before {incident.id} ended at {end}")
    return _reopen(
        step, incident, f"reopened {incident.id}: fires since {_moment(step)}, and the incident was resolved"
    )


def _matched(step: Step, match: Match) -> Step:
    if match.incident is None:
        incident = replace(_new(step), storm=match.storm, title=f"Storm of alerts with {one_line(match.storm, 150)}")
        text = f"opened {incident.id} to gather a storm: {match.sentence}"
    elif match.reason is Reason.CHILD:
        # It waits: it is taken up when the whole ends and it still fires.
        incident = replace(_new(step), parent_id=match.incident.id, due_at=None)
        text = f"opened {incident.id}, {match.sentence}; not investigated by itself while {match.incident.id} is active"
    elif not match.incident.active:
        return _reopen(step, match.incident, f"reopened {match.sentence}", match)
    else:
        incident, text = replace(match.incident, updated_at=step.now), f"joined {match.sentence}"
    return _decided(step, _counted(incident, step.alert), match.reason, text, match)


def _repeats(step: Step) -> Step:
    fires = step.alert.status is AlertStatus.FIRING
    text = "repeat of a firing alert" if fires else "repeat of a resolve"
    return _count(step, _incident(step), Reason.REPEATED, text)


def _resolves(step: Step) -> Step:
    incident = _incident(step)
    if incident.active and incident.flapping_since is not None:
        text = f"over again at {_moment(step)}; counted while it is flapping"
        return _count(step, incident, Reason.FLAPPING, text)
    return _count(step, incident, Reason.RESOLVED, f"resolved at {_moment(step)}")


def _resolves_unseen(step: Step) -> Step:
    text = f"resolved at {_moment(step)}, before any message that it fires; kept to recognise a late one"
    if step.found:
        return _count(step, step.found, Reason.RESOLVED_UNSEEN, text)
    incident = replace(_new(step), status=IncidentStatus.RESOLVED, resolved_at=step.now, due_at=None)
    return _count(step, incident, Reason.RESOLVED_UNSEEN, text)


def _overtaken(step: Step) -> Step:
    last = step.last_word
    if last is None:
        raise AssertionError("unreachable: a message is stale only against a later word")
    later = format_instant(last.speaks_of)
    if last.status is AlertStatus.RESOLVED:
        text = f"stale: fires since {_moment(step)}, not after the resolve at {later}"
    else:
        text = f"stale: resolved at {_moment(step)}, but it fires anew since {later}"
    return _count(step, _incident(step), Reason.STALE, text)


def _open(step: Step) -> Step:
    earlier = step.found
    incident = replace(_new(step), earlier_id=earlier.id if earlier else "")
    because = "no incident is known for this group, and no other one has enough in common with it"
    if earlier is not None and earlier.status is IncidentStatus.CLOSED:
        because = f"{earlier.id} of the same group is closed"
    elif earlier is not None:
        because = (
            f"{earlier.id} of the same group was over at {format_instant(end_of(earlier))}, too long ago to reopen"
        )
    return _decided(step, _counted(incident, step.alert), Reason.OPENED, f"opened {incident.id} because {because}")


def _join(step: Step, incident: Incident) -> Step:
    last = step.last_word
    if last is not None and last.status is AlertStatus.FIRING:
        return _count(step, incident, Reason.REPEATED, "repeat of a firing alert, with a later start")
    if last is not None and last.lapsed:
        text = f"heard of again in {incident.id}, after no word had come about it"
    elif last is not None and incident.flapping_since is not None:
        return _count(
            step, incident, Reason.FLAPPING, "fires again; counted while it is flapping, not investigated anew"
        )
    elif step.pinned:
        text = f"joined {incident.id} because a person put it there"
    else:
        text = f"fires again in {incident.id}" if last else f"joined {incident.id} because of the same group"
    joined = replace(_counted(incident, step.alert), updated_at=step.now)
    return _decided(step, joined, Reason.JOINED, text)


def _reopen(step: Step, incident: Incident, text: str, match: Match | None = None) -> Step:
    opened = incident.to(IncidentStatus.OPEN, step.now)
    opened = replace(
        opened,
        run=incident.run + 1,
        due_at=step.now,
        severity=step.alert.severity,
        # What it reaches now, and how urgent that is, is told anew.
        footprint=Footprint(),
        reach=Footprint(),
        priority_because="",
        parent_id="",
    )
    return _decided(step, _counted(opened, step.alert), Reason.REOPENED, text, match)


def _count(step: Step, incident: Incident, reason: Reason, text: str) -> Step:
    counted = replace(incident, alerts=incident.alerts + 1, truncated=max(incident.truncated, step.alert.truncated))
    return _decided(step, counted, reason, text)


def _decided(step: Step, incident: Incident, reason: Reason, text: str, match: Match | None = None) -> Step:
    sentence = f"{one_line(step.alert.name, 120)}: {text}"
    stage, facts = ("correlate", match.facts) if match else ("attach", ())
    decision = Decision(step.alert, incident.id, reason, sentence, stage, facts)
    return replace(step, incident=incident, decision=decision)


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
    fires = incident.active and alert.status is AlertStatus.FIRING
    graver = fires and alert.severity.rank > incident.severity.rank
    return replace(
        incident,
        alerts=incident.alerts + 1,
        truncated=max(incident.truncated, alert.truncated),
        severity=alert.severity if graver else incident.severity,
        namespace=incident.namespace or alert.namespace,
        service=incident.service or alert.service,
        footprint=incident.footprint.joined(footprint_of(alert)) if fires else incident.footprint,
    )


def _incident(step: Step) -> Incident:
    if step.found is None:
        raise AssertionError("unreachable: only a message about a known alert comes here")
    return step.found


def _moment(step: Step) -> str:
    return format_instant(step.alert.speaks_of)


_ATTACH: Mapping[Novelty, Callable[[Step], Step]] = {
    Novelty.FIRST: _fires,
    Novelty.AGAIN: _fires,
    Novelty.REPEAT: _repeats,
    Novelty.RESOLVE: _resolves,
    Novelty.UNSEEN: _resolves_unseen,
    Novelty.STALE: _overtaken,
}
