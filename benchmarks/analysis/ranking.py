"""Ranking the origin from metrics alone, beside BARO's robust scorer (Pham et al., FSE 2024) on the same series.

Both get the series that our collector reads and that the signal catalogue knows, counters as rates. BARO gets them as
one matrix on a common clock, last values carried forward, with the onset that helps it more: the alert's, or ours.
Ours gets the call graph too, which BARO has no place for, but neither logs nor traces. Services are ranked by their
best column. Seconds are for one case in memory: ours from raw series to ranked causes, BARO's scorer alone.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import yaml

from agent_sre.adapters.context_snapshot import SnapshotTopology
from agent_sre.adapters.metrics_snapshot import SnapshotMetrics
from agent_sre.adapters.snapshot_directory import load_snapshot
from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.departures import incident_start
from agent_sre.analysis.engine import analyze
from agent_sre.analysis.judge import judge
from agent_sre.analysis.signals import measured, resample
from agent_sre.domain.signal import default_signals
from agent_sre.evidence import metrics_signals, topology
from agent_sre.evidence.scope import Limits, Readers, Scope
from agent_sre.service.investigate_once import parse_alerts
from benchmarks.analysis.peers import ask
from benchmarks.figures import Figure

SETS = ("petshop", "nezha")


@dataclass(frozen=True, slots=True)
class Ranked:
    """Names, best first, and the seconds it took."""

    names: tuple[str, ...]
    seconds: float


def measure(data: Path) -> list[Figure]:
    """AC@1, Avg@5 and seconds per case, for each set below ``data``."""
    figures = []
    for name in SETS:
        cases = sorted((data / name / "cases").iterdir())
        figures += _compare(name, {path.name: asyncio.run(_case(path)) for path in cases}, data / name / "truth")
    return figures


def _compare(name: str, cases: dict[str, CaseFile], truth: Path) -> list[Figure]:
    right = {case: _right(truth / f"{case}.yaml") for case in cases}
    ours = {key: _ours(case) for key, case in cases.items()}
    theirs = max((_baro(cases, mine) for mine in (True, False)), key=lambda found: _ac(found, right, 5))
    figures = []
    for title, most in (("AC@1", 1), ("Avg@5", 5)):
        pair = _ac(ours, right, most), _ac(theirs, right, most)
        figures.append(Figure(f"{name}, {title}", pair[0], "", "BARO", pair[1], "> BARO's", pair[0] > pair[1]))
    seconds = [median(item.seconds for item in side.values()) for side in (ours, theirs)]
    met = seconds[0] <= seconds[1]
    figures.append(Figure(f"{name}, ranking a case, p50", seconds[0], "s", "BARO", seconds[1], "<= BARO's", met))
    return figures


async def _case(path: Path) -> CaseFile:
    """The metrics and the call graph of a snapshot, as the collectors read them."""
    snapshot = load_snapshot(path)
    alerts = parse_alerts(snapshot.alerts_payload, snapshot.now)
    signals = (*snapshot.signals, *default_signals())
    scope = Scope(snapshot.id, 1, snapshot.now, snapshot.window, snapshot.namespaces, tuple(alerts), Limits(), signals)
    readers = Readers(
        metrics=SnapshotMetrics(lambda: snapshot.series or (), lambda: snapshot.now),
        topology=SnapshotTopology(snapshot.edges or ()),
    )
    found = [await metrics_signals.collect(scope, readers), await topology.collect(scope, readers)]
    return CaseFile(
        now=snapshot.now,
        window=snapshot.window,
        namespaces=snapshot.namespaces,
        alerts=alerts,
        observations=[item for collected in found for item in collected.observations],
        signals=signals,
    )


def _ours(case: CaseFile) -> Ranked:
    best = float("inf")
    names: tuple[str, ...] = ()
    for _ in range(3):
        fresh = CaseFile(
            now=case.now,
            window=case.window,
            namespaces=case.namespaces,
            alerts=case.alerts,
            observations=case.observations.values(),
            signals=case.signals,
        )
        started = time.perf_counter()
        verdict = judge(fresh, analyze(fresh))
        best = min(best, time.perf_counter() - started)
        names = tuple(item.object.name for item in verdict.hypotheses)
    return Ranked(_once(names), best)


def _baro(cases: dict[str, CaseFile], our_onset: bool) -> dict[str, Ranked]:
    answers = ask("baro", {name: _matrix(case, our_onset) for name, case in cases.items()})
    return {
        name: Ranked(_once(column.partition("|")[0] for column in answer["ranks"]), answer["seconds"])
        for name, answer in answers.items()
    }


def _matrix(case: CaseFile, our_onset: bool) -> dict[str, Any]:
    items = [item for item in measured(case) if item.entity.kind in ("workload", "external") and item.times.size]
    grid = np.unique(np.concatenate([item.times for item in items]))
    columns = {}
    for place, item in enumerate(items):
        values = resample(item.times, item.values, grid)
        usable = np.flatnonzero(np.isfinite(values))
        filled = values[usable[np.clip(np.searchsorted(usable, np.arange(grid.size), "right") - 1, 0, None)]]
        columns[f"{item.entity.name}|{item.source.name}|{place}"] = filled.tolist()
    alert = min(item.starts_at.timestamp() for item in case.alerts)
    onset = min(incident_start(case) if our_onset else alert, float(grid[-1]))
    return {"times": grid.tolist(), "columns": columns, "onset": onset}


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _right(path: Path) -> tuple[str, ...]:
    truth = yaml.safe_load(path.read_text("utf-8"))
    accepted: Sequence[dict[str, Any]] = (truth, *(truth.get("accept") or ()))
    return tuple(item["object"]["name"] for item in accepted if item.get("object"))


def _ac(found: dict[str, Ranked], right: dict[str, tuple[str, ...]], most: int) -> float:
    """The mean of AC@1 to AC@``most`` over the cases."""
    hits = [bool(set(found[name].names[:k]) & set(right[name])) for name in right for k in range(1, most + 1)]
    return sum(hits) / len(hits)
