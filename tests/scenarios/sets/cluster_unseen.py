"""A second, blind round over admission, scheduling, volumes and startup, in forms that the first sets did not have.

The application brews and ships beer. Written before any further change to the analyzers, to see how far what the first
round taught them carries: other runtimes' and registries' words, defaults that other objects add, scopes, sidecars,
pods of CronJobs, one DaemonSet pod of many, and decoys that look like the cause.
"""

from typing import Any

from agent_sre.testing.kubernetes_objects import container
from tests.scenarios.estate import (
    Estate,
    account,
    claim,
    limit_range,
    mounted,
    quota,
    requests,
    space,
    storage_class,
    volume,
)
from tests.scenarios.frozen import Frozen, Object
from tests.scenarios.sets.registry import scenario

_SERVICES = ("recipes", "mash", "fermenter", "bottling", "orders", "shipping")
_SPACE = "brewery"
_HELP = "preemption: 0/{0} nodes are available: {0} Preemption is not helpful for scheduling."


def _brewery(nodes: Any = ("vat-1", "vat-2", "vat-3"), services: tuple[str, ...] = _SERVICES) -> Estate:
    return Estate(_SPACE, services, nodes)


def _back_off(image: str) -> Object:
    return {"waiting": {"reason": "ImagePullBackOff", "message": f'Back-off pulling image "{image}"'}}


def _pull(image: str, cause: str) -> tuple[tuple[str, str], ...]:
    return (
        ("Failed", f'Failed to pull image "{image}": {cause}'),
        ("Failed", "Error: ErrImagePull"),
        ("Failed", "Error: ImagePullBackOff"),
    )


def _crash(name: str) -> Object:
    return {"waiting": {"reason": "CrashLoopBackOff", "message": f"back-off 5m0s restarting failed container={name}"}}


def _exited(code: int, reason: str = "Error", message: str = "") -> Object:
    row = {
        "reason": reason,
        "exitCode": code,
        "startedAt": "2026-04-14T09:27:00Z",
        "finishedAt": "2026-04-14T09:27:01Z",
    }
    return {"terminated": {**row, **({"message": message} if message else {})}}


_CREATING: Object = {"waiting": {"reason": "ContainerCreating"}}


def _cron(estate: Estate, job_name: str, cron_name: str) -> None:
    """Make a Job one that a CronJob made."""
    job = estate.frozen.find("Job", job_name)
    owner = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "name": cron_name,
        "uid": f"uid-{cron_name}",
        "controller": True,
    }
    job["metadata"]["ownerReferences"] = [owner]
    estate.frozen.add(
        {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": {
                "name": cron_name,
                "namespace": _SPACE,
                "uid": f"uid-{cron_name}",
                "creationTimestamp": "2026-01-05T08:00:00Z",
            },
            "spec": {"schedule": "15 * * * *", "suspend": False, "jobTemplate": {"spec": job["spec"]}},
            "status": {"lastScheduleTime": estate.frozen.stamp(15), "active": [{"kind": "Job", "name": job_name}]},
        }
    )


# --------------------------------------------------------------------------------------------------- admission


@scenario("namespace_memory_quota_exceeded", "Namespace", _SPACE, variants=("events_expired",))
def limits_come_from_a_default() -> Frozen:
    """The template sets no limit; the LimitRange's default is what the quota counts."""
    estate = _brewery()
    estate.frozen.add(
        limit_range(
            _SPACE,
            "defaults",
            {"type": "Container", "default": {"memory": "2Gi"}, "defaultRequest": {"memory": "256Mi"}},
        ),
        quota(_SPACE, "ram", {"limits.memory": "8Gi"}, {"limits.memory": "7Gi"}),
    )
    message = 'pods "{pod}" is forbidden: exceeded quota: ram, requested: limits.memory=2Gi, used: limits.memory=7Gi, limited: limits.memory=8Gi'
    estate.refused("labels", message, kind="StatefulSet", replicas=2, resources={"requests": {"cpu": "50m"}})
    return estate.frozen


