"""Who calls whom, from every source that says so, as the analyzers follow it from callers to callees.

All that is told of a call is merged into one edge that knows its witnesses (``call_graph``). What was seen, or given by
a person, is followed. Where nothing that a workload calls was seen, what it is configured to call is followed instead:
better than taking it for one that calls nobody. What a policy merely allows is only ever a further witness, and the
gates of the cluster are shown but not followed, because they are no workloads. Called by the analyzers that follow
trouble from callers to callees, and by the verdict, which cites the way.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from agent_sre.analysis.call_configuration import configured
from agent_sre.analysis.call_graph import ENTRIES, TRUST, CallEdge, Source, merged
from agent_sre.analysis.call_telemetry import seen_calls
from agent_sre.analysis.casefile import CaseFile, per_case

_FOLLOWED = TRUST[Source.CONFIG_MAPS]
"""The least trust in a witness that an edge is followed for."""


@dataclass(frozen=True, slots=True)
class Calls:
    """The call graph: ``callees`` by caller and ``callers`` by callee, names sorted; ``edges`` all that is told."""

    callees: Mapping[str, tuple[str, ...]]
    callers: Mapping[str, tuple[str, ...]]
    edges: Mapping[tuple[str, str], CallEdge] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether nothing is known about calls."""
        return not self.callees

    def reached(self, names: frozenset[str]) -> frozenset[str]:
        """The names and everything they call, directly or not."""
        found, todo = set(names), sorted(names)
        while todo:
            for callee in self.callees.get(todo.pop(), ()):
                if callee not in found:
                    found.add(callee)
                    todo.append(callee)
        return frozenset(found)

    def roots(self) -> frozenset[str]:
        """Those that call others and are called by nobody: where requests come in."""
        return frozenset(name for name in self.callees if not self.callers.get(name))

    def way(self, start: Iterable[str], goal: str) -> tuple[CallEdge, ...]:
        """The edges of a shortest way from one of the callers to a callee; () where there is none, or it is no way."""
        before: dict[str, str] = {}
        todo = sorted(set(start))
        reached = set(todo)
        while todo:
            following: list[str] = []
            for name in todo:
                for callee in self.callees.get(name, ()):
                    if callee not in reached:
                        reached.add(callee)
                        before[callee] = name
                        following.append(callee)
            if goal in before:
                break
            todo = following
        way: list[CallEdge] = []
        while goal in before:
            way.insert(0, self.edges[before[goal], goal])
            goal = before[goal]
        return tuple(way)


@per_case
def calls(case: CaseFile) -> Calls:
    """The case's call graph."""
    edges = merged([*seen_calls(case), *configured(case)])
    followed = _followed(edges)
    callees: dict[str, set[str]] = defaultdict(set)
    callers: dict[str, set[str]] = defaultdict(set)
    for edge in followed:
        callees[edge.caller].add(edge.callee)
        callers[edge.callee].add(edge.caller)
    return Calls(
        {name: tuple(sorted(found)) for name, found in sorted(callees.items())},
        {name: tuple(sorted(found)) for name, found in sorted(callers.items())},
        {(edge.caller, edge.callee): edge for edge in edges},
    )


def _followed(edges: Iterable[CallEdge]) -> list[CallEdge]:
    """What was seen; for callers of whom nothing was seen, what they are configured to call."""
    inside = [edge for edge in edges if not ENTRIES & set(edge.sources)]
    sighted = {edge.caller for edge in inside if edge.seen}
    return [
        edge for edge in inside if edge.seen or (edge.caller not in sighted and TRUST[edge.sources[0]] >= _FOLLOWED)
    ]
