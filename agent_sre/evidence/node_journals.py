"""Journals of nodes' units (kubelet, container runtime), where a log source keeps them."""

import asyncio
from collections.abc import Sequence
from functools import partial

from agent_sre.domain.telemetry import LogSource
from agent_sre.evidence.pod_logs import left_out
from agent_sre.evidence.reading import Reading, capped, not_there
from agent_sre.evidence.scope import Collected, Readers, Scope
from agent_sre.ports.logs import LogReader

NAME = "node_journals"
PLACE = "@nodes"
_FIX = "ship the nodes' journals to a log store that is configured here, or add logs/@nodes to the snapshot"


async def collect(scope: Scope, readers: Readers) -> Collected:
    """One observation per unit of a node, from the first reader that has any."""
    given = [logs for logs in (readers.logs, readers.log_store) if logs is not None]
    if not given:
        return not_there("logs", "journals of nodes", _FIX)
    reading = Reading(NAME, "logs", scope)
    refused = False
    for logs in given:
        found = await reading.look("journals of nodes", partial(logs.sources, PLACE, scope.window), _FIX)
        refused = refused or found is None
        if found:
            await _read(reading, logs, found)
            return reading.done()
    if not refused:
        reading.gap("journals of nodes", "no journal is kept where this reader can see it", _FIX)
    return reading.done()


async def _read(reading: Reading, logs: LogReader, found: Sequence[LogSource]) -> None:
    scope = reading.scope
    sources, beyond = capped(found, scope.limits.log_streams, "units")
    for what in beyond:
        reading.gap("journals of nodes", what)
    answers = await asyncio.gather(
        *(
            reading.look(f"journal {source}", partial(logs.read, source, scope.window, scope.limits.log_lines))
            for source in sources
        )
    )
    for source, answer in zip(sources, answers, strict=True):
        if answer is not None:
            query = f"journalctl --unit {source.container} on node {source.pod}"
            reading.observe(query, streams=answer.streams, left_out=left_out(answer), link=answer.link)