@scenario("namespace_pod_quota_exceeded", "Namespace", _SPACE, variants=("events_expired",))
def best_effort_pods_have_a_quota_of_their_own() -> Frozen:
    estate = _brewery()
    estate.frozen.add(
        quota(_SPACE, "all", {"pods": "40"}, {"pods": "16"}),
        quota(_SPACE, "scavengers", {"pods": "2"}, {"pods": "2"}, scopes=["BestEffort"]),
    )
    message = 'pods "{pod}" is forbidden: exceeded quota: scavengers, requested: pods=1, used: pods=2, limited: pods=2'
    estate.refused(
        "sampler", message, kind="StatefulSet", replicas=3, running=2, resources={"requests": {}, "limits": {}}
    )
    return estate.frozen


@scenario("namespace_cpu_quota_exceeded", "Namespace", _SPACE)
def only_the_deployment_tells_of_the_failure() -> Frozen:
    """ReplicaSets were not exported and events are gone: the Deployment's own condition is left."""
    estate = _brewery()
    estate.frozen.add(quota(_SPACE, "team", {"requests.cpu": "3"}, {"requests.cpu": "2900m"}))
    message = 'pods "{pod}" is forbidden: exceeded quota: team, requested: requests.cpu=500m, used: requests.cpu=2900m, limited: requests.cpu=3'
    estate.refused("yeast", message, resources=requests("500m", "64Mi"))
    gone = ("ReplicaSet", "Event")
    estate.frozen.objects = [item for item in estate.frozen.objects or () if item["kind"] not in gone]
    return estate.frozen


@scenario(
    "missing_service_account",
    "CronJob",
    "hourly-brew",
    accept=[("missing_service_account", "Job", "hourly-brew-29010")],
    variants=("events_expired",),
)
def account_of_a_cron_job() -> Frozen:
    estate = _brewery()
    message = 'pods "{pod}" is forbidden: error looking up service account brewery/brewmaster: serviceaccount "brewmaster" not found'
    estate.refused("hourly-brew-29010", message, kind="Job", replicas=1, serviceAccountName="brewmaster")
    _cron(estate, "hourly-brew-29010", "hourly-brew")
    return estate.frozen


@scenario("admission_webhook_denied", name="tap-list")
def webhook_certificate_is_not_trusted() -> Frozen:
    estate = _brewery()
    message = (
        'Internal error occurred: failed calling webhook "mutate.inject.corp.example": failed to call webhook: Post "https://inject.platform.svc:443'
        '/mutate?timeout=10s": tls: failed to verify certificate: x509: certificate signed by unknown authority'
    )
    estate.refused("tap-list", message)
    return estate.frozen


@scenario("pod_security_denied", "StatefulSet", "barrel-store", variants=("events_expired",))
def only_the_init_container_breaks_the_level() -> Frozen:
    estate = _brewery()
    estate.frozen.add(space(_SPACE))
    estate.frozen.find("Namespace", _SPACE)["metadata"]["labels"] = {
        "pod-security.kubernetes.io/enforce": "baseline",
        "pod-security.kubernetes.io/warn": "restricted",
    }
    init = [container("chown", "docker.io/library/busybox:1.36", securityContext={"privileged": True})]
    message = 'pods "{pod}" is forbidden: violates PodSecurity "baseline:latest": privileged (container "chown" must not set securityContext.privileged=true)'
    estate.refused("barrel-store", message, kind="StatefulSet", replicas=2, initContainers=init)
    return estate.frozen


@scenario("missing_config_map", name="kegs", variants=("events_expired",))
def a_level_that_only_warns_is_no_cause() -> Frozen:
    estate = _brewery()
    estate.frozen.add(space(_SPACE))
    estate.frozen.find("Namespace", _SPACE)["metadata"]["labels"] = {
        "pod-security.kubernetes.io/warn": "restricted",
        "pod-security.kubernetes.io/audit": "restricted",
    }
    told = 'configmap "keg-sizes" not found'
    state = {"waiting": {"reason": "CreateContainerConfigError", "message": told}}
    estate.waiting("kegs", state, ("Failed", f"Error: {told}"), envFrom=[{"configMapRef": {"name": "keg-sizes"}}])
    return estate.frozen


