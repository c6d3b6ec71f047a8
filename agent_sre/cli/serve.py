"""``agent-sre serve``: the service in the foreground."""

import asyncio

import click

from agent_sre.settings import load_settings


@click.command(epilog="All settings: agent-sre settings. Stop with Ctrl-C; work under way is finished or kept.")
@click.option("--host", help="Address to listen on (AGENT_SRE_HOST).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on (AGENT_SRE_PORT).")
def serve(host: str | None, port: int | None) -> None:
    """Run the service: webhooks at /webhooks/alertmanager, the console at /, /healthz, /readyz, /metrics.

    Configured by AGENT_SRE_* variables or a .env file; without any it keeps its database in ./data and listens on
    127.0.0.1:8080.
    """
    from agent_sre.bootstrap import serve as run

    given = {"host": host, "port": port}
    settings = load_settings(**{name: value for name, value in given.items() if value is not None})
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(settings))
