"""What an incident's alerts have named so far: the facts by which a further alert is told to belong to it.

Kept with the incident and bounded, so that a storm of any size can be compared with what is active without reading a
single one of its alerts.
"""

from dataclasses import dataclass
from datetime import datetime

MOST = 40
"""Values kept of each kind; more of a kind say no more about which alerts belong here."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """The things that alerts named, each kind in the order of its first mention; ``first`` and ``last`` start, UTC.

    ``alerts`` are names with their place ("A in namespace shop"; of a node, else of a cluster, where no namespace is
    named), so that of several names and places only those count that came together. ``workloads`` are
    ``namespace/name`` ("/name" where no namespace was named), ``rules`` ids of alert rules and dashboard panels,
    ``pairs`` further labels as ``name=value``.
    """

    workloads: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    pairs: tuple[str, ...] = ()
    first: datetime | None = None
    last: datetime | None = None

    def joined(self, other: "Footprint") -> "Footprint":
        """Both together; itself where the other adds nothing."""
        joined = Footprint(
            workloads=_both(self.workloads, other.workloads),
            nodes=_both(self.nodes, other.nodes),
            namespaces=_both(self.namespaces, other.namespaces),
            clusters=_both(self.clusters, other.clusters),
            names=_both(self.names, other.names),
            alerts=_both(self.alerts, other.alerts),
            rules=_both(self.rules, other.rules),
            pairs=_both(self.pairs, other.pairs),
            first=min((item for item in (self.first, other.first) if item), default=None),
            last=max((item for item in (self.last, other.last) if item), default=None),
        )
        return self if joined == self else joined

    def apart(self, moment: datetime) -> float | None:
        """Seconds between a moment and the nearest of our alerts' starts, 0 between the first and the last.

        None where no alert has started yet.
        """
        if self.first is None or self.last is None:
            return None
        if moment < self.first:
            return (self.first - moment).total_seconds()
        return max((moment - self.last).total_seconds(), 0.0)


def _both(ours: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[str, ...]:
    new = [value for value in theirs if value not in ours]
    return (*ours, *new)[:MOST] if new and len(ours) < MOST else ours
