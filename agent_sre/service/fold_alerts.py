"""Turn accepted alerts into incidents: everything that waits in the inbox goes through the pipeline and is stored.

One transaction per incident moves its alerts out of the inbox, changes it and writes its timeline, so a process that is
killed anywhere in between leaves the alerts where they were and the next call takes them up again. Messages that wait
together are folded together: a thousand repetitions are one write.

Called by the worker. What is decided about a message is the pipeline's part; this is loading, storing and trying again.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from agent_sre.domain.alert import Alert
from agent_sre.domain.errors import TemporaryError
from agent_sre.domain.incident import IncidentStatus
from agent_sre.domain.instant import format_instant
from agent_sre.domain.timeline import Entry
from agent_sre.evidence.early_looks import EarlyLooks
from agent_sre.ingest.group import group_key_of
from agent_sre.ingest.pipeline import Outcome, run
from agent_sre.ingest.step import Decision, Reason, Standing
from agent_sre.ports.clock import Clock, Ids
from agent_sre.ports.store import AlertInbox, ApprovalStore, IncidentStore, Journal

BATCH = 1_000
_ATTEMPTS = 5
_SUPERSEDED = "alert resolved"

Pending = Sequence[tuple[int, Alert]]


@dataclass(frozen=True, slots=True)
class _Stores:
    """The ports a fold works with."""

    incidents: IncidentStore
    approvals: ApprovalStore
    journal: Journal
    clock: Clock
    ids: Ids
    early: EarlyLooks | None


async def fold_alerts(
    inbox: AlertInbox,
    incidents: IncidentStore,
    approvals: ApprovalStore,
    journal: Journal,
    clock: Clock,
    ids: Ids,
    early: EarlyLooks | None = None,
) -> int:
    """Fold everything that waits in the inbox, oldest first, and return how many alerts that were.

    What ``early`` has seen by now of an alert that begins a run is stored with it.

    Raises TemporaryError where the store is down or an incident keeps changing under us; what was not folded waits on.
    """
    stores = _Stores(incidents, approvals, journal, clock, ids, early)
    folded = 0
    while pending := await inbox.pending(BATCH):
        await _fold_batch(pending, stores)
        folded += len(pending)
    return folded


async def _fold_batch(pending: Pending, stores: _Stores) -> None:
    """Group by group. One that fails is tried last again by the next call: the others don't wait for it."""
    groups: defaultdict[str, list[tuple[int, Alert]]] = defaultdict(list)
    for sequence, alert in pending:
        groups[group_key_of(alert)].append((sequence, alert))
    failure: TemporaryError | None = None
    for key, messages in groups.items():
        try:
            await _fold_group(key, messages, stores)
        except TemporaryError as error:
            failure = error
    if failure is not None:
        raise failure


async def _fold_group(key: str, messages: Pending, stores: _Stores) -> None:
    for attempt in range(_ATTEMPTS):
        known = await _known(key, stores)
        alerts = [alert for _, alert in messages]
        outcomes = run(alerts, {key: known} if known else {}, stores.clock.now(), partial(stores.ids.new, "INC"))
        stored: set[int] = set()
        try:
            for outcome in outcomes:
                await _store(outcome, messages, known, stores)
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


async def _store(outcome: Outcome, messages: Pending, known: Standing | None, stores: _Stores) -> None:
    incident = outcome.incident
    now = stores.clock.now()
    entries = _entries(outcome, known)
    if incident.status is IncidentStatus.RESOLVED and outcome.settled:
        # Before the incident is stored: after a crash in between, the alerts still wait and this is done again.
        closed = await stores.approvals.supersede(incident.id, now, _SUPERSEDED)
        if closed:
            detail = {"reason": _SUPERSEDED, "approvals": str(closed)}
            await stores.journal.audit(now, "agent_sre", "approvals superseded", incident.id, detail)
            text = f"{closed} waiting approval{'s' if closed > 1 else ''} superseded: {_SUPERSEDED}"
            entries.append(Entry(incident.id, now, "approval", text, key=f"superseded/{incident.run}"))
    sequences = [messages[position][0] for position in outcome.positions]
    await _fold(outcome, sequences, entries, known, stores)


async def _fold(
    outcome: Outcome, sequences: Sequence[int], entries: Sequence[Entry], known: Standing | None, stores: _Stores
) -> None:
    """The transaction; where it begins a run, with what was seen of its alerts already."""
    incident, early = outcome.incident, stores.early
    before = (known.incident.id, known.incident.run) if known else None
    if early is None or before == (incident.id, incident.run):
        await stores.incidents.fold(incident, sequences, entries)
        return
    look = early.find(incident.group_key, {item.alert.received_at for item in outcome.decisions})
    seen = look.seen if look else ()
    await stores.incidents.fold(incident, sequences, entries, seen)
    if look is not None:
        early.belongs(look, incident.id, incident.run, seen)


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
