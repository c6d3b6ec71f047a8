"""Containers that run badly, or do not run: memory, exits, probes, hangs, limits of the process, Jobs and CronJobs.

Written before any look at the analyzers, from how kubelets, kernels, runtimes and language runtimes behave and word
it. The application is a payroll system; almost every scenario has healthy neighbours and a dependant that complains.
"""

from typing import Any

from agent_sre.testing import kubernetes_objects as kube
from tests.scenarios.application import (
    Application,
    application,
    exec_probe,
    grpc_probe,
    http_probe,
    tcp_probe,
)
from tests.scenarios.frozen import Object
from tests.scenarios.sets.registry import scenario

SERVICES = {
    "portal": 3000,
    "timesheets": 8080,
    "payslips": 8090,
    "taxtables": 9000,
    "bankfeed": 50051,
    "approvals": 8081,
    "mailroom": 2525,
}
CALLS = (
    ("portal", "timesheets"),
    ("portal", "payslips"),
    ("portal", "approvals"),
    ("payslips", "taxtables"),
    ("payslips", "bankfeed"),
    ("approvals", "mailroom"),
)


def payroll(description: str = "Payroll portal: elevated errors.", **fields: Any) -> Application:
    return application("payroll", SERVICES, calls=CALLS, description=description, **fields)


def limit(app: Application, name: str, memory: str, place: int = 0) -> None:
    app.configure(name, place, resources={"requests": {"memory": "64Mi"}, "limits": {"memory": memory}})


def sidecar(app: Application, name: str, container: Object) -> None:
    """A second container in every pod of a Deployment."""
    owner = app.get("Deployment", name)
    holders = [owner["spec"]["template"]["spec"]]
    for item in app.all("ReplicaSet"):
        if item["metadata"]["name"].startswith(f"{name}-"):
            holders.append(item["spec"]["template"]["spec"])
    for pod in app.pods(name):
        holders.append(pod["spec"])
        pod["status"]["containerStatuses"].append(
            {**app.status(pod), "name": container["name"], "image": container["image"], "lastState": {}}
        )
    for holder in holders:
        holder["containers"].append(dict(container))


# --------------------------------------------------------------------------------------------------------- memory


@scenario("oom_killed", "Deployment", "taxtables", variants=("events_expired", "sparse", "old_events", "bystanders"))
def oom_one_of_two_pods() -> Application:
    app = payroll()
    limit(app, "taxtables", "192Mi")
    app.crashing(app.pods("taxtables")[0], 137, "OOMKilled", restarts=5, ran_seconds=70)
    app.log(app.pods("payslips")[0]["metadata"]["name"], "payslips",
            "WARN taxtables lookup took 2900 ms", "ERROR Get \"http://taxtables:9000/v1/rates\": EOF")  # fmt: skip
    return app.settled()


@scenario("oom_killed", "Deployment", "payslips")
def oom_in_sidecar_only() -> Application:
    app = payroll("Payslip generation intermittently fails.")
    shipper = kube.container("log-shipper", "registry.test/fluent-bit:3.1", port=2020,
                             resources={"limits": {"memory": "32Mi"}})  # fmt: skip
    sidecar(app, "payslips", shipper)
    for pod in app.pods("payslips"):
        app.crashing(pod, 137, "OOMKilled", container="log-shipper", restarts=9, ran_seconds=45)
    return app.settled()


@scenario("oom_killed", "StatefulSet", "archive")
def oom_running_again_in_stateful_set() -> Application:
    app = payroll("Archive restarts every few minutes.")
    app.stateful("archive", 7000)
    app.configure("archive", kind="StatefulSet", resources={"limits": {"memory": "512Mi"}})
    pod = app.pods("archive-1")[0]
    app.crashing(pod, 137, "OOMKilled", restarts=3, ran_seconds=240, ended_minutes_ago=1, waiting=False)
    app.status(pod)["ready"] = True
    return app.settled()


@scenario("oom_killed", "Deployment", "timesheets")
def oom_child_process_killed_pid1_exit_1() -> Application:
    """The kernel killed a worker in the container's cgroup; the supervisor then ended with 1."""
    app = payroll("Timesheets: 502s.")
    limit(app, "timesheets", "128Mi")
    pod = app.pods("timesheets")[1]
    app.crashing(pod, 1, "Error", restarts=4, ran_seconds=120)
    node = app.get("Node", pod["spec"]["nodeName"])
    uid = pod["metadata"]["uid"]
    app.journal(
        node["metadata"]["name"],
        "kernel",
        "gunicorn invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=984",
        f"oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=cri-containerd-1.scope,mems_allowed=0,"
        f"oom_memcg=/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{uid.replace('-', '_')}.slice,"
        "task=gunicorn,pid=48121,uid=1000",
        "Memory cgroup out of memory: Killed process 48121 (gunicorn) total-vm:611820kB, anon-rss:131004kB",
    )
    app.log(pod["metadata"]["name"], "timesheets", "[2026-04-14 09:28:12 +0000] [7] [INFO] Booting worker with pid: 31",
            "[2026-04-14 09:28:29 +0000] [7] [ERROR] Worker (pid:31) was sent SIGKILL! Perhaps out of memory?",
            "[2026-04-14 09:28:29 +0000] [7] [ERROR] Shutting down: Master", previous=True)  # fmt: skip
    return app.settled()


@scenario("oom_killed", "Deployment", "approvals")
def oom_start_fails_runc() -> Application:
    app = payroll("Approvals down after limits were lowered.")
    limit(app, "approvals", "6Mi")
    app.rollout("approvals", 6)
    pod = app.pods("approvals")[-1]
    app.crashing(pod, 128, "StartError", restarts=5, ran_seconds=0,
                 message="failed to create containerd task: failed to create shim task: OCI runtime create failed: runc "
                 "create failed: unable to start container process: container init was OOM-killed (memory limit too "
                 "low?): unknown")  # fmt: skip
    return app.settled()


def leak(minutes: float) -> float:
    """A sawtooth: grows for 80 minutes, then starts again."""
    return 60e6 + (minutes + 480) % 80 * 2.4e6


@scenario("memory_leak", "Deployment", "approvals")
def leak_over_hours_with_kills() -> Application:
    app = payroll("Approvals restarts again and again.")
    app.hours = 8
    app.step = 60
    limit(app, "approvals", "256Mi")
    for pod in app.pods("approvals"):
        app.gauge("container_memory_working_set_bytes", leak, namespace="payroll", pod=pod["metadata"]["name"],
                  container="approvals", noise=0.005)  # fmt: skip
        app.crashing(pod, 137, "OOMKilled", restarts=6, ran_seconds=4700, ended_minutes_ago=3, waiting=False)
        app.status(pod)["ready"] = True
    for name in ("portal", "payslips", "taxtables"):
        for pod in app.pods(name):
            app.gauge("container_memory_working_set_bytes", 9e7, namespace="payroll", pod=pod["metadata"]["name"],
                      container=name)  # fmt: skip
    return app.settled()


