"""Failed deployments as findings: the tool's words decide the fault, the workload's state how much it counts."""

from datetime import timedelta
from typing import Any

import pytest

from agent_sre.analysis.gitops import analyze_gitops
from agent_sre.analysis.grounding import stands
from agent_sre.analysis.runtime import analyze_runtime
from agent_sre.domain.finding import Finding
from agent_sre.domain.instant import format_instant
from agent_sre.domain.reference import ObjectRef
from tests.scenarios.builders import NOW, SPACE, App, Shop, basket, crashed

NEW = "8c7dd922ad47494fc02c388e12c00eac278d5fbc"
BASKET = {"group": "apps", "kind": "Deployment", "namespace": SPACE, "name": "basket"}
BROKEN: App = basket(run=crashed(1))


def ago(minutes: float) -> str:
    return format_instant(NOW - timedelta(minutes=minutes))


def judged(shop: Shop) -> list[Finding]:
    case = shop.case()
    found = list(analyze_gitops(case))
    assert all(stands(fact, case) for finding in found for fact in finding.facts)
    return found


def with_application(shop: Shop, phase: str, message: str, refused: str = "", **parts: Any) -> Shop:
    result = {"revision": NEW, "resources": [{**BASKET, "status": "SyncFailed", "message": refused}] if refused else []}
    operation = {"phase": phase, "message": message, "finishedAt": ago(8), "syncResult": result}
    shop.add(
        "argoproj.io/v1alpha1",
        "Application",
        "store",
        namespace="argocd",
        spec=parts.get("spec", {}),
        status={"operationState": operation, "resources": parts.get("resources", []), "sync": parts.get("sync", {})},
    )
    return shop


WEBHOOK = 'admission webhook "policy.example" denied the request: no latest tag'
QUOTA = (
    'pods "basket-x" is forbidden: exceeded quota: team, requested: requests.memory=2Gi, used: requests.memory=7Gi, '
    "limited: requests.memory=8Gi"
)


@pytest.mark.parametrize(
    ("words", "fault", "target"),
    [
        (WEBHOOK, "admission_webhook_denied", ObjectRef("Deployment", SPACE, "basket")),
        ('violates PodSecurity "restricted:latest"', "pod_security_denied", ObjectRef("Deployment", SPACE, "basket")),
        (QUOTA, "namespace_memory_quota_exceeded", ObjectRef("Namespace", "", SPACE)),
        (
            'User "argocd" cannot patch resource "deployments"',
            "rbac_forbidden",
            ObjectRef("Deployment", SPACE, "basket"),
        ),
        (
            "Deployment.apps is invalid: spec: Required value",
            "bad_config_change",
            ObjectRef("Deployment", SPACE, "basket"),
        ),
        ("timed out", "bad_deploy", ObjectRef("Deployment", SPACE, "basket")),
    ],
)
def test_the_words_of_a_refused_sync_decide_the_fault(words: str, fault: str, target: ObjectRef) -> None:
    (finding,) = judged(with_application(Shop(BROKEN), "Failed", "one or more objects failed to apply", words))
    assert (finding.fault, finding.object) == (fault, target)
    assert finding.change == "argocd/argocd/store@8c7dd922ad47-failed"
    assert finding.onset == NOW - timedelta(minutes=8)


def test_a_failed_sync_counts_for_less_where_the_old_version_runs() -> None:
    (broken,) = judged(with_application(Shop(BROKEN), "Error", "x", "timed out"))
    (running,) = judged(with_application(Shop(), "Error", "x", "timed out"))
    assert broken.strength > 0.7 > 0.4 > running.strength


def test_a_sync_that_went_well_is_no_finding() -> None:
    assert judged(with_application(Shop(BROKEN), "Succeeded", "ok")) == []


def test_drift_of_an_automated_application() -> None:
    parts: dict[str, Any] = {
        "spec": {"syncPolicy": {"automated": {}}},
        "resources": [{**BASKET, "status": "OutOfSync"}],
    }
    sync = {"status": "OutOfSync", "revision": NEW}
    (finding,) = judged(with_application(Shop(), "Succeeded", "ok", sync=sync, **parts))
    assert (finding.fault, finding.object) == ("bad_config_change", ObjectRef("Deployment", SPACE, "basket"))
    assert finding.strength <= 0.3
    newer = {"status": "OutOfSync", "revision": "another"}
    assert judged(with_application(Shop(), "Succeeded", "ok", sync=newer, **parts)) == []


