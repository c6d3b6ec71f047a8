"""How many requests go wrong, of which workload and route: the share that fails against usual, or how slow they are.

An incident's size is a share of requests, not a count of alerts. Sites measure it as a ratio, as an availability or as
counts by status; here each becomes a share, of a workload and, where a label or an access line names one, of each route
of it. Every ``Hit`` carries a fact whose excerpt holds the figures. No mean or quantile tells which share of requests
is slower than a bound, so slowness is told as its level. Not here: whose fault it is, what the budget bears.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from agent_sre.analysis.casefile import CaseFile, Seen, per_case
from agent_sre.analysis.departures import Departure, clock, depart, departure, excerpt, incident_start, number
from agent_sre.analysis.profiles import one_side, profiles
from agent_sre.analysis.signals import Floats, Measured, rate, resample, total
from agent_sre.domain.finding import Fact
from agent_sre.domain.telemetry import Series

_ROUTES = (
    "http_route", "route", "uri", "path", "request_path", "url_path", "http_target", "handler", "rpc_method",
    "grpc_method",
)  # fmt: skip
"""Labels that name a route, the one that holds a template rather than a raw path first."""
_LEAST = 0.005
"""A share of failures that rose by less is no news."""
_SLOWER = 1.3


@dataclass(frozen=True, slots=True)
class Hit:
    """A workload (or one ``route`` of it) whose requests go wrong; ``failing`` is the share of them (0..1) that fails
    now, None where they are only slow."""

    service: str
    route: str
    failing: float | None
    fact: Fact


def hits(case: CaseFile, names: Iterable[str]) -> list[Hit]:
    """What requests of these workloads show, the worst share first; slow ones after failing ones."""
    known = profiles(case)
    found = [hit for name in sorted(set(names)) if name in known for hit in _whole(case, name, known[name].signals)]
    return sorted(found, key=_worst_first)


def route_hits(case: CaseFile, names: Iterable[str]) -> list[Hit]:
    """The same by route, where labels of the metrics name any."""
    known = profiles(case)
    found: list[Hit] = []
    for name in sorted(set(names)):
        groups: dict[str, list[Measured]] = defaultdict(list)
        for item in (entry for items in (known[name].signals.values() if name in known else ()) for entry in items):
            if route := route_of(item.source.labels):
                groups[route].append(item)
        for route, items in sorted(groups.items()):
            if (hit := _failing(case, name, route, items) or _slow_route(case, name, route, items)) is not None:
                found.append(hit)
    return sorted(found, key=_worst_first)


def route_of(labels: Mapping[str, str]) -> str:
    """The route that labels name, or ""."""
    return next((labels[key] for key in _ROUTES if labels.get(key)), "")


def _worst_first(hit: Hit) -> tuple[float, str, str]:
    return -(hit.failing or 0.0), hit.service, hit.route


def _whole(case: CaseFile, name: str, signals: Mapping[str, list[Measured]]) -> Iterable[Hit]:
    items = [item for group in signals.values() for item in group]
    hit = _failing(case, name, "", items) or _slow(case, name, "", signals.get("latency", []), departure)
    return () if hit is None else (hit,)


def _failing(case: CaseFile, name: str, route: str, items: Sequence[Measured]) -> Hit | None:
    return _by_ratio(case, name, route, items) or _by_count(case, name, route, items)


def _by_ratio(case: CaseFile, name: str, route: str, items: Sequence[Measured]) -> Hit | None:
    """From series that are a ratio already; of a whole workload only those that are not split by route."""
    best: tuple[float, float, Departure] | None = None
    for item in items:
        if item.meaning not in ("errors", "availability") or item.unit not in ("ratio", "percent"):
            continue
        moved = _failures(case, item) if bool(route_of(item.source.labels)) == bool(route) else None
        if moved is None or not moved.strong:
            continue
        scale = 0.01 if item.unit == "percent" else 1.0
        now, usual = moved.after * scale, moved.before * scale
        if best is None or now > best[0]:
            best = now, usual, moved
    if best is None or not _worse(best[0], best[1]):
        return None
    now, usual, moved = best
    text = _told(name, route, now, usual)
    shown = f"{excerpt(moved)}; {text}"
    return Hit(name, route, now, Fact(text, moved.signal.observation, shown, _utc(moved.start)))


def _failures(case: CaseFile, item: Measured) -> Departure | None:
    """The departure of the failures; of an availability that of what it leaves, a level small enough to judge."""
    if item.meaning == "errors":
        return departure(case, item)
    left = (100.0 if item.unit == "percent" else 1.0) - item.values
    return depart(replace(item, values=np.maximum(left, 0.0)), incident_start(case))


def _by_count(case: CaseFile, name: str, route: str, items: Sequence[Measured]) -> Hit | None:
    """From counts of all and of failed requests."""
    requests = one_side([item for item in items if item.meaning == "traffic"])
    failed = [item for item in requests if item.role == "errors"]
    failed = failed or one_side([item for item in items if item.meaning == "errors" and item.rate])
    if not requests or not failed:
        return None
    start = incident_start(case)
    grid, every = total(requests)
    wrong = np.nan_to_num(resample(*total(failed), grid))
    now, usual = _share(wrong, every, grid >= start), _share(wrong, every, grid < start)
    if now is None or usual is None or not _worse(now, usual):
        return None
    text = _told(name, route, now, usual)
    busiest = max(failed, key=lambda item: float(item.values.sum()))
    bad = grid[(grid >= start) & (wrong > 0)]
    begun = float(bad[0]) if bad.size else start
    shown = (
        f"since {clock(start)} {number(float(wrong[grid >= start].mean()))} of "
        f"{number(float(every[grid >= start].mean()))} requests a second failed: {text}: {busiest.source}"
    )
    return Hit(name, route, now, Fact(text, busiest.observation, shown, _utc(begun)))


def _share(wrong: Floats, every: Floats, where: NDArray[np.bool_]) -> float | None:
    asked = float(every[where].sum())
    return min(float(wrong[where].sum()) / asked, 1.0) if asked > 0 else None


def _worse(now: float, usual: float) -> bool:
    return now >= usual + _LEAST and now >= 2 * usual


def _told(name: str, route: str, now: float, usual: float) -> str:
    place = f"{route} of {name}" if route else name
    return f"{number(100 * now)} % of the requests to {place} fail, usually {number(max(100 * usual, 0.0))} %"


Look = Callable[[CaseFile, Measured], Departure | None]


def _slow(case: CaseFile, name: str, route: str, items: Sequence[Measured], look: Look) -> Hit | None:
    moves = [moved for item in items if (moved := look(case, item)) is not None]
    slow = [moved for moved in moves if moved.strong and moved.z > 0 and moved.ratio >= _SLOWER]
    if not slow:
        return None
    worst = max(slow, key=lambda moved: (moved.z, str(moved.signal.source)))
    place = f"{route} of {name}" if route else name
    return Hit(name, route, None, worst.fact(f"Requests to {place} take {worst.told}"))


def _slow_route(case: CaseFile, name: str, route: str, items: Sequence[Measured]) -> Hit | None:
    gauges = [item for item in items if item.meaning == "latency"]
    means = [mean for item in items if item.source.name.endswith("_count") and (mean := _mean(case, item)) is not None]
    return _slow(case, name, route, [*gauges, *means], lambda case, item: depart(item, incident_start(case)))


def _mean(case: CaseFile, count: Measured) -> Measured | None:
    """Mean latency of one series of a histogram: increase of its sum over increase of its count."""
    name = count.source.name.removesuffix("_count") + "_sum"
    seen = _sums(case).get((name, frozenset(count.source.labels.items())))
    row = next((row for row in case.signals if row.metric == name.removesuffix("_sum")), None)
    if seen is None or row is None or row.meaning != "latency":
        return None
    times, spent = rate(np.asarray(seen.value.times), np.asarray(seen.value.values))
    done = resample(count.times, count.values, times)
    busy = done > 0
    return replace(
        count, meaning="latency", unit=row.unit, rate=False, times=times[busy], values=spent[busy] / done[busy],
        source=seen.value, observation=seen.observation,
    )  # fmt: skip


@per_case
def _sums(case: CaseFile) -> dict[tuple[str, frozenset[tuple[str, str]]], Seen[Series]]:
    """The sums of all histograms, by name and labels."""
    sums = (seen for seen in case.series if seen.value.name.endswith("_sum"))
    return {(seen.value.name, frozenset(seen.value.labels.items())): seen for seen in sums}


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
