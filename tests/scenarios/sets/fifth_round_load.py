"""Fifth blind round, load and performance at an airport: what is slow, for want of what, and who is only waiting.

Victims shout and the alert is theirs; several causes are told by metrics alone, some by a mesh or by traces alone.
"""

from typing import Any

from agent_sre.testing import kubernetes_objects as k8s
from tests.scenarios.sets.fifth_round_ground import Airport, airport
from tests.scenarios.sets.registry import scenario
from tests.scenarios.system import jump, ramp

KEYS = {"namespace": "apron"}


def per_pod(
    app: Airport, service: str, metric: str, level: Any, *places: int, kind: str = "counter", **labels: str
) -> Airport:
    """A cAdvisor series of a service's pods."""
    for pod in app.names(service, *places):
        getattr(app, kind)(metric, level, pod=pod, container=service, **KEYS, **labels)
    return app


def throttled(app: Airport, service: str, since: float, share: float = 0.8) -> Airport:
    """CFS periods, of which a share is throttled from then on."""
    per_pod(app, service, "container_cpu_cfs_periods_total", 10.0)
    per_pod(app, service, "container_cpu_cfs_throttled_periods_total", jump(0.1, 10 * share, since))
    return per_pod(app, service, "container_cpu_cfs_throttled_seconds_total", jump(0.002, 0.9, since))


# ------------------------------------------------------------------------------------------------------------------- cpu


@scenario("pod_cpu_throttled", "Deployment", "sorter-control")
def the_sorter_hits_its_limit() -> Airport:
    app = airport("bag drop is slow", since=26, lag=15, on="kiosk-bff", slow={"sorter-control": 40, "bagtag-svc": 25, "kiosk-bff": 6},
                  cpu={"sorter-control": jump(0.16, 0.3, 26)}, limits={"sorter-control": {"cpu": "300m", "memory": "512Mi"}},
                  load={"sorter-control": 1.4, "bagtag-svc": 1.4})  # fmt: skip
    return throttled(app, "sorter-control", 26)


@scenario("pod_cpu_throttled", "Deployment", "fare-engine", change="cfg-81", accept=[("bad_config_change", "Deployment", "fare-engine"),
          ("bad_deploy", "Deployment", "fare-engine")])  # fmt: skip
def limits_were_trimmed() -> Airport:
    app = airport("boarding-core p95 2.4 s", since=33, lag=25, on="boarding-core", slow={"fare-engine": 60, "boarding-core": 20},
                  cpu={"fare-engine": jump(0.4, 0.15, 33)}, limits={"fare-engine": {"cpu": "150m", "memory": "512Mi"}})  # fmt: skip
    app.decoy(
        "config",
        "fare-engine",
        "cost review: right-size requests and limits",
        33.5,
        "cfg-81",
        "-        cpu: 1500m\n+        cpu: 150m",
    )
    app.decoy("deploy", "boarding-core", "boarding-core 1.8.14: gate labels", 40, "rel-44")
    return throttled(app, "fare-engine", 33, 0.9).without("logs")


@scenario("pod_cpu_overload", "Deployment", "boarding-core")
def one_pod_of_two_spins() -> Airport:
    app = airport(
        "some gates are slow", since=17, lag=9, on="gate-display", slow={"boarding-core": 9, "gate-display": 5}
    ).forget_series("container_cpu_usage_seconds", "boarding-core")
    per_pod(app, "boarding-core", "container_cpu_usage_seconds_total", jump(0.2, 1.98, 17), 1)
    per_pod(app, "boarding-core", "container_cpu_usage_seconds_total", 0.2, 0)
    app.says("gate-display", "WARN", "poll", "boarding-core took 7{n} ms", every=8)
    return app


@scenario("pod_cpu_overload", "Deployment", "fare-engine")
def metrics_and_graph_only_with_a_gap() -> Airport:
    app = airport("apron-edge latency", since=21, lag=16, on="apron-edge", cpu={"fare-engine": jump(0.2, 1.9, 21)},
                  slow={"fare-engine": 40, "boarding-core": 18, "gate-display": 11, "apron-edge": 4}).gap(33, 27)  # fmt: skip
    return app.without("logs", "objects", "changes")


