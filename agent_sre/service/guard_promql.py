"""What stands between an expression that a person or a model wrote and a metric store.

Anybody in a chat can ask, and a model asks what a log line talked it into; a single ``{__name__=~".+"}[30d]`` can take
a shared Prometheus down. So an expression is read before it is sent, judged by what it would cost, and sent as it is or
not at all: nothing is rewritten behind the asker's back. A refusal names the value and what to do about it. Queries of
our own (the signal catalogue, an alert's condition) do not come by here: their shape is fixed by us or by a rule that
the store evaluates anyway.

Cost is estimated in points: for each selector how often it is evaluated (steps, and those of subqueries around it)
times the samples that one evaluation reads per series. How many series match is not known beforehand; that a selector
names a metric or an exact label keeps them few, and the store's own limits and ours on the answer do the rest.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent_sre.domain.errors import PermanentError
from agent_sre.domain.instant import format_instant
from agent_sre.domain.promql import Expression, Selection, Shift
from agent_sre.domain.reference import Window
from agent_sre.ports.metrics import MetricsAnswer, MetricsReader
from agent_sre.ports.promql import PromqlParser

_SCRAPE = timedelta(seconds=15)
"""The interval between samples that is assumed; a common one, and short enough to overestimate."""


@dataclass(frozen=True, slots=True)
class PromqlBounds:
    """What an expression may ask for."""

    window: timedelta = timedelta(days=1)
    points: int = 1_500
    least_step: timedelta = timedelta(seconds=5)
    range: timedelta = timedelta(days=1)
    subquery: timedelta = timedelta(days=1)
    subquery_points: int = 1_500
    offset: timedelta = timedelta(days=14)
    age: timedelta = timedelta(days=15)
    selectors: int = 10
    nodes: int = 200
    cost: int = 2_000_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an allowed expression costs: steps of its own, and points read per matching series."""

    steps: int
    points: int


class GuardedMetrics:
    """Queries from outside: parsed, bounded, and only then asked."""

    def __init__(self, parser: PromqlParser, metrics: MetricsReader, bounds: PromqlBounds | None = None) -> None:
        self._parser = parser
        self._metrics = metrics
        self._bounds = bounds or PromqlBounds()

    async def query_range(self, expression: str, window: Window, step: timedelta, now: datetime) -> MetricsAnswer:
        """As MetricsReader. Raises PermanentError for what is not understood or not allowed; then nothing is sent."""
        check(self._parser.parse(expression), window, step, now, self._bounds)
        return await self._metrics.query_range(expression, window, step)

    async def query(self, expression: str, at: datetime, now: datetime) -> MetricsAnswer:
        """As MetricsReader; the same bounds with one step."""
        check(self._parser.parse(expression), Window(at, at), self._bounds.least_step, now, self._bounds)
        return await self._metrics.query(expression, at)


def check(
    expression: Expression, window: Window, step: timedelta, now: datetime, bounds: PromqlBounds | None = None
) -> Estimate:
    """The expression's cost over the window. Raises PermanentError, naming value and fix, where it is too much."""
    bounds = bounds or PromqlBounds()
    steps = _steps(window, step, bounds)
    _at_most("selectors", len(expression.selections), bounds.selectors, "ask for them one after the other")
    _at_most("parts", expression.nodes, bounds.nodes, "simplify the expression")
    if not expression.selections:
        raise PermanentError("the expression selects no metric; name one, such as up")
    total = sum(_cost(selection, window, steps, now, bounds) for selection in expression.selections)
    _at_most("points per series", total, bounds.cost, "shorten ranges or the window, or lengthen the step")
    return Estimate(steps, total)


def _steps(window: Window, step: timedelta, bounds: PromqlBounds) -> int:
    _no_longer("window", window.length, bounds.window, "ask for a part of it")
    if step < bounds.least_step:
        raise PermanentError(f"a step of {_words(step)} is too short; take {_words(bounds.least_step)} or more")
    steps = window.length // step + 1
    least = math.ceil(window.length.total_seconds() / bounds.points)
    _at_most("steps", steps, bounds.points, f"take a step of {max(least, 1)} s or more, or a shorter window")
    return steps


def _cost(selection: Selection, window: Window, steps: int, now: datetime, bounds: PromqlBounds) -> int:
    """Points read per series for one selector; every bound of a single selector is held to here."""
    _selective(selection)
    _no_longer(f"range of {selection}", selection.range, bounds.range, "use a shorter range")
    shifts = [selection.shift, *(item.shift for item in selection.subqueries)]
    evaluations, reach = steps, selection.range
    for item in selection.subqueries:
        _no_longer(f"subquery around {selection}", item.reach, bounds.subquery, "use a shorter subquery")
        inner = item.step if item.step is not None else bounds.least_step
        if inner < bounds.least_step:
            raise PermanentError(
                f"a subquery's step of {_words(inner)} is too short; take {_words(bounds.least_step)} or more"
            )
        points = item.reach // inner + 1
        default = "" if item.step is not None else " (the store's own step is not known; give one)"
        _at_most(f"subquery points{default}", points, bounds.subquery_points, "use a longer step, such as [1h:1m]")
        evaluations *= points
        reach += item.reach
    for shift in shifts:
        _near(shift, now, bounds)
        reach += max(shift.offset, timedelta(0))
    earliest = min([window.start, *(shift.at for shift in shifts if shift.at is not None)]) - reach
    if earliest < now - bounds.age:
        raise PermanentError(
            f"{selection} would read from {format_instant(earliest)} on; at most {_words(bounds.age)} back are read: "
            "shorten offsets, ranges or the window"
        )
    return evaluations * max(math.ceil(selection.range / _SCRAPE), 1)


def _selective(selection: Selection) -> None:
    """Every alternative must name a metric or a label's exact value."""
    exact = all(any(item.operator == "=" and item.value for item in of) for of in selection.alternatives)
    if not selection.metric and not (selection.alternatives and exact):
        raise PermanentError(
            f"{selection} could match every series there is; name a metric, or a label with = and a value"
        )


def _near(shift: Shift, now: datetime, bounds: PromqlBounds) -> None:
    if abs(shift.offset) > bounds.offset:
        raise PermanentError(
            f"an offset of {_words(shift.offset)} is too far; at most {_words(bounds.offset)} either way"
        )
    if shift.at is not None and not now - bounds.age <= shift.at <= now + bounds.least_step:
        raise PermanentError(
            f"@ {format_instant(shift.at)} is not within the last {_words(bounds.age)}; take a later time, or end()"
        )


def _at_most(what: str, value: int, limit: int, fix: str) -> None:
    if value > limit:
        raise PermanentError(f"the query has {value} {what}; at most {limit} are sent: {fix}")


def _no_longer(what: str, value: timedelta, limit: timedelta, fix: str) -> None:
    if value > limit:
        raise PermanentError(f"the {what} is {_words(value)}; at most {_words(limit)} is sent: {fix}")


def _words(length: timedelta) -> str:
    """In the largest unit that leaves no rest: 36h, 90s."""
    seconds = length.total_seconds()
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds and seconds % size == 0:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:g}s"
