"""A node whose network is slow: everything that crosses it is, and nothing that stays inside does.

Delay at one node shows as latency of many unrelated workloads at once, none of which is busy, with TCP segments sent
again by those who wait for acknowledgements. The node is the one that the slow calls have in common, told by where the
pods run; where that leaves several, by how much more it retransmits than it used to. Alerts count as witnesses where
they were kept as an observation, for sites whose metrics ended before the question was asked.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.departures import Departure, departure, number
from agent_sre.analysis.objects import homes_of, node_of, object_of
from agent_sre.analysis.outside import surge
from agent_sre.analysis.profiles import profiles
from agent_sre.analysis.resources import busier
from agent_sre.analysis.signals import about
from agent_sre.analysis.told_by_alerts import RETRANSMITS, SLOW, TROUBLE, Told, deepest_slow, told
from agent_sre.domain.finding import Fact, Finding

_LEAST = 3
_TIMES = 5.0
_WITNESS, _HOME = 10.0, 12.0
"""What an alert about a node's retransmissions counts, and that all that is slow by itself lives on the node."""


def node_network_delay(case: CaseFile) -> Iterable[Finding]:
    """The node behind latency that many workloads share and none explains."""
    slow = _slowed(case)
    alerts = told(case)
    troubled = set(slow) | {item.workload for item in alerts if TROUBLE.search(item.name) and item.workload}
    if len(troubled) < _LEAST or surge(case) is not None or _explained(case, troubled):
        return
    homes = homes_of(case)
    hosts = Counter(node for name in troubled for node in homes.get(name, ()))
    resent = {moved.signal.entity.name: moved for moved in _retransmits(case)}
    witnesses = {item.node: item for item in alerts if RETRANSMITS.search(item.name) and item.node}
    nodes = sorted(set(hosts) | set(witnesses) | (set(resent) if not hosts else set()))
    if not nodes or not (resent or witnesses):
        yield from _common_home(case, slow, homes)
        return
    # Where nothing was measured, alerts tell who is slow by itself: their node is nearer than one that sends again.
    deep = Counter(node for name in deepest_slow(case) for node in homes.get(name, ())) if not slow else Counter()
    scores = {node: _score(node, hosts, resent, witnesses) + _HOME * _share(node, deep) for node in nodes}
    total = sum(scores.values()) or 1.0
    for place, node in enumerate(sorted(nodes, key=lambda node: (-scores[node], node))[:3]):
        facts = _facts(node, slow, resent, witnesses, alerts)
        if not facts or (scores[node] == 0 and place):
            continue
        yield Finding(
            analyzer="node_network_delay",
            fault="node_network_delay",
            object=node_of(case, node),
            strength=round((0.45 + 0.4 * scores[node] / total) * (1.0 if place == 0 else 0.7), 3),
            statement=f"Traffic over {node} is delayed: what crosses it is slow at once and nobody is busy.",
            facts=facts,
            onset=facts[0].time,
            explains=tuple(object_of(case, name) for name in sorted(troubled)),
            distinguish=f"round-trip times from {node} to another node, and its queueing discipline",
        )


def _common_home(case: CaseFile, slow: Mapping[str, Departure], homes: Mapping[str, set[str]]) -> Iterable[Finding]:
    """The one node on which all that is slow lives and nothing that is measured and quick does."""
    quick = {name for name, profile in profiles(case).items() if profile.signals.get("latency")} - set(slow)
    shared = set.intersection(*(homes.get(name, set()) for name in slow)) if slow else set()
    theirs = set().union(*(homes.get(name, set()) for name in quick))
    only = shared - theirs
    if len(slow) < _LEAST or len(only) != 1 or not theirs:
        return
    node = only.pop()
    yield Finding(
        analyzer="node_network_delay",
        fault="node_network_delay",
        object=node_of(case, node),
        strength=0.62,
        statement=f"Traffic over {node} is delayed: what is slow lives on this node, and only on this one.",
        facts=_facts(node, slow, {}, {}, []),
        onset=min(datetime.fromtimestamp(moved.start, UTC) for moved in slow.values()),
        explains=tuple(object_of(case, name) for name in sorted(slow)),
        distinguish=f"round-trip times from {node} to another node, and its queueing discipline",
    )


def _slowed(case: CaseFile) -> dict[str, Departure]:
    """Workloads whose latency is five times the usual and more."""
    found = {}
    for name, profile in profiles(case).items():
        rises = [moved for moved in profile.departures.get("latency", ()) if moved.z > 4 and moved.ratio >= _TIMES]
        if rises and profile.slow >= 0.1:
            found[name] = rises[0]
    return found


def _explained(case: CaseFile, troubled: set[str]) -> bool:
    """Whether one of them is busy: then its slowness is its own and the others wait for it."""
    known = profiles(case)
    return any((moved := busier(known[name])) is not None and moved.ratio >= 2 for name in troubled if name in known)


def _retransmits(case: CaseFile) -> Iterable[Departure]:
    for item in about(case, "retransmits", "node"):
        moved = departure(case, item)
        if moved is not None and moved.after > max(2 * moved.before, 0.05):
            yield moved


def _score(
    node: str, hosts: Mapping[str, int], resent: Mapping[str, Departure], witnesses: Mapping[str, Told]
) -> float:
    """Retransmissions beyond the usual, for the nodes that host what is slow."""
    moved = resent.get(node)
    rise = (moved.after - moved.before) if moved is not None else 0.0
    steepness = min(moved.ratio, 50.0) if moved is not None else 0.0
    share = _share(node, hosts)
    return (steepness * (0.2 + share) + min(rise, 5.0)) * (1.0 if share or not hosts else 0.1) + _WITNESS * (
        node in witnesses
    )


def _share(node: str, hosts: Mapping[str, int]) -> float:
    return hosts.get(node, 0) / max(sum(hosts.values()), 1)


def _facts(
    node: str,
    slow: Mapping[str, Departure],
    resent: Mapping[str, Departure],
    witnesses: Mapping[str, Told],
    alerts: Sequence[Told],
) -> tuple[Fact, ...]:
    facts = []
    if node in resent:
        moved = resent[node]
        facts.append(
            moved.fact(f"{node} sends {number(moved.after)} segments a second again, usually {number(moved.before)}")
        )
    if node in witnesses:
        facts.append(witnesses[node].fact())
    for name, moved in sorted(slow.items())[:4]:
        unit = moved.signal.unit
        facts.append(moved.fact(f"{name} answers in {number(moved.after)} {unit}, usually {number(moved.before)}"))
    if not slow:
        first = sorted(
            (item for item in alerts if TROUBLE.search(item.name)), key=lambda item: not SLOW.search(item.name)
        )
        facts += [item.fact() for item in first[:4]]
    return tuple(facts)
