"""A second round over runtime, routing and infrastructure: forms that the first three sets do not have.

Written after those sets had been worked on and before the engine was tried on any of these; the application is a
library's lending system.
"""

from typing import Any

from agent_sre.testing import kubernetes_objects as kube
from tests.scenarios.application import SYSTEM, Application, application, exec_probe, grpc_probe, http_probe, tcp_probe
from tests.scenarios.frozen import Object
from tests.scenarios.sets.registry import scenario

SERVICES = {"catalog": 8080, "loans": 8082, "members": 50052, "fines": 8084, "kiosk": 3001, "holds": 8086}
CALLS = (("kiosk", "catalog"), ("kiosk", "loans"), ("loans", "members"), ("loans", "fines"), ("catalog", "holds"))
NS = "lending"


def library(description: str = "Lending desk: errors.", **fields: Any) -> Application:
    app = application(NS, SERVICES, calls=CALLS, description=description, seed=29, **fields)
    app.env("kiosk", CATALOG_URL="http://catalog:8080", LOANS_URL="http://loans:8082")
    app.env("loans", MEMBERS_ADDR="members:50052", FINES_URL="http://fines.lending.svc:8084")
    return app


def says(app: Application, workload: str, *lines: str, **fields: Any) -> None:
    for pod in app.pods(workload):
        app.log(pod["metadata"]["name"], workload, *lines * 3, every_seconds=6, **fields)


def also(app: Application, workload: str, container: Object, *, init: bool = False) -> None:
    """A further container in a Deployment's template and pods; ``init`` as a native sidecar."""
    field, statuses = ("initContainers", "initContainerStatuses") if init else ("containers", "containerStatuses")
    for holder in (
        app.get("Deployment", workload)["spec"]["template"]["spec"],
        *(p["spec"] for p in app.pods(workload)),
    ):
        holder.setdefault(field, []).append(dict(container))
    for pod in app.pods(workload):
        status = {**app.status(pod), "name": container["name"], "image": container["image"], "lastState": {}}
        pod["status"].setdefault(statuses, []).append(status)


# ------------------------------------------------------------------------------------------------------- runtime


@scenario(
    "oom_killed",
    "CronJob",
    "reindex",
    accept=[("job_failed", "CronJob", "reindex"), ("job_failed", "Job", "reindex-29602860")],
)
def oom_of_a_cron_jobs_pod_before_the_limit_of_tries() -> Application:
    app = library("Search index is old")
    template = kube.pod_template(
        "reindex", [kube.container("main", "registry.test/reindex:2", resources={"limits": {"memory": "64Mi"}})]
    )
    cron: Object = {
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": kube.metadata("CronJob", "reindex", NS),
        "spec": {"schedule": "0 * * * *", "suspend": False, "jobTemplate": {"spec": {"template": template}}},
        "status": {"lastScheduleTime": app.stamp(30)},
    }  # fmt: skip
    job: Object = {
        "apiVersion": "batch/v1", "kind": "Job", "metadata": kube.metadata("Job", "reindex-29602860", NS, owner=cron),
        "spec": {"backoffLimit": 6, "template": template}, "status": {"startTime": app.stamp(30), "failed": 3, "active": 1},
    }  # fmt: skip
    app.add(cron, job)
    for ago in (25, 15, 5):
        pod = app.pod(job, f"reindex-29602860-{app.hash(5)}", app.stamp(ago + 1))
        pod["status"]["phase"] = "Failed"
        app.status(pod).update(ready=False, state={"terminated": {
            "exitCode": 137, "reason": "OOMKilled", "startedAt": app.stamp(ago + 1), "finishedAt": app.stamp(ago)}})  # fmt: skip
    return app.settled()


