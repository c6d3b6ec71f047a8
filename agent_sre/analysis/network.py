"""Delay and loss on the way between workloads, told from slowness inside them.

A call is measured at both ends in meshes and in many tracing setups. Slow at the caller and quick at the callee means
the time was lost between them. Which end's pod it is follows from what else is slow: all callers of one callee point to
the callee's pod, all callees of one caller to the caller's. Where every slow call touches one node, and calls that do
not touch it are quick, it is the node. Retransmitted segments and dropped packets speak for loss.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.departures import departure, number
from agent_sre.analysis.objects import homes_of, node_of, object_of
from agent_sre.analysis.profiles import profiles
from agent_sre.analysis.resources import busier
from agent_sre.analysis.signals import measured
from agent_sre.analysis.slow_calls import SlowCall, slow_calls
from agent_sre.domain.finding import Finding

_MANY = 0.5
"""The share of an end's calls that must be slow for the end to be blamed."""
_STRENGTH, _BUSY = 0.72, 0.6
"""Strength of a delay, and what is left of it where an end is busy: a busy end is late to take what has arrived."""


def network_delay(case: CaseFile) -> Iterable[Finding]:
    """Workloads whose pod's network delays calls, and the node where it is one node that several have in common."""
    pairs, slow = slow_calls(case)
    blamed = _blamed(pairs, slow)
    for name, calls in blamed.items():
        yield _delayed(case, name, calls)
    node = _common_node(case, pairs, slow) if len(blamed) > 1 else ""
    if node:
        yield _node_delayed(case, node, blamed, slow)


def _blamed(pairs: frozenset[tuple[str, str]], slow: Sequence[SlowCall]) -> Mapping[str, list[SlowCall]]:
    """The ends that most of the slow calls share: callers first, then callees for what is left."""
    by_callee, by_caller = defaultdict(list), defaultdict(list)
    for call in slow:
        by_callee[call.callee].append(call)
        by_caller[call.caller].append(call)
    blamed: dict[str, list[SlowCall]] = {}
    for caller, calls in sorted(by_caller.items()):
        known = sum(pair[0] == caller for pair in pairs)
        if len(calls) >= 2 and len(calls) >= _MANY * known:
            blamed[caller] = calls
    whole = frozenset(blamed)
    for callee, calls in sorted(by_callee.items()):
        known = sum(pair[1] == callee for pair in pairs)
        fresh = [call for call in calls if call.caller not in whole]
        if fresh and len(calls) >= _MANY * known:
            blamed[callee] = [*blamed.get(callee, []), *fresh]
    return blamed


def _delayed(case: CaseFile, name: str, calls: list[SlowCall]) -> Finding:
    known = profiles(case)
    ends = {name, *(call.caller for call in calls), *(call.callee for call in calls)}
    busy = any(busier(known[end]) is not None for end in ends if end in known)
    return Finding(
        analyzer="network_delay",
        fault="pod_network_delay",
        object=object_of(case, name, known[name].entity.namespace if name in known else ""),
        strength=round(_STRENGTH * max(call.plain for call in calls) * (_BUSY if busy else 1.0), 3),
        statement=f"Time is lost on the network of {name}: its calls are slow at the far end only.",
        facts=tuple(call.fact for call in calls[:4]),
        onset=calls[0].fact.time,
        explains=tuple(object_of(case, call.caller) for call in calls),
        distinguish=f"ping or TCP round-trip time to the pod of {name} from another pod and from its own node",
    )


def _common_node(case: CaseFile, pairs: frozenset[tuple[str, str]], slow: Sequence[SlowCall]) -> str:
    """The one node that every slow call may cross and that no quick call need cross; "" where there is none."""
    homes = defaultdict(set, homes_of(case))
    touched = [homes[call.caller] | homes[call.callee] for call in slow]
    quick = pairs - {(call.caller, call.callee) for call in slow}
    only = set.intersection(*touched) if touched else set()
    for caller, callee in quick:
        only -= {node for end in (caller, callee) for node in homes[end] if homes[end] == {node}}
    return next(iter(only)) if len(only) == 1 and quick else ""


def _node_delayed(case: CaseFile, node: str, blamed: Mapping[str, list[SlowCall]], slow: Sequence[SlowCall]) -> Finding:
    return Finding(
        analyzer="network_delay",
        fault="node_network_delay",
        object=node_of(case, node),
        strength=_STRENGTH,
        statement=f"Calls that cross {node} lose time on the way, whoever makes them, and the others do not.",
        facts=tuple(call.fact for call in slow[:4]),
        onset=slow[0].fact.time,
        explains=tuple(object_of(case, name) for name in sorted({*blamed, *(call.caller for call in slow)})),
        distinguish=f"round-trip times from {node} to another node, and its queueing discipline",
    )


def packet_loss(case: CaseFile) -> Iterable[Finding]:
    """Pods and nodes whose dropped packets began to rise with the incident."""
    for item in measured(case):
        if item.meaning != "packet_loss":
            continue
        moved = departure(case, item)
        if moved is None or not moved.strong or moved.after <= moved.before or moved.after < 0.1:
            continue
        node = item.entity.kind == "node"
        name = item.entity.name
        fact = moved.fact(f"{name} drops {number(moved.after)} packets per second, usually {number(moved.before)}")
        yield Finding(
            analyzer="packet_loss",
            fault="node_network_packet_loss" if node else "pod_network_loss",
            object=node_of(case, name) if node else object_of(case, name, item.entity.namespace),
            strength=0.6,
            statement=f"Packets are lost at {name}.",
            facts=(fact,),
            onset=fact.time,
            distinguish=f"interface error counters of {name}",
        )
