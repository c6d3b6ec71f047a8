"""``SnapshotMetrics``: the MetricsReader over raw series."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from agent_sre.adapters.metrics_snapshot.evaluate import evaluate
from agent_sre.adapters.metrics_snapshot.parse import parse
from agent_sre.adapters.metrics_snapshot.select import Index, matches
from agent_sre.adapters.metrics_snapshot.syntax import Node, Selector
from agent_sre.adapters.metrics_snapshot.vector import LabelKey, Sample, Value, key_of
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Exemplar, Series
from agent_sre.ports.metrics import MetricsAnswer

MAX_POINTS = 11_000
Plain = tuple[Mapping[str, Any], ...]


class SnapshotMetrics:
    """Series from a callable, so that a running simulation can add samples; nothing later than ``now()`` is given.

    ``rules`` and ``alerts`` give what Prometheus' API of that name would; None where the source has none to give.
    """

    def __init__(
        self,
        series: Callable[[], Sequence[Series]],
        now: Callable[[], datetime],
        *,
        rules: Callable[[], Plain] | None = None,
        alerts: Callable[[], Plain] | None = None,
        exemplars: Callable[[], Sequence[Exemplar]] = tuple,
    ) -> None:
        self._series = series
        self._now = now
        self._rules = rules
        self._alerts = alerts
        self._exemplars = exemplars
        self._indexed: Sequence[Series] | None = None
        self._count = 0
        self._index = Index(())

    async def query(self, expression: str, at: datetime) -> MetricsAnswer:
        """Evaluate at a moment; one that lies after ``now()`` counts as ``now()``."""
        moment = min(at, self._now()).timestamp()
        node = parse(expression)
        if isinstance(node, Selector) and node.window is not None and not node.offset:
            return MetricsAnswer(self._raw(node, moment - node.window, moment))
        value = evaluate(node, self._current(), moment)
        return MetricsAnswer(tuple(self._plain(item, moment) for item in _samples(value, expression)))

    async def query_range(self, expression: str, window: Window, step: timedelta) -> MetricsAnswer:
        """Raw samples of a plain selector; anything else evaluated at each step."""
        end = min(window.end, self._now()).timestamp()
        start = min(window.start.timestamp(), end)
        node = parse(expression)
        if isinstance(node, Selector) and node.window is None and not node.offset:
            return MetricsAnswer(self._raw(node, start, end))
        seconds = step.total_seconds()
        if seconds <= 0 or (end - start) / seconds > MAX_POINTS:
            raise PermanentError(f"a step of {seconds} s over {end - start:.0f} s is not 1 to {MAX_POINTS} points")
        return MetricsAnswer(
            self._stepped(node, expression, [start + n * seconds for n in range(int((end - start) / seconds) + 1)])
        )

    async def metric_names(self, window: Window) -> frozenset[str]:
        """Metrics with samples in the window."""
        end = min(window.end, self._now()).timestamp()
        return self._current().names(window.start.timestamp(), end)

    async def rules(self) -> Plain:
        """The rules given at construction."""
        if self._rules is None:
            raise PermanentError("a snapshot holds no alerting rules; the alert's own expression is all there is")
        return self._rules()

    async def alerts(self) -> Plain:
        """The active alerts given at construction."""
        if self._alerts is None:
            raise PermanentError("a snapshot holds no list of active alerts; alerts.json has the alerts that were sent")
        return self._alerts()

    async def exemplars(self, selector: str, window: Window) -> tuple[Exemplar, ...]:
        """Those of the matching series in the window, oldest first."""
        node = parse(selector)
        if not isinstance(node, Selector):
            raise PermanentError(f"{selector[:120]!r} is no plain selector; exemplars belong to series")
        start, end = window.start.timestamp(), min(window.end, self._now()).timestamp()
        found = [item for item in self._exemplars() if start <= item.time <= end and matches(node, item)]
        return tuple(sorted(found, key=lambda item: item.time))

    def _current(self) -> Index:
        series = self._series()
        if series is not self._indexed or len(series) != self._count:
            self._indexed, self._count, self._index = series, len(series), Index(series)
        return self._index

    def _raw(self, selector: Selector, start: float, end: float) -> tuple[Series, ...]:
        found = []
        for item in self._current().series(selector):
            low, high = bisect_left(item.times, start), bisect_right(item.times, end)
            if high - low == len(item.times):
                found.append(item)
            elif high > low:
                found.append(Series(item.name, item.labels, item.times[low:high], item.values[low:high], item.kind))
        return tuple(found)

    def _stepped(self, node: Node, expression: str, moments: Sequence[float]) -> tuple[Series, ...]:
        index = self._current()
        points: dict[tuple[str, LabelKey], list[tuple[float, float]]] = {}
        for moment in moments:
            for item in _samples(evaluate(node, index, moment), expression):
                points.setdefault((item.name, key_of(item.labels)), []).append((moment, item.value))
        return tuple(Series.of(name, dict(labels), found) for (name, labels), found in points.items())

    def _plain(self, item: Sample, moment: float) -> Series:
        return Series.of(item.name, item.labels, [(moment, item.value)])


def _samples(value: Value, expression: str) -> list[Sample]:
    """An instant vector; a number becomes an element without labels."""
    if isinstance(value, float):
        return [Sample("", {}, value)]
    if isinstance(value, str):
        raise PermanentError(f"{expression[:120]!r} is a string, not metrics")
    samples = [item for item in value if isinstance(item, Sample)]
    if len(samples) != len(value):
        raise PermanentError(f"{expression[:120]!r} is a range; wrap it in rate() or another function over time")
    return samples
