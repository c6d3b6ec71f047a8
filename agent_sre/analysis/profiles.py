"""What each workload's signals say together: latency, errors, traffic, CPU, throttling, memory, each with its
departure.

Sites give latency as several quantiles, errors as ratios, percentages, availability or counts by status. Here they
become one picture per workload, in seconds, ratios and requests per second, so that workloads can be compared along
the call graph: ``slow`` and ``failing`` times ``requests`` are the extra seconds of waiting and the extra failures
per second that a workload adds, which contain those of its callees.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from weakref import WeakKeyDictionary

import numpy as np

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.changepoints import median
from agent_sre.analysis.departures import Departure, depart, departure, incident_start
from agent_sre.analysis.signals import Entity, Floats, Measured, measured, per_second, total

_SCALE = {"milliseconds": 1e-3, "microseconds": 1e-6, "percent": 1e-2}
_MEAN = re.compile(r"(?:^|[_:.])(?:avg|mean|average)(?:$|[_:.])|_sum$")
_CANCELLED = re.compile(r"cancell?ed", re.IGNORECASE)
_BY_CHANCE = 4.0
"""Fewer failed requests than this prove nothing."""
_QUEUES = ("sockets", "file_descriptors", "threads_used")
_KINDS = frozenset({"workload", "external"})


@dataclass(slots=True)
class Profile:
    """One workload's signals by meaning, and its departures by meaning, the strongest first."""

    entity: Entity
    signals: dict[str, list[Measured]] = field(default_factory=lambda: defaultdict(list))
    departures: dict[str, list[Departure]] = field(default_factory=lambda: defaultdict(list))
    slow: float = 0.0
    """Extra seconds of latency per request since the incident began, over the usual."""
    usual: float = 0.0
    """Usual seconds of latency; 0 where none is measured."""
    slowdown: float = 0.0
    """``slow`` as a multiple of the usual latency, the median over the latency series."""
    queued: float = 0.0
    """Extra requests under way since the incident began, by open sockets, files or busy threads."""
    queue: float = 0.0
    """Their usual number."""
    failing: float = 0.0
    """Extra failed requests as a ratio of all, or per second where no total is known."""
    requests: float = 1.0
    """Usual requests per second; 1 where traffic is not known."""
    traffic: Departure | None = None
    known: bool = True
    """False where nothing was measured before the incident: a callee nobody called before."""

    def strongest(self, meaning: str) -> Departure | None:
        """The departure with the largest deviation of one meaning."""
        found = self.departures.get(meaning, [])
        return found[0] if found else None


_KEPT: "WeakKeyDictionary[CaseFile, dict[str, Profile]]" = WeakKeyDictionary()


def profiles(case: CaseFile) -> Mapping[str, Profile]:
    """Profiles by workload name, in name order."""
    kept = _KEPT.get(case)
    if kept is None:
        kept = _KEPT[case] = _build(case)
    return kept


def _build(case: CaseFile) -> dict[str, Profile]:
    found: dict[str, Profile] = {}
    for item in measured(case):
        if item.entity.kind in _KINDS:
            profile = found.setdefault(item.entity.name, Profile(item.entity))
            profile.signals[item.meaning].append(item)
    for profile in found.values():
        _fill(case, profile)
    return dict(sorted(found.items()))


def _fill(case: CaseFile, profile: Profile) -> None:
    start = incident_start(case)
    for meaning, items in profile.signals.items():
        seen = [moved for item in items if (moved := departure(case, item)) is not None]
        profile.departures[meaning] = sorted(seen, key=lambda moved: (-abs(moved.z), str(moved.signal.source)))
    requests = _summed(profile.signals.get("traffic", []))
    usual = _usual(requests, start)
    profile.requests = 1.0 if usual is None else usual
    profile.traffic = _traffic(profile, start)
    profile.slow = _slowdown(profile, start)
    profile.usual, profile.slowdown = _relative_slowdown(profile, start)
    profile.queue, profile.queued = _queue(profile, start)
    profile.failing = _failures(profile, requests, start)
    profile.known = any(
        item.times.size and item.times[0] < start for items in profile.signals.values() for item in items
    )


def one_side(items: list[Measured]) -> list[Measured]:
    """The series of a rate's busiest metric; where both sides of a call report it, only the destination's."""
    volumes: dict[str, float] = defaultdict(float)
    for item in items:
        volumes[item.source.name] += float(item.values.mean()) if item.values.size else 0.0
    name = max(volumes, key=lambda key: (volumes[key], key), default="")
    kept = [item for item in items if item.source.name == name and item.times.size]
    sides = {item.labels.get("reporter", "") for item in kept}
    return [item for item in kept if len(sides) < 2 or item.labels.get("reporter") != "source"]


def _summed(items: list[Measured]) -> tuple[Floats, Floats] | None:
    """All series of a rate added up."""
    chosen = one_side(items)
    return total(chosen) if chosen else None


