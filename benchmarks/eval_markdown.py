"""``python -m benchmarks.eval_markdown EVAL.json ...``: the committed summary of evaluations, failures included.

Each argument is an output of ``agent-sre eval SET... --json``; one of a single set is named after it. Only ids, fault
types and figures are written: the public cases' content is no part of the project. First scores of the own sets come
from their registry.
"""

import re
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from agent_sre.service.evaluate import by_set

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "benchmarks" / "results" / "eval.md"
FIRST = ROOT / "tests" / "scenarios" / "sets" / "first_scores.toml"
_COLUMNS = ("cases", "a_at_1", "a_at_3", "avg_at_5", "object_only", "fault_only", "abstained", "ece", "seconds_p50",
            "seconds_p95", "peak_mb")  # fmt: skip
_SLASHED = re.compile(r"\S*/(?=\S)")
"""The folders of a path: where the machine has its files is nobody's business."""
_HONESTY = """The analyzers of Kubernetes objects were written with the visible cloudopsbench cases in view, those of
metrics with petshop and nezha, those of changes, traces and outside causes with rootcausebench. The own sets were
written before their author had read the analyzers; the first score is what the engine then said, on scenarios that it
had not been developed with, and is never updated. It is the better guide to cases of unseen kinds."""


def table(rows: Sequence[Sequence[object]], head: Sequence[str]) -> str:
    """A Markdown table."""
    lines: list[Sequence[object]] = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def figures(name: str, summary: dict[str, Any]) -> list[object]:
    """One row of figures."""
    return [name, *(summary.get(key, "") for key in _COLUMNS)]


def pooled_error(documents: dict[str, dict[str, Any]]) -> float:
    """The calibration error of all sets together: bins of the same span are one bin."""
    bins: dict[float, list[tuple[int, float, float]]] = {}
    for document in documents.values():
        for row in document["calibration"]:
            bins.setdefault(row["from"], []).append((row["cases"], row["confidence"], row["right"]))
    size = sum(count for rows in bins.values() for count, _, _ in rows)
    gaps = (abs(sum(count * (sure - right) for count, sure, right in rows)) for rows in bins.values())
    return sum(gaps) / size if size else 0.0


def main(paths: list[str], target: Path = TARGET) -> None:
    """Write the summary."""
    documents: dict[str, dict[str, Any]] = {}
    for path in paths:
        documents |= by_set(orjson.loads(Path(path).read_bytes()), Path(path).stem)
    command = "make eval CASES=../shared/cases"
    parts = ["# Evaluation", f"Made by `{command}`. Seconds depend on what else the machine did.", "## Per set"]
    parts.append(table([figures(name, found["overall"]) for name, found in documents.items()], ["set", *_COLUMNS]))
    parts.append(f"Calibration error over all sets together: {pooled_error(documents):.3f}.")
    for name, found in documents.items():
        parts += [f"## {name}", table([figures(k, v) for k, v in found["families"].items()], ["family", *_COLUMNS])]
        rows = [
            [f"{r['from']:.1f}-{r['to']:.1f}", r["cases"], r["confidence"], r["right"]] for r in found["calibration"]
        ]
        parts.append(table(rows, ["confidence", "cases", "mean", "right"]))
        missed = [row for row in found["cases"] if row["right_at"] != 1]
        parts.append("Not right at the first: " + (", ".join(_miss(row) for row in missed) or "none") + ".")
    parts += ["## Honesty", _HONESTY]
    first = tomllib.loads(FIRST.read_text("utf-8"))
    scores = [[name, row["cases"], row["a_at_1"], row["commit"]] for name, row in first.items()]
    parts.append(table(scores, ["own set", "cases", "first A@1", "engine of commit"]))
    target.write_text("\n\n".join(parts) + "\n", "utf-8")


def _miss(row: dict[str, Any]) -> str:
    if row.get("error"):
        return f"{row['id']} (broke: {_SLASHED.sub('', row['error'])})"
    told = row["answer"]["hypotheses"]
    wanted = row["truth"]["causes"][0]["cause"] or "object only"
    return f"{row['id']} (wanted {wanted}, said {told[0]['fault'] if told else 'nothing'}, right at {row['right_at']})"


if __name__ == "__main__":
    main(sys.argv[1:])
