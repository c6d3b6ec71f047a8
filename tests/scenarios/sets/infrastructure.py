"""Nodes and the control plane in trouble: what a cluster shows of it, seen from its objects, journals and metrics.

Written before any look at the analyzers. The application is a greenhouse control system on four workers in two
zones and one control-plane node; kube-system is visible unless a scenario takes it away. Pods of the application
complain, and none of them is the cause.
"""

from typing import Any

from agent_sre.testing import kubernetes_objects as kube
from tests.scenarios.application import SYSTEM, Application
from tests.scenarios.frozen import Object
from tests.scenarios.sets.registry import scenario

SERVICES = {
    "dashboard": 3000,
    "climate": 8080,
    "irrigation": 8081,
    "sensors": 50051,
    "seedbank": 8090,
    "forecast": 9000,
}
CALLS = (
    ("dashboard", "climate"),
    ("dashboard", "irrigation"),
    ("climate", "sensors"),
    ("irrigation", "sensors"),
    ("irrigation", "forecast"),
    ("dashboard", "seedbank"),
)
NS = "greenhouse"
WORKERS = {"w-amber": "north-1a", "w-birch": "north-1a", "w-cedar": "north-1b", "w-dune": "north-1b"}
MASTER = "cp-1"


def greenhouse(
    description: str = "Greenhouse control: degraded.", *, system: bool = True, **fields: Any
) -> Application:
    app = Application(namespace=NS, description=description, seed=13, **fields)
    for name, zone in WORKERS.items():
        app.node(name, zone)
    app.node(MASTER, "north-1a", control_plane=True)
    for place, (name, port) in enumerate(SERVICES.items()):
        names = list(WORKERS)
        app.deploy(name, port, replicas=3, on=[names[place % 4], names[(place + 1) % 4], names[(place + 2) % 4]])
    app.calls(*CALLS)
    if system:
        control_plane(app)
    return app


def static_pod(app: Application, component: str, node: str = MASTER) -> Object:
    """A control-plane pod as the kubelet mirrors it."""
    image = f"registry.k8s.io/{component}:v1.31.4"
    spec = {
        "containers": [kube.container(component, image)],
        "hostNetwork": True,
        "priorityClassName": "system-node-critical",
    }
    made = kube.pod(f"{component}-{node}", SYSTEM, spec=spec, node_name=node)
    made["metadata"]["labels"] = {"component": component, "tier": "control-plane"}
    made["metadata"]["annotations"] = {"kubernetes.io/config.source": "file"}
    made["metadata"]["ownerReferences"] = [
        {"apiVersion": "v1", "kind": "Node", "name": node, "controller": True, "uid": node}
    ]
    app.add(made)
    return made


def lease(app: Application, name: str, holder: str, minutes_ago: float, namespace: str = SYSTEM) -> Object:
    made: Object = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": kube.metadata("Lease", name, namespace),
        "spec": {"holderIdentity": holder, "leaseDurationSeconds": 15 if namespace == SYSTEM else 40,
                 "renewTime": app.at(minutes_ago).strftime("%Y-%m-%dT%H:%M:%S.%fZ")},
    }  # fmt: skip
    app.add(made)
    return made


def control_plane(app: Application) -> None:
    for component in ("kube-apiserver", "kube-scheduler", "kube-controller-manager", "etcd"):
        static_pod(app, component)
    for name in ("kube-scheduler", "kube-controller-manager"):
        lease(app, name, f"{MASTER}_3f1c", 0.05)
    for node in (*WORKERS, MASTER):
        lease(app, node, node, 0.1, "kube-node-lease")
    app.deploy("coredns", 53, namespace=SYSTEM, service=False, labels={"k8s-app": "kube-dns"})
    dns = app.serve("kube-dns", 53, namespace=SYSTEM, **{"k8s-app": "kube-dns"})
    dns["spec"]["clusterIP"] = "10.96.0.10"
    app.stateful("kube-proxy", 10256, kind="DaemonSet", namespace=SYSTEM, headless=False)


def on(app: Application, node: str) -> list[Object]:
    """The application's pods on a node."""
    return [pod for pod in app.all("Pod", NS) if pod["spec"].get("nodeName") == node]


def condition(
    app: Application, node: str, kind: str, status: str, reason: str, message: str, minutes_ago: float = 8
) -> None:
    for item in app.get("Node", node)["status"]["conditions"]:
        if item["type"] == kind:
            item |= {
                "status": status,
                "reason": reason,
                "message": message,
                "lastTransitionTime": app.stamp(minutes_ago),
            }


def silent(app: Application, node: str, minutes_ago: float = 9) -> None:
    """The kubelet posts nothing any more: the node lifecycle controller marks everything Unknown."""
    made = app.get("Node", node)
    for item in made["status"]["conditions"]:
        item |= {"status": "Unknown", "reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status.",
                 "lastTransitionTime": app.stamp(minutes_ago - 1), "lastHeartbeatTime": app.stamp(minutes_ago)}  # fmt: skip
    made["spec"]["taints"] = [
        {"key": "node.kubernetes.io/unreachable", "effect": effect} for effect in ("NoSchedule", "NoExecute")
    ]
    for item in app.all("Lease", "kube-node-lease"):
        if item["metadata"]["name"] == node:
            item["spec"]["renewTime"] = app.at(minutes_ago).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    for pod in on(app, node):
        app.unready(pod)
        app.event(pod, "NodeNotReady", "Node is not ready", component="node-controller", minutes_ago=minutes_ago - 1)


