"""Workloads that run out of something: CPU, memory, file descriptors, connections, threads, replicas, disk.

Each analyzer compares one resource of one workload with its usual and, where a limit is known, with that. Saturation is
a cause only where something suffers: a batch job that uses its CPU to the full is at work, not at fault. Who suffers is
read from latency and failures of the workload and of its callers. Where a whole node is busy and the neighbour that
makes it so is another workload than the one that suffers, the neighbour is named.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import numpy as np

from agent_sre.analysis.calls import calls
from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.departures import Departure, alerted, departure, departures, excerpt, incident_start, number
from agent_sre.analysis.objects import object_of
from agent_sre.analysis.origin import busier
from agent_sre.analysis.outside import surge
from agent_sre.analysis.profiles import Profile, profiles
from agent_sre.analysis.signals import Measured, about
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.reference import ObjectRef

_CORES = frozenset({"cores", "seconds_per_second"})
_FULL = 0.85
_PAIRS = (
    ("pool_used", "pool_max", "connection_pool_exhausted", "connections of its pool"),
    ("threads_used", "threads_max", "thread_pool_exhausted", "threads"),
    ("file_descriptors", "file_descriptors_max", "file_descriptors_exhausted", "file descriptors"),
)


def cpu_overload(case: CaseFile) -> Iterable[Finding]:
    """Workloads that use far more CPU than usual, also for each request, with the incident."""
    if surge(case) is not None:
        return
    for name, profile in profiles(case).items():
        moved = busier(profile)
        if (
            moved is None
            or moved.signal.unit not in (*_CORES, "ratio", "percent")
            or _busy_with_requests(profile, moved)
        ):
            continue
        throttled = profile.strongest("throttling")
        squeezed = throttled is not None and throttled.strong and throttled.after > max(throttled.before, 0.02)
        suffering = _suffering(case, profile)
        own = profile.slow > 0.2 * _usual_latency(profile)
        named = name in alerted(case)
        ratio = moved.ratio if np.isfinite(moved.ratio) else 20.0
        strength = (
            0.3 + 0.1 * squeezed + 0.14 * own + 0.08 * bool(suffering) + 0.08 * named + 0.1 * min(ratio / 10, 1.0)
        )
        facts = [
            moved.fact(f"{name} uses {number(moved.after)} {moved.signal.unit} of CPU, usually {number(moved.before)}")
        ]
        if squeezed and throttled is not None:
            facts.append(
                throttled.fact(f"{name} is throttled {number(throttled.after)}, usually {number(throttled.before)}")
            )
        latency = profile.strongest("latency")
        if own and latency is not None and latency.after > latency.before:
            facts.append(
                latency.fact(
                    f"Requests of {name} take {number(latency.after)} {latency.signal.unit}, "
                    f"usually {number(latency.before)}"
                )
            )
        yield Finding(
            analyzer="cpu_overload",
            fault="pod_cpu_overload",
            object=object_of(case, name, profile.entity.namespace),
            strength=round(min(strength, 0.8), 3),
            statement=f"The pods of {name} are overloaded: they burn far more CPU than their requests explain.",
            facts=tuple(facts),
            onset=facts[0].time,
            explains=suffering,
            distinguish=f"a CPU profile of {name}, or the processes in its pods",
        )


def _busy_with_requests(profile: Profile, moved: Departure) -> bool:
    """Whether its requests rose as much as its CPU: then it does its work."""
    return profile.traffic is not None and profile.traffic.ratio > 0.7 * moved.ratio


def _usual_latency(profile: Profile) -> float:
    found = profile.strongest("latency")
    return found.before * (1e-3 if found.signal.unit == "milliseconds" else 1.0) if found is not None else 0.0


def _suffering(case: CaseFile, profile: Profile) -> tuple[ObjectRef, ...]:
    """Callers that became slow or fail."""
    known, name = profiles(case), profile.entity.name
    callers = [known[caller] for caller in calls(case).callers.get(name, ()) if caller in known]
    hurt = [caller for caller in callers if caller.slow > 0.2 * _usual_latency(caller) > 0 or caller.failing > 0.01]
    return tuple(object_of(case, caller.entity.name, caller.entity.namespace) for caller in hurt)


def cpu_throttled(case: CaseFile) -> Iterable[Finding]:
    """Workloads at their CPU limit although they use no more than usual: the limit is what changed or is too low."""
    for name, profile in profiles(case).items():
        throttled = profile.strongest("throttling")
        if throttled is None or not throttled.strong or throttled.after < max(0.1, 2 * throttled.before):
            continue
        if busier(profile) is not None:
            continue
        slow = profile.slow > 0.2 * _usual_latency(profile) > 0
        fact = throttled.fact(f"{name} is throttled {number(throttled.after)}, usually {number(throttled.before)}")
        yield Finding(
            analyzer="cpu_throttled",
            fault="pod_cpu_throttled",
            object=object_of(case, name, profile.entity.namespace),
            strength=0.6 if slow else 0.35,
            statement=f"{name} is held back by its CPU limit.",
            facts=(fact,),
            onset=fact.time,
            distinguish=f"the CPU limit of {name} against its use at the same load",
        )


def memory_leak(case: CaseFile) -> Iterable[Finding]:
    """Workloads whose memory grows steadily, hour after hour or restart after restart, with time left before full."""
    limits = _limits(case, "memory")
    for item in about(case, "memory"):
        if item.unit != "bytes" or item.times.size < 12:
            continue
        slope = _steady_slope(item)
        if slope is None:
            continue
        name = item.entity.name
        limit = limits.get(name)
        last = float(item.values[-1])
        near = limit is not None and last > 0.7 * limit
        moved = departure(case, item) or _span(item)
        text = f"Memory of {name} grows by {number(slope * 60)} bytes a minute and stands at {number(last)}"
        shown = f"{excerpt(moved)}; slope {number(slope * 60)} a minute, last {number(last)}"
        facts = [Fact(text, item.observation, shown)]
        yield Finding(
            analyzer="memory_leak",
            fault="memory_leak",
            object=object_of(case, name, item.entity.namespace),
            strength=0.62 if near else 0.42,
            statement=f"{name} does not give its memory back.",
            facts=tuple(facts),
            distinguish=f"a heap profile of {name}, twice, some minutes apart",
        )


def _span(item: Measured) -> Departure:
    first, last = float(item.values[0]), float(item.values[-1])
    return Departure(item, first, last, 0.0, 0.0, float(item.times[0]), max(first, last))


def _steady_slope(item: Measured) -> float | None:
    """Theil-Sen slope (bytes a second) where growth is steady and adds half or more; None elsewhere."""
    values, times = item.values, item.times
    resets = np.flatnonzero(np.diff(values) < -0.3 * values[:-1])
    first = int(resets[-1]) + 1 if resets.size else 0
    values, times = values[first:], times[first:]
    if values.size < 12 or times[-1] - times[0] < 600:
        return None
    pick = np.linspace(0, values.size - 1, min(values.size, 60)).astype(int)
    left, right = np.triu_indices(pick.size, 1)
    slopes = (values[pick][right] - values[pick][left]) / (times[pick][right] - times[pick][left])
    slope = float(np.median(slopes))
    grown = slope * float(times[-1] - times[0])
    rising = float(np.mean(np.diff(values[pick]) > 0))
    if slope <= 0 or grown < 0.5 * float(values[0]) or rising < 0.8:
        return None
    residual = values - (np.median(values) + slope * (times - np.median(times)))
    return slope if float(np.median(np.abs(residual))) < 0.1 * grown else None


def _limits(case: CaseFile, resource: str) -> Mapping[str, float]:
    found: dict[str, float] = {}
    for item in about(case, "limit"):
        if item.labels.get("resource") == resource and item.values.size:
            found[item.entity.name] = max(found.get(item.entity.name, 0.0), float(item.values[-1]))
    return found


def used_up(case: CaseFile) -> Iterable[Finding]:
    """Pools, threads and file descriptors that reached their maximum, and callers waiting for a pool."""
    for used, most, fault, what in _PAIRS:
        tops = {item.entity: float(item.values[-1]) for item in about(case, most) if item.values.size}
        for moved in departures(case, about(case, used)):
            top = tops.get(moved.signal.entity)
            if top and moved.after >= 0.95 * top and moved.before < 0.9 * top:
                yield _used_up(case, moved, fault, what, top)
    for moved in departures(case, about(case, "pool_waiting")):
        if moved.strong and moved.after >= 1 and moved.after > moved.before:
            yield _used_up(case, moved, "connection_pool_exhausted", "requests waiting for a connection", None)


def _used_up(case: CaseFile, moved: Departure, fault: str, what: str, top: float | None) -> Finding:
    name = moved.signal.entity.name
    of = f" of {number(top)}" if top is not None else ""
    base = moved.fact(f"{name} has {number(moved.after)}{of} {what}, usually {number(moved.before)}")
    fact = Fact(base.text, base.observation, base.excerpt + (f"; maximum {number(top)}" if top else ""), base.time)
    return Finding(
        analyzer="used_up",
        fault=fault,
        object=object_of(case, name, moved.signal.entity.namespace),
        strength=0.68,
        statement=f"{name} has used up its {what}." if top is not None else f"{name} has {what}.",
        facts=(fact,),
        onset=fact.time,
        distinguish=f"who holds them in {name}, from a thread dump",
    )


def gc_pressure(case: CaseFile) -> Iterable[Finding]:
    """Workloads that spend a good part of their time collecting garbage."""
    for moved in departures(case, about(case, "gc")):
        if moved.strong and moved.after >= 0.1 and moved.after > 2 * moved.before:
            name = moved.signal.entity.name
            fact = moved.fact(
                f"{name} spends {number(moved.after)} seconds a second in collections, usually {number(moved.before)}"
            )
            yield Finding(
                analyzer="gc_pressure",
                fault="gc_pressure",
                object=object_of(case, name, moved.signal.entity.namespace),
                strength=0.62,
                statement=f"{name} stops to collect garbage.",
                facts=(fact,),
                onset=fact.time,
                distinguish=f"heap use of {name} after each collection",
            )


def hpa_at_max(case: CaseFile) -> Iterable[Finding]:
    """Autoscalers at their maximum while the workload is still slow or busy."""
    tops = {item.entity: float(item.values[-1]) for item in about(case, "replicas_max") if item.values.size}
    for item in about(case, "replicas"):
        top = tops.get(item.entity)
        since = item.values[item.times >= incident_start(case) - 60]
        if not top or not since.size or float(np.min(since[-3:])) < top:
            continue
        moved = departure(case, item) or _span(item)
        name = item.entity.name
        profile = profiles(case).get(name)
        suffers = profile is not None and (profile.slow > 0 or profile.failing > 0.01)
        shown = f"{excerpt(moved)}; maximum {number(top)}, last {number(since[-1])}"
        yield Finding(
            analyzer="hpa_at_max",
            fault="hpa_at_max",
            object=object_of(case, name, item.entity.namespace),
            strength=0.6 if suffers else 0.35,
            statement=f"{name} is at the maximum of its autoscaler and needs more.",
            facts=(
                Fact(f"{name} runs {number(since[-1])} replicas, its maximum {number(top)}", item.observation, shown),
            ),
            distinguish=f"the autoscaler's own condition ScalingLimited for {name}",
        )


def noisy_neighbor(case: CaseFile) -> Iterable[Finding]:
    """A workload that fills a node on which others became slow, though they use no more than usual."""
    busy = {
        moved.signal.entity.name: moved
        for moved in departures(case, about(case, "cpu", "node"))
        if moved.strong and moved.after >= _FULL and moved.after > moved.before
    }
    if not busy:
        return
    on_node: dict[str, list[Profile]] = defaultdict(list)
    for profile in profiles(case).values():
        for item in profile.signals.get("cpu", []):
            if item.labels.get("node"):
                on_node[item.labels["node"].partition(":")[0]].append(profile)
                break
    for node, node_busy in sorted(busy.items()):
        loud = [
            (moved.after - moved.before, profile) for profile in on_node.get(node, []) if (moved := busier(profile))
        ]
        if not loud:
            continue
        _, worst = max(loud, key=lambda pair: (pair[0], pair[1].entity.name))
        victims = [p for p in on_node[node] if p is not worst and p.slow > 0 and busier(p) is None]
        moved = busier(worst)
        if not victims or worst.slow > 0 or moved is None:
            continue
        name = worst.entity.name
        yield Finding(
            analyzer="noisy_neighbor",
            fault="noisy_neighbor",
            object=object_of(case, name, worst.entity.namespace),
            strength=0.64,
            statement=f"{name} fills {node} and slows what else runs there.",
            facts=(
                moved.fact(f"{name} uses {number(moved.after)} cores, usually {number(moved.before)}"),
                node_busy.fact(f"{node} is busy at {number(node_busy.after)}, usually {number(node_busy.before)}"),
            ),
            explains=tuple(object_of(case, victim.entity.name) for victim in victims),
            distinguish=f"latency of the others on {node} against that of their replicas elsewhere",
        )


def disk_saturation(case: CaseFile) -> Iterable[Finding]:
    """Workloads whose disks became busy all the time."""
    for moved in departures(case, about(case, "disk")):
        full = moved.signal.unit == "seconds_per_second" and moved.after >= 0.8
        if not (moved.strong and full and moved.after > 2 * moved.before):
            continue
        name = moved.signal.entity.name
        fact = moved.fact(
            f"The disk of {name} is busy {number(moved.after)} seconds a second, usually {number(moved.before)}"
        )
        yield Finding(
            analyzer="disk_saturation",
            fault="pod_disk_io_saturation",
            object=object_of(case, name, moved.signal.entity.namespace),
            strength=0.6,
            statement=f"{name} waits for its disk.",
            facts=(fact,),
            onset=fact.time,
            distinguish=f"reads and writes of {name} by file",
        )
