"""One broken thing in a small shop, per fault type: the first hypothesis names the fault and the object to change."""

from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from agent_sre.analysis.engine import analyze
from agent_sre.analysis.judge import judge
from agent_sre.domain.fault import fault_types
from agent_sre.domain.verdict import Verdict
from agent_sre.testing import kubernetes_objects as k8s
from tests.scenarios.builders import NOW, PENDING, SPACE, Shop, basket, crashed, front, held, ledger

Build = Callable[[], Shop]
SCENARIOS: dict[str, tuple[str, Build]] = {}


def scenario(fault: str, name: str) -> Callable[[Build], Build]:
    """Register a scenario under ``<its function's name>``, with the fault and the object's name to be found."""

    def register(build: Build) -> Build:
        SCENARIOS[build.__name__] = (f"{fault} {name}", build)
        return build

    return register


def verdict_on(shop: Shop) -> Verdict:
    case = shop.case()
    return judge(case, analyze(case))


# ------------------------------------------------------------------------------------------------------ admission


def refused(message: str) -> Shop:
    shop = Shop(basket(pods=0))
    shop.event(
        "ReplicaSet", "basket", "FailedCreate", f'Error creating: pods "basket-6d5f7c9b84-" is forbidden: {message}'
    )
    return shop


@scenario("missing_service_account", "basket")
def service_account_gone() -> Shop:
    shop = refused('error looking up service account shop/basket: serviceaccount "basket" not found')
    shop.objects.remove(shop.find("ServiceAccount", "basket"))
    return shop


@scenario("missing_service_account", "basket")
def service_account_gone_and_events_expired() -> Shop:
    shop = Shop(basket(pods=0))
    shop.objects.remove(shop.find("ServiceAccount", "basket"))
    return shop


def quota(resource: str, hard: str, used: str) -> Shop:
    words = f"exceeded quota: compute, requested: {resource}=2, used: {resource}={used}, limited: {resource}={hard}"
    shop = refused(words)
    shop.add("v1", "ResourceQuota", "compute", status={"hard": {resource: hard}, "used": {resource: used}})
    return shop


@scenario("namespace_cpu_quota_exceeded", SPACE)
def cpu_quota() -> Shop:
    return quota("requests.cpu", "10", "9")


@scenario("namespace_memory_quota_exceeded", SPACE)
def memory_quota() -> Shop:
    return quota("limits.memory", "4Gi", "4Gi")


@scenario("namespace_pod_quota_exceeded", SPACE)
def pod_quota() -> Shop:
    return quota("count/pods", "12", "11")


@scenario("namespace_service_quota_exceeded", SPACE)
def service_quota() -> Shop:
    shop = Shop()
    shop.objects.remove(shop.find("Service", "ledger"))
    shop.objects.remove(shop.find("Endpoints", "ledger"))
    shop.add("v1", "ResourceQuota", "objects", status={"hard": {"services": "2"}, "used": {"services": "2"}})
    return shop


@scenario("namespace_storage_quota_exceeded", SPACE)
def storage_quota() -> Shop:
    shop = Shop(ledger(spec=claim_volume(), **PENDING))
    shop.event("Pod", "ledger", "FailedScheduling", '0/3 nodes are available: persistentvolumeclaim "data" not found.')
    status = {"hard": {"requests.storage": "5Gi"}, "used": {"requests.storage": "4Gi"}}
    shop.add("v1", "ResourceQuota", "disks", status=status)
    volume(shop, capacity="10Gi")
    return shop


@scenario("limit_range_violation", "basket")
def limit_range() -> Shop:
    return refused("maximum memory usage per Container is 512Mi, but limit is 1Gi")


@scenario("admission_webhook_denied", "basket")
def webhook() -> Shop:
    return refused('admission webhook "policy.example" denied the request: images must be signed')


@scenario("pod_security_denied", "basket")
def pod_security() -> Shop:
    return refused('violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false')


# ----------------------------------------------------------------------------------------------------- scheduling


def pending(**changes: Any) -> Shop:
    return Shop(basket(**PENDING, **changes))


@scenario("node_selector_mismatch", "basket")
def selector_without_node() -> Shop:
    return pending(spec={"nodeSelector": {"disk": "ssd"}})


