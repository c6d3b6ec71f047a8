"""What an expression from outside may ask of a metric store, and what a refusal says."""

from datetime import UTC, datetime, timedelta

import pytest

from agent_sre.adapters.metrics_snapshot import SnapshotMetrics
from agent_sre.adapters.promql_parser import PackagedPromqlParser
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.promql import Selection, Shift, Subquery
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Series
from agent_sre.ports.metrics import MetricsAnswer
from agent_sre.service.guard_promql import GuardedMetrics, check

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = Window(NOW - timedelta(hours=1), NOW)
STEP = timedelta(seconds=30)
PARSER = PackagedPromqlParser()


def test_what_is_selected_is_read_with_everything_around_it() -> None:
    text = (
        'sum by (pod) (rate(http_requests_total{job=~"a.*",x!="y"}[5m] offset 1h)) '
        '/ max_over_time(up{a="b"}[1h:1m] @ 1772362800.5) + topk(scalar(limit), cpu)'
    )
    found = {item.metric: item for item in PARSER.parse(text).selections}
    requests = found["http_requests_total"]
    assert str(requests) == 'http_requests_total{job=~"a.*",x!="y"}'
    assert (requests.range, requests.shift) == (timedelta(minutes=5), Shift(timedelta(hours=1)))
    at = Shift(timedelta(0), datetime(2026, 3, 1, 11, 0, 0, 500_000, tzinfo=UTC))
    assert found["up"].subqueries == (Subquery(timedelta(hours=1), timedelta(minutes=1), at),)
    assert set(found) == {"http_requests_total", "up", "limit", "cpu"}


@pytest.mark.parametrize(
    "text",
    [
        "up",
        'sum(rate(http_requests_total{namespace="shop"}[5m])) by (pod) > 5',
        "histogram_quantile(0.99, sum by (le) (rate(took_seconds_bucket[5m])))",
        '{__name__="up"}',
        '{job="node"}',
        "max_over_time(rate(x_total[1m])[1h:1m])",
        "up offset 1d / up",
        "up offset -5m",
        "up @ end()",
        "x_total @ 1772362800",
        "vector(1) or up",
        "quantile_over_time(0.9, x[1h])",
    ],
)
def test_what_an_engineer_asks_is_let_pass(text: str) -> None:
    estimate = check(PARSER.parse(text), HOUR, STEP, NOW)
    assert estimate.steps == 121
    assert estimate.points >= estimate.steps


REFUSED = [
    ('{__name__=~".+"}', r"could match every series.*name a metric"),
    ('{job=~"node"}', "could match every series"),
    ('{job!="x",y=~".+"}', "could match every series"),
    ('{job="a" or __name__=~".*"}', "could match every series"),
    ("rate(up[2d])", r"range of up is 2d; at most 1d is sent: use a shorter range"),
    ("max_over_time(up[2d:1h])", r"subquery around up is 2d; at most 1d"),
    ("max_over_time(up[1d:1s])", r"a subquery's step of 1s is too short; take 5s or more"),
    ("max_over_time(up[1d:5s])", r"17281 subquery points; at most 1500 are sent: use a longer step"),
    ("max_over_time(up[1d:])", r"subquery points \(the store's own step is not known; give one\)"),
    ("max_over_time(max_over_time(x[1h:10s])[1h:10s])", r"points per series; at most 2000000"),
    ("up offset 15d", r"an offset of 15d is too far; at most 14d either way"),
    ("up offset -15d", r"an offset of -15d is too far"),
    ("up @ 0", r"@ 1970-01-01T00:00:00Z is not within the last 15d"),
    ("up @ -5", "is not within the last 15d"),
    ("up @ 253402300800", "is no time of ours"),
    ("up @ 9e300", "time after @ is not understood|is no time of ours"),
    ("up @ 1893456000", r"@ 2030-01-01T00:00:00Z is not within"),
    ("rate(up[1d] offset 14d)", r"would read from 2026-02-14T11:00:00Z on; at most 15d back"),
    ("rate(up[1d] offset 13d) and up[1d] @ 1772362800 offset 14d", "not understood as PromQL|would read from"),
    (" + ".join(["up"] * 11), r"11 selectors; at most 10 are sent: ask for them one after the other"),
    ("+".join(["1"] * 150) + "+ up", r"parts; at most 200"),
    ("1 + 1", "selects no metric"),
    ("time()", "selects no metric"),
    ("up{", "not understood as PromQL"),
    ("nonsense(up)", "not understood as PromQL"),
    ("up; drop", "not understood as PromQL"),
    ("", "not understood as PromQL"),
    ("(" * 60 + "up" + ")" * 60, "nested 60 deep; at most 50"),
    ("a" * 2001, "has 2001 characters; at most 2000"),
]


@pytest.mark.parametrize(("text", "words"), REFUSED)
def test_what_would_hurt_is_refused_with_value_and_fix(text: str, words: str) -> None:
    with pytest.raises(PermanentError, match=words):
        check(PARSER.parse(text), HOUR, STEP, NOW)


@pytest.mark.parametrize(
    ("window", "step", "words"),
    [
        (Window(NOW - timedelta(days=2), NOW), timedelta(minutes=10), "window is 2d; at most 1d"),
        (HOUR, timedelta(seconds=1), "a step of 1s is too short; take 5s or more"),
        (HOUR, timedelta(0), "too short"),
        (HOUR, -STEP, "too short"),
        (Window(NOW - timedelta(days=1), NOW), STEP, r"2881 steps; at most 1500 are sent: take a step of 58 s or more"),
        (
            Window(NOW - timedelta(days=16), NOW - timedelta(days=15.5)),
            timedelta(hours=1),
            "would read from 2026-02-13",
        ),
    ],
)
def test_window_and_step_are_bounded(window: Window, step: timedelta, words: str) -> None:
    with pytest.raises(PermanentError, match=words):
        check(PARSER.parse("up"), window, step, NOW)


def test_an_empty_alternative_is_not_selective() -> None:
    for selection in (Selection("", ()), Selection("", ((),))):
        with pytest.raises(PermanentError, match="could match every series"):
            check(PARSER.parse("up").__class__("x", (selection,), 1), HOUR, STEP, NOW)


class Recording(SnapshotMetrics):
    def __init__(self) -> None:
        super().__init__(lambda: (Series.of("up", {}, [(NOW.timestamp() - 30, 1.0)]),), lambda: NOW)
        self.sent: list[str] = []

    async def query(self, expression: str, at: datetime) -> MetricsAnswer:
        self.sent.append(expression)
        return await super().query(expression, at)

    async def query_range(self, expression: str, window: Window, step: timedelta) -> MetricsAnswer:
        self.sent.append(expression)
        return await super().query_range(expression, window, step)


async def test_what_passes_is_sent_as_it_is_and_what_does_not_is_not_sent() -> None:
    store = Recording()
    guarded = GuardedMetrics(PARSER, store)
    assert (await guarded.query("up  +  0", NOW, NOW)).series
    assert (await guarded.query_range("up", HOUR, STEP, NOW)).series
    for text in ('{__name__=~".+"}', "up{", "up[1d:]"):
        with pytest.raises(PermanentError):
            await guarded.query(text, NOW, NOW)
        with pytest.raises(PermanentError):
            await guarded.query_range(text, HOUR, STEP, NOW)
    assert store.sent == ["up  +  0", "up"]
