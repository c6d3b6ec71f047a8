"""``agent-sre audit``: is the audit log what it was?"""

import asyncio
import sys

import click

from agent_sre.settings import load_settings


@click.group()
def audit() -> None:
    """The hash-chained audit log."""


@audit.command()
@click.option(
    "--head", help="Digest of a row known from outside (a backup, a chat): the log must still contain it last."
)
def verify(head: str | None) -> None:
    """Check the whole chain; names the first bad row. Exit status 1 where there is one."""
    from agent_sre.bootstrap import verify_audit

    problem, rows, last = asyncio.run(verify_audit(load_settings(), head))
    if problem:
        click.echo(f"audit log is not intact: {problem}", err=True)
        sys.exit(1)
    click.echo(f"{rows} rows, chain intact; head {last}")
