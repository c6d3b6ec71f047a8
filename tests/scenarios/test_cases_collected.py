"""Every public case loads, and every collector reads it without a refusal that was not foreseen.

The cases lie beside the checkout and are no part of it: where they are absent, deselect with ``-m "not cases"``.
"""

from pathlib import Path

import pytest

from agent_sre.adapters.cluster_snapshot import SnapshotCluster
from agent_sre.adapters.context_snapshot import SnapshotChanges, SnapshotTopology, SnapshotTraces
from agent_sre.adapters.logs_snapshot import SnapshotLogs
from agent_sre.adapters.metrics_snapshot import SnapshotMetrics
from agent_sre.adapters.snapshot_directory import Snapshot, load_snapshot
from agent_sre.domain.signal import default_signals
from agent_sre.evidence.catalogue import COLLECTORS
from agent_sre.evidence.run import run_collector
from agent_sre.evidence.scope import Limits, Readers, Scope

CASES = Path(__file__).parents[2] / "../shared/cases"
pytestmark = pytest.mark.cases

FORESEEN = (
    "the source is not configured, or missing from the snapshot",
    "a snapshot holds no alerting rules",
    "kubernetes.json holds no object of the kind",
    "a snapshot holds no list of active alerts",
    "no journal is kept where this reader can see it",
    "neither the alert",
    "healthy replicas beyond",
    "none of the",
)


def test_the_cases_are_there() -> None:
    assert sorted(CASES.glob("*/cases/*/snapshot.yaml")), f"no cases in {CASES}; deselect with -m 'not cases'"


@pytest.mark.parametrize("case", sorted(CASES.glob("*/cases/*")), ids=lambda path: path.name)
async def test_a_case_is_loaded_and_collected(case: Path) -> None:
    snapshot = load_snapshot(case)
    scope = Scope(
        incident_id=snapshot.id,
        run=1,
        now=snapshot.now,
        window=snapshot.window,
        namespaces=snapshot.namespaces,
        alerts=(),
        limits=Limits(),
        signals=(*snapshot.signals, *default_signals()),
    )
    readers = readers_of(snapshot)
    collected = [await run_collector(collector, scope, readers) for collector in COLLECTORS]
    reasons = {gap.reason for found in collected for gap in found.gaps}
    assert {reason for reason in reasons if not reason.startswith(FORESEEN)} == set()
    observations = [item for found in collected for item in found.observations]
    assert observations
    now = snapshot.now.timestamp()
    assert all(series.times[-1] <= now for item in observations for series in item.series)
    lines = [line for item in observations for stream in item.streams for line in stream.lines]
    assert all(line.time is None or line.time <= snapshot.now for line in lines)


def readers_of(snapshot: Snapshot) -> Readers:
    """The readers of what the snapshot has."""
    series = snapshot.series
    return Readers(
        cluster=SnapshotCluster(snapshot.objects) if snapshot.objects is not None else None,
        metrics=SnapshotMetrics(lambda: series, lambda: snapshot.now) if series is not None else None,
        logs=SnapshotLogs(snapshot.logs, snapshot.now) if snapshot.logs is not None else None,
        changes=SnapshotChanges(snapshot.changes) if snapshot.changes is not None else None,
        topology=SnapshotTopology(snapshot.edges) if snapshot.edges is not None else None,
        traces=SnapshotTraces(snapshot.spans) if snapshot.spans is not None else None,
    )