@scenario("memory_leak", "Deployment", "mailroom")
def leak_node_heap_in_log() -> Application:
    app = payroll("Mailroom slow, then restarts.")
    app.hours = 6
    app.step = 60
    limit(app, "mailroom", "512Mi")
    for pod in app.pods("mailroom"):
        app.gauge("container_memory_working_set_bytes", lambda t: 120e6 + (t + 360) * 1.05e6, namespace="payroll",
                  pod=pod["metadata"]["name"], container="mailroom", noise=0.004)  # fmt: skip
        app.crashing(pod, 134, "Error", restarts=1, ran_seconds=21000, ended_minutes_ago=0.6, waiting=False)
        app.log(pod["metadata"]["name"], "mailroom",
                "[1:0x6c5e2a0] 21002132 ms: Mark-Compact (reduce) 494.1 (499.3) -> 493.6 (499.8) MB, 412.7 / 0.0 ms",
                "FATAL ERROR: Ineffective mark-compacts near heap limit Allocation failed - JavaScript heap out of memory",
                previous=True, minutes_ago=0.7)  # fmt: skip
    return app.settled()


@scenario("memory_leak", "StatefulSet", "archive")
def leak_not_yet_killed() -> Application:
    app = payroll("ContainerMemoryNearLimit on archive.")
    app.hours = 12
    app.step = 120
    app.stateful("archive", 7000)
    app.configure("archive", kind="StatefulSet", resources={"limits": {"memory": "1Gi"}})
    for pod in app.pods("archive"):
        app.gauge("container_memory_working_set_bytes", lambda t: 1.9e8 + (t + 720) * 1.1e6, namespace="payroll",
                  pod=pod["metadata"]["name"], container="archive", noise=0.003)  # fmt: skip
        app.gauge("kube_pod_container_resource_limits", 2**30, noise=0, namespace="payroll",
                  pod=pod["metadata"]["name"], container="archive", resource="memory", unit="byte")  # fmt: skip
    for pod in app.pods("portal"):
        app.gauge("container_memory_working_set_bytes", 8e7, namespace="payroll", pod=pod["metadata"]["name"],
                  container="portal")  # fmt: skip
    app.alert("ContainerMemoryNearLimit", "archive uses 93 % of its memory limit", statefulset="archive")
    return app.settled()


# ------------------------------------------------------------------------------------------------------ exits


@scenario("crash_on_start", "Deployment", "bankfeed", variants=("sparse", "old_events"))
def crash_exit_2_after_two_seconds() -> Application:
    app = payroll()
    for pod in app.pods("bankfeed"):
        app.crashing(pod, 2, restarts=11, ran_seconds=2)
        app.log(pod["metadata"]["name"], "bankfeed", "bankfeed 4.1 starting", "opening key store", "giving up",
                previous=True)  # fmt: skip
    app.log(app.pods("payslips")[0]["metadata"]["name"], "payslips",
            'ERROR rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial '
            'tcp 10.96.5.9:50051: connect: connection refused"')  # fmt: skip
    return app.settled()