@scenario("node_affinity_mismatch", "basket")
def affinity_without_node() -> Shop:
    term = {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["b"]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    return pending(spec={"affinity": {"nodeAffinity": required}})


@scenario("node_cordon_mismatch", "basket")
def every_worker_cordoned() -> Shop:
    shop = pending()
    for name in ("worker-a", "worker-b"):
        shop.change("Node", name, lambda node: node["spec"].update(unschedulable=True))
    return shop


@scenario("taint_toleration_mismatch", "basket")
def only_the_selected_node_is_tainted() -> Shop:
    shop = pending(spec={"nodeSelector": {"disk": "ssd"}})
    taint = {"key": "dedicated", "value": "batch", "effect": "NoSchedule"}
    shop.change("Node", "worker-a", lambda node: node["metadata"]["labels"].update(disk="ssd"))
    shop.change("Node", "worker-a", lambda node: node["spec"].update(taints=[taint]))
    return shop


@scenario("cpu_capacity_mismatch", "basket")
def too_little_cpu() -> Shop:
    return pending(container={"resources": {"requests": {"cpu": "6", "memory": "64Mi"}}})


@scenario("memory_capacity_mismatch", "basket")
def too_little_memory() -> Shop:
    return pending(container={"resources": {"requests": {"cpu": "1", "memory": "17Gi"}}})


@scenario("pod_anti_affinity_conflict", "basket")
def anti_affinity_everywhere() -> Shop:
    term = {"labelSelector": {"matchLabels": {"app": "front"}}, "topologyKey": "kubernetes.io/hostname"}
    rule = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    shop = Shop(front(replicas=2, pods=2), basket(**PENDING, spec={"affinity": rule}))
    second = [item for item in shop.objects if item["kind"] == "Pod" and "front" in item["metadata"]["name"]][1]
    second["spec"]["nodeName"] = "worker-b"
    return shop


@scenario("topology_spread_unsatisfiable", "basket")
def spread() -> Shop:
    shop = pending()
    words = (
        "0/3 nodes are available: 1 node(s) were unschedulable, 2 node(s) didn't match pod topology spread constraints."
    )
    shop.event("Pod", "basket", "FailedScheduling", words)
    return shop


def claim_volume() -> dict[str, Any]:
    return {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]}


def volume(shop: Shop, *, capacity: str = "5Gi", phase: str = "Available", **spec: Any) -> None:
    fields = {"capacity": {"storage": capacity}, "accessModes": ["ReadWriteOnce"], **spec}
    shop.add("v1", "PersistentVolume", "disk-1", namespace="", spec=fields, status={"phase": phase})


def unbound(**claim: Any) -> Shop:
    shop = Shop(ledger(spec=claim_volume(), **PENDING))
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}, **claim}
    shop.add("v1", "PersistentVolumeClaim", "data", spec=spec, status={"phase": "Pending"})
    return shop


@scenario("pvc_capacity_mismatch", "ledger")
def claim_too_large() -> Shop:
    shop = unbound(resources={"requests": {"storage": "8Gi"}})
    volume(shop)
    return shop


@scenario("pvc_access_mode_mismatch", "ledger")
def claim_wants_many_writers() -> Shop:
    shop = unbound(accessModes=["ReadWriteMany"])
    volume(shop)
    return shop


@scenario("pvc_selector_mismatch", "ledger")
def claim_selects_other_labels() -> Shop:
    shop = unbound(selector={"matchLabels": {"tier": "gold"}})
    volume(shop)
    return shop


@scenario("pvc_storage_class_mismatch", "ledger")
def claim_names_no_class() -> Shop:
    shop = unbound(storageClassName="fast")
    volume(shop)
    words = 'storageclass.storage.k8s.io "fast" not found'
    shop.event("PersistentVolumeClaim", "data", "ProvisioningFailed", words)
    return shop


@scenario("pv_binding_occupied", "ledger")
def volume_taken() -> Shop:
    shop = unbound()
    volume(shop, phase="Bound", claimRef={"namespace": SPACE, "name": "other"})
    return shop


@scenario("volume_zone_conflict", "ledger")
def volume_in_another_zone() -> Shop:
    shop = Shop(ledger(**PENDING))
    words = "0/3 nodes are available: 1 node(s) were unschedulable, 2 node(s) had volume node affinity conflict."
    shop.event("Pod", "ledger", "FailedScheduling", words)
    return shop


