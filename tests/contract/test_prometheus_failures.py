"""The Prometheus adapter against everything that a Prometheus, or what stands in its place, can answer."""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from agent_sre.adapters.metrics_prometheus import PrometheusMetrics, PrometheusOptions, PrometheusProbe
from agent_sre.adapters.metrics_snapshot import SnapshotMetrics
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.telemetry import Series
from agent_sre.ports.health import CheckState
from agent_sre.testing.prometheus_server import Fault, PrometheusServer
from tests.contract.telemetry_values import NOW, SERIES, WINDOW


class Slept:
    """Waits that are only written down."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
async def server() -> AsyncIterator[PrometheusServer]:
    async with PrometheusServer(SnapshotMetrics(lambda: SERIES, lambda: NOW)).running() as running:
        yield running


def options(server: PrometheusServer, **fields: object) -> PrometheusOptions:
    return PrometheusOptions(server.url, **{"timeout_seconds": 2.0, **fields})  # type: ignore[arg-type]


@pytest.fixture
async def slept() -> Slept:
    return Slept()


@pytest.fixture
async def metrics(server: PrometheusServer, slept: Slept) -> AsyncIterator[PrometheusMetrics]:
    reader = PrometheusMetrics(options(server), slept)
    yield reader
    await reader.close()


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_what_may_pass_is_tried_again(
    server: PrometheusServer, metrics: PrometheusMetrics, slept: Slept, status: int
) -> None:
    server.faults = [Fault(status, "upstream gone"), Fault(0)]
    assert (await metrics.query("queue_depth", NOW)).series[0].values[0] == 120.0
    assert len(server.requests) == 3
    assert len(slept.seconds) == 2


async def test_the_wait_that_was_asked_for_is_kept(
    server: PrometheusServer, metrics: PrometheusMetrics, slept: Slept
) -> None:
    server.faults = [Fault(429, "slow down", {"Retry-After": "3"})]
    await metrics.query("queue_depth", NOW)
    assert slept.seconds == [3.0]


async def test_what_stays_down_is_a_temporary_error(server: PrometheusServer, metrics: PrometheusMetrics) -> None:
    server.faults = [Fault(503, "no healthy upstream")] * 3
    with pytest.raises(TemporaryError, match="503: no healthy upstream"):
        await metrics.query("queue_depth", NOW)
    assert len(server.requests) == 3


async def test_prometheus_own_words_are_kept_and_nothing_is_tried_again(
    server: PrometheusServer, metrics: PrometheusMetrics
) -> None:
    message = "query processing would load too many samples into memory in query execution"
    body = f'{{"status":"error","errorType":"execution","error":"{message}"}}'
    server.faults = [Fault(422, body)]
    with pytest.raises(PermanentError, match=message):
        await metrics.query("queue_depth", NOW)
    assert len(server.requests) == 1


async def test_a_query_that_timed_out_in_prometheus_may_be_tried_again(
    server: PrometheusServer, metrics: PrometheusMetrics
) -> None:
    body = '{"status":"error","errorType":"timeout","error":"query timed out in expression evaluation"}'
    server.faults = [Fault(503, body)]
    assert (await metrics.query("queue_depth", NOW)).series


async def test_silence_is_a_temporary_error(server: PrometheusServer, slept: Slept) -> None:
    reader = PrometheusMetrics(options(server, timeout_seconds=0.1), slept)
    server.faults = [Fault(200, delay=0.5)] * 3
    with pytest.raises(TemporaryError, match=r"no complete answer to api/v1/query within 0\.1 s"):
        await reader.query("queue_depth", NOW)
    await reader.close()


async def test_nobody_listening_is_a_temporary_error(slept: Slept) -> None:
    reader = PrometheusMetrics(PrometheusOptions("http://user:hunter2@127.0.0.1:1"), slept)
    with pytest.raises(TemporaryError, match=r"http://127\.0\.0\.1:1 cannot be reached") as caught:
        await reader.query("up", NOW)
    assert "hunter2" not in str(caught.value)
    await reader.close()


async def test_an_endless_answer_is_cut_off(server: PrometheusServer, slept: Slept) -> None:
    reader = PrometheusMetrics(options(server, max_bytes=1024 * 1024), slept)
    server.faults = [Fault(200, "[1, 2, 3]" * 100, endless=True)]
    with pytest.raises(PermanentError, match="longer than 1 MB"):
        await reader.query("queue_depth", NOW)
    await reader.close()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault(200, "<html>Log in</html>"), "is not what it should be"),
        (Fault(200, '{"status":"green"}'), "is not a Prometheus API"),
        (Fault(302, "", {"Location": "https://login.example/"}), "redirects to https://login.example/"),
        (Fault(404, "404 page not found"), "AGENT_SRE_PROMETHEUS_URL"),
        (Fault(401, "Unauthorized"), "refused the credentials"),
        (Fault(200, '{"status":"success","data":{"resultType":"string","result":[1,"x"]}}'), "type 'string'"),
        (Fault(200, '{"status":"success","data":[]}'), "has no 'resultType'"),
        (Fault(200, '{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"x"]}]}}'), "well formed"),
    ],
)
async def test_what_is_no_answer_is_refused(
    server: PrometheusServer, metrics: PrometheusMetrics, fault: Fault, words: str
) -> None:
    server.faults = [fault]
    with pytest.raises(PermanentError, match=words):
        await metrics.query("queue_depth", NOW)
    assert len(server.requests) == 1


async def test_warnings_are_kept(server: PrometheusServer, metrics: PrometheusMetrics) -> None:
    server.warnings = ["PromQL info: metric might not be a counter"]
    assert (await metrics.query("queue_depth", NOW)).warnings == ("PromQL info: metric might not be a counter",)


async def test_too_many_series_are_left_out_and_counted(server: PrometheusServer) -> None:
    reader = PrometheusMetrics(options(server, max_series=2))
    answer = await reader.query("http_requests_total", NOW)
    assert len(answer.series) == 2
    assert answer.warnings == ("1 of 3 series left out",)
    await reader.close()


async def test_long_selectors_go_as_forms_with_login_and_headers(server: PrometheusServer) -> None:
    login = options(server, bearer="secret-token", headers={"X-Scope-OrgID": "team"})
    reader = PrometheusMetrics(login)
    expression = 'sum(queue_depth{namespace=~"shop' + "|x" * 1900 + '"})'
    await reader.query_range(expression, WINDOW, timedelta(seconds=30))
    (request,) = server.requests
    assert (request.method, request.fields["query"], request.fields["step"]) == ("POST", expression, "30")
    assert (request.fields["timeout"], request.fields["limit"]) == ("2", "5001")
    assert request.headers["Authorization"] == "Bearer secret-token"
    assert request.headers["X-Scope-OrgID"] == "team"
    assert "secret-token" not in repr(login)
    await reader.close()


async def test_too_many_raw_samples_are_asked_for_by_steps_instead(server: PrometheusServer) -> None:
    body = '{"status":"error","errorType":"execution","error":"query processing would load too many samples"}'
    server.faults = [Fault(422, body)]
    reader = PrometheusMetrics(options(server))
    answer = await reader.query_range("queue_depth", WINDOW, timedelta(minutes=10))
    assert [request.path.rsplit("/", 1)[-1] for request in server.requests] == ["query", "query_range"]
    assert answer.series != ()
    await reader.close()


async def test_basic_login(server: PrometheusServer) -> None:
    reader = PrometheusMetrics(options(server, username="ann", password="pw"))
    await reader.query("queue_depth", NOW)
    assert server.requests[0].headers["Authorization"] == "Basic YW5uOnB3"
    await reader.close()


@pytest.mark.parametrize("url", ["prometheus:9090", "ftp://x"])
async def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(PermanentError, match="AGENT_SRE_PROMETHEUS_URL"):
        await PrometheusMetrics(PrometheusOptions(url)).query("up", NOW)


async def test_the_probe_of_a_good_prometheus(server: PrometheusServer) -> None:
    metrics = PrometheusMetrics(options(server))
    server.targets = [{"health": "up", "labels": {"job": "a"}}, {"health": "down", "labels": {"job": "shop"}}]
    up = [Series.of("up", {"job": "a"}, [(time.time() - 5, 1.0)])]
    server.metrics = SnapshotMetrics(lambda: up, lambda: datetime.now(UTC), rules=lambda: (), alerts=lambda: ())
    reach, rights, targets = await PrometheusProbe(metrics).check()
    assert "Prometheus version 2.42.0" in reach.detail
    assert (rights.state, rights.detail) == (CheckState.OK, "may read queries, metric names, rules, active alerts")
    assert (targets.state, targets.detail) == (CheckState.WARNING, "1 of 2 are down, of jobs: shop")
    assert all("-/healthy" not in request.path for request in server.requests)


async def test_the_probe_of_a_back_end_without_buildinfo_and_targets(server: PrometheusServer) -> None:
    metrics = PrometheusMetrics(options(server))
    answer = '{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"3"]}]}}'
    missing = Fault(404, "not here")
    server.faults = [missing, Fault(200, answer), *[missing] * 4]
    reach, rights, targets = await PrometheusProbe(metrics).check()
    assert (reach.state, targets.state) == (CheckState.OK, CheckState.SKIPPED)
    assert rights.state is CheckState.WARNING
    assert rights.detail.startswith("may read queries; lacks metric names: ")
    assert "give the ruler's API here too" in rights.fix


async def test_the_probe_of_nothing_says_how_to_go_on(slept: Slept) -> None:
    metrics = PrometheusMetrics(PrometheusOptions("http://127.0.0.1:1"), slept)
    (check,) = await PrometheusProbe(metrics).check()
    assert check.state is CheckState.FAILED
    assert "AGENT_SRE_PROMETHEUS_URL" in check.fix
