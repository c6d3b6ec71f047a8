"""Row 32 of the faults: what a metric store answers when it answers far too much, with memory measured."""

import contextlib
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from itertools import islice

import pytest
from aiohttp import web

from agent_sre.adapters.metrics_prometheus import PrometheusMetrics, PrometheusOptions
from agent_sre.domain.errors import PermanentError
from tests.contract.telemetry_values import NOW

MEGABYTE = 1024 * 1024
HEAD = b'{"status":"success","data":{"resultType":"%s","result":['
TAIL = b']},"warnings":["partial: store eu-2 did not answer"]}'


@contextlib.asynccontextmanager
async def serving(parts: Iterator[bytes], at_a_time: int = 200) -> AsyncIterator[str]:
    """A server that answers anything with these parts, none of which it keeps."""

    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while some := b"".join(islice(parts, at_a_time)):
                await response.write(some)
        return response

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def vector(rows: int) -> Iterator[bytes]:
    yield HEAD % b"vector"
    for number in range(rows):
        labels = b'"__name__":"up","pod":"p-%d","note":"a {\\"metric\\": trap},{"' % number
        yield b'%s{"metric":{%s},"value":[1772366400.5,"%d"]}' % (b"," if number else b"", labels, number)
    yield TAIL


def matrix(rows: int, points: int) -> Iterator[bytes]:
    values = b",".join(b'[%d,"0.123456789"]' % (1772366400 + 15 * n) for n in range(points))
    yield HEAD % b"matrix"
    for number in range(rows):
        yield b'%s{"metric":{"pod":"p-%d"},"values":[%s]}' % (b"," if number else b"", number, values)
    yield TAIL


@pytest.fixture
def measured() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def peak_megabytes() -> float:
    return tracemalloc.get_traced_memory()[1] / MEGABYTE


async def test_a_hundred_thousand_series_are_cut_to_the_limit_in_little_memory(measured: None) -> None:
    async with serving(vector(100_000)) as url:
        reader = PrometheusMetrics(PrometheusOptions(url, timeout_seconds=50))
        answer = await reader.query("up", NOW)
        await reader.close()
    assert len(answer.series) == 5_000
    assert answer.series[4_999].labels["note"] == 'a {"metric": trap},{'
    assert list(answer.series[4_999].values) == [4_999.0]
    assert answer.warnings == ("partial: store eu-2 did not answer", "95000 of 100000 series left out")
    assert peak_megabytes() < 40


async def test_an_answer_that_is_too_long_is_kept_as_far_as_it_was_read(measured: None) -> None:
    async with serving(matrix(20_000, 240)) as url:
        options = PrometheusOptions(url, timeout_seconds=50, max_bytes=16 * MEGABYTE)
        reader = PrometheusMetrics(options)
        answer = await reader.query("sum by (pod) (up)", NOW)
        await reader.close()
    assert 1_000 < len(answer.series) < 5_000
    assert all(len(series.times) == 240 for series in answer.series)
    (note,) = answer.warnings
    assert note.startswith("the answer is longer than 16 MB")
    assert peak_megabytes() < 60


async def test_one_series_that_is_larger_than_may_be_read_is_an_error(measured: None) -> None:
    async with serving(matrix(1, 400_000)) as url:
        reader = PrometheusMetrics(PrometheusOptions(url, timeout_seconds=50, max_bytes=4 * MEGABYTE))
        answer = await reader.query("up", NOW)
        await reader.close()
    assert answer.series == ()
    assert answer.warnings == ("the answer is longer than 4 MB; of 0 series read 0 are kept",)


@pytest.mark.parametrize("piece", [1, 7, 64, 65, 4096])
async def test_rows_are_found_however_the_answer_is_cut_into_parts(piece: int) -> None:
    body = b"".join(vector(30))
    parts = iter([body[at : at + piece] for at in range(0, len(body), piece)])
    async with serving(parts, 1) as url:
        reader = PrometheusMetrics(PrometheusOptions(url))
        answer = await reader.query("up", NOW)
        await reader.close()
    assert [series.labels["pod"] for series in answer.series] == [f"p-{number}" for number in range(30)]


@pytest.mark.parametrize("cut", [20, 60, 200, 5])
async def test_an_answer_that_ends_in_the_middle_is_refused(cut: int) -> None:
    body = b"".join(vector(3))
    async with serving(iter([body[:-cut]])) as url:
        reader = PrometheusMetrics(PrometheusOptions(url))
        with pytest.raises(PermanentError):
            await reader.query("up", NOW)
        await reader.close()
