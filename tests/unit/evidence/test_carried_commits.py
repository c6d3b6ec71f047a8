"""Commits are put to the deploy that brought them, by the revisions that images, templates and syncs name."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from agent_sre.adapters.cluster_snapshot import SnapshotCluster
from agent_sre.domain.errors import TemporaryError
from agent_sre.domain.instant import format_instant
from agent_sre.domain.reference import Window
from agent_sre.domain.repository import Repository
from agent_sre.domain.telemetry import Change
from agent_sre.evidence.carried_commits import steps_of
from agent_sre.evidence.scope import Collected, Readers
from tests.unit.evidence.worlds import NOW, run, scope

OLD, MID, NEW = (
    "1f3870be274f6c49b3e31a0c6728957f47a4d1c2",
    "5d41402abc4b2a76b9719d911017c592aaaaaaaa",
    "8c7dd92" + "2" * 33,
)


def ago(minutes: float) -> str:
    return format_instant(NOW - timedelta(minutes=minutes))


def commit(sha: str, hours: float) -> Change:
    return Change(sha, NOW - timedelta(hours=hours), "commit", "cart", f"Change {sha[:4]}", "kim", "files: a.py")


class Repo:
    """A CommitReader over a list."""

    def __init__(self, commits: Sequence[Change], error: TemporaryError | None = None) -> None:
        self.asked: list[tuple[str, str]] = []
        self._commits = commits
        self._error = error

    async def changes(self, namespaces: tuple[str, ...], window: Window) -> tuple[Change, ...]:
        return tuple(one for one in self._commits if window.start <= one.time <= window.end)

    async def between(self, old: str, new: str) -> tuple[Change, ...]:
        self.asked.append((old, new))
        if self._error is not None:
            raise self._error
        ids = [one.id for one in self._commits]
        places = [next((place for place, sha in enumerate(ids) if sha.startswith(known)), -1) for known in (old, new)]
        return tuple(self._commits[places[0] + 1 : places[1] + 1]) if -1 not in places else ()


def generation(
    number: int, minutes: float, tag: str, annotation: str = "", owner: str = "Deployment"
) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "name": f"cart-{number}",
        "namespace": "shop",
        "creationTimestamp": ago(minutes),
        "annotations": {"deployment.kubernetes.io/revision": str(number)},
        "ownerReferences": [{"kind": owner, "name": "cart", "controller": True}],
    }
    noted = {"annotations": {"org.opencontainers.image.revision": annotation}} if annotation else {}
    template = {"metadata": noted, "spec": {"containers": [{"name": "cart", "image": f"reg.example:5000/cart:{tag}"}]}}
    if owner == "Deployment":
        return {"kind": "ReplicaSet", "metadata": metadata, "spec": {"template": template}}
    return {
        "kind": "ControllerRevision",
        "metadata": metadata,
        "revision": number,
        "data": {"spec": {"template": template}},
    }


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("1f3870b", "8c7dd92", ("1f3870b", "8c7dd92")),
        ("main-1f3870b", "main-8c7dd92", ("1f3870b", "8c7dd92")),
        ("v1.2.3-1f3870b", "v1.3.0-8c7dd92@sha256:" + "0" * 64, ("1f3870b", "8c7dd92")),
        ("20260101", "20260201", None),
        ("1.2.3", "1.3.0", None),
        ("latest", "8c7dd92", None),
        ("8c7dd92", "8c7dd92", None),
    ],
)
@pytest.mark.parametrize("owner", ["Deployment", "StatefulSet"])
def test_what_a_tag_says_of_its_commit(owner: str, before: str, after: str, found: tuple[str, str] | None) -> None:
    steps = steps_of([generation(2, 10, after, owner=owner), generation(1, 900, before, owner=owner)], ())
    assert [(step.old, step.new) for step in steps] == ([found] if found else [])
    assert all((step.deploy, step.time) == ("shop/cart@2", NOW - timedelta(minutes=10)) for step in steps)


def test_an_annotation_of_the_image_goes_before_its_tag() -> None:
    (step,) = steps_of([generation(1, 900, "1.2.3", OLD), generation(2, 10, "1.3.0", NEW)], ())
    assert (step.old, step.new) == (OLD, NEW)


async def collected(repo: Repo, *objects: dict[str, Any], repository: Repository | None = None) -> Collected:
    given = Readers(cluster=SnapshotCluster(objects), repositories=((repository or Repository("acme/cart"), repo),))
    return await run("changes", scope(gitops_namespaces=("argocd",)), given)


def changes_of(found: Collected) -> dict[str, Change]:
    return {change.id: change for item in found.observations for change in item.changes}


ROLLED_OUT = (generation(1, 900, "1f3870b"), generation(2, 10, "8c7dd92"))
COMMITS = (commit(OLD, 400), commit(MID, 300), commit(NEW, 5))


async def test_commits_between_two_images_carry_the_rollout_however_old_they_are() -> None:
    repo = Repo(COMMITS)
    found = changes_of(await collected(repo, *ROLLED_OUT))
    assert repo.asked == [("1f3870b", "8c7dd92")]
    assert {key: item.carried_by for key, item in found.items()} == {
        "shop/cart@2": "",
        MID: "shop/cart@2",
        NEW: "shop/cart@2",
    }
    assert found["shop/cart@2"].summary == "cart went to commit 8c7dd92"


async def test_a_repository_of_another_workload_is_not_asked() -> None:
    repo = Repo(COMMITS)
    assert list(changes_of(await collected(repo, *ROLLED_OUT, repository=Repository("acme/web")))) == [NEW]
    assert repo.asked == []


async def test_a_sync_carries_the_commits_of_the_repository_it_names() -> None:
    source = {"repoURL": "https://git.example/acme/deploy.git", "path": "cart"}
    history = [
        {"revision": OLD, "deployedAt": ago(900), "source": source},
        {"revision": NEW, "deployedAt": ago(12), "source": source},
    ]
    metadata = {"name": "store", "namespace": "argocd"}
    spec = {"destination": {"namespace": "shop"}}
    item = {"kind": "Application", "metadata": metadata, "spec": spec, "status": {"history": history}}
    found = changes_of(await collected(Repo(COMMITS), item, repository=Repository("acme/deploy")))
    assert found[MID].carried_by == found[NEW].carried_by == "argocd/argocd/store@8c7dd9222222"
    assert "argocd/argocd/store@8c7dd9222222" in found


async def test_a_host_that_fails_is_a_gap_and_the_rest_is_there() -> None:
    found = await collected(Repo(COMMITS, TemporaryError("rate limit")), *ROLLED_OUT)
    assert list(changes_of(found)) == [NEW]
    (gap,) = found.gaps
    assert gap.what == "commits of acme/cart that shop/cart@2 brought"
    assert gap.reason == "rate limit"
