"""Pods that no node takes: cordons, labels, affinity, taints, room, spreading. Volumes are in ``volumes``.

The application processes pictures of an observatory. Each type has a form in which the scheduler's message tells, one
in which only specifications do (events expired), and nodes that fail for other reasons which are not the cause.
"""

from typing import Any

from agent_sre.testing.kubernetes_objects import Run, container, pod
from tests.scenarios.estate import Estate, requests
from tests.scenarios.frozen import Frozen
from tests.scenarios.sets.registry import scenario

_SERVICES = ("ingestor", "calibrator", "stacker", "astrometry", "archive-api", "viewer", "alerts")
_HELP = "preemption: 0/{0} nodes are available: {0} Preemption is not helpful for scheduling."
_NONE = "preemption: 0/{0} nodes are available: {0} No preemption victims found for incoming pod."
_CONTROL = {
    "labels": {"node-role.kubernetes.io/control-plane": ""},
    "taints": [("node-role.kubernetes.io/control-plane", "", "NoSchedule")],
}


def _observatory(
    nodes: Any = ("obs-1", "obs-2", "obs-3"), services: tuple[str, ...] = _SERVICES, **fields: Any
) -> Estate:
    return Estate("skyview", services, nodes, **fields)


def _required(*expressions: tuple[str, str, list[str]]) -> dict[str, Any]:
    """A required node affinity with one term."""
    rows = [
        {"key": key, "operator": operator, **({"values": values} if values else {})}
        for key, operator, values in expressions
    ]
    term = {"nodeSelectorTerms": [{"matchExpressions": rows}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": term}}


def _apart(app: str, key: str = "kubernetes.io/hostname") -> dict[str, Any]:
    """A required anti-affinity to pods labelled ``app``."""
    term = {
        "labelSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": [app]}]},
        "topologyKey": key,
    }
    return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


# ----------------------------------------------------------------------------------------------------- cordons


@scenario(
    "node_cordon_mismatch", name="photometry", variants=("events_expired", "old_events", "described", "bystanders")
)
def every_worker_is_cordoned_for_an_upgrade() -> Frozen:
    nodes = {"cp-1": _CONTROL, "obs-1": {"cordoned": True}, "obs-2": {"cordoned": True}, "obs-3": {"cordoned": True}}
    estate = _observatory(nodes)
    told = (
        "0/4 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 3 node(s) were unschedulable. "
        + _HELP.format(4)
    )
    estate.pending("photometry", told)
    estate.suffers("viewer", "photometry")
    return estate.frozen


@scenario("node_cordon_mismatch", "StatefulSet", "frame-store", variants=("events_expired",))
def the_only_node_the_selector_allows_is_cordoned() -> Frozen:
    nodes = {"obs-1": {}, "obs-2": {}, "nvme-1": {"labels": {"disk": "nvme"}, "cordoned": True}}
    estate = _observatory(nodes)
    told = (
        "0/3 nodes are available: 1 node(s) were unschedulable, 2 node(s) didn't match Pod's node affinity/selector. "
        + _HELP.format(3)
    )
    estate.pending("frame-store", told, kind="StatefulSet", replicas=1, nodeSelector={"disk": "nvme"})
    return estate.frozen


@scenario("node_cordon_mismatch", name="coadder")
def cordoned_node_is_the_only_one_with_room_for_affinity() -> Frozen:
    """Two pods run on the pool's nodes; since then both were cordoned, and the third finds none."""
    pool = {"labels": {"pool": "compute"}}
    nodes = {"web-1": {"labels": {"pool": "web"}}, "c-1": {**pool, "cordoned": True}, "c-2": {**pool, "cordoned": True}}
    estate = _observatory(nodes)
    affinity = _required(("pool", "In", ["compute"]))
    told = (
        "0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 2 node(s) were unschedulable. "
        + _HELP.format(3)
    )
    estate.pending("coadder", told, replicas=3, running=2, on=["c-1", "c-2"], affinity=affinity)
    return estate.frozen


# --------------------------------------------------------------------------------------------------- affinity


@scenario("node_affinity_mismatch", name="spectra", variants=("events_expired", "described", "old_events"))
def no_node_in_the_zone() -> Frozen:
    nodes = {
        "obs-1": {"zone": "south-1a"},
        "obs-2": {"zone": "south-1b"},
        "obs-3": {"zone": "south-1b", "cordoned": True},
    }
    estate = _observatory(nodes)
    told = (
        "0/3 nodes are available: 1 node(s) were unschedulable, 2 node(s) didn't match Pod's node affinity/selector. "
        + _HELP.format(3)
    )
    estate.pending("spectra", told, affinity=_required(("topology.kubernetes.io/zone", "In", ["south-1c"])))
    return estate.frozen


