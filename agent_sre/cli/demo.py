"""``agent-sre demo``: a whole incident in a simulated shop, over the real webhook and the real console."""

import asyncio
import sys
import tempfile
from pathlib import Path

import click
from rich.console import Console

from agent_sre.settings import Settings


@click.command(epilog="The shop is simulated; everything else is the product itself. Nothing leaves this machine.")
@click.option(
    "--headless", is_flag=True, help="Approve by itself, print the story, and exit 0 once recovery is verified."
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="Port of the console; 0: any."
)
@click.option(
    "--timeout", type=click.FloatRange(min=10), default=180.0, show_default=True, help="Seconds, if headless."
)
def demo(headless: bool, port: int, timeout: float) -> None:
    """Watch an incident: a bad deploy breaks checkout, its cause is found, you approve the rollback.

    Open the address that is printed, read the evidence, press Approve, and watch the recovery being verified.
    """
    from agent_sre.bootstrap import demo as run
    from agent_sre.cli.story import Story

    console = Console(highlight=False, soft_wrap=True)
    with tempfile.TemporaryDirectory(prefix="agent-sre-demo-") as folder:
        settings = demo_settings(0 if headless and port == 8080 else port, Path(folder))

        async def watch(url: str) -> bool:
            story = Story(url, console, approve=headless)
            if not headless:
                console.print(f"The console is at [bold]{url}[/] (Ctrl-C ends the demo). The shop's checkout was just")
                console.print("rolled out in a bad version; its alert will come in within seconds.\n")
                await story.follow()
                console.print(f"\nThe incident is over; look around at {url} and press Ctrl-C to end the demo.")
                await asyncio.Event().wait()
            try:
                return await asyncio.wait_for(story.follow(), timeout)
            except TimeoutError:
                console.print(f"The story did not end within {timeout:.0f} s.")
                return False

        recovered = asyncio.run(run(settings, watch))
    sys.exit(0 if recovered else 1)


def demo_settings(port: int, folder: Path) -> Settings:
    """Settings of the demo: nothing is read from the environment, so a site's own settings can't leak in."""
    values = {
        "port": port,
        "data_dir": folder,
        "kubernetes": "off",
        "actions_mode": "approve",
        "actions_namespaces": "shop",
        "verify_timeout": 120.0,
        "verify_poll": 2.0,
        "poll_seconds": 0.2,
        "log_level": "error",
    }
    defaults = {name: field.get_default(call_default_factory=True) for name, field in Settings.model_fields.items()}
    return Settings.model_construct(**{**defaults, **values})