def unit(app: Application, node: str, name: str, state: str) -> None:
    for other in ("active", "activating", "deactivating", "failed", "inactive"):
        app.once("node_systemd_unit_state", float(other == state), instance=node, name=f"{name}.service", state=other)


def says(app: Application, workload: str, *lines: str, **fields: Any) -> None:
    for pod in app.pods(workload):
        app.log(pod["metadata"]["name"], workload, *lines * 3, every_seconds=7, **fields)


# ----------------------------------------------------------------------------------------------- container runtime

CRI = 'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix /run/containerd/containerd.sock: connect: '


@scenario(
    "containerd_unavailable",
    "Node",
    "w-birch",
    variants=("sparse", "events_expired", "old_events", "bystanders", "no_logs"),
)
def runtime_down_in_ready_message() -> Application:
    app = greenhouse()
    condition(app, "w-birch", "Ready", "False", "KubeletNotReady", "container runtime is down, PLEG is not healthy: pleg was "
              "last seen active 6m12.4s ago; threshold is 3m0s")  # fmt: skip
    for pod in on(app, "w-birch"):
        app.unready(pod)
    return app.settled()


@scenario("containerd_unavailable", "Node", "w-cedar")
def runtime_unit_failed_node_still_ready() -> Application:
    app = greenhouse("Pods on one node fail their probes")
    for node in WORKERS:
        unit(app, node, "containerd", "failed" if node == "w-cedar" else "active")
        unit(app, node, "kubelet", "active")
    for pod in on(app, "w-cedar"):
        app.unready(pod)
        app.probe_fails(pod, "Readiness", f'rpc error: code = Unknown desc = {CRI}connection refused"', count=4)
    return app.settled()


@scenario("containerd_unavailable", "Node", "w-dune")
def runtime_socket_missing_in_kubelet_journal() -> Application:
    app = greenhouse("New pods hang in ContainerCreating on one node")
    app.journal("w-dune", "kubelet", *[
        f'E0414 09:28:01.1 1290 log.go:32] "Status from runtime service failed" err="{CRI}no such file or directory\\""',
        f'E0414 09:28:06.1 1290 kubelet.go:2885] "Container runtime sanity check failed" err="{CRI}no such file or directory\\""'])  # fmt: skip
    for pod in on(app, "w-dune")[:2]:
        app.status(pod).update(ready=False, started=False, state={"waiting": {"reason": "ContainerCreating"}})
        app.event(
            pod, "FailedCreatePodSandBox", f'Failed to create pod sandbox: {CRI}no such file or directory"', count=9
        )
    return app.settled()


# --------------------------------------------------------------------------------------------------------- kubelet


@scenario("kubelet_unavailable", "Node", "w-amber", variants=("sparse", "events_expired"))
def kubelet_stopped_posting() -> Application:
    app = greenhouse("Several pods Terminating for minutes")
    silent(app, "w-amber")
    app.event(app.get("Node", "w-amber"), "NodeNotReady", "Node w-amber status is now: NodeNotReady", kind="Normal",
              component="node-controller", minutes_ago=8)  # fmt: skip
    return app.settled()


@scenario("kubelet_unavailable", "Node", "w-cedar")
def kubelet_unit_inactive_before_the_grace_period_ends() -> Application:
    """Stopped seconds ago: the node is still Ready."""
    app = greenhouse("exec and logs fail for some pods")
    for node in (*WORKERS, MASTER):
        unit(app, node, "kubelet", "inactive" if node == "w-cedar" else "active")
        unit(app, node, "containerd", "active")
    return app.settled()


@scenario("kubelet_unavailable", "Node", "w-dune")
def kubelet_crash_loop_in_its_journal() -> Application:
    app = greenhouse("Node w-dune is not ready")
    silent(app, "w-dune")
    app.journal("w-dune", "kubelet",
                'E0414 09:27:10.1 8123 run.go:72] "command failed" err="failed to run Kubelet: running with swap on is not '
                'supported, please disable swap or set --fail-swap-on flag to false"', minutes_ago=3)  # fmt: skip
    app.journal("w-dune", "kubelet.service", "kubelet.service: Main process exited, code=exited, status=1/FAILURE",
                "kubelet.service: Failed with result 'exit-code'.",
                "kubelet.service: Scheduled restart job, restart counter is at 212.", minutes_ago=2.8)  # fmt: skip
    return app.settled()


@scenario("kubelet_unavailable", "Node", "w-birch")
def kubelet_old_lease_only() -> Application:
    """The heartbeat's lease is minutes old though the conditions are not marked yet."""
    app = greenhouse("Pods on w-birch do not change any more")
    for item in app.all("Lease", "kube-node-lease"):
        if item["metadata"]["name"] == "w-birch":
            item["spec"]["renewTime"] = app.at(4).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    for item in app.get("Node", "w-birch")["status"]["conditions"]:
        item["lastHeartbeatTime"] = app.stamp(6)
    return app.settled()


