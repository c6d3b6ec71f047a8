"""How a benchmark reports: rows of the same shape on the terminal and in ``benchmarks/results/<name>.json``.

A row compares our figure with a peer's, both measured in this run: absolute seconds on a shared machine mean little, so
read the ratio. ``goal`` is in words, ``met`` says whether it was reached in this run; a goal that was not met stays in
the table as not met.
"""

import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("langgraph", "starlette", "uvicorn", "sqlalchemy", "numpy", "kubernetes")


@dataclass(frozen=True)
class Figure:
    """One measured figure; ``ratio`` is ours divided by theirs."""

    figure: str
    ours: float
    unit: str
    peer: str | None = None
    theirs: float | None = None
    goal: str | None = None
    met: bool | None = None

    def row(self) -> dict[str, object]:
        ratio = round(self.ours / self.theirs, 3) if self.theirs else None
        theirs = round(self.theirs, 4) if self.theirs is not None else None
        return {**asdict(self), "ours": round(self.ours, 4), "theirs": theirs, "ratio": ratio}


def report(name: str, figures: Sequence[Figure], command: str, *, write: bool = True) -> None:
    """Print the table and write the JSON file."""
    table = Table(title=name)
    for column in ("figure", "ours", "unit", "peer", "theirs", "ratio", "goal", "met"):
        table.add_column(column, justify="right" if column in ("ours", "theirs", "ratio") else "left")
    rows = [figure.row() for figure in figures]
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in _ordered(row)))
    Console(width=140).print(table)
    if not write:
        return
    document = {
        "command": command,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cores": os.cpu_count(), "cpu": _cpu(), "system": platform.platform()},
        "versions": {"python": sys.version.split()[0], **{name: metadata.version(name) for name in PACKAGES}},
        "figures": rows,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n", "utf-8")


def _ordered(row: dict[str, object]) -> list[object]:
    return [row[key] for key in ("figure", "ours", "unit", "peer", "theirs", "ratio", "goal", "met")]


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