@scenario("node_affinity_mismatch", "DaemonSet", "dome-driver", variants=("events_expired",))
def daemon_set_pods_are_pinned_by_affinity_to_hosts_that_lack_a_label() -> Frozen:
    """The controller adds the node's name to the affinity; the template's own affinity is what fails."""
    estate = _observatory()
    affinity = _required(("generation", "Gt", ["4"]))
    told = "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. " + _HELP.format(3)
    estate.pending("dome-driver", told, kind="DaemonSet", replicas=3, affinity=affinity)
    for node in estate.frozen.objects or ():
        if node["kind"] == "Node":
            node["metadata"]["labels"]["generation"] = "4"
    return estate.frozen


@scenario("node_affinity_mismatch", name="mosaic", variants=("bystanders",))
def not_in_excludes_every_node_during_a_rollout() -> Frozen:
    nodes = {"cp-1": _CONTROL, "obs-1": {"labels": {"cpu": "old"}}, "obs-2": {"labels": {"cpu": "old"}}}
    estate = _observatory(nodes)
    estate.healthy("mosaic", on=["obs-1", "obs-2"])
    affinity = _required(("cpu", "NotIn", ["old"]))
    _, group = estate.new_revision("mosaic", affinity=affinity)
    told = (
        "0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 node(s) didn't "
        "match Pod's node affinity/selector. no new claims to deallocate, " + _HELP.format(3)
    )
    _stuck(estate, group, told)
    return estate.frozen


def _stuck(estate: Estate, group: Any, told: str) -> None:
    """The pod of a rollout's new ReplicaSet that no node takes."""
    fresh = estate.frozen.stamp(10)
    made = pod(
        group["metadata"]["name"] + "-b7xzd",
        "skyview",
        owner=group,
        node_name="",
        phase="Pending",
        run=Run(ready=False, started=fresh),
    )
    made["status"]["conditions"] = [
        {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": told,
            "lastTransitionTime": fresh,
        }
    ]
    estate.frozen.add(made)
    estate.frozen.event(
        made, "FailedScheduling", told, minutes_ago=1, first_minutes_ago=10, count=6, component="default-scheduler"
    )


@scenario("node_affinity_mismatch", "Job", "nightly-flats", variants=("events_expired",))
def job_wants_a_label_to_exist() -> Frozen:
    nodes = {"obs-1": {"labels": {"gpu-model": ""}}, "obs-2": {}, "obs-3": {}}
    estate = _observatory(nodes)
    affinity = _required(("gpu-model", "Exists", []), ("spot", "DoesNotExist", []), ("burst", "Exists", []))
    told = "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. " + _HELP.format(3)
    estate.pending("nightly-flats", told, kind="Job", replicas=1, affinity=affinity)
    return estate.frozen


# --------------------------------------------------------------------------------------------------- selector


@scenario("node_selector_mismatch", name="denoiser", variants=("events_expired", "described", "old_events"))
def selector_names_a_label_no_node_has() -> Frozen:
    estate = _observatory()
    told = "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. " + _HELP.format(3)
    estate.pending("denoiser", told, nodeSelector={"accelerator": "a100"})
    estate.suffers("stacker", "denoiser", ready=False)
    return estate.frozen


@scenario("node_selector_mismatch", "StatefulSet", "telemetry-db", variants=("events_expired", "bystanders"))
def selector_spells_the_value_wrong() -> Frozen:
    nodes = {
        "cp-1": _CONTROL,
        "obs-1": {"labels": {"tier": "Storage"}},
        "obs-2": {"labels": {"tier": "web"}},
        "obs-3": {"labels": {"tier": "web"}, "ready": False},
    }
    estate = _observatory(nodes)
    told = (
        "0/4 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 3 node(s) didn't match "
        "Pod's node affinity/selector. " + _HELP.format(4)
    )
    estate.pending("telemetry-db", told, kind="StatefulSet", replicas=2, nodeSelector={"tier": "storage"})
    return estate.frozen


@scenario("node_selector_mismatch", "Job", "reprocess")
def selector_asks_for_another_architecture() -> Frozen:
    estate = _observatory()
    told = "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. " + _HELP.format(3)
    estate.pending(
        "reprocess",
        told,
        kind="Job",
        replicas=2,
        nodeSelector={"kubernetes.io/arch": "arm64", "kubernetes.io/os": "linux"},
    )
    return estate.frozen


