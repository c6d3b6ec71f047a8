"""What the intake pipeline has to know about a batch of messages, in a handful of questions to the store.

Only where an alert has no incident that can take it are the others loaded that it could belong to, with the calls and
changes around them; a batch of repetitions, which is most of any storm, costs none of that.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from agent_sre.domain.alert import Alert, AlertStatus
from agent_sre.domain.placement import BindingKind
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Edge
from agent_sre.ingest.group import group_key_of
from agent_sre.ingest.known import Held, Known, Surroundings
from agent_sre.ingest.windows import Windows
from agent_sre.ports.context import ChangeReader, TopologyReader
from agent_sre.ports.intake import IntakeStore

MOST_INCIDENTS = 1_000
_CHANGES_BEFORE = timedelta(hours=1)


async def load_known(
    alerts: Sequence[Alert],
    intake: IntakeStore,
    topology: TopologyReader | None,
    changes: ChangeReader | None,
    windows: Windows,
    now: datetime,
) -> Known:
    """What is known about the alerts at a moment (UTC). Raises TemporaryError where the store is down."""
    keys = {group_key_of(alert): alert for alert in alerts}
    fingerprints = {alert.fingerprint for alert in alerts}
    # Questions that don't depend on one another are put at once: a new alert's incident waits for all of them.
    words, groups, pins = await asyncio.gather(
        intake.words(fingerprints),
        intake.bound(BindingKind.GROUP, keys),
        intake.bound(BindingKind.ALERT, fingerprints),
    )
    ids = {*(word.incident_id for word in words.values()), *groups.values(), *pins.values()}
    known = Known(groups=dict(groups), pins=dict(pins), windows=windows)
    known.words = {name: Held(word.alert, word.incident_id, word.placement) for name, word in words.items()}
    for incident in await intake.incidents(ids) if ids else ():
        known.put(incident)
    wholes = {item.parent_id for item in known.incidents.values() if item.parent_id} - known.incidents.keys()
    for incident in await intake.incidents(wholes) if wholes else ():
        known.put(incident)
    if _has_homeless(alerts, known):
        since = now - max(windows.reopen, windows.correlation)
        recent, known.surroundings = await asyncio.gather(
            intake.recent(since, MOST_INCIDENTS), _surroundings(topology, changes, now)
        )
        for incident in recent:
            known.put(incident)
    return known


def _has_homeless(alerts: Sequence[Alert], known: Known) -> bool:
    """Whether one of the firing alerts may need an incident that is none of its own or of its group."""
    for alert in alerts:
        if alert.status is not AlertStatus.FIRING:
            continue
        word = known.words.get(alert.fingerprint)
        ids = (word.incident_id if word else "", known.groups.get(group_key_of(alert), ""))
        if not any(name in known.incidents and known.incidents[name].active for name in ids):
            return True
    return False


async def _surroundings(topology: TopologyReader | None, changes: ChangeReader | None, now: datetime) -> Surroundings:
    edges = await topology.edges(()) if topology is not None else ()
    window = Window(now - _CHANGES_BEFORE, now)
    found = await changes.changes((), window) if changes is not None else ()
    return Surroundings(_neighbours(edges), tuple(found))


def _neighbours(edges: Collection[Edge]) -> dict[str, frozenset[str]]:
    both: defaultdict[str, set[str]] = defaultdict(set)
    for edge in edges:
        both[edge.caller].add(edge.callee)
        both[edge.callee].add(edge.caller)
    return {name: frozenset(others) for name, others in both.items()}