def _usual(series: tuple[Floats, Floats] | None, start: float) -> float | None:
    if series is None:
        return None
    usual = series[1][series[0] < start]
    return float(np.median(usual)) if usual.size else float(np.mean(series[1]))


def _traffic(profile: Profile, start: float) -> Departure | None:
    """The departure of all requests together; the busiest series stands for them where they are quoted."""
    chosen = one_side(profile.signals.get("traffic", []))
    if not chosen:
        return None
    times, values = total(chosen)
    busiest = max(chosen, key=lambda item: float(item.values.sum()))
    return depart(replace(busiest, times=times, values=values), start)


def _slowdown(profile: Profile, start: float) -> float:
    """Mean over the latency series of the extra seconds since the incident began, noise taken off."""
    items = [item for item in profile.signals.get("latency", []) if item.labels.get("reporter") != "source"]
    # Means add up along a call, quantiles do not: a rare slow call moves its caller's p90 by more than it takes.
    means = [item for item in items if _MEAN.search(item.source.name)]
    known = [(value, item.weight) for item in means or items if (value := _extra(item, start)) is not None]
    if not known:
        return 0.0
    values, weights = np.array(known).T
    return max(float(np.average(values, weights=np.maximum(weights, 1e-9))), 0.0)


def _relative_slowdown(profile: Profile, start: float) -> tuple[float, float]:
    """The usual latency and the extra as a multiple of it; medians over the latency series."""
    levels, factors = [], []
    for item in profile.signals.get("latency", []):
        extra, early = _extra(item, start), item.values[item.times < start]
        level = median(early) * _SCALE.get(item.unit, 1.0) if early.size else 0.0
        if extra is not None and level > 0:
            levels.append(level)
            factors.append(extra / level)
    if not levels:
        return 0.0, 0.0
    return median(np.array(levels)), max(median(np.array(factors)), 0.0)


def _queue(profile: Profile, start: float) -> tuple[float, float]:
    """Usual and extra requests under way, from the first meaning that is measured."""
    for meaning in _QUEUES:
        usual = extra = 0.0
        for item in profile.signals.get(meaning, []):
            added, early = _extra(item, start), item.values[item.times < start]
            if added is not None:
                usual, extra = usual + median(early), extra + max(added, 0.0)
        if usual or extra:
            return usual, extra
    return 0.0, 0.0


def _extra(item: Measured, start: float) -> float | None:
    """Mean of the samples since the start above the usual level, in seconds or as a ratio."""
    usual, recent = item.values[item.times < start], item.values[item.times >= start]
    if usual.size < 3 or recent.size == 0:
        return None
    middle = median(usual)
    # A mean of few samples is uncertain by more than one of many; one deviation is taken off at least.
    noise = 1.4826 * median(np.abs(usual - middle)) * max(1.0, 3.0 / np.sqrt(recent.size))
    level = max(middle, _background(usual)) if item.meaning == "errors" else middle
    above = float(np.mean(recent)) - level
    return float(_SCALE.get(item.unit, 1.0) * np.sign(above) * max(abs(above) - noise, 0.0))


def _background(usual: Floats) -> float:
    """The mean of rare events, whose median is zero, without the worst twentieth: that was another incident."""
    return float(np.minimum(usual, np.sort(usual)[int(0.95 * (usual.size - 1))]).mean())


def _failures(profile: Profile, requests: tuple[Floats, Floats] | None, start: float) -> float:
    """Extra failures since the incident began; 0 where so few requests failed that it may be chance."""
    ratio = _failing(profile, requests, start)
    traffic = profile.traffic
    if traffic is None:
        return ratio
    times, values = traffic.signal.times, traffic.signal.values
    since = times >= start
    step = median(np.diff(times)) if times.size > 1 else 0.0
    served = float(values[since].sum()) * step * per_second(traffic.signal.unit)
    return ratio if ratio * served >= _BY_CHANCE else 0.0


def _failing(profile: Profile, requests: tuple[Floats, Floats] | None, start: float) -> float:
    # A call that its caller gave up counts against the caller, wherever it is counted.
    errors = [item for item in profile.signals.get("errors", []) if not _CANCELLED.search(item.source.name)]
    ratios = [_extra(item, start) for item in errors if item.unit in ("ratio", "percent")]
    ratios += [-value for item in profile.signals.get("availability", []) if (value := _extra(item, start)) is not None]
    known = [value for value in ratios if value is not None]
    if known:
        return max(*known, 0.0)
    counted = [item for item in errors if item.unit not in ("ratio", "percent")]
    counted += [item for item in profile.signals.get("traffic", []) if item.role == "errors"]
    failed = _summed(counted)
    if failed is None:
        return 0.0
    usual, recent = failed[1][failed[0] < start], failed[1][failed[0] >= start]
    if not recent.size:
        return 0.0
    extra = max(float(np.mean(recent)) - (_background(usual) if usual.size else 0.0), 0.0)
    whole = _usual(requests, start)
    return extra / whole if whole else extra
