"""What will run out, and when, if it goes on as now: memory, connections, threads, files, disk, an error budget.

An on-call engineer's first question after "what is broken" is "how long have I got". It is answered only from series:
the use or the room that is left, its limit, and a slope that is steady, still there at the end, and robust to odd
samples (``filling``). A line is carried on for a day at most; what jumps rather than grows, or falls back, is no line.
An error budget is answered from a series of what is left of it, or from how fast it burns where its period is written
(Google's SRE Workbook: a burn rate of B spends a period's whole budget in a B-th of the period). The figures behind
each answer are in its excerpt. Called by ``impact``.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from agent_sre.analysis.calls import calls
from agent_sre.analysis.casefile import CaseFile, Seen
from agent_sre.analysis.changepoints import median
from agent_sre.analysis.departures import clock, number
from agent_sre.analysis.filling import minutes_left, theil_sen
from agent_sre.analysis.signals import Floats, Measured, about
from agent_sre.domain.finding import Fact
from agent_sre.domain.telemetry import Series

_LATELY = 60
"""Samples from which the slope is read."""
_FEWEST = 8
_GROWN = 0.03
"""The least part of the limit by which the use must have grown over these samples."""
_OFF_LINE = 0.25
"""How far samples may lie off the line at the median, as a part of the growth."""
_STILL = 0.3
"""The least part of the whole slope that the last half of the samples must have."""
_BUDGET_LEFT = re.compile(r"(?:error_?)?budget.*(?:remaining|left)|(?:remaining|left).*error_?budget", re.IGNORECASE)
_RESOURCES = (
    ("memory", "limit", "bytes of memory"),
    ("pool_used", "pool_max", "connections of its pool"),
    ("store_connections", "store_connections_max", "connections"),
    ("threads_used", "threads_max", "threads"),
    ("file_descriptors", "file_descriptors_max", "open files"),
)


@dataclass(frozen=True, slots=True)
class Running:
    """Something that runs out in about so many ``minutes``; ``what`` names it, ``fact`` says so with the figures."""

    what: str
    minutes: float
    fact: Fact


def running_out(case: CaseFile, services: Iterable[str]) -> list[Running]:
    """What of these workloads, and of those they depend on, runs out within a day; the soonest first."""
    named = frozenset(services)
    near = (named | calls(case).reached(named)) if named else frozenset[str]()
    found = [*_used_up(case, near), *_volumes(case), *_budgets(case)]
    best: dict[str, Running] = {}
    for item in found:
        if item.what not in best or item.minutes < best[item.what].minutes:
            best[item.what] = item
    return sorted(best.values(), key=lambda item: (item.minutes, item.what))


def _used_up(case: CaseFile, near: frozenset[str]) -> Iterator[Running]:
    for meaning, top_meaning, words in _RESOURCES:
        tops: dict[tuple[str, str], float] = {}
        for item in about(case, top_meaning):
            fits = meaning != "memory" or item.labels.get("resource") == "memory"
            if fits and item.values.size:
                key = item.entity.namespace, item.entity.name
                tops[key] = max(tops.get(key, 0.0), float(item.values[-1]))
        for item in about(case, meaning):
            top = tops.get((item.entity.namespace, item.entity.name), 0.0)
            if item.entity.name in near and top > 0 and (meaning != "memory" or item.unit == "bytes"):
                yield from _reaching(item, top, f"{words} of {item.entity.name}")


def _reaching(item: Measured, top: float, what: str) -> Iterator[Running]:
    slope = _steady(item.times, item.values, top)
    last = float(item.values[-1]) if item.values.size else 0.0
    minutes = minutes_left(top - last, slope)
    if minutes is not None:
        figures = f"{number(last)} of {number(top)}, {number(60 * slope)} more a minute"
        yield _running(what, figures, minutes, item.source, item.observation)


def _volumes(case: CaseFile) -> Iterator[Running]:
    kinds = ("volume", "workload", "node")
    sizes = {
        item.entity: float(item.values[-1])
        for kind in kinds
        for item in about(case, "volume_size", kind)
        if item.values.size
    }
    for item in (item for kind in kinds for item in about(case, "volume_free", kind)):
        size = sizes.get(item.entity, 0.0)
        going = _steady(item.times, -item.values, size) if size > 0 else 0.0
        last = float(item.values[-1]) if item.values.size else 0.0
        minutes = minutes_left(last, going)
        if minutes is not None:
            figures = f"{number(last)} of {number(size)} bytes free, {number(60 * going)} fewer a minute"
            yield _running(f"disk of {item.entity.name}", figures, minutes, item.source, item.observation)


def _budgets(case: CaseFile) -> Iterator[Running]:
    """From recorded shares (or percentages) of what is left of an error budget."""
    for seen in case.series:
        if _BUDGET_LEFT.search(seen.value.name):
            yield from _budget(seen)


def _budget(seen: Seen[Series]) -> Iterator[Running]:
    times, values = np.asarray(seen.value.times), np.asarray(seen.value.values)
    whole = 100.0 if values.size and float(values.max()) > 1.5 else 1.0
    going = _steady(times, -values, whole)
    last = float(values[-1]) if values.size else 0.0
    minutes = minutes_left(last, going)
    if minutes is not None:
        labels = seen.value.labels
        owner = next((labels[key] for key in ("service", "workload", "slo", "sloth_service") if labels.get(key)), "")
        figures = f"{number(100 * last / whole)} % left, {number(6000 * going / whole)} % fewer a minute"
        yield _running(
            f"error budget of {owner}" if owner else "error budget", figures, minutes, seen.value, seen.observation
        )


def _running(what: str, figures: str, minutes: float, source: Series, observation: str) -> Running:
    told = f"{what}: {figures}, used up in about {number(max(round(minutes), 1))} minutes"
    told = told[0].upper() + told[1:]
    shown = f"{told}; {source} until {clock(source.times[-1])}"
    return Running(what, minutes, Fact(told, observation, shown))


def _steady(times: Floats, values: Floats, top: float) -> float:
    """Growth per second of the latest samples; 0 where it is no steady growth towards ``top``."""
    usable = np.isfinite(values)
    times, values = times[usable][-_LATELY:], values[usable][-_LATELY:]
    if values.size < _FEWEST:
        return 0.0
    slope = theil_sen(times, values)
    grown = slope * float(times[-1] - times[0])
    half = values.size // 2
    if slope <= 0 or grown < _GROWN * top or theil_sen(times[half:], values[half:]) < _STILL * slope:
        return 0.0
    off = values - (median(values) + slope * (times - median(times)))
    return slope if median(np.abs(off)) <= _OFF_LINE * grown else 0.0
