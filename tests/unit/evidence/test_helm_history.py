"""Helm upgrades read from labels of generations, and joined with Helm's own record."""

from datetime import timedelta
from typing import Any

import pytest

from agent_sre.adapters.cluster_snapshot import SnapshotCluster
from agent_sre.adapters.context_snapshot import SnapshotChanges
from agent_sre.domain.instant import format_instant
from agent_sre.domain.telemetry import Change
from agent_sre.evidence.helm_history import helm_changes
from agent_sre.evidence.scope import Readers
from tests.unit.evidence.worlds import NOW, Refusing, run, scope

RELEASE = {"meta.helm.sh/release-name": "store", "meta.helm.sh/release-namespace": "shop"}


def labels(chart: str, version: str) -> dict[str, str]:
    return {"helm.sh/chart": chart, "app.kubernetes.io/version": version, "app.kubernetes.io/managed-by": "Helm"}


def generation(
    workload: str, revision: int, minutes_ago: float, chart: str, version: str = "4.1", kind: str = "ReplicaSet"
) -> dict[str, Any]:
    owner = {"ReplicaSet": "Deployment", "ControllerRevision": "StatefulSet"}[kind]
    metadata: dict[str, Any] = {
        "name": f"{workload}-{revision}",
        "namespace": "shop",
        "creationTimestamp": format_instant(NOW - timedelta(minutes=minutes_ago)),
        "ownerReferences": [{"kind": owner, "name": workload, "controller": True}],
    }
    template = {"template": {"metadata": {"labels": labels(chart, version)}}}
    if kind == "ControllerRevision":
        return {"kind": kind, "metadata": metadata, "revision": revision, "data": {"spec": template}}
    metadata["annotations"] = {**RELEASE, "deployment.kubernetes.io/revision": str(revision)}
    return {"kind": kind, "metadata": metadata, "spec": template}


def owner(kind: str, name: str) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name, "namespace": "shop", "annotations": RELEASE}}


UPGRADE = (
    generation("cart", 2, 12, "store-1.3.0", "4.2"),
    generation("cart", 1, 900, "store-1.2.3"),
    generation("web", 1, 900, "store-1.2.3"),
    generation("web", 2, 11, "store-1.3.0", "4.2"),
    generation("basket", 4, 11.5, "store-1.3.0", kind="ControllerRevision"),
    generation("basket", 3, 900, "store-1.2.3", kind="ControllerRevision"),
)
OWNERS = (owner("Deployment", "cart"), owner("Deployment", "web"), owner("StatefulSet", "basket"))


def test_an_upgrade_of_many_workloads_is_one_change() -> None:
    (change,) = helm_changes(UPGRADE, OWNERS)
    assert change == Change(
        "helm/shop/store@store-1.3.0",
        NOW - timedelta(minutes=12),
        "deploy",
        "basket cart web",
        "Helm release store: chart store-1.2.3 -> store-1.3.0, version 4.1 -> 4.2 (3 workloads)",
    )


def test_a_rollout_of_the_same_chart_is_not_an_upgrade() -> None:
    same = (generation("cart", 1, 900, "store-1.2.3"), generation("cart", 2, 12, "store-1.2.3"))
    assert helm_changes(same, OWNERS) == ()


def test_a_label_that_appears_is_not_an_upgrade() -> None:
    assert helm_changes((generation("cart", 1, 900, "", ""), generation("cart", 2, 12, "store-1.2.3")), OWNERS) == ()


def test_two_upgrades_of_a_release_are_two_changes() -> None:
    later = generation("cart", 3, 1, "store-1.3.1", "4.2")
    assert [change.id for change in helm_changes([*UPGRADE, later], OWNERS)] == [
        "helm/shop/store@store-1.3.0",
        "helm/shop/store@store-1.3.1",
    ]


def test_what_helm_does_not_keep_has_no_releases() -> None:
    bare = [{**item, "metadata": {**item["metadata"], "annotations": {}}} for item in UPGRADE]
    assert helm_changes(bare, ()) == ()


async def test_the_collector_brings_the_upgrade() -> None:
    given = Readers(cluster=SnapshotCluster([*UPGRADE, *OWNERS]), changes=SnapshotChanges([]))
    found = await run("changes", scope(), given)
    assert [change.id for item in found.observations for change in item.changes] == ["helm/shop/store@store-1.3.0"]
    assert found.gaps == ()


async def test_helms_own_record_and_the_labels_are_one_change() -> None:
    record = Change("helm/shop/store@v7", NOW - timedelta(minutes=13), "deploy", "store", "Helm release store failed")
    other = Change("helm/shop/other@v2", NOW - timedelta(minutes=13), "deploy", "other", "Helm release other failed")
    given = Readers(
        cluster=SnapshotCluster([*UPGRADE, *OWNERS]), change_sources={"Helm": SnapshotChanges([record, other])}
    )
    found = await run("changes", scope(), given)
    (first, second) = [change for item in found.observations for change in item.changes]
    assert (first.id, first.target) == ("helm/shop/store@v7", "basket cart web")
    assert first.summary.startswith("Helm release store failed; Helm release store: chart store-1.2.3 -> store-1.3.0")
    assert second == other


@pytest.mark.parametrize("broken", ["one", "two"])
async def test_a_source_that_fails_is_a_gap_and_the_others_are_there(broken: str) -> None:
    from agent_sre.domain.errors import TemporaryError

    change = Change("c", NOW - timedelta(minutes=13), "deploy", "cart", "new")
    sources = {
        name: Refusing(TemporaryError("rate limit")) if name == broken else SnapshotChanges([change])
        for name in ("one", "two")
    }
    found = await run("changes", scope(), Readers(change_sources=sources))
    assert [item.changes for item in found.observations] == [(change,)]
    assert [(gap.what, gap.reason) for gap in found.gaps] == [(broken, "rate limit")]