@scenario("rbac_forbidden", name="cask")
def init_container_may_not_list_pods() -> Frozen:
    estate = _brewery()
    init = [
        container(
            "wait-for-mash",
            "docker.io/bitnami/kubectl:1.31",
            command=["kubectl", "wait", "pod", "-l", "app=mash", "--for=condition=Ready"],
        )
    ]
    pods = estate.waiting(
        "cask",
        {"waiting": {"reason": "PodInitializing"}},
        ("BackOff", "Back-off restarting failed container wait-for-mash in pod"),
        replicas=1,
        initContainers=init,
    )
    _initial(pods, "wait-for-mash", _crash("wait-for-mash"), _exited(1))
    line = 'Error from server (Forbidden): pods is forbidden: User "system:serviceaccount:brewery:default" cannot list resource "pods" in API group "" in the namespace "brewery"'
    estate.frozen.log(pods[0]["metadata"]["name"], "wait-for-mash", line, minutes_ago=2, previous=True)
    return estate.frozen


def _initial(pods: list[Object], name: str, state: Object, last: Object) -> None:
    for item in pods:
        first = item["spec"]["initContainers"][0]
        row = {
            "name": name,
            "image": first["image"],
            "ready": False,
            "restartCount": 5,
            "state": state,
            "lastState": last,
        }
        item["status"]["initContainerStatuses"] = [row]
        item["status"]["phase"] = "Pending"
        for status in item["status"]["containerStatuses"]:
            status |= {"state": {"waiting": {"reason": "PodInitializing"}}, "ready": False, "started": False}


# -------------------------------------------------------------------------------------------------- scheduling


@scenario("taint_toleration_mismatch", name="vision", variants=("events_expired",))
def devices_are_on_tainted_nodes_only() -> Frozen:
    gpu = {"taints": [("nvidia.com/gpu", "present", "NoSchedule")], "nvidia.com__gpu": "4"}
    estate = _brewery({"vat-1": {}, "vat-2": {}, "gpu-1": gpu})
    told = "0/3 nodes are available: 1 node(s) had untolerated taint {nvidia.com/gpu: present}, 2 Insufficient nvidia.com/gpu. preemption: 0/3 nodes are available: 1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming pod."
    shape = {"requests": {"cpu": "1", "nvidia.com/gpu": "1"}, "limits": {"nvidia.com/gpu": "1"}}
    estate.pending("vision", told, replicas=1, resources=shape)
    return estate.frozen


@scenario("cpu_capacity_mismatch", "DaemonSet", "sensor", variants=("events_expired", "described"))
def one_pod_of_a_daemon_set_finds_its_node_full() -> Frozen:
    """The controller pins each pod to its node; that the others don't match is said in every such message."""
    estate = _brewery({"vat-1": {"cpu": "2"}, "vat-2": {}, "vat-3": {}})
    estate.healthy("press", replicas=1, on=["vat-1"], resources=requests("1500m", "64Mi"))
    told = "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't match Pod's node affinity/selector. preemption: 0/3 nodes are available: 1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling."
    pods = estate.pending(
        "sensor",
        told,
        kind="DaemonSet",
        replicas=3,
        running=2,
        on=["vat-2", "vat-3"],
        resources=requests("400m", "64Mi"),
    )
    for item, node in zip(pods, ("vat-2", "vat-3", "vat-1"), strict=True):
        field = {"key": "metadata.name", "operator": "In", "values": [node]}
        terms = {"nodeSelectorTerms": [{"matchFields": [field]}]}
        item["spec"]["affinity"] = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    return estate.frozen


@scenario("memory_capacity_mismatch", name="ledger", variants=("events_expired",))
def an_init_container_asks_for_too_much() -> Frozen:
    estate = _brewery()
    init = [container("load", "registry.internal:5000/team/load:1", resources=requests("100m", "20Gi"))]
    told = "0/3 nodes are available: 3 Insufficient memory. preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod."
    estate.pending("ledger", told, replicas=1, initContainers=init)
    return estate.frozen


