"""``make bench-analysis``: runs the comparisons of ``benchmarks.analysis`` and writes ``results/analysis.json``."""

import argparse
from collections.abc import Callable
from pathlib import Path

from benchmarks.analysis import log_mining, ranking, redaction, simulated, whole_case
from benchmarks.figures import Figure, report

COMPARISONS: tuple[tuple[str, Callable[[Path], list[Figure]]], ...] = (
    ("loghub", log_mining.measure),
    ("loghub", redaction.measure),
    ("cases", ranking.measure),
    ("cases", simulated.measure),
    ("cases", whole_case.measure),
)
"""The folder of public data that a comparison reads, under ``--data``, and what measures."""


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared"), help="folder of the public data sets")
    data = parser.parse_args().data
    figures = [figure for folder, measure in COMPARISONS for figure in measure(data / folder)]
    report("analysis", figures, "make bench-analysis")


if __name__ == "__main__":
    main()
