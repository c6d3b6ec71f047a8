"""The call graph as a value: one edge for each caller and callee, with everybody who tells of it.

Several sources tell of the same call, and none of all: traces are sampled, a mesh sees only its members, configuration
may be dead, a policy allows what nobody does. So an edge keeps its witnesses, one for each kind of source, each with a
fact that can be cited. How far it is trusted follows from the kinds alone, as if they erred independently, so that a
thousand spans weigh no more than one. Merging keeps, of two witnesses of one kind, always the same one, whatever the
order; so it is associative, commutative and idempotent.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from math import prod

from agent_sre.domain.finding import Fact


class Source(StrEnum):
    """Who tells of a call, in words for people."""

    GIVEN = "the given topology"
    TRACES = "traces"
    PEERS = "client spans"
    MESH = "mesh metrics"
    SERVICE_GRAPH = "service graph metrics"
    CALL_METRICS = "metrics by caller"
    ROUTES = "routes"
    CONFIGURATION = "workload configuration"
    CONFIG_MAPS = "ConfigMaps"
    POLICIES = "network policies"


TRUST = {
    Source.GIVEN: 0.9,
    Source.TRACES: 0.95,
    Source.PEERS: 0.9,
    Source.MESH: 0.95,
    Source.SERVICE_GRAPH: 0.9,
    Source.CALL_METRICS: 0.9,
    Source.ROUTES: 0.8,
    Source.CONFIGURATION: 0.6,
    Source.CONFIG_MAPS: 0.5,
    Source.POLICIES: 0.2,
}
"""How often what a kind of source tells is a call that happens."""
SEEN = 0.85
"""From here on an edge counts as seen: requests were, or a person says so."""
ENTRIES = frozenset({Source.ROUTES})
"""Sources whose callers are gates of the cluster and no workloads."""


@dataclass(frozen=True, slots=True)
class Witness:
    """One source's word for an edge, with the fact that shows it."""

    source: Source
    fact: Fact

    @property
    def rank(self) -> tuple[float, str, str, str, str]:
        """By which witnesses are sorted, the most trusted first, and chosen among those of one kind."""
        return -TRUST[self.source], self.source, self.fact.observation, self.fact.excerpt, self.fact.text


@dataclass(frozen=True, slots=True)
class CallEdge:
    """``caller`` sends requests to ``callee``: client to server, whichever way the data goes."""

    caller: str
    callee: str
    witnesses: tuple[Witness, ...]

    @property
    def trust(self) -> float:
        """How likely the call happens, 0..1: one minus the chance that all kinds of sources err."""
        return 1.0 - prod(1.0 - TRUST[item.source] for item in self.witnesses)

    @property
    def seen(self) -> bool:
        """Whether some single source is trusted enough by itself."""
        return any(TRUST[item.source] >= SEEN for item in self.witnesses)

    @property
    def sources(self) -> tuple[Source, ...]:
        """Who tells of it, the most trusted first."""
        return tuple(item.source for item in self.witnesses)

    def __str__(self) -> str:
        """``front calls basket (traces, network policies)``."""
        return f"{self.caller} calls {self.callee} ({', '.join(self.sources)})"


def told(caller: str, callee: str, source: Source, fact: Fact) -> CallEdge:
    """An edge with one witness."""
    return CallEdge(caller, callee, (Witness(source, fact),))


def merged(edges: Iterable[CallEdge]) -> tuple[CallEdge, ...]:
    """One edge for each caller and callee, with one witness for each kind of source; sorted by name."""
    kept: dict[tuple[str, str], dict[Source, Witness]] = defaultdict(dict)
    for edge in edges:
        held = kept[edge.caller, edge.callee]
        for witness in edge.witnesses:
            other = held.get(witness.source)
            if other is None or witness.rank < other.rank:
                held[witness.source] = witness
    return tuple(
        CallEdge(caller, callee, tuple(sorted(held.values(), key=lambda item: item.rank)))
        for (caller, callee), held in sorted(kept.items())
    )
