"""What Argo CD, Argo Rollouts and Flux tell of their past, in the shapes of their public API documents."""

from datetime import timedelta
from typing import Any

from agent_sre.adapters.cluster_snapshot import SnapshotCluster
from agent_sre.adapters.context_snapshot import SnapshotChanges
from agent_sre.domain.instant import format_instant
from agent_sre.evidence.deployers import deployments, deploys_to
from agent_sre.evidence.scope import Readers
from tests.unit.evidence.worlds import NOW, run, scope

OLD, NEW = "1f3870be274f6c49b3e31a0c6728957f47a4d1c2", "8c7dd922ad47494fc02c388e12c00eac278d5fbc"


def ago(minutes: float) -> str:
    return format_instant(NOW - timedelta(minutes=minutes))


def thing(kind: str, name: str, namespace: str = "argocd", **parts: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name, "namespace": namespace}, **parts}


def application(namespace: str = "shop", **status: Any) -> dict[str, Any]:
    source = {"repoURL": "https://git.example/shop/deploy.git", "path": "cart"}
    history = [
        {"id": 1, "revision": OLD, "deployedAt": ago(900), "source": source},
        {"id": 2, "revision": NEW, "deployedAt": ago(12), "source": source, "initiatedBy": {"username": "kim"}},
    ]
    resources = [
        {"group": "apps", "kind": "Deployment", "namespace": namespace, "name": "cart"},
        {"kind": "Service", "namespace": namespace, "name": "cart"},
    ]
    spec = {"destination": {"namespace": namespace}, "source": source}
    return thing("Application", "store", spec=spec, status={"history": history, "resources": resources, **status})


def test_syncs_of_an_application_carry_revision_source_and_workloads() -> None:
    first, second = deployments([application()])
    assert (first.time, second.time) == (NOW - timedelta(minutes=900), NOW - timedelta(minutes=12))
    assert (second.id, second.kind, second.target, second.author) == (
        "argocd/argocd/store@8c7dd922ad47",
        "deploy",
        "cart",
        "kim",
    )
    assert second.summary == "Argo CD synced store to 8c7dd922ad47 of https://git.example/shop/deploy.git cart"


def test_a_sync_that_failed_is_a_change_with_the_words() -> None:
    operation = {
        "phase": "Failed",
        "finishedAt": ago(5),
        "message": "one or more objects failed to apply\n\x1b[31m",
        "syncResult": {"revision": NEW},
    }
    failed = deployments([application(history=[], operationState=operation)])[0]
    assert failed.id == "argocd/argocd/store@8c7dd922ad47-failed"
    assert "failed to sync store to 8c7dd922ad47: one or more objects failed to apply" in failed.summary
    assert "\x1b" not in failed.summary


def test_an_application_with_several_sources_names_all_revisions() -> None:
    entry = {"revisions": [OLD, NEW], "sources": [{"repoURL": "a", "path": "x"}, {"repoURL": "b", "chart": "y"}]}
    (change,) = deployments([application(history=[{**entry, "deployedAt": ago(3)}])])
    assert change.summary == "Argo CD synced store to 1f3870be274f 8c7dd922ad47 of a x, b y"


def test_releases_of_flux_have_the_id_that_helms_own_record_has() -> None:
    entry = {"name": "store", "namespace": "shop", "chartName": "store", "status": "superseded"}
    history = [
        {**entry, "chartVersion": "1.3.0", "version": 7, "status": "failed", "lastDeployed": ago(9)},
        {**entry, "chartVersion": "1.2.3", "version": 6, "lastDeployed": ago(9000)},
    ]
    _, change = deployments([thing("HelmRelease", "store", "shop", status={"history": history})])
    assert change.id == "helm/shop/store@v7"
    assert change.summary == "Helm release store revision 7, chart store-1.3.0 (before: 1.2.3): failed, by Flux"


def test_what_a_kustomization_applied_or_failed_to_apply() -> None:
    inventory = {"entries": [{"id": "shop_cart_apps_Deployment", "v": "v1"}, {"id": "shop_cart__Service", "v": "v1"}]}
    ready = {"type": "Ready", "status": "True", "reason": "ReconciliationSucceeded", "lastTransitionTime": ago(4)}
    status = {"inventory": inventory, "conditions": [ready], "lastAppliedRevision": f"main@sha1:{NEW}"}
    (good,) = deployments([thing("Kustomization", "apps", "flux-system", status=status)])
    assert (good.id, good.target) == ("flux/flux-system/apps@main@8c7dd922ad47", "cart")
    bad = {**ready, "status": "False", "reason": "BuildFailed", "message": "no such file"}
    status |= {"conditions": [bad], "lastAttemptedRevision": f"main@sha1:{NEW}"}
    (failed,) = deployments([thing("Kustomization", "apps", "flux-system", status=status)])
    assert failed.summary == "Flux failed to apply main@8c7dd922ad47 by apps: BuildFailed: no such file"


def test_a_rollout_that_was_called_off() -> None:
    status = {"abort": True, "abortedAt": ago(2), "message": "RolloutAborted: metric success-rate failed"}
    item = thing("Rollout", "cart", "shop", status=status)
    item["metadata"]["annotations"] = {"rollout.argoproj.io/revision": "4"}
    (change,) = deployments([item])
    assert (change.id, change.target) == ("shop/cart@4-aborted", "cart")


def test_anything_else_in_the_objects_is_no_change() -> None:
    for status in ({}, None, {"history": "x"}, {"history": [{"deployedAt": "soon"}, 3], "conditions": [None]}):
        kinds = ("Application", "Kustomization", "HelmRelease", "Rollout", "Pod")
        assert deployments([thing(kind, "x", status=status) for kind in kinds]) == ()


def test_whom_it_deploys_to() -> None:
    assert deploys_to(application(), ["shop"])
    assert not deploys_to(application("bank"), ["shop"])
    assert deploys_to(thing("HelmRelease", "x", spec={"targetNamespace": "shop"}), ["shop"])
    entries = {"inventory": {"entries": [{"id": "shop_cart_apps_Deployment"}]}}
    assert deploys_to(thing("Kustomization", "x", status=entries), ["shop"])


async def test_the_collectors_bring_what_deploys_here_from_elsewhere() -> None:
    bank = {**application("bank"), "metadata": {"name": "bank", "namespace": "argocd"}}
    given = Readers(cluster=SnapshotCluster([application(), bank]), changes=SnapshotChanges([]))
    wanted = scope(gitops_namespaces=("argocd",))
    found = await run("changes", wanted, given)
    ids = [change.id for item in found.observations for change in item.changes]
    assert ids == ["argocd/argocd/store@1f3870be274f", "argocd/argocd/store@8c7dd922ad47"]
    objects = await run("kubernetes_objects", wanted, given)
    (listed,) = [item for item in objects.observations if item.query.endswith("/argocd/applications kind=Application")]
    assert [item["metadata"]["name"] for item in listed.objects] == ["store"]