# ------------------------------------------------------------------------------------------------------ kube-proxy


@scenario(
    "kube_proxy_unavailable",
    "Node",
    "w-dune",
    accept=[("kube_proxy_unavailable", "DaemonSet", "kube-proxy")],
    variants=("sparse", "old_events"),
)
def proxy_pod_crashes_on_one_node() -> Application:
    app = greenhouse("Calls from some pods time out")
    pod = next(pod for pod in app.pods("kube-proxy") if pod["spec"]["nodeName"] == "w-dune")
    app.crashing(pod, 1, restarts=8, ran_seconds=1)
    app.log(pod["metadata"]["name"], "kube-proxy", 'E0414 09:28:00.1 1 server.go:550] "Error running ProxyServer" '
            'err="iptables is not available on this host"', previous=True, namespace=SYSTEM)  # fmt: skip
    for other in on(app, "w-dune"):
        app.log(
            other["metadata"]["name"], other["spec"]["containers"][0]["name"], "dial tcp 10.96.7.7:50051: i/o timeout"
        )
    return app.settled()


@scenario("kube_proxy_unavailable", "Node", "w-amber")
def proxy_unit_down() -> Application:
    app = greenhouse("ClusterIPs unreachable from one node")
    app.objects = [x for x in app.objects or () if not x["metadata"]["name"].startswith("kube-proxy")]
    for node in (*WORKERS, MASTER):
        unit(app, node, "kube-proxy", "failed" if node == "w-amber" else "active")
        unit(app, node, "kubelet", "active")
    return app.settled()


@scenario("kube_proxy_unavailable", "Node", "w-cedar", accept=[("kube_proxy_unavailable", "DaemonSet", "kube-proxy")])
def proxy_pod_missing_on_one_node() -> Application:
    """A node selector keeps the DaemonSet away from one worker; from there, no Service works."""
    app = greenhouse("Services time out from pods of one node")
    pod = next(pod for pod in app.pods("kube-proxy") if pod["spec"]["nodeName"] == "w-cedar")
    assert app.objects is not None
    app.objects.remove(pod)
    app.get("DaemonSet", "kube-proxy", SYSTEM)["spec"]["template"]["spec"]["nodeSelector"] = {"proxy": "yes"}
    for other in on(app, "w-cedar"):
        app.log(other["metadata"]["name"], other["spec"]["containers"][0]["name"],
                "connect to 10.96.12.4 port 9000 failed: Connection timed out")  # fmt: skip
    return app.settled()


# ------------------------------------------------------------------------------------------------- control plane


def pending(app: Application, workload: str, count: int = 2, minutes_ago: float = 12, *, bare: bool = True) -> None:
    """New pods that nobody has looked at."""
    for pod in app.rollout(workload, minutes_ago, surge=count):
        pod["spec"].pop("nodeName")
        conditions = [] if bare else [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]
        pod["status"] = {"phase": "Pending", "conditions": conditions, "qosClass": "Burstable"}


@scenario(
    "kube_scheduler_unavailable",
    "Node",
    MASTER,
    accept=[("kube_scheduler_unavailable", "Pod", f"kube-scheduler-{MASTER}")],
    variants=("sparse", "events_expired"),
)
def scheduler_pod_crashes() -> Application:
    app = greenhouse("Deployment climate does not progress")
    pending(app, "climate")
    pod = app.get("Pod", f"kube-scheduler-{MASTER}", SYSTEM)
    app.crashing(pod, 1, restarts=19, ran_seconds=2)
    app.log(pod["metadata"]["name"], "kube-scheduler", 'E0414 09:28:00.1 1 run.go:74] "command failed" err="stat '
            '/etc/kubernetes/scheduler.conf: no such file or directory"', previous=True, namespace=SYSTEM)  # fmt: skip
    app.get("Lease", "kube-scheduler", SYSTEM)["spec"]["renewTime"] = app.at(40).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return app.settled()


@scenario("kube_scheduler_unavailable", "Node", MASTER)
def scheduler_silent_pending_pods_without_conditions() -> Application:
    """Only the application's namespace is visible: pods pend and nobody says why; the nodes have room."""
    app = greenhouse("Pods stay Pending", system=False)
    pending(app, "seedbank", 3, 25)
    pending(app, "forecast", 1, 20)
    return app.settled()


@scenario("kube_scheduler_unavailable", "Node", MASTER)
def scheduler_lease_is_old() -> Application:
    app = greenhouse("New pods Pending")
    app.get("Lease", "kube-scheduler", SYSTEM)["spec"]["renewTime"] = app.at(33).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    pending(app, "irrigation", 2, 30)
    return app.settled()


