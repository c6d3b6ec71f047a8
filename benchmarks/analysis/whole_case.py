"""A whole investigation, from a snapshot on disk to the answer, beside plainly reading the same files.

Each set of cases is answered by a process of its own after its start-up; peak memory is that process's. Its reference
is what anybody would have to do with these bytes at the least: unpack them, decode the JSON documents, split each
metric line and convert its two numbers, split each log into lines. Both happen in turn in the same process, so their
ratio means something on a machine that is busy; the seconds alone do not. The large snapshot is written anew.
"""

import gzip
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from benchmarks.analysis.big_snapshot import write_big_snapshot
from benchmarks.figures import Figure

_REFERENCE = "reading the files"
_GOALS = {"p50": 0.5, "p95": 2.0}
_LARGE_SECONDS = 3.0
_LARGE_MB = 400.0


def measure(data: Path) -> list[Figure]:
    """Seconds and memory of every set under ``data`` and of the large snapshot."""
    figures: list[Figure] = []
    for folder in sorted(path for path in data.glob("*") if (path / "cases").is_dir()):
        found = _apart(sorted((folder / "cases").iterdir()))
        figures += [_seconds(folder.name, name, found, goal) for name, goal in _GOALS.items()]
        figures.append(_memory(folder.name, found, None))
    with tempfile.TemporaryDirectory() as scratch:
        found = _apart([write_big_snapshot(Path(scratch) / "large")])
    figures.append(_seconds("100,000 lines and 10,000 series", "p50", found, _LARGE_SECONDS))
    figures.append(_memory("100,000 lines and 10,000 series", found, _LARGE_MB))
    return figures


def _seconds(name: str, share: str, found: dict[str, float], goal: float) -> Figure:
    ours, theirs = found[f"ours_{share}"], found[f"theirs_{share}"]
    return Figure(f"{name}, {share}", ours, "s", _REFERENCE, theirs, f"<= {goal:g} s", ours <= goal)


def _memory(name: str, found: dict[str, float], goal: float | None) -> Figure:
    peak, met = found["peak"], None if goal is None else found["peak"] <= goal
    wanted = None if goal is None else f"<= {goal:g} MB"
    return Figure(f"{name}, peak memory", peak, "MB", "after start-up", found["base"], wanted, met)


def _apart(cases: Iterable[Path]) -> dict[str, float]:
    """The figures of some cases, by a process that does nothing else."""
    command = [sys.executable, "-m", __name__, *map(str, cases)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def read_plainly(case: Path) -> int:
    """Read every file of a snapshot with nothing but the standard library, and count what was there."""
    count = 0
    for path in sorted(item for item in case.rglob("*") if item.is_file()):
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        name = path.name.removesuffix(".gz")
        if name.endswith(".json"):
            count += len(json.loads(content))
        elif name.endswith(".om"):
            for line in content.split(b"\n"):
                if line and not line.startswith(b"#"):
                    _, value, moment = line.rsplit(b" ", 2)
                    count += float(moment) > float(value)
        else:
            count += len(content.decode(errors="replace").splitlines())
    return count


def _measured(cases: list[Path]) -> dict[str, float]:
    from agent_sre.cli.eval import answer_case, prepare  # here: what it loads is part of the base

    prepare()
    base = _peak()
    ours = []
    for case in cases:
        started = time.perf_counter()
        answer_case(case)
        ours.append(time.perf_counter() - started)
    peak, theirs = _peak(), []
    for case in cases:
        started = time.perf_counter()
        read_plainly(case)
        theirs.append(time.perf_counter() - started)
    shares = {"p50": 0.5, "p95": 0.95}
    found = {f"ours_{name}": _quantile(ours, share) for name, share in shares.items()}
    found |= {f"theirs_{name}": _quantile(theirs, share) for name, share in shares.items()}
    return {**found, "base": base, "peak": peak}


def _quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


def _peak() -> float:
    """The most memory that this process has had so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    print(json.dumps(_measured([Path(name) for name in sys.argv[1:]])))
