"""``agent-sre audit``: is the audit log what it was, and a copy of it for others."""

import asyncio
import sys
from pathlib import Path

import click

from agent_sre.domain.audit import Head
from agent_sre.settings import load_settings


@click.group()
def audit() -> None:
    """The hash-chained audit log."""


@audit.command(
    epilog="Exit status: 0 where the chain is intact, 1 where it is not, 2 where there is no log to look at."
)
@click.option(
    "--head",
    help="A row known from outside (a backup, a chat), as an earlier verify printed it: the log must still hold it. "
    "Without it a cut tail cannot be seen.",
)
@click.option(
    "--file", type=click.Path(path_type=Path), help="Check what 'audit export' wrote from the first row, not the store."
)
def verify(head: str | None, file: Path | None) -> None:
    """Check the whole chain; names the first bad row."""
    from agent_sre.bootstrap import verify_audit, verify_audit_file

    published = Head.parse(head) if head is not None else None
    if file is not None:
        check = verify_audit_file(file, published)
    else:
        check = asyncio.run(verify_audit(load_settings(), published))
    if problem := check.first_problem():
        click.echo(f"audit log is not intact: {problem}", err=True)
        sys.exit(1)
    click.echo(f"{check.rows} rows, chain intact; head {Head(check.rows, check.last)}")


@audit.command(
    epilog="Check a copy with: agent-sre audit verify --file FILE. Its last line is a head to keep elsewhere."
)
@click.option("--out", type=click.Path(path_type=Path), help="File to write; it must not be there. Default: print.")
@click.option("--after", type=click.IntRange(min=0), default=0, help="Only rows after this one, to continue a copy.")
def export(out: Path | None, after: int) -> None:
    """Write the audit log as JSON Lines, one row a line, oldest first."""
    from agent_sre.bootstrap import export_audit

    settings = load_settings()
    if out is None:
        head = asyncio.run(export_audit(settings, after, sys.stdout.write))
    else:
        try:
            with out.open("x", encoding="utf-8") as lines:
                head = asyncio.run(export_audit(settings, after, lines.write))
        except FileExistsError:
            raise click.UsageError(f"{out} is there already; name another file") from None
        except OSError as error:
            raise click.UsageError(f"{out} cannot be written: {error.strerror}") from None
    click.echo(f"head {head}" if head is not None else f"no rows after {after}", err=True)
