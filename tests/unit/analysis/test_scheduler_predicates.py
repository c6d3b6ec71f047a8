"""The scheduler's predicates, computed from specifications: each node by what keeps the pod off it."""

from typing import Any

from agent_sre.analysis.casefile import Seen
from agent_sre.analysis.kubernetes import placement as at
from agent_sre.analysis.kubernetes.cluster import Cluster
from agent_sre.analysis.kubernetes.placement import placements, requested, told
from agent_sre.analysis.kubernetes.pods import Pod
from agent_sre.testing.kubernetes_objects import container, pod, pod_template
from tests.scenarios.builders import Shop
from tests.scenarios.estate import claim, machine, requests, storage_class, volume

Object = dict[str, Any]


def waiting(name: str = "web-1", **spec: Any) -> Object:
    shape = pod_template("web", [container("web", "registry.test/web:1")])
    made = pod(name, spec={**shape["spec"], **spec}, node_name="", phase="Pending")
    made["metadata"]["labels"] = {"app": "web"}
    return made


def running(name: str, node: str, **spec: Any) -> Object:
    made = waiting(name, **spec)
    made["spec"]["nodeName"], made["status"]["phase"] = node, "Running"
    return made


def verdicts(pending: Object, *objects: Object) -> dict[str, tuple[str, ...]]:
    shop = Shop()
    shop.objects = [pending, *objects]
    cluster = Cluster(shop.case())
    subject = next(item for item in cluster.pods if item.ref.name == pending["metadata"]["name"])
    return {item.name: item.blockers for item in placements(cluster, subject)}


def spread(**more: Any) -> Object:
    row = {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule"}
    return {"topologySpreadConstraints": [{**row, "labelSelector": {"matchLabels": {"app": "web"}}, **more}]}


def apart(app: str) -> Object:
    term = {"labelSelector": {"matchLabels": {"app": app}}, "topologyKey": "kubernetes.io/hostname"}
    return {"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}


def test_anti_affinity_holds_in_both_directions() -> None:
    assert verdicts(waiting(**apart("web")), machine("n"), running("other", "n"))["n"] == (at.ANTI_AFFINITY,)
    assert verdicts(waiting(), machine("n"), running("other", "n", **apart("web")))["n"] == (at.ANTI_AFFINITY,)
    assert verdicts(waiting(**apart("db")), machine("n"), running("other", "n"))["n"] == ()


def test_spreading_counts_domains_that_take_no_pod() -> None:
    nodes = (machine("a", zone="1"), machine("b", zone="2", cordoned=True))
    found = verdicts(waiting(**spread()), *nodes, running("web-0", "a"))
    assert found == {"a": (at.SPREAD,), "b": (at.CORDON,)}
    honoured = verdicts(waiting(**spread(nodeTaintsPolicy="Honor")), *nodes, running("web-0", "a"))
    assert honoured["a"] == ()


def test_too_few_domains_count_as_an_empty_one() -> None:
    nodes = (machine("a", zone="1"), machine("b", zone="2"))
    taken = (running("web-0", "a"), running("web-2", "b"))
    assert verdicts(waiting(**spread(minDomains=3)), *nodes, *taken) == {"a": (at.SPREAD,), "b": (at.SPREAD,)}
    assert verdicts(waiting(**spread()), *nodes, *taken) == {"a": (), "b": ()}


def test_a_soft_constraint_keeps_nobody_away() -> None:
    soft = spread(whenUnsatisfiable="ScheduleAnyway")
    assert verdicts(waiting(**soft), machine("a"), running("web-0", "a"))["a"] == ()


def test_volumes_are_reached_from_their_zone_only() -> None:
    mounts = {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]}
    disk = volume("disk", claim_of=("shop", "data"), affinity=("topology.kubernetes.io/zone", ["1"]))
    held = claim("shop", "data", bound_to="disk")
    found = verdicts(waiting(**mounts), machine("a", zone="1"), machine("b", zone="2"), disk, held)
    assert found == {"a": (), "b": (at.VOLUME_ZONE,)}


def test_a_claim_that_a_provisioner_serves_says_nothing_about_nodes() -> None:
    mounts = {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]}
    made = storage_class("standard", provisioner="ebs.csi.aws.com", wait=True)
    far = volume("disk", affinity=("topology.kubernetes.io/zone", ["9"]))
    assert verdicts(waiting(**mounts), machine("a", zone="1"), made, far, claim("shop", "data"))["a"] == ()


def test_a_claim_for_one_pod_is_not_shared() -> None:
    mounts = {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]}
    single = claim("shop", "data", modes=("ReadWriteOncePod",), bound_to="disk")
    objects = (machine("a"), volume("disk", claim_of=("shop", "data")), single, running("web-0", "a", **mounts))
    assert verdicts(waiting(**mounts), *objects)["a"] == (at.ONE_POD,)


def test_a_host_port_is_had_once_per_node() -> None:
    ports = {"containers": [container("web", "r/web:1") | {"ports": [{"containerPort": 80, "hostPort": 80}]}]}
    found = verdicts(waiting(**ports), machine("a"), machine("b"), running("web-0", "a", **ports))
    assert found == {"a": (at.PORTS,), "b": ()}


def test_a_device_that_a_node_has_none_of() -> None:
    wants = {"containers": [container("web", "r/web:1", resources={"limits": {"nvidia.com/gpu": "1"}})]}
    found = verdicts(waiting(**wants), machine("a"), machine("g", **{"nvidia.com__gpu": "1"}))
    assert found == {"a": (at.DEVICE,), "g": ()}


def test_a_toleration_of_the_cordon_is_honoured() -> None:
    tolerates = {"tolerations": [{"key": "node.kubernetes.io/unschedulable", "operator": "Exists"}]}
    assert verdicts(waiting(**tolerates), machine("a", cordoned=True))["a"] == ()


def test_sidecars_count_beside_the_containers_and_init_containers_by_their_maximum() -> None:
    sidecar = container("mesh", "r/mesh:1", resources=requests("1"), restartPolicy="Always")
    init = container("load", "r/load:1", resources=requests("2500m"))
    spec = {"initContainers": [sidecar, init], "containers": [container("web", "r/web:1", resources=requests("1"))]}
    subject = Pod(Seen(waiting(**spec, overhead={"cpu": "250m"}), "o"))
    assert requested(subject, "cpu") == 3.75
    plain = {**spec, "initContainers": [sidecar]}
    assert requested(Pod(Seen(waiting(**plain), "o")), "cpu") == 2.0


def test_the_scheduler_s_counts_by_predicate() -> None:
    words = (
        "0/9 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }, 2 node(s) were"
        " unschedulable, 3 Insufficient cpu, 3 node(s) had untolerated taint(s). preemption: 0/9 nodes are available:"
        " 9 Preemption is not helpful."
    )
    assert told(words) == {at.DOWN: 1, at.CORDON: 2, at.CPU: 3, at.TAINT: 3}