@scenario(
    "hpa_at_max",
    "Deployment",
    "checkin-api",
    accept=[("traffic_surge", "Deployment", "apron-edge"), ("traffic_surge", "Deployment", "checkin-api")],
)
def the_autoscaler_has_no_more() -> Airport:
    app = airport("check-in is slow at the morning peak", since=29, lag=18, on="checkin-api", load={"apron-edge": 2.1, "kiosk-bff": 2.1, "checkin-api": 2.2},
                  slow={"checkin-api": 20, "kiosk-bff": 8}, cpu={"checkin-api": jump(0.22, 0.49, 29)})  # fmt: skip
    app.add({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": k8s.metadata("HorizontalPodAutoscaler", "checkin-api", "apron"),
             "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "checkin-api"}, "minReplicas": 2, "maxReplicas": 2,
                      "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}}]},
             "status": {"currentReplicas": 2, "desiredReplicas": 2, "currentMetrics": [{"type": "Resource", "resource": {"name": "cpu", "current": {
                 "averageUtilization": 490}}}], "conditions": [{"type": "ScalingLimited", "status": "True", "reason": "TooManyReplicas",
                 "message": "the desired replica count is more than the maximum replica count", "lastTransitionTime": app.stamp(28)}]}})  # fmt: skip
    return app


@scenario("hpa_at_max", "Deployment", "bagtag-svc", accept=[("traffic_surge", "Deployment", "bagtag-svc")])
def the_autoscaler_s_metrics_only() -> Airport:
    app = airport("bagtag-svc p95 high", since=25, lag=9, on="bagtag-svc", slow={"bagtag-svc": 25, "kiosk-bff": 5}, load={"bagtag-svc": 1.9},
                  cpu={"bagtag-svc": jump(0.25, 0.48, 25)})  # fmt: skip
    labels = {"horizontalpodautoscaler": "bagtag-svc", **KEYS}
    app.gauge("kube_horizontalpodautoscaler_status_current_replicas", jump(3, 6, 23), noise=0, **labels)
    app.gauge("kube_horizontalpodautoscaler_status_desired_replicas", jump(3, 6, 24), noise=0, **labels)
    app.gauge("kube_horizontalpodautoscaler_spec_max_replicas", 6, noise=0, **labels)
    app.gauge(
        "kube_horizontalpodautoscaler_status_condition",
        jump(0, 1, 23),
        noise=0,
        condition="ScalingLimited",
        status="true",
        **labels,
    )
    return app.without("logs", "objects", "changes")


@scenario(
    "noisy_neighbor",
    "Deployment",
    "camera-transcode",
    accept=[("noisy_neighbor", "Node", "worker-2"), ("batch_job_contention", "Deployment", "camera-transcode")],
)
def transcoding_beside_the_sorter() -> Airport:
    app = airport("sorter-control is slow", since=19, lag=8, on="sorter-control", slow={"sorter-control": 25, "lounge-access": 14},
                  nodes={"sorter-control": "worker-2", "lounge-access": "worker-2"})  # fmt: skip
    app.serve("camera-transcode", style="", cpu=jump(0.3, 3.6, 19), replicas=1, node="worker-2", talks=False)
    app.gauge("instance:node_cpu_utilisation:rate5m", jump(0.31, 0.99, 19), instance="worker-2")
    for name in ("worker-1", "worker-3"):
        app.gauge("instance:node_cpu_utilisation:rate5m", 0.3, instance=name)
    app.gauge("node_load1", jump(1.1, 17, 19), instance="worker-2")
    return app


@scenario("batch_job_contention", "Deployment", "checkin-api", accept=[("batch_job_contention", "CronJob", "loyalty-export"), ("batch_job_contention", "Job", "loyalty-export-29100"),
          ("batch_job_contention", "StatefulSet", "checkin-pg"), ("batch_job_contention", "Deployment", "kiosk-bff"), ("noisy_neighbor", "CronJob", "loyalty-export")])  # fmt: skip
