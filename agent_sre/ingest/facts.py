"""What speaks for one alert belonging to one incident: the kinds of facts, and how much each weighs.

Thresholds are of the sum. Without one fact of ``strong`` there is no sum that suffices: time, a namespace or a label of
the whole site can strengthen a reason, and never are one. A false join hides an outage behind another; a false split
costs one more investigation. So what is uncertain stays apart.
"""

from dataclasses import dataclass
from enum import StrEnum

JOIN_AT = 60
"""From this sum on an alert is the same incident."""
CHILD_AT = 55
"""From this sum on an alert whose subject stands in a relation to the incident's becomes a part of that incident."""


class FactKind(StrEnum):
    """What an alert and an incident can have in common."""

    WORKLOAD = "same workload"
    ROLLOUT = "same rollout"
    SERVICE = "same service, one of them names no namespace"
    RULE = "same alert rule"
    NAME = "same alert in the same namespace"
    INSTANCES = "same alert on further instances of the same cluster"
    NAME_ON_NODE = "same alert on the same node"
    CALLS = "one calls the other"
    ON_NODE = "runs on a node that has an alert of its own"
    NODE = "same node"
    LABELS = "same uncommon label"
    TIME = "close in time"


@dataclass(frozen=True, slots=True)
class Weight:
    """Points; whether the fact may decide (``strong``), and whether it tells of a relation instead of sameness."""

    points: int
    strong: bool = False
    relation: bool = False


WEIGHTS: dict[FactKind, Weight] = {
    FactKind.WORKLOAD: Weight(50, strong=True),
    FactKind.ROLLOUT: Weight(50, strong=True),
    FactKind.SERVICE: Weight(45, strong=True),
    FactKind.RULE: Weight(40, strong=True),
    FactKind.NAME: Weight(40, strong=True),
    FactKind.INSTANCES: Weight(40, strong=True),
    FactKind.NAME_ON_NODE: Weight(40, strong=True),
    FactKind.CALLS: Weight(40, relation=True),
    FactKind.ON_NODE: Weight(40, relation=True),
    FactKind.NODE: Weight(10),
    FactKind.LABELS: Weight(10),
}
"""Points by kind. Those of time are in ``TIME_POINTS``."""

TIME_POINTS: tuple[tuple[float, int], ...] = ((60.0, 20), (120.0, 15), (600.0, 10), (900.0, 5))
"""Seconds apart at most, and the points for that; further apart, up to the correlation window, none."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact in words, with its points."""

    kind: FactKind
    text: str
    points: int

    def __str__(self) -> str:
        """``same workload shop/cart (+60)``."""
        return f"{self.text} (+{self.points})"


def time_points(seconds: float) -> int:
    """The points for so many seconds apart."""
    return next((points for most, points in TIME_POINTS if seconds <= most), 0)


def enough(facts: tuple[Fact, ...]) -> FactKind | None:
    """The kind that decides where the facts suffice: a strong one for a join, a relation for a child, else None."""
    total = sum(fact.points for fact in facts)
    strong = [fact for fact in facts if WEIGHTS.get(fact.kind, Weight(0)).strong]
    if strong and total >= JOIN_AT:
        return strong[0].kind
    related = [fact for fact in facts if WEIGHTS.get(fact.kind, Weight(0)).relation]
    return related[0].kind if related and total >= CHILD_AT else None