@scenario(
    "controller_manager_unavailable",
    "Node",
    MASTER,
    accept=[("controller_manager_unavailable", "Pod", f"kube-controller-manager-{MASTER}")],
    variants=("sparse", "old_events"),
)
def controllers_pod_crashes() -> Application:
    app = greenhouse("Scaling has no effect")
    app.get("Deployment", "sensors")["spec"]["replicas"] = 6
    app.get("Deployment", "sensors")["metadata"]["generation"] = 4
    pod = app.get("Pod", f"kube-controller-manager-{MASTER}", SYSTEM)
    app.crashing(pod, 1, restarts=11, ran_seconds=5)
    app.log(pod["metadata"]["name"], "kube-controller-manager", "F0414 09:27:55.2 1 controllermanager.go:321] leaderelection lost",
            previous=True, namespace=SYSTEM)  # fmt: skip
    app.get("Lease", "kube-controller-manager", SYSTEM)["spec"]["renewTime"] = app.at(25).strftime(
        "%Y-%m-%dT%H:%M:%S.%fZ"
    )
    return app.settled()


@scenario("controller_manager_unavailable", "Node", MASTER)
def controllers_generation_not_observed_and_old_lease() -> Application:
    app = greenhouse("A new Deployment has no ReplicaSet")
    app.add(kube.deployment("pollination", NS))
    app.get("Deployment", "pollination")["status"] = {}
    app.get("Deployment", "pollination")["metadata"]["creationTimestamp"] = app.stamp(14)
    app.get("Deployment", "climate")["metadata"]["generation"] = 7
    app.get("Lease", "kube-controller-manager", SYSTEM)["spec"]["renewTime"] = app.at(19).strftime(
        "%Y-%m-%dT%H:%M:%S.%fZ"
    )
    return app.settled()


@scenario("controller_manager_unavailable", "Node", MASTER)
def controllers_unit_is_down() -> Application:
    app = greenhouse("Deleted pods are not replaced")
    app.objects = [x for x in app.objects or () if not x["metadata"]["name"].startswith("kube-controller-manager")]
    unit(app, MASTER, "kube-controller-manager", "failed")
    unit(app, MASTER, "kube-scheduler", "active")
    unit(app, MASTER, "etcd", "active")
    gone = app.pods("forecast")[0]
    app.objects.remove(gone)
    return app.settled()


@scenario(
    "etcd_unhealthy",
    "Node",
    MASTER,
    accept=[("etcd_unhealthy", "Pod", f"etcd-{MASTER}")],
    variants=("sparse", "bystanders"),
)
def etcd_slow_disk_in_its_log() -> Application:
    app = greenhouse("kubectl is slow and times out")
    app.log(f"etcd-{MASTER}", "etcd",
            *['{"level":"warn","caller":"etcdserver/util.go:170","msg":"apply request took too long","took":"2.8s",'
              '"expected-duration":"100ms","prefix":"read-only range "}',
              '{"level":"warn","caller":"wal/wal.go:805","msg":"slow fdatasync","took":"3.1s","expected-duration":"1s"}'] * 5,
            namespace=SYSTEM)  # fmt: skip
    app.log(f"kube-apiserver-{MASTER}", "kube-apiserver",
            'E0414 09:28:10.1 1 status.go:71] "Unhandled Error" err="apiserver received an error that is not an '
            'metav1.Status: etcdserver: request timed out"', namespace=SYSTEM)  # fmt: skip
    return app.settled()


@scenario("etcd_unhealthy", "Node", MASTER, accept=[("etcd_unhealthy", "Pod", f"etcd-{MASTER}")])
def etcd_pod_down_scheduler_and_controllers_restart_for_it() -> Application:
    app = greenhouse("Control plane unstable")
    pod = app.get("Pod", f"etcd-{MASTER}", SYSTEM)
    app.crashing(pod, 2, restarts=9, ran_seconds=4)
    app.log(pod["metadata"]["name"], "etcd", '{"level":"panic","msg":"failed to recover v3 backend from snapshot","error":"failed '
            'to find database snapshot file (snap: snapshot file doesn\'t exist)"}', previous=True, namespace=SYSTEM)  # fmt: skip
    for name in ("kube-scheduler", "kube-controller-manager", "kube-apiserver"):
        app.crashing(app.get("Pod", f"{name}-{MASTER}", SYSTEM), 1, restarts=6, ran_seconds=20)
    return app.settled()


@scenario("etcd_unhealthy", "Node", MASTER)
def etcd_out_of_space_in_events() -> Application:
    app = greenhouse("Nothing can be created")
    rs = next(x for x in app.all("ReplicaSet", NS) if x["metadata"]["name"].startswith("climate-"))
    app.event(rs, "FailedCreate", "Error creating: etcdserver: mvcc: database space exceeded", count=14,
              component="replicaset-controller")  # fmt: skip
    app.once("etcd_server_quota_backend_bytes", 2147483648, instance=MASTER)
    app.once("etcd_mvcc_db_total_size_in_bytes", 2147500032, instance=MASTER)
    return app.settled()


# -------------------------------------------------------------------------------------------------------- CoreDNS

ACCEPT_DNS = [("coredns_degraded", "Deployment", "coredns"), ("coredns_degraded", "Service", "kube-dns")]