def the_export_reads_the_whole_store() -> Airport:
    app = airport(
        "check-in p95 1.9 s",
        since=14,
        lag=6,
        on="checkin-api",
        slow={"checkin-api": 25, "fare-engine": 15, "kiosk-bff": 7},
        cpu={"checkin-pg": jump(0.4, 3.8, 14)},
    )
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": k8s.metadata("Job", "loyalty-export-29100", "apron", created=app.stamp(14.4)),
           "spec": {"completions": 1, "parallelism": 4, "template": {"metadata": {"labels": {"app": "export"}}, "spec": {"containers": [{"name": "export", "image": "registry.test/export:3"}]}}},
           "status": {"active": 1, "startTime": app.stamp(14.4)}}  # fmt: skip
    cron = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": k8s.metadata("CronJob", "loyalty-export", "apron"),
            "spec": {"schedule": "15 9 * * *", "jobTemplate": {"spec": job["spec"]}}, "status": {"lastScheduleTime": app.stamp(14.4)}}  # fmt: skip
    job["metadata"]["ownerReferences"] = [
        {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "name": "loyalty-export",
            "uid": cron["metadata"]["uid"],
            "controller": True,
        }
    ]
    pod = k8s.pod("loyalty-export-29100-q7x2m", "apron", owner=job, node_name="worker-3")
    pod["metadata"]["creationTimestamp"] = pod["status"]["startTime"] = app.stamp(14.3)
    app.add(cron, job, pod)
    app.log("loyalty-export-29100-q7x2m", "export", "2026-04-14 09:15:41,220 export INFO reading bookings with 32 parallel cursors from checkin-pg:5432", *[
        f"2026-04-14 09:{16 + k}:41,220 export INFO copied {k * 4}00000 rows" for k in range(12)], minutes_ago=14.3, every_seconds=60)  # fmt: skip
    app.counter(
        "container_cpu_usage_seconds_total",
        jump(0, 0.9, 14),
        hours=0.24,
        pod="loyalty-export-29100-q7x2m",
        container="export",
        **KEYS,
    )
    return app


# ---------------------------------------------------------------------------------------------------------- runtime pressure


@scenario("gc_pressure", "Deployment", "baghistory")
def full_collections_reclaim_nothing() -> Airport:
    app = airport(
        "history queries time out",
        since=23,
        lag=12,
        on="baghistory",
        slow={"baghistory": 45},
        cpu={"baghistory": jump(0.25, 1.7, 23)},
    )
    for ago in range(22, 0, -1):
        app.log(app.pod("baghistory"), "baghistory", f"[{88123 - ago * 60}.114s][info][gc] GC({900 - ago}) Pause Full (G1 Compaction Pause) 1011M->998M(1024M) 2841.112ms",
                minutes_ago=ago)  # fmt: skip
    app.counter(
        "jvm_gc_pause_seconds_sum", jump(0.004, 0.71, 23), application="baghistory", action="end of major GC", **KEYS
    )
    app.counter(
        "jvm_gc_pause_seconds_count", jump(0.05, 0.26, 23), application="baghistory", action="end of major GC", **KEYS
    )
    return app


@scenario("gc_pressure", "Deployment", "customs-link", accept=[("memory_leak", "Deployment", "customs-link")])
def jvm_metrics_alone_tell() -> Airport:
    app = airport(
        "boarding-core slow",
        since=30,
        lag=14,
        on="boarding-core",
        slow={"customs-link": 30, "boarding-core": 14},
        cpu={"customs-link": jump(0.2, 1.6, 30)},
    )
    app.gauge(
        "jvm_memory_used_bytes",
        ramp(5.1e8, 1.05e9, 60),
        application="customs-link",
        area="heap",
        id="G1 Old Gen",
        **KEYS,
    )
    app.gauge(
        "jvm_memory_max_bytes", 1.073e9, noise=0, application="customs-link", area="heap", id="G1 Old Gen", **KEYS
    )
    app.counter("jvm_gc_pause_seconds_sum", jump(0.003, 0.62, 30), application="customs-link", **KEYS)
    app.counter("jvm_gc_pause_seconds_count", jump(0.04, 0.4, 30), application="customs-link", **KEYS)
    return app.without("logs", "changes")