@scenario("oom_killed", "Deployment", "fines")
def oom_of_a_native_sidecar() -> Application:
    app = library("fines restarts")
    helper = kube.container("cache-agent", "registry.test/cache:1", port=6390, restartPolicy="Always",
                            resources={"limits": {"memory": "24Mi"}})  # fmt: skip
    also(app, "fines", helper, init=True)
    for pod in app.pods("fines"):
        status = pod["status"]["initContainerStatuses"][0]
        status |= {"ready": False, "restartCount": 7, "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {
            "terminated": {"exitCode": 137, "reason": "OOMKilled", "startedAt": app.stamp(3), "finishedAt": app.stamp(2)}}}  # fmt: skip
    return app.settled()


@scenario("crash_on_start", "StatefulSet", "stacks", accept=[("incorrect_command", "StatefulSet", "stacks")])
def crash_blocks_an_ordered_rollout() -> Application:
    """OrderedReady: stacks-2 is updated first, crashes, and holds up the others, which still serve."""
    app = library("stacks rollout stuck at 1 of 3")
    app.stateful("stacks", 7100)
    pod = app.pods("stacks-2")[0]
    app.crashing(pod, 127, "Error", restarts=10, ran_seconds=0.2, container="stacks")
    app.log(pod["metadata"]["name"], "stacks", "/entrypoint.sh: line 14: shelfd: not found", previous=True)
    return app.settled()


@scenario("unhandled_exception", "Deployment", "holds")
def exception_dotnet() -> Application:
    app = library()
    for pod in app.pods("holds"):
        app.crashing(pod, 134, restarts=4, ran_seconds=500, waiting=False)
        app.log(pod["metadata"]["name"], "holds", "info: Holds[0] sweeping expired holds",
                "Unhandled exception. System.InvalidOperationException: Sequence contains no elements",
                "   at System.Linq.ThrowHelper.ThrowNoElementsException()", "   at Holds.Sweep.Run() in /src/Sweep.cs:line 44",
                previous=True)  # fmt: skip
    return app.settled()


@scenario("unhandled_exception", "Deployment", "members")
def exception_rust_panic_exit_101() -> Application:
    app = library("members flaps")
    for pod in app.pods("members"):
        app.crashing(pod, 101, restarts=5, ran_seconds=240)
        app.log(pod["metadata"]["name"], "members", "thread 'main' panicked at src/ledger.rs:88:14:",
                "called `Option::unwrap()` on a `None` value", "note: run with `RUST_BACKTRACE=1`", previous=True)  # fmt: skip
    return app.settled()


@scenario("deadlock", "Deployment", "loans")
def deadlock_goroutine_dump_after_sigquit() -> Application:
    app = library("loans hangs")
    app.configure("loans", readinessProbe=http_probe(8082, timeoutSeconds=3))
    for pod in app.pods("loans"):
        app.unready(pod)
        app.probe_fails(pod, "Readiness", 'Get "http://10.244.1.3:8082/healthz": context deadline exceeded (Client.Timeout '
                        "exceeded while awaiting headers)")  # fmt: skip
        app.log(pod["metadata"]["name"], "loans", "SIGQUIT: quit", "goroutine 41 [sync.Mutex.Lock, 18 minutes]:",
                "main.(*Shelf).Move(0xc000)", "goroutine 57 [semacquire, 18 minutes]:", "main.(*Shelf).Count(0xc000)")  # fmt: skip
    return app.settled()


@scenario("liveness_probe_incorrect_port", "Deployment", "catalog")
def liveness_port_of_the_old_version() -> Application:
    """The image moved from 8080 to 9080, the container's port and Service with it; the probe was forgotten."""
    app = library("catalog restarts since the upgrade")
    app.configure("catalog", ports=[{"name": "http", "containerPort": 9080}], livenessProbe=http_probe(8080, "/live"),
                  readinessProbe=http_probe("http", "/ready"))  # fmt: skip
    app.get("Service", "catalog")["spec"]["ports"][0]["targetPort"] = "http"
    for pod in app.pods("catalog"):
        app.probe_fails(
            pod, "Liveness", 'Get "http://10.244.2.7:8080/live": dial tcp 10.244.2.7:8080: connect: connection refused'
        )
        app.killed(pod)
        app.crashing(pod, 143, "Error", restarts=9, ran_seconds=32, waiting=False)
        app.status(pod)["ready"] = True
    return app.settled()