@scenario("coredns_degraded", "Component", "coredns", accept=ACCEPT_DNS, variants=("sparse", "events_expired"))
def dns_pods_crash_on_corefile() -> Application:
    app = greenhouse("Everything fails to resolve names")
    for pod in app.pods("coredns"):
        app.crashing(pod, 1, restarts=8, ran_seconds=1)
        app.log(pod["metadata"]["name"], "coredns", "/etc/coredns/Corefile:9 - Error during parsing: Unknown directive "
                "'fowward'", previous=True, namespace=SYSTEM)  # fmt: skip
    says(
        app,
        "dashboard",
        "lookup climate on 10.96.0.10:53: read udp 10.244.0.4:44121->10.96.0.10:53: read: connection refused",
    )
    says(app, "irrigation", "getaddrinfo EAI_AGAIN forecast")
    return app.settled()


@scenario("coredns_degraded", "Component", "coredns", accept=ACCEPT_DNS)
def dns_scaled_to_zero() -> Application:
    app = greenhouse("Name resolution fails")
    assert app.objects is not None
    for pod in app.pods("coredns"):
        app.objects.remove(pod)
    app.get("Deployment", "coredns", SYSTEM)["spec"]["replicas"] = 0
    for item in app.all("ReplicaSet", SYSTEM):
        item["spec"]["replicas"] = 0
    says(app, "climate", "lookup sensors on 10.96.0.10:53: i/o timeout")
    says(app, "irrigation", "lookup sensors on 10.96.0.10:53: i/o timeout")
    return app.settled()


@scenario("coredns_degraded", "Component", "coredns", accept=ACCEPT_DNS)
def dns_only_seen_from_many_clients() -> Application:
    """kube-system is hidden; workloads on all nodes fail lookups of names that exist."""
    app = greenhouse("Errors everywhere", system=False)
    says(
        app,
        "dashboard",
        "dial tcp: lookup climate on 10.96.0.10:53: read udp 10.244.3.9:39121->10.96.0.10:53: i/o timeout",
    )
    says(
        app,
        "climate",
        "dial tcp: lookup sensors on 10.96.0.10:53: read udp 10.244.1.2:51200->10.96.0.10:53: i/o timeout",
    )
    says(app, "irrigation", "java.net.UnknownHostException: forecast: Temporary failure in name resolution")
    return app.settled()


# ---------------------------------------------------------------------------------------------------- not ready


@scenario("node_not_ready", "Node", "w-cedar", variants=("sparse", "events_expired"))
def node_cni_not_initialized() -> Application:
    app = greenhouse("Node not ready")
    condition(app, "w-cedar", "Ready", "False", "KubeletNotReady", "container runtime network not ready: NetworkReady=false "
              "reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized")  # fmt: skip
    for pod in on(app, "w-cedar"):
        app.unready(pod)
        app.event(pod, "NetworkNotReady", "network is not ready: container runtime network not ready: NetworkReady=false "
                  "reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized", count=20)  # fmt: skip
    return app.settled()


@scenario("node_not_ready", "Node", "w-amber")
def node_shutting_down() -> Application:
    app = greenhouse("Pods lost")
    condition(app, "w-amber", "Ready", "False", "KubeletNotReady", "node is shutting down", 3)
    app.event(app.get("Node", "w-amber"), "Shutdown", "Shutdown manager detected shutdown event", minutes_ago=3)
    for pod in on(app, "w-amber"):
        pod["status"] |= {"phase": "Failed", "reason": "Terminated", "message": "Pod was terminated in response to imminent "
                          "node shutdown."}  # fmt: skip
        app.unready(pod)
    return app.settled()


@scenario("node_not_ready", "Node", "w-dune", accept=[("containerd_unavailable", "Node", "w-dune")])
def node_not_ready_beside_a_cordoned_one() -> Application:
    app = greenhouse("Some replicas missing")
    app.get("Node", "w-birch")["spec"] |= {
        "unschedulable": True,
        "taints": [{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}],
    }
    condition(app, "w-dune", "Ready", "False", "KubeletNotReady", "[PLEG is not healthy: pleg was last seen active 3m41s ago; "
              "threshold is 3m0s]")  # fmt: skip
    for pod in on(app, "w-dune"):
        app.unready(pod)
    return app.settled()


# ----------------------------------------------------------------------------------------------------- pressure


def evicted(app: Application, pod: Object, message: str) -> None:
    pod["status"] |= {"phase": "Failed", "reason": "Evicted", "message": message}
    app.unready(pod)
    app.event(pod, "Evicted", message, minutes_ago=5)


@scenario("node_memory_pressure", "Node", "w-amber", variants=("sparse", "events_expired"))
def memory_pressure_condition() -> Application:
    app = greenhouse("Pods are evicted")
    condition(
        app,
        "w-amber",
        "MemoryPressure",
        "True",
        "KubeletHasInsufficientMemory",
        "kubelet has insufficient memory available",
    )
    for pod in on(app, "w-amber")[:2]:
        evicted(app, pod, "The node was low on resource: memory. Threshold quantity: 100Mi, available: 61224Ki. Container "
                "climate was using 1812Mi, request is 128Mi, has larger consumption of memory. ")  # fmt: skip
    return app.settled()