@scenario("memory_capacity_mismatch", "StatefulSet", "stock", variants=("events_expired",))
def only_limits_are_set_and_a_soft_spread_is_a_decoy() -> Frozen:
    estate = _brewery({"vat-1": {"zone": "a"}, "vat-2": {"zone": "a"}})
    spread = {
        "maxSkew": 1,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {"app": "stock"}},
    }
    told = "0/2 nodes are available: 2 Insufficient memory. preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod."
    estate.pending(
        "stock",
        told,
        kind="StatefulSet",
        replicas=1,
        resources={"limits": {"memory": "30Gi"}},
        topologySpreadConstraints=[spread],
    )
    return estate.frozen


@scenario("taint_toleration_mismatch", "StatefulSet", "etcd-backup", variants=("events_expired",))
def meant_for_the_control_plane_without_its_toleration() -> Frozen:
    control = {
        "labels": {"node-role.kubernetes.io/control-plane": ""},
        "taints": [("node-role.kubernetes.io/control-plane", "", "NoSchedule")],
    }
    estate = _brewery({"cp-1": control, "vat-1": {}, "vat-2": {}})
    told = (
        "0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 node(s) didn't match Pod's node affinity/selector. "
        + _HELP.format(3)
    )
    estate.pending(
        "etcd-backup", told, kind="StatefulSet", replicas=1, nodeSelector={"node-role.kubernetes.io/control-plane": ""}
    )
    return estate.frozen


@scenario("taint_toleration_mismatch", name="planner")
def newer_schedulers_do_not_name_the_taint() -> Frozen:
    spot = {"taints": [("spot", "true", "NoExecute")]}
    estate = _brewery({"s-1": spot, "s-2": spot, "s-3": spot})
    told = "0/3 nodes are available: 3 node(s) had untolerated taint(s). no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
    tolerations = [{"key": "spot", "operator": "Exists", "effect": "NoSchedule"}]
    estate.pending("planner", told, tolerations=tolerations)
    return estate.frozen


@scenario("cpu_capacity_mismatch", "Job", "brew-model", variants=("events_expired",))
def tolerates_everything_and_still_finds_no_room() -> Frozen:
    lab = {"taints": [("lab", "yes", "NoSchedule")], "cpu": "8"}
    estate = _brewery({"vat-1": {}, "lab-1": lab})
    told = "0/2 nodes are available: 2 Insufficient cpu. preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod."
    estate.pending(
        "brew-model",
        told,
        kind="Job",
        replicas=1,
        resources=requests("9", "64Mi"),
        tolerations=[{"operator": "Exists"}],
    )
    return estate.frozen


@scenario(
    "node_selector_mismatch",
    "CronJob",
    "weekly-audit",
    accept=[("node_selector_mismatch", "Job", "weekly-audit-29000")],
    variants=("events_expired",),
)
def pod_of_a_cron_job_has_a_selector_no_node_meets() -> Frozen:
    estate = _brewery()
    told = "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. " + _HELP.format(3)
    estate.pending("weekly-audit-29000", told, kind="Job", replicas=1, nodeSelector={"audit": "yes"})
    _cron(estate, "weekly-audit-29000", "weekly-audit")
    return estate.frozen


@scenario("node_affinity_mismatch", name="blend", variants=("events_expired",))
def several_terms_of_which_none_holds_and_a_preference() -> Frozen:
    estate = _brewery(
        {"vat-1": {"labels": {"line": "a", "cores": "8"}}, "vat-2": {"labels": {"line": "b", "cores": "8"}}}
    )
    terms = [
        {
            "matchExpressions": [
                {"key": "line", "operator": "In", "values": ["a"]},
                {"key": "cores", "operator": "Gt", "values": ["8"]},
            ]
        },
        {"matchExpressions": [{"key": "line", "operator": "NotIn", "values": ["a", "b"]}]},
    ]
    likes = [{"weight": 50, "preference": {"matchExpressions": [{"key": "line", "operator": "In", "values": ["a"]}]}}]
    affinity = {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms},
            "preferredDuringSchedulingIgnoredDuringExecution": likes,
        }
    }
    told = "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector. " + _HELP.format(2)
    estate.pending("blend", told, affinity=affinity)
    return estate.frozen


