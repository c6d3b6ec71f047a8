"""``python -m benchmarks.calibrate EVAL.json ...``: refit the curve from raw figures to hit rates.

Takes outputs of ``agent-sre eval --json``, of one set or of several each. The confidences in them are taken back
through the curve that was in force. A set counts by the root of its size, lest the largest decide alone; of every hit
the share ``unseen`` is taken back. In a case without a cause a hypothesis of any kind is a miss. Prints how well the
curve does on sets that it was not fitted to (each left out in turn), and writes ``calibration.toml``.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from agent_sre.analysis.calibration import Calibration, calibration, ends
from agent_sre.service.evaluate import by_set

TARGET = Path(__file__).parents[1] / "agent_sre" / "analysis" / "calibration.toml"
BINS = 10
_FLAT = 0.05
"""The least slope of either end: a curve that falls would turn causes round."""
CONCLUSIVE = 0.75
"""The least expected hit rate of an answer that calls itself conclusive. Below it lie most of the answers that cases
without a cause still get, and also right ones that metrics alone support: those stay leading candidates."""
Points = list[tuple[float, bool]]
Floats = NDArray[np.float64]


def points(document: dict[str, Any], now: Calibration) -> Points:
    """The raw figure of each first hypothesis, and whether it was right."""
    found: Points = []
    for row in document["cases"]:
        told = row["answer"]["hypotheses"]
        if told and not row.get("error"):
            named = any(cause["cause"] or cause["object"] for cause in row["truth"]["causes"])
            wanted = named or bool(row["truth"]["change"])
            found.append((now.raw(float(told[0]["confidence"])), row["right_at"] == 1 and wanted))
    return found


def fit(sets: list[Points], unseen: float) -> Calibration:
    """The curve by weighted logistic regression (Newton), with a weak pull of both slopes towards 1."""
    x = np.array([ends(raw) for rows in sets for raw, _ in rows])
    y = np.array([(1.0 - unseen) if hit else 0.0 for rows in sets for _, hit in rows])
    weight = np.array([1.0 / len(rows) ** 0.5 for rows in sets for _ in rows])
    weight = weight / weight.mean()
    design: Floats = np.column_stack([np.ones(len(x)), x])
    pull, centre = np.diag([0.0, 1.0, 1.0]), np.array([0.0, 1.0, 1.0])
    found = centre.copy()
    for _ in range(50):
        rate = 1.0 / (1.0 + np.exp(-design @ found))
        slope = design.T @ (weight * (y - rate)) - pull @ (found - centre)
        bend = (design * (weight * rate * (1.0 - rate))[:, None]).T @ design + pull
        found = found + np.linalg.solve(bend, slope)
    level, low, high = (float(value) for value in found)
    return Calibration(level, max(low, _FLAT), max(high, _FLAT), CONCLUSIVE, unseen)


def error(curve: Calibration, rows: Points) -> float:
    """Expected calibration error in ten bins."""
    rates = np.array([curve.rate(raw) for raw, _ in rows])
    hits = np.array([hit for _, hit in rows], dtype=float)
    place = np.minimum((rates * BINS).astype(int), BINS - 1)
    gaps = [abs(float(np.sum(rates[place == at] - hits[place == at]))) for at in range(BINS)]
    return sum(gaps) / len(rows)


def main(paths: list[str]) -> None:
    """Fit, print, write."""
    now = calibration()
    documents: dict[str, dict[str, Any]] = {}
    for path in paths:
        documents |= by_set(orjson.loads(Path(path).read_bytes()), Path(path).stem)
    sets = {name: points(document, now) for name, document in documents.items()}
    sets = {name: rows for name, rows in sets.items() if rows}
    for name, rows in sets.items():
        left_out = error(fit([other for key, other in sets.items() if key != name], now.unseen), rows)
        print(f"{name}: {len(rows)} cases, left out: calibration error {left_out:.3f}")
    curve = fit(list(sets.values()), now.unseen)
    print(f"all: calibration error {error(curve, [row for rows in sets.values() for row in rows]):.3f}")
    made = f"# Written by python -m benchmarks.calibrate on {datetime.now(UTC):%Y-%m-%d}; see calibration.py.\n"
    made += "".join(f"# {name}: {len(rows)} first hypotheses\n" for name, rows in sorted(sets.items()))
    slopes = f"low = {curve.low:.4f}\nhigh = {curve.high:.4f}\n"
    fields = f"level = {curve.level:.4f}\n{slopes}conclusive = {CONCLUSIVE}\nunseen = {now.unseen}\n"
    TARGET.write_text(made + fields, "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
