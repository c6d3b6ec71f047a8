"""``agent-sre export``: an incident as a snapshot that can be replayed, shared and kept."""

import asyncio
from pathlib import Path

import click
from rich.console import Console

from agent_sre.settings import load_settings


@click.command(
    epilog="Exit status: 0 once the folder is there, 2 for an unknown incident, one without an answer yet, or a folder "
    "that is not empty. Replay it with: agent-sre investigate --snapshot DIR"
)
@click.argument("incident")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Folder to write; it must not be there, or be empty."
)
def export(incident: str, out: Path) -> None:
    """Write what an investigation saw as a snapshot, which 'investigate' replays to the same answer.

    Everything in it was redacted before it was stored. manifest.json says what is in it and what is missing.
    """
    from agent_sre.bootstrap import export_incident

    progress = Console(stderr=True, highlight=False)
    with progress.status("reading the store") as status:
        done = asyncio.run(
            export_incident(load_settings(), incident, out, lambda step: status.update(f"writing {step}"))
        )
    for text in done.missing:
        progress.print(f"missing: {text}", markup=False)
    click.echo(f"{done.folder}: {done.observations} observations of incident {incident}")
