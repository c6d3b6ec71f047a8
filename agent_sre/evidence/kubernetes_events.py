"""Kubernetes Events of the namespaces, of nodes (kept in ``default``) and of the cluster's own parts.

All that the API server still has are kept, not only those in the window: an old FailedCreate may be the cause of
today's outage. Analyzers judge their age.
"""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from agent_sre.evidence.kubernetes_paths import (
    KUBERNETES_FIX,
    NODE_EVENTS_NAMESPACE,
    SYSTEM_NAMESPACE,
    list_query,
    right,
)
from agent_sre.evidence.reading import Reading, capped, not_there
from agent_sre.evidence.scope import Collected, Readers, Scope

NAME = "kubernetes_events"
_NOT_OF_PODS = "involvedObject.kind!=Pod"
"""Of a namespace that is looked at for its nodes' Events only, those of its pods are left to the server."""


async def collect(scope: Scope, readers: Readers) -> Collected:
    """One observation per namespace, the newest events first where there are too many."""
    cluster = readers.cluster
    if cluster is None:
        return not_there("kubernetes", "events", KUBERNETES_FIX)
    reading = Reading(NAME, "kubernetes", scope)
    places = dict.fromkeys(scope.namespaces, "")
    places = {**places, NODE_EVENTS_NAMESPACE: _NOT_OF_PODS, SYSTEM_NAMESPACE: "", **places}
    answers = await asyncio.gather(
        *(
            reading.look(f"Event in {place}", partial(cluster.list, "Event", place, chosen), right("Event", place))
            for place, chosen in places.items()
        )
    )
    for (place, chosen), found in zip(places.items(), answers, strict=True):
        if found is not None:
            newest = sorted(found, key=_time, reverse=True)
            kept, left_out = capped(newest, scope.limits.events, "events (the oldest)")
            reading.observe(list_query("Event", place, chosen), objects=kept, left_out=left_out, window=None)
    return reading.done()


def _time(event: Mapping[str, Any]) -> str:
    """When it was last seen, as RFC 3339 in UTC, which sorts as text."""
    series = event.get("series") or {}
    metadata = event.get("metadata") or {}
    times = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return str(next((time for time in times if time), metadata.get("creationTimestamp") or ""))
