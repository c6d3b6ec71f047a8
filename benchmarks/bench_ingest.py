"""``make bench-ingest``: runs ``benchmarks.ingest`` and writes ``results/ingest.json``."""

import argparse

from benchmarks.figures import report
from benchmarks.ingest import kills, rates, servers, storm

DATABASES = {"sqlite": servers.sqlite, "postgresql": servers.postgresql}
PARTS = ("rates", "kills", "storm")


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=PARTS, action="append", help="measure only these, and write no file")
    parser.add_argument("--database", choices=DATABASES, action="append", help="on this database only; no file")
    parser.add_argument("--repeats", type=int, default=kills.REPEATS, help="how often to kill each database")
    given = parser.parse_args()
    databases = [start for name, start in DATABASES.items() if name in (given.database or DATABASES)]
    parts = given.only or PARTS
    figures = []
    if "rates" in parts:
        figures += rates.measure(databases)
    if "kills" in parts:
        figures += kills.measure(databases, given.repeats)
    if "storm" in parts:
        figures += [figure for start in databases for figure in storm.measure(start)]
    report("ingest", figures, "make bench-ingest", write=not (given.only or given.database))


if __name__ == "__main__":
    main()
