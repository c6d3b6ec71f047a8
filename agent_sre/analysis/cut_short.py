"""Requests that end early: a workload is still called as often, but no longer makes the calls it used to.

Code that throws, or returns too soon, leaves no latency and often no error metric; what it leaves is silence behind it.
Where requests keep coming in and calls to one or more callees dry up, the code before those calls is at fault: in the
caller itself, or, where several callers break off at once, in something they all call first. Seen in traffic by
workload. Counts are judged as counts (Poisson), since a quiet service makes a handful of calls in a minute.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np

from agent_sre.analysis.calls import Calls, calls
from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.departures import Departure, incident_start, number
from agent_sre.analysis.objects import object_of
from agent_sre.analysis.profiles import Profile, profiles
from agent_sre.analysis.signals import Floats, per_second, resample
from agent_sre.domain.finding import Finding

_HELD = 0.6
"""A caller must still get at least this share of its requests."""
_LOST = 0.5
"""A callee gets at most this share of what its caller's own traffic lets expect."""


_SURE = 3.5
"""How many standard deviations of a Poisson count must be missing."""
_EVERYDAY = 0.1
"""Traffic that is as low as this more often is no sign of anything."""


@dataclass(frozen=True, slots=True)
class Drop:
    """A callee that gets fewer calls than its caller's traffic lets expect."""

    caller: str
    callee: str
    moved: Departure


def cut_short(case: CaseFile) -> Iterable[Finding]:
    """Workloads whose requests seem to end before they call on."""
    known, graph = profiles(case), calls(case)
    drops = _drops(case, known, graph)
    broken = sorted({drop.caller for drop in drops})
    if not broken:
        return
    if len(broken) == 1:
        yield _finding(case, broken[0], drops, 0.56)
        return
    for place, name in enumerate(_common(known, graph, broken)):
        yield _finding(case, name, drops, 0.52 if place == 0 else 0.3)
    for name in broken:
        yield _finding(case, name, [drop for drop in drops if drop.caller == name], 0.35)


def _drops(case: CaseFile, table: Mapping[str, Profile], graph: Calls) -> list[Drop]:
    found = []
    for caller, callees in graph.callees.items():
        own = table.get(caller)
        if own is None or own.traffic is None or _counts_errors(own):
            continue
        for callee in callees:
            moved = table[callee].traffic if callee in table else None
            # A callee of several callers says nothing about one of them.
            if moved is not None and len(graph.callers.get(callee, ())) == 1 and _lost(case, own.traffic, moved):
                found.append(Drop(caller, callee, moved))
    return found


def _counts_errors(profile: Profile) -> bool:
    """Whether the workload's failures are measured: then they tell more than the silence behind it (``origin``)."""
    measured = profile.signals.get("errors") or profile.signals.get("availability")
    return bool(measured) or any(item.role == "errors" for item in profile.signals.get("traffic", []))


def _lost(case: CaseFile, caller: Departure, callee: Departure) -> bool:
    """Whether the callee, in some stretch up to now, got far fewer calls than the caller's requests let expect."""
    item, start = callee.signal, incident_start(case)
    first = int(np.searchsorted(item.times, start))
    usual = item.values[:first]
    if usual.size < 3 or callee.before <= 0 or caller.before <= 0:
        return False
    seconds = float(np.median(np.diff(item.times))) * per_second(item.unit)
    served = resample(caller.signal.times, caller.signal.values, item.times) / caller.before
    for begin in range(first, max(item.times.size - 1, first + 1)):
        share = min(float(np.nanmean(served[begin:])) if np.isfinite(served[begin:]).any() else 0.0, 1.0)
        got = item.values[begin:]
        expected = callee.before * share * seconds * got.size
        missing = (expected - float(np.sum(got)) * seconds) / sqrt(max(expected, 1.0))
        few = float(np.mean(got)) <= _LOST * callee.before * share
        if share >= _HELD and few and missing >= _SURE and not _everyday(usual, got):
            return True
    return False


def _everyday(usual: Floats, got: Floats) -> bool:
    """Whether stretches of the present length were often as low before."""
    if usual.size < got.size:
        return False
    means = np.convolve(usual, np.full(got.size, 1.0 / got.size), mode="valid")
    return float(np.mean(means <= float(np.mean(got)))) > _EVERYDAY


def _common(table: Mapping[str, Profile], graph: Calls, broken: list[str]) -> list[str]:
    """What all broken callers call, the one called by most of them and answering quicker than usual first."""
    shared = set(graph.callees.get(broken[0], ()))
    for caller in broken[1:]:
        shared &= set(graph.callees.get(caller, ()))
    ranked = sorted(shared, key=lambda name: (_quickness(table.get(name)), -len(graph.callers.get(name, ())), name))
    return ranked[:3]


def _quickness(profile: Profile | None) -> float:
    """After over before of latency: what fails at once is quicker than what works."""
    moved = profile.strongest("latency") if profile is not None else None
    return round(min(moved.ratio, 1.0), 2) if moved is not None else 1.0


def _finding(case: CaseFile, name: str, drops: list[Drop], strength: float) -> Finding:
    facts = tuple(
        drop.moved.fact(
            f"{drop.callee} gets {number(drop.moved.after)} instead of {number(drop.moved.before)} requests per "
            f"second, while {drop.caller}, which calls it, gets its usual traffic"
        )
        for drop in drops[:4]
    )
    return Finding(
        analyzer="cut_short",
        fault="unhandled_exception",
        object=object_of(case, name),
        strength=strength,
        statement=f"Requests break off in {name}: they still come in, but the calls that used to follow are missing.",
        facts=facts,
        onset=facts[0].time if facts else None,
        explains=tuple(object_of(case, drop.callee) for drop in drops),
        distinguish=f"error logs and stack traces of {name} since then",
    )
