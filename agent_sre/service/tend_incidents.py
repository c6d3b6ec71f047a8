"""What happens to incidents although no message comes: alerts that lapse, flapping that calms, parts left alone.

A source that dies says of nothing that it is over. So an alert of which no word came for its source's time counts as
over, and the incident says that nobody said so; a later word brings it back. Called by the worker after each fold.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from agent_sre.domain.alert import AlertStatus
from agent_sre.domain.errors import TemporaryError
from agent_sre.domain.incident import Incident, IncidentStatus
from agent_sre.domain.instant import format_instant
from agent_sre.domain.placement import Placement, Reason
from agent_sre.domain.timeline import Entry
from agent_sre.domain.visible import one_line
from agent_sre.ingest.settle import settle
from agent_sre.ports.clock import Clock
from agent_sre.ports.intake import PlacementStore, Word
from agent_sre.ports.store import ApprovalStore, IncidentStore, Journal, Placed
from agent_sre.service.end_approvals import end_approvals

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class TendPorts:
    """What tending works with."""

    incidents: IncidentStore
    placements: PlacementStore
    approvals: ApprovalStore
    journal: Journal
    clock: Clock


async def tend_incidents(ports: TendPorts) -> int:
    """Do what is due, and return how many incidents were changed. Raises TemporaryError where the store is down.

    An incident that somebody changes at the same time is left for the next call.
    """
    now = ports.clock.now()
    by_incident: defaultdict[str, list[Word]] = defaultdict(list)
    for word in await ports.placements.lapsed(now, _AT_ONCE):
        by_incident[word.incident_id].append(word)
    changed = 0
    for incident_id, words in by_incident.items():
        incident = await ports.incidents.get(incident_id)
        if incident is not None:
            changed += await _stored(*_lapse(incident, words, now), ports)
    for incident in await ports.placements.untended(now, _AT_ONCE):
        whole = await ports.incidents.get(incident.parent_id) if incident.parent_id else None
        after, text = _tend(incident, whole, now)
        key = f"tended/{incident.run}/{format_instant(now)}"
        changed += await _stored(after, [Entry(incident.id, now, "note", text, key=key)], Placed(), ports)
    return changed


async def _stored(incident: Incident, entries: Sequence[Entry], placed: Placed, ports: TendPorts) -> int:
    closing: list[Entry] = []
    if incident.status is IncidentStatus.RESOLVED:
        closing = await end_approvals(incident, "alert resolved", ports.approvals, ports.journal, ports.clock.now())
    try:
        await ports.incidents.fold(incident, (), [*entries, *closing], placed)
    except TemporaryError as error:
        if await ports.incidents.get(incident.id) is None:
            raise error
        return 0
    return 1


def _lapse(incident: Incident, words: Sequence[Word], now: datetime) -> tuple[Incident, list[Entry], Placed]:
    """The incident after some of its alerts lapsed. One that is over already only stops waiting for word of them."""
    placements, entries, lapsed = [], [], []
    for word in words:
        placement, alert = word.placement, word.alert
        if placement is None or placement.expires_at is None:
            continue
        if not incident.active or alert.status is AlertStatus.RESOLVED:
            placements.append(replace(placement, expires_at=None))
            continue
        minutes = (placement.expires_at - alert.received_at).total_seconds() / 60
        silent = f"no word from {alert.source} for {minutes:.0f} min"
        text = f"{one_line(alert.name, 120)}: {silent}; it counts as over, but nobody said that it is"
        placements.append(_lapsed(placement, text, now))
        lapsed.append(
            replace(alert, status=AlertStatus.RESOLVED, ends_at=placement.expires_at, received_at=now, lapsed=True)
        )
        key = f"lapsed/{alert.fingerprint}/{format_instant(placement.expires_at)}"
        entries.append(Entry(incident.id, now, "alert", text, key=key))
    after = replace(incident, firing=max(incident.firing - len(lapsed), 0))
    after, settled = settle(after, bool(lapsed), now, lapsed=True)
    if settled:
        entries.append(Entry(incident.id, now, "alert", settled, key=f"settled/{incident.run}/{format_instant(now)}"))
    return after, entries, Placed(placements=tuple(placements), words=tuple(lapsed))


def _lapsed(placement: Placement, text: str, now: datetime) -> Placement:
    return replace(
        placement,
        latest=Reason.LAPSED,
        latest_sentence=text,
        latest_at=now,
        expires_at=None,
    )


def _tend(incident: Incident, whole: Incident | None, now: datetime) -> tuple[Incident, str]:
    if whole is not None and not whole.active:
        if whole.merged_into:
            return replace(
                incident, parent_id=whole.merged_into
            ), f"Part of {whole.merged_into} now: {whole.id} was merged"
        text = (
            f"Taken up: {whole.id}, which this was part of, is {whole.status}, and {incident.firing} alerts still fire"
        )
        return replace(incident, parent_id="", due_at=now, updated_at=now), text
    calm = replace(incident, flapping_since=None, tend_at=None)
    calm, settled = settle(calm, ended=True, now=now)
    rest = settled or f"{calm.firing} alerts fire, steadily"
    return calm, f"Not flapping any more: its alerts are calm. {rest}"