@scenario("cpu_capacity_mismatch", name="forecast")
def only_the_autoscaler_s_event_is_left() -> Frozen:
    estate = _brewery()
    told = "0/3 nodes are available: 3 Insufficient cpu."
    pods = estate.pending("forecast", told, replicas=2, event=False, resources=requests("6", "256Mi"))
    for item in pods:
        words = "pod didn't trigger scale-up: 1 max node group size reached, 2 Insufficient cpu"
        estate.frozen.event(
            item, "NotTriggerScaleUp", words, kind="Normal", minutes_ago=1, count=20, component="cluster-autoscaler"
        )
    return estate.frozen


# ----------------------------------------------------------------------------------------------------- volumes


@scenario("pv_binding_occupied", "StatefulSet", "till", variants=("events_expired",))
def volume_is_reserved_for_a_claim_of_the_same_name_elsewhere() -> Frozen:
    estate = _brewery()
    estate.frozen.add(
        storage_class("manual"),
        volume("till-disk", storage_class="manual", claim_of=("brewery-test", "till"), phase="Available"),
    )
    waiting = claim(_SPACE, "till", storage_class="manual")
    estate.frozen.add(waiting)
    estate.frozen.event(
        waiting,
        "ProvisioningFailed",
        'storageclass.storage.k8s.io "manual" has no provisioner',
        count=30,
        component="persistentvolume-controller",
    )
    told = "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. " + _HELP.format(3)
    estate.pending("till", told, kind="StatefulSet", replicas=1, **mounted("till"))
    return estate.frozen


@scenario("pvc_storage_class_mismatch", name="cellar-log")
def only_the_scheduler_tells_of_the_class() -> Frozen:
    estate = _brewery()
    estate.frozen.add(
        storage_class("gp3", provisioner="ebs.csi.aws.com", wait=True, default=True),
        claim(_SPACE, "cellar", storage_class="gp4"),
    )
    told = 'running PreBind plugin "VolumeBinding": storageclass.storage.k8s.io "gp4" not found'
    estate.pending("cellar-log", told, replicas=1, **mounted("cellar"))
    return estate.frozen


@scenario("pvc_selector_mismatch", name="scans")
def provisioner_does_not_know_selectors() -> Frozen:
    estate = _brewery()
    estate.frozen.add(storage_class("ceph", provisioner="rbd.csi.ceph.com", default=True))
    waiting = claim(_SPACE, "scans", storage_class="ceph", selector={"matchLabels": {"shelf": "3"}})
    estate.frozen.add(waiting)
    estate.frozen.event(
        waiting,
        "ProvisioningFailed",
        'failed to provision volume with StorageClass "ceph": claim Selector is not supported',
        count=12,
        component="rbd.csi.ceph.com",
    )
    told = "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. " + _HELP.format(3)
    estate.pending("scans", told, replicas=1, **mounted("scans"))
    return estate.frozen


@scenario("pvc_access_mode_mismatch", name="menu")
def second_replica_cannot_attach_a_disk_for_one_node() -> Frozen:
    estate = _brewery()
    estate.frozen.add(
        storage_class("gp3", provisioner="ebs.csi.aws.com", wait=True),
        volume(
            "pvc-77",
            storage_class="gp3",
            claim_of=(_SPACE, "menu"),
            csi={"driver": "ebs.csi.aws.com", "volumeHandle": "vol-1"},
        ),
        claim(_SPACE, "menu", storage_class="gp3", bound_to="pvc-77"),
    )
    told = 'Multi-Attach error for volume "pvc-77" Volume is already used by pod(s) menu-7c9-x2x'
    estate.waiting(
        "menu", _CREATING, ("FailedAttachVolume", told), replicas=2, running=1, on=["vat-1", "vat-2"], **mounted("menu")
    )
    return estate.frozen


