"""What a person says about an incident as a whole: I look after it, leave me alone with it, it is over.

Each word is one transaction: the incident, its timeline, and what its alert sources are to be told. An audit row stands
before it, so that no change can exist whose maker is not on record. Who may say it is ``entrypoints``' part.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.hold import Acknowledgement, Hold, HoldKind
from agent_sre.domain.incident import ACTING, TRANSITIONS, Incident, IncidentStatus
from agent_sre.domain.instant import format_instant
from agent_sre.domain.timeline import Entry
from agent_sre.domain.visible import one_line
from agent_sre.domain.writeback import Verb, Writeback, writeback_of
from agent_sre.ingest.hold import taken_up_again
from agent_sre.ports.clock import Clock
from agent_sre.ports.store import ApprovalStore, IncidentStore, Journal

LONGEST = timedelta(days=366)
_ATTEMPTS = 5
_NAME = 80
_REASON = 500


class Wish(StrEnum):
    """What a person can say."""

    ACKNOWLEDGE = "acknowledge"
    UNACKNOWLEDGE = "unacknowledge"
    MUTE = "mute"
    SNOOZE = "snooze"
    UNMUTE = "unmute"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class Said:
    """One word by one person; ``until`` (UTC) for a snooze."""

    wish: Wish
    by: str
    until: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Change:
    incident: Incident
    text: str
    intents: tuple[Writeback, ...] = ()


async def look_after(
    incident_id: str,
    said: Said,
    *,
    incidents: IncidentStore,
    approvals: ApprovalStore,
    journal: Journal,
    clock: Clock,
) -> tuple[Incident | None, str]:
    """Do what was said; the incident afterwards (None where it is unknown) and a sentence about what came of it.

    Raises PermanentError for what cannot be done, with the reason and the fix; TemporaryError where the store is down.
    """
    said = replace(said, by=one_line(said.by, _NAME) or "unnamed operator", reason=one_line(said.reason, _REASON))
    subject = one_line(incident_id, 120)
    detail = {"until": format_instant(said.until) if said.until else "", "reason": said.reason}
    for attempt in range(_ATTEMPTS):
        now = clock.now()
        incident = await incidents.get(incident_id)
        if incident is None:
            return None, f"there is no incident {subject}"
        change = _WISHES[said.wish](incident, said, now)
        if change.incident == incident:
            return incident, change.text
        if attempt == 0:
            await journal.audit(now, said.by, f"incident.{said.wish}", subject, detail)
        if change.incident.status is IncidentStatus.RESOLVED and incident.active:
            await approvals.supersede(incident_id, now, f"resolved by {said.by}")
        text = change.text + (f": {said.reason}" if said.reason else "")
        try:
            entry = Entry(incident_id, now, "note", text, actor=said.by)
            return await incidents.fold(change.incident, (), [entry], intents=change.intents), text
        except TemporaryError:
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")


def _acknowledge(incident: Incident, said: Said, now: datetime) -> _Change:
    if incident.owner:
        return _Change(incident, f"{incident.id} is looked after by {incident.owner} already")
    _must_be_active(incident, said)
    changed = replace(incident, acknowledged=Acknowledgement(said.by, now, incident.run))
    return _Change(changed, f"{said.by} looks after {incident.id}", _told(incident, said, now, Verb.ACKNOWLEDGE))


def _unacknowledge(incident: Incident, said: Said, now: datetime) -> _Change:
    if not incident.owner:
        return _Change(incident, f"nobody looks after {incident.id}")
    text = f"{said.by}: {incident.owner} does not look after {incident.id} any more"
    return _Change(replace(incident, acknowledged=None), text, _told(incident, said, now, Verb.UNACKNOWLEDGE))


def _mute(incident: Incident, said: Said, now: datetime) -> _Change:
    _must_not_be_closed(incident, said)
    if incident.hold is not None and incident.hold.kind is HoldKind.MUTED:
        return _Change(incident, f"{incident.id} is muted by {incident.hold.by} already")
    hold = Hold(HoldKind.MUTED, now, None, said.by, said.reason)
    return _Change(_held(incident, hold), f"{said.by} muted {incident.id} until somebody unmutes it")


def _snooze(incident: Incident, said: Said, now: datetime) -> _Change:
    _must_not_be_closed(incident, said)
    if said.until is None or not now < said.until <= now + LONGEST:
        raise PermanentError("a snooze needs an end in the future, within a year; give one, or a duration such as 2h")
    hold = Hold(HoldKind.SNOOZED, now, said.until, said.by, said.reason)
    text = f"{said.by} snoozed {incident.id} until {format_instant(said.until)}"
    return _Change(_held(incident, hold), text, _told(incident, said, now, Verb.SNOOZE))


def _unmute(incident: Incident, said: Said, now: datetime) -> _Change:
    hold = incident.hold
    if hold is None:
        return _Change(incident, f"{incident.id} is neither muted nor snoozed")
    if not hold.personal:
        raise PermanentError(f"{incident.id} is {hold.reason}; end that, and the incident is taken up by itself")
    verb = (Verb.UNSNOOZE,) if hold.kind is HoldKind.SNOOZED else ()
    intents = _told(incident, said, now, *verb)
    return _Change(taken_up_again(incident, now), f"{said.by} ended the {_NOUN[hold.kind]} of {incident.id}", intents)


def _resolve(incident: Incident, said: Said, now: datetime) -> _Change:
    if incident.status is IncidentStatus.RESOLVED:
        return _Change(incident, f"{incident.id} is resolved already")
    if IncidentStatus.RESOLVED not in TRANSITIONS[incident.status] or incident.status in ACTING:
        raise PermanentError(f"{incident.id} is {incident.status} and cannot be resolved by hand now; wait for its end")
    changed = replace(incident.to(IncidentStatus.RESOLVED, now), due_at=now, hold=None)
    return _Change(changed, f"{said.by} resolved {incident.id}", _told(incident, said, now, Verb.RESOLVE))


def _held(incident: Incident, hold: Hold) -> Incident:
    # An action under way is seen through, and what is over has nothing to wait for.
    waits = incident.active and incident.status not in ACTING
    return replace(incident, hold=hold, due_at=hold.until if waits else incident.due_at)


def _told(incident: Incident, said: Said, now: datetime, *verbs: Verb) -> tuple[Writeback, ...]:
    return tuple(writeback_of(incident.id, incident.version, verb, said.by, now, said.until) for verb in verbs)


def _must_be_active(incident: Incident, said: Said) -> None:
    if not incident.active:
        raise PermanentError(f"{incident.id} is {incident.status}: there is nothing to {said.wish}")


def _must_not_be_closed(incident: Incident, said: Said) -> None:
    if incident.status is IncidentStatus.CLOSED:
        raise PermanentError(f"{incident.id} is closed: there is nothing to {said.wish}")


_NOUN = {HoldKind.MUTED: "mute", HoldKind.SNOOZED: "snooze", HoldKind.SUPPRESSED: "suppression"}
_WISHES: Mapping[Wish, Callable[[Incident, Said, datetime], _Change]] = {
    Wish.ACKNOWLEDGE: _acknowledge,
    Wish.UNACKNOWLEDGE: _unacknowledge,
    Wish.MUTE: _mute,
    Wish.SNOOZE: _snooze,
    Wish.UNMUTE: _unmute,
    Wish.RESOLVE: _resolve,
}