@scenario(
    "crash_on_start", "Deployment", "timesheets", variants=("events_expired",),
    accept=[("bad_deploy", "Deployment", "timesheets")],
)  # fmt: skip
def crash_new_revision_old_pods_serve() -> Application:
    app = payroll("Rollout of timesheets is stuck.")
    app.get("Deployment", "timesheets")["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.test/ts:9"
    pod = app.rollout("timesheets", 12)[0]
    app.crashing(pod, 139, "Error", restarts=7, ran_seconds=1)
    return app.settled()


@scenario("crash_on_start", "DaemonSet", "agent-edge")
def crash_daemon_set_everywhere() -> Application:
    app = payroll("agent-edge pods crash on every node.")
    app.stateful("agent-edge", 9100, kind="DaemonSet", headless=False)
    for pod in app.pods("agent-edge"):
        app.crashing(pod, 1, restarts=14, ran_seconds=0.6)
        app.log(pod["metadata"]["name"], "agent-edge", "fatal: cannot bind netlink socket", previous=True)
    return app.settled()


@scenario("crash_on_start", "Deployment", "mailroom")
def crash_and_dependant_waits_for_it() -> Application:
    """approvals also crashes, because it waits for mailroom; the answer is mailroom."""
    app = payroll("Approvals and mailroom are both restarting.")
    for pod in app.pods("mailroom"):
        app.crashing(pod, 1, restarts=9, ran_seconds=2)
        app.log(pod["metadata"]["name"], "mailroom", "loading spool index", "spool index is from a newer version, abort",
                previous=True)  # fmt: skip
    for pod in app.pods("approvals"):
        app.crashing(pod, 1, restarts=5, ran_seconds=30)
        app.log(pod["metadata"]["name"], "approvals", "connecting to mailroom:2525",
                "dial tcp: mailroom:2525: connect: connection refused", "dependency not available after 30s, exiting",
                previous=True)  # fmt: skip
    return app.settled()


JAVA = (
    'Exception in thread "main" java.lang.IllegalStateException: ledger entry 88213 has no counter account',
    "\tat com.example.ledger.Posting.close(Posting.java:211)",
    "\tat com.example.ledger.Run.main(Run.java:47)",
)


@scenario("unhandled_exception", "Deployment", "payslips")
def exception_java_after_minutes() -> Application:
    app = payroll()
    for pod in app.pods("payslips"):
        app.crashing(pod, 1, restarts=3, ran_seconds=600, waiting=False, ended_minutes_ago=0.5)
        app.log(pod["metadata"]["name"], "payslips", "INFO run 2026-04 started", *JAVA, previous=True, minutes_ago=0.6)
    return app.settled()


@scenario("unhandled_exception", "Deployment", "taxtables", variants=("old_events", "events_expired"))
def exception_go_panic_exit_2() -> Application:
    app = payroll("5xx on rate lookups")
    pod = app.pods("taxtables")[0]
    app.crashing(pod, 2, restarts=6, ran_seconds=95)
    app.log(pod["metadata"]["name"], "taxtables", "listening on :9000",
            "panic: runtime error: invalid memory address or nil pointer dereference",
            "[signal SIGSEGV: segmentation violation code=0x1 addr=0x18 pc=0x7a2c31]",
            "goroutine 88 [running]:", "main.(*Table).Lookup(0x0, {0xc00012, 0x3})",
            "\t/src/table.go:118 +0x1d", previous=True)  # fmt: skip
    return app.settled()


@scenario("unhandled_exception", "Deployment", "portal")
def exception_node_unhandled_rejection() -> Application:
    app = payroll("Portal flaps.")
    for pod in app.pods("portal"):
        app.crashing(pod, 1, restarts=8, ran_seconds=180)
        app.log(pod["metadata"]["name"], "portal", "server ready on 3000", "/app/routes/slip.js:71",
                "    const total = slip.lines.reduce(add)", "                             ^",
                "TypeError: Cannot read properties of undefined (reading 'reduce')",
                "    at renderSlip (/app/routes/slip.js:71:30)", "    at process.processTicksAndRejections (node:internal)",
                "Node.js v22.4.0", previous=True)  # fmt: skip
    return app.settled()


@scenario("unhandled_exception", "Deployment", "approvals")
def exception_python_with_tail_in_termination_message() -> Application:
    """No log could be had; terminationMessagePolicy FallbackToLogsOnError kept the end of it."""
    app = payroll()
    for pod in app.pods("approvals"):
        app.crashing(pod, 1, restarts=4, ran_seconds=330,
                     message="Traceback (most recent call last):\n  File \"/app/worker.py\", line 88, in <module>\n"
                     "    main()\n  File \"/app/worker.py\", line 61, in main\n    total += rule['weight']\n"
                     "KeyError: 'weight'\n")  # fmt: skip
    return app.settled()


@scenario("unhandled_exception", "Deployment", "payslips")
def exception_jvm_out_of_memory_error_without_kernel() -> Application:
    """The JVM's own OutOfMemoryError: nobody killed the container, it ended with an error of its own."""
    app = payroll()
    for pod in app.pods("payslips"):
        app.crashing(pod, 3, restarts=3, ran_seconds=800)
        app.log(pod["metadata"]["name"], "payslips", "INFO batch 12 of 40",
                "Exception in thread \"batch-1\" java.lang.OutOfMemoryError: Metaspace",
                "\tat java.base/java.lang.ClassLoader.defineClass1(Native Method)",
                "Terminating due to java.lang.OutOfMemoryError: Metaspace", previous=True)  # fmt: skip
    return app.settled()


# ---------------------------------------------------------------------------------------------------- deadlock


@scenario("deadlock", "Deployment", "approvals")
def deadlock_java_thread_dump() -> Application:
    app = payroll("Approvals: requests time out.")
    for pod in app.pods("approvals"):
        app.log(pod["metadata"]["name"], "approvals", "Found one Java-level deadlock:", "=============================",
                '"http-nio-8081-exec-3":', "  waiting to lock monitor 0x00007f1c2c0061a8 (object 0x000000076ab2, a "
                "java.lang.Object),", '  which is held by "http-nio-8081-exec-7"', '"http-nio-8081-exec-7":',
                '  waiting to lock monitor 0x00007f1c2c006258, which is held by "http-nio-8081-exec-3"')  # fmt: skip
        app.counter("container_cpu_usage_seconds_total", lambda t: 0.3 if t < -15 else 0.001, namespace="payroll",
                    pod=pod["metadata"]["name"], container="approvals")  # fmt: skip
        app.unready(pod)
        app.probe_fails(pod, "Readiness", 'Get "http://10.244.1.7:8081/healthz": context deadline exceeded '
                        "(Client.Timeout exceeded while awaiting headers)")  # fmt: skip
    app.configure("approvals", readinessProbe=http_probe(8081))
    app.log(app.pods("portal")[0]["metadata"]["name"], "portal", "upstream approvals timed out after 10000 ms",
            "upstream approvals timed out after 10000 ms")  # fmt: skip
    return app.settled()


@scenario("deadlock", "Deployment", "timesheets")
def deadlock_go_all_goroutines_asleep() -> Application:
    app = payroll()
    pod = app.pods("timesheets")[0]
    app.crashing(pod, 2, restarts=5, ran_seconds=400)
    app.log(pod["metadata"]["name"], "timesheets", "week 15 recalculation",
            "fatal error: all goroutines are asleep - deadlock!", "goroutine 1 [semacquire]:",
            "sync.runtime_Semacquire(0xc0000b4010)", previous=True)  # fmt: skip
    return app.settled()


@scenario("deadlock", "Deployment", "payslips", variants=("events_expired", "old_events"))
def deadlock_liveness_kills_hanging_pods() -> Application:
    """Probes are as they were for a year; the process answers nothing and uses no CPU until it is killed."""
    app = payroll("Payslips: requests hang until the pods are restarted.")
    app.configure(
        "payslips", livenessProbe=http_probe(8090, timeoutSeconds=5, initialDelaySeconds=30, failureThreshold=5)
    )
    for pod in app.pods("payslips"):
        name = pod["metadata"]["name"]
        app.crashing(pod, 143, "Error", restarts=2, ran_seconds=2400, waiting=False, ended_minutes_ago=3)
        app.status(pod)["ready"] = True
        app.probe_fails(pod, "Liveness", 'Get "http://10.244.1.8:8090/healthz": context deadline exceeded '
                        "(Client.Timeout exceeded while awaiting headers)", count=5, minutes_ago=4)  # fmt: skip
        app.killed(pod, count=1)
        app.log(name, "payslips", "INFO worker-4 acquiring lock period:2026-04 held by worker-9",
                "INFO worker-9 acquiring lock ledger:main held by worker-4",
                "WARN watchdog: worker-4 and worker-9 blocked for 120 s, possible deadlock",
                "WARN watchdog: no request completed in the last 300 s", previous=True, minutes_ago=9)  # fmt: skip
        app.counter("container_cpu_usage_seconds_total", lambda t: 0.35 if t < -20 or t > -3 else 0.002,
                    namespace="payroll", pod=name, container="payslips")  # fmt: skip
    return app.settled()


# ------------------------------------------------------------------------------------------------------ probes


@scenario("liveness_probe_incorrect_protocol", "Deployment", "bankfeed", variants=("sparse", "events_expired"))
def liveness_http_on_grpc_port() -> Application:
    app = payroll()
    app.configure("bankfeed", livenessProbe=http_probe(50051), readinessProbe=grpc_probe(50051))
    for pod in app.pods("bankfeed"):
        app.probe_fails(pod, "Liveness",
                        'Get "http://10.244.1.12:50051/healthz": net/http: HTTP/1.x transport connection broken: '
                        'malformed HTTP response "\\x00\\x00\\x06\\x04\\x00\\x00\\x00\\x00\\x00\\x00\\x05\\x00\\x00@\\x00"')  # fmt: skip
        app.killed(pod)
        app.crashing(pod, 137, "Error", restarts=7, ran_seconds=31)
    return app.settled()


@scenario("liveness_probe_incorrect_protocol", "Deployment", "portal")
def liveness_https_on_http_port() -> Application:
    app = payroll()
    probe = http_probe("web", "/alive")
    probe["httpGet"]["scheme"] = "HTTPS"
    app.configure("portal", livenessProbe=probe, ports=[{"name": "web", "containerPort": 3000}])
    for pod in app.pods("portal"):
        app.probe_fails(pod, "Liveness", 'Get "https://10.244.0.4:3000/alive": http: server gave HTTP response to '
                        "HTTPS client")  # fmt: skip
        app.killed(pod)
        app.crashing(pod, 143, "Error", restarts=4, ran_seconds=30, waiting=False)
        app.status(pod)["ready"] = True
    return app.settled()


@scenario("liveness_probe_incorrect_protocol", "Deployment", "timesheets")
def liveness_http_on_https_server() -> Application:
    app = payroll()
    app.configure("timesheets", livenessProbe=http_probe(8080), readinessProbe=tcp_probe(8080))
    for pod in app.pods("timesheets"):
        app.probe_fails(pod, "Liveness", "HTTP probe failed with statuscode: 400")
        app.killed(pod)
        app.crashing(pod, 0, "Completed", restarts=5, ran_seconds=30)
        app.log(pod["metadata"]["name"], "timesheets", "serving TLS on :8080",
                "http: TLS handshake error from 192.168.4.11:51122: client sent an HTTP request to an HTTPS server",
                "http: TLS handshake error from 192.168.4.11:51180: client sent an HTTP request to an HTTPS server",
                previous=True)  # fmt: skip
    return app.settled()


@scenario("liveness_probe_incorrect_protocol", "StatefulSet", "archive")
def liveness_grpc_on_http_server() -> Application:
    app = payroll("archive restarts")
    app.stateful("archive", 7000)
    app.configure("archive", kind="StatefulSet", livenessProbe=grpc_probe(7000), readinessProbe=http_probe(7000, "/up"))
    for pod in app.pods("archive"):
        app.probe_fails(pod, "Liveness", 'error: this server does not implement the grpc health protocol '
                        '(grpc.health.v1.Health): unexpected HTTP status code received from server: 404 (Not Found); '
                        'transport: received unexpected content-type "text/plain; charset=utf-8"')  # fmt: skip
        app.killed(pod)
        app.crashing(pod, 143, "Error", restarts=3, ran_seconds=40)
    return app.settled()


@scenario("liveness_probe_incorrect_port", "Deployment", "approvals", variants=("sparse", "old_events"))
def liveness_port_not_served() -> Application:
    app = payroll()
    app.configure("approvals", livenessProbe=http_probe(8181), readinessProbe=http_probe(8081))
    for pod in app.pods("approvals"):
        app.probe_fails(pod, "Liveness", 'Get "http://10.244.2.8:8181/healthz": dial tcp 10.244.2.8:8181: connect: '
                        "connection refused")  # fmt: skip
        app.killed(pod)
        app.crashing(pod, 143, "Error", restarts=6, ran_seconds=30)
    return app.settled()


@scenario("liveness_probe_incorrect_port", "Deployment", "taxtables")
def liveness_wrong_port_new_revision_only() -> Application:
    app = payroll("taxtables rollout does not finish")
    app.configure("taxtables", livenessProbe=tcp_probe(9000))
    first = app.get("Deployment", "taxtables")["spec"]["template"]["spec"]["containers"][0]
    first["livenessProbe"] = tcp_probe(9009)
    pod = app.rollout("taxtables", 7)[0]
    app.probe_fails(pod, "Liveness", "dial tcp 10.244.2.3:9009: connect: connection refused", since=6)
    app.killed(pod)
    app.crashing(pod, 137, "Error", restarts=3, ran_seconds=30)
    return app.settled()


@scenario("liveness_probe_incorrect_port", "Deployment", "payslips")
def liveness_port_of_a_port_name_that_is_the_debug_port() -> Application:
    """The named port exists in the spec, but nobody listens there: debugging is off."""
    app = payroll("payslips restarts every 30 s")
    ports = [{"name": "http", "containerPort": 8090}, {"name": "debug", "containerPort": 5005}]
    app.configure("payslips", ports=ports, livenessProbe=tcp_probe("debug"), readinessProbe=http_probe("http"))
    for pod in app.pods("payslips"):
        app.probe_fails(pod, "Liveness", "dial tcp 10.244.2.9:5005: connect: connection refused")
        app.killed(pod)
        app.crashing(pod, 143, "Error", restarts=8, ran_seconds=30, waiting=False)
        app.log(pod["metadata"]["name"], "payslips", "Tomcat started on port 8090 (http) with context path ''",
                "Started Payslips in 4.1 seconds", previous=True)  # fmt: skip
    return app.settled()


@scenario("liveness_probe_incorrect_port", "Deployment", "bankfeed")
def liveness_exec_health_probe_at_wrong_port() -> Application:
    app = payroll()
    app.configure("bankfeed", livenessProbe=exec_probe("/bin/grpc_health_probe", "-addr=:50052"),
                  readinessProbe=exec_probe("/bin/grpc_health_probe", "-addr=:50051"))  # fmt: skip
    for pod in app.pods("bankfeed"):
        app.probe_fails(pod, "Liveness", 'timeout: failed to connect service ":50052" within 1s')
        app.killed(pod)
        app.crashing(pod, 137, "Error", restarts=6, ran_seconds=40)
    return app.settled()


@scenario("liveness_probe_incorrect_timing", "Deployment", "payslips", variants=("sparse", "old_events"))
def liveness_before_slow_start_is_over() -> Application:
    app = payroll()
    probe = http_probe(8090, initialDelaySeconds=3, periodSeconds=2, failureThreshold=2)
    app.configure("payslips", livenessProbe=probe, readinessProbe=http_probe(8090, initialDelaySeconds=40))
    for pod in app.pods("payslips"):
        app.probe_fails(pod, "Liveness", 'Get "http://10.244.1.9:8090/healthz": dial tcp 10.244.1.9:8090: connect: '
                        "connection refused")  # fmt: skip
        app.killed(pod)
        app.crashing(pod, 143, "Error", restarts=9, ran_seconds=8)
        app.log(pod["metadata"]["name"], "payslips", "Starting Payslips v2.9 using Java 21", "Loading 4,211 pay rules",
                "Loading tax years", previous=True)  # fmt: skip
    return app.settled()


@scenario("liveness_probe_incorrect_timing", "Deployment", "timesheets")
def liveness_timeout_one_second_slow_handler() -> Application:
    app = payroll()
    app.configure("timesheets", livenessProbe=http_probe(8080, "/health/deep", timeoutSeconds=1, failureThreshold=1))
    for pod in app.pods("timesheets"):
        app.probe_fails(pod, "Liveness", 'Get "http://10.244.0.5:8080/health/deep": context deadline exceeded '
                        "(Client.Timeout exceeded while awaiting headers)")  # fmt: skip
        app.killed(pod)
        app.crashing(pod, 143, "Error", restarts=6, ran_seconds=90, waiting=False)
        app.status(pod)["ready"] = True
        app.log(pod["metadata"]["name"], "timesheets", "GET /health/deep 200 1240ms", "GET /api/weeks 200 35ms",
                "GET /health/deep 200 1315ms", "GET /api/weeks 200 41ms", previous=True)  # fmt: skip
    return app.settled()


@scenario("liveness_probe_incorrect_timing", "Deployment", "approvals")
def liveness_exec_times_out() -> Application:
    app = payroll()
    probe = exec_probe("python", "/app/check.py", timeoutSeconds=1, periodSeconds=5, failureThreshold=2)
    app.configure("approvals", livenessProbe=probe)
    for pod in app.pods("approvals"):
        app.probe_fails(pod, "Liveness", 'command timed out: "python /app/check.py" timed out after 1s')
        app.killed(pod)
        app.crashing(pod, 137, "Error", restarts=5, ran_seconds=60, waiting=False)
    return app.settled()


@scenario("readiness_probe_incorrect_protocol", "Deployment", "bankfeed", variants=("sparse", "old_events"))
def readiness_http_on_grpc_port() -> Application:
    app = payroll()
    app.configure("bankfeed", readinessProbe=http_probe(50051, "/ready"), livenessProbe=tcp_probe(50051))
    for pod in app.pods("bankfeed"):
        app.unready(pod)
        app.probe_fails(pod, "Readiness", 'Get "http://10.244.1.12:50051/ready": net/http: HTTP/1.x transport connection '
                        'broken: malformed HTTP response "\\x00\\x00\\x06\\x04"')  # fmt: skip
    return app.settled()


@scenario("readiness_probe_incorrect_protocol", "Deployment", "timesheets")
def readiness_https_on_plain_port_in_rollout() -> Application:
    app = payroll("Rollout of timesheets stuck")
    app.configure("timesheets", readinessProbe=http_probe(8080))
    first = app.template("timesheets")
    first["readinessProbe"] = {**http_probe(8080), "httpGet": {"path": "/healthz", "port": 8080, "scheme": "HTTPS"}}
    pod = app.unready(app.rollout("timesheets", 8)[0])
    app.probe_fails(pod, "Readiness", 'Get "https://10.244.1.3:8080/healthz": http: server gave HTTP response to HTTPS '
                    "client")  # fmt: skip
    return app.settled()


@scenario("readiness_probe_incorrect_protocol", "Deployment", "portal")
def readiness_grpc_on_http_server() -> Application:
    app = payroll("Portal has no endpoints")
    app.configure("portal", readinessProbe=grpc_probe(3000), livenessProbe=http_probe(3000, "/"))
    for pod in app.pods("portal"):
        app.unready(pod)
        app.probe_fails(pod, "Readiness", 'timeout: failed to connect service "10.244.1.4:3000" within 1s: context '
                        "deadline exceeded")  # fmt: skip
    return app.settled()


@scenario("readiness_probe_incorrect_port", "Deployment", "taxtables", variants=("sparse", "events_expired"))
def readiness_port_not_served() -> Application:
    app = payroll()
    app.configure("taxtables", readinessProbe=http_probe(9090, "/ready"), livenessProbe=http_probe(9000, "/live"))
    for pod in app.pods("taxtables"):
        app.unready(pod)
        app.probe_fails(pod, "Readiness", 'Get "http://10.244.0.7:9090/ready": dial tcp 10.244.0.7:9090: connect: '
                        "connection refused")  # fmt: skip
    return app.settled()


@scenario("readiness_probe_incorrect_port", "Deployment", "approvals")
def readiness_port_of_the_sidecar() -> Application:
    """The sidecar serves metrics on 9102; the main container's probe asks there and gets a 404."""
    app = payroll()
    app.configure("approvals", readinessProbe=http_probe(9102, "/ready"), livenessProbe=http_probe(8081, "/live"))
    sidecar(app, "approvals", kube.container("exporter", "registry.test/statsd-exporter:0.27", port=9102))
    for pod in app.pods("approvals"):
        app.unready(pod)
        app.probe_fails(pod, "Readiness", "HTTP probe failed with statuscode: 404")
    return app.settled()


@scenario("readiness_probe_incorrect_port", "StatefulSet", "archive")
def readiness_named_port_does_not_exist() -> Application:
    app = payroll("archive-0 never becomes ready")
    app.stateful("archive", 7000, replicas=1)
    app.configure("archive", kind="StatefulSet", ports=[{"name": "blob", "containerPort": 7000}],
                  readinessProbe=tcp_probe("http"))  # fmt: skip
    pod = app.unready(app.pods("archive")[0])
    app.probe_fails(pod, "Readiness", "couldn't find port: http")
    app.event(pod, "Unhealthy", 'Readiness probe errored: strconv.Atoi: parsing "http": invalid syntax', count=30)
    return app.settled()


@scenario("startup_probe_too_short", "Deployment", "payslips", variants=("sparse", "old_events"))
def startup_probe_kills_slow_jvm() -> Application:
    app = payroll()
    app.configure("payslips", startupProbe=http_probe(8090, periodSeconds=3, failureThreshold=5),
                  livenessProbe=http_probe(8090))  # fmt: skip
    for pod in app.pods("payslips"):
        app.probe_fails(pod, "Startup", 'Get "http://10.244.1.9:8090/healthz": dial tcp 10.244.1.9:8090: connect: '
                        "connection refused")  # fmt: skip
        app.killed(pod, "startup")
        app.crashing(pod, 143, "Error", restarts=8, ran_seconds=16)
        app.log(pod["metadata"]["name"], "payslips", "Starting Payslips v3", "Hikari pool starting",
                "Building search index, this can take a minute", previous=True)  # fmt: skip
    return app.settled()


@scenario("startup_probe_too_short", "StatefulSet", "archive")
def startup_probe_exec_replay() -> Application:
    app = payroll("archive-2 does not come up after a node upgrade")
    app.stateful("archive", 7000)
    app.configure("archive", kind="StatefulSet",
                  startupProbe=exec_probe("archivectl", "ping", periodSeconds=10, failureThreshold=6))  # fmt: skip
    pod = app.pods("archive-2")[0]
    app.probe_fails(pod, "Startup", "replaying journal: 34 % done, not accepting connections")
    app.killed(pod, "startup")
    app.crashing(pod, 137, "Error", restarts=12, ran_seconds=61)
    app.log(pod["metadata"]["name"], "archive", "replaying journal segment 1200/3500", "replaying journal segment 1210/3500",
            previous=True)  # fmt: skip
    return app.settled()


@scenario("startup_probe_too_short", "Deployment", "taxtables")
def startup_probe_events_gone_only_spec_and_exit() -> Application:
    app = payroll("taxtables: CrashLoopBackOff")
    app.configure("taxtables", startupProbe=tcp_probe(9000, periodSeconds=1, failureThreshold=3))
    for pod in app.pods("taxtables"):
        app.crashing(pod, 143, "Error", restarts=20, ran_seconds=4)
        app.log(pod["metadata"]["name"], "taxtables", "loading 27 jurisdictions", "loaded 3 of 27",
                "SIGTERM received, shutting down", previous=True)  # fmt: skip
        app.killed(pod, "startup", count=20)
    return app.settled()


# ----------------------------------------------------------------------------------------------------- ports


@scenario("service_sidecar_port_conflict", "Deployment", "approvals", variants=("events_expired",))
def port_conflict_metrics_sidecar() -> Application:
    app = payroll()
    sidecar(app, "approvals", kube.container("exporter", "registry.test/exporter:1", port=8081))
    for pod in app.pods("approvals"):
        app.crashing(pod, 1, container="exporter", restarts=9, ran_seconds=1)
        app.log(pod["metadata"]["name"], "exporter", "starting exporter",
                "listen tcp :8081: bind: address already in use", previous=True)  # fmt: skip
    return app.settled()


@scenario("service_sidecar_port_conflict", "Deployment", "bankfeed")
def port_conflict_with_mesh_proxy() -> Application:
    app = payroll()
    app.configure("bankfeed", ports=[{"containerPort": 15001}, {"containerPort": 50051}])
    sidecar(app, "bankfeed", kube.container("istio-proxy", "docker.io/istio/proxyv2:1.24.1", port=15090))
    for pod in app.pods("bankfeed"):
        app.crashing(pod, 1, container="bankfeed", restarts=5, ran_seconds=2)
        app.log(pod["metadata"]["name"], "bankfeed", "Error: listen EADDRINUSE: address already in use 0.0.0.0:15001",
                "    at Server.setupListenHandle [as _listen2] (node:net:1817:16)", previous=True)  # fmt: skip
    return app.settled()


@scenario("service_sidecar_port_conflict", "Deployment", "portal")
def port_conflict_main_loses_after_rollout() -> Application:
    app = payroll("portal rollout broken")
    owner = app.get("Deployment", "portal")
    owner["spec"]["template"]["spec"]["containers"].append(
        kube.container("auth-proxy", "registry.test/auth-proxy:6", port=3000)
    )
    pod = app.rollout("portal", 9)[0]
    app.crashing(pod, 98, container="portal", restarts=6, ran_seconds=2)
    app.log(pod["metadata"]["name"], "portal", "[Errno 98] Address already in use: ('0.0.0.0', 3000)", previous=True)
    app.log(pod["metadata"]["name"], "auth-proxy", "listening on 0.0.0.0:3000, forwarding to 127.0.0.1:3000")
    return app.settled()


@scenario("service_sidecar_port_conflict", "Deployment", "mailroom")
def port_conflict_told_only_by_log_and_args() -> Application:
    app = payroll()
    app.configure("mailroom", args=["--listen=:2525", "--admin=:9901"])
    sidecar(app, "mailroom", kube.container("envoy", "docker.io/envoyproxy/envoy:v1.31.0", port=10000,
                                            args=["-c", "/etc/envoy.yaml"]))  # fmt: skip
    for pod in app.pods("mailroom"):
        app.crashing(pod, 1, container="envoy", restarts=5, ran_seconds=1)
        app.log(pod["metadata"]["name"], "envoy",
                "[critical][main] error initializing configuration '/etc/envoy.yaml': cannot bind '0.0.0.0:9901': Address "
                "already in use", previous=True)  # fmt: skip
    return app.settled()


# ------------------------------------------------------------------------------------------------- zero replicas


def scaled_to_zero(app: Application, name: str) -> None:
    assert app.objects is not None
    for pod in app.pods(name):
        app.objects.remove(pod)
    app.get("Deployment", name)["spec"]["replicas"] = 0
    for item in app.all("ReplicaSet"):
        if item["metadata"]["name"].startswith(f"{name}-"):
            item["spec"]["replicas"] = 0


@scenario(
    "deployment_zero_replicas",
    "Deployment",
    "taxtables",
    variants=("sparse", "events_expired"),
)
def zero_replicas_of_a_callee() -> Application:
    app = payroll()
    scaled_to_zero(app, "taxtables")
    app.log(app.pods("payslips")[0]["metadata"]["name"], "payslips",
            "ERROR Post \"http://taxtables:9000/v1/rates\": dial tcp 10.96.8.2:9000: connect: connection refused")  # fmt: skip
    rs = next(x for x in app.all("ReplicaSet") if x["metadata"]["name"].startswith("taxtables-"))
    app.event(app.get("Deployment", "taxtables"), "ScalingReplicaSet", f"Scaled down replica set "
              f"{rs['metadata']['name']} from 2 to 0", kind="Normal", component="deployment-controller", minutes_ago=12)  # fmt: skip
    return app.settled()


@scenario("deployment_zero_replicas", "StatefulSet", "archive")
def zero_replicas_stateful_set() -> Application:
    app = payroll("Payslip download fails")
    app.stateful("archive", 7000, replicas=0)
    app.calls(("payslips", "archive"))
    app.env("payslips", ARCHIVE_URL="http://archive:7000")
    app.log(app.pods("payslips")[0]["metadata"]["name"], "payslips",
            "ERROR lookup archive on 10.96.0.10:53: no such host", "ERROR cannot store payslip 812")  # fmt: skip
    return app.settled()


@scenario("deployment_zero_replicas", "Deployment", "bankfeed")
def zero_replicas_with_hpa_that_is_disabled() -> Application:
    """An HPA does not touch a target with 0 replicas: ScalingDisabled."""
    app = payroll()
    scaled_to_zero(app, "bankfeed")
    app.add({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": kube.metadata("HorizontalPodAutoscaler", "bankfeed", "payroll"),
        "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "bankfeed"},
                 "minReplicas": 2, "maxReplicas": 8},
        "status": {"currentReplicas": 0, "desiredReplicas": 0, "conditions": [
            {"type": "AbleToScale", "status": "True", "reason": "SucceededGetScale"},
            {"type": "ScalingActive", "status": "False", "reason": "ScalingDisabled",
             "message": "scaling is disabled since the replica count of the target is zero"}]},
    })  # fmt: skip
    return app.settled()


