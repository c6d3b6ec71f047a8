"""The one composition root: only here are concrete adapters named. Used by the commands and by tests.

Heavy libraries are imported inside the functions that need them: the console must be up within three seconds, while the
graph alone takes about that long to import.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from agent_sre.bootstrap.export import export_incident
from agent_sre.bootstrap.snapshot import investigate_snapshot, runbooks
from agent_sre.settings import Settings

if TYPE_CHECKING:
    from agent_sre.ports.clock import Clock
    from agent_sre.ports.health import Check
    from agent_sre.testing.shop.world import ShopWorld

__all__ = ["demo", "doctor", "export_incident", "investigate_snapshot", "runbooks", "serve", "verify_audit"]


async def serve(settings: Settings) -> None:
    """Run the service until SIGINT or SIGTERM. Raises PermanentError for what must be changed first."""
    import structlog

    from agent_sre.bootstrap.live import open_world
    from agent_sre.bootstrap.running import running
    from agent_sre.bootstrap.server import until_stopped
    from agent_sre.entrypoints.logging_setup import configure_logging

    configure_logging(settings.log_level, settings.log_format)
    async with open_world(settings) as world, running(settings, world) as (url, serving):
        structlog.get_logger().info("listening", url=url, data_dir=str(settings.data_dir.resolve()))
        await until_stopped(_wait(serving))


async def _wait(serving: asyncio.Task[None]) -> None:
    await asyncio.shield(serving)


async def demo(settings: Settings, watch: Callable[[str], Awaitable[bool]]) -> bool:
    """Run the service on the simulated shop while ``watch(url)`` runs; gives what that gave, True after a signal."""
    from agent_sre.adapters.clock_system import RandomIds, SystemClock
    from agent_sre.adapters.metrics_snapshot import SnapshotMetrics
    from agent_sre.bootstrap.running import World, running
    from agent_sre.bootstrap.server import until_stopped
    from agent_sre.domain.signal import default_signals
    from agent_sre.entrypoints.logging_setup import configure_logging
    from agent_sre.evidence.scope import Readers
    from agent_sre.testing.shop.alertmanager import ShopAlertmanager
    from agent_sre.testing.shop.rule import ShopRule
    from agent_sre.testing.shop.telemetry import ShopChanges, ShopLogs, ShopTopology
    from agent_sre.testing.shop.world import ShopWorld

    configure_logging(settings.log_level, settings.log_format)
    clock = SystemClock()
    shop = ShopWorld(clock.now().replace(microsecond=0))
    rule = ShopRule()
    alertmanager = ShopAlertmanager(rule)
    metrics = SnapshotMetrics(lambda: shop.series(clock.now()), clock.now, rules=rule.rules, alerts=rule.active)
    readers = Readers(
        cluster=shop.cluster,
        metrics=metrics,
        logs=ShopLogs(shop, clock),
        changes=ShopChanges(shop),
        topology=ShopTopology(),
    )
    world = World(readers, shop.cluster, default_signals(), runbooks(settings), clock, RandomIds())
    async with running(settings, world) as (url, _):
        webhook = url + "/webhooks/alertmanager"
        directing = asyncio.create_task(_direct(shop, clock, lambda: alertmanager.look(metrics, webhook, clock.now())))
        try:
            ended = await until_stopped(_as_coroutine(watch(url)))
        finally:
            directing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await directing
    return True if ended is None else ended


async def _as_coroutine(awaitable: Awaitable[bool]) -> bool:
    return await awaitable


async def _direct(shop: ShopWorld, clock: Clock, look: Callable[[], Awaitable[str | None]]) -> None:
    """Let the shop live: its controllers and its Alertmanager, once a second."""
    while True:
        shop.tick(clock.now())
        await look()
        await clock.sleep(1.0)


async def doctor(settings: Settings) -> tuple[Check, ...]:
    """Check everything that is configured."""
    from agent_sre.bootstrap.examination import examine

    return await examine(settings)


async def verify_audit(settings: Settings, head: str | None) -> tuple[str | None, int, str]:
    """The first problem of the audit log or None, its number of rows, and its last row's digest."""
    from agent_sre.adapters.store_sql import open_store
    from agent_sre.bootstrap.database import existing_database
    from agent_sre.domain.audit import GENESIS, AuditRow, first_bad_row

    store = await open_store(existing_database(settings))
    try:
        rows: list[AuditRow] = []
        while batch := await store.journal.audit_rows(rows[-1].sequence if rows else 0, 10_000):
            rows += batch
    finally:
        await store.close()
    return first_bad_row(rows, head), len(rows), rows[-1].digest if rows else GENESIS
