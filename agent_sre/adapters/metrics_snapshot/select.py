"""Finding series by matchers, and their samples at a moment or in a range."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from agent_sre.adapters.metrics_snapshot.functions import compile_pattern
from agent_sre.adapters.metrics_snapshot.syntax import Matcher, Selector
from agent_sre.adapters.metrics_snapshot.vector import Range, Ranges, Sample, Vector
from agent_sre.domain.telemetry import Exemplar, Series

LOOKBACK = 300.0
"""Seconds for which a sample stands, as Prometheus' default ``--query.lookback-delta``."""

Test = Callable[[str], bool]


class Index:
    """Series by metric name. Built once per sequence of series; answers are cached per selector."""

    def __init__(self, series: Sequence[Series]) -> None:
        self._by_name: dict[str, list[Series]] = defaultdict(list)
        for item in series:
            self._by_name[item.name].append(item)
        self._found: dict[tuple[Matcher, ...], list[Series]] = {}

    def names(self, start: float, end: float) -> frozenset[str]:
        """Metrics with a sample in [start, end]."""
        return frozenset(
            name
            for name, items in self._by_name.items()
            if any(bisect_right(item.times, end) > bisect_right(item.times, start - 0.0005) for item in items)
        )

    def series(self, selector: Selector) -> list[Series]:
        """All series that fulfil every matcher."""
        found = self._found.get(selector.matchers)
        if found is None:
            found = self._found[selector.matchers] = self._search(selector.matchers)
        return found

    def _search(self, matchers: tuple[Matcher, ...]) -> list[Series]:
        tests = [(matcher.label, _test(matcher)) for matcher in matchers]
        names = [test for label, test in tests if label == "__name__"]
        others = [(label, test) for label, test in tests if label != "__name__"]
        exact = [item.value for item in matchers if item.label == "__name__" and item.operator == "="]
        candidates = [(name, self._by_name[name]) for name in exact[:1] if name in self._by_name]
        return [
            item
            for name, items in (candidates if exact else self._by_name.items())
            if all(test(name) for test in names)
            for item in items
            if _fits(item.labels, others)
        ]

    def instant(self, selector: Selector, at: float) -> Vector:
        """The newest sample of each series in the lookback before ``at``."""
        moment = at - selector.offset
        found = []
        for item in self.series(selector):
            index = bisect_right(item.times, moment) - 1
            if index >= 0 and item.times[index] > moment - LOOKBACK:
                found.append(Sample(item.name, item.labels, item.values[index]))
        return found

    def range(self, selector: Selector, at: float) -> Ranges:
        """The samples of each series in (at - window, at]; series without any are left out."""
        end = at - selector.offset
        start = end - (selector.window or 0.0)
        found = []
        for item in self.series(selector):
            low, high = bisect_right(item.times, start), bisect_right(item.times, end)
            if high > low:
                found.append(Range(item.name, item.labels, item.times[low:high], item.values[low:high], start, end))
        return found


def matches(selector: Selector, item: Exemplar) -> bool:
    """Whether the series of an exemplar fulfils every matcher."""
    labels = {**item.labels, "__name__": item.metric}
    return _fits(labels, [(matcher.label, _test(matcher)) for matcher in selector.matchers])


def _fits(labels: Mapping[str, str], tests: Sequence[tuple[str, Test]]) -> bool:
    # A label that is absent equals the empty string, as in Prometheus.
    return all(test(labels.get(label, "")) for label, test in tests)


def _test(matcher: Matcher) -> Test:
    wanted = matcher.value
    if matcher.operator == "=":
        return lambda value: value == wanted
    if matcher.operator == "!=":
        return lambda value: value != wanted
    pattern = compile_pattern(wanted)
    if matcher.operator == "=~":
        return lambda value: pattern.fullmatch(value) is not None
    return lambda value: pattern.fullmatch(value) is None