@scenario("deployment_zero_replicas", "Deployment", "mailroom")
def zero_replicas_beside_one_that_is_meant_to_be_off() -> Application:
    """payslips-v1 was retired: no Service selects it. mailroom is called."""
    app = payroll("Approval mails are not sent")
    app.deploy("payslips-v1", 8090, service=False)
    scaled_to_zero(app, "payslips-v1")
    scaled_to_zero(app, "mailroom")
    app.log(app.pods("approvals")[0]["metadata"]["name"], "approvals",
            "WARN smtp connect mailroom:2525: connection refused, will retry")  # fmt: skip
    return app.settled()


# ------------------------------------------------------------------------------------------------------- config


@scenario("config_invalid", "Deployment", "mailroom", variants=("events_expired",))
def config_yaml_parse_error_after_change() -> Application:
    app = payroll()
    app.add(kube.config_map("mailroom-config", "payroll", **{"mailroom.yaml": "relay:\n  host: smtp\n port: 25\n"}))
    app.change("config", "mailroom", "Edit mailroom-config: relay port", minutes_ago=14)
    for pod in app.pods("mailroom"):
        app.crashing(pod, 1, restarts=6, ran_seconds=1)
        app.log(pod["metadata"]["name"], "mailroom",
                "fatal: cannot parse /etc/mailroom/mailroom.yaml: yaml: line 3: did not find expected key", previous=True)  # fmt: skip
    return app.settled()


