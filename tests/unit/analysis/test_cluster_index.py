"""Which pod belongs to which workload, which generation counts, and which events still mean something."""

from agent_sre.analysis.kubernetes.cluster import cluster_of
from agent_sre.domain.reference import ObjectRef
from agent_sre.testing import kubernetes_objects as k8s
from tests.scenarios.builders import SPACE, Shop

BASKET = ObjectRef("Deployment", SPACE, "basket")


def without_owners(shop: Shop) -> Shop:
    for item in shop.objects:
        item["metadata"].pop("ownerReferences", None)
    return shop


def test_a_pod_and_a_replica_set_count_as_their_deployment() -> None:
    cluster = cluster_of(Shop().case())
    pods = [pod.ref for pod in cluster.pods if pod.ref.name.startswith("basket")]
    assert [cluster.workload_of(ref) for ref in pods] == [BASKET]
    assert cluster.workload_of(ObjectRef("ReplicaSet", SPACE, "basket-6d5f7c9b84")) == BASKET


def test_without_owner_references_hash_and_name_decide() -> None:
    cluster = cluster_of(without_owners(Shop()).case())
    assert [pod.ref.name.split("-")[0] for pod in cluster.workloads[BASKET].pods] == ["basket"]


def test_a_workload_whose_name_begins_like_anothers_keeps_its_pods() -> None:
    shop = Shop()
    other = k8s.deployment("basket-api", SPACE)
    shop.objects += [other, k8s.pod("basket-api-7f9c6b5d4-abcde", SPACE, owner=None, spec=None)]
    shop.objects[-1]["metadata"]["labels"] = {"app": "basket-api"}
    cluster = cluster_of(without_owners(shop).case())
    assert cluster.workload_of(ObjectRef("Pod", SPACE, "basket-api-7f9c6b5d4-abcde")).name == "basket-api"


def test_only_pods_of_the_newest_generation_are_current() -> None:
    shop = Shop()
    deployment = shop.find("Deployment", "basket")
    newer = k8s.replica_set(deployment, "7c8d9e0f12", revision=2, replicas=1, created="2026-01-05T11:50:00Z")
    pod = k8s.pod("basket-7c8d9e0f12-aaaaa", SPACE, owner=newer, run=k8s.Run(ready=False))
    shop.objects += [newer, pod]
    workload = cluster_of(shop.case()).workloads[BASKET]
    assert [item.ref.name for item in workload.current_pods] == ["basket-7c8d9e0f12-aaaaa"]
    assert len(workload.pods) == 2
    assert workload.previous is not None
    assert workload.broken


def test_events_of_objects_that_are_gone_or_were_replaced_do_not_count() -> None:
    shop = Shop()
    shop.event("Pod", "basket", "Unhealthy", "Readiness probe failed: of the living pod")
    gone = k8s.pod("basket-6d5f7c9b84-ghost", SPACE, owner=shop.find("ReplicaSet", "basket"))
    shop.objects.append(k8s.event(gone, "Unhealthy", "Readiness probe failed: of a pod that is gone"))
    namesake = k8s.event(
        shop.find("Pod", "basket"), "Unhealthy", "Readiness probe failed: of an earlier pod of the name"
    )
    namesake["involvedObject"]["uid"] = "00000000-0000-0000-0000-000000000000"
    shop.objects.append(namesake)
    cluster = cluster_of(shop.case())
    events = cluster.events_of_workload(cluster.workloads[BASKET], "Unhealthy")
    assert [seen.value["message"] for seen in events] == ["Readiness probe failed: of the living pod"]


def test_malformed_objects_are_read_as_absent() -> None:
    shop = Shop()
    shop.objects.append({"kind": "Pod", "metadata": {"name": "odd", "namespace": SPACE}, "spec": [], "status": "?"})
    shop.objects.append(
        {"kind": "Deployment", "metadata": {"name": "odder", "namespace": SPACE}, "spec": {"replicas": "x"}}
    )
    cluster = cluster_of(shop.case())
    odd = next(pod for pod in cluster.pods if pod.ref.name == "odd")
    assert odd.containers == ()
    assert cluster.workloads[ObjectRef("Deployment", SPACE, "odder")].desired is None