def condition(kind: str, status: str, reason: str, message: str, minutes: float = 6) -> dict[str, str]:
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": ago(minutes)}


def test_a_release_that_was_rolled_back_is_told_by_the_failure_behind_it() -> None:
    shop = Shop(BROKEN)
    words = f"Helm upgrade failed for release {SPACE}/basket with chart basket@1.3.0: context deadline exceeded"
    conditions = [
        condition("Ready", "False", "RollbackSucceeded", "Helm rollback to previous release succeeded"),
        condition("Released", "False", "UpgradeFailed", words),
        condition("Remediated", "True", "RollbackSucceeded", "Helm rollback to previous release succeeded"),
    ]
    history = [
        {"name": "basket", "version": 8, "status": "deployed"},
        {"name": "basket", "version": 7, "status": "failed"},
    ]
    status = {"conditions": conditions, "history": history}
    shop.add("helm.toolkit.fluxcd.io/v2", "HelmRelease", "basket", spec={}, status=status)
    (finding,) = judged(shop)
    assert (finding.fault, finding.object) == ("bad_deploy", ObjectRef("Deployment", SPACE, "basket"))
    assert finding.change == f"helm/{SPACE}/basket@v7"
    assert finding.statement.endswith("failed (UpgradeFailed), and was rolled back.")


def test_a_kustomization_that_cannot_be_built_and_one_that_waits() -> None:
    shop = Shop()
    for name, reason in (("apps", "BuildFailed"), ("later", "DependencyNotReady")):
        entry = condition("Ready", "False", reason, "accumulating resources: no such file")
        shop.add("kustomize.toolkit.fluxcd.io/v1", "Kustomization", name, status={"conditions": [entry]})
    (finding,) = judged(shop)
    assert (finding.fault, finding.object.name) == ("bad_config_change", "apps")


def test_a_kustomization_names_the_workload_that_did_not_come_up() -> None:
    shop = Shop(BROKEN)
    words = f"timeout waiting for: [Deployment/{SPACE}/basket status: 'InProgress']: context deadline exceeded"
    entry = condition("Ready", "False", "HealthCheckFailed", words)
    shop.add(
        "kustomize.toolkit.fluxcd.io/v1",
        "Kustomization",
        "apps",
        namespace="flux-system",
        status={"conditions": [entry]},
    )
    (finding,) = judged(shop)
    assert (finding.fault, finding.object) == ("bad_deploy", ObjectRef("Deployment", SPACE, "basket"))


def test_a_canary_that_was_called_off() -> None:
    shop = Shop()
    status = {
        "abort": True,
        "abortedAt": ago(3),
        "phase": "Degraded",
        "message": "RolloutAborted",
        "currentStepIndex": 0,
    }
    item = shop.add("argoproj.io/v1alpha1", "Rollout", "search", spec={"replicas": 1}, status=status)
    item["metadata"]["annotations"] = {"rollout.argoproj.io/revision": "4"}
    (finding,) = judged(shop)
    assert (finding.fault, finding.object) == ("bad_deploy", ObjectRef("Rollout", SPACE, "search"))
    assert finding.change == f"{SPACE}/search@4"


def test_an_old_failure_is_history() -> None:
    shop = Shop()
    entry = condition("Ready", "False", "UpgradeFailed", "x", minutes=60 * 24)
    shop.add("helm.toolkit.fluxcd.io/v2", "HelmRelease", "basket", spec={}, status={"conditions": [entry]})
    assert judged(shop) == []


@pytest.mark.parametrize("taken", [True, False])
def test_a_deployment_whose_pods_a_rollout_runs_is_not_scaled_down_by_mistake(taken: bool) -> None:
    shop = Shop(basket(replicas=0, pods=0))
    spec = {"replicas": 2, "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "basket"}}
    shop.add("argoproj.io/v1alpha1", "Rollout", "basket" if taken else "other", spec=spec if taken else {"replicas": 2})
    faults = {finding.fault for finding in analyze_runtime(shop.case()) if finding.object.name == "basket"}
    assert ("deployment_zero_replicas" in faults) is not taken