@scenario("node_memory_pressure", "Node", "w-cedar")
def memory_pressure_over_but_evictions_remain() -> Application:
    app = greenhouse("Pods were evicted minutes ago")
    node = app.get("Node", "w-cedar")
    app.event(node, "EvictionThresholdMet", "Attempting to reclaim memory", minutes_ago=6, count=3)
    app.event(
        node,
        "NodeHasInsufficientMemory",
        "Node w-cedar status is now: NodeHasInsufficientMemory",
        kind="Normal",
        minutes_ago=6,
    )
    for pod in on(app, "w-cedar")[:3]:
        evicted(app, pod, "The node was low on resource: memory. ")
    return app.settled()


@scenario("node_memory_pressure", "Node", "w-birch")
def memory_system_oom() -> Application:
    """The kernel kills for the whole node: containers end with OOMKilled far below their limits."""
    app = greenhouse("Containers on one node get killed")
    node = app.get("Node", "w-birch")
    for victim, pid in (("climate", 30112), ("dashboard", 30977), ("node", 31250)):
        app.event(node, "SystemOOM", f"System OOM encountered, victim process: {victim}, pid: {pid}", minutes_ago=4)
    app.journal("w-birch", "kernel", "Out of memory: Killed process 30112 (climate) total-vm:2011820kB, anon-rss:88120kB",
                "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task=node,pid=31250")  # fmt: skip
    for pod in on(app, "w-birch")[:3]:
        app.crashing(pod, 137, "OOMKilled", restarts=2, ran_seconds=400, waiting=False)
        for item in pod["spec"]["containers"]:
            item["resources"] = {"requests": {"memory": "64Mi"}}
    return app.settled()


@scenario("node_disk_pressure", "Node", "w-birch", variants=("sparse", "events_expired"))
def disk_pressure_condition() -> Application:
    app = greenhouse("Pods evicted and Pending")
    condition(app, "w-birch", "DiskPressure", "True", "KubeletHasDiskPressure", "kubelet has disk pressure")
    node = app.get("Node", "w-birch")
    node["spec"]["taints"] = [{"key": "node.kubernetes.io/disk-pressure", "effect": "NoSchedule"}]
    app.event(node, "EvictionThresholdMet", "Attempting to reclaim ephemeral-storage", count=12)
    for pod in on(app, "w-birch")[:2]:
        evicted(
            app,
            pod,
            "The node was low on resource: ephemeral-storage. Threshold quantity: 5368709120, available: 4011Mi. ",
        )
    return app.settled()


@scenario("node_disk_pressure", "Node", "w-dune")
def disk_image_collection_fails() -> Application:
    app = greenhouse("Image pulls fail on a node")
    node = app.get("Node", "w-dune")
    app.event(node, "FreeDiskSpaceFailed", "Failed to garbage collect required amount of images. Attempted to free "
              "18211303424 bytes, but only found 0 bytes eligible to free.", count=7)  # fmt: skip
    app.event(node, "ImageGCFailed", "failed to garbage collect required amount of images. Attempted to free 18211303424 "
              "bytes, but only found 0 bytes eligible to free.", count=7)  # fmt: skip
    pod = on(app, "w-dune")[0]
    app.status(pod).update(ready=False, state={"waiting": {"reason": "ErrImagePull", "message": "failed to extract layer "
                           "sha256:11aa: write /var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/812/fs/x: no "
                           "space left on device: unknown"}})  # fmt: skip
    return app.settled()


@scenario("node_disk_pressure", "Node", "w-cedar")
def disk_filesystem_metric_and_evictions() -> Application:
    app = greenhouse("Evictions")
    for node in WORKERS:
        app.once("node_filesystem_avail_bytes", 1.2e9 if node == "w-cedar" else 5.1e10, instance=node, mountpoint="/")
        app.once("node_filesystem_size_bytes", 1.05e11, instance=node, mountpoint="/")
    for pod in on(app, "w-cedar")[:3]:
        evicted(app, pod, "The node had condition: [DiskPressure]. ")
    return app.settled()


@scenario("node_pid_pressure", "Node", "w-amber", variants=("sparse", "events_expired"))
def pid_pressure_condition() -> Application:
    app = greenhouse("Pods on w-amber fail")
    condition(
        app, "w-amber", "PIDPressure", "True", "KubeletHasInsufficientPID", "kubelet has insufficient PID available"
    )
    for pod in on(app, "w-amber"):
        app.log(pod["metadata"]["name"], pod["spec"]["containers"][0]["name"],
                "RuntimeError: can't start new thread")  # fmt: skip
    return app.settled()


@scenario("node_pid_pressure", "Node", "w-dune")
def pid_evictions_and_fork_errors() -> Application:
    app = greenhouse("Pods evicted")
    app.event(app.get("Node", "w-dune"), "EvictionThresholdMet", "Attempting to reclaim pids", count=5)
    for pod in on(app, "w-dune")[:2]:
        evicted(app, pod, "The node was low on resource: pids. Threshold quantity: 3276, available: 1014. ")
    return app.settled()


