"""Whether an incident is left alone, once its messages are seen or its time has come.

One that nobody has looked at yet waits while all its firing alerts are suppressed, and is taken up as soon as one is
not. What is under way is not stopped by a silence: most silences are made for an alert that somebody is looking at. A
person's mute or snooze holds in every state but while an action is being carried out and verified.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from agent_sre.domain.alert import Alert, AlertStatus
from agent_sre.domain.hold import Hold, HoldKind
from agent_sre.domain.incident import ACTING, Incident, IncidentStatus
from agent_sre.domain.suppression import Suppression
from agent_sre.ingest.suppressors import Suppressors


def review(
    incident: Incident,
    words: Mapping[str, Alert],
    suppressors: Suppressors,
    now: datetime,
    before: IncidentStatus | None = None,
    *,
    all_words: bool = True,
) -> tuple[Incident, str]:
    """The incident with its hold and when it is due, and a sentence where that changed, else "".

    ``words`` are the last words on its alerts by fingerprint; ``before`` its state before these messages.
    Without ``all_words`` some are missing: then it may be found that it is to be taken up, and not that it is to wait.
    A part of another incident waits for that one anyway.
    """
    hold = incident.hold
    if hold is not None and hold.personal:
        return _personal(incident, hold, now, before)
    if not incident.active:
        # It ended while it was held: there was no investigation, and there is nothing to look into any more.
        return (replace(incident, hold=None, due_at=None), "") if hold else (incident, "")
    firing = [word for word in words.values() if word.status is AlertStatus.FIRING]
    if incident.status is not IncidentStatus.OPEN or (all_words and not firing):
        return replace(incident, hold=None), ""
    if incident.parent_id or not firing:
        return incident, ""
    found = [suppressors.suppression(alert, now) for alert in firing]
    reasons = [item for item in found if item is not None]
    if len(reasons) < len(found):
        return _taken_up(incident, len(found) - len(reasons), now) if hold else (incident, "")
    return _held(incident, reasons, now) if all_words else (incident, "")


def taken_up_again(incident: Incident, now: datetime) -> Incident:
    """The incident without its hold, due at once; what was handed to a person is looked at anew."""
    released = replace(incident, hold=None, due_at=_due(incident, now))
    if incident.status is IncidentStatus.ESCALATED and incident.firing:
        return replace(released, run=incident.run + 1)
    return released


def _due(incident: Incident, now: datetime) -> datetime | None:
    if not incident.active:
        return incident.due_at
    return None if incident.parent_id and incident.status is IncidentStatus.OPEN else now


def _personal(incident: Incident, hold: Hold, now: datetime, before: IncidentStatus | None) -> tuple[Incident, str]:
    if hold.over(now):
        still = f"{incident.firing} of its alerts fire" if incident.firing else "none of its alerts fires"
        return taken_up_again(incident, now), f"The snooze by {hold.by} is over; {still}"
    if incident.status in ACTING:  # an action is not left half done because somebody wants quiet
        return incident, ""
    if incident.active:
        return replace(incident, due_at=hold.until), ""
    # A run that has begun may end in peace; one that has not will not begin.
    return (replace(incident, due_at=None) if before is IncidentStatus.OPEN else incident), ""


def _taken_up(incident: Incident, loud: int, now: datetime) -> tuple[Incident, str]:
    text = f"Taken up: {loud} of its alerts {'is' if loud == 1 else 'are'} not suppressed any more"
    return replace(incident, hold=None, due_at=now), text


def _held(incident: Incident, reasons: list[Suppression], now: datetime) -> tuple[Incident, str]:
    ends = [item.until for item in reasons if item.until is not None]
    until = min(ends, default=None)
    first = min(reasons, key=lambda item: (item.until is None, item.until or now, item.cause))
    held = incident.hold
    since = held.since if held else now
    hold = Hold(HoldKind.SUPPRESSED, since, until, f"{first.by} {first.cause}", first.sentence)
    told = held is None or held.by != hold.by or held.until != hold.until
    changed = replace(incident, hold=hold, due_at=until)
    return changed, f"Not taken up: all that fires in {incident.id} is {_joined(reasons)}" if told else ""


def _joined(reasons: list[Suppression]) -> str:
    sentences = list(dict.fromkeys(item.sentence for item in reasons))
    more = f", and {len(sentences) - 1} more reasons" if len(sentences) > 1 else ""
    return sentences[0] + more