@scenario("config_invalid", "Deployment", "portal")
def config_nginx_emerg() -> Application:
    app = payroll("portal pods crash after config edit")
    pod = app.pods("portal")[0]
    app.crashing(pod, 1, restarts=4, ran_seconds=1)
    app.log(pod["metadata"]["name"], "portal", "/docker-entrypoint.sh: Configuration complete; ready for start up",
            'nginx: [emerg] unknown directive "proxy_pas" in /etc/nginx/conf.d/portal.conf:14', previous=True)  # fmt: skip
    return app.settled()


@scenario("config_invalid", "Deployment", "timesheets")
def config_missing_environment_variable() -> Application:
    app = payroll()
    app.env("timesheets", WEEK_START="monday")
    for pod in app.pods("timesheets"):
        app.crashing(pod, 78, restarts=8, ran_seconds=1)
        app.log(pod["metadata"]["name"], "timesheets", "timesheets 2.11",
                "configuration error: required environment variable ROUNDING_MODE is not set", previous=True)  # fmt: skip
    return app.settled()


@scenario("config_invalid", "Deployment", "payslips")
def config_spring_property_binding() -> Application:
    app = payroll()
    app.env("payslips", PAYSLIPS_BATCH_SIZE="ten")
    for pod in app.pods("payslips"):
        app.crashing(pod, 1, restarts=5, ran_seconds=9)
        app.log(pod["metadata"]["name"], "payslips", "***************************", "APPLICATION FAILED TO START",
                "***************************", "Description:",
                "Failed to bind properties under 'payslips.batch-size' to int:", '    Property: payslips.batch-size',
                '    Value: "ten"', "    Reason: failed to convert java.lang.String to int", previous=True)  # fmt: skip
    return app.settled()


