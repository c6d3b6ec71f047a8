"""Causes that come from outside: more visitors, a provider that fails, one client too many, a batch job."""

from typing import Any

from tests.scenarios.frozen import Frozen
from tests.scenarios.sets.registry import scenario
from tests.scenarios.system import System, jump, ramp

LIMITED = {"requests": {"cpu": "200m", "memory": "256Mi"}, "limits": {"cpu": "1", "memory": "512Mi"}}


def _innocent(s: System, *targets: str) -> System:
    for place, name in enumerate(targets):
        s.change("deploy", name, f"{name} 2.{place}: small fixes", minutes_ago=16 + 11 * place, id=f"dep-{place}")
    return s.change("commit", "infra/README.md", "docs: on-call", minutes_ago=9, id="doc")


# --------------------------------------------------------------------------------------------------- traffic_surge


@scenario("traffic_surge", name="web", accept=[("traffic_surge", "Deployment", "catalog")])
def a_campaign_brings_visitors() -> Frozen:
    s = System(namespace="outlet", seed=301, hours=1.5).nodes()
    s.serve(
        "web",
        rate=ramp(100, 620, 24),
        seconds=ramp(0.1, 1.9, 18),
        cpu=ramp(0.2, 0.97, 22),
        errors=jump(0, 0.05, 8),
        resources=LIMITED,
    )
    s.serve("catalog", rate=ramp(180, 1100, 24), seconds=ramp(0.05, 0.8, 16), cpu=ramp(0.2, 0.8, 22), resources=LIMITED)
    s.serve("basket", rate=ramp(20, 120, 24), seconds=0.05)
    s.calls(("web", "catalog"), ("web", "basket"))
    s.log(s.pod("web"), "web", *[f"INFO GET /sale?utm_source=newsletter&utm_campaign=spring ip=203.0.{n % 200}.{n * 7 % 250} 200" for n in range(90)], minutes_ago=22, every_seconds=14)  # fmt: skip
    _innocent(s, "basket", "catalog")
    return s.alert("WebLatency", "web slow", service="web")


@scenario("traffic_surge", name="gateway", accept=[("traffic_surge", "Deployment", "scores")])
def final_match_day() -> Frozen:
    s = System(namespace="sport", seed=302, style="istio", hours=2, step=60).nodes()
    s.serve("gateway", rate=jump(150, 900, 15), seconds=jump(0.06, 0.9, 14), cpu=jump(0.3, 0.98, 15), resources=LIMITED)
    s.serve(
        "scores",
        rate=jump(140, 850, 15),
        seconds=jump(0.03, 0.6, 14),
        cpu=jump(0.25, 0.9, 15),
        resources=LIMITED,
        caller="gateway",
    )
    s.serve("ads", rate=jump(100, 600, 15), seconds=jump(0.03, 0.05, 15), caller="gateway")
    s.calls(("gateway", "scores"), ("gateway", "ads"))
    _innocent(s, "ads")
    return s.alert("GatewayLatency", "gateway slow", service="gateway")


@scenario("traffic_surge", name="ingress-nginx", accept=[("traffic_surge", "Deployment", "tickets"), ("hpa_at_max", "Deployment", "tickets")])  # fmt: skip
def sale_opens_seen_at_the_ingress() -> Frozen:
    s = System(namespace="box", seed=303, style="").nodes()
    s.serve("ingress-nginx").serve("tickets", cpu=jump(0.2, 0.99, 10), resources=LIMITED).serve("halls", cpu=0.1)
    for status, share in (("200", 0.9), ("503", 0.1)):
        given = {"exported_namespace": "box", "exported_service": "tickets", "ingress": "tickets", "status": status}
        level = jump(40 if status == "200" else 0.0, 700 * share, 10)
        s.counter("nginx_ingress_controller_requests", level, **given)
        s.counter(
            "nginx_ingress_controller_request_duration_seconds_sum",
            lambda t, f=level: f(t) * (2.2 if t > -10 else 0.06),
            **given,
        )
        s.counter("nginx_ingress_controller_request_duration_seconds_count", level, **given)
    s.calls(("ingress-nginx", "tickets"), ("tickets", "halls"))
    _innocent(s, "halls")
    return s.alert("TicketsSlow", "tickets slow", service="tickets")