@scenario("memory_leak", "Deployment", "gate-display", accept=[("oom_killed", "Deployment", "gate-display")])
def the_v8_heap_runs_full() -> Airport:
    app = airport("gate displays flicker", since=47, lag=40, on="gate-display", memory={"gate-display": ramp(1.2e8, 2.4e9, 85)}, errors={"gate-display": 0.06},
                  limits={"gate-display": {"memory": "4Gi"}})  # fmt: skip
    pod = app.names("gate-display", 0)[0]
    app.restarted("gate-display", 0, code=134, ago=6, count=2, ran=2600)
    app.log(pod, "gate-display", "<--- Last few GCs --->", "[1:0x7f2c8c0] 2588123 ms: Mark-Compact (reduce) 2044.9 (2083.9) -> 2043.8 (2084.1) MB, 1820.44 / 0.00 ms  (average mu = 0.112) allocation "
            "failure; scavenge might not succeed", "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory", "----- Native stack trace -----",
            minutes_ago=6.1, every_seconds=0.1, previous=True)  # fmt: skip
    return app


@scenario(
    "memory_leak",
    "Deployment",
    "boarding-core",
    change="rel-520",
    accept=[("bad_deploy", "Deployment", "boarding-core"), ("oom_killed", "Deployment", "boarding-core")],
)
def a_leak_since_the_release_of_two_hours_ago() -> Airport:
    app = airport("boarding-core restarts", since=118, lag=112, on="boarding-core", hours=3,
                  limits={"boarding-core": {"memory": "512Mi"}})  # fmt: skip
    app.decoy("deploy", "boarding-core", "boarding-core 1.8.13: cache gate plans per flight", 119, "rel-520")
    app.forget_series("container_memory_working_set_bytes", "boarding-core")
    leak = ramp(1.4e8, 5.3e8, 118)
    per_pod(
        app,
        "boarding-core",
        "container_memory_working_set_bytes",
        lambda t: leak(t) if t < -5 else 1.4e8,
        0,
        kind="gauge",
    )
    per_pod(app, "boarding-core", "container_memory_working_set_bytes", leak, 1, kind="gauge")
    app.restarted("boarding-core", 0, reason="OOMKilled", code=137, ago=5, count=1, ran=6800)
    app.decoy(
        "config",
        "boarding-core",
        "boarding-core: log level to warning",
        30,
        "cfg-9",
        "-LOG_LEVEL: info\n+LOG_LEVEL: warn",
    )
    return app


@scenario("thread_pool_exhausted", "Deployment", "fare-engine")
def thread_pool_starvation_in_dotnet() -> Airport:
    app = airport(
        "boarding-core p95 11 s",
        since=16,
        lag=7,
        on="boarding-core",
        slow={"fare-engine": 120, "boarding-core": 60},
        errors={"fare-engine": 0.1},
    )
    app.says("fare-engine", "WARN", "Microsoft.AspNetCore.Server.Kestrel", "As of \"04/14/2026 09:1{n}\", the heartbeat has been running for \"00:00:03.18\" which is longer than \"00:00:01\". "
             "This could be caused by thread pool starvation.", every=8)  # fmt: skip
    app.gauge(
        "dotnet_thread_pool_queue_length", jump(0.5, 910, 16), service_name="fare-engine", service_namespace="apron"
    )
    return app


