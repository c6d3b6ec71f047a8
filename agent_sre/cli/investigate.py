"""``agent-sre investigate``: the whole investigation of a frozen incident, in one go."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import orjson
from rich.console import Console

_STEPS = {
    "triage": "reading alerts",
    "gather": "gathering evidence",
    "analyze": "analyzing",
    "hypothesize": "ranking causes",
    "propose": "looking for a runbook",
    "report": "writing the report",
}


@click.command(
    epilog="Exit status: 0 with an answer, an inconclusive one included; 2 for a snapshot that can't be read."
)
@click.option(
    "--snapshot",
    required=True,
    type=click.Path(path_type=Path),
    help="Snapshot directory, or the same as .tar.gz.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the answer as one JSON document and nothing else.")
def investigate(snapshot: Path, as_json: bool) -> None:
    """Find the root cause in a telemetry snapshot, with the evidence for and against it."""
    progress = Console(stderr=True)
    if as_json or not progress.is_terminal:
        answer = asyncio.run(_run(snapshot, lambda step: None))
    else:
        with progress.status("loading") as status:
            answer = asyncio.run(_run(snapshot, lambda step: status.update(_STEPS.get(step, step))))
    if as_json:
        click.echo(orjson.dumps(answer, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode())
        return
    from agent_sre.cli.render import render_report

    render_report(answer, Console(highlight=False))


async def _run(snapshot: Path, progress: Callable[[str], None]) -> dict[str, Any]:
    # Loaded here: the graph takes seconds to import, and --help must not.
    from agent_sre.bootstrap import investigate_snapshot

    return await investigate_snapshot(snapshot, progress)
