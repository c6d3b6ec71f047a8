"""``agent-sre doctor``: one line for each thing the service depends on."""

import asyncio
import sys

import click
from rich.console import Console
from rich.markup import escape

from agent_sre.settings import load_settings

_MARKS = {
    "ok": "[green]ok     [/]",
    "warning": "[yellow]warning[/]",
    "failed": "[red]FAILED [/]",
    "skipped": "[dim]skipped[/]",
}


@click.command()
def doctor() -> None:
    """Check every configured dependency: can it be reached, does the login work, which rights are missing.

    Exit status 1 where something that is configured does not work.
    """
    from agent_sre.bootstrap import doctor as examine

    checks = asyncio.run(examine(load_settings()))
    console = Console(highlight=False, soft_wrap=True)
    for check in checks:
        console.print(f"{_MARKS[check.state]} {escape(check.subject)}: {escape(check.detail)}")
        if check.fix:
            console.print(f"        fix: {escape(check.fix)}")
    if any(check.state == "failed" for check in checks):
        sys.exit(1)
