"""What other products than Prometheus say behind its API: build information, partial answers and limits, as recorded
in their documents and sources. The server is ours; the words are theirs."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent_sre.adapters.metrics_prometheus import Flavour, PrometheusMetrics, PrometheusOptions, PrometheusProbe
from agent_sre.adapters.metrics_snapshot import SnapshotMetrics
from agent_sre.domain.errors import PermanentError
from agent_sre.ports.health import CheckState
from agent_sre.testing.prometheus_server import Fault, PrometheusServer
from tests.contract.telemetry_values import NOW, SERIES, WINDOW

MIMIR = {"application": "Grafana Mimir", "version": "2.15.0", "revision": "r", "features": {"ruler_config_api": "true"}}
PRODUCTS: list[tuple[dict[str, Any] | None, Flavour | None, str]] = [
    ({"version": "3.1.0", "revision": "7086161a"}, Flavour.PROMETHEUS, "Prometheus version 3.1.0"),
    ({"version": "0.37.2", "revision": "1d8a2c9"}, Flavour.THANOS, "Thanos version 0.37.2"),
    (MIMIR, Flavour.MIMIR, "Mimir version 2.15.0"),
    ({"application": "cortex", "version": "1.18.1"}, Flavour.CORTEX, "Cortex version 1.18.1"),
    ({"version": "2.24.0"}, Flavour.VICTORIAMETRICS, "VictoriaMetrics, which calls itself version 2.24.0"),
    (None, None, "which does not tell its version"),
]
LIMITS = [
    (422, "expanding series: the query exceeded the maximum number of series (limit: 3 series)"
     " (err-mimir-max-series-per-query). To adjust the related per-tenant limit, ...", "max_fetched_series_per_query"),
    (422, "the number of matching timeseries exceeds 300000; either narrow down the search or increase"
     " -search.max* command-line flag values", "-search.maxUniqueTimeseries"),
    (422, "rpc error: code = Code(422) desc = exceeded series limit: limit 1 violated (got 2)", "store gateway"),
    (422, "query processing would load too many samples into memory in query execution", "--query.max-samples"),
    (400, "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution", "step"),
]  # fmt: skip


@pytest.fixture
async def server() -> AsyncIterator[PrometheusServer]:
    twin = SnapshotMetrics(lambda: SERIES, lambda: datetime.now(UTC), rules=lambda: (), alerts=lambda: ())
    async with PrometheusServer(twin).running() as running:
        yield running


@pytest.mark.parametrize(("build", "flavour", "words"), PRODUCTS)
async def test_recorded_build_information_names_the_product(
    server: PrometheusServer, build: dict[str, Any] | None, flavour: Flavour | None, words: str
) -> None:
    server.build = build
    reach, *_ = await PrometheusProbe(PrometheusMetrics(PrometheusOptions(server.url))).check()
    assert words in reach.detail
    asked = [request.path for request in server.requests]
    assert asked
    assert not any("/-/" in path or path.endswith("/ready") for path in asked)


async def test_a_product_that_is_configured_wrongly_is_said(server: PrometheusServer) -> None:
    server.build = MIMIR
    options = PrometheusOptions(server.url, flavour=Flavour.THANOS, name="eu", settings="X[eu]")
    reach, *_ = await PrometheusProbe(PrometheusMetrics(options)).check()
    assert reach.subject == "metrics eu (Mimir)"
    assert reach.state is CheckState.WARNING
    assert "is configured as Thanos" in reach.detail
    assert reach.fix == "set X[eu]_FLAVOUR=mimir, or auto"


@pytest.mark.parametrize(("status", "message", "advice"), LIMITS)
async def test_recorded_limits_are_refusals_with_advice_and_are_not_tried_again(
    server: PrometheusServer, status: int, message: str, advice: str
) -> None:
    server.faults = [Fault(status, f'{{"status":"error","errorType":"execution","error":"{message}"}}')]
    reader = PrometheusMetrics(PrometheusOptions(server.url))
    with pytest.raises(PermanentError) as caught:
        await reader.query("sum(queue_depth)", NOW)
    await reader.close()
    assert message[:40] in str(caught.value)
    assert advice in str(caught.value)
    assert len(server.requests) == 1


async def test_a_missing_tenant_says_which_header(server: PrometheusServer) -> None:
    server.faults = [Fault(401, "no org id\n")]
    reader = PrometheusMetrics(PrometheusOptions(server.url))
    with pytest.raises(PermanentError, match="X-Scope-OrgID in the headers"):
        await reader.query("queue_depth", NOW)
    await reader.close()


async def test_the_tenant_goes_with_every_request(server: PrometheusServer) -> None:
    reader = PrometheusMetrics(PrometheusOptions(server.url, headers={"X-Scope-OrgID": "team-a|team-b"}))
    await reader.query("queue_depth", NOW)
    await reader.query_range("sum(queue_depth)", WINDOW, timedelta(minutes=1))
    await reader.metric_names(WINDOW)
    await reader.rules()
    await reader.close()
    assert [request.headers["X-Scope-OrgID"] for request in server.requests] == ["team-a|team-b"] * 4


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ('"isPartial":true,', "some of the cluster's storage nodes did not answer"),
        ('"warnings":["No StoreAPIs matched for this query"],', "No StoreAPIs matched for this query"),
    ],
)
async def test_recorded_partial_answers_are_said(server: PrometheusServer, extra: str, words: str) -> None:
    row = '{"metric":{"__name__":"up"},"value":[1772366400.5,"NaN"]}'
    server.faults = [Fault(200, f'{{"status":"success",{extra}"data":{{"resultType":"vector","result":[{row}]}}}}')]
    reader = PrometheusMetrics(PrometheusOptions(server.url))
    answer = await reader.query("up", NOW)
    await reader.close()
    assert len(answer.series) == 1
    assert words in answer.warnings[0]
