"""One investigation of a snapshot: its files behind the reading ports, everything else in memory."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent_sre.actions.policy import Mode, Policy
from agent_sre.adapters.clock_system import RandomIds, SystemClock
from agent_sre.domain.runbook import Runbook
from agent_sre.domain.signal import default_signals
from agent_sre.evidence.scope import Limits, Readers
from agent_sre.runbooks.load import builtin_folder, load_runbooks
from agent_sre.settings import Settings

if TYPE_CHECKING:
    from agent_sre.adapters.snapshot_directory import Snapshot
    from agent_sre.adapters.store_memory import MemoryStore
    from agent_sre.graph.build import Graph


def runbooks(settings: Settings | None) -> tuple[Runbook, ...]:
    """The shipped runbooks and the site's own. Raises PermanentError naming the first that is not valid."""
    paths = [builtin_folder()]
    if settings is not None and settings.runbooks_dir:
        paths.append(Path(settings.runbooks_dir))
    return load_runbooks(paths)


def _snapshot_readers(snapshot: Snapshot) -> Readers:
    from agent_sre.adapters.cluster_snapshot import SnapshotCluster
    from agent_sre.adapters.context_snapshot import SnapshotChanges, SnapshotTopology, SnapshotTraces
    from agent_sre.adapters.logs_snapshot import SnapshotLogs
    from agent_sre.adapters.metrics_snapshot import SnapshotMetrics

    series = snapshot.series
    return Readers(
        cluster=SnapshotCluster(snapshot.objects) if snapshot.objects is not None else None,
        metrics=SnapshotMetrics(lambda: series, lambda: snapshot.now, exemplars=lambda: snapshot.exemplars)
        if series is not None
        else None,
        logs=SnapshotLogs(snapshot.logs, snapshot.now) if snapshot.logs is not None else None,
        changes=SnapshotChanges(snapshot.changes) if snapshot.changes is not None else None,
        topology=SnapshotTopology(snapshot.edges) if snapshot.edges is not None else None,
        traces=SnapshotTraces(snapshot.spans) if snapshot.spans is not None else None,
    )


@cache
def _graph() -> Graph:
    """The one graph of all cases, as of all incidents in a service: it is compiled code and holds nothing of theirs."""
    from agent_sre.graph.build import build_graph

    return build_graph(None)


@contextmanager
def _collecting_rarely() -> Iterator[None]:
    """Nearly all that an investigation makes lives until its answer, so looking for garbage all the time costs a third.

    Reference counts free the rest at once; cycles are still found, only later. What was loaded before is left alone.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(200_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


async def investigate_snapshot(path: Path, progress: Callable[[str], None] = lambda step: None) -> dict[str, Any]:
    """Investigate a snapshot and return the answer document. Raises PermanentError where it can't be read."""
    return (await run_snapshot(path, progress))[0]


async def run_snapshot(
    path: Path, progress: Callable[[str], None] = lambda step: None
) -> tuple[dict[str, Any], MemoryStore]:
    """The same, with the store that holds everything the answer is made of."""
    with _collecting_rarely():
        return await _investigate(path, progress)


async def _investigate(path: Path, progress: Callable[[str], None]) -> tuple[dict[str, Any], MemoryStore]:
    from agent_sre.adapters.snapshot_directory import load_snapshot
    from agent_sre.adapters.store_memory import MemoryStore
    from agent_sre.evidence.recording import Recording
    from agent_sre.graph.state import Context, Options
    from agent_sre.service.answer_document import answer_document
    from agent_sre.service.investigate_once import investigate_once, parse_alerts

    started = time.perf_counter()
    snapshot = load_snapshot(path)
    alerts = parse_alerts(snapshot.alerts_payload, snapshot.now)
    store = MemoryStore()
    context = Context(
        incidents=store.incidents,
        cases=store.cases,
        approvals=store.approvals,
        effects=store.effects,
        journal=store.journal,
        clock=SystemClock(),
        ids=RandomIds(),
        readers=_snapshot_readers(snapshot),
        writer=None,
        signals=(*snapshot.signals, *default_signals()),
        runbooks=runbooks(None),
        policy=Policy(mode=Mode.SUGGEST),
        limits=Limits(),
        recording=Recording(*snapshot.recorded) if snapshot.recorded is not None else None,
        options=Options(fixed_now=snapshot.now, fixed_window=snapshot.window, fixed_namespaces=snapshot.namespaces),
    )
    incident, verdict = await investigate_once(
        snapshot.id,
        snapshot.description,
        alerts,
        inbox=store.inbox,
        graph=_graph(),
        context=context,
        progress=progress,
    )
    seconds = {**verdict.seconds, "total": time.perf_counter() - started}
    verdict = replace(verdict, seconds=seconds)
    document = await answer_document(
        incident,
        verdict,
        incidents=store.incidents,
        approvals=store.approvals,
        journal=store.journal,
    )
    return document, store
