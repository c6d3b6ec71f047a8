"""Row 34 for log stores: an answer of any size is streamed, cut and sampled in bounded memory.

VictoriaLogs is played by a recorded server here, because a real one would have to be filled with gigabytes first.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from agent_sre.adapters.logs_victorialogs import FIELDS, VictoriaLogs
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.outbound import Endpoint, rows
from agent_sre.testing.recorded_server import Fault, Recorded, Request
from tests.contract.log_values import AILING, WINDOW

TOTAL = 1_000_000


def row(text: str) -> bytes:
    place = {FIELDS.pod: AILING.pod, FIELDS.container: AILING.container}
    return json.dumps({"_time": "2026-03-01T11:40:00Z", "_msg": text, **place}).encode() + b"\n"


async def counting(request: Request) -> web.Response:
    """Answers the count that comes before every read."""
    assert "stats by" in request.fields["query"]
    return web.Response(body=row("").replace(b'"_msg": ""', f'"lines": "{TOTAL}"'.encode()))


class ThenFaults(Recorded):
    """Counts are answered; the reads after them are what ``streams`` say."""

    def __init__(self) -> None:
        super().__init__(self._choose)
        self.streams: list[Fault] = []

    async def _choose(self, request: Request) -> web.Response:
        answered = await counting(request)
        self.faults = self.streams
        return answered


@pytest.fixture
async def server() -> AsyncIterator[ThenFaults]:
    async with ThenFaults().running() as running:
        assert isinstance(running, ThenFaults)
        yield running


@pytest.fixture
async def logs(server: ThenFaults) -> AsyncIterator[VictoriaLogs]:
    reader = VictoriaLogs(Endpoint("VictoriaLogs", "AGENT_SRE_LOGS", server.url, timeout_seconds=50))
    yield reader
    await reader.close()


async def test_of_200_mb_of_rows_a_sample_is_kept_in_a_process_of_less_than_150_mb() -> None:
    """The server is in the same process, which as a whole stays below the 200 MB of row 34."""
    child = await asyncio.create_subprocess_exec(sys.executable, "-m", __name__, stdout=asyncio.subprocess.PIPE)
    told, _ = await child.communicate()
    seen = json.loads(told)
    assert seen["megabytes"] < 150
    assert (seen["lines"], seen["left_out"]) == (5_000, TOTAL - 5_000)
    assert "| sample 100 " in seen["query"]


def peak() -> float:
    """The most memory that this process ever had resident. Not getrusage's, which is inherited from the parent."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM:"))


async def measured() -> None:
    """Run in a process of its own: read 200 MB, and print what came of it and the most memory that was resident."""
    block = row("a line of about a kilobyte " + "x" * 1000) * 250
    async with ThenFaults().running() as server:
        assert isinstance(server, ThenFaults)
        server.streams = [Fault(200, block, times=200 * 1024**2 // len(block))]
        logs = VictoriaLogs(Endpoint("VictoriaLogs", "AGENT_SRE_LOGS", server.url, timeout_seconds=50))
        (stream,) = (await logs.read(AILING, WINDOW, 5_000)).streams
        await logs.close()
    query = server.requests[-1].fields["query"]
    told = {"megabytes": peak(), "lines": len(stream.lines), "left_out": stream.left_out, "query": query}
    print(json.dumps(told))


async def test_long_rows_are_cut_and_endless_ones_dropped_and_said(server: ThenFaults, logs: VictoriaLogs) -> None:
    body = row("x" * 100_000) + row("y" * 10 * 1024**2) + row("\x1b[31mlast\x1b[0m\x00\x00\ufffd!")
    server.streams = [Fault(200, body)]
    answer = await logs.read(AILING, WINDOW, 10)
    texts = [line.text for line in answer.streams[0].lines]
    assert texts == ["x" * 16 * 1024 + " [line cut]", "last\ufffd!"]
    assert answer.notes == ("1 rows were too long to be read",)


async def test_a_few_thousand_long_lines_are_bounded_in_bytes_too(server: ThenFaults, logs: VictoriaLogs) -> None:
    server.streams = [Fault(200, row("z" * 16_000) * 100, times=50)]
    (stream,) = (await logs.read(AILING, WINDOW, 5_000)).streams
    assert 100 < len(stream.lines) < 5_000
    assert sum(len(line.text) for line in stream.lines) <= 16 * 1024**2


async def test_a_stream_that_breaks_is_read_again_from_its_start(server: ThenFaults, logs: VictoriaLogs) -> None:
    server.streams = [Fault(200, row("once"), times=5, cut=True), Fault(200, row("once"))]
    (stream,) = (await logs.read(AILING, WINDOW, 10)).streams
    assert [line.text for line in stream.lines] == ["once"]
    server.streams = [Fault(200, row("half"), cut=True)] * 3
    with pytest.raises(TemporaryError, match="cannot be reached"):
        await logs.read(AILING, WINDOW, 10)


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"[1]\n", b'{"_msg": "no time"}\n', b'{"_time": "soon"}\n'])
async def test_rows_that_are_none_are_refused(server: ThenFaults, logs: VictoriaLogs, body: bytes) -> None:
    server.streams = [Fault(200, body)]
    with pytest.raises(PermanentError, match="VictoriaLogs"):
        await logs.read(AILING, WINDOW, 10)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
async def test_rows_are_the_same_however_the_body_is_cut(size: int) -> None:
    body = b"one\n\ntwo\n" + b"t" * 20 + b"\nthree"

    async def parts() -> AsyncIterator[bytes]:
        for start in range(0, len(body), size):
            yield body[start : start + size]

    assert [found async for found in rows(parts(), longest=10)] == [b"one", b"two", None, b"three"]


if __name__ == "__main__":
    asyncio.run(measured())
