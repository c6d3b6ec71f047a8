"""Spans of requests in the window, whole traces first."""

from functools import partial

from agent_sre.evidence.reading import Reading, not_there
from agent_sre.evidence.scope import Collected, Readers, Scope

NAME = "traces"


async def collect(scope: Scope, readers: Readers) -> Collected:
    """One observation with at most ``Limits.spans`` spans."""
    reader = readers.traces
    if reader is None:
        return not_there("traces", "traces of requests", "configure a source of traces, or add traces.json")
    reading = Reading(NAME, "traces", scope)
    limit = scope.limits.spans
    found = await reading.look("traces", partial(reader.spans, scope.namespaces, scope.window, limit))
    if found is not None:
        left_out = (f"further traces beyond {limit} spans, sampled evenly",) if len(found) >= limit else ()
        reading.observe("spans of the namespaces", spans=found, left_out=left_out)
    return reading.done()
