"""Turn accepted alerts into incidents: everything that waits in the inbox goes through the pipeline and is stored.

One transaction per incident moves its alerts out of the inbox, changes it and writes its timeline, so a process that is
killed anywhere in between leaves the alerts where they were and the next call takes them up again. Messages that wait
together are folded together: a thousand repetitions are one write.

Called by the worker. What is decided about a message is the pipeline's part; this is loading, storing and trying again.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from agent_sre.domain.alert import Alert
from agent_sre.domain.errors import TemporaryError
from agent_sre.domain.incident import IncidentStatus
from agent_sre.domain.instant import format_instant
from agent_sre.domain.timeline import Entry
from agent_sre.ingest.group import group_key_of
from agent_sre.ingest.pipeline import Outcome, run
from agent_sre.ingest.step import Decision, Reason, Standing
from agent_sre.ingest.suppressors import NOTHING, Suppressors
from agent_sre.ports.clock import Clock, Ids
from agent_sre.ports.store import AlertInbox, ApprovalStore, IncidentStore, Journal
from agent_sre.service.held_after import held_after

BATCH = 1_000
_ATTEMPTS = 5
_SUPERSEDED = "alert resolved"

Pending = Sequence[tuple[int, Alert]]
Suppressing = Callable[[Sequence[Alert]], Awaitable[Suppressors]]
"""What suppresses alerts now, once these messages are known."""


async def _nothing(alerts: Sequence[Alert]) -> Suppressors:
    return NOTHING


@dataclass(frozen=True, slots=True)
class _Stores:
    """The ports a fold works with."""

    incidents: IncidentStore
    approvals: ApprovalStore
    journal: Journal
    clock: Clock
    ids: Ids


async def fold_alerts(
    inbox: AlertInbox,
    incidents: IncidentStore,
    approvals: ApprovalStore,
    journal: Journal,
    clock: Clock,
    ids: Ids,
    suppressing: Suppressing = _nothing,
) -> int:
    """Fold everything that waits in the inbox, oldest first, and return how many alerts that were.

    Raises TemporaryError where the store is down or an incident keeps changing under us; what was not folded waits on.
    """
    stores = _Stores(incidents, approvals, journal, clock, ids)
    folded = 0
    while pending := await inbox.pending(BATCH):
        suppressors = await suppressing([alert for _, alert in pending])
        await _fold_batch(pending, stores, suppressors)
        folded += len(pending)
    return folded


async def _fold_batch(pending: Pending, stores: _Stores, suppressors: Suppressors) -> None:
    """Group by group. One that fails is tried last again by the next call: the others don't wait for it."""
    groups: defaultdict[str, list[tuple[int, Alert]]] = defaultdict(list)
    for sequence, alert in pending:
        groups[group_key_of(alert)].append((sequence, alert))
    failure: TemporaryError | None = None
    for key, messages in groups.items():
        try:
            await _fold_group(key, messages, stores, suppressors)
        except TemporaryError as error:
            failure = error
    if failure is not None:
        raise failure


async def _fold_group(key: str, messages: Pending, stores: _Stores, suppressors: Suppressors) -> None:
    for attempt in range(_ATTEMPTS):
        known = await _known(key, stores)
        alerts = [alert for _, alert in messages]
        new_id = partial(stores.ids.new, "INC")
        outcomes = run(alerts, {key: known} if known else {}, stores.clock.now(), new_id, suppressors)
        stored: set[int] = set()
        try:
            for outcome in outcomes:
                await _store(outcome, messages, known, stores, suppressors)
                stored.update(outcome.positions)
            return
        except TemporaryError:
            # Somebody else changed the incident: decide anew on what it is now, for what is not stored yet.
            if attempt == _ATTEMPTS - 1:
                raise
            messages = [message for position, message in enumerate(messages) if position not in stored]


async def _known(key: str, stores: _Stores) -> Standing | None:
    incident = await stores.incidents.find(key)
    if incident is None:
        return None
    words = {alert.fingerprint: alert for alert in await stores.incidents.alerts(incident.id)}
    return Standing(incident, words)


async def _store(
    outcome: Outcome, messages: Pending, known: Standing | None, stores: _Stores, suppressors: Suppressors
) -> None:
    now = stores.clock.now()
    entries = _entries(outcome, known)
    before = known.incident if known and known.incident.id == outcome.incident.id else None
    incident, held = await held_after(
        outcome.incident, before, outcome.decisions, suppressors, now, incidents=stores.incidents
    )
    if held:
        entries.append(Entry(incident.id, now, "note", held))
    if incident.status is IncidentStatus.RESOLVED and outcome.settled:
        # Before the incident is stored: after a crash in between, the alerts still wait and this is done again.
        closed = await stores.approvals.supersede(incident.id, now, _SUPERSEDED)
        if closed:
            detail = {"reason": _SUPERSEDED, "approvals": str(closed)}
            await stores.journal.audit(now, "agent_sre", "approvals superseded", incident.id, detail)
            text = f"{closed} waiting approval{'s' if closed > 1 else ''} superseded: {_SUPERSEDED}"
            entries.append(Entry(incident.id, now, "approval", text, key=f"superseded/{incident.run}"))
    sequences = [messages[position][0] for position in outcome.positions]
    await stores.incidents.fold(incident, sequences, entries)


def _entries(outcome: Outcome, known: Standing | None) -> list[Entry]:
    incident = outcome.incident
    # Repetitions are counted, not told; of two alike in one batch the first is told.
    told = {_key(item): item for item in reversed(outcome.decisions) if item.reason is not Reason.REPEATED}
    entries = [
        Entry(incident.id, item.alert.received_at, "alert", item.sentence, key=key)
        for key, item in reversed(told.items())
    ]
    last = max(item.alert.received_at for item in outcome.decisions)
    before = known.incident.truncated if known and known.incident.id == incident.id else 0
    if incident.truncated > before:
        text = f"Incomplete: the source left out {incident.truncated} further alerts of this group from its message"
        entries.append(Entry(incident.id, last, "note", text, key=f"truncated/{incident.truncated}"))
    if outcome.settled:
        key = f"settled/{incident.run}/{format_instant(last)}"
        entries.append(Entry(incident.id, last, "alert", outcome.settled, key=key))
    return entries


def _key(decision: Decision) -> str:
    alert = decision.alert
    return f"{decision.reason}/{alert.fingerprint}/{format_instant(alert.speaks_of)}"