# -------------------------------------------------------------------------------------------------------- startup


def pulling(words: str, **changes: Any) -> Shop:
    shop = Shop(basket(run=held("ImagePullBackOff"), phase="Pending", **changes))
    shop.event("Pod", "basket", "Failed", f'Failed to pull image "registry.example/basket:1.4.2": {words}', count=4)
    return shop


@scenario("incorrect_image_reference", "basket")
def tag_unknown() -> Shop:
    return pulling(
        "rpc error: code = NotFound desc = failed to resolve reference: registry.example/basket:1.4.2: not found"
    )


@scenario("image_registry_dns_failure", "basket")
def registry_unresolved() -> Shop:
    return pulling("dial tcp: lookup registry.example on 10.96.0.10:53: no such host")


@scenario("image_pull_rate_limited", "basket")
def rate_limited() -> Shop:
    return pulling("toomanyrequests: You have reached your pull rate limit")


@scenario("missing_image_pull_secret", "basket")
def registry_wants_credentials() -> Shop:
    shop = pulling("failed to authorize: 401 Unauthorized", spec={"imagePullSecrets": [{"name": "regcred"}]})
    words = "Unable to retrieve some image pull secrets (regcred); attempting to pull the image may not succeed."
    shop.event("Pod", "basket", "FailedToRetrieveImagePullSecret", words)
    return shop


@scenario("missing_secret_binding", "basket")
def secret_missing() -> Shop:
    return Shop(basket(run=held("CreateContainerConfigError", 'secret "basket-login" not found'), phase="Pending"))


@scenario("missing_config_map", "basket")
def config_map_missing() -> Shop:
    shop = Shop(basket(run=held("ContainerCreating"), phase="Pending"))
    words = 'MountVolume.SetUp failed for volume "settings" : configmap "basket-settings" not found'
    shop.event("Pod", "basket", "FailedMount", words, count=7)
    return shop


@scenario("volume_mount_permission_denied", "ledger")
def data_directory_forbidden() -> Shop:
    spec = {"volumes": [{"name": "data", "hostPath": {"path": "/srv/ledger"}}]}
    mounts = {"volumeMounts": [{"name": "data", "mountPath": "/var/lib/ledger"}]}
    shop = Shop(ledger(run=crashed(1), spec=spec, container=mounts))
    shop.log("ledger", "starting", "could not open /var/lib/ledger/wal: Permission denied", "exiting")
    return shop


@scenario("init_container_failed", "basket")
def init_fails() -> Shop:
    init = k8s.container("migrate", "registry.example/migrate:1")
    shop = Shop(basket(run=held("PodInitializing"), phase="Pending", spec={"initContainers": [init]}))
    status = {"name": "migrate", "ready": False, "restartCount": 3, "state": k8s.waiting("CrashLoopBackOff")}
    status["lastState"] = k8s.terminated("Error", 2)
    shop.change("Pod", "basket", lambda pod: pod["status"].update(initContainerStatuses=[status]))
    return shop


@scenario("incorrect_command", "basket")
def command_not_found() -> Shop:
    shop = Shop(basket(run=crashed(127, reason="StartError"), container={"command": ["/app/basket-srv"]}))
    words = 'Error: failed to start container "basket": exec: "/app/basket-srv": stat: no such file or directory'
    shop.event("Pod", "basket", "Failed", words, count=5)
    return shop


@scenario("exec_format_error", "basket")
def wrong_architecture() -> Shop:
    shop = Shop(basket(run=crashed(1)))
    shop.log("basket", "exec /app/basket: exec format error", previous=True)
    return shop


# -------------------------------------------------------------------------------------------------------- runtime


@scenario("oom_killed", "basket")
def killed_for_memory() -> Shop:
    return Shop(basket(run=crashed(137, reason="OOMKilled")))


@scenario("crash_on_start", "basket")
def dies_at_once() -> Shop:
    shop = Shop(basket(run=crashed(3)))
    shop.log("basket", "basket 1.4.2", "assertion failed in module seven", previous=True)
    return shop


@scenario("config_invalid", "basket")
def setting_missing() -> Shop:
    shop = Shop(basket(run=crashed(1)))
    shop.log("basket", "required environment variable CURRENCY is not set", previous=True)
    return shop