# --------------------------------------------------------------------------------------------- process limits


@scenario("file_descriptors_exhausted", "Deployment", "timesheets")
def descriptors_accept_fails() -> Application:
    app = payroll("timesheets refuses connections")
    for pod in app.pods("timesheets"):
        app.log(pod["metadata"]["name"], "timesheets",
                *["http: Accept error: accept tcp [::]:8080: accept4: too many open files; retrying in 1s"] * 12,
                every_seconds=5)  # fmt: skip
    return app.settled()


@scenario("file_descriptors_exhausted", "Deployment", "payslips")
def descriptors_metric_and_java_log() -> Application:
    app = payroll("payslips errors")
    for pod in app.pods("payslips"):
        name = pod["metadata"]["name"]
        app.gauge("process_open_fds", lambda t: min(1024, 420 + (t + 60) * 12), noise=0, namespace="payroll", pod=name)
        app.gauge("process_max_fds", 1024, noise=0, namespace="payroll", pod=name)
        app.log(name, "payslips", "ERROR java.io.IOException: Too many open files", "\tat sun.nio.ch.Net.accept(Native)",
                "ERROR java.net.SocketException: Too many open files (Socket creation failed)", minutes_ago=8)  # fmt: skip
    app.log(app.pods("portal")[0]["metadata"]["name"], "portal", "GET /slips/91 502 upstream payslips reset connection")
    return app.settled()


