"""``python -m agent_sre.bootstrap.shop_server``: the demo's shop as a process, for tests that kill the agent.

Prints one line of JSON when it is ready: ``url`` (API server, Prometheus and ``/shop``) and ``kubeconfig`` (a path,
removed at the end). Ends at SIGINT or SIGTERM. Not part of the service; nothing in production starts it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path

import click

from agent_sre.adapters.clock_system import SystemClock
from agent_sre.adapters.metrics_snapshot import SnapshotMetrics
from agent_sre.bootstrap.server import listen, until_stopped
from agent_sre.domain.errors import PermanentError
from agent_sre.testing.shop.rule import ShopRule
from agent_sre.testing.shop.server import ShopServer
from agent_sre.testing.shop.world import ShopWorld


async def run(port: int) -> None:
    """Serve the shop on loopback until a signal. Raises PermanentError where the port is taken."""
    clock = SystemClock()
    world, rule = ShopWorld(clock.now().replace(microsecond=0)), ShopRule()
    metrics = SnapshotMetrics(lambda: world.series(clock.now()), clock.now, rules=rule.rules, alerts=rule.active)
    server = ShopServer(world, metrics, rule, clock)
    listening = listen("127.0.0.1", port)
    with tempfile.TemporaryDirectory(prefix="agent-sre-shop-") as folder:
        async with server.running(listening):
            config = Path(folder) / "kubeconfig"
            config.write_text(server.kubernetes.kubeconfig(), encoding="utf-8")
            print(json.dumps({"url": server.kubernetes.url, "kubeconfig": str(config)}), flush=True)
            await until_stopped(_forever())


async def _forever() -> None:
    await asyncio.Event().wait()


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="0: any free port.")
def main(port: int) -> None:
    """Run the simulated shop: a Kubernetes API server and a Prometheus with an incident in them."""
    try:
        asyncio.run(run(port))
    except PermanentError as error:
        click.echo(str(error), err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
