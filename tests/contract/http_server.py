"""The real application on a real uvicorn on loopback, over a store in memory.

As a module it is the server of the tests that measure memory: ``python -m tests.contract.http_server`` prints its port.
"""

import asyncio
import json
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import uvicorn
from starlette.routing import BaseRoute

from agent_sre.adapters.store_memory import MemoryStore
from agent_sre.domain.alert import Alert
from agent_sre.domain.incident import Incident, IncidentStatus
from agent_sre.entrypoints.health import Health
from agent_sre.entrypoints.http import Service, build_app
from agent_sre.entrypoints.telemetry import Telemetry
from agent_sre.entrypoints.webhook_auth import WebhookAuth
from agent_sre.entrypoints.webhook_door import Door
from agent_sre.entrypoints.webhooks import Webhooks
from agent_sre.entrypoints.worker import Duties, Worker
from agent_sre.evidence.redaction import Redaction
from agent_sre.ports.health import Check, CheckState
from agent_sre.ports.store import AlertInbox
from agent_sre.service.accept_alerts import accept_alerts
from agent_sre.service.accept_changes import accept_changes
from agent_sre.service.accept_payload import Accepted, Delivery
from agent_sre.service.alert_sources import SOURCES
from agent_sre.service.fold_alerts import fold_alerts
from agent_sre.testing.clock import FrozenClock
from agent_sre.testing.failing_inbox import FailingInbox
from agent_sre.testing.ids import SequentialIds
from tests.unit.alerts import at, fold_ports

OPEN = WebhookAuth(open_without_secret=True)
MAX_BYTES = 1_000_000
PATH = "/webhooks/alertmanager"


@dataclass
class Running:
    """A server, its store, and a client."""

    store: MemoryStore
    failing: FailingInbox
    worker: Worker
    clock: FrozenClock
    client: httpx.AsyncClient
    port: int

    async def post(self, document: object, **options: Any) -> httpx.Response:
        return await self.client.post(PATH, json=document, **options)

    async def raw(self, body: bytes, **headers: str) -> httpx.Response:
        given = {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
        return await self.client.post(PATH, content=body, headers=given)

    async def incidents(self) -> tuple[Incident, ...]:
        """After everything that was accepted is folded."""
        store = self.store
        await fold_alerts(fold_ports(store, self.clock, SequentialIds()))
        return await store.incidents.newest(1_000)

    async def metric(self, name: str) -> float:
        text = (await self.client.get("/metrics")).text
        return next((float(line.split()[-1]) for line in text.splitlines() if line.startswith(name)), 0.0)


async def nothing_to_fold() -> int:
    return 0


async def nothing(*arguments: object) -> None:
    """An investigation that has nothing to do."""


@dataclass
class Build:
    """The pieces of one application."""

    auth: WebhookAuth = OPEN
    doors: Mapping[str, Door] = field(default_factory=dict)
    max_bytes: int = MAX_BYTES
    body_seconds: float = 30.0
    extra_routes: Sequence[BaseRoute] = ()
    store: MemoryStore = field(default_factory=MemoryStore)
    clock: FrozenClock = field(default_factory=lambda: FrozenClock(at(60)))
    telemetry: Telemetry = field(default_factory=Telemetry)
    begin: Callable[[Sequence[Alert]], None] = lambda alerts: None

    def __post_init__(self) -> None:
        self.failing = FailingInbox(self.store.inbox, retry_after=7)
        self.failing.down = False
        duties = Duties(nothing_to_fold, self.store.incidents.due, nothing, nothing)
        self.worker = Worker(duties, self.clock, self.telemetry)

    def _same_for_all(self) -> Mapping[str, Door]:
        return {name: Door(self.auth, f"AGENT_SRE_{name.upper()}_TOKEN") for name in (*SOURCES, "changes")}

    def app(self) -> Any:
        inbox: AlertInbox = self.failing

        async def accept(delivery: Delivery) -> Accepted:
            if delivery.source == "changes":
                return await accept_changes(
                    delivery, log=self.store.changes, inbox=inbox, clock=self.clock, redaction=Redaction(b"k")
                )
            return await accept_alerts(
                delivery,
                inbox=inbox,
                clock=self.clock,
                redaction=Redaction(b"k"),
                max_bytes=self.max_bytes,
                places={"slack": frozenset({"C0ALERTS"})},
                begin=self.begin,
            )

        async def ready() -> Sequence[Check]:
            await inbox.pending(1)
            return (Check("store", CheckState.OK, "answers"), self.worker.check())

        async def count() -> Mapping[IncidentStatus, int]:
            return Counter(incident.status for incident in await self.store.incidents.newest(1_000))

        return build_app(
            Service(
                Webhooks(accept, self.worker.wake, self.doors or self._same_for_all(), self.telemetry),
                Health(ready, count, self.telemetry),
                self.telemetry,
                max_body_bytes=self.max_bytes,
                body_seconds=self.body_seconds,
            ),
            extra_routes=self.extra_routes,
        )


class Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listens.set()


async def started(app: Any) -> tuple[uvicorn.Server, "asyncio.Task[None]", int]:
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_config=None, access_log=False, ws="none", lifespan="off", server_header=False
    )
    server = Server(config)
    task = asyncio.create_task(server.serve())
    await server.listens.wait()
    port: int = server.servers[0].sockets[0].getsockname()[1]
    return server, task, port


@asynccontextmanager
async def running(build: Build | None = None) -> AsyncIterator[Running]:
    build = build or Build()
    server, task, port = await started(build.app())
    build.worker.start()
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20, trust_env=False) as client:
            yield Running(build.store, build.failing, build.worker, build.clock, client, port)
    finally:
        await build.worker.stop(1)
        server.should_exit = True
        await task


async def main() -> None:
    _, task, port = await started(Build(max_bytes=5_000_000).app())
    print(json.dumps({"port": port}), flush=True)
    await task


if __name__ == "__main__":
    asyncio.run(main())
