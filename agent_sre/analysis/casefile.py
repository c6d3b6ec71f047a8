"""Everything that was observed about one incident, indexed for the analyzers.

Analyzers are pure functions from a ``CaseFile`` to findings. Each thing they read comes as a ``Seen`` value that knows
which observation it came from, so that a finding can cite it. Absence here may mean "not there" or "not looked at":
``looked_at`` tells the two apart, and an analyzer that argues from absence must ask it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Generic, TypeVar

from agent_sre.domain.alert import Alert
from agent_sre.domain.evidence import Gap, Observation
from agent_sre.domain.reference import ObjectRef, Window
from agent_sre.domain.signal import Signal
from agent_sre.domain.telemetry import Change, Edge, LogStream, Series

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Seen(Generic[T_co]):
    """A value and the id of the observation that brought it."""

    value: T_co
    observation: str


K8sObject = Mapping[str, Any]


class CaseFile:
    """The observations of one run, by what they are. Immutable by convention; indexes are built on first use."""

    def __init__(
        self,
        *,
        now: datetime,
        window: Window,
        namespaces: Sequence[str],
        alerts: Sequence[Alert],
        observations: Iterable[Observation],
        gaps: Sequence[Gap] = (),
        signals: Sequence[Signal] = (),
    ) -> None:
        self.now = now
        self.window = window
        self.namespaces = tuple(namespaces)
        self.alerts = tuple(alerts)
        self.gaps = tuple(gaps)
        self.signals = tuple(signals)
        """The signal catalogue in force: defaults and the site's additions, the site's first."""
        self.observations = {item.id: item for item in observations}
        self.derived: dict[Any, Any] = {}
        """What analyzers have worked out of the case and share; see ``per_case``."""

    @cached_property
    def _by_kind(self) -> dict[str, list[Seen[K8sObject]]]:
        index: dict[str, list[Seen[K8sObject]]] = defaultdict(list)
        for observation in self.observations.values():
            for item in observation.objects:
                index[str(item.get("kind", ""))].append(Seen(item, observation.id))
        return index

    def looked_at(self, kind: str) -> bool:
        """Whether a listing of this Kubernetes kind was made at all (an empty one counts)."""
        return kind in self._by_kind or kind in self._listed

    @cached_property
    def _listed(self) -> frozenset[str]:
        queries = (item.query.rpartition(" kind=") for item in self.observations.values())
        return frozenset(kind for _, found, kind in queries if found)

    def objects(self, kind: str, namespace: str | None = None) -> list[Seen[K8sObject]]:
        """Objects of a kind; of one namespace where given."""
        found = self._by_kind.get(kind, [])
        if namespace is None:
            return found
        return [item for item in found if item.value.get("metadata", {}).get("namespace", "") == namespace]

    @cached_property
    def _by_ref(self) -> dict[ObjectRef, Seen[K8sObject]]:
        return {
            ObjectRef(kind, item.value["metadata"].get("namespace", ""), item.value["metadata"].get("name", "")): item
            for kind, items in self._by_kind.items()
            for item in items
            if kind != "Event" and "metadata" in item.value
        }

    def get(self, ref: ObjectRef) -> Seen[K8sObject] | None:
        """One object, or None where it was not seen."""
        return self._by_ref.get(ref)

    @cached_property
    def _events(self) -> dict[tuple[str, str], list[Seen[K8sObject]]]:
        index: dict[tuple[str, str], list[Seen[K8sObject]]] = defaultdict(list)
        for item in self._by_kind.get("Event", []):
            regarding = item.value.get("involvedObject") or item.value.get("regarding") or {}
            index[str(regarding.get("kind", "")), str(regarding.get("name", ""))].append(item)
        return index

    def events_of(self, ref: ObjectRef) -> list[Seen[K8sObject]]:
        """Kubernetes Events about one object."""
        return [
            item
            for item in self._events.get((ref.kind, ref.name), [])
            if not ref.namespace
            or (item.value.get("involvedObject") or {}).get("namespace") in (None, "", ref.namespace)
        ]

    @cached_property
    def streams(self) -> list[Seen[LogStream]]:
        """All log streams; units of nodes have the namespace "@nodes"."""
        return [Seen(item, seen.id) for seen in self.observations.values() for item in seen.streams]

    @cached_property
    def series(self) -> list[Seen[Series]]:
        """All metric series."""
        return [Seen(item, seen.id) for seen in self.observations.values() for item in seen.series]

    @cached_property
    def changes(self) -> list[Seen[Change]]:
        """All recorded changes, oldest first."""
        found = [Seen(item, seen.id) for seen in self.observations.values() for item in seen.changes]
        return sorted(found, key=lambda item: (item.value.time, item.value.id))

    @cached_property
    def edges(self) -> list[Seen[Edge]]:
        """The call graph."""
        return [Seen(item, seen.id) for seen in self.observations.values() for item in seen.edges]


def per_case(build: Callable[[CaseFile], T]) -> Callable[[CaseFile], T]:
    """Work ``build`` out once for each case; the result lives and dies with the case, which it may refer to.

    A module's weak mapping from cases would not do: a value that refers to its key keeps it alive for ever.
    """

    def built(case: CaseFile) -> T:
        if build not in case.derived:
            case.derived[build] = build(case)
        found: T = case.derived[build]
        return found

    return built