@scenario("node_selector_mismatch", name="guider", variants=("events_expired",))
def selector_names_a_host_that_left_the_cluster() -> Frozen:
    nodes = {"obs-1": {}, "obs-2": {}, "obs-9": {"cordoned": True}}
    estate = _observatory(nodes)
    told = (
        "0/3 nodes are available: 1 node(s) were unschedulable, 2 node(s) didn't match Pod's node affinity/selector. "
        + _HELP.format(3)
    )
    estate.pending("guider", told, replicas=1, nodeSelector={"kubernetes.io/hostname": "obs-4"})
    return estate.frozen


# ----------------------------------------------------------------------------------------------- anti-affinity


@scenario("pod_anti_affinity_conflict", name="tracker", variants=("events_expired", "described", "old_events"))
def more_replicas_than_nodes() -> Frozen:
    estate = _observatory()
    told = "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules. " + _NONE.format(3)
    estate.pending("tracker", told, replicas=4, running=3, on=["obs-1", "obs-2", "obs-3"], affinity=_apart("tracker"))
    return estate.frozen


@scenario("pod_anti_affinity_conflict", "StatefulSet", "quorum", variants=("bystanders", "events_expired"))
def one_member_per_zone_but_too_few_zones() -> Frozen:
    nodes = {"cp-1": _CONTROL, "obs-1": {"zone": "a"}, "obs-2": {"zone": "b"}, "obs-3": {"zone": "b"}}
    estate = _observatory(nodes)
    told = (
        "0/4 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 3 node(s) didn't match pod "
        "anti-affinity rules. preemption: 0/4 nodes are available: 1 Preemption is not helpful for scheduling, 3 No preemption victims "
        "found for incoming pod."
    )
    estate.pending(
        "quorum",
        told,
        kind="StatefulSet",
        replicas=3,
        running=2,
        on=["obs-1", "obs-2"],
        affinity=_apart("quorum", "topology.kubernetes.io/zone"),
    )
    return estate.frozen


@scenario("pod_anti_affinity_conflict", name="focuser")
def rollout_with_surge_cannot_place_its_first_pod() -> Frozen:
    estate = _observatory()
    estate.healthy("focuser", replicas=3, on=["obs-1", "obs-2", "obs-3"], affinity=_apart("focuser"))
    _, group = estate.new_revision("focuser", affinity=_apart("focuser"), image="registry.internal:5000/team/focuser:9")
    _stuck(estate, group, "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules. " + _NONE.format(3))
    return estate.frozen


@scenario("pod_anti_affinity_conflict", name="newcomer", variants=("events_expired",))
def existing_pods_keep_the_newcomer_away() -> Frozen:
    """The term stands in the running pods' specification, not in the pending pod's."""
    estate = _observatory()
    estate.healthy("exclusive", replicas=3, on=["obs-1", "obs-2", "obs-3"], affinity=_apart("newcomer"))
    told = "0/3 nodes are available: 3 node(s) didn't satisfy existing pods anti-affinity rules. " + _NONE.format(3)
    estate.pending("newcomer", told, replicas=1)
    return estate.frozen


# ------------------------------------------------------------------------------------------------------ taints


@scenario("taint_toleration_mismatch", name="planner", variants=("events_expired", "described", "old_events"))
def all_workers_are_dedicated_to_others() -> Frozen:
    lab = {"taints": [("dedicated", "lab", "NoSchedule")]}
    estate = _observatory({"cp-1": _CONTROL, "obs-1": lab, "obs-2": lab})
    told = (
        "0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 node(s) had untolerated "
        "taint {dedicated: lab}. " + _HELP.format(3)
    )
    estate.pending("planner", told)
    return estate.frozen


