"""Delay and loss on the way between workloads, told from slowness inside them.

A call is measured at both ends in meshes and in many tracing setups. Slow at the caller and quick at the callee means
the time was lost between them. Which end's pod it is follows from what else is slow: all callers of one callee point to
the callee's pod, all callees of one caller to the caller's. Where every slow call touches one node, and calls that do
not touch it are quick, it is the node. Retransmitted segments and dropped packets speak for loss.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.departures import Departure, departure, departures, number
from agent_sre.analysis.objects import node_of, object_of
from agent_sre.analysis.profiles import profiles
from agent_sre.analysis.signals import Measured, about, measured
from agent_sre.domain.finding import Finding

_MANY = 0.5
"""The share of an end's calls that must be slow for the end to be blamed."""


@dataclass(frozen=True, slots=True)
class SlowCall:
    """A call that takes longer at its caller than its callee accounts for."""

    caller: str
    callee: str
    moved: Departure


def pod_network_delay(case: CaseFile) -> Iterable[Finding]:
    """Workloads whose pod's network delays calls."""
    calls_seen, slow = _slow_calls(case)
    by_callee, by_caller = defaultdict(list), defaultdict(list)
    for call in slow:
        by_callee[call.callee].append(call)
        by_caller[call.caller].append(call)
    blamed: list[tuple[str, list[SlowCall]]] = []
    for caller, calls in sorted(by_caller.items()):
        known = sum(pair[0] == caller for pair in calls_seen)
        if len(calls) >= 2 and len(calls) >= _MANY * known:
            blamed.append((caller, calls))
    whole = {name for name, _ in blamed}
    for callee, calls in sorted(by_callee.items()):
        known = sum(pair[1] == callee for pair in calls_seen)
        fresh = [call for call in calls if call.caller not in whole]
        if fresh and len(calls) >= _MANY * known:
            blamed.append((callee, fresh))
    for name, calls in blamed:
        yield _delayed(case, name, calls)


def _delayed(case: CaseFile, name: str, calls: list[SlowCall]) -> Finding:
    worst = max(calls, key=lambda call: abs(call.moved.z))
    facts = tuple(
        call.moved.fact(
            f"Calls of {call.caller} to {call.callee} take {number(call.moved.after)} {call.moved.signal.unit} at the "
            f"caller, usually {number(call.moved.before)}, while {call.callee} itself answers as quickly as before"
        )
        for call in calls[:4]
    )
    return Finding(
        analyzer="pod_network_delay",
        fault="pod_network_delay",
        object=object_of(case, name, profiles(case)[name].entity.namespace if name in profiles(case) else ""),
        strength=round(0.72 * min(1.0, 0.5 + abs(worst.moved.z) / 40), 3),
        statement=f"Time is lost on the network of {name}: its calls are slow at the far end only.",
        facts=facts,
        onset=facts[0].time,
        explains=tuple(object_of(case, call.caller) for call in calls),
        distinguish=f"ping or TCP round-trip time to the pod of {name} from another pod and from its own node",
    )


def _slow_calls(case: CaseFile) -> tuple[set[tuple[str, str]], list[SlowCall]]:
    """All measured calls as (caller, callee), and those that are slow at the caller only."""
    ends: dict[tuple[str, str], dict[str, list[Measured]]] = defaultdict(lambda: defaultdict(list))
    for item in about(case, "edge_latency", "edge"):
        ends[item.entity.peer, item.entity.name][item.role].append(item)
    slow = []
    for (caller, callee), sides in sorted(ends.items()):
        at_caller = departures(case, [*sides.get("source", []), *sides.get("", [])])
        at_callee = departures(case, sides.get("destination", []))
        outer = max(at_caller, key=lambda moved: moved.z, default=None)
        if outer is None or not outer.strong or outer.z <= 0 or outer.ratio < 2:
            continue
        inner = max((moved.after - moved.before for moved in at_callee), default=_own_slowness(case, callee, outer))
        if inner < 0.3 * (outer.after - outer.before):
            slow.append(SlowCall(caller, callee, outer))
    return set(ends), slow


def _own_slowness(case: CaseFile, callee: str, outer: Departure) -> float:
    """The callee's own extra latency in the unit of the caller's signal."""
    profile = profiles(case).get(callee)
    if profile is None or not profile.signals.get("latency"):
        return outer.after  # nothing known of the callee: its own slowness explains all of it
    return profile.slow * (1000.0 if outer.signal.unit == "milliseconds" else 1.0)


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