@scenario("thread_pool_exhausted", "Deployment", "checkin-api")
def every_tomcat_thread_is_busy() -> Airport:
    app = airport(
        "check-in not answering",
        since=13,
        lag=4,
        on="kiosk-bff",
        slow={"checkin-api": 100, "kiosk-bff": 20},
        errors={"kiosk-bff": 0.2},
    )
    app.says(
        "checkin-api",
        "ERROR",
        "o.apache.tomcat.util.threads.ThreadPoolExecutor",
        "The thread pool [http-nio-8080] has reached its maximum size [200]; all threads are busy",
        every=20,
    )
    app.says("checkin-api", "ERROR", "a.checkin.async.SeatHolder", "org.springframework.core.task.TaskRejectedException: ExecutorService in active state did not accept task: "
             "java.util.concurrent.ThreadPoolExecutor@6b1[Running, pool size = 8, active threads = 8, queued tasks = 500, completed tasks = 8{n}12]", every=5)  # fmt: skip
    app.gauge("tomcat_threads_busy_threads", jump(11, 200, 13), application="checkin-api", **KEYS)
    app.gauge("tomcat_threads_config_max_threads", 200, noise=0, application="checkin-api", **KEYS)
    return app


@scenario("deadlock", "Deployment", "customs-link")
def java_finds_its_own_deadlock() -> Airport:
    app = airport("no passenger list is sent", since=20, lag=10, on="boarding-core", slow={"customs-link": 200, "boarding-core": 70}, errors={"boarding-core": 0.3},
                  cpu={"customs-link": jump(0.2, 0.01, 20)})  # fmt: skip
    app.log(app.pod("customs-link"), "customs-link", "Full thread dump OpenJDK 64-Bit Server VM (21.0.4+7-LTS mixed mode):", "Found one Java-level deadlock:", "=============================",
            '"executor-thread-14":', "  waiting to lock monitor 0x00007f2c (object 0x00000000e0a1, a org.aer.customs.Session),", '  which is held by "executor-thread-9"', minutes_ago=3)  # fmt: skip
    return app


@scenario("lock_contention", "Deployment", "bag-tracker")
def everybody_waits_for_one_mutex() -> Airport:
    app = airport(
        "sorter-control waits for bag-tracker",
        since=22,
        lag=10,
        on="sorter-control",
        slow={"bag-tracker": 50, "sorter-control": 30},
        cpu={"bag-tracker": jump(0.3, 0.1, 22)},
    )
    app.says("bag-tracker", "WARN", "tracker.lane", "waited {n}0 ms for lane registry lock held by worker-7", every=3)
    return app


@scenario("file_descriptors_exhausted", "Deployment", "sorter-control")
def too_many_open_files_in_rust() -> Airport:
    app = airport("bag drop fails", since=11, lag=5, on="bagtag-svc", errors={"sorter-control": 0.5, "bagtag-svc": 0.4})
    app.says(
        "sorter-control",
        "ERROR",
        "hyper::server::tcp",
        "accept error: Too many open files (os error 24)",
        every=3,
        pods=[2],
    )
    app.gauge("process_open_fds", ramp(120, 1024, 60), pod=app.pod("sorter-control", 2), **KEYS)
    app.gauge("process_max_fds", 1024, noise=0, pod=app.pod("sorter-control", 2), **KEYS)
    return app


@scenario(None, "Deployment", "kiosk-bff")
def no_ephemeral_port_is_left() -> Airport:
    app = airport(
        "self-service kiosks fail",
        since=15,
        lag=9,
        on="apron-edge",
        errors={"kiosk-bff": 0.4, "apron-edge": 0.25},
        code="502",
    )
    app.says("kiosk-bff", "ERROR", "k{n}", "connect EADDRNOTAVAIL 10.96.14.3:8080 - Local (0.0.0.0:0)", every=2)
    app.gauge("node_sockstat_TCP_tw", ramp(900, 28100, 30), instance="worker-1")
    return app


