"""What every MetricsReader does, held to the snapshot twin and to the Prometheus adapter over real sockets."""

import math
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from agent_sre.adapters.metrics_merged import MergedMetrics
from agent_sre.adapters.metrics_prometheus import PrometheusMetrics, PrometheusOptions
from agent_sre.adapters.metrics_snapshot import SnapshotMetrics
from agent_sre.domain.errors import PermanentError
from agent_sre.ports.metrics import MetricsReader
from agent_sre.testing.prometheus_server import PrometheusServer
from tests.contract.telemetry_values import ACTIVE, EXEMPLARS, NOW, RULE, SERIES, WINDOW


@pytest.fixture(params=["snapshot", "prometheus", "merged"])
async def metrics(request: pytest.FixtureRequest) -> AsyncIterator[MetricsReader]:
    twin = SnapshotMetrics(
        lambda: SERIES, lambda: NOW, rules=lambda: (RULE,), alerts=lambda: (ACTIVE,),
        exemplars=lambda: EXEMPLARS,
    )  # fmt: skip
    if request.param == "snapshot":
        yield twin
        return
    async with PrometheusServer(twin).running() as server:
        reader = PrometheusMetrics(PrometheusOptions(server.url))
        # Two stores of the same, as a Prometheus and a Thanos above it are.
        yield MergedMetrics({"near": reader, "far": twin}) if request.param == "merged" else reader
        await reader.close()


async def test_an_instant_query_gives_one_sample_per_series(metrics: MetricsReader) -> None:
    answer = await metrics.query("http_requests_total", NOW)
    found = {(series.labels["app"], series.labels["code"]): list(series.values) for series in answer.series}
    assert found == {("cart", "200"): [18000.0], ("cart", "500"): [3600.0], ("ledger", "200"): [7200.0]}
    assert {series.name for series in answer.series} == {"http_requests_total"}


async def test_times_keep_their_fractions(metrics: MetricsReader) -> None:
    answer = await metrics.query("queue_depth", NOW - timedelta(milliseconds=250))
    assert answer.series[0].times[0] == pytest.approx(NOW.timestamp() - 0.25, abs=1e-6)
    assert answer.series[0].values[0] == 119.0


async def test_a_rate_is_per_second_and_sums(metrics: MetricsReader) -> None:
    answer = await metrics.query('sum by (code) (rate(http_requests_total{namespace="shop"}[5m]))', NOW)
    assert {series.labels["code"]: series.values[0] for series in answer.series} == {
        "200": pytest.approx(10.0),
        "500": pytest.approx(2.0),
    }


async def test_a_number_is_a_series_without_labels(metrics: MetricsReader) -> None:
    (series,) = (await metrics.query("1 + 1", NOW)).series
    assert (dict(series.labels), list(series.values)) == ({}, [2.0])


async def test_a_condition_that_does_not_hold_gives_nothing(metrics: MetricsReader) -> None:
    assert (await metrics.query("queue_depth > 1000", NOW)).series == ()
    assert (await metrics.query("no_such_metric", NOW)).series == ()


async def test_samples_stand_for_five_minutes(metrics: MetricsReader) -> None:
    assert (await metrics.query("old", WINDOW.start + timedelta(minutes=4))).series != ()
    assert (await metrics.query("old", WINDOW.start + timedelta(minutes=6))).series == ()


async def test_not_a_number_is_kept(metrics: MetricsReader) -> None:
    (series,) = (await metrics.query("broken", NOW)).series
    assert math.isnan(series.values[0])


async def test_a_range_query_has_a_point_per_step(metrics: MetricsReader) -> None:
    answer = await metrics.query_range("sum(queue_depth)", WINDOW, timedelta(minutes=10))
    (series,) = answer.series
    assert list(series.values) == [0.0, 40.0, 80.0, 120.0]
    assert list(series.times) == pytest.approx([WINDOW.start.timestamp() + 600 * n for n in range(4)])


async def test_a_selector_over_a_range_stays_in_the_window(metrics: MetricsReader) -> None:
    answer = await metrics.query_range('queue_depth{namespace=~"shop|"}', WINDOW, timedelta(seconds=15))
    (series,) = answer.series
    start, end = WINDOW.start.timestamp(), WINDOW.end.timestamp()
    assert all(start - 1e-6 <= time <= end + 1e-6 for time in series.times)
    assert series.values[-1] == 120.0


async def test_a_selector_over_a_range_gives_raw_samples_whatever_the_step(metrics: MetricsReader) -> None:
    coarse = await metrics.query_range("queue_depth", WINDOW, timedelta(minutes=10))
    fine = await metrics.query_range("queue_depth", WINDOW, timedelta(seconds=15))
    assert list(coarse.series[0].times) == list(fine.series[0].times)
    length = int((WINDOW.end - WINDOW.start).total_seconds())
    ranged = await metrics.query(f"queue_depth[{length}s]", WINDOW.end)
    assert list(ranged.series[0].times) == list(coarse.series[0].times)
    assert len(coarse.series[0].times) > 4


async def test_names_are_those_with_samples_in_the_window(metrics: MetricsReader) -> None:
    assert await metrics.metric_names(WINDOW) == {"http_requests_total", "queue_depth", "broken", "old"}


async def test_exemplars_of_a_selector_lie_in_the_window_oldest_first(metrics: MetricsReader) -> None:
    found = await metrics.exemplars('took_seconds_bucket{namespace=~"shop|"}', WINDOW)
    assert found == (EXEMPLARS[1], EXEMPLARS[0])
    assert await metrics.exemplars("no_such_bucket", WINDOW) == ()


async def test_rules_and_alerts(metrics: MetricsReader) -> None:
    (rule,) = await metrics.rules()
    assert (rule["name"], rule["query"]) == (RULE["name"], RULE["query"])
    (alert,) = await metrics.alerts()
    assert alert == ACTIVE


@pytest.mark.parametrize("expression", ["rate(", "nonsense(up)", 'up{a=~"("}', "queue_depth[5m] + 1"])
async def test_what_cannot_be_evaluated_is_refused(metrics: MetricsReader, expression: str) -> None:
    with pytest.raises(PermanentError) as caught:
        await metrics.query(expression, NOW)
    assert str(caught.value)