def probed(kind: str, probe: dict[str, Any], words: str, **changes: Any) -> Shop:
    fields = {"container": {kind: {"periodSeconds": 10, "failureThreshold": 3, **probe}}, **changes}
    shop = Shop(basket(**fields))
    shop.event("Pod", "basket", "Unhealthy", words, count=9)
    return shop


RESTARTED = k8s.Run(restarts=3, last_state=k8s.terminated("Error", 143, finished="2026-01-05T08:00:40Z"))
UNREADY = k8s.Run(ready=False)


@scenario("liveness_probe_incorrect_port", "basket")
def liveness_asks_another_port() -> Shop:
    words = 'Liveness probe failed: timeout: failed to connect service "10.1.0.1:7171" within 1s'
    return probed("livenessProbe", {"grpc": {"port": 7171}}, words, run=RESTARTED)


@scenario("liveness_probe_incorrect_protocol", "basket")
def liveness_speaks_http_to_grpc() -> Shop:
    words = 'Liveness probe failed: Get "http://10.1.0.1:7070/": net/http: malformed HTTP response'
    return probed("livenessProbe", {"httpGet": {"port": 7070, "path": "/"}}, words, run=RESTARTED)


@scenario("liveness_probe_incorrect_timing", "basket")
def liveness_gives_no_time() -> Shop:
    hasty = {"grpc": {"port": 7070}, "initialDelaySeconds": 1, "periodSeconds": 2, "failureThreshold": 1}
    words = "Liveness probe failed: timeout: health rpc did not complete within 1s"
    return probed("livenessProbe", hasty, words, run=RESTARTED)


@scenario("readiness_probe_incorrect_port", "basket")
def readiness_asks_another_port() -> Shop:
    words = "Readiness probe failed: dial tcp 10.1.0.1:7171: connect: connection refused"
    return probed("readinessProbe", {"tcpSocket": {"port": 7171}}, words, run=UNREADY)


@scenario("readiness_probe_incorrect_protocol", "basket")
def readiness_speaks_http_to_grpc() -> Shop:
    words = 'Readiness probe failed: Get "http://10.1.0.1:7070/ready": net/http: HTTP/1.x transport connection broken'
    return probed("readinessProbe", {"httpGet": {"port": 7070, "path": "/ready"}}, words, run=UNREADY)


@scenario("startup_probe_too_short", "basket")
def startup_gives_no_time() -> Shop:
    words = "Startup probe failed: dial tcp 10.1.0.1:7070: connect: connection refused"
    probe = {"tcpSocket": {"port": 7070}, "periodSeconds": 2, "failureThreshold": 2}
    return probed("startupProbe", probe, words, run=RESTARTED)


@scenario("service_sidecar_port_conflict", "basket")
def sidecar_has_the_port() -> Shop:
    shop = Shop(basket(run=crashed(1)))
    sidecar = k8s.container("proxy", "registry.example/proxy:2", port=7070)
    shop.change("Pod", "basket", lambda pod: pod["spec"]["containers"].append(sidecar))
    shop.log("basket", "listen tcp :7070: bind: address already in use", previous=True)
    return shop


@scenario("deployment_zero_replicas", "basket")
def scaled_to_zero() -> Shop:
    return Shop(basket(replicas=0, pods=0))


@scenario("job_failed", "settle")
def job_gave_up() -> Shop:
    shop = Shop()
    condition = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}
    shop.add("batch/v1", "Job", "settle", status={"failed": 7, "conditions": [condition]})
    return shop