@scenario("volume_zone_conflict", name="archive", variants=("events_expired",))
def free_local_volume_is_on_a_node_the_pod_avoids() -> Frozen:
    nodes = {
        "vat-1": {"labels": {"room": "hot"}},
        "vat-2": {"labels": {"room": "cold"}},
        "vat-3": {"labels": {"room": "cold"}},
    }
    estate = _brewery(nodes)
    estate.frozen.add(
        storage_class("local", wait=True),
        volume(
            "local-a", storage_class="local", affinity=("kubernetes.io/hostname", ["vat-1"]), local={"path": "/mnt/a"}
        ),
        claim(_SPACE, "archive", storage_class="local"),
    )
    told = (
        "0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 2 node(s) didn't find available persistent volumes to bind. "
        + _HELP.format(3)
    )
    estate.pending("archive", told, replicas=1, nodeSelector={"room": "cold"}, **mounted("archive"))
    return estate.frozen


# ----------------------------------------------------------------------------------------------------- startup


@scenario("incorrect_image_reference", name="hops")
def dockers_own_words() -> Frozen:
    estate = _brewery()
    image = "hops-service:9.99"
    cause = "rpc error: code = Unknown desc = Error response from daemon: manifest for hops-service:9.99 not found: manifest unknown: manifest unknown"
    estate.waiting("hops", _back_off(image), *_pull(image, cause), image=image)
    return estate.frozen


@scenario(
    "incorrect_image_reference", "CronJob", "invoice", accept=[("incorrect_image_reference", "Job", "invoice-29011")]
)
def digest_that_the_registry_does_not_have() -> Frozen:
    estate = _brewery()
    image = "europe-docker.pkg.dev/brew/apps/invoice@sha256:" + "ab" * 32
    cause = f'rpc error: code = NotFound desc = failed to pull and unpack image "{image}": failed to resolve reference "{image}": {image}: not found'
    estate.waiting("invoice-29011", _back_off(image), *_pull(image, cause), kind="Job", replicas=1, image=image)
    _cron(estate, "invoice-29011", "invoice")
    return estate.frozen


@scenario("missing_image_pull_secret", name="loyalty")
def secret_is_there_and_its_token_has_expired() -> Frozen:
    estate = _brewery()
    image = "ghcr.io/brew/loyalty:3"
    cause = f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://ghcr.io/token?scope=repository%3Abrew%2Floyalty%3Apull&service=ghcr.io: 403 Forbidden'
    estate.waiting("loyalty", _back_off(image), *_pull(image, cause), image=image, imagePullSecrets=[{"name": "ghcr"}])
    return estate.frozen


@scenario("missing_image_pull_secret", "StatefulSet", "tank-db")
def secret_named_by_the_service_account() -> Frozen:
    estate = _brewery()
    own = account(_SPACE, "tank-db")
    own["imagePullSecrets"] = [{"name": "registry-robot"}]
    estate.frozen.add(own)
    image = "registry.private.example/data/tank-db:12"
    cause = f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": pulling from host registry.private.example failed with status code [manifests 12]: 401 Unauthorized'
    warning = (
        "FailedToRetrieveImagePullSecret",
        "Unable to retrieve some image pull secrets (registry-robot); attempting to pull the image may not succeed.",
    )
    estate.waiting(
        "tank-db",
        _back_off(image),
        warning,
        *_pull(image, cause),
        kind="StatefulSet",
        replicas=1,
        image=image,
        serviceAccountName="tank-db",
    )
    return estate.frozen


@scenario("image_registry_dns_failure", name="quality")
def resolver_does_not_answer() -> Frozen:
    estate = _brewery()
    image = "nexus.plant.example:8082/quality:2"
    cause = f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": failed to do request: Head "https://nexus.plant.example:8082/v2/quality/manifests/2": dial tcp: lookup nexus.plant.example on 10.0.0.2:53: read udp 10.0.3.7:51234->10.0.0.2:53: i/o timeout'
    estate.waiting("quality", _back_off(image), *_pull(image, cause), image=image)
    return estate.frozen


