"""``agent-sre eval``: how often the engine is right on cases with known causes, and how sure it was."""

import asyncio
import importlib
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson
from rich.console import Console
from rich.table import Table

from agent_sre.cli.progress import told

if TYPE_CHECKING:
    from agent_sre.service.evaluate import Scored

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
    epilog="Exit status: 0 done; 1 a case broke (it counts as a miss); 2 no such set, truth or OLD.json; 130 stopped."
)
@click.argument(
    "folders", metavar="SET...", nargs=-1, required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes at work.")
@click.option(
    "--compare", "old", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="An earlier --json output."
)
@click.pass_context
def evaluate(ctx: click.Context, folders: tuple[Path, ...], as_json: bool, jobs: int, old: Path | None) -> None:
    """Score the engine on sets of cases with known causes.

    A SET is a folder with cases/ID/ (snapshots; or ID.tar.gz) and truth/ID.yaml (the cause). Every case is
    investigated without its truth; the tables say how often the first hypothesis was right, and whether the stated
    confidence was deserved. Ctrl-C ends at once and prints what was answered so far.

    \b
    Example: keep today's result, change a rule, see which cases got better and worse
      agent-sre eval cases/shop cases/bank --json > old.json
      agent-sre eval cases/shop cases/bank --compare old.json
    """
    from agent_sre.service.evaluate import report, report_sets
    from agent_sre.service.evaluate_set import case_paths

    before = _read(old) if old is not None else None
    cases = {name: case_paths(folder) for name, folder in _named(folders).items()}
    answered, stopped = _answer([path for paths in cases.values() for path in paths], jobs, quiet=as_json)
    scored = {name: [answered[path] for path in paths if path in answered] for name, paths in cases.items()}
    found = report_sets(scored) if len(scored) > 1 else report(next(iter(scored.values())))
    if as_json:
        click.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
    else:
        console = Console(highlight=False)
        _print(found, console if console.is_terminal else Console(highlight=False, width=_WIDTH))
    if before is not None:
        _compare(before, found, Console(stderr=as_json, highlight=False))
    if stopped:
        whole = sum(len(paths) for paths in cases.values())
        click.echo(f"interrupted: {len(answered)} of {whole} cases were answered", err=True)
        ctx.exit(130)
    if any(row.get("error") for row in found["cases"]):
        ctx.exit(1)


def _named(folders: tuple[Path, ...]) -> dict[str, Path]:
    """Sets by the names of their folders; by their paths where two are called the same."""
    names = [folder.resolve().name for folder in folders]
    named = {
        name if names.count(name) == 1 else str(folder): folder for name, folder in zip(names, folders, strict=True)
    }
    if len(named) < len(folders):
        raise click.UsageError("a SET is given twice")
    return named


def _answer(paths: list[Path], jobs: int, *, quiet: bool) -> tuple[dict[Path, "Scored"], bool]:
    """What was answered, and whether Ctrl-C ended it."""
    from agent_sre.service.evaluate_set import judged

    answered: dict[Path, Scored] = {}
    try:
        with told(len(paths), quiet) as tell, closing(judged(paths, answer_case, jobs=jobs, prepare=prepare)) as stream:
            for path, item in stream:
                answered[path] = item
                tell(len(answered))
    except KeyboardInterrupt:
        return answered, True
    return answered, False


def prepare() -> None:
    """Load the graph before the clock runs: start-up is not part of a case's work."""
    for module in _LOADED:
        importlib.import_module(module)


def answer_case(path: Path) -> dict[str, Any]:
    """One case, on the path of ``agent-sre investigate``; a top-level function, so that a process can import it."""
    from agent_sre.bootstrap import investigate_snapshot

    return asyncio.run(investigate_snapshot(path, lambda step: None))


def _print(found: Mapping[str, Any], console: Console) -> None:
    for name, figures in found.get("sets", {}).items():
        console.print(_rates(f"{name}: A@k", figures))
    console.print(_rates("A@k: a right cause among the first k", found))
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


def _rates(title: str, found: Mapping[str, Any]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("family")
    for _, head in _COLUMNS:
        table.add_column(head, justify="right")
    for name, figures in {"overall": found["overall"], **found["families"]}.items():
        table.add_row(name, *(_figure(figures[key]) if key in figures else "-" for key, _ in _COLUMNS))
    return table


def _figure(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.3f}" if value < 10 else f"{value:.0f}"


def _miss(row: Mapping[str, Any]) -> str:
    wanted = " or ".join(f"{cause['cause'] or 'any'} at {cause['object']}" for cause in row["truth"]["causes"][:2])
    if row["truth"]["no_cause"]:
        wanted = f"no guilty change ({wanted})"
    case = f"{row['set']}/{row['id']}" if "set" in row else row["id"]
    if row.get("error"):
        return f"{case}: broke: {row['error']}"
    told = row["answer"]["hypotheses"]
    said = f"{told[0]['fault']} at {told[0]['object']['name']} ({told[0]['confidence']:.2f})" if told else "nothing"
    at = f", right at {row['right_at']}" if row["right_at"] else ""
    return f"{case}: wanted {wanted}; said {said}{at}"


def _read(old: Path) -> dict[str, Any]:
    """An earlier output; read before the work begins, which takes minutes."""
    try:
        before = orjson.loads(old.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise click.UsageError(f"{old} is no output of agent-sre eval --json: {error}") from error
    rows = before.get("cases") if isinstance(before, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) and {"id", "right_at"} <= set(row) for row in rows):
        raise click.UsageError(f"{old} is no output of agent-sre eval --json: it has no cases with id and right_at")
    return dict(before)


def _compare(before: Mapping[str, Any], found: Mapping[str, Any], console: Console) -> None:
    from agent_sre.service.evaluate import compare

    better, worse = compare(before, found)
    console.print(f"better: {', '.join(better) or 'none'}", markup=False, soft_wrap=True)
    console.print(f"worse: {', '.join(worse) or 'none'}", markup=False, soft_wrap=True)
