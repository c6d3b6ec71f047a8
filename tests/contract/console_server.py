"""The console over real HTTP on loopback, with stores in memory and a clock that the test moves."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import uvicorn
from starlette.applications import Starlette

from agent_sre.adapters.clock_system import RandomIds
from agent_sre.adapters.store_memory import MemoryStore
from agent_sre.bootstrap.desk import desk_of
from agent_sre.bootstrap.server import Server, listen
from agent_sre.domain.incident import IncidentStatus
from agent_sre.entrypoints.console import console_routes
from agent_sre.entrypoints.console_auth import Access
from agent_sre.entrypoints.console_deps import ConsoleDeps
from agent_sre.entrypoints.console_stream import ChangeSignal, Pace
from agent_sre.service.read_incident import Stores
from agent_sre.testing.clock import FrozenClock
from agent_sre.testing.sample_incident import NOW, SampleIncident, sample_incident, store_sample
from tests.unit.alerts import regroup_ports

TOKEN = "correct horse battery staple"
QUICK = Pace(poll=0.02, heartbeat=0.05)


@dataclass
class ConsoleServer:
    """A running console. ``url`` has the host and port it listens on."""

    url: str
    store: MemoryStore
    clock: FrozenClock
    signal: ChangeSignal
    server: uvicorn.Server
    serving: "asyncio.Task[None]"
    decided: list[str] = field(default_factory=list)

    async def put(self, status: IncidentStatus = IncidentStatus.AWAITING_APPROVAL, **changes: str) -> SampleIncident:
        """Store a sample incident."""
        sample = sample_incident(status, **changes)  # type: ignore[arg-type]
        await self.put_sample(sample)
        return sample

    async def put_sample(self, sample: SampleIncident) -> None:
        """Store this sample."""
        store = self.store
        await store_sample(
            sample,
            inbox=store.inbox,
            incidents=store.incidents,
            cases=store.cases,
            approvals=store.approvals,
            effects=store.effects,
            journal=store.journal,
        )

    def client(self, **options: object) -> httpx.AsyncClient:
        """A browser-like client: keeps cookies, sends our Origin, follows nothing by itself."""
        headers = {"Origin": self.url, "Accept": "text/html", **options.pop("headers", {})}  # type: ignore[dict-item]
        return httpx.AsyncClient(base_url=self.url, headers=headers, trust_env=False, timeout=10, **options)  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def running_console(
    *, token: str = "", allowed_hosts: tuple[str, ...] = (), pace: Pace = QUICK, max_streams: int = 8
) -> AsyncIterator[ConsoleServer]:
    """Serve the console on a free port of 127.0.0.1 until the block ends."""
    store, clock, signal = MemoryStore(), FrozenClock(NOW), ChangeSignal(max_streams)
    stores = Stores(store.incidents, store.cases, store.approvals, store.effects, store.journal, store.placements)
    decided: list[str] = []
    access = Access(token, loopback=True, allowed_hosts=allowed_hosts, session_seconds=3600, operator="operator")
    desk = desk_of(store, clock, RandomIds())  # type: ignore[arg-type]  the same attributes
    deps = ConsoleDeps(
        stores,
        clock,
        signal,
        access,
        regroup_ports(store, clock, RandomIds()),
        on_decision=decided.append,
        pace=pace,
        desk=desk,
    )
    with listen("127.0.0.1", 0) as bound:
        app = Starlette(routes=console_routes(deps))
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=5)
        server = Server(config, signal)
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        console = ConsoleServer(
            f"http://127.0.0.1:{bound.getsockname()[1]}", store, clock, signal, server, serving, decided
        )
        try:
            yield console
        finally:
            server.should_exit = True
            await serving


def csrf_of(page: httpx.Response) -> str:
    """The page's CSRF token."""
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return found[1]


async def log_in(client: httpx.AsyncClient, name: str = "mira", token: str = TOKEN) -> httpx.Response:
    """Send the login form."""
    return await client.post("/login", data={"name": name, "token": token, "next": "/"})
