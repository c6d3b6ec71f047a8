"""Who calls whom, as a person wrote it down; what traces, metrics and objects tell of it is analysis' work."""

from functools import partial

from agent_sre.evidence.reading import Reading, not_there
from agent_sre.evidence.scope import Collected, Readers, Scope

NAME = "topology"
_FIX = (
    "name them in AGENT_SRE_TOPOLOGY_FILE, or add topology.json; without it calls are told from traces, mesh metrics "
    "and configuration"
)


async def collect(scope: Scope, readers: Readers) -> Collected:
    """One observation with all edges."""
    reader = readers.topology
    if reader is None:
        return not_there("topology", "calls that a person wrote down", _FIX)
    reading = Reading(NAME, "topology", scope)
    found = await reading.look("the call graph", partial(reader.edges, scope.namespaces))
    if found is not None:
        reading.observe("edges between services", edges=found, window=None)
    return reading.done()