@scenario("liveness_probe_incorrect_protocol", "Deployment", "members")
def liveness_http_probe_of_grpc_seen_by_eof() -> Application:
    app = library("members restarts")
    app.configure("members", ports=[{"name": "grpc", "containerPort": 50052}], livenessProbe=http_probe(50052, "/"),
                  readinessProbe=exec_probe("grpc_health_probe", "-addr=:50052"))  # fmt: skip
    app.get("Service", "members")["spec"]["ports"][0]["name"] = "grpc"
    for pod in app.pods("members"):
        app.probe_fails(pod, "Liveness", 'Get "http://10.244.0.9:50052/": EOF')
        app.killed(pod)
        app.crashing(pod, 143, "Error", restarts=5, ran_seconds=33, waiting=False)
    return app.settled()


@scenario("liveness_probe_incorrect_timing", "Deployment", "holds")
def liveness_new_settings_in_a_rollout() -> Application:
    app = library("holds: new pods are restarted")
    app.configure("holds", livenessProbe=http_probe(8086, initialDelaySeconds=60))
    app.template("holds")["livenessProbe"] = http_probe(
        8086, initialDelaySeconds=0, periodSeconds=1, failureThreshold=3
    )
    pod = app.rollout("holds", 9)[0]
    app.probe_fails(pod, "Liveness", 'Get "http://10.244.1.6:8086/healthz": dial tcp 10.244.1.6:8086: connect: connection refused',
                    since=8)  # fmt: skip
    app.killed(pod)
    app.crashing(pod, 143, "Error", restarts=6, ran_seconds=4)
    app.log(pod["metadata"]["name"], "holds", "warming cache 1/40", "warming cache 2/40", previous=True)
    return app.settled()


@scenario("readiness_probe_incorrect_port", "DaemonSet", "shelf-agent")
def readiness_of_a_daemon_set() -> Application:
    app = library("shelf-agent: 0 of 3 ready")
    app.stateful("shelf-agent", 9101, kind="DaemonSet", headless=False)
    app.configure("shelf-agent", kind="DaemonSet", readinessProbe=tcp_probe(9110))
    for pod in app.pods("shelf-agent"):
        app.unready(pod)
        app.probe_fails(pod, "Readiness", "dial tcp 10.244.0.3:9110: connect: connection refused")
    return app.settled()


@scenario("readiness_probe_incorrect_protocol", "Deployment", "fines")
def readiness_plain_http_on_tls_port() -> Application:
    app = library("fines has no endpoints")
    app.configure("fines", readinessProbe=http_probe(8084))
    for pod in app.pods("fines"):
        app.unready(pod)
        app.probe_fails(pod, "Readiness", "HTTP probe failed with statuscode: 400")
    says(
        app,
        "fines",
        "2026/04/14 09:29:00 http: TLS handshake error from 192.168.4.12:40112: client sent an HTTP request to an HTTPS server",
    )
    return app.settled()


@scenario("startup_probe_too_short", "Deployment", "catalog")
def startup_grpc_probe_with_default_threshold() -> Application:
    app = library("catalog does not come up after the restore")
    app.configure("catalog", startupProbe=grpc_probe(8080, periodSeconds=5), livenessProbe=grpc_probe(8080))
    for pod in app.pods("catalog"):
        app.probe_fails(pod, "Startup", 'service unhealthy (responded with "NOT_SERVING")')
        app.killed(pod, "startup")
        app.crashing(pod, 137, "Error", restarts=6, ran_seconds=46)
        app.log(
            pod["metadata"]["name"], "catalog", "restoring snapshot: 12 %", "restoring snapshot: 19 %", previous=True
        )
    return app.settled()


