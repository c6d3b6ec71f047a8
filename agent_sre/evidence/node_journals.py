"""Journals of nodes' units (kubelet, container runtime), where a log source keeps them."""

import asyncio
from functools import partial

from agent_sre.evidence.reading import Reading, capped, not_there
from agent_sre.evidence.scope import Collected, Readers, Scope

NAME = "node_journals"
PLACE = "@nodes"
_FIX = "ship the nodes' journals to a log store that is configured here, or add logs/@nodes to the snapshot"


async def collect(scope: Scope, readers: Readers) -> Collected:
    """One observation per unit of a node."""
    logs = readers.logs
    if logs is None:
        return not_there("logs", "journals of nodes", _FIX)
    reading = Reading(NAME, "logs", scope)
    found = await reading.look("journals of nodes", partial(logs.sources, PLACE), _FIX)
    sources, left_out = capped(found or (), scope.limits.log_streams, "units")
    for what in left_out:
        reading.gap("journals of nodes", what)
    if found is not None and not found:
        reading.gap("journals of nodes", "no journal is kept where this reader can see it", _FIX)
    answers = await asyncio.gather(
        *(
            reading.look(f"journal {source}", partial(logs.read, source, scope.window, scope.limits.log_lines))
            for source in sources
        )
    )
    for source, stream in zip(sources, answers, strict=True):
        if stream is not None:
            sampled = (f"{stream.left_out} lines, sampled evenly",) if stream.left_out else ()
            query = f"journalctl --unit {source.container} on node {source.pod}"
            reading.observe(query, streams=(stream,), left_out=sampled)
    return reading.done()
