"""Calls that take longer at their caller than their callee accounts for: time lost on the way between the two.

Two sources see both ends of a call. A mesh reports the latency of one pair of workloads from both proxies. A trace has
the caller's span of the call and, as its only child, the callee's span of the same request; durations are each
measured on one clock, so their difference needs no clocks that agree. A span counts as the caller's side of a call
where it says so or where it lies inside another span of its service: otherwise the difference could be the caller's
own work. Whose network it is that loses the time is not judged here (``network``).
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.departures import Departure, clock, departures, incident_start, number
from agent_sre.analysis.profiles import profiles
from agent_sre.analysis.signals import Measured, about
from agent_sre.analysis.trace_trees import Forest, trees_of
from agent_sre.domain.finding import Fact
from agent_sre.domain.telemetry import Span

_FEW = 6
"""Calls of a pair that traces must show on either side of the start."""
_LONGER, _LEAST_LOST = 3.0, 0.01
"""How many times the usual, and how many seconds, a call must lose more than before."""
_THEIRS = 0.3
"""A callee that became slower by this part of what is lost is slow itself."""


@dataclass(frozen=True, slots=True)
class SlowCall:
    """A call that takes longer at its caller than its callee accounts for; ``plain`` says how clearly, in 0.5..1."""

    caller: str
    callee: str
    fact: Fact
    plain: float


def slow_calls(case: CaseFile) -> tuple[frozenset[tuple[str, str]], tuple[SlowCall, ...]]:
    """All calls that are seen at both ends as (caller, callee), and those among them that lose time on the way."""
    seen: set[tuple[str, str]] = set()
    slow: dict[tuple[str, str], SlowCall] = {}
    for pair, call in (*_measured(case), *_traced(case)):
        seen.add(pair)
        if call is not None:
            slow.setdefault(pair, call)
    return frozenset(seen), tuple(slow[pair] for pair in sorted(slow))


Look = Iterator[tuple[tuple[str, str], SlowCall | None]]


def _measured(case: CaseFile) -> Look:
    ends: dict[tuple[str, str], dict[str, list[Measured]]] = defaultdict(lambda: defaultdict(list))
    for item in about(case, "edge_latency", "edge"):
        ends[item.entity.peer, item.entity.name][item.role].append(item)
    for pair, sides in sorted(ends.items()):
        at_caller = departures(case, [*sides.get("source", []), *sides.get("", [])])
        outer = max(at_caller, key=lambda moved: moved.z, default=None)
        if outer is None or not outer.strong or outer.z <= 0 or outer.ratio < 2:
            yield pair, None
            continue
        at_callee = departures(case, sides.get("destination", []))
        inner = max((moved.after - moved.before for moved in at_callee), default=_own_slowness(case, pair[1], outer))
        lost = inner < _THEIRS * (outer.after - outer.before)
        yield pair, _by_metric(pair, outer) if lost else None


def _own_slowness(case: CaseFile, callee: str, outer: Departure) -> float:
    """The callee's own extra latency in the unit of the caller's signal."""
    profile = profiles(case).get(callee)
    if profile is None or not profile.signals.get("latency"):
        return outer.after  # nothing known of the callee: its own slowness explains all of it
    return profile.slow * (1000.0 if outer.signal.unit == "milliseconds" else 1.0)


def _by_metric(pair: tuple[str, str], outer: Departure) -> SlowCall:
    caller, callee = pair
    fact = outer.fact(
        f"Calls of {caller} to {callee} take {number(outer.after)} {outer.signal.unit} at the caller, usually "
        f"{number(outer.before)}, while {callee} itself answers as quickly as before"
    )
    return SlowCall(caller, callee, fact, min(1.0, 0.5 + abs(outer.z) / 40))


@dataclass(slots=True)
class _Ends:
    """Seconds of single calls lost on the way, and taken by the callee, before (False) and since (True) the start."""

    lost: dict[bool, list[float]]
    served: dict[bool, list[float]]


def _traced(case: CaseFile) -> Look:
    trees, start = trees_of(case), incident_start(case)
    ends: dict[tuple[str, str], _Ends] = {}
    for span, parent, below in trees.walk():
        if len(below) == 1 and _is_callers_side(span, parent, below[0]):
            served = below[0]
            found = ends.get((span.service, served.service)) or ends.setdefault(
                (span.service, served.service), _Ends({True: [], False: []}, {True: [], False: []})
            )
            since, took = span.start >= start, served.end - served.start
            found.lost[since].append(max(span.end - span.start - took, 0.0))
            found.served[since].append(took)
    for pair, found in sorted(ends.items()):
        if min(len(found.lost[False]), len(found.lost[True])) >= _FEW:
            yield pair, _by_trace(trees, pair, found, start)


def _is_callers_side(span: Span, parent: Span | None, child: Span) -> bool:
    """Whether the span is the caller's side of a call that its only child is the callee's of, and did not end early."""
    if span.error or child.service == span.service:
        return False
    inside = parent is not None and parent.service == span.service
    return inside or span.attributes.get("span.kind", "").lower() == "client"


def _by_trace(trees: Forest, pair: tuple[str, str], found: _Ends, start: float) -> SlowCall | None:
    usual, now = median(found.lost[False]), median(found.lost[True])
    more = now - usual
    slower = median(found.served[True]) - median(found.served[False])
    if now < _LONGER * usual or more < _LEAST_LOST or slower > _THEIRS * more:
        return None
    caller, callee = pair
    before, since = f"{number(1000 * usual)} ms", f"{number(1000 * now)} ms"
    served = f"{number(1000 * median(found.served[True]))} ms"
    text = f"Calls of {caller} to {callee} lose {since} between the two, usually {before}; {callee} takes {served}"
    excerpt = (
        f"spans of {caller} around those of {callee}: lost on the way {before} before {clock(start)}, {since} since; "
        f"{callee} takes {served} (medians)"
    )
    return SlowCall(caller, callee, Fact(text, trees.observation(caller), excerpt), 0.95)