@scenario("service_sidecar_port_conflict", "Deployment", "kiosk")
def port_conflict_same_container_two_listeners_named_by_gunicorn() -> Application:
    app = library("kiosk: one container of two crashes")
    also(app, "kiosk", kube.container("static", "registry.test/nginx:1.27", port=3001))
    for pod in app.pods("kiosk"):
        app.crashing(pod, 1, container="static", restarts=7, ran_seconds=3)
        app.log(pod["metadata"]["name"], "static", "nginx: [emerg] bind() to 0.0.0.0:3001 failed (98: Address already in use)",
                "nginx: [emerg] still could not bind()", previous=True)  # fmt: skip
    return app.settled()


@scenario("deployment_zero_replicas", "Deployment", "members")
def zero_replicas_seen_only_by_clients() -> Application:
    app = library("members: connection refused")
    assert app.objects is not None
    for pod in app.pods("members"):
        app.objects.remove(pod)
    app.get("Deployment", "members")["spec"]["replicas"] = 0
    for item in app.all("ReplicaSet"):
        if item["metadata"]["name"].startswith("members-"):
            item["spec"]["replicas"] = 0
    says(app, "loans", 'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp '
         '10.96.4.9:50052: connect: connection refused"')  # fmt: skip
    return app.settled()


@scenario("config_invalid", "Deployment", "fines")
def config_json_syntax() -> Application:
    app = library("fines crashes after a config map edit")
    app.change("config", "fines", "Edit fines-config", minutes_ago=9)
    for pod in app.pods("fines"):
        app.crashing(pod, 1, restarts=5, ran_seconds=1)
        app.log(pod["metadata"]["name"], "fines", "reading /etc/fines/config.json",
                "error: failed to parse config: invalid character '}' looking for beginning of object key string", previous=True)  # fmt: skip
    return app.settled()


@scenario("thread_pool_exhausted", "Deployment", "loans")
def threads_apache_and_callers_time_out() -> Application:
    app = library("loans answers slowly or not at all")
    says(app, "loans", "[mpm_event:error] [pid 1] AH00484: server reached MaxRequestWorkers setting, consider raising the "
         "MaxRequestWorkers setting")  # fmt: skip
    says(app, "kiosk", "GET http://loans:8082/open timed out after 3000 ms")
    return app.settled()


# ------------------------------------------------------------------------------------------------------- routing


@scenario("service_selector_mismatch", "Service", "holds")
def selector_with_old_track_label() -> Application:
    app = library("catalog cannot reach holds since the canary ended")
    app.get("Service", "holds")["spec"]["selector"] = {"app": "holds", "track": "canary"}
    says(app, "catalog", 'Post "http://holds:8086/place": dial tcp 10.96.7.3:8086: connect: connection refused')
    return app.settled()


@scenario("service_port_mapping_mismatch", "Service", "fines")
def service_port_changed_under_its_callers() -> Application:
    """Callers ask for 8084 and the pods listen on 8084, but the Service now offers 80 only."""
    app = library("fines unreachable")
    app.get("Service", "fines")["spec"]["ports"][0]["port"] = 80
    app.env("kiosk", CATALOG_URL="http://catalog:8080", LOANS_URL="http://loans:8082", FINES="http://fines:8084")
    says(app, "loans", 'Get "http://fines.lending.svc:8084/open": dial tcp 10.96.7.8:8084: i/o timeout')
    return app.settled()


@scenario("service_env_var_address_mismatch", "Deployment", "catalog")
def address_in_a_list_of_brokers() -> Application:
    app = library("catalog publishes nothing")
    app.stateful("events-bus", 9092)
    app.env("catalog", BROKERS="events-bus-0.events-bus:9092,events-bus-1.eventsbus:9092")
    says(
        app,
        "catalog",
        "%3|1776159000.1|FAIL|rdkafka#producer-1| [thrd:app]: Failed to resolve 'eventsbus': Name or service not known",
    )
    app.env("catalog", BROKERS="eventsbus:9092")
    return app.settled()


@scenario("ingress_misconfigured", "Ingress", "desk")
def ingress_of_nginx_names_a_deleted_service() -> Application:
    app = library("desk.library.example answers 503")
    app.add({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": kube.metadata("Ingress", "desk", NS),
             "spec": {"rules": [{"host": "desk.library.example", "http": {"paths": [
                 {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "kiosk", "port": {"number": 3001}}}},
                 {"path": "/old", "pathType": "Prefix", "backend": {"service": {"name": "kiosk-v1", "port": {"number": 80}}}}]}}]}})  # fmt: skip
    return app.settled()


