"""The load generator: HTTP/1.1 over raw sockets, the same for every server.

Requests are bytes that were made before the clock starts. Each connection sends one, waits for its whole answer, and
takes the next from the common list: a closed loop, in which a slow server is not sent more than it takes. With a rate,
requests leave at their planned times instead and their latency counts from there, so that a server that stalls cannot
hide it (an open loop, bounded by the number of connections).

As a module it is a process of its own, which takes a plan as JSON on standard input and prints what it measured:
``python -m benchmarks.ingest.load``.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import cast

import uvloop

from benchmarks.ingest import payloads


@dataclass(frozen=True)
class Plan:
    """What to send where. ``shape`` names a maker of ``payloads``; ``rate``: requests a second, 0: unpaced."""

    port: int
    path: str
    shape: str
    posts: int
    per_post: int
    first: int = 0
    connections: int = 32
    rate: float = 0.0


@dataclass(frozen=True)
class Measured:
    """What came of it. Times are seconds; ``acknowledged`` counts alerts in answers of the 2xx class."""

    seconds: float
    acknowledged: int
    statuses: dict[str, int]
    p50: float
    p99: float
    slowest: float
    cpu: float
    """Processor time that the generator itself took."""

    @property
    def alerts_per_second(self) -> float:
        return self.acknowledged / self.seconds


class _Connection(asyncio.Protocol):
    """One connection: a request, its answer, the next."""

    def __init__(self, run: "_Run") -> None:
        self._run = run
        self._buffer = b""
        self._sent = 0.0
        self._finished = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.next()

    def next(self) -> None:
        found = self._run.take()
        if found is None:
            self._run.left -= 1
            self._finished = True
            self._transport.close()
            if not self._run.left:
                self._run.done.set_result(None)
            return
        request, due = found
        wait = due - time.perf_counter()
        if wait > 0:
            asyncio.get_running_loop().call_later(wait, self._send, request, due)
        else:
            self._send(request, due or time.perf_counter())

    def _send(self, request: bytes, counted_from: float) -> None:
        self._sent = counted_from
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 : (head.find(b"\r\n", at) + len(head) + 1) % (len(head) + 1)]) if at >= 0 else 0
        if len(self._buffer) < end + 4 + length:
            return
        assert b"transfer-encoding" not in head, "the generator reads answers of a known length"
        self._buffer = b""
        self._run.answered(head[9:12], time.perf_counter() - self._sent)
        self.next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._run.done.done() and not self._finished:
            self._run.done.set_exception(error or ConnectionError("the server closed a connection"))


class _Run:
    """The common list of requests, and what was answered."""

    def __init__(self, requests: Sequence[bytes], connections: int, rate: float) -> None:
        self._requests = requests
        self._at = 0
        self._rate = rate
        self._started = time.perf_counter()
        self.left = connections
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.latencies: list[float] = []
        self.statuses: Counter[bytes] = Counter()

    def take(self) -> tuple[bytes, float] | None:
        if self._at == len(self._requests):
            return None
        request = self._requests[self._at]
        due = self._started + self._at / self._rate if self._rate else 0.0
        self._at += 1
        return request, due

    def answered(self, status: bytes, seconds: float) -> None:
        self.statuses[status] += 1
        self.latencies.append(seconds)


async def _drive(plan: Plan) -> Measured:
    requests = payloads.requests(plan)
    run = _Run(requests, plan.connections, plan.rate)
    loop = asyncio.get_running_loop()
    before, started = time.process_time(), time.perf_counter()
    for _ in range(plan.connections):
        await loop.create_connection(lambda: _Connection(run), "127.0.0.1", plan.port)
    await run.done
    seconds, cpu = time.perf_counter() - started, time.process_time() - before
    ordered = sorted(run.latencies)
    good = sum(count for status, count in run.statuses.items() if status.startswith(b"2"))
    return Measured(
        seconds,
        good * plan.per_post,
        {status.decode(): count for status, count in run.statuses.items()},
        ordered[len(ordered) // 2],
        ordered[int(len(ordered) * 0.99)],
        ordered[-1],
        cpu,
    )


def drive(plan: Plan, seconds: float = 60.0) -> Measured:
    """Run the plan in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.ingest.load"],
        check=False,
        input=json.dumps(asdict(plan)),
        capture_output=True,
        text=True,
        timeout=seconds,
    )
    assert done.returncode == 0, done.stderr
    return Measured(**json.loads(done.stdout))


if __name__ == "__main__":
    print(json.dumps(asdict(uvloop.run(_drive(Plan(**json.load(sys.stdin)))))))
