"""The shop's logs and changes, behind the reading ports. Metrics are raw series that the composition root puts behind
the snapshot twin of the metrics port."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from agent_sre.domain.log_search import FoundLines, LogSearch, counted, tally
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Change, Edge, LogLine, LogSource
from agent_sre.ports.clock import Clock
from agent_sre.ports.logs import LogAnswer, LogCounts
from agent_sre.testing.shop.traffic import BASE_P95_MS, CALLS, NAMESPACE, wobble
from agent_sre.testing.shop.world import BAD, DEPLOYED_BEFORE, ShopWorld

EVERY = 3.0
"""Seconds between log lines of one pod."""


class ShopLogs:
    """LogReader over lines that follow from what each pod runs."""

    def __init__(self, world: ShopWorld, clock: Clock) -> None:
        self._world = world
        self._clock = clock

    async def sources(self, namespace: str, window: Window) -> tuple[LogSource, ...]:
        """Every pod that lives now."""
        if namespace != NAMESPACE:
            return ()
        now = self._clock.now().timestamp()
        return tuple(
            LogSource(NAMESPACE, pod, service) for service in BASE_P95_MS for pod in self._world.pods(service, now)
        )

    async def read(self, source: LogSource, window: Window, max_lines: int) -> LogAnswer:
        """The pod's lines in the window."""
        found = FoundLines(max_lines)
        for line in self._lines(source, window):
            found.add(source, line)
        return LogAnswer(found.streams({source: 0}), f"log of {source}")

    async def search(self, search: LogSearch, max_lines: int) -> LogAnswer:
        """What the living pods printed."""
        found = FoundLines(max_lines)
        for source in await self._searched(search):
            for line in self._lines(source, search.window):
                if search.admits(line):
                    found.add(source, line)
        return LogAnswer(found.streams(), str(search))

    async def counts(self, search: LogSearch, step: timedelta) -> LogCounts:
        """How much the living pods printed."""
        lines = (line for source in await self._searched(search) for line in self._lines(source, search.window))
        seconds = step.total_seconds()
        return LogCounts(counted(search, seconds, tally(search, seconds, lines)), str(search))

    async def _searched(self, search: LogSearch) -> list[LogSource]:
        return [source for source in await self.sources(search.namespace, search.window) if search.has(source)]

    def _lines(self, source: LogSource, window: Window) -> Iterator[LogLine]:
        window = Window(window.start, min(window.end, max(window.start, self._clock.now())))
        service = source.container
        tick = int(window.start.timestamp() // EVERY)
        # A failure takes two lines, the second a millisecond later.
        while (tick + 1) * EVERY + 0.001 <= window.end.timestamp():
            tick += 1
            time = tick * EVERY
            if source.pod not in self._world.pods(service, time):
                continue
            at = datetime.fromtimestamp(time, UTC)
            order = 48000 + tick % 9000
            failed = service == "checkout" and self._world.image_at(service, time) == BAD and tick % 3 == 0
            yield from _failure(at, order) if failed else _success(service, at, order, tick)


def _success(service: str, at: datetime, order: int, tick: int) -> Iterator[LogLine]:
    took = 40 + wobble(f"log/{service}", tick, 15)
    if service == "checkout":
        yield LogLine(at, f'level=info msg="order placed" order={order} took={took:.0f}ms')
    else:
        yield LogLine(at, f'level=info msg="request served" path=/{service} status=200 took={took:.0f}ms')


def _failure(at: datetime, order: int) -> Iterator[LogLine]:
    yield LogLine(at, f'level=error msg="order failed" order={order} status=500 error="KeyError: \'currency\'"')
    trace = [
        "Traceback (most recent call last):",
        '  File "/app/checkout/orders.py", line 118, in place',
        "    total = convert(cart.total, customer.address['currency'])",
        "KeyError: 'currency'",
    ]
    yield LogLine(at + timedelta(milliseconds=1), "\n".join(trace))


class ShopChanges:
    """ChangeReader: what the shop's pipeline reported, an innocent change among it."""

    def __init__(self, world: ShopWorld) -> None:
        deployed = world.start - DEPLOYED_BEFORE
        self._changes = (
            Change(
                id="b41c07e",
                time=deployed - timedelta(minutes=35),
                kind="deploy",
                target="catalog",
                summary="catalog 2.3.1: new product photos",
                author="mara",
            ),
            Change(
                id="9f27ad3",
                time=deployed,
                kind="deploy",
                target="checkout",
                summary="checkout 1.9.0: currency taken from the customer's address",
                author="jonas",
                diff="-    total = convert(cart.total, cart.currency)\n"
                "+    total = convert(cart.total, customer.address['currency'])",
            ),
        )

    async def changes(self, namespaces: tuple[str, ...], window: Window) -> tuple[Change, ...]:
        """Changes in the window."""
        return tuple(item for item in self._changes if window.contains(item.time))


class ShopTopology:
    """TopologyReader: who calls whom, as the mesh knows it."""

    async def edges(self, namespaces: tuple[str, ...]) -> tuple[Edge, ...]:
        """The call graph."""
        return tuple(Edge(caller, callee, "mesh") for caller, callee, _ in CALLS)
