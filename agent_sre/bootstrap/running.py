"""The service put together: store, worker, graph, web server, and their orderly end.

The web server is up before the graph is imported, because that import takes seconds and an alert source should not
wait for it: alerts are accepted at once, and investigations begin when the graph is there.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import uvicorn
from starlette.types import ASGIApp

from agent_sre.adapters.changes_merged import MergedChanges
from agent_sre.adapters.promql_parser import PackagedPromqlParser
from agent_sre.adapters.store_sql import SqlStore, open_store, single_writer
from agent_sre.bootstrap.acting import kill_switch, policy
from agent_sre.bootstrap.database import Investigations, database_url
from agent_sre.bootstrap.desk import desk_of
from agent_sre.bootstrap.intake import fold_ports, regroup_ports, tend_ports
from agent_sre.bootstrap.server import Server, listen
from agent_sre.bootstrap.suppression import suppressions
from agent_sre.bootstrap.webhook_doors import doors
from agent_sre.bootstrap.writeback import write_back
from agent_sre.domain.alert import Alert
from agent_sre.domain.incident import IncidentStatus
from agent_sre.domain.runbook import Runbook
from agent_sre.domain.signal import Signal
from agent_sre.entrypoints.console import console_routes
from agent_sre.entrypoints.console_auth import Access
from agent_sre.entrypoints.console_deps import ConsoleDeps
from agent_sre.entrypoints.console_stream import LIST, ChangeSignal
from agent_sre.entrypoints.health import Health
from agent_sre.entrypoints.http import Service, build_app
from agent_sre.entrypoints.telemetry import Telemetry
from agent_sre.entrypoints.webhooks import Webhooks
from agent_sre.entrypoints.worker import Duties, Worker
from agent_sre.evidence.budget import BudgetLimits
from agent_sre.evidence.early_looks import EarlyLooks
from agent_sre.evidence.redaction import Redaction, site_patterns
from agent_sre.evidence.scope import Limits, Readers
from agent_sre.ports.clock import Clock, Ids
from agent_sre.ports.cluster import ClusterWriter
from agent_sre.ports.health import Check, CheckState
from agent_sre.service.accept_alerts import accept_alerts
from agent_sre.service.accept_changes import accept_changes
from agent_sre.service.accept_payload import Accepted, Delivery
from agent_sre.service.ask_live import LiveMetrics
from agent_sre.service.fold_alerts import fold_alerts
from agent_sre.service.guard_promql import GuardedMetrics
from agent_sre.service.look_early import LookEarly
from agent_sre.service.postpone_incident import postpone_incident
from agent_sre.service.read_incident import Stores
from agent_sre.service.tend_incidents import tend_incidents
from agent_sre.settings import Settings

if TYPE_CHECKING:
    from agent_sre.graph.state import Context

DRAIN_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class World:
    """What is looked at and acted on: a live system's adapters, or the demo's shop behind the same ports."""

    readers: Readers
    writer: ClusterWriter | None
    signals: tuple[Signal, ...]
    runbooks: tuple[Runbook, ...]
    clock: Clock
    ids: Ids


class _Parts:
    """The pieces of a running service that refer to one another."""

    def __init__(self, settings: Settings, world: World, store: SqlStore) -> None:
        self.settings = settings
        self.world = world
        self.store = store
        self.policy = policy(settings)
        self.kill_switch = kill_switch(settings)
        self.telemetry = Telemetry()
        self._redaction = Redaction(secrets.token_bytes(32), site_patterns(settings.redact_patterns))
        self.changes = ChangeSignal()
        self.suppressions = suppressions(settings, store, world.clock)
        self.write_back = write_back(settings, store, world.clock)
        told = world.readers.changes
        self.changes_read = MergedChanges([store.changes, told]) if told is not None else store.changes
        self.early = EarlyLooks(store.cases.add_observations)
        self.look_early = look_early(settings, world, self.early, self._redaction)
        self.investigations = Investigations(settings, store.fence)
        folding = fold_ports(settings, store, world.clock, world.ids, world.readers.topology)
        self._folding = replace(folding, suppressing=self.suppressions.gather, early=self.early)
        self._tending = tend_ports(store, world.clock)
        send = self.write_back.send_due
        duties = Duties(self._fold, store.incidents.due, self._advance, self._postpone, send)
        self.worker = Worker(
            duties,
            world.clock,
            self.telemetry,
            concurrency=settings.concurrency,
            poll_seconds=settings.poll_seconds,
        )

    async def _fold(self) -> int:
        folded = await fold_alerts(self._folding)
        tended = await tend_incidents(self._tending)
        if await self.suppressions.look_again() or folded or tended:
            self.changes.notify(LIST)
        return folded

    async def _advance(self, incident_id: str) -> None:
        if not await self.suppressions.may_carry_on(incident_id):
            self.changes.notify(incident_id)
            return
        graph = await self.investigations.graph()
        # Imported by the graph's loading already; a cheap look-up by now.
        from agent_sre.service.advance_incident import advance_incident

        try:
            await advance_incident(incident_id, graph, self._context())
        finally:
            self.changes.notify(incident_id)

    async def _postpone(self, incident_id: str, until: datetime, sentence: str) -> None:
        await postpone_incident(incident_id, until, sentence, incidents=self.store.incidents, clock=self.world.clock)

    def _context(self) -> Context:
        from agent_sre.graph.state import Context, Options

        settings, world, store = self.settings, self.world, self.store
        return Context(
            incidents=store.incidents,
            cases=store.cases,
            approvals=store.approvals,
            effects=store.effects,
            journal=store.journal,
            clock=world.clock,
            ids=world.ids,
            readers=replace(world.readers, changes=self.changes_read),
            writer=world.writer,
            signals=world.signals,
            runbooks=world.runbooks,
            policy=self.policy,
            kill_switch=self.kill_switch,
            limits=limits(settings, self._redaction),
            early=self.early,
            options=Options(
                lookback=timedelta(seconds=settings.lookback_seconds),
                approval_ttl=timedelta(seconds=settings.approval_ttl),
                verify_timeout=timedelta(seconds=settings.verify_timeout),
                verify_poll=timedelta(seconds=settings.verify_poll),
                fixed_namespaces=settings.listed(settings.namespaces),
                console_url=settings.console_url,
                gitops_namespaces=settings.listed(settings.gitops_namespaces),
            ),
        )

    async def _accept(self, delivery: Delivery) -> Accepted:
        if delivery.source == "changes":
            return await accept_changes(
                delivery,
                log=self.store.changes,
                inbox=self.store.inbox,
                clock=self.world.clock,
                redaction=self._redaction,
                max_bytes=self.settings.max_body_bytes,
            )
        return await accept_alerts(
            delivery,
            inbox=self.store.inbox,
            clock=self.world.clock,
            redaction=self._redaction,
            max_bytes=self.settings.max_body_bytes,
            places={"slack": frozenset(self.settings.listed(self.settings.slack_channels))},
            begin=self.look_early,
        )

    async def _ready(self) -> Sequence[Check]:
        self.store.fence()  # a process that may not write just now cannot take an alert either
        await self.store.incidents.newest(1)
        return (Check("store", CheckState.OK, "answers"), self.worker.check(), *self.suppressions.checks())

    async def _count(self) -> Mapping[IncidentStatus, int]:
        newest = await self.store.incidents.newest(1000)
        return {status: sum(item.status is status for item in newest) for status in IncidentStatus}

    def _live(self) -> LiveMetrics | None:
        metrics = self.world.readers.metrics
        if metrics is None:
            return None
        return LiveMetrics(GuardedMetrics(PackagedPromqlParser(), metrics), self.world.clock, self._redaction)

    def app(self) -> ASGIApp:
        """The whole HTTP side."""
        settings, store = self.settings, self.store
        stores = Stores(
            incidents=store.incidents,
            cases=store.cases,
            approvals=store.approvals,
            effects=store.effects,
            journal=store.journal,
            placements=store.placements,
            signals=self.world.signals,
        )
        access = Access(
            token=settings.console_token.get_secret_value(),
            loopback=settings.loopback,
            allowed_hosts=settings.listed(settings.allowed_hosts),
            session_seconds=settings.session_hours * 3600,
            operator="operator",
        )
        service = Service(
            webhooks=Webhooks(self._accept, self.worker.wake, doors(settings, self.world.clock), self.telemetry),
            health=Health(self._ready, self._count, self.telemetry),
            telemetry=self.telemetry,
            max_body_bytes=settings.max_body_bytes,
        )
        console = ConsoleDeps(
            stores,
            self.world.clock,
            self.changes,
            access,
            regroup_ports(store, self.world.clock, self.world.ids),
            on_decision=lambda incident_id: self.worker.wake(),
            live=self._live(),
            desk=desk_of(store, self.world.clock, self.world.ids),
        )
        return build_app(service, extra_routes=console_routes(console))


def limits(settings: Settings, redaction: Redaction) -> Limits:
    """How much one investigation may read, and how much of each back end."""
    budget = BudgetLimits(
        reads=settings.budget_reads,
        megabytes=settings.budget_megabytes,
        seconds=settings.budget_seconds,
        parallel=settings.budget_parallel,
    )
    return Limits(timeout_seconds=settings.collector_timeout, redaction=redaction, per_backend=budget)


def look_early(
    settings: Settings, world: World, looks: EarlyLooks, redaction: Redaction
) -> Callable[[Sequence[Alert]], None]:
    """What begins a look when alerts are accepted; nothing without a store of metrics."""
    if world.readers.metrics is None:
        return lambda alerts: None
    lookback = timedelta(seconds=settings.lookback_seconds)
    return LookEarly(looks, world.readers.metrics, limits(settings, redaction), lookback)


@asynccontextmanager
async def running(settings: Settings, world: World) -> AsyncIterator[tuple[str, asyncio.Task[None]]]:
    """Start the service; gives its URL and a task that ends when the server does. Leaving it stops everything."""
    url = database_url(settings)
    async with AsyncExitStack() as stack:
        bound = stack.enter_context(listen(settings.host, settings.port))
        fence = await stack.enter_async_context(single_writer(url))
        store = await open_store(url, fence=fence)
        parts = _Parts(settings, world, store)
        # A bounded keep-alive; access logs would repeat what the metrics count.
        config = uvicorn.Config(
            parts.app(),
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=int(DRAIN_SECONDS),
            server_header=False,
        )
        server = Server(config, parts.changes)
        serving = asyncio.create_task(server.serve(sockets=[bound]), name="server")
        try:
            await server.up.wait()
            parts.investigations.start()
            parts.worker.start()
            host, port = bound.getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            yield f"http://{shown}:{port}", serving
        finally:
            server.should_exit = True
            await serving
            await parts.worker.stop(DRAIN_SECONDS)
            await parts.early.close()
            await parts.investigations.close()
            await parts.suppressions.close()
            await parts.write_back.close()
            await store.close()
