"""A pod and its containers as an operator looks at them: does it run, is it ready, what was the last thing it said.

Wraps the API object; each property is one question. The fields' paths are kept, so that an analyzer can cite them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from agent_sre.analysis.casefile import K8sObject, Seen
from agent_sre.analysis.kubernetes.reading import (
    Path,
    instant,
    items,
    labels,
    mapping,
    number,
    positions,
    ref_of,
    text,
)
from agent_sre.domain.reference import ObjectRef

_SYSTEM_VOLUMES = ("projected", "emptyDir", "downwardAPI")


@dataclass(frozen=True, slots=True, eq=False)
class Container:
    """One container: its spec and status, each with the path it was found at (status empty where none is known)."""

    name: str
    spec: K8sObject
    spec_path: Path
    status: K8sObject
    status_path: Path
    init: bool

    @property
    def ready(self) -> bool:
        """Whether the status says ready."""
        return self.status.get("ready") is True

    @property
    def restarts(self) -> int:
        """How often it was restarted."""
        return number(self.status, "restartCount") or 0

    @property
    def waiting(self) -> str:
        """The reason it waits, or ""."""
        return text(self.status, "state", "waiting", "reason")

    @property
    def terminated(self) -> tuple[K8sObject, Path]:
        """How its latest run ended (the current state first, else the state before), and where that is written."""
        for state in ("state", "lastState"):
            found = mapping(self.status, state, "terminated")
            if found:
                return found, (*self.status_path, state, "terminated")
        return {}, ()

    @property
    def started(self) -> datetime | None:
        """When the current run began."""
        return instant(self.status, "state", "running", "startedAt")

    def ports(self) -> list[int]:
        """Declared container ports."""
        return [port for item in items(self.spec, "ports") if (port := number(item, "containerPort")) is not None]

    def env(self) -> dict[str, str]:
        """Environment variables with literal values."""
        return {text(item, "name"): text(item, "value") for item in items(self.spec, "env") if "value" in item}


class Pod:
    """One pod, as last listed."""

    def __init__(self, seen: Seen[K8sObject]) -> None:
        self.seen = seen
        self.ref: ObjectRef = ref_of(seen.value)
        self.labels = labels(seen.value, "metadata", "labels")
        self.node = text(seen.value, "spec", "nodeName")
        self.phase = text(seen.value, "status", "phase")

    @cached_property
    def containers(self) -> tuple[Container, ...]:
        """Its containers, init containers first."""
        return (*self._containers("initContainers", True), *self._containers("containers", False))

    def _containers(self, field: str, init: bool) -> Iterator[Container]:
        status_field = "initContainerStatuses" if init else "containerStatuses"
        statuses = {
            text(item, "name"): (place, item) for place, item in positions(self.seen.value, "status", status_field)
        }
        for place, spec in positions(self.seen.value, "spec", field):
            name = text(spec, "name")
            at, status = statuses.get(name, (-1, {}))
            path: Path = ("status", status_field, at) if at >= 0 else ()
            yield Container(name, spec, ("spec", field, place), status, path, init)

    @property
    def deleting(self) -> bool:
        """Whether it is on its way out."""
        return bool(text(self.seen.value, "metadata", "deletionTimestamp"))

    @property
    def done(self) -> bool:
        """Whether it ran to completion."""
        return self.phase == "Succeeded"

    @property
    def ended(self) -> bool:
        """Whether it is over, well or not, and so takes no room on its node."""
        return self.phase in ("Succeeded", "Failed")

    @cached_property
    def ready(self) -> bool:
        """Whether it serves: running, and nothing says that it or one of its containers is not ready."""
        if self.phase != "Running":
            return False
        known = [item for item in self.containers if not item.init and item.status]
        return all(item.ready for item in known) and self.condition("Ready") in ("True", "")

    def condition(self, kind: str) -> str:
        """The status of a condition, or "" where it is not reported."""
        found = (item for item in items(self.seen.value, "status", "conditions") if text(item, "type") == kind)
        return next((text(item, "status") for item in found), "")

    def condition_path(self, kind: str) -> Path:
        """Where a condition is written, or ()."""
        for place, item in positions(self.seen.value, "status", "conditions"):
            if text(item, "type") == kind:
                return ("status", "conditions", place)
        return ()

    @property
    def restarts(self) -> int:
        """Restarts of all its containers."""
        return sum(item.restarts for item in self.containers)

    @property
    def created(self) -> datetime | None:
        """When it was made; where that is not told, when it started."""
        return instant(self.seen.value, "metadata", "creationTimestamp") or instant(
            self.seen.value, "status", "startTime"
        )

    def claims(self) -> list[tuple[str, Path]]:
        """The persistent volume claims it mounts, with where it says so; an ephemeral volume's claim has its name."""
        found: list[tuple[str, Path]] = []
        for place, item in positions(self.seen.value, "spec", "volumes"):
            at: Path = ("spec", "volumes", place)
            if "ephemeral" in item:
                found.append((f"{self.ref.name}-{text(item, 'name')}", at))
            elif name := text(item, "persistentVolumeClaim", "claimName"):
                found.append((name, (*at, "persistentVolumeClaim", "claimName")))
        return found

    def data_volumes(self) -> dict[str, Path]:
        """Volumes that hold data somebody else owns (claims, host paths, NFS, ...), by name."""
        return {
            text(item, "name"): ("spec", "volumes", place)
            for place, item in positions(self.seen.value, "spec", "volumes")
            if not any(kind in item for kind in (*_SYSTEM_VOLUMES, "configMap", "secret"))
        }

    def resources(self) -> set[str]:
        """The names of all resources that its containers request or limit."""
        return {
            name
            for item in self.containers
            for part in ("requests", "limits")
            for name in mapping(item.spec, "resources", part)
        }
