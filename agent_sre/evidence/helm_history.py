"""Helm upgrades as they show in what was installed: labels that change from one generation of a workload to the next.

Charts label what they install with chart and application version (``helm.sh/chart``, ``app.kubernetes.io/version``),
and Helm itself writes the release's name on it. A ReplicaSet and a ControllerRevision keep the pod template's labels of
their time, so where two generations that follow each other differ in them, the release went from one version to the
next when the newer one was made. One upgrade changes many workloads within minutes: it is one Change per release.

What does not show: an upgrade that kept chart and version (it is a rollout like any other), and a chart that does not
label its pods. For these there is Helm's own record (``AGENT_SRE_HELM_SECRETS``).
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent_sre.domain.telemetry import Change
from agent_sre.evidence.object_fields import (
    Object,
    controller_of,
    made_at,
    name_of,
    namespace_of,
    part,
    revision_of,
    template_of,
)

_CHART, _VERSION = "helm.sh/chart", "app.kubernetes.io/version"
_RELEASE, _RELEASE_NAMESPACE = "meta.helm.sh/release-name", "meta.helm.sh/release-namespace"
_TOGETHER = timedelta(minutes=10)
"""Rollouts of one release that begin within this time belong to one upgrade."""
_NAMED = 20


@dataclass(frozen=True, slots=True)
class _Step:
    """One workload's step from one generation to the next."""

    release: tuple[str, str]
    workload: str
    time: datetime
    before: tuple[str, str]
    after: tuple[str, str]


def helm_changes(generations: Iterable[Object], workloads: Iterable[Object]) -> tuple[Change, ...]:
    """The upgrades, oldest first, from ReplicaSets and ControllerRevisions, and the workloads that own them."""
    releases = {_key(item): _release(item) for item in workloads}
    made_by: dict[tuple[str, str, str], list[Object]] = defaultdict(list)
    for item in generations:
        owner = controller_of(item)
        if owner is not None:
            made_by[owner].append(item)
    steps = [step for owner, found in made_by.items() for step in _steps(owner, found, releases.get(owner))]
    return tuple(_change(group) for group in _upgrades(steps))


def _steps(owner: tuple[str, str, str], found: list[Object], release: tuple[str, str] | None) -> Iterable[_Step]:
    ordered = sorted(found, key=lambda item: (revision_of(item), str(made_at(item) or "")))
    for before, after in itertools.pairwise(ordered):
        known = _release(after) or release
        time = made_at(after)
        told = _told(before), _told(after)
        # A label that appears or is left out says that somebody changed the template, not what Helm installed.
        differ = any(old and new and old != new for old, new in zip(*told, strict=True))
        if known is not None and time is not None and differ:
            yield _Step(known, owner[2], time, *told)


def _upgrades(steps: Iterable[_Step]) -> list[list[_Step]]:
    groups: list[list[_Step]] = []
    for step in sorted(steps, key=lambda item: (item.release, item.time, item.workload)):
        last = groups[-1] if groups else []
        if last and last[0].release == step.release and step.time - last[0].time <= _TOGETHER:
            last.append(step)
        else:
            groups.append([step])
    return sorted(groups, key=lambda group: group[0].time)


def _change(group: list[_Step]) -> Change:
    first = group[0]
    namespace, name = first.release
    names = sorted({step.workload for step in group})
    parts = []
    for place, what in enumerate(("chart", "version")):
        moved = {(step.before[place], step.after[place]) for step in group if step.before[place] != step.after[place]}
        parts += [f"{what} {old or 'none'} -> {new or 'none'}" for old, new in sorted(moved)]
    shown = " ".join(names[:_NAMED])
    chart, version = max(step.after for step in group)
    return Change(
        id=f"helm/{namespace}/{name}@{chart or version}",
        time=first.time,
        kind="deploy",
        target=shown,
        summary=f"Helm release {name}: {', '.join(parts)} ({len(names)} workloads)",
    )


def _told(item: Object) -> tuple[str, str]:
    """Chart and application version, by the labels of the object or of its pod template."""
    labels = {**part(item, "metadata", "labels"), **part(template_of(item), "metadata", "labels")}
    return str(labels.get(_CHART) or ""), str(labels.get(_VERSION) or "")


def _release(item: Object) -> tuple[str, str] | None:
    """Namespace and name of the release that the object belongs to, or None where Helm does not keep it."""
    annotations, labels = part(item, "metadata", "annotations"), part(item, "metadata", "labels")
    name = annotations.get(_RELEASE)
    if not name and labels.get("app.kubernetes.io/managed-by") == "Helm":
        name = labels.get("app.kubernetes.io/instance")
    return (str(annotations.get(_RELEASE_NAMESPACE) or namespace_of(item)), str(name)) if name else None


def _key(item: Object) -> tuple[str, str, str]:
    return str(item.get("kind")), namespace_of(item), name_of(item)