@scenario("unhandled_exception", "Deployment", "weather-feed")
def traces_alone_show_where_it_breaks() -> Airport:
    app = airport("boards show no weather", since=10, on="flightboard")
    for turn in range(45):
        ago, bad = 55 - turn * 1.2, 55 - turn * 1.2 < 10
        given = {"trace": turn + 1, "minutes_ago": ago}
        told = "KeyError: 'wind_gust'" if bad else ""
        app.span(
            "gate-display",
            "GET /board",
            span=turn * 9 + 1,
            milliseconds=80,
            error="Request failed with status code 500" if bad else "",
            **given,
        )
        app.span(
            "flightboard",
            "GET /board/{terminal}",
            span=turn * 9 + 2,
            parent=turn * 9 + 1,
            milliseconds=60,
            error="Server error: 500 Internal Server Error" if bad else "",
            **given,
        )
        app.span(
            "weather-feed",
            "GET /metar/{station}",
            span=turn * 9 + 3,
            parent=turn * 9 + 2,
            milliseconds=12,
            error=told,
            **given,
        )
        app.span("flightboard", "GET board:T2", span=turn * 9 + 4, parent=turn * 9 + 2, milliseconds=2, **given)
    return app.without("logs", "metrics", "events", "changes")


# --------------------------------------------------------------------------------------------------- calls between services


@scenario("retry_storm", "Deployment", "notify-pax", accept=[("retry_storm", "Deployment", "lounge-access")])
def five_tries_for_every_push() -> Airport:
    app = airport("lounge-access overloaded", since=18, lag=10, on="lounge-access", load={"lounge-access": 5.5}, slow={"lounge-access": 20, "notify-pax": 40}, errors={"lounge-access": 0.5, "notify-pax": 0.5},
                  cpu={"lounge-access": jump(0.2, 0.95, 18)}, code="503")  # fmt: skip
    app.calls(("notify-pax", "lounge-access"))
    app.says("notify-pax", "WARN", "push", "lounge-access responded 503, retrying immediately (attempt 4/5)", every=0.8)
    app.says("notify-pax", "ERROR", "push", "giving up on lounge-access after 5 attempts", every=4)
    return app


@scenario(
    "timeout_too_short",
    "Deployment",
    "bagtag-svc",
    change="cfg-61",
    accept=[("bad_config_change", "Deployment", "bagtag-svc")],
)
def a_deadline_below_the_usual_time() -> Airport:
    app = airport(
        "tags fail at random", since=28, lag=17, on="kiosk-bff", errors={"bagtag-svc": 0.45, "kiosk-bff": 0.15}
    )
    app.says(
        "bagtag-svc",
        "ERROR",
        "lane/client",
        'reserve lane failed || Post "http://sorter-control:7000/lanes": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
        every=3,
    )
    app.decoy(
        "config", "bagtag-svc", "bagtag-svc: fail faster", 28.5, "cfg-61", "-SORTER_TIMEOUT: 2s\n+SORTER_TIMEOUT: 15ms"
    )
    app.decoy("deploy", "sorter-control", "sorter-control 1.8.15", 52, "rel-12")
    return app


@scenario(
    "n_plus_one_queries",
    "Deployment",
    "flightboard",
    change="rel-700",
    accept=[("bad_deploy", "Deployment", "flightboard")],
)
def a_query_for_every_row() -> Airport:
    app = airport(
        "boards load slowly",
        since=24,
        lag=11,
        on="gate-display",
        slow={"flightboard": 22, "gate-display": 12},
        cpu={"checkin-pg": jump(0.3, 1.3, 24), "flightboard": jump(0.2, 0.7, 24)},
    )
    app.decoy("deploy", "flightboard", "flightboard 1.9.0: codeshare partners on the board", 24.6, "rel-700")
    app.counter(
        "pg_stat_database_xact_commit_total", jump(110, 2900, 24), pod="checkin-pg-0", datname="checkin", **KEYS
    )
    for turn in range(30):
        ago = 58 - turn * 1.9
        given = {"trace": turn + 1, "minutes_ago": ago}
        count = 48 if ago < 24 else 2
        app.span("flightboard", "GET /board/{terminal}", span=turn * 60 + 1, milliseconds=9 * count + 20, **given)
        for query in range(count):
            app.span("flightboard", "SELECT checkin.codeshares", span=turn * 60 + 2 + query, parent=turn * 60 + 1, trace=turn + 1, minutes_ago=ago - query * 0.00015, milliseconds=8,
                     **{"db.system": "postgresql", "server.address": "checkin-pg", "db.statement": "SELECT * FROM codeshares WHERE flight_id = ?"})  # fmt: skip
    return app


