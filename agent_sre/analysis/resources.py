"""What one workload's own resources say: it burns CPU, is throttled, fills memory, waits for a disk, runs out of
sockets, threads or connections, loses packets, collects garbage.

Each ``Sign`` is a resource that left its usual level with the incident in a way that a victim of somebody else's
trouble hardly shows. ``weight`` is the natural logarithm of how much likelier the sign is at the origin than at a
victim or a bystander; it grows with the size of the departure, so that signs can be added to what latency and failures
say (``suspects``). The factors are judgements from how resources behave, not fitted: CPU and disk use fall at victims,
which wait; open sockets and busy threads rise with waiting wherever it is felt, so they count for little unless they
reach their maximum. Not here: what a whole node or an autoscaler shows (``performance``).
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from math import log
from weakref import WeakKeyDictionary

import numpy as np

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.changepoints import median
from agent_sre.analysis.departures import Departure, number
from agent_sre.analysis.profiles import Profile, profiles
from agent_sre.domain.finding import Fact

_FLOORS = {"cores": 0.02, "seconds_per_second": 0.02, "ratio": 0.02, "percent": 2.0, "bytes_per_second": 1e5}
"""A rise below this is none, whatever the usual level was; in the unit of the signal."""
_FULL = 0.95
_MORE_WORK = 1.4
"""CPU for each request, as a multiple of the usual, from which on the work grew and not only its amount."""
_SATURATION_WORDS = (
    (re.compile(r"thread|worker|executor", re.IGNORECASE), "thread_pool_exhausted"),
    (re.compile(r"pool|conn(?:ection)?s?(?:_|$)", re.IGNORECASE), "connection_pool_exhausted"),
    (re.compile(r"sock|fd|descriptor|file", re.IGNORECASE), "file_descriptors_exhausted"),
)


@dataclass(frozen=True, slots=True)
class Sign:
    """A resource that speaks for one fault type at its workload; ``sharp`` where it names the mechanism by itself."""

    fault: str
    weight: float
    fact: Fact
    sharp: bool = True


@dataclass(frozen=True, slots=True)
class _Rule:
    """A meaning, the fault it speaks for, how likely it is at an origin at most, and what the rise must be."""

    meaning: str
    fault: str
    factor: float
    ratio: float
    least: float
    words: str
    units: tuple[str, ...] = ()


_RULES = (
    _Rule("disk", "pod_disk_io_saturation", 15, 2, 0.5, "seconds a second of its disk busy", ("seconds_per_second",)),
    _Rule("disk", "pod_disk_io_saturation", 8, 3, 0.0, "of disk use"),
    _Rule("gc", "gc_pressure", 35, 2, 0.1, "seconds a second in collections of garbage"),
    _Rule("packet_loss", "pod_network_loss", 20, 2, 0.1, "packets dropped a second"),
    _Rule("pool_waiting", "connection_pool_exhausted", 6, 2, 1.0, "requests waiting for a connection"),
    _Rule("memory", "memory_leak", 10, 1.25, 0.0, "of memory"),
    _Rule("sockets", "file_descriptors_exhausted", 5, 1.5, 20.0, "open sockets"),
    _Rule("file_descriptors", "file_descriptors_exhausted", 5, 1.5, 20.0, "open files and sockets"),
)
_PAIRS = (
    ("pool_used", "pool_max", "connection_pool_exhausted", "connections of its pool"),
    ("threads_used", "threads_max", "thread_pool_exhausted", "threads"),
    ("file_descriptors", "file_descriptors_max", "file_descriptors_exhausted", "file descriptors"),
)
_SIGNS: "WeakKeyDictionary[CaseFile, dict[str, tuple[Sign, ...]]]" = WeakKeyDictionary()


def signs(case: CaseFile, profile: Profile) -> tuple[Sign, ...]:
    """What the workload's resources say, the weightiest first."""
    known = _SIGNS.setdefault(case, {})
    name = profile.entity.name
    if name not in known:
        found = [sign for look in _LOOKS for sign in look(case, profile)]
        known[name] = tuple(sorted(found, key=lambda sign: (-sign.weight, sign.fault)))
    return known[name]


def busier(profile: Profile) -> Departure | None:
    """CPU use that rose by half or more, also per request where fewer requests are served; None where it did not."""
    served = _served(profile)
    for moved in profile.departures.get("cpu", ()):
        if moved.after <= 0 or moved.before < 0 or moved.recurs is not None:
            continue
        if moved.strong and moved.z > 0 and moved.ratio >= 1.5:
            return moved
        if moved.ratio / max(min(served, 1.0), 0.05) >= 3 and moved.ratio >= 1.2:
            return moved
        # A rate over the first minute holds half a quiet minute: one sample far up is enough where it is the last.
        if moved.highest >= 3 * moved.before > 0 and moved.recent <= 3:
            return replace(moved, after=moved.highest)
    return None


def _served(profile: Profile) -> float:
    """Requests now against the usual, where traffic is known; 1 elsewhere."""
    moved = profile.traffic
    return moved.ratio if moved is not None and 0 < moved.ratio < np.inf else 1.0


def _floor(moved: Departure) -> float:
    return _FLOORS.get(moved.signal.unit, 0.0)