def rolled_out(shop: Shop, edit: Callable[[dict[str, Any]], object], *, minutes_ago: int) -> None:
    """Make the basket's generation the second one, begun so long ago; ``edit`` makes the one before out of it."""
    newer, deployment = shop.find("ReplicaSet", "basket"), shop.find("Deployment", "basket")
    at = (NOW - timedelta(minutes=minutes_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")
    older = deepcopy(newer)
    older["metadata"].update(name="basket-58c4d9f7b6", uid="older", creationTimestamp="2026-01-01T08:00:00Z")
    older["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "1"
    older["spec"]["replicas"] = older["status"]["replicas"] = 0
    edit(older["spec"]["template"]["spec"]["containers"][0])
    for item in (newer, shop.find("Pod", "basket")):
        item["metadata"]["creationTimestamp"] = at
    for item in (newer, deployment):
        item["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "2"
    shop.objects.append(older)


@scenario("bad_deploy", "basket")
def new_image_crashes() -> Shop:
    shop = Shop(basket(run=crashed(3)))
    rolled_out(shop, lambda container: container.update(image="registry.example/basket:1.4.1"), minutes_ago=6)
    shop.log("basket", "assertion failed in module seven", previous=True)
    return shop


@scenario("oom_killed", "basket")
def new_limit_is_too_small() -> Shop:
    shop = Shop(basket(run=crashed(137, reason="OOMKilled")))
    more = {"limits": {"memory": "2Gi"}}
    rolled_out(shop, lambda container: container.update(resources=more), minutes_ago=6)
    return shop


def test_the_change_behind_a_specific_fault_is_named() -> None:
    first = verdict_on(new_limit_is_too_small()).hypotheses[0]
    assert (first.fault, first.change) == ("oom_killed", "shop/basket@2")


# ----------------------------------------------------------------------------------- data stores, service routing


def database(**env: str) -> Shop:
    shop = Shop(
        ledger(env={"MYSQL_ROOT_PASSWORD": "x"}),
        basket(env={"PORT": "7070", **env}),
    )
    shop.change(
        "Service", "ledger", lambda item: item["spec"]["ports"][0].update(port=3306, targetPort=5432, name="tcp-mysql")
    )
    return shop


@scenario("mysql_invalid_credentials", "basket")
def login_refused() -> Shop:
    shop = database(LEDGER_HOST="ledger", LEDGER_PORT="3306")
    shop.log("basket", *["Access denied for user 'basket'@'10.1.0.1' (using password: YES)"] * 3)
    return shop


@scenario("mysql_invalid_port", "basket")
def database_on_another_port() -> Shop:
    shop = database(LEDGER_HOST="ledger", LEDGER_PORT="3307")
    shop.log("basket", "Communications link failure: ledger:3307: connection refused")
    return shop


@scenario("service_selector_mismatch", "basket")
def selector_differs() -> Shop:
    shop = Shop()
    shop.change("Service", "basket", lambda item: item["spec"].update(selector={"app": "basket-v2"}))
    shop.change("Endpoints", "basket", lambda item: item.update(subsets=[]))
    return shop


@scenario("service_port_mapping_mismatch", "basket")
def target_port_differs() -> Shop:
    shop = Shop()
    shop.change("Service", "basket", lambda item: item["spec"]["ports"][0].update(targetPort=7171))
    return shop


@scenario("service_port_mapping_mismatch", "basket")
def target_port_name_unknown() -> Shop:
    shop = Shop()
    shop.change("Service", "basket", lambda item: item["spec"]["ports"][0].update(targetPort="rpc"))
    shop.change("Endpoints", "basket", lambda item: item.update(subsets=[]))
    return shop


@scenario("service_protocol_mismatch", "basket")
def transport_differs() -> Shop:
    shop = Shop()
    shop.change("Service", "basket", lambda item: item["spec"]["ports"][0].update(protocol="UDP"))
    return shop


@scenario("service_protocol_mismatch", "basket")
def mesh_reads_another_protocol() -> Shop:
    shop = Shop()
    shop.change("Service", "basket", lambda item: item["spec"]["ports"][0].update(name="http", appProtocol="http"))
    sidecar = k8s.container("istio-proxy", "registry.example/proxy:2", port=15090)
    shop.change("Pod", "front", lambda pod: pod["spec"]["containers"].append(sidecar))
    return shop


@scenario("service_env_var_address_mismatch", "basket")
def calls_a_port_nobody_has() -> Shop:
    shop = Shop(basket(env={"PORT": "7070", "LEDGER_ADDR": "ledger:5433"}))
    shop.log("basket", "dial ledger:5433: connection refused")
    return shop


@scenario("service_env_var_address_mismatch", "front")
def calls_a_name_nobody_has() -> Shop:
    shop = Shop(front(env={"PORT": "8080", "BASKET_ADDR": "baskets:7070"}))
    shop.log("front", "dial tcp: lookup baskets on 10.96.0.10:53: no such host")
    return shop


@scenario("network_policy_denied", "ledger")
def policy_lets_nobody_in() -> Shop:
    shop = Shop()
    spec = {"podSelector": {"matchLabels": {"app": "ledger"}}, "policyTypes": ["Ingress"]}
    rule = {"from": [{"podSelector": {"matchLabels": {"app": "reports"}}}]}
    shop.add("networking.k8s.io/v1", "NetworkPolicy", "ledger-only", spec={**spec, "ingress": [rule]})
    shop.log("basket", "connect to ledger:5432 failed: i/o timeout")
    return shop


@scenario("ingress_misconfigured", "entry")
def ingress_to_nowhere() -> Shop:
    shop = Shop()
    backend = {"service": {"name": "fronts", "port": {"number": 8080}}}
    rules = [{"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}]
    shop.add("networking.k8s.io/v1", "Ingress", "entry", spec={"rules": rules})
    return shop


@scenario("gateway_misroute", "front")
def proxy_routes_to_a_wrong_port() -> Shop:
    spec = {"volumes": [{"name": "conf", "configMap": {"name": "front-conf"}}]}
    shop = Shop(front(spec=spec))
    routes = "location /basket {\n  proxy_pass http://basket:7171;\n}\n"
    shop.objects.append(k8s.config_map("front-conf", SPACE, **{"nginx.conf": routes}))
    return shop


@scenario("service_dns_resolution_failure", "basket")
def resolves_elsewhere() -> Shop:
    shop = Shop(basket(spec={"dnsPolicy": "None", "dnsConfig": {"nameservers": ["192.0.2.53"]}}))
    shop.log("basket", "lookup ledger on 192.0.2.53:53: no such host")
    return shop


# ------------------------------------------------------------------------------------------------- infrastructure


def lost_node(message: str, status: str) -> Shop:
    shop = Shop(basket(run=UNREADY))
    ready = {"type": "Ready", "status": status, "reason": "NodeStatus", "message": message}
    shop.change("Node", "worker-a", lambda node: node["status"].update(conditions=[ready]))
    return shop


@scenario("kubelet_unavailable", "worker-a")
def kubelet_stopped() -> Shop:
    shop = lost_node("Kubelet stopped posting node status.", "Unknown")
    shop.unit("worker-a", "kubelet", "inactive")
    return shop


@scenario("kubelet_unavailable", "worker-a")
def kubelet_stopped_without_unit_states() -> Shop:
    return lost_node("Kubelet stopped posting node status.", "Unknown")


@scenario("containerd_unavailable", "worker-a")
def runtime_stopped() -> Shop:
    return lost_node("container runtime is down", "False")


@scenario("kube_proxy_unavailable", "worker-b")
def proxy_stopped() -> Shop:
    shop = Shop()
    shop.unit("worker-b", "kube-proxy", "failed")
    return shop


@scenario("kube_scheduler_unavailable", "control-a")
def nobody_schedules() -> Shop:
    shop = pending()
    shop.change("Pod", "basket", lambda pod: pod["status"].pop("conditions"))
    return shop


@scenario("node_memory_pressure", "worker-b")
def memory_pressure() -> Shop:
    shop = Shop()
    pressed = k8s.node("worker-b", pressure="MemoryPressure")
    shop.change("Node", "worker-b", lambda node: node.update(status=pressed["status"]))
    return shop


@scenario("coredns_degraded", "coredns")
def dns_down() -> Shop:
    shop = Shop()
    owner = k8s.deployment("coredns", "kube-system", available=0)
    shop.objects += [owner, k8s.pod("coredns-5d78c9869d-abcde", "kube-system", owner=owner, run=UNREADY)]
    return shop


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_the_first_hypothesis_names_fault_and_object(name: str) -> None:
    wanted, build = SCENARIOS[name]
    verdict = verdict_on(build())
    found = [f"{item.fault} {item.object.name}" for item in verdict.hypotheses]
    assert found[:1] == [wanted], found
    assert verdict.status == "conclusive", verdict.hypotheses[0]


def test_every_scenario_is_of_a_known_type() -> None:
    assert {wanted.split()[0] for wanted, _ in SCENARIOS.values()} <= set(fault_types())


def test_a_healthy_shop_accuses_nobody() -> None:
    verdict = verdict_on(Shop())
    assert verdict.hypotheses == ()
    assert verdict.status == "inconclusive"
    assert [item.what for item in verdict.ruled_out] == ["a node that is down"]
