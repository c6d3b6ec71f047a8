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
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import numpy as np

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.changepoints import median
from agent_sre.analysis.departures import Departure, departure, incident_start
from agent_sre.analysis.signals import Entity, Floats, Measured, measured, resample

_SCALE = {"milliseconds": 1e-3, "microseconds": 1e-6, "percent": 1e-2}
_MEAN = re.compile(r"(?:^|[_:.])(?:avg|mean|average)(?:$|[_:.])|_sum$")
_CANCELLED = re.compile(r"cancell?ed", re.IGNORECASE)
_KINDS = frozenset({"workload", "external"})


@dataclass(slots=True)
class Profile:
    """One workload's signals by meaning, and its departures by meaning, the strongest first."""

    entity: Entity
    signals: dict[str, list[Measured]] = field(default_factory=lambda: defaultdict(list))
    departures: dict[str, list[Departure]] = field(default_factory=lambda: defaultdict(list))
    slow: float = 0.0
    """Extra seconds of latency per request since the incident began, over the usual."""
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
    profile.traffic = _traffic(profile)
    profile.slow = _slowdown(profile, start)
    profile.failing = _failures(profile, requests, start)
    profile.known = any(
        item.times.size and item.times[0] < start for items in profile.signals.values() for item in items
    )


def _summed(items: list[Measured]) -> tuple[Floats, Floats] | None:
    """All series of a rate added up; where both sides of a call report it, only the destination's."""
    sides = {item.labels.get("reporter", "") for item in items}
    chosen = [item for item in items if len(sides) < 2 or item.labels.get("reporter") != "source"]
    chosen = [item for item in chosen if item.times.size]
    if not chosen:
        return None
    grid = np.unique(np.concatenate([item.times for item in chosen]))
    rows = np.array([resample(item.times, item.values, grid) for item in chosen])
    return grid, np.nansum(rows, axis=0)


def _usual(series: tuple[Floats, Floats] | None, start: float) -> float | None:
    if series is None:
        return None
    usual = series[1][series[0] < start]
    return float(np.median(usual)) if usual.size else float(np.mean(series[1]))


def _traffic(profile: Profile) -> Departure | None:
    """The main traffic series' departure: the one that carries most requests."""
    found = profile.departures.get("traffic", [])
    return max(found, key=lambda moved: max(moved.before, moved.after), default=None)


def _slowdown(profile: Profile, start: float) -> float:
    """Mean over the latency series of the extra seconds since the incident began, noise taken off."""
    items = [item for item in profile.signals.get("latency", []) if item.labels.get("reporter") != "source"]
    # Means add up along a call, quantiles do not: a rare slow call moves its caller's p90 by more than it takes.
    means = [item for item in items if _MEAN.search(item.source.name)]
    known = [value for item in means or items if (value := _extra(item, start)) is not None]
    return max(float(np.mean(known)), 0.0) if known else 0.0


def _extra(item: Measured, start: float) -> float | None:
    """Mean of the samples since the start above the usual level, in seconds or as a ratio."""
    usual, recent = item.values[item.times < start], item.values[item.times >= start]
    if usual.size < 3 or recent.size == 0:
        return None
    middle = median(usual)
    noise = 1.4826 * median(np.abs(usual - middle))
    above = float(np.mean(recent)) - middle
    return _SCALE.get(item.unit, 1.0) * float(np.sign(above)) * max(abs(above) - noise, 0.0)


def _failures(profile: Profile, requests: tuple[Floats, Floats] | None, start: float) -> float:
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
    extra = max(float(np.mean(recent)) - (float(np.median(usual)) if usual.size else 0.0), 0.0)
    whole = _usual(requests, start)
    return extra / whole if whole else extra