# ---------------------------------------------------------------------------------------- upstream_provider_outage


@scenario("upstream_provider_outage", name="api.sendmail.test", accept=[("upstream_provider_outage", "Deployment", "mailer"), ("upstream_provider_outage", "Deployment", "invites")])  # fmt: skip
def two_services_call_one_host() -> Frozen:
    s = System(namespace="notify", seed=304).nodes()
    s.serve("mailer", errors=jump(0, 0.8, 15)).serve("invites", errors=jump(0, 0.7, 15)).serve("users")
    for name in ("mailer", "invites"):
        s.log(s.pod(name), name, *['ERROR Post "https://api.sendmail.test/v3/send": 503 Service Unavailable'] * 30, minutes_ago=15, every_seconds=25)  # fmt: skip
        given = {"service_name": name, "service_namespace": "notify", "server_address": "api.sendmail.test"}
        s.counter(
            "http_client_request_duration_seconds_count", jump(18, 4, 15), http_response_status_code="200", **given
        )
        s.counter(
            "http_client_request_duration_seconds_sum", jump(3, 0.8, 15), http_response_status_code="200", **given
        )
        s.counter(
            "http_client_request_duration_seconds_count", jump(0, 14, 15), http_response_status_code="503", **given
        )
        s.counter("http_client_request_duration_seconds_sum", jump(0, 2, 15), http_response_status_code="503", **given)
    s.calls(("users", "invites"), ("users", "mailer"))
    _innocent(s, "mailer", "users")
    return s.alert("MailErrors", "mailer errors", service="mailer")


@scenario("upstream_provider_outage", name="payments.acquirer.test", accept=[("upstream_provider_outage", "Deployment", "charge")])  # fmt: skip
def provider_times_out() -> Frozen:
    s = System(namespace="kiosk", seed=305, style="spring").nodes()
    s.serve("charge", errors=jump(0, 0.6, 12), seconds=jump(0.3, 10, 12), code="504").serve("till", errors=jump(0, 0.5, 12), seconds=jump(0.4, 10.1, 12))  # fmt: skip
    s.serve("fiscal")
    told = "ERROR java.net.SocketTimeoutException: Read timed out calling https://payments.acquirer.test/v2/charges after 10000 ms"
    s.log(s.pod("charge"), "charge", *[told] * 30, minutes_ago=12, every_seconds=20)
    s.log(s.pod("till"), "till", *["WARN charge answered 504"] * 30, minutes_ago=12, every_seconds=20)
    s.calls(("till", "charge"), ("till", "fiscal"))
    _innocent(s, "fiscal", "till")
    return s.alert("TillErrors", "till errors", service="till")


@scenario("upstream_provider_outage", name="maps.vendor.test", accept=[("upstream_provider_outage", "Deployment", "eta"), ("upstream_provider_outage", "Deployment", "routes")])  # fmt: skip
def name_of_the_provider_does_not_resolve() -> Frozen:
    s = System(namespace="cabs", seed=306, style="", resources=False)
    s.serve("eta").serve("routes").serve("drivers")
    for name in ("eta", "routes"):
        s.log(s.pod(name), name, *["ERROR connect ETIMEDOUT maps.vendor.test:443", "WARN circuit breaker for maps.vendor.test is open"] * 15, minutes_ago=16, every_seconds=25)  # fmt: skip
    s.calls(("drivers", "eta"), ("drivers", "routes"))
    return s.alert("EtaErrors", "no arrival times", service="eta")


# ------------------------------------------------------------------------------------------------------ client_abuse


@scenario("client_abuse", name="api")
def one_address_fills_the_access_log() -> Frozen:
    s = System(namespace="public", seed=307).nodes()
    s.serve("api", rate=jump(40, 460, 14), seconds=jump(0.05, 0.9, 14), cpu=jump(0.2, 0.97, 14), errors=jump(0, 0.1, 14), code="503", resources=LIMITED)  # fmt: skip
    s.serve("docs")
    usual = [f'198.51.100.{n % 60} - - "GET /v1/stations/{n} HTTP/1.1" 200 512 "-" "Mozilla/5.0"' for n in range(120)]
    s.log(s.pod("api"), "api", *usual, minutes_ago=59, every_seconds=29)
    s.log(s.pod("api"), "api", *[f'203.0.113.77 - - "GET /v1/stations?page={n} HTTP/1.1" 200 90211 "-" "python-requests/2.31.0"' for n in range(600)], minutes_ago=14, every_seconds=1.4)  # fmt: skip
    _innocent(s, "docs", "api")
    return s.alert("ApiLatency", "api slow", service="api")


