"""Ranks columns with BARO's robust scorer; run by ``peers.ask`` in BARO's own environment.

Question: ``{"case": {"times": [..], "columns": {"name": [..]}, "onset": seconds}}``. Answer: ``{"case": {"seconds": ..,
"ranks": [columns, best first]}}``. Only the scorer is timed, the best of three, on a frame that is ready.
"""

import json
import sys
import time
import warnings

import pandas
from baro.root_cause_analysis import robust_scorer


def main() -> None:
    """Answer the question on standard input."""
    warnings.simplefilter("ignore")
    question = json.load(sys.stdin)
    json.dump({name: _rank(**given) for name, given in question.items()}, sys.stdout)


def _rank(times: list[float], columns: dict[str, list[float]], onset: float) -> dict[str, object]:
    frame = pandas.DataFrame({"time": times, **columns})
    best, ranks = float("inf"), []
    for _ in range(3):
        given = frame.copy()
        started = time.perf_counter()
        ranks = robust_scorer(given, inject_time=onset)["ranks"]
        best = min(best, time.perf_counter() - started)
    return {"seconds": best, "ranks": ranks}


if __name__ == "__main__":
    main()
