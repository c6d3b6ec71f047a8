"""``KubernetesLogs``: the LogReader over pods' logs. Node journals are not reachable without rights on the kubelet."""

import asyncio
import io
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from agent_sre.adapters.kubernetes_api.connection import Refused, checked
from agent_sre.adapters.kubernetes_api.reader import KubernetesCluster
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.instant import format_instant
from agent_sre.domain.log_text import read_log
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import LogSource, LogStream

NODES = "@nodes"
MAX_BYTES = 8 * 1024 * 1024
TAIL = 20_000
_STATUSES = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")


class KubernetesLogs:
    """Reads the newest ``TAIL`` lines since the window's start, at most ``MAX_BYTES`` of them."""

    def __init__(self, cluster: KubernetesCluster) -> None:
        self._connection = cluster.connection
        self._cluster = cluster

    async def sources(self, namespace: str) -> tuple[LogSource, ...]:
        """Every container that has been started, and the previous run of each that has restarted."""
        if namespace == NODES:
            return ()
        pods = await self._cluster.list("Pod", namespace)
        return tuple(source for pod in pods for source in _sources(pod))

    async def read(self, source: LogSource, window: Window, max_lines: int) -> LogStream:
        """The lines of one source; parsing happens in a thread."""
        if source.namespace == NODES:
            raise PermanentError(
                "journals of nodes cannot be read through the Kubernetes API; ship them to a log store"
            )
        path = f"/api/v1/namespaces/{checked(source.namespace)}/pods/{checked(source.pod)}/log"
        what = f"get pods/log of {source}"
        try:
            content = await self._connection.content(
                "GET", path, what, query=_query(source, window.start), max_bytes=2 * MAX_BYTES
            )
        except Refused as refused:
            raise refused.error(what) from None
        return await asyncio.to_thread(read_log, source, io.BytesIO(content), window, max_lines)


def _query(source: LogSource, since: datetime) -> list[tuple[str, str]]:
    query = [
        ("container", source.container),
        ("timestamps", "true"),
        ("tailLines", str(TAIL)),
        ("limitBytes", str(MAX_BYTES)),
        ("sinceTime", format_instant(since.replace(microsecond=0))),
    ]
    return [*query, ("previous", "true")] if source.previous else query


def _sources(pod: Mapping[str, Any]) -> Iterator[LogSource]:
    metadata, status = pod.get("metadata") or {}, pod.get("status") or {}
    place = str(metadata.get("namespace", "")), str(metadata.get("name", ""))
    for field in _STATUSES:
        for item in status.get(field) or ():
            container, restarts = str(item.get("name", "")), int(item.get("restartCount") or 0)
            state, last = item.get("state") or {}, item.get("lastState") or {}
            if state.get("running") or state.get("terminated") or restarts:
                yield LogSource(*place, container)
            if restarts or last.get("terminated"):
                yield LogSource(*place, container, previous=True)