@scenario("client_abuse", name="search-api")
def one_api_key_sends_most() -> Frozen:
    s = System(namespace="open", seed=308, style="go").nodes()
    s.serve(
        "search-api", rate=jump(30, 330, 11), seconds=jump(0.06, 1.2, 11), cpu=jump(0.3, 0.98, 11), resources=LIMITED
    )
    s.serve("index", style="", stateful=True, port=9200, cpu=jump(0.3, 1.4, 11))
    s.log(s.pod("search-api"), "search-api", *[f"INFO search client_id=tenant-{n % 25} q=books took_ms=40" for n in range(100)], minutes_ago=58, every_seconds=33)  # fmt: skip
    s.log(s.pod("search-api"), "search-api", *["INFO search client_id=tenant-8 q=* took_ms=1190"] * 400, minutes_ago=11, every_seconds=1.6)  # fmt: skip
    s.calls(("search-api", "index"))
    return s.alert("SearchLatency", "search-api slow", service="search-api")


@scenario("client_abuse", name="login")
def credential_stuffing() -> Frozen:
    s = System(namespace="id", seed=309, style="istio").nodes()
    s.serve("login", rate=jump(10, 240, 9), errors=jump(0.02, 0.93, 9), code="401", cpu=jump(0.2, 0.95, 9), seconds=jump(0.1, 0.7, 9), resources=LIMITED)  # fmt: skip
    s.serve("users", style="")
    s.log(s.pod("login"), "login", *[f"WARN login failed user=u{n * 37 % 9000} remote_addr=192.0.2.14 user_agent=curl/8.1" for n in range(400)], minutes_ago=9, every_seconds=1.3)  # fmt: skip
    s.log(s.pod("login"), "login", *[f"INFO login ok user=u{n * 91 % 9000} remote_addr=198.51.100.{n % 90}" for n in range(120)], minutes_ago=59, every_seconds=29)  # fmt: skip
    s.calls(("login", "users"))
    return s.alert("LoginErrors", "login answers 401", service="login")


# --------------------------------------------------------------------------------------------- batch_job_contention


def _job(s: System, name: str, cron: str, minutes_ago: float, node: str) -> None:
    """A CronJob, its running Job and the Job's pod."""
    job: dict[str, Any] = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": f"{name}-29601",
        "controller": True,
        "uid": f"uid-{name}-job",
    }
    cronjob = {"apiVersion": "batch/v1", "kind": "CronJob", "name": name, "controller": True, "uid": f"uid-{name}"}
    meta = {"namespace": s.namespace, "creationTimestamp": s.stamp(minutes_ago)}
    container = {"name": name, "image": f"registry.test/{name}:4"}
    s.add(
        {
            "apiVersion": "batch/v1", "kind": "CronJob",
            "metadata": {"name": name, "namespace": s.namespace, "uid": f"uid-{name}", "creationTimestamp": "2026-01-05T08:00:00Z"},
            "spec": {"schedule": cron, "jobTemplate": {"spec": {"template": {"spec": {"containers": [container], "restartPolicy": "Never"}}}}},
            "status": {"active": [{"kind": "Job", "name": job["name"]}], "lastScheduleTime": s.stamp(minutes_ago)},
        },
        {
            "apiVersion": "batch/v1", "kind": "Job",
            "metadata": {"name": job["name"], "uid": job["uid"], "ownerReferences": [cronjob], **meta},
            "spec": {"completions": 1, "parallelism": 1, "template": {"spec": {"containers": [container]}}},
            "status": {"active": 1, "startTime": s.stamp(minutes_ago)},
        },
        {
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": f"{job['name']}-x8k2w", "uid": f"uid-{name}-pod", "labels": {"job-name": job["name"]}, "ownerReferences": [job], **meta},
            "spec": {"nodeName": node, "containers": [container]},
            "status": {"phase": "Running", "startTime": s.stamp(minutes_ago), "containerStatuses": [{"name": name, "ready": True, "restartCount": 0, "image": container["image"], "state": {"running": {"startedAt": s.stamp(minutes_ago)}}}]},
        },
    )  # fmt: skip


