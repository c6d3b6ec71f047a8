"""``agent-sre doctor``: one line for each thing the service depends on."""

import asyncio
import sys
from collections.abc import Sequence

import click
from rich.console import Console
from rich.markup import escape

from agent_sre.ports.health import Check
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
    show(checks, Console(highlight=False, soft_wrap=True))
    if any(check.state == "failed" for check in checks):
        sys.exit(1)


def show(checks: Sequence[Check], console: Console) -> None:
    """Print a line for each check, and below it what to do. Several lines of a fix are to be copied one by one."""
    for check in checks:
        console.print(f"{_MARKS[check.state]} {escape(check.subject)}: {escape(check.detail)}")
        for number, line in enumerate(check.fix.splitlines()):
            console.print(f"        {'    ' if number else 'fix:'} {escape(line)}")
