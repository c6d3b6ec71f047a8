"""Who calls whom."""

from functools import partial

from agent_sre.evidence.reading import Reading, not_there
from agent_sre.evidence.scope import Collected, Readers, Scope

NAME = "topology"


async def collect(scope: Scope, readers: Readers) -> Collected:
    """One observation with all edges."""
    reader = readers.topology
    if reader is None:
        return not_there("topology", "the call graph", "configure a source of traces or a mesh, or add topology.json")
    reading = Reading(NAME, "topology", scope)
    found = await reading.look("the call graph", partial(reader.edges, scope.namespaces))
    if found is not None:
        reading.observe("edges between services", edges=found, window=None)
    return reading.done()