@scenario("batch_job_contention", kind="CronJob", name="nightly-report", accept=[("batch_job_contention", "Deployment", "orders"), ("batch_job_contention", "StatefulSet", "pg")])  # fmt: skip
def a_report_job_loads_the_database() -> Frozen:
    s = System(namespace="sales", seed=310).nodes()
    s.serve("orders", seconds=jump(0.05, 1.7, 15)).serve("stock", seconds=jump(0.04, 1.2, 15)).serve(
        "web", seconds=jump(0.1, 1.9, 15)
    )
    s.serve("pg", style="", stateful=True, port=5432, cpu=jump(0.3, 1.95, 15), replicas=1)
    _job(s, "nightly-report", "15 9 * * *", 15.2, "worker-3")
    s.counter("container_cpu_usage_seconds_total", 0.4, hours=0.25, namespace="sales", pod="nightly-report-29601-x8k2w", container="nightly-report")  # fmt: skip
    s.log("nightly-report-29601-x8k2w", "nightly-report", "INFO starting report, reading 41000000 rows from pg", *["INFO read 500000 rows"] * 12, minutes_ago=15, every_seconds=60)  # fmt: skip
    s.calls(("web", "orders"), ("web", "stock"), ("orders", "pg"), ("stock", "pg"))
    _innocent(s, "web")
    return s.alert("WebLatency", "web slow", service="web")


@scenario("batch_job_contention", kind="CronJob", name="image-resize", accept=[("batch_job_contention", "Deployment", "gallery")])  # fmt: skip
def a_job_fills_the_node() -> Frozen:
    s = System(namespace="photos", seed=311, style="go").nodes()
    s.serve("gallery", seconds=jump(0.05, 0.8, 12), node="worker-1").serve("albums", node="worker-2")
    _job(s, "image-resize", "18 * * * *", 12.2, "worker-1")
    s.counter("container_cpu_usage_seconds_total", 3.4, hours=0.2, namespace="photos", pod="image-resize-29601-x8k2w", container="image-resize")  # fmt: skip
    for name, level in (("worker-1", jump(0.3, 1.0, 12)), ("worker-2", 0.3), ("worker-3", 0.2)):
        s.gauge("instance:node_cpu_utilisation:rate5m", level, instance=name)
    s.event(("CronJob", "image-resize"), "SuccessfulCreate", "Created job image-resize-29601", minutes_ago=12.2, kind="Normal", component="cronjob-controller")  # fmt: skip
    s.calls(("albums", "gallery"))
    return s.alert("GalleryLatency", "gallery slow", service="gallery")


@scenario("batch_job_contention", kind="CronJob", name="backup", accept=[("batch_job_contention", "StatefulSet", "mysql"), ("batch_job_contention", "Deployment", "tasks")])  # fmt: skip
def a_backup_saturates_the_disk() -> Frozen:
    s = System(namespace="todo", seed=312, style="spring").nodes()
    s.serve("tasks", seconds=jump(0.06, 2.1, 13)).serve(
        "mysql", style="", stateful=True, port=3306, replicas=1, node="worker-2"
    )
    _job(s, "backup", "17 9 * * *", 13.1, "worker-2")
    s.counter(
        "container_fs_reads_bytes_total", jump(1e5, 2.2e8, 13), namespace="todo", pod="mysql-0", container="mysql"
    )
    s.counter(
        "node_disk_io_time_seconds_total", jump(0.08, 0.99, 13), instance="worker-2", device="nvme1n1", noise=0.003
    )
    s.counter("node_disk_io_time_seconds_total", 0.06, instance="worker-1", device="nvme1n1")
    s.log("backup-29601-x8k2w", "backup", "INFO mysqldump --all-databases started", *["INFO dumped 1.1 GiB"] * 10, minutes_ago=13, every_seconds=60)  # fmt: skip
    s.calls(("tasks", "mysql"))
    return s.alert("TasksLatency", "tasks slow", service="tasks")
