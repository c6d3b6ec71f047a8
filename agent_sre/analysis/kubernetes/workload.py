"""A workload: the object a person would edit, its current generation, and the pods of that generation."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from agent_sre.analysis.casefile import K8sObject, Seen
from agent_sre.analysis.kubernetes.pods import Container, Pod
from agent_sre.analysis.kubernetes.reading import Path, dig, items, labels, mapping, number, positions, ref_of, text
from agent_sre.domain.reference import ObjectRef

_TEMPLATE: Path = ("spec", "template")
_CRON_TEMPLATE: Path = ("spec", "jobTemplate", "spec", "template")
_REVISION_TEMPLATE: Path = ("data", "spec", "template")
_REVISIONS: tuple[Path, ...] = (
    ("metadata", "annotations", "deployment.kubernetes.io/revision"),
    ("metadata", "annotations", "rollout.argoproj.io/revision"),
    ("revision",),
)


def revision_path(generation: K8sObject) -> Path:
    """Where a ReplicaSet or ControllerRevision says which revision it is; an empty path where it does not."""
    return next((path for path in _REVISIONS if dig(generation, *path) is not None), ())


class Workload:
    """One Deployment, StatefulSet, DaemonSet, Rollout, Job or CronJob; ``seen`` is None where only pods were listed."""

    def __init__(
        self,
        ref: ObjectRef,
        seen: Seen[K8sObject] | None,
        replicasets: tuple[Seen[K8sObject], ...],
        pods: tuple[Pod, ...],
        owners: Mapping[ObjectRef, ObjectRef],
        jobs: tuple[Seen[K8sObject], ...] = (),
        revisions: tuple[Seen[K8sObject], ...] = (),
    ) -> None:
        self.ref = ref
        self.seen = seen
        self.replicasets = replicasets
        self.jobs = jobs
        """The Jobs that a CronJob made, the newest first; none for other kinds."""
        self.pods = pods
        self._revisions = revisions
        self._owners = owners

    @property
    def current(self) -> Seen[K8sObject] | None:
        """The current generation's ReplicaSet, where there are such."""
        return self.replicasets[0] if self.replicasets else None

    @property
    def newest(self) -> Seen[K8sObject] | None:
        """What makes its pods now: the current ReplicaSet, a CronJob's newest Job, else the workload itself."""
        return self.current or (self.jobs[0] if self.jobs else self.seen)

    @property
    def generations(self) -> tuple[tuple[Seen[K8sObject], Path], ...]:
        """What it was and is, the newest first, each with the path of its pod template.

        ReplicaSets, or for a StatefulSet and a DaemonSet the ControllerRevisions, which hold nothing but the template.
        """
        if self.replicasets:
            return tuple((seen, _TEMPLATE) for seen in self.replicasets)
        return tuple((seen, _REVISION_TEMPLATE) for seen in self._revisions)

    @property
    def previous(self) -> tuple[Seen[K8sObject], Path] | None:
        """The generation before, and the path of its pod template."""
        return self.generations[1] if len(self.generations) > 1 else None

    def pods_of(self, generation: Seen[K8sObject]) -> list[Pod]:
        """The pods that one of the generations made."""
        if generation in self.replicasets:
            return [pod for pod in self.pods if self._owners.get(pod.ref) == ref_of(generation.value)]
        name = text(generation.value, "metadata", "name")
        hashes = {name, name.removeprefix(f"{self.ref.name}-")}  # a StatefulSet's pods carry the whole name
        return [pod for pod in self.pods if pod.labels.get("controller-revision-hash") in hashes]

    @cached_property
    def current_pods(self) -> tuple[Pod, ...]:
        """The pods of the current generation; all pods where generations are not known."""
        if self.current is None:
            return self.pods
        current = ref_of(self.current.value)
        stale = {ref_of(seen.value) for seen in self.replicasets} - {current}
        return tuple(pod for pod in self.pods if self._owners.get(pod.ref) not in stale)

    @property
    def desired(self) -> int | None:
        """How many replicas it is meant to have."""
        if self.seen is not None:
            for path in (("spec", "replicas"), ("status", "desiredNumberScheduled")):
                found = number(self.seen.value, *path)
                if found is not None:
                    return found
        return number(self.current.value, "spec", "replicas") if self.current else None

    @cached_property
    def template(self) -> tuple[Seen[K8sObject], Path] | None:
        """Where the pod template is written: the object and the path of the template."""
        for seen in (self.seen, self.current):
            for path in (_TEMPLATE, _CRON_TEMPLATE):
                if seen is not None and mapping(seen.value, *path):
                    return seen, path
        return None

    @property
    def pod_spec(self) -> Mapping[str, Any]:
        """The template's pod spec, else that of a pod."""
        if self.template is not None:
            seen, path = self.template
            return mapping(seen.value, *path, "spec")
        return mapping(self.pods[0].seen.value, "spec") if self.pods else {}

    @property
    def spec_source(self) -> tuple[Seen[K8sObject], Path] | None:
        """The object that shows the pod spec, and the path of the spec in it."""
        if self.template is not None:
            seen, path = self.template
            return seen, (*path, "spec")
        return (self.pods[0].seen, ("spec",)) if self.pods else None

    @cached_property
    def labels(self) -> dict[str, str]:
        """The labels its pods get."""
        if self.template is not None:
            seen, path = self.template
            return labels(seen.value, *path, "metadata", "labels")
        return self.pods[0].labels if self.pods else {}

    @cached_property
    def containers(self) -> tuple[Container, ...]:
        """The template's containers (without status), init containers first."""
        source = self.spec_source
        if source is None:
            return ()
        seen, path = source
        return tuple(
            Container(text(spec, "name"), spec, (*path, field, place), {}, (), field == "initContainers")
            for field in ("initContainers", "containers")
            for place, spec in positions(seen.value, *path, field)
        )

    @cached_property
    def short(self) -> bool:
        """Whether the current generation has fewer pods than it wants: the API refused to make them."""
        if self.current is not None:
            wanted = number(self.current.value, "spec", "replicas")
            made = number(self.current.value, "status", "replicas")
        elif self.seen is not None and self.ref.kind in ("StatefulSet", "DaemonSet"):
            wanted = self.desired
            fields = ("replicas",) if self.ref.kind == "StatefulSet" else ("currentNumberScheduled",)
            made = number(self.seen.value, "status", *fields)
        elif self.seen is not None and self.ref.kind == "Deployment":
            wanted, made = self.desired, number(self.seen.value, "status", "replicas")
            if made is None and not self.pods:
                return False  # neither its ReplicaSets nor its pods were listed
        else:
            return self.newest is not None and self.finished_kind and self._job_without_pods(self.newest.value)
        made = len(self.current_pods) if made is None else made
        return wanted is not None and made < wanted

    def _job_without_pods(self, job: K8sObject) -> bool:
        """Whether a Job should run and has never had a pod."""
        ended = any(text(item, "type") in ("Complete", "Failed") for item in items(job, "status", "conditions"))
        counted = any(number(job, "status", key) for key in ("active", "ready", "succeeded", "failed"))
        return text(job, "kind") == "Job" and not (ended or counted or self.pods or dig(job, "spec", "suspend") is True)

    @cached_property
    def broken(self) -> bool:
        """Whether it does not serve as it should now: too few pods, or one that is not ready and not finished."""
        if self.short or any(not pod.ready and not pod.done for pod in self.current_pods):
            return True
        return bool(self.desired) and not self.pods and self.ref.kind in ("Deployment", "StatefulSet", "DaemonSet")

    @property
    def finished_kind(self) -> bool:
        """Whether its pods are meant to end."""
        return self.ref.kind in ("Job", "CronJob")

    def value(self, *path: str | int) -> Any:
        """A field of the workload's own object, or None."""
        return dig(self.seen.value, *path) if self.seen else None