@scenario(None, no_cause=True)
def registry_does_not_answer_and_nothing_tells_why() -> Frozen:
    estate = _brewery()
    image = "nexus.plant.example:8082/quality:2"
    cause = f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": failed to do request: Head "https://nexus.plant.example:8082/v2/quality/manifests/2": dial tcp 10.7.0.4:8082: i/o timeout'
    estate.waiting("quality", _back_off(image), *_pull(image, cause), image=image)
    return estate.frozen


@scenario("missing_secret_binding", name="gate")
def key_of_a_projected_secret() -> Frozen:
    estate = _brewery()
    sources = [
        {"serviceAccountToken": {"path": "token"}},
        {"secret": {"name": "gate-api", "items": [{"key": "token", "path": "api"}]}},
    ]
    told = 'MountVolume.SetUp failed for volume "creds" : references non-existent secret key: token'
    estate.waiting(
        "gate", _CREATING, ("FailedMount", told), volumes=[{"name": "creds", "projected": {"sources": sources}}]
    )
    return estate.frozen


@scenario("missing_config_map", "StatefulSet", "cooler", variants=("events_expired",))
def config_map_of_an_init_container() -> Frozen:
    estate = _brewery()
    init = [
        container(
            "render", "registry.internal:5000/team/render:1", envFrom=[{"configMapRef": {"name": "cooler-curve"}}]
        )
    ]
    told = 'configmap "cooler-curve" not found'
    pods = estate.waiting(
        "cooler",
        {"waiting": {"reason": "PodInitializing"}},
        ("Failed", f"Error: {told}"),
        kind="StatefulSet",
        replicas=2,
        initContainers=init,
    )
    _initial(pods, "render", {"waiting": {"reason": "CreateContainerConfigError", "message": told}}, {})
    return estate.frozen


@scenario("init_container_failed", name="router", variants=("no_logs",))
def native_sidecar_does_not_come_up() -> Frozen:
    estate = _brewery()
    init = [container("mesh", "registry.internal:5000/team/mesh:1", restartPolicy="Always", port=15000)]
    pods = estate.waiting(
        "router",
        {"waiting": {"reason": "PodInitializing"}},
        ("BackOff", "Back-off restarting failed container mesh in pod"),
        initContainers=init,
    )
    _initial(pods, "mesh", _crash("mesh"), _exited(1))
    for item in pods:
        estate.frozen.log(
            item["metadata"]["name"],
            "mesh",
            "fetching bootstrap",
            "fatal: bootstrap answer was empty",
            minutes_ago=2,
            previous=True,
        )
    return estate.frozen


@scenario("incorrect_command", name="mixer")
def cruns_words_for_a_missing_program() -> Frozen:
    estate = _brewery()
    told = "container create failed: executable file `mixerd` not found in $PATH: No such file or directory"
    state = {"waiting": {"reason": "CreateContainerError", "message": told}}
    estate.waiting("mixer", state, ("Failed", f"Error: {told}"), command=["mixerd"])
    return estate.frozen


@scenario("incorrect_command", "StatefulSet", "silo", variants=("events_expired",))
def script_without_the_right_to_be_executed_beside_a_data_volume() -> Frozen:
    """Permission denied, and a volume is mounted, but it is the program that may not be run (126)."""
    estate = _brewery()
    estate.frozen.add(claim(_SPACE, "silo", bound_to="pvc-3"))
    pods = estate.waiting(
        "silo",
        _crash("silo"),
        ("BackOff", "Back-off restarting failed container silo in pod"),
        kind="StatefulSet",
        replicas=1,
        restarts=5,
        last_state=_exited(126),
        command=["sh", "-c", "/opt/silo/run.sh"],
        **mounted("silo"),
    )
    estate.frozen.log(
        pods[0]["metadata"]["name"], "silo", "sh: 1: /opt/silo/run.sh: Permission denied", minutes_ago=2, previous=True
    )
    return estate.frozen


