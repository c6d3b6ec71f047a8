"""Units of nodes (systemd) that do not run, from the node exporter's unit states.

A unit counts as stopped where its active state is 0 at the last sample and another state is 1; a unit that reports no
state is not looked at, and one that is merely absent is not installed.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.objects import node_of
from agent_sre.analysis.signals import Measured, about
from agent_sre.domain.finding import Fact

_STOPPED = ("inactive", "failed", "deactivating", "activating")


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """A unit that does not run on a node. ``state`` is what it is in instead."""

    node: str
    name: str
    state: str
    signal: Measured

    def fact(self, sentence: str) -> Fact:
        """That the unit is in this state; the excerpt is the series and its last sample."""
        time = float(self.signal.times[-1])
        shown = f"{self.signal.source} {self.signal.values[-1]:g}"
        return Fact(sentence, self.signal.observation, shown, datetime.fromtimestamp(time, UTC))


def stopped_units(case: CaseFile) -> list[Unit]:
    """All units that do not run, by node and name."""
    states: dict[tuple[str, str], dict[str, Measured]] = defaultdict(dict)
    for signal in about(case, "unit_state", "node"):
        if signal.times.size:
            key = (signal.entity.name, signal.labels.get("unit", ""))
            states[key][signal.labels.get("state", "")] = signal
    found = []
    for (node, name), by_state in sorted(states.items()):
        active = by_state.get("active")
        if active is None or active.values[-1] > 0:
            continue
        for state in _STOPPED:
            instead = by_state.get(state)
            if instead is not None and instead.values[-1] > 0:
                found.append(Unit(node_of(case, node).name, name, state, instead))
                break
    return found
