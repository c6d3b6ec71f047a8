"""Turn accepted alerts into incidents: everything that waits in the inbox goes through the pipeline and is stored.

One transaction per incident moves its alerts out of the inbox, changes it and writes its timeline, so a process that is
killed anywhere in between leaves the alerts where they were and the next call takes them up again. Messages that wait
together are folded together: a thousand repetitions are one write.

Called by the worker. What is decided about a message is the pipeline's part and loading what that needs is
``service.load_known``'s; this is storing and trying again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from agent_sre.domain.alert import Alert
from agent_sre.domain.errors import TemporaryError
from agent_sre.domain.incident import IncidentStatus
from agent_sre.domain.instant import format_instant
from agent_sre.domain.placement import Reason
from agent_sre.domain.timeline import Entry
from agent_sre.evidence.early_looks import EarlyLooks
from agent_sre.ingest.pipeline import Outcome, run
from agent_sre.ingest.step import Decision
from agent_sre.ingest.suppressors import NOTHING, Suppressors
from agent_sre.ingest.windows import Windows
from agent_sre.ports.clock import Clock, Ids
from agent_sre.ports.context import ChangeReader, TopologyReader
from agent_sre.ports.intake import IntakeStore
from agent_sre.ports.store import AlertInbox, ApprovalStore, IncidentStore, Journal, Placed
from agent_sre.service.end_approvals import end_approvals
from agent_sre.service.load_known import load_known

BATCH = 400
"""Alerts at a time: deciding about them is one stretch in which no webhook is answered."""
BATCHES = 4
_ATTEMPTS = 5
_SUPERSEDED = "alert resolved"
_MOST_TOLD = 20
"""Lines on a timeline of what came together: a storm is told in a few."""
_UNTOLD = frozenset({Reason.REPEATED, Reason.FLAPPING})
"""Counted, and not told on the timeline one by one."""

Pending = Sequence[tuple[int, Alert]]
Suppressing = Callable[[Sequence[Alert]], Awaitable[Suppressors]]
"""What suppresses alerts now, once these messages are known."""


async def _nothing(alerts: Sequence[Alert]) -> Suppressors:
    return NOTHING


@dataclass(frozen=True, slots=True)
class FoldPorts:
    """What a fold works with. ``topology`` and ``changes`` are None where nobody tells who calls whom, what changed."""

    inbox: AlertInbox
    incidents: IncidentStore
    intake: IntakeStore
    approvals: ApprovalStore
    journal: Journal
    clock: Clock
    ids: Ids
    topology: TopologyReader | None = None
    changes: ChangeReader | None = None
    windows: Windows = field(default_factory=Windows)
    suppressing: Suppressing = _nothing
    early: EarlyLooks | None = None


async def fold_alerts(ports: FoldPorts) -> int:
    """Fold what waits in the inbox, oldest first, and return how many alerts that were.

    At most some batches: in a storm there is always more, and what was opened must be looked into meanwhile.

    What ``early`` has seen by now of an alert that begins a run is stored with it.

    Raises TemporaryError where the store is down or an incident keeps changing under us; what was not folded waits on.
    """
    folded = 0
    for _ in range(BATCHES):
        pending = await ports.inbox.pending(BATCH)
        if not pending:
            break
        await _fold_batch(pending, ports)
        folded += len(pending)
    return folded


async def _fold_batch(pending: Pending, ports: FoldPorts) -> None:
    """Decide about all, then store incident by incident. What an incident refuses is decided anew on what it is now.

    One that fails is tried last again by the next call: the others don't wait for it.
    """
    messages = list(pending)
    for attempt in range(_ATTEMPTS):
        failed: list[tuple[int, Alert]] = []
        failure: TemporaryError | None = None
        for outcome in await _decide(messages, ports):
            try:
                await _store(outcome, messages, ports)
            except TemporaryError as error:
                failure = error
                failed += [messages[position] for position in outcome.positions]
        if failure is None:
            return
        if attempt == _ATTEMPTS - 1 or not failed:
            raise failure
        messages = sorted(failed, key=lambda message: message[0])


async def _decide(messages: Pending, ports: FoldPorts) -> tuple[Outcome, ...]:
    now = ports.clock.now()
    alerts = [alert for _, alert in messages]
    known, suppressors = await asyncio.gather(
        load_known(alerts, ports.intake, ports.topology, ports.changes, ports.windows, now), ports.suppressing(alerts)
    )
    known.suppressors = suppressors
    return run(alerts, known, now, partial(ports.ids.new, "INC"))


async def _store(outcome: Outcome, messages: Pending, ports: FoldPorts) -> None:
    if not outcome.positions:
        await _amend(outcome, ports)
        return
    incident = outcome.incident
    now = ports.clock.now()
    entries = _entries(outcome)
    if incident.status is IncidentStatus.RESOLVED and outcome.settled:
        # Before the incident is stored: after a crash in between, the alerts still wait and this is done again.
        entries += await end_approvals(incident, _SUPERSEDED, ports.approvals, ports.journal, now)
    sequences = [messages[position][0] for position in outcome.positions]
    await _fold(outcome, sequences, entries, ports)


async def _fold(outcome: Outcome, sequences: Sequence[int], entries: Sequence[Entry], ports: FoldPorts) -> None:
    """The transaction; where it begins a run, with what was seen of its alerts already."""
    incident, before, early = outcome.incident, outcome.before, ports.early
    placed = Placed(outcome.placements, outcome.bindings)
    if early is None or (before is not None and before.run == incident.run):
        await ports.incidents.fold(incident, sequences, entries, placed)
        return
    look = early.find(incident.group_key, {item.alert.received_at for item in outcome.decisions})
    seen = look.seen if look else ()
    await ports.incidents.fold(incident, sequences, entries, placed, observations=seen)
    if look is not None:
        early.belongs(look, incident.id, incident.run, seen)


async def _amend(outcome: Outcome, ports: FoldPorts) -> None:
    """An incident that took no message, but gained parts or became one: told, whatever it has become meanwhile."""
    before, after = outcome.before, outcome.incident
    for attempt in range(_ATTEMPTS):
        incident = await ports.incidents.get(after.id)
        if incident is None or before is None or not incident.active:
            return
        changed = replace(
            incident,
            children=incident.children + after.children - before.children,
            reach=incident.reach.joined(after.reach),
            priority=min(incident.priority, after.priority),
            priority_because=after.priority_because,
        )
        if after.parent_id != before.parent_id and incident.status is IncidentStatus.OPEN:
            changed = replace(changed, parent_id=after.parent_id, due_at=after.due_at)
        now = ports.clock.now()
        try:
            await ports.incidents.fold(
                changed, (), [Entry(after.id, now, "note", text, key=text) for text in outcome.told]
            )
            return
        except TemporaryError:
            if attempt == _ATTEMPTS - 1:
                raise


def _entries(outcome: Outcome) -> list[Entry]:
    incident = outcome.incident
    # Repetitions are counted, not told; of two alike in one batch the first is told.
    told = {_key(item): item for item in reversed(outcome.decisions) if item.reason not in _UNTOLD}
    single = list(reversed(told.items()))
    entries = [
        Entry(incident.id, item.alert.received_at, "alert", item.sentence, key=key) for key, item in single[:_MOST_TOLD]
    ]
    last = max(item.alert.received_at for item in outcome.decisions)
    if len(single) > _MOST_TOLD:
        text = f"{len(single) - _MOST_TOLD} further alerts came together with these; each is listed with its reason"
        entries.append(Entry(incident.id, last, "note", text, key=f"further/{single[-1][0]}"))
    entries += [Entry(incident.id, last, "note", text, key=text) for text in outcome.told[:_MOST_TOLD]]
    before = outcome.before.truncated if outcome.before else 0
    if incident.truncated > before:
        text = f"Incomplete: the source left out {incident.truncated} further alerts of this group from its message"
        entries.append(Entry(incident.id, last, "note", text, key=f"truncated/{incident.truncated}"))
    if outcome.settled:
        key = f"settled/{incident.run}/{format_instant(last)}"
        entries.append(Entry(incident.id, last, "alert", outcome.settled, key=key))
    if outcome.held:
        entries.append(Entry(incident.id, last, "note", outcome.held))
    return entries


def _key(decision: Decision) -> str:
    alert = decision.alert
    return f"{decision.reason}/{alert.fingerprint}/{format_instant(alert.speaks_of)}"
