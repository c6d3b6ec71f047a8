"""What is spoken about: Kubernetes objects, and windows of time."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent_sre.domain.instant import format_instant


@dataclass(frozen=True, slots=True, order=True)
class ObjectRef:
    """One object by kind, namespace and name; ``namespace`` is "" for a cluster-scoped kind."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        """``Deployment shop/checkout``, or ``Node worker-1`` for a cluster-scoped object."""
        place = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {place}"


@dataclass(frozen=True, slots=True)
class Window:
    """A closed interval of time, UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        """Refuse a window that ends before it starts."""
        if self.end < self.start:
            raise ValueError(f"window ends at {self.end} before it starts at {self.start}")

    def __str__(self) -> str:
        """``start/end`` in RFC 3339, as ISO 8601 writes intervals."""
        return f"{format_instant(self.start)}/{format_instant(self.end)}"

    def contains(self, instant: datetime) -> bool:
        """Whether the instant lies inside, ends included."""
        return self.start <= instant <= self.end

    @property
    def length(self) -> timedelta:
        """End minus start."""
        return self.end - self.start


_OF_DEPLOYMENT = re.compile(r"^(.+)-[0-9a-f]{6,10}-[0-9a-z]{5}$")
_OF_REPLICASET = re.compile(r"^(.+)-(?:[0-9a-f]{6,10}|[0-9bcdf-hj-np-tv-xz]{8,10})$")
_OF_SET = re.compile(r"^(.+)-(?:\d{1,4}|[0-9bcdf-hj-np-tv-xz]{5})$")


def owner_name(kind: str, name: str) -> str:
    """The workload that a Pod or ReplicaSet belongs to, told by its name; any other kind's own name."""
    patterns = {"Pod": (_OF_DEPLOYMENT, _OF_SET), "ReplicaSet": (_OF_REPLICASET,)}.get(kind, ())
    for pattern in patterns:
        match = pattern.match(name)
        if match:
            return match[1]
    return name