@scenario("node_pid_pressure", "Node", "w-birch")
def pid_sandbox_fork_fails_in_journal() -> Application:
    app = greenhouse("Containers cannot start on one node")
    app.journal("w-birch", "kubelet", 'E0414 09:28:11.0 1212 remote_runtime.go:193] "RunPodSandbox from runtime service failed" err='
                '"rpc error: code = Unknown desc = failed to start shim: fork/exec /usr/bin/containerd-shim-runc-v2: resource '
                'temporarily unavailable"')  # fmt: skip
    app.journal("w-birch", "kernel", "cgroup: fork rejected by pids controller in /system.slice/containerd.service")
    for pod in on(app, "w-birch")[:3]:
        app.status(pod).update(ready=False, state={"waiting": {"reason": "ContainerCreating"}})
        app.event(pod, "FailedCreatePodSandBox", "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to start "
                  "shim: fork/exec /usr/bin/containerd-shim-runc-v2: resource temporarily unavailable", count=8)  # fmt: skip
    return app.settled()


# ------------------------------------------------------------------------------------------------------ network


def latency(app: Application, node: str, slow: tuple[str, ...], onset: float = -12) -> None:
    """Workloads that live on one node become slow together; the others, elsewhere, do not."""
    others = [name for name in WORKERS if name != node]
    for place, name in enumerate(SERVICES):
        hit = name in slow
        for pod in app.pods(name):
            pod["spec"]["nodeName"] = node if hit else others[place % 3]
        app.gauge("workload:request_duration_milliseconds:p95", lambda t, hit=hit: 520 if hit and t > onset else 42,
                  namespace=NS, workload=name)  # fmt: skip
    app.alert("LatencyHigh", "p95 latency of several services is high", minutes_ago=-onset - 1)


@scenario("node_network_delay", "Node", "w-cedar")
def delay_latency_and_retransmits_of_one_node() -> Application:
    app = greenhouse("Latency up for many services")
    latency(app, "w-cedar", ("climate", "seedbank", "forecast"))
    for node in WORKERS:
        bad = node == "w-cedar"
        app.counter("node_netstat_Tcp_RetransSegs", lambda t, bad=bad: 42 if bad and t > -12 else 0.8, instance=node)
    for pod in on(app, "w-cedar"):
        app.probe_fails(pod, "Readiness", 'Get "http://10.244.2.4:8080/healthz": context deadline exceeded (Client.Timeout '
                        "exceeded while awaiting headers)", count=6)  # fmt: skip
    return app.settled()


@scenario("node_network_delay", "Node", "w-amber")
def delay_seen_in_service_latency_by_node() -> Application:
    """Only workload latencies, and where the pods are; every workload with all its pods on w-amber is slow."""
    app = greenhouse("Several services slow", system=False)
    for name in ("climate", "seedbank", "forecast"):
        for pod in app.pods(name):
            pod["spec"]["nodeName"] = "w-amber"
            app.counter(
                "container_cpu_usage_seconds_total", 0.15, namespace=NS, pod=pod["metadata"]["name"], container=name
            )
        app.gauge(
            "workload:request_duration_milliseconds:p95", lambda t: 40 if t < -20 else 640, namespace=NS, workload=name
        )
    for name in ("sensors", "irrigation"):
        for pod in app.pods(name):
            pod["spec"]["nodeName"] = "w-cedar"
        app.gauge("workload:request_duration_milliseconds:p95", 30, namespace=NS, workload=name)
    app.alert("LatencyHigh", "p95 latency of several services is high", minutes_ago=18)
    return app.settled()


@scenario("node_network_delay", "Node", "w-dune")
def delay_without_objects_of_the_system() -> Application:
    app = greenhouse("Timeouts to pods of one node", system=False)
    latency(app, "w-dune", ("sensors", "irrigation", "dashboard", "seedbank"), -9)
    for pod in on(app, "w-dune"):
        app.log(pod["metadata"]["name"], pod["spec"]["containers"][0]["name"], "WARN request took 5120 ms")
    return app.settled()


@scenario("node_network_packet_loss", "Node", "w-birch")
def loss_retransmits_of_one_node() -> Application:
    app = greenhouse("Intermittent timeouts")
    app.alert("TimeoutsHigh", "Requests time out", minutes_ago=13)
    for node in WORKERS:
        bad = node == "w-birch"
        app.counter("node_netstat_Tcp_RetransSegs", lambda t, bad=bad: 340 if bad and t > -15 else 1.5, instance=node)
        app.counter(
            "node_network_receive_drop_total",
            lambda t, bad=bad: 95 if bad and t > -15 else 0,
            instance=node,
            device="eth0",
        )
    for pod in on(app, "w-birch"):
        app.log(
            pod["metadata"]["name"],
            pod["spec"]["containers"][0]["name"],
            "read tcp: i/o timeout",
            "write: connection timed out",
        )
    return app.settled()