@scenario("taint_toleration_mismatch", "StatefulSet", "gpu-cache", variants=("events_expired", "bystanders"))
def selector_leads_to_a_tainted_pool_and_the_toleration_has_the_wrong_effect() -> Frozen:
    gpu = {"labels": {"pool": "gpu"}, "taints": [("nvidia.com/gpu", "present", "NoExecute")]}
    estate = _observatory({"obs-1": {}, "obs-2": {}, "gpu-1": gpu, "gpu-2": gpu})
    told = (
        "0/4 nodes are available: 2 node(s) didn't match Pod's node affinity/selector, 2 node(s) had untolerated taint "
        "{nvidia.com/gpu: present}. " + _HELP.format(4)
    )
    tolerations = [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    estate.pending(
        "gpu-cache", told, kind="StatefulSet", replicas=1, nodeSelector={"pool": "gpu"}, tolerations=tolerations
    )
    return estate.frozen


@scenario("taint_toleration_mismatch", "Job", "solver")
def toleration_value_does_not_match() -> Frozen:
    nodes = {name: {"taints": [("team", "imaging", "NoSchedule")]} for name in ("obs-1", "obs-2", "obs-3")}
    estate = _observatory(nodes)
    told = "0/3 nodes are available: 3 node(s) had untolerated taint {team: imaging}. " + _HELP.format(3)
    tolerations = [{"key": "team", "operator": "Equal", "value": "spectroscopy", "effect": "NoSchedule"}]
    estate.pending("solver", told, kind="Job", replicas=1, tolerations=tolerations)
    return estate.frozen


@scenario("taint_toleration_mismatch", name="weather", variants=("events_expired",))
def prefer_no_schedule_is_not_what_keeps_it_away() -> Frozen:
    nodes = {
        "obs-1": {"taints": [("maintenance", "today", "NoSchedule")], "labels": {"site": "ridge"}},
        "obs-2": {
            "taints": [("slow-disk", "", "PreferNoSchedule"), ("maintenance", "today", "NoSchedule")],
            "labels": {"site": "ridge"},
        },
        "obs-3": {"labels": {"site": "valley"}},
    }
    estate = _observatory(nodes)
    told = (
        "0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 2 node(s) had untolerated taint {maintenance: today}. "
        + _HELP.format(3)
    )
    estate.pending("weather", told, replicas=1, affinity=_required(("site", "In", ["ridge"])))
    return estate.frozen


# -------------------------------------------------------------------------------------------------------- room


@scenario("cpu_capacity_mismatch", name="deconvolver", variants=("events_expired", "described", "old_events"))
def request_larger_than_any_node() -> Frozen:
    estate = _observatory()
    told = "0/3 nodes are available: 3 Insufficient cpu. " + _NONE.format(3)
    estate.pending("deconvolver", told, resources=requests("12", "512Mi"))
    return estate.frozen


@scenario("cpu_capacity_mismatch", name="matcher", variants=("events_expired",))
def running_pods_leave_too_little_cpu() -> Frozen:
    estate = _observatory({"cp-1": _CONTROL, "obs-1": {"cpu": "2"}, "obs-2": {"cpu": "2"}})
    estate.healthy("bulk", replicas=2, on=["obs-1", "obs-2"], resources=requests("900m", "64Mi"))
    told = (
        "0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 Insufficient cpu. preemption: "
        "0/3 nodes are available: 1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming pod."
    )
    estate.pending("matcher", told, replicas=1, resources=requests("800m", "64Mi"))
    return estate.frozen


@scenario("cpu_capacity_mismatch", "StatefulSet", "sequencer", variants=("bystanders", "events_expired"))
def only_the_sum_of_its_containers_is_too_large() -> Frozen:
    estate = _observatory({"obs-1": {"cpu": "3"}, "obs-2": {"cpu": "3"}}, services=("viewer", "alerts", "stacker"))
    pair = [
        container("main", "registry.internal:5000/team/sequencer:1", resources=requests("1800m", "128Mi")),
        container("mirror", "registry.internal:5000/team/mirror:1", resources=requests("1500m", "128Mi"), port=9000),
    ]
    told = "0/2 nodes are available: 2 Insufficient cpu. " + _NONE.format(2)
    estate.pending("sequencer", told, kind="StatefulSet", replicas=1, containers=pair)
    return estate.frozen


@scenario("cpu_capacity_mismatch", "Job", "simulation")
def large_nodes_are_cordoned_and_small_ones_are_too_small() -> Frozen:
    """Most nodes lack the CPU; the one that is cordoned could not have hosted it either."""
    estate = _observatory({"obs-1": {}, "obs-2": {}, "obs-3": {"cordoned": True}})
    told = "0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu. preemption: 0/3 nodes are available: 1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming pod."
    estate.pending("simulation", told, kind="Job", replicas=1, resources=requests("7", "256Mi"))
    return estate.frozen


@scenario("memory_capacity_mismatch", name="catalog-join", variants=("events_expired", "described", "old_events"))
def memory_request_larger_than_any_node() -> Frozen:
    estate = _observatory()
    told = "0/3 nodes are available: 3 Insufficient memory. " + _NONE.format(3)
    estate.pending("catalog-join", told, resources=requests("200m", "24Gi"))
    return estate.frozen


@scenario("memory_capacity_mismatch", "StatefulSet", "tile-cache", variants=("events_expired", "bystanders"))
def running_pods_leave_too_little_memory() -> Frozen:
    estate = _observatory(
        {"obs-1": {"memory": "4Gi"}, "obs-2": {"memory": "4Gi"}, "obs-3": {"memory": "8Gi", "cordoned": True}}
    )
    estate.healthy("warm", replicas=2, on=["obs-1", "obs-2"], resources=requests("50m", "2Gi"))
    told = "0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient memory. preemption: 0/3 nodes are available: 1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming pod."
    estate.pending("tile-cache", told, kind="StatefulSet", replicas=2, resources=requests("100m", "9Gi"))
    return estate.frozen


@scenario("memory_capacity_mismatch", name="renderer")
def rollout_raises_the_memory_request() -> Frozen:
    estate = _observatory({"cp-1": _CONTROL, "obs-1": {"memory": "8Gi"}, "obs-2": {"memory": "8Gi"}})
    estate.healthy("renderer", resources=requests("100m", "1Gi"), replicas=2)
    _, group = estate.new_revision("renderer", resources=requests("100m", "7Gi"))
    told = (
        "0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 Insufficient memory. "
        + _NONE.format(3)
    )
    _stuck(estate, group, told)
    return estate.frozen


# --------------------------------------------------------------------------------------------------- spreading


def _spread(app: str, key: str = "topology.kubernetes.io/zone", skew: int = 1, **more: Any) -> dict[str, Any]:
    row = {
        "maxSkew": skew,
        "topologyKey": key,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": app}},
    }
    return {"topologySpreadConstraints": [{**row, **more}]}


@scenario("topology_spread_unsatisfiable", name="relay", variants=("events_expired", "old_events"))
def the_emptier_zone_has_only_a_cordoned_node() -> Frozen:
    """The zone of the cordoned node counts for the skew (nodeTaintsPolicy is Ignore by default) but takes no pod."""
    nodes = {"obs-1": {"zone": "a"}, "obs-2": {"zone": "a"}, "obs-3": {"zone": "b", "cordoned": True}}
    estate = _observatory(nodes)
    told = (
        "0/3 nodes are available: 1 node(s) were unschedulable, 2 node(s) didn't match pod topology spread constraints. preemption: 0/3 nodes "
        "are available: 1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming pod."
    )
    estate.pending("relay", told, replicas=3, running=1, on=["obs-1"], **_spread("relay"))
    return estate.frozen


@scenario("topology_spread_unsatisfiable", "StatefulSet", "ring", variants=("bystanders",))
def no_node_has_the_topology_label() -> Frozen:
    estate = _observatory()
    told = (
        "0/3 nodes are available: 3 node(s) didn't match pod topology spread constraints (missing required label). "
        + _HELP.format(3)
    )
    estate.pending("ring", told, kind="StatefulSet", replicas=3, **_spread("ring", "topology.kubernetes.io/rack"))
    return estate.frozen


@scenario("topology_spread_unsatisfiable", name="fanout", variants=("events_expired",))
def min_domains_wants_a_third_zone() -> Frozen:
    nodes = {"cp-1": _CONTROL, "obs-1": {"zone": "a"}, "obs-2": {"zone": "b"}}
    estate = _observatory(nodes)
    told = (
        "0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 node(s) didn't match pod "
        "topology spread constraints. " + _NONE.format(3)
    )
    estate.pending("fanout", told, replicas=4, running=2, on=["obs-1", "obs-2"], **_spread("fanout", minDomains=3))
    return estate.frozen


# ---------------------------------------------------------------------------------------------- nothing wrong


@scenario(None, no_cause=True)
def a_stale_failure_to_schedule_is_no_cause() -> Frozen:
    """Yesterday's surge is over: the pods run, and one node is cordoned for a repair that hurts nobody."""
    estate = _observatory({"obs-1": {}, "obs-2": {}, "obs-3": {"cordoned": True}})
    pod = next(o for o in estate.frozen.objects or () if o["kind"] == "Pod")
    estate.frozen.event(
        pod,
        "FailedScheduling",
        "0/3 nodes are available: 3 Insufficient cpu. " + _NONE.format(3),
        minutes_ago=50,
        component="default-scheduler",
    )
    estate.frozen.event(
        pod,
        "Scheduled",
        f"Successfully assigned skyview/{pod['metadata']['name']} to obs-1",
        minutes_ago=49,
        kind="Normal",
        component="default-scheduler",
    )
    return estate.frozen