# ------------------------------------------------------------------------------------------------------------------- network


@scenario("pod_network_delay", "Deployment", "lounge-access")
def the_wire_is_slow_not_the_work() -> Airport:
    app = airport("kiosk-bff slow", since=13, lag=5, on="kiosk-bff", slow={"kiosk-bff": 5})
    for turn in range(40):
        ago = 56 - turn * 1.4
        given, late = {"trace": turn + 1, "minutes_ago": ago}, 480 if ago < 13 else 0
        app.span("kiosk-bff", "GET /kiosk", span=turn * 9 + 1, milliseconds=70 + late, **given)
        app.span(
            "kiosk-bff",
            "HTTP GET lounge-access",
            span=turn * 9 + 2,
            parent=turn * 9 + 1,
            milliseconds=30 + late,
            **given,
        )
        app.span(
            "lounge-access",
            "GET /lounges/{pnr}",
            span=turn * 9 + 3,
            parent=turn * 9 + 2,
            trace=turn + 1,
            minutes_ago=ago - late / 120000,
            milliseconds=24,
        )
    return app.without("logs", "events")


@scenario("pod_network_loss", "Deployment", "bag-tracker")
def packets_are_dropped_at_one_service() -> Airport:
    app = airport(
        "scans arrive late",
        since=20,
        lag=9,
        on="sorter-control",
        slow={"bag-tracker": 10, "sorter-control": 12},
        errors={"sorter-control": 0.12, "bag-tracker": 0.02},
    )
    per_pod(app, "bag-tracker", "container_network_receive_packets_dropped_total", jump(0, 61, 20), interface="eth0")
    per_pod(app, "bag-tracker", "container_network_receive_packets_total", jump(900, 640, 20), interface="eth0")
    app.says(
        "sorter-control",
        "WARN",
        "sorter_control::tracker",
        "scan upload retried: connection error: connection reset by peer (os error 104)",
        every=9,
    )
    return app


@scenario("node_network_packet_loss", "Node", "worker-2")
def one_node_s_card_drops() -> Airport:
    app = airport("several services see timeouts", since=16, lag=7, slow={"lounge-access": 8, "weather-feed": 12, "customs-link": 6}, errors={"lounge-access": 0.05, "customs-link": 0.05},
                  nodes={"lounge-access": "worker-2", "weather-feed": "worker-2", "customs-link": "worker-2", "bagtag-svc": "worker-1", "checkin-api": "worker-3", "boarding-core": "worker-1"})  # fmt: skip
    for name in ("worker-1", "worker-2", "worker-3"):
        bad = name == "worker-2"
        app.counter("node_network_receive_drop_total", jump(0, 340, 16) if bad else 0.01, instance=name, device="ens5")
        app.counter("node_network_receive_packets_total", 9000, instance=name, device="ens5")
        app.counter("node_netstat_Tcp_RetransSegs", jump(2, 210, 16) if bad else 2, instance=name)
    app.says("kiosk-bff", "ERROR", "k{n}", "lounge-access: socket hang up (ECONNRESET)", every=12)
    return app