@scenario("gateway_misroute", "GRPCRoute", "members-route")
def grpc_route_refused_by_reference_policy() -> Application:
    app = library("members: Unimplemented from the gateway")
    app.add({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "GRPCRoute", "metadata": kube.metadata("GRPCRoute", "members-route", NS),
        "spec": {"parentRefs": [{"name": "edge"}], "rules": [{"backendRefs": [{"name": "members", "namespace": "people", "port": 50052}]}]},
        "status": {"parents": [{"parentRef": {"name": "edge"}, "conditions": [
            {"type": "Accepted", "status": "True", "reason": "Accepted"},
            {"type": "ResolvedRefs", "status": "False", "reason": "RefNotPermitted",
             "message": "Backend ref to Service people/members not permitted by any ReferenceGrant"}]}]},
    })  # fmt: skip
    return app.settled()


@scenario("network_policy_denied", "Deployment", "members")
def policy_allows_another_namespace_only() -> Application:
    app = library("loans cannot reach members")
    app.add({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": kube.metadata("NetworkPolicy", "members-in", NS),
             "spec": {"podSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["members"]}]},
                      "policyTypes": ["Ingress"], "ingress": [{"from": [{"namespaceSelector": {"matchLabels": {
                          "kubernetes.io/metadata.name": "people"}}}]}]}})  # fmt: skip
    says(app, "loans", "rpc error: code = Unavailable desc = dial tcp 10.96.4.9:50052: i/o timeout")
    return app.settled()


@scenario(
    "mtls_mismatch",
    "Deployment",
    "kiosk",
    accept=[("mtls_mismatch", "Deployment", "loans"), ("mtls_mismatch", "PeerAuthentication", "default")],
)
def mtls_strict_in_the_namespace_and_native_sidecars() -> Application:
    app = library("kiosk cannot call anything since the mesh is strict")
    proxy = kube.container("istio-proxy", "docker.io/istio/proxyv2:1.27.0", port=15090, restartPolicy="Always")
    for name in SERVICES:
        if name != "kiosk":
            also(app, name, proxy, init=True)
    app.add({"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication", "metadata": kube.metadata("PeerAuthentication", "default", NS),
             "spec": {"mtls": {"mode": "STRICT"}}})  # fmt: skip
    says(
        app,
        "kiosk",
        'Get "http://loans:8082/open": read tcp 10.244.0.2:48122->10.96.3.3:8082: read: connection reset by peer',
    )
    return app.settled()


# ------------------------------------------------------------------------------------------------ infrastructure