@scenario("volume_mount_permission_denied", name="tank-metrics")
def panic_over_a_file_it_may_not_open() -> Frozen:
    estate = _brewery()
    estate.frozen.add(claim(_SPACE, "tank-metrics", bound_to="pvc-4"))
    pods = estate.waiting(
        "tank-metrics",
        _crash("tank-metrics"),
        ("BackOff", "Back-off restarting failed container tank-metrics in pod"),
        replicas=1,
        restarts=6,
        last_state=_exited(2),
        securityContext={"runAsUser": 65534},
        **mounted("tank-metrics", "/prometheus"),
    )
    lines = (
        'level=error component=activeQueryTracker msg="Error opening query log file" file=/prometheus/queries.active err="open /prometheus/queries.active: permission denied"',
        "panic: Unable to create mmap-ed active query log",
        "goroutine 1 [running]:",
        "main.main()",
    )
    estate.frozen.log(pods[0]["metadata"]["name"], "tank-metrics", *lines, minutes_ago=2, previous=True)
    return estate.frozen


@scenario("volume_mount_permission_denied", name="label-files")
def file_share_refuses_the_account() -> Frozen:
    estate = _brewery()
    estate.frozen.add(claim(_SPACE, "labels", bound_to="pvc-5", modes=("ReadWriteMany",)))
    told = (
        'MountVolume.MountDevice failed for volume "pvc-5" : rpc error: code = Internal desc = volume(share) mount //files.example/labels on '
        "/var/lib/kubelet/plugins/globalmount failed with mount failed: exit status 32\nMounting command: mount\nOutput: mount error(13): Permission denied\n"
        "Refer to the mount.cifs(8) manual page (e.g. man mount.cifs)"
    )
    estate.waiting("label-files", _CREATING, ("FailedMount", told), **mounted("labels"))
    return estate.frozen


@scenario("exec_format_error", "Job", "calibrate", variants=("no_logs",))
def crio_finds_no_image_for_the_architecture() -> Frozen:
    estate = _brewery({"vat-1": {}, "arm-1": {"arch": "arm64"}})
    image = "quay.io/brew/calibrate:2"
    cause = 'rpc error: code = Unknown desc = choosing image instance: no image found in image index for architecture "arm64", variant "v8", OS "linux"'
    estate.waiting(
        "calibrate", _back_off(image), *_pull(image, cause), kind="Job", replicas=1, on=["arm-1"], image=image
    )
    return estate.frozen


@scenario("exec_format_error", name="valves")
def init_container_of_another_architecture() -> Frozen:
    estate = _brewery({"vat-1": {}, "arm-1": {"arch": "arm64"}})
    init = [container("setup", "registry.internal:5000/team/setup:1")]
    pods = estate.waiting(
        "valves",
        {"waiting": {"reason": "PodInitializing"}},
        ("BackOff", "Back-off restarting failed container setup in pod"),
        replicas=1,
        on=["arm-1"],
        initContainers=init,
    )
    _initial(pods, "setup", _crash("setup"), _exited(1))
    estate.frozen.log(
        pods[0]["metadata"]["name"], "setup", "exec /bin/sh: exec format error", minutes_ago=2, previous=True
    )
    return estate.frozen


# ---------------------------------------------------------------------------------------------- nothing wrong


@scenario(None, no_cause=True)
def a_rollout_that_began_seconds_ago_is_no_cause() -> Frozen:
    estate = _brewery()
    estate.waiting(
        "fresh",
        _CREATING,
        ("Pulling", 'Pulling image "registry.internal:5000/team/fresh:2.4.1"'),
        minutes_ago=0.4,
        count=1,
    )
    return estate.frozen


@scenario(None, no_cause=True)
def a_gated_pod_waits_on_purpose() -> Frozen:
    estate = _brewery()
    pods = estate.pending(
        "batch-slot",
        "Scheduling is blocked due to non-empty scheduling gates",
        kind="Job",
        replicas=1,
        event=False,
        reason="SchedulingGated",
        nodeSelector={"pool": "later"},
    )
    for item in pods:
        item["spec"]["schedulingGates"] = [{"name": "kueue.x-k8s.io/admission"}]
    return estate.frozen