@scenario("coredns_degraded", "Component", "coredns", accept=[("coredns_degraded", "Deployment", "coredns")])
def names_resolve_slowly() -> Airport:
    app = airport("timeouts everywhere", since=18, lag=11, slow={"kiosk-bff": 8, "gate-display": 8, "checkin-api": 6, "flightboard": 9, "boarding-core": 7},
                  errors={"kiosk-bff": 0.08, "flightboard": 0.07, "gate-display": 0.05})  # fmt: skip
    app.says("kiosk-bff", "ERROR", "k{n}", "getaddrinfo EAI_AGAIN checkin-api.apron.svc.cluster.local", every=5)
    app.says(
        "flightboard",
        "ERROR",
        "board",
        "cURL error 28: Resolving timed out after 5001 milliseconds (see https://curl.haxx.se/libcurl/c/libcurl-errors.html) for http://weather-feed:8000/metar",
        every=7,
    )
    app.says(
        "bagtag-svc",
        "ERROR",
        "lane/client",
        "reserve lane failed || dial tcp: lookup sorter-control on 10.96.0.10:53: read udp 10.1.0.4:44120->10.96.0.10:53: i/o timeout",
        every=7,
    )
    app.gauge(
        "coredns_dns_request_duration_seconds",
        jump(0.002, 4.1, 18),
        quantile="0.99",
        namespace="kube-system",
        pod="coredns-5d78c9869d-k2xq7",
    )
    app.counter(
        "container_cpu_usage_seconds_total",
        jump(0.03, 0.1, 18),
        namespace="kube-system",
        pod="coredns-5d78c9869d-k2xq7",
        container="coredns",
    )
    app.log("coredns-5d78c9869d-k2xq7", "coredns", *["[ERROR] plugin/errors: 2 checkin-api.apron.svc.cluster.local. A: read udp 10.1.2.8:51212->169.254.169.253:53: i/o timeout"] * 60,
            minutes_ago=18, every_seconds=17, namespace="kube-system")  # fmt: skip
    return app


# ---------------------------------------------------------------------------------------------------------------------- disk


@scenario("pod_disk_io_saturation", "StatefulSet", "bag-mysql")
def the_page_cleaner_cannot_keep_up() -> Airport:
    app = airport("tags slow", since=25, lag=13, on="bagtag-svc", slow={"bagtag-svc": 30, "kiosk-bff": 7})
    per_pod(app, "bag-mysql", "container_fs_writes_bytes_total", jump(2e6, 2.3e8, 25), 0, device="/dev/nvme1n1")
    per_pod(app, "bag-mysql", "container_fs_io_time_seconds_total", jump(0.05, 0.99, 25), 0, device="/dev/nvme1n1")
    app.says(
        "bag-mysql", "WARN", "MY-011953", "Page cleaner took {n}13ms to flush 200 and evict 0 pages", every=25, pods=[0]
    )
    return app


@scenario(
    "oom_killed",
    "Deployment",
    "customs-link",
    change="cfg-17",
    accept=[("bad_config_change", "Deployment", "customs-link")],
)
def memory_limit_halved() -> Airport:
    app = airport("boarding-core errors", since=19, lag=14, on="boarding-core", errors={"boarding-core": 0.2, "customs-link": 0.5}, memory={"customs-link": jump(4.1e8, 2.6e8, 19)},
                  limits={"customs-link": {"memory": "256Mi"}})  # fmt: skip
    for place in (0, 1):
        app.restarted(
            "customs-link", place, reason="OOMKilled", code=137, ago=1.5 + place, count=5, waiting=True, ran=60
        )
    app.decoy(
        "config",
        "customs-link",
        "cost review: memory of customs-link",
        19.4,
        "cfg-17",
        "-        memory: 768Mi\n+        memory: 256Mi",
    )
    app.decoy("deploy", "boarding-core", "boarding-core 1.8.16", 25, "rel-18")
    return app


# ---------------------------------------------------------------------------------------------------------- a mesh and no more


@scenario(None, "Deployment", "flightboard")
def the_mesh_alone_errors_begin_deep() -> Airport:
    app = airport(
        "apron-edge 5xx",
        since=14,
        lag=6,
        on="apron-edge",
        style="istio",
        errors={"flightboard": 0.5, "gate-display": 0.24, "kiosk-bff": 0.12, "apron-edge": 0.1},
        code="503",
    )
    return app.mesh_alone()


@scenario(None, "Deployment", "bag-tracker")
def the_mesh_alone_slowness_begins_deep() -> Airport:
    app = airport(
        "bagtag-svc latency",
        since=35,
        lag=21,
        on="bagtag-svc",
        style="istio",
        slow={"bag-tracker": 60, "sorter-control": 80, "bagtag-svc": 55, "checkin-api": 25, "kiosk-bff": 8},
    )
    return app.gap(48, 44).mesh_alone()