@scenario("file_descriptors_exhausted", "Deployment", "mailroom")
def descriptors_crash_with_dns_error() -> Application:
    """Out of descriptors, even lookups fail; DNS is not the cause."""
    app = payroll("mailroom restarts")
    for pod in app.pods("mailroom"):
        app.crashing(pod, 1, restarts=2, ran_seconds=3000, waiting=False)
        app.log(pod["metadata"]["name"], "mailroom", "lookup smtp.relay.test: dial udp 10.96.0.10:53: socket: too many open files",
                "open /var/spool/mail/8812.eml: too many open files", "OSError: [Errno 24] Too many open files",
                previous=True)  # fmt: skip
    return app.settled()


@scenario("thread_pool_exhausted", "Deployment", "approvals")
def threads_rejected_execution() -> Application:
    app = payroll("approvals: 503")
    for pod in app.pods("approvals"):
        app.log(pod["metadata"]["name"], "approvals",
                *["ERROR java.util.concurrent.RejectedExecutionException: Task rejected from "
                  "java.util.concurrent.ThreadPoolExecutor@3d1f[Running, pool size = 50, active threads = 50, queued tasks "
                  "= 1000, completed tasks = 81234]"] * 9, every_seconds=4)  # fmt: skip
    return app.settled()


@scenario("thread_pool_exhausted", "Deployment", "payslips")
def threads_tomcat_metrics() -> Application:
    app = payroll("payslips slow")
    for pod in app.pods("payslips"):
        name = pod["metadata"]["name"]
        app.gauge(
            "tomcat_threads_busy_threads", lambda t: 35 if t < -15 else 200, noise=0, namespace="payroll", pod=name
        )
        app.gauge("tomcat_threads_config_max_threads", 200, noise=0, namespace="payroll", pod=name)
        app.counter("container_cpu_usage_seconds_total", 0.2, namespace="payroll", pod=name, container="payslips")
    app.log(app.pods("portal")[0]["metadata"]["name"], "portal", "GET /slips timed out after 5000 ms calling payslips")
    return app.settled()


@scenario("thread_pool_exhausted", "Deployment", "timesheets")
def threads_workers_all_busy_log() -> Application:
    app = payroll()
    for pod in app.pods("timesheets"):
        app.log(pod["metadata"]["name"], "timesheets",
                "server reached pm.max_children setting (40), consider raising it",
                "[pool www] seems busy (you may need to increase pm.start_servers), spawning 32 children, there are 0 idle, "
                "and 40 total children", "uwsgi: *** uWSGI listen queue of socket full !!! (101/100) ***")  # fmt: skip
    return app.settled()


# ---------------------------------------------------------------------------------------------------- batch


def job(app: Application, name: str, *, owner: Object | None = None, **fields: Any) -> Object:
    """A Job, as yet without a status."""
    template = kube.pod_template(
        name, [kube.container("main", f"registry.test/{name.split('-', maxsplit=1)[0]}:1")], restartPolicy="Never"
    )
    template["metadata"]["labels"] = {"job-name": name}
    made: Object = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": kube.metadata("Job", name, app.namespace, owner=owner, created=app.stamp(40)),
        "spec": {"backoffLimit": 6, "completions": 1, "parallelism": 1, "template": template, **fields},
        "status": {"startTime": app.stamp(40)},
    }
    app.add(made)
    return made