@scenario("node_network_packet_loss", "Node", "w-amber")
def loss_interface_errors_in_kernel_journal() -> Application:
    app = greenhouse("Connections from one node break")
    app.journal("w-amber", "kernel", "ixgbe 0000:3b:00.0 eth0: NIC Link is Down", "ixgbe 0000:3b:00.0 eth0: NIC Link is Up 10 Gbps",
                "ixgbe 0000:3b:00.0 eth0: NIC Link is Down", "ixgbe 0000:3b:00.0 eth0: Detected Tx Unit Hang",
                "NETDEV WATCHDOG: eth0 (ixgbe): transmit queue 4 timed out")  # fmt: skip
    for pod in on(app, "w-amber"):
        app.log(pod["metadata"]["name"], pod["spec"]["containers"][0]["name"], "dial tcp 10.96.8.8:50051: i/o timeout")
        app.probe_fails(pod, "Readiness", 'Get "http://10.244.0.4:8080/healthz": net/http: request canceled while waiting for '
                        "connection (Client.Timeout exceeded while awaiting headers)", count=9)  # fmt: skip
    return app.settled()


@scenario("node_network_packet_loss", "Node", "w-dune")
def loss_receive_errors_metric() -> Application:
    app = greenhouse("Errors between pods")
    for node in WORKERS:
        bad = node == "w-dune"
        app.counter(
            "node_network_receive_errs_total",
            lambda t, bad=bad: 220 if bad and t > -10 else 0,
            instance=node,
            device="ens5",
        )
        app.counter(
            "node_network_transmit_drop_total",
            lambda t, bad=bad: 130 if bad and t > -10 else 0,
            instance=node,
            device="ens5",
        )
    return app.settled()


# -------------------------------------------------------------------------------------------------------- clock


@scenario("node_clock_skew", "Node", "w-cedar", variants=("sparse", "old_events"))
def clock_offset_metric() -> Application:
    app = greenhouse("Authentication fails from some pods")
    for node in WORKERS:
        app.once("node_timex_offset_seconds", 312.4 if node == "w-cedar" else 0.0004, instance=node)
        app.once("node_timex_sync_status", 0 if node == "w-cedar" else 1, instance=node)
    return app.settled()


@scenario("node_clock_skew", "Node", "w-amber")
def clock_certificates_not_yet_valid_on_one_node() -> Application:
    app = greenhouse("TLS errors from some replicas")
    for pod in on(app, "w-amber"):
        app.log(pod["metadata"]["name"], pod["spec"]["containers"][0]["name"],
                *["x509: certificate has expired or is not yet valid: current time 2026-04-13T21:29:01Z is before "
                  "2026-04-14T06:00:00Z"] * 3)  # fmt: skip
    return app.settled()


@scenario("node_clock_skew", "Node", "w-dune")
def clock_chrony_journal_and_tokens() -> Application:
    app = greenhouse("401 for calls of some pods")
    app.journal(
        "w-dune", "chronyd", "Can't synchronise: no selectable sources", "System clock wrong by 184.221034 seconds"
    )
    for pod in on(app, "w-dune"):
        app.log(
            pod["metadata"]["name"], pod["spec"]["containers"][0]["name"], "401 Unauthorized: token used before issued"
        )
    return app.settled()


# --------------------------------------------------------------------------------------------------------- zones


@scenario("cloud_zone_impairment", "Component", "north-1b", variants=("sparse", "events_expired"))
def zone_all_nodes_not_ready() -> Application:
    app = greenhouse("Half of the capacity is gone")
    silent(app, "w-cedar")
    silent(app, "w-dune")
    return app.settled()


@scenario("cloud_zone_impairment", "Component", "north-1b")
def zone_nodes_differ_in_words() -> Application:
    app = greenhouse("Pods in one zone fail")
    silent(app, "w-cedar", 7)
    condition(app, "w-dune", "Ready", "False", "KubeletNotReady", "container runtime is down")
    for pod in on(app, "w-dune"):
        app.unready(pod)
    return app.settled()


@scenario("cloud_zone_impairment", "Component", "north-1a")
def zone_unreachable_pods_and_volume_attach() -> Application:
    app = greenhouse("Outage in part of the cluster")
    for node in ("w-amber", "w-birch", MASTER):
        silent(app, node, 6)
    app.event(app.pods("climate")[0], "FailedAttachVolume", 'AttachVolume.Attach failed for volume "pvc-1": timed out waiting for '
              "external-attacher of ebs.csi.aws.com CSI driver", component="attachdetach-controller")  # fmt: skip
    return app.settled()


# --------------------------------------------------------------------------------------------------- nothing wrong


@scenario(None, no_cause=True)
def nothing_cordoned_node_and_old_restarts_of_the_control_plane() -> Application:
    app = greenhouse("Alert cleared")
    app.get("Node", "w-birch")["spec"] |= {
        "unschedulable": True,
        "taints": [{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}],
    }
    pod = app.get("Pod", f"kube-scheduler-{MASTER}", SYSTEM)
    app.crashing(pod, 1, restarts=3, ran_seconds=86400, ended_minutes_ago=60 * 24 * 12, waiting=False)
    app.status(pod).update(ready=True, started=True)
    return app.settled()
