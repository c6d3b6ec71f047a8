"""Who calls whom, from every source that says so: the topology given, per-call metrics and trace spans.

Names are as the sources write them; a span's service and a metric's workload are taken to be the same thing where their
names are equal. Called by the analyzers that follow trouble from callers to callees.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.signals import measured


@dataclass(frozen=True, slots=True)
class Calls:
    """The call graph: ``callees`` by caller and ``callers`` by callee, names sorted."""

    callees: Mapping[str, tuple[str, ...]]
    callers: Mapping[str, tuple[str, ...]]

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


_KEPT: "WeakKeyDictionary[CaseFile, Calls]" = WeakKeyDictionary()


def calls(case: CaseFile) -> Calls:
    """The case's call graph."""
    kept = _KEPT.get(case)
    if kept is None:
        kept = _KEPT[case] = _build(case)
    return kept


def _build(case: CaseFile) -> Calls:
    pairs = {(seen.value.caller, seen.value.callee) for seen in case.edges}
    for item in measured(case):
        caller = item.entity.peer if item.entity.kind == "edge" else item.labels.get("caller", "")
        if caller and item.entity.kind in ("edge", "workload"):
            pairs.add((caller, item.entity.name))
    services = {(seen.value.trace_id, seen.value.span_id): seen.value.service for seen in case.spans}
    pairs |= {
        (services.get((seen.value.trace_id, seen.value.parent_id), ""), seen.value.service)
        for seen in case.spans
        if seen.value.parent_id
    }
    callees: dict[str, set[str]] = defaultdict(set)
    callers: dict[str, set[str]] = defaultdict(set)
    for caller, callee in pairs:
        if caller and callee and caller != callee and "unknown" not in (caller, callee):
            callees[caller].add(callee)
            callers[callee].add(caller)
    return Calls(
        {name: tuple(sorted(found)) for name, found in sorted(callees.items())},
        {name: tuple(sorted(found)) for name, found in sorted(callers.items())},
    )
