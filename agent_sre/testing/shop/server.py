"""The shop as a process of its own would offer it: its API server, its Prometheus, and what a test asks of it.

One address serves all three, because their paths do not meet: Prometheus answers what ``/api/v1`` has of queries, the
API server everything else below ``/api``, ``/apis`` and ``/version``, and ``/shop`` is the test's own door. The state
is here and not in the agent, so the agent may be killed and started again, and effects are counted where they happen.
Not here: the clock, the metrics' reader and the process, which ``bootstrap.shop_server`` brings.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import orjson
from aiohttp import web

from agent_sre.ports.clock import Clock
from agent_sre.ports.metrics import MetricsReader
from agent_sre.testing.kube_api_server import KubeApiServer
from agent_sre.testing.prometheus_server import PrometheusServer
from agent_sre.testing.shop.alertmanager import payload
from agent_sre.testing.shop.rule import ShopRule
from agent_sre.testing.shop.telemetry import ShopLogs
from agent_sre.testing.shop.world import ShopWorld

_PROMETHEUS = tuple(
    f"/api/v1/{path}"
    for path in ("query", "query_range", "label/{name}/values", "rules", "alerts", "targets", "status/buildinfo")
)
TICK = 1.0
"""Seconds between two looks of the shop's controllers."""


class ShopServer:
    """Serves one world on one socket."""

    def __init__(self, world: ShopWorld, metrics: MetricsReader, rule: ShopRule, clock: Clock) -> None:
        self.world = world
        self.rule = rule
        self.kubernetes = KubeApiServer(world.cluster, world.cluster, ShopLogs(world, clock))
        self.kubernetes.denied = {("list", "secrets"), ("get", "secrets")}
        self.prometheus = PrometheusServer(metrics)
        self._clock = clock

    @asynccontextmanager
    async def running(self, listening: socket.socket) -> AsyncIterator["ShopServer"]:
        """Serve on a bound socket and let the shop live while the block runs; ``kubernetes.url`` says where."""
        runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        host, port = listening.getsockname()[:2]
        self.kubernetes.url = self.prometheus.url = f"http://{host}:{port}"
        await web.SockSite(runner, listening).start()
        living = asyncio.create_task(self._live())
        try:
            yield self
        finally:
            living.cancel()
            with suppress(asyncio.CancelledError):
                await living
            await runner.cleanup()

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=4 * 1024 * 1024)
        app.router.add_get("/shop/patches", self._patches)
        app.router.add_get("/shop/alert", self._alert)
        for path in _PROMETHEUS:
            app.router.add_route("*", path, self.prometheus.handle)
        app.router.add_route("*", "/{path:.*}", self.kubernetes.handle)
        return app

    async def _live(self) -> None:
        while True:
            now = self._clock.now()
            self.world.tick(now)
            await self.rule.look(self.prometheus.metrics, now)
            # Nobody looks at what was recorded here, and the process may run for hours.
            self.kubernetes.requests.clear()
            self.prometheus.requests.clear()
            await self._clock.sleep(TICK)

    async def _patches(self, request: web.Request) -> web.Response:
        """How many patches took effect since the shop began, and on what."""
        changed = [str(ref) for ref in self.kubernetes.patched]
        return _json({"patches": len(changed), "objects": changed})

    async def _alert(self, request: web.Request) -> web.Response:
        """The webhook body that the shop's Alertmanager sends while its rule fires."""
        return _json(payload("firing", self.world.start, None))


def _json(document: object) -> web.Response:
    return web.Response(body=orjson.dumps(document), content_type="application/json")