def _grown(factor: float, ratio: float, least: float) -> float:
    """Weight of a rise: 0 where it just counts, the whole factor from four times the least ratio on."""
    share = log(max(ratio, 1.0) / least) / log(4.0) if np.isfinite(ratio) else 1.0
    return log(factor) * (0.5 + 0.5 * min(max(share, 0.0), 1.0))


def _cpu(case: CaseFile, profile: Profile) -> Iterable[Sign]:
    moved = busier(profile)
    if moved is None or moved.after - moved.before < _least_cpu(case, moved):
        return
    per_request = _per_request(profile, moved)
    if per_request < _MORE_WORK or _held_back(profile, moved):
        return
    name = profile.entity.name
    text = f"{name} uses {number(moved.after)} instead of {number(moved.before)} {moved.signal.unit} of CPU"
    yield Sign("pod_cpu_overload", _grown(30, per_request, 1.4), moved.fact(text))


def _per_request(profile: Profile, moved: Departure) -> float:
    """CPU for each request now as a multiple of the usual; CPU alone where requests are not counted."""
    return moved.ratio / max(_served(profile), 0.05)


def _held_back(profile: Profile, moved: Departure) -> bool:
    """Whether nothing but the limit is known to be wrong: throttled, its requests uncounted, its CPU at the limit."""
    tops = [item for item in profile.signals.get("limit", []) if item.labels.get("resource") == "cpu"]
    top = max((float(item.values[-1]) for item in tops if item.values.size), default=0.0)
    counted = profile.traffic is not None
    return not counted and _throttled(profile) is not None and (not top or moved.after >= _FULL * top)


def _least_cpu(case: CaseFile, moved: Departure) -> float:
    """A rise that counts: 20 millicores, or a fifth of what a workload here usually uses, if that is less."""
    usual = [
        found.before
        for item in profiles(case).values()
        for found in item.departures.get("cpu", ())[:1]
        if found.signal.unit == moved.signal.unit
    ]
    return min(_floor(moved), 0.2 * median(np.array(usual))) if usual else _floor(moved)


def _throttling(_: CaseFile, profile: Profile) -> Iterable[Sign]:
    moved = _throttled(profile)
    if moved is None:
        return
    name = profile.entity.name
    busy = busier(profile)
    # At the limit its CPU is the same either way; more of it for each request says that the work grew.
    more_work = busy is not None and _per_request(profile, busy) >= _MORE_WORK and not _held_back(profile, busy)
    fault = "pod_cpu_overload" if more_work else "pod_cpu_throttled"
    text = f"{name} is throttled {number(moved.after)} instead of {number(moved.before)} {moved.signal.unit}"
    yield Sign(fault, log(12), moved.fact(text))


def _throttled(profile: Profile) -> Departure | None:
    moved = profile.strongest("throttling")
    return moved if moved is not None and moved.strong and moved.after >= max(0.1, 2 * moved.before) else None


def _risen(_: CaseFile, profile: Profile) -> Iterable[Sign]:
    for rule in _RULES:
        for moved in profile.departures.get(rule.meaning, ()):
            if rule.units and moved.signal.unit not in rule.units:
                continue
            if not moved.strong or moved.after < max(rule.least, rule.ratio * moved.before):
                continue
            if moved.after - moved.before < _floor(moved):
                continue
            name = profile.entity.name
            text = f"{name} shows {number(moved.after)} instead of {number(moved.before)} {rule.words}"
            growth = moved.ratio / max(_served(profile), 1.0)
            if growth >= rule.ratio:
                # Memory that rose once may be a cache: it tells the place, not the mechanism.
                sharp = rule.meaning != "memory"
                yield Sign(rule.fault, _grown(rule.factor, growth, rule.ratio), moved.fact(text), sharp)
                break


def _used_up(_: CaseFile, profile: Profile) -> Iterable[Sign]:
    for used, most, fault, what in _PAIRS:
        tops = [float(item.values[-1]) for item in profile.signals.get(most, []) if item.values.size]
        for moved in profile.departures.get(used, ()):
            top = max(tops, default=0.0)
            if top and moved.after >= _FULL * top and moved.before < 0.9 * top:
                base = moved.fact(
                    f"{profile.entity.name} has {number(moved.after)} of {number(top)} {what}, "
                    f"usually {number(moved.before)}"
                )
                shown = f"{base.excerpt}; maximum {number(top)}"
                yield Sign(fault, log(10), Fact(base.text, base.observation, shown, base.time))
                break


def _saturated(_: CaseFile, profile: Profile) -> Iterable[Sign]:
    """Levels that a site calls saturation, or does not classify: named by the words in the metric's name."""
    for meaning in ("saturation", "other"):
        for moved in profile.departures.get(meaning, ()):
            name = moved.signal.source.name
            fault = next((fault for words, fault in _SATURATION_WORDS if words.search(name)), None)
            if fault is None or not moved.strong or moved.ratio < 1.5:
                continue
            text = f"{profile.entity.name} has {number(moved.after)} instead of {number(moved.before)} of {name}"
            yield Sign(fault, _grown(6, moved.ratio, 1.5), moved.fact(text))
            break


_LOOKS: tuple[Callable[[CaseFile, Profile], Iterable[Sign]], ...] = (_cpu, _throttling, _risen, _used_up, _saturated)