def failed(app: Application, made: Object, reason: str, message: str, count: int, minutes_ago: float = 4) -> None:
    made["status"] |= {
        "failed": count,
        "conditions": [
            {"type": "Failed", "status": "True", "reason": reason, "message": message,
             "lastTransitionTime": app.stamp(minutes_ago)}],
    }  # fmt: skip
    app.event(made, reason, message, component="job-controller", minutes_ago=minutes_ago)


def job_pod(app: Application, made: Object, exit_code: int, minutes_ago: float) -> Object:
    name = f"{made['metadata']['name']}-{app.hash(5)}"
    pod = app.pod(made, name, app.stamp(minutes_ago + 2))
    pod["status"]["phase"] = "Failed"
    app.status(pod).update(
        ready=False,
        state={"terminated": {"exitCode": exit_code, "reason": "Error", "startedAt": app.stamp(minutes_ago + 1),
                              "finishedAt": app.stamp(minutes_ago)}},
    )  # fmt: skip
    return pod


def cron_job(app: Application, name: str, schedule: str, last_minutes_ago: float, **spec: Any) -> Object:
    """A CronJob that last started so many minutes ago."""
    template = {"spec": {"template": kube.pod_template(name, [kube.container("main", f"registry.test/{name}:3")])}}
    made: Object = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": kube.metadata("CronJob", name, app.namespace),
        "spec": {"schedule": schedule, "suspend": False, "concurrencyPolicy": "Allow", "jobTemplate": template, **spec},
        "status": {
            "lastScheduleTime": app.stamp(last_minutes_ago),
            "lastSuccessfulTime": app.stamp(last_minutes_ago - 1),
        },
    }
    app.add(made)
    return made


@scenario("job_failed", "Job", "year-close", variants=("events_expired", "sparse"))
def job_backoff_limit() -> Application:
    app = payroll("Year close did not finish")
    made = job(app, "year-close", backoffLimit=2)
    failed(app, made, "BackoffLimitExceeded", "Job has reached the specified backoff limit", 3)
    for ago in (30, 20, 5):
        pod = job_pod(app, made, 1, ago)
        app.log(
            pod["metadata"]["name"],
            "main",
            "closing 2025",
            "3 employees without cost centre, aborting",
            minutes_ago=ago,
        )
    return app.settled()


@scenario("job_failed", "Job", "reindex-7")
def job_active_deadline() -> Application:
    app = payroll("KubeJobFailed")
    made = job(app, "reindex-7", activeDeadlineSeconds=1800)
    failed(app, made, "DeadlineExceeded", "Job was active longer than specified deadline", 1)
    app.alert("KubeJobFailed", "Job payroll/reindex-7 failed to complete", job_name="reindex-7")
    return app.settled()


@scenario("job_failed", "CronJob", "bank-export", accept=[("job_failed", "Job", "bank-export-29602800")])
def job_of_a_cron_job_fails() -> Application:
    app = payroll("Bank export missing")
    cron = cron_job(app, "bank-export", "*/30 * * * *", 30)
    made = job(app, "bank-export-29602800", owner=cron, backoffLimit=0)
    failed(app, made, "BackoffLimitExceeded", "Job has reached the specified backoff limit", 1, 25)
    pod = job_pod(app, made, 1, 26)
    app.log(pod["metadata"]["name"], "main", "export format v4 is not known to the bank", minutes_ago=26)
    return app.settled()


@scenario("job_failed", "Job", "import-rates")
def job_pod_failure_policy() -> Application:
    app = payroll("Tax rates are old")
    made = job(app, "import-rates", podFailurePolicy={"rules": [{"action": "FailJob", "onExitCodes": {
        "containerName": "main", "operator": "In", "values": [42]}}]})  # fmt: skip
    failed(app, made, "PodFailurePolicy", "Container main for pod payroll/import-rates-x2 failed with exit code 42 matching "
           "FailJob rule at index 0", 1)  # fmt: skip
    job_pod(app, made, 42, 5)
    return app.settled()


@scenario("cronjob_missed", "CronJob", "night-sync", variants=("sparse", "events_expired"))
def cron_suspended() -> Application:
    app = payroll("Nightly sync did not run")
    cron_job(app, "night-sync", "0 2 * * *", 60 * 24 * 3, suspend=True)
    return app.settled()


@scenario("cronjob_missed", "CronJob", "bank-export")
def cron_forbid_with_stuck_job() -> Application:
    app = payroll("Bank export is hours old")
    cron = cron_job(app, "bank-export", "*/10 * * * *", 185, concurrencyPolicy="Forbid")
    made = job(app, "bank-export-29602615", owner=cron)
    made["metadata"]["creationTimestamp"] = made["status"]["startTime"] = app.stamp(185)
    made["status"]["active"] = 1
    cron["status"]["active"] = [{"kind": "Job", "name": made["metadata"]["name"], "namespace": "payroll"}]
    app.pod(made, "bank-export-29602615-k2x9p", app.stamp(185))
    app.event(cron, "JobAlreadyActive", "Not starting job because prior execution is running and concurrency policy is "
              "Forbid", kind="Normal", component="cronjob-controller", count=18)  # fmt: skip
    return app.settled()


@scenario("cronjob_missed", "CronJob", "hour-lock")
def cron_starting_deadline_missed() -> Application:
    app = payroll("Timesheets were not locked")
    cron = cron_job(app, "hour-lock", "0 * * * *", 150, startingDeadlineSeconds=10)
    app.event(cron, "MissSchedule", "Missed scheduled time to start a job: Tue, 14 Apr 2026 09:00:00 +0000",
              component="cronjob-controller", minutes_ago=29)  # fmt: skip
    return app.settled()


@scenario("cronjob_missed", "CronJob", "ledger-close")
def cron_too_many_missed() -> Application:
    app = payroll("ledger-close has not run since the outage")
    cron = cron_job(app, "ledger-close", "* * * * *", 400)
    app.event(cron, "TooManyMissedTimes", "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or "
              "check clock skew", component="cronjob-controller", count=40)  # fmt: skip
    return app.settled()


# -------------------------------------------------------------------------------------------------- nothing wrong


@scenario(None, no_cause=True)
def nothing_old_restarts_and_probe_warnings_at_start() -> Application:
    app = payroll("Latency alert, already back to normal.")
    pod = app.pods("payslips")[0]
    app.crashing(pod, 137, "OOMKilled", restarts=2, ran_seconds=86400, ended_minutes_ago=60 * 24 * 6, waiting=False)
    app.status(pod).update(ready=True, started=True)
    app.configure("timesheets", readinessProbe=http_probe(8080))
    for pod in app.pods("timesheets"):
        app.probe_fails(pod, "Readiness", 'Get "http://10.244.1.9:8080/healthz": dial tcp 10.244.1.9:8080: connect: '
                        "connection refused", count=2, minutes_ago=50, since=51)  # fmt: skip
    return app.settled()
