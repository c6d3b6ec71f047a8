"""The incidents an alert could belong to, found by what they named instead of by comparing with all of them.

An incident whose alerts share none of the indexed things with an alert cannot reach any threshold with it, so it is not
looked at: a new alert costs the same whether ten incidents are active or a thousand.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from agent_sre.domain.footprint import Footprint
from agent_sre.domain.incident import Incident

MOST = 50
"""Candidates that are compared."""


class Candidates:
    """An index that follows each change of an incident."""

    def __init__(self) -> None:
        self._incidents: dict[str, Incident] = {}
        self._by_key: dict[str, set[str]] = {}
        self._keys: dict[str, frozenset[str]] = {}

    def __iter__(self) -> Iterator[Incident]:
        """Every incident, in no order that means anything."""
        return iter(self._incidents.values())

    def put(self, incident: Incident) -> None:
        """Add the incident, or what it has become."""
        self._incidents[incident.id] = incident
        storm = (f"storm:{incident.storm}",) if incident.storm else ()
        keys = frozenset((*keys_of(incident.footprint), *storm))
        for gone in self._keys.get(incident.id, frozenset()) - keys:
            self._by_key[gone].discard(incident.id)
        for new in keys - self._keys.get(incident.id, frozenset()):
            self._by_key.setdefault(new, set()).add(incident.id)
        self._keys[incident.id] = keys

    def get(self, incident_id: str) -> Incident | None:
        """One of them."""
        return self._incidents.get(incident_id)

    def sharing(self, keys: Iterable[str]) -> list[Incident]:
        """Those that named one of the things, in the order of the keys, the latest opened first, at most MOST."""
        found: dict[str, Incident] = {}
        for key in keys:
            fresh = [self._incidents[name] for name in self._by_key.get(key, ()) if name not in found]
            fresh.sort(key=lambda item: (item.opened_at, item.id), reverse=True)
            found.update((item.id, item) for item in fresh[: MOST - len(found)])
        return list(found.values())

    def opened_within(self, window: timedelta, now: datetime) -> list[Incident]:
        """Active incidents that stand by themselves and were opened within the window before now, oldest first."""
        since = now - window
        found = [item for item in self if item.active and not item.parent_id and item.opened_at >= since]
        return sorted(found, key=lambda item: (item.opened_at, item.id))

    def storm(self, key: str) -> Incident | None:
        """The active storm incident that gathers by a thing, the oldest of several."""
        found = [item for item in self.sharing([f"storm:{key}"]) if item.storm == key and item.active]
        return found[-1] if found else None


def keys_of(footprint: Footprint) -> Iterator[str]:
    """What a footprint is found by."""
    for workload in footprint.workloads:
        yield f"workload:{workload.partition('/')[2]}"
    for node in footprint.nodes:
        yield f"node:{node}"
    for name in footprint.names:
        yield f"name:{name}"
    for rule in footprint.rules:
        yield f"rule:{rule}"


def shares(footprints: Iterable[Footprint]) -> Counter[str]:
    """How many of the footprints name each node, alert name and namespace: what a storm may be gathered by."""
    counted: Counter[str] = Counter()
    for item in footprints:
        counted.update(f"node={value}" for value in item.nodes)
        counted.update(f"alertname={value}" for value in item.names)
        counted.update(f"namespace={value}" for value in item.namespaces)
    return counted