@scenario("node_disk_pressure", "Node", "pool-a-2")
def disk_inodes_and_pods_rejected() -> Application:
    app = library("Pods rejected on one node")
    for pod in app.pods("holds"):
        pod["spec"]["nodeName"] = "pool-a-2"
        pod["status"] |= {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: inodes. "}
        app.unready(pod)
    return app.settled()


@scenario(
    "node_not_ready",
    "Node",
    "pool-a-3",
    accept=[("containerd_unavailable", "Node", "pool-a-3"), ("kubelet_unavailable", "Node", "pool-a-3")],
)
def node_flapping_in_events() -> Application:
    app = library("Endpoints come and go")
    node = app.get("Node", "pool-a-3")
    for item in node["status"]["conditions"]:
        if item["type"] == "Ready":
            item |= {"status": "False", "reason": "KubeletNotReady", "message": "[container runtime status check may not have completed yet]",
                     "lastTransitionTime": app.stamp(1)}  # fmt: skip
    app.event(
        node,
        "NodeNotReady",
        "Node pool-a-3 status is now: NodeNotReady",
        kind="Normal",
        count=14,
        minutes_ago=1,
        first_minutes_ago=50,
    )
    app.event(
        node,
        "NodeReady",
        "Node pool-a-3 status is now: NodeReady",
        kind="Normal",
        count=13,
        minutes_ago=4,
        first_minutes_ago=50,
    )
    for pod in app.all("Pod", NS):
        if pod["spec"]["nodeName"] == "pool-a-3":
            app.unready(pod)
    return app.settled()


@scenario("kube_proxy_unavailable", "Node", "pool-a-1", accept=[("kube_proxy_unavailable", "DaemonSet", "kube-proxy")])
def proxy_image_cannot_be_pulled_on_one_node() -> Application:
    app = library("Services time out from one node")
    app.stateful("kube-proxy", 10256, kind="DaemonSet", namespace=SYSTEM, headless=False)
    pod = next(pod for pod in app.pods("kube-proxy") if pod["spec"]["nodeName"] == "pool-a-1")
    pod["status"]["phase"] = "Pending"
    app.status(pod).update(
        ready=False, state={"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}
    )
    for other in app.all("Pod", NS):
        if other["spec"]["nodeName"] == "pool-a-1":
            app.log(
                other["metadata"]["name"],
                other["spec"]["containers"][0]["name"],
                "dial tcp 10.96.2.2:8080: i/o timeout",
            )
    return app.settled()


@scenario("coredns_degraded", "Component", "coredns", accept=[("coredns_degraded", "Deployment", "coredns")])
def dns_forward_loop() -> Application:
    app = library("Lookups fail everywhere")
    app.deploy("coredns", 53, namespace=SYSTEM, service=False, labels={"k8s-app": "kube-dns"})
    for pod in app.pods("coredns"):
        app.crashing(pod, 1, restarts=12, ran_seconds=2)
        app.log(pod["metadata"]["name"], "coredns", '[FATAL] plugin/loop: Loop (127.0.0.1:51823 -> :53) detected for zone "."',
                previous=True, namespace=SYSTEM)  # fmt: skip
    says(app, "kiosk", "getaddrinfo EAI_AGAIN catalog")
    return app.settled()


@scenario("node_memory_pressure", "Node", "pool-a-2")
def memory_taint_and_condition_only() -> Application:
    app = library("Pods are moved")
    node = app.get("Node", "pool-a-2")
    node["spec"]["taints"] = [{"key": "node.kubernetes.io/memory-pressure", "effect": "NoSchedule"}]
    for item in node["status"]["conditions"]:
        if item["type"] == "MemoryPressure":
            item |= {"status": "True", "reason": "KubeletHasInsufficientMemory", "message": "kubelet has insufficient memory available",
                     "lastTransitionTime": app.stamp(6)}  # fmt: skip
    return app.settled()


@scenario("containerd_unavailable", "Node", "pool-a-1")
def runtime_hangs_pleg_and_context_deadline() -> Application:
    app = library("Pods on one node cannot be stopped")
    app.journal(
        "pool-a-1",
        "containerd",
        'level=fatal msg="failed to create CRI service" error="open /var/lib/containerd/meta.db: structure needs cleaning"',
    )
    app.journal("pool-a-1", "systemd", "containerd.service: Main process exited, code=exited, status=1/FAILURE",
                "containerd.service: Failed with result 'exit-code'.")  # fmt: skip
    for pod in app.all("Pod", NS):
        if pod["spec"]["nodeName"] == "pool-a-1":
            app.unready(pod)
    return app.settled()


@scenario("node_clock_skew", "Node", "pool-a-3")
def clock_back_in_time_by_metric_and_timex() -> Application:
    app = library("Signed links are refused by some replicas")
    for node in app.nodes:
        app.gauge("node_timex_offset_seconds", -41.5 if node == "pool-a-3" else 0.0003, instance=f"{node}:9100")
    for pod in app.all("Pod", NS):
        if pod["spec"]["nodeName"] == "pool-a-3":
            app.log(pod["metadata"]["name"], pod["spec"]["containers"][0]["name"], "403 RequestTimeTooSkewed: The difference between the "
                    "request time and the current time is too large.")  # fmt: skip
    return app.settled()
