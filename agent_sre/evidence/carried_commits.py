"""Which commits a deploy brought: the revision that runs and the one before it, and what lies between.

A running version names its commit in one of three places: the revision of an Argo CD sync, the tag of its image
(``4f3c2b1``, ``main-4f3c2b1``), or the annotation ``org.opencontainers.image.revision`` of the pod template. Where a
workload went from one such revision to another and its repository is configured, the host tells the commits between
them, however old they are: a commit does no harm until it is deployed. Each carries the id of that deploy.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import pairwise

from agent_sre.domain.reference import Window
from agent_sre.domain.repository import Repository
from agent_sre.domain.telemetry import Change
from agent_sre.evidence.object_fields import (
    Object,
    controller_of,
    entries,
    made_at,
    name_of,
    namespace_of,
    part,
    revision_of,
    template_of,
    time_of,
)
from agent_sre.evidence.reading import Reading
from agent_sre.ports.context import CommitReader

_TAG = re.compile(r"(?:^|[-_.+])(?=[0-9a-f]*[a-f])([0-9a-f]{7,40})$")
_SHA = re.compile(r"[0-9a-f]{7,64}")
_REVISION = "org.opencontainers.image.revision"
_MOST = 10


@dataclass(frozen=True, slots=True)
class Step:
    """A deploy that went from one commit to another. ``url`` is the repository's, where the deployer names it."""

    deploy: str
    time: datetime
    namespace: str
    workload: str
    old: str
    new: str
    url: str = ""

    def change(self) -> Change:
        """The rollout as a change, so that what it carries can refer to it."""
        words = f"{self.workload} went to commit {self.new[:12]}"
        return Change(self.deploy, self.time, "deploy", self.workload, words)


async def carried(
    reading: Reading,
    steps: Iterable[Step],
    repositories: tuple[tuple[Repository, CommitReader], ...],
    window: Window,
) -> tuple[list[Change], list[Change]]:
    """The rollouts of the window that brought commits, and these commits; the newest rollouts where there are many."""
    inside = sorted((step for step in steps if window.start <= step.time <= window.end), key=lambda step: step.time)
    asked = [
        (step, repository, reader)
        for step in inside[::-1]
        for repository, reader in repositories
        if (repository.is_at(step.url) if step.url else repository.runs(step.namespace, step.workload))
    ]
    if len(asked) > _MOST:
        reading.gap("commits of older deploys", f"{len(asked) - _MOST} of {len(asked)} are not asked for")
    reads = [
        reading.look(f"commits of {repository} that {step.deploy} brought", partial(reader.between, step.old, step.new))
        for step, repository, reader in asked[:_MOST]
    ]
    deploys, commits = [], []
    for (step, _, _), found in zip(asked, await asyncio.gather(*reads), strict=False):
        if found:
            deploys += [step.change()] if not step.url else []
            commits += [replace(item, carried_by=step.deploy) for item in found]
    return deploys, commits


def steps_of(generations: Iterable[Object], applications: Iterable[Object]) -> list[Step]:
    """The steps that ReplicaSets and ControllerRevisions show, and those of Argo CD's syncs."""
    made_by: dict[tuple[str, str, str], list[Object]] = defaultdict(list)
    for item in generations:
        owner = controller_of(item)
        if owner is not None:
            made_by[owner].append(item)
    found = [step for (_, space, name), every in made_by.items() for step in _rolled_out(space, name, every)]
    return [*found, *(step for item in applications for step in _synced(item))]


def _rolled_out(namespace: str, workload: str, every: list[Object]) -> Iterator[Step]:
    for before, after in pairwise(sorted(every, key=revision_of)):
        old, new, time = _commit(before), _commit(after), made_at(after)
        if old and new and old != new and time is not None:
            yield Step(f"{namespace}/{workload}@{revision_of(after)}", time, namespace, workload, old, new)


def _synced(item: Object) -> Iterator[Step]:
    name, space = name_of(item), namespace_of(item)
    for before, after in pairwise(entries(part(item, "status"), "history")):
        old, new, time = str(before.get("revision")), str(after.get("revision")), time_of(after.get("deployedAt"))
        url = str(part(after, "source").get("repoURL") or "")
        if url and time is not None and old != new and _SHA.fullmatch(old) and _SHA.fullmatch(new):
            yield Step(f"argocd/{space}/{name}@{new[:12]}", time, space, name, old, new, url)


def _commit(generation: Object) -> str:
    """The commit that a generation runs, or ""."""
    template = template_of(generation)
    told = str(part(template, "metadata", "annotations").get(_REVISION) or "").lower()
    if _SHA.fullmatch(told):
        return told
    images = [str(one.get("image") or "") for one in entries(part(template, "spec"), "containers")]
    tags = [image.partition("@")[0].rpartition("/")[2].partition(":")[2] for image in images]
    return next((match[1] for tag in tags if (match := _TAG.search(tag))), "")
