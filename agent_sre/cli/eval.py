"""``agent-sre eval``: how often the engine is right on cases with known causes, and how sure it was."""

import asyncio
import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import orjson
from rich.console import Console
from rich.table import Table

_LOADED = (
    "agent_sre.bootstrap",
    "agent_sre.graph.build",
    "agent_sre.adapters.snapshot_directory",
    "agent_sre.adapters.store_memory",
    "agent_sre.service.answer_document",
    "agent_sre.service.investigate_once",
)
_WIDTH = 150
_COLUMNS = (
    ("cases", "cases"),
    ("a_at_1", "A@1"),
    ("a_at_3", "A@3"),
    ("avg_at_5", "Avg@5"),
    ("object_only", "object"),
    ("fault_only", "fault"),
    ("abstained", "abstained"),
    ("abstain_right", "rightly"),
    ("ece", "ECE"),
    ("seconds_p50", "s p50"),
    ("seconds_p95", "s p95"),
    ("peak_mb", "MB"),
)


@click.command(
    epilog="A set is a folder with cases/<id>/ (snapshots) and truth/<id>.yaml. Exit status 1: a case broke."
)
@click.argument("folder", metavar="SET", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes at work.")
@click.option(
    "--compare", "old", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="An earlier --json output."
)
@click.pass_context
def evaluate(ctx: click.Context, folder: Path, as_json: bool, jobs: int, old: Path | None) -> None:
    """Score the engine on a set of cases with known causes."""
    from agent_sre.service.evaluate import report, run

    progress = Console(stderr=True)
    with progress.status("investigating") as status:
        scored = run(
            folder, answer_case, jobs=jobs, prepare=prepare, progress=lambda name: status.update(f"answered {name}")
        )
    found = report(scored)
    if as_json:
        click.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
    else:
        console = Console(highlight=False)
        _print(found, console if console.is_terminal else Console(highlight=False, width=_WIDTH))
    if old is not None:
        _compare(old, found, progress if as_json else Console(highlight=False))
    if any(row.get("error") for row in found["cases"]):
        ctx.exit(1)


def prepare() -> None:
    """Load the graph before the clock runs: start-up is not part of a case's work."""
    for module in _LOADED:
        importlib.import_module(module)


def answer_case(path: Path) -> dict[str, Any]:
    """One case, on the path of ``agent-sre investigate``; a top-level function, so that a process can import it."""
    from agent_sre.bootstrap import investigate_snapshot

    return asyncio.run(investigate_snapshot(path, lambda step: None))


def _print(found: Mapping[str, Any], console: Console) -> None:
    table = Table(title="A@k: a right cause among the first k", title_justify="left")
    table.add_column("family")
    for _, title in _COLUMNS:
        table.add_column(title, justify="right")
    rows = {"overall": found["overall"], **found["families"]}
    for name, figures in rows.items():
        table.add_row(name, *(_figure(figures[key]) for key, _ in _COLUMNS))
    console.print(table)
    table = Table(title="Confidence against being right", title_justify="left")
    for title in ("confidence", "cases", "mean", "right"):
        table.add_column(title, justify="right")
    for row in found["calibration"]:
        span = f"{row['from']:.1f}-{row['to']:.1f}"
        table.add_row(span, str(row["cases"]), _figure(row["confidence"]), _figure(row["right"]))
    console.print(table)
    for row in found["cases"]:
        if row["right_at"] != 1:
            console.print(_miss(row), markup=False, soft_wrap=True)


def _figure(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.3f}" if value < 10 else f"{value:.0f}"


def _miss(row: Mapping[str, Any]) -> str:
    wanted = " or ".join(f"{cause['cause'] or 'any'} at {cause['object']}" for cause in row["truth"]["causes"][:2])
    if row["truth"]["no_cause"]:
        wanted = f"no guilty change ({wanted})"
    if row.get("error"):
        return f"{row['id']}: broke: {row['error']}"
    told = row["answer"]["hypotheses"]
    said = f"{told[0]['fault']} at {told[0]['object']['name']} ({told[0]['confidence']:.2f})" if told else "nothing"
    at = f", right at {row['right_at']}" if row["right_at"] else ""
    return f"{row['id']}: wanted {wanted}; said {said}{at}"


def _compare(old: Path, found: Mapping[str, Any], console: Console) -> None:
    from agent_sre.service.evaluate import compare

    try:
        before = orjson.loads(old.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise click.UsageError(f"{old} is no output of agent-sre eval --json: {error}") from error
    better, worse = compare(before, found)
    console.print(f"better: {', '.join(better) or 'none'}", markup=False, soft_wrap=True)
    console.print(f"worse: {', '.join(worse) or 'none'}", markup=False, soft_wrap=True)
