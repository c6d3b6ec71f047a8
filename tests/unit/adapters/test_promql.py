"""The PromQL subset: precedence, matching, functions, and what is refused."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from agent_sre.adapters.metrics_snapshot import SnapshotMetrics
from agent_sre.adapters.metrics_snapshot.functions import bucket_quantile
from agent_sre.adapters.metrics_snapshot.parse import parse
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Series

AT = datetime(2026, 3, 1, 12, 0, 0, 500_000, tzinfo=UTC)
T0 = AT.timestamp() - 900.5


def counter(name: str, slope: float, **labels: str) -> Series:
    return Series.of(name, labels, [(T0 + 15 * n, slope * 15 * n) for n in range(61)], "counter")


def gauge(name: str, value: float, **labels: str) -> Series:
    return Series.of(name, labels, [(T0 + 885, value)])


SERIES: Sequence[Series] = (
    counter("requests_total", 10, app="cart", code="200"),
    counter("requests_total", 2, app="cart", code="500"),
    counter("requests_total", 4, app="web", code="200"),
    Series.of("reset_total", {}, [(T0 + 15 * n, float((n % 30) * 15)) for n in range(61)], "counter"),
    gauge("limit", 8, app="cart", team="a"),
    gauge("limit", 3, app="web", team="b"),
    gauge("used", 4, app="cart"),
    gauge("used", 6, app="web"),
    gauge("broken", math.nan),
    *(gauge("took_bucket", count, le=le) for le, count in (("0.1", 10), ("0.5", 30), ("1", 40), ("+Inf", 40))),
)
METRICS = SnapshotMetrics(lambda: SERIES, lambda: AT)


async def value(expression: str) -> dict[str, float]:
    answer = await METRICS.query(expression, AT)
    return {str(series): round(series.values[0], 6) for series in answer.series}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + 2 * 3 ^ 2 ^ 0 - -4", 11.0),
        ("-2 ^ 2", -4.0),
        ("(1 + 2) * 3 % 4", 1.0),
        ("1 / 0", math.inf),
        ("-1 / 0", -math.inf),
        ("2 > bool 1", 1.0),
        ("1 == bool 2", 0.0),
        ("0x1F + 1e1 + .5", 41.5),
        ("scalar(sum(used))", 10.0),
        ("Inf", math.inf),
    ],
)
async def test_numbers(expression: str, expected: float) -> None:
    assert await value(expression) == {"": expected}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("used > 5", {'used{app="web"}': 6.0}),
        ("used > bool 5", {'{app="cart"}': 0.0, '{app="web"}': 1.0}),
        ("used + 1", {'{app="cart"}': 5.0, '{app="web"}': 7.0}),
        ('used{app!="web"}', {'used{app="cart"}': 4.0}),
        ('used{app=~"c.*|x"}', {'used{app="cart"}': 4.0}),
        ('{__name__=~"us.d",app!~"web"}', {'used{app="cart"}': 4.0}),
        ('used{missing=""}', {'used{app="cart"}': 4.0, 'used{app="web"}': 6.0}),
        ("used / on(app) limit", {'{app="cart"}': 0.5, '{app="web"}': 2.0}),
        ("used / ignoring(team) limit", {'{app="cart"}': 0.5, '{app="web"}': 2.0}),
        ("used > on(app) limit", {'{app="web"}': 6.0}),
        ("used / on(app) group_left(team) limit", {'{app="cart",team="a"}': 0.5, '{app="web",team="b"}': 2.0}),
        ("limit * on(app) group_right used", {'{app="cart"}': 32.0, '{app="web"}': 18.0}),
        ("used and on(app) (limit > 5)", {'used{app="cart"}': 4.0}),
        ("used unless on(app) (limit > 5)", {'used{app="web"}': 6.0}),
        ("(used > 5) or (used < 5)", {'used{app="cart"}': 4.0, 'used{app="web"}': 6.0}),
        ("sum(limit)", {"": 11.0}),
        ("sum by (team) (limit)", {'{team="a"}': 8.0, '{team="b"}': 3.0}),
        ("max(limit) without (app)", {'{team="a"}': 8.0, '{team="b"}': 3.0}),
        ("count(limit) by ()", {"": 2.0}),
        ("avg(used)", {"": 5.0}),
        ("topk(1, used)", {'used{app="web"}': 6.0}),
        ("bottomk(1, used)", {'used{app="cart"}': 4.0}),
        ("quantile(0.5, used)", {"": 5.0}),
        ("max(broken or used)", {"": 6.0}),
        ("sum by (app) (rate(requests_total[5m]))", {'{app="cart"}': 12.0, '{app="web"}': 4.0}),
        ("increase(requests_total{code='500'}[5m])", {'{app="cart",code="500"}': 600.0}),
        ("irate(requests_total{app=`web`}[5m])", {'{app="web",code="200"}': 4.0}),
        ("resets(reset_total[15m])", {"": 2.0}),
        ("max_over_time(reset_total[10m])", {"": 435.0}),
        ("last_over_time(used[5m])", {'used{app="cart"}': 4.0, 'used{app="web"}': 6.0}),
        ("used offset 10m", {}),
        ("requests_total{app='web'} offset 10m", {'requests_total{app="web",code="200"}': 1200.0}),
        ("absent(used)", {}),
        ('absent(nothing{app="x",b=~"y"})', {'{app="x"}': 1.0}),
        ("histogram_quantile(0.5, took_bucket)", {"": 0.3}),
        ("histogram_quantile(0.99, took_bucket)", {"": 0.98}),
        ("clamp_max(used, 5)", {'{app="cart"}': 4.0, '{app="web"}': 5.0}),
        ('label_replace(used, "svc", "s-$1", "app", "(.*)")', {
            'used{app="cart",svc="s-cart"}': 4.0, 'used{app="web",svc="s-web"}': 6.0}),
        ("vector(time()) > 0 and vector(1)", {"": round(AT.timestamp(), 6)}),
        ("predict_linear(requests_total{app='web'}[10m], 100) > 0", {'{app="web",code="200"}': 4002.0}),
        ("# a comment\nsum(used) # another", {"": 10.0}),
    ],
)  # fmt: skip
async def test_vectors(expression: str, expected: dict[str, float]) -> None:
    assert await value(expression) == expected


async def test_a_rate_survives_resets_and_does_not_extrapolate_below_zero() -> None:
    assert (await value("rate(reset_total[10m])"))[""] == pytest.approx(1.0, rel=0.06)
    young = [Series.of("young_total", {}, [(T0 + 870, 0.0), (T0 + 885, 15.0), (T0 + 900, 30.0)])]
    metrics = SnapshotMetrics(lambda: young, lambda: AT)
    (series,) = (await metrics.query("increase(young_total[5m])", AT)).series
    assert series.values[0] == pytest.approx(30.0, rel=0.02)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("rate(requests_total[5m:1m])", "subquery"),
        ("requests_total @ 100", "the @ modifier"),
        ("holt_winters(x[5m], 0.5, 0.5)", "holt_winters"),
        ("1 atan2 2", "atan2"),
        ("sum(", "the end"),
        ("used > ", "the end"),
        ("used)", "unexpected"),
        ("used{app}", "label="),
        ("rate(used)", "expects a range"),
        ("sum(used[5m])", "expects an instant vector"),
        ("used + used[5m]", "instant vectors or numbers"),
        ("1 > 2", "bool"),
        ("used + bool used", "bool"),
        ("used / on(app) requests_total", "several series match .*group_right"),
        ("requests_total / on(app) used", "several series match .*group_left"),
        ("limit / on() used", "several series match"),
        ("'text'", "is a string"),
        ("sum(used)[5m]", "belongs to a plain selector"),
        ("used[5]", "duration"),
        ("rate(used[5m], 1)", "takes 1 to 1 arguments"),
        ("used ~ 5", "cannot read"),
        ("(" * 100 + "1" + ")" * 100, "nested deeper"),
        ("1" + " + 1" * 500, "more than 200 operators"),
        ("1" + " " * 30_000, "at most 20000"),
        ('used{app=~"(a+)+$"}', "repeats too much"),
        ('used{app=~".*a.*b.*c.*d"}', "repeats too much"),
        ('used{app=~"["}', "not valid"),
    ],
)
async def test_what_is_refused_is_named(expression: str, words: str) -> None:
    with pytest.raises(PermanentError, match=words):
        await METRICS.query(expression, AT)


async def test_a_range_query_with_too_many_points_is_refused() -> None:
    with pytest.raises(PermanentError, match="points"):
        await METRICS.query_range("sum(used)", Window(AT - timedelta(days=1), AT), timedelta(seconds=1))


async def test_nothing_after_now_even_where_it_is_asked_for() -> None:
    early = AT - timedelta(minutes=10)
    metrics = SnapshotMetrics(lambda: SERIES, lambda: early)
    (series,) = (await metrics.query('requests_total{app="web"}', AT)).series
    assert series.values[0] == 1200.0
    ranged = await metrics.query_range(
        'requests_total{app="web"}', Window(AT - timedelta(minutes=15), AT), timedelta(1)
    )
    assert max(ranged.series[0].times) <= early.timestamp()
    assert "used" not in await metrics.metric_names(Window(early, AT))


async def test_series_that_appear_later_are_seen() -> None:
    grown: list[Series] = [gauge("a", 1)]
    metrics = SnapshotMetrics(lambda: grown, lambda: AT)
    assert (await metrics.query("b", AT)).series == ()
    grown.append(gauge("b", 2))
    assert (await metrics.query("b", AT)).series[0].values[0] == 2.0


async def test_a_snapshot_says_that_it_has_no_rules() -> None:
    with pytest.raises(PermanentError, match="no alerting rules"):
        await METRICS.rules()
    with pytest.raises(PermanentError, match="no list of active alerts"):
        await METRICS.alerts()


@given(st.text(alphabet='sumby()rate[5m]{}=~"x,+-*/<> 1e.or\n', max_size=40))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        parse(text)
    except PermanentError as error:
        assert str(error)


@given(st.floats(0, 1), st.lists(st.integers(0, 1000), min_size=2, max_size=8))
def test_a_bucket_quantile_lies_within_the_buckets(fraction: float, steps: list[int]) -> None:
    total, rows = 0.0, []
    for number, step in enumerate(steps):
        total += step
        rows.append((math.inf if number == len(steps) - 1 else float(number + 1), total))
    found = bucket_quantile(fraction, rows)
    assert math.isnan(found) if total == 0 else 0.0 <= found <= len(steps) - 1
