"""The API server's checks done again: LimitRanges with their defaults, Pod Security levels, quotas' scopes, rights."""

from typing import Any

from agent_sre.analysis.kubernetes.cluster import Cluster, cluster_of
from agent_sre.analysis.kubernetes.limits import violations, wanted
from agent_sre.analysis.kubernetes.pod_security import forbidden
from agent_sre.analysis.kubernetes.quotas import would_exceed
from agent_sre.analysis.kubernetes.rbac import granting
from agent_sre.analysis.kubernetes.workload import Workload
from agent_sre.domain.reference import ObjectRef
from agent_sre.testing.kubernetes_objects import container, deployment, metadata, pod_template
from tests.scenarios.builders import SPACE, Shop
from tests.scenarios.estate import limit_range, quota, requests, space

Object = dict[str, Any]
SAFE = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def web(
    *objects: Object, resources: Object | None = None, fields: Object | None = None, count: int = 1, **spec: Any
) -> tuple[Cluster, Workload]:
    """A cluster with one Deployment of ``count`` equal containers, and the Deployment as a workload."""
    own = container("web", "registry.test/web:1", **(fields or {}))
    own["resources"] = resources or {}
    shop = Shop()
    shop.objects = [
        deployment(
            "web",
            SPACE,
            template=pod_template("web", [{**own, "name": f"web-{place}"} for place in range(count)], **spec),
        ),
        *objects,
    ]
    cluster = cluster_of(shop.case())
    return cluster, cluster.workloads[ObjectRef("Deployment", SPACE, "web")]


def bounds(kind: str = "Container", **limits: Object) -> Object:
    return limit_range(SPACE, "bounds", {"type": kind, **limits})


def test_a_limit_above_the_maximum_and_a_request_below_the_minimum_break_the_bounds() -> None:
    large = {"requests": {"memory": "1Gi"}, "limits": {"memory": "4Gi"}}
    assert list(violations(*web(bounds(max={"memory": "2Gi"}), resources=large)))
    assert list(violations(*web(bounds(min={"memory": "2Gi"}), resources=large)))
    assert list(violations(*web(bounds(maxLimitRequestRatio={"memory": "3"}), resources=large)))
    assert not list(violations(*web(bounds(min={"memory": "1Gi"}, max={"memory": "4Gi"}), resources=large)))


def test_the_maximum_is_the_default_of_a_container_that_sets_nothing() -> None:
    assert not list(violations(*web(bounds(max={"cpu": "1"}))))
    assert wanted(*web(bounds(max={"cpu": "1"})), "limits.cpu") == 1.0


def test_a_pod_s_bound_is_on_the_sum_of_its_containers() -> None:
    own = {"limits": {"memory": "600Mi"}}
    assert not list(violations(*web(bounds("Pod", max={"memory": "1Gi"}), resources=own)))
    assert list(violations(*web(bounds("Pod", max={"memory": "1Gi"}), resources=own, count=2)))


def test_only_an_enforced_level_forbids() -> None:
    level = space(SPACE)
    level["metadata"]["labels"] = {"pod-security.kubernetes.io/warn": "restricted"}
    assert forbidden(*web(level)) == []
    level["metadata"]["labels"] = {"pod-security.kubernetes.io/enforce": "restricted"}
    assert forbidden(*web(level))
    assert forbidden(*web(level, fields={"securityContext": SAFE})) == []


def test_the_baseline_forbids_the_host_and_nothing_more() -> None:
    level = space(SPACE)
    level["metadata"]["labels"] = {"pod-security.kubernetes.io/enforce": "baseline"}
    assert forbidden(*web(level)) == []
    assert forbidden(*web(level, hostNetwork=True))
    assert forbidden(*web(level, volumes=[{"name": "root", "hostPath": {"path": "/"}}]))
    assert forbidden(*web(level, fields={"securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}))
    assert forbidden(*web(level, fields={"securityContext": {"capabilities": {"add": ["CHOWN"]}}})) == []


def faults(*objects: Object, **fields: Any) -> set[str]:
    return {over.fault for over, _ in would_exceed(*web(*objects, **fields))}


def test_a_quota_counts_what_one_more_pod_asks_for() -> None:
    half = quota(SPACE, "q", {"requests.cpu": "2"}, {"requests.cpu": "1500m"})
    assert faults(half, resources=requests("600m")) == {"namespace_cpu_quota_exceeded"}
    assert faults(half, resources=requests("500m")) == set()


def test_a_quota_s_scopes_say_whose_pods_it_counts() -> None:
    full = {"pods": "2"}
    assert faults(quota(SPACE, "q", full, full, scopes=["BestEffort"])) == {"namespace_pod_quota_exceeded"}
    assert faults(quota(SPACE, "q", full, full, scopes=["BestEffort"]), resources=requests("1")) == set()
    assert faults(quota(SPACE, "q", full, full, scopes=["Terminating"])) == set()
    gold = {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": ["gold"]}]}
    assert faults(quota(SPACE, "q", full, full, scopeSelector=gold)) == set()
    assert faults(quota(SPACE, "q", full, full, scopeSelector=gold), priorityClassName="gold")


def test_a_right_is_granted_by_a_binding_of_its_account_or_group() -> None:
    role: Object = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": metadata("Role", "reader", SPACE),
    }
    role["rules"] = [{"apiGroups": [""], "resources": ["endpoints"], "verbs": ["get", "list"]}]
    binding: Object = {**role, "kind": "RoleBinding", "metadata": metadata("RoleBinding", "reader", SPACE)}
    binding |= {"roleRef": {"kind": "Role", "name": "reader"}, "subjects": [{"kind": "ServiceAccount", "name": "web"}]}
    shop = Shop()
    shop.objects = [role, binding]
    case, user = shop.case(), f"system:serviceaccount:{SPACE}:web"
    assert granting(case, user, "list", "endpoints", SPACE) is not None
    assert granting(case, user, "watch", "endpoints", SPACE) is None
    assert granting(case, f"system:serviceaccount:{SPACE}:other", "list", "endpoints", SPACE) is None
    binding["subjects"] = [{"kind": "Group", "name": f"system:serviceaccounts:{SPACE}"}]
    assert granting(shop.case(), f"system:serviceaccount:{SPACE}:other", "list", "endpoints", SPACE) is not None
