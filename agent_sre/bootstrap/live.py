"""The live world: adapters for what is configured, None (an evidence gap) for what is not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from agent_sre.adapters.clock_system import RandomIds, SystemClock
from agent_sre.bootstrap.log_store import open_log_store
from agent_sre.bootstrap.metrics import open_metrics
from agent_sre.bootstrap.repositories import open_repositories
from agent_sre.bootstrap.running import World
from agent_sre.bootstrap.snapshot import runbooks
from agent_sre.bootstrap.trace_store import open_trace_store
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.signal import Signal, default_signals
from agent_sre.evidence.scope import Readers
from agent_sre.ports.context import ChangeReader, TopologyReader
from agent_sre.settings import PREFIX, Settings, readable_namespaces


@asynccontextmanager
async def open_world(settings: Settings) -> AsyncIterator[World]:
    """Connect to everything configured; leaving it closes all connections."""
    async with AsyncExitStack() as stack:
        metrics = open_metrics(settings)
        if metrics is not None:
            stack.push_async_callback(metrics.close)
        log_store = open_log_store(settings)
        if log_store is not None:
            stack.push_async_callback(log_store.close)
        traces = open_trace_store(settings)
        if traces is not None:
            stack.push_async_callback(traces.close)
        cluster = logs = writer = None
        sources: dict[str, ChangeReader] = {}
        repositories = open_repositories(settings)
        for _, commits in repositories:
            stack.push_async_callback(commits.close)
        if settings.kubernetes != "off":
            from agent_sre.adapters.kubernetes_api import HelmReleases, KubernetesLogs, Reach, open_cluster, open_writer

            place = settings.kubernetes, settings.kubeconfig, settings.kubernetes_context
            cluster = await open_cluster(*place, reach=Reach(readable_namespaces(settings)))
            if cluster is not None:
                stack.push_async_callback(cluster.close)
                logs = KubernetesLogs(cluster)
                if settings.helm_secrets:
                    sources["releases of Helm, by the labels of its Secrets"] = HelmReleases(cluster)
            if cluster is not None and settings.actions_mode == "approve":
                own = settings.actions_kubeconfig
                # The context's name belongs to the reader's file; the executor's own file has its own current one.
                context = "" if own else settings.kubernetes_context
                writer = await open_writer(settings.kubernetes, own or settings.kubeconfig, context)
                stack.push_async_callback(writer.close)
        yield World(
            readers=Readers(
                cluster=cluster,
                metrics=metrics.reader if metrics else None,
                logs=logs,
                log_store=log_store,
                traces=traces,
                topology=open_topology(settings),
                change_sources=sources,
                repositories=repositories,
            ),
            writer=writer,
            signals=signals(settings),
            runbooks=runbooks(settings),
            clock=SystemClock(),
            ids=RandomIds(),
        )


def signals(settings: Settings) -> tuple[Signal, ...]:
    """The site's signals first, then the shipped catalogue."""
    if not settings.signals_file:
        return default_signals()
    from agent_sre.adapters.snapshot_directory.documents import parse_signals

    return (*parse_signals(_content(settings.signals_file, "SIGNALS_FILE"), settings.signals_file), *default_signals())


def open_topology(settings: Settings) -> TopologyReader | None:
    """The calls of the site's own file, or None where none is named."""
    if not settings.topology_file:
        return None
    from agent_sre.adapters.context_snapshot import SnapshotTopology
    from agent_sre.adapters.snapshot_directory.documents import parse_topology_file

    content = _content(settings.topology_file, "TOPOLOGY_FILE")
    return SnapshotTopology(parse_topology_file(content, settings.topology_file))


def _content(path: str, setting: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise PermanentError(f"{PREFIX}{setting}={path}: {error.strerror}; name a readable file") from None
