"""A ticket seller's thirty services, three zones and seven stores, healthy unless told otherwise.

Most of it is Spring Boot over MySQL, RabbitMQ, Redis and a service registry; a younger part is Go and Python over
PostgreSQL, Kafka and Elasticsearch. ``hall`` lays out the objects and writes what such a system says on a good day:
errors that nobody has fixed, a pod that restarted last week, a nightly job that is done. ``Hall.measured`` adds the
metrics of Micrometer and cAdvisor where a scenario has a Prometheus.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from agent_sre.testing import kubernetes_objects as kube
from tests.scenarios.application import Application, http_probe
from tests.scenarios.frozen import Level, Object
from tests.scenarios.system import jump, level_at, product

SPACE = "stagedoor"
NODES = {
    "ip-10-8-21-14": "eu-a", "ip-10-8-22-61": "eu-a", "ip-10-8-37-9": "eu-b", "ip-10-8-38-120": "eu-b",
    "ip-10-8-53-77": "eu-c", "ip-10-8-54-18": "eu-c",
}  # fmt: skip
JAVA: Mapping[str, tuple[int, float, float, str, Sequence[str]]] = {
    # port, requests a second, seconds, store, whom it calls
    "lobby-gateway": (8080, 240, 0.09, "", ("playbill", "seatmap", "boxoffice", "login", "member", "search-api")),
    "playbill": (8082, 120, 0.03, "playbill-mysql", ("venue-admin", "hall-redis")),
    "seatmap": (8083, 90, 0.05, "seatmap-mysql", ("hold-keeper", "tariff")),
    "hold-keeper": (8084, 70, 0.02, "", ("hall-redis",)),
    "boxoffice": (8085, 30, 0.15, "boxoffice-mysql", ("hold-keeper", "tillroom", "tariff", "voucher", "queue-rabbit")),
    "tariff": (8086, 80, 0.02, "playbill-mysql", ()),
    "tillroom": (8087, 18, 0.3, "tillroom-mysql", ("fraud-check", "queue-rabbit")),
    "voucher": (8088, 9, 0.03, "boxoffice-mysql", ()),
    "member": (8089, 40, 0.03, "member-mysql", ("loyalty",)),
    "login": (8090, 35, 0.06, "member-mysql", ("hall-redis",)),
    "loyalty": (8091, 12, 0.03, "member-mysql", ()),
    "fraud-check": (8092, 18, 0.08, "", ("clickpath",)),
    "mailroom": (8093, 3, 0.2, "", ("queue-rabbit",)),
    "wallet-pass": (8094, 6, 0.1, "", ("queue-rabbit",)),
    "refunds": (8095, 1, 0.2, "tillroom-mysql", ("tillroom", "queue-rabbit")),
    "resale": (8096, 8, 0.08, "boxoffice-mysql", ("seatmap",)),
    "waitroom": (8097, 50, 0.01, "", ("hall-redis",)),
    "venue-admin": (8098, 10, 0.05, "playbill-mysql", ()),
    "promoter": (8099, 4, 0.09, "playbill-mysql", ("report-mill",)),
    "payout": (8100, 0.5, 0.3, "tillroom-mysql", ()),
    "audit-trail": (8101, 20, 0.02, "", ("booking-kafka",)),
}
YOUNG: Mapping[str, tuple[int, float, float, str, Sequence[str]]] = {
    "search-api": (8000, 60, 0.05, "", ("finder-es",)),
    "finder-indexer": (8001, 5, 0.05, "", ("finder-es", "booking-kafka")),
    "recommender": (8002, 25, 0.12, "report-pg", ()),
    "clickpath": (9090, 150, 0.008, "", ("booking-kafka",)),
    "report-mill": (8003, 2, 0.6, "report-pg", ()),
    "geo-fence": (9091, 30, 0.01, "", ()),
}
STORES = {
    "playbill-mysql": 3306, "seatmap-mysql": 3306, "boxoffice-mysql": 3306, "member-mysql": 3306,
    "tillroom-mysql": 3306, "hall-redis": 6379, "queue-rabbit": 5672, "booking-kafka": 9092, "finder-es": 9200,
    "report-pg": 5432, "roster-nacos": 8848,
}  # fmt: skip
THREE = ("queue-rabbit", "booking-kafka", "finder-es", "roster-nacos")
LOGGERS = ("c.s.web.AccessLog", "o.s.web.servlet.DispatcherServlet", "c.s.core.Clock", "c.a.n.client.naming")


def boot(level: str, logger: str, message: str, *, thread: str = "nio-8080-exec-7") -> str:
    """A line as Spring Boot 3 writes it; ``{t}`` becomes the line's time."""
    return f"{{t}} {level:>5} 1 --- [{thread[-15:]:>15}] {logger:<40} : {message}"


def boots(name: str, port: int = 8080, seconds: float = 21.4) -> list[str]:
    """The lines of a start that went well."""
    return [
        boot(
            "INFO",
            f"c.s.{name}.Application",
            f"Starting Application v3.14.2 using Java 17.0.11 with PID 1 ({name}.jar)",
            thread="main",
        ),
        boot(
            "INFO",
            "o.s.b.w.embedded.tomcat.TomcatWebServer",
            f"Tomcat initialized with port {port} (http)",
            thread="main",
        ),
        boot("INFO", "com.zaxxer.hikari.HikariDataSource", "HikariPool-1 - Start completed.", thread="main"),
        boot(
            "INFO",
            "o.s.b.w.embedded.tomcat.TomcatWebServer",
            f"Tomcat started on port {port} (http) with context path ''",
            thread="main",
        ),
        boot(
            "INFO",
            f"c.s.{name}.Application",
            f"Started Application in {seconds} seconds (process running for 23.1)",
            thread="main",
        ),
    ]


def _clocked(line: str, time: datetime) -> str:
    """``{t}`` as Spring Boot and Envoy write times, ``{pg}`` as PostgreSQL and RabbitMQ do."""
    plain = time.strftime("%Y-%m-%d %H:%M:%S.%f")
    return line.replace("{t}", f"{plain[:-3].replace(' ', 'T')}Z").replace("{pg}", plain[:-3])


@dataclass
class Hall(Application):
    """The ticket seller in the making."""

    step: float = 60.0
    hours: float = 1.5
    since: float = 14.0
    """When the trouble began, in minutes before now."""
    harmed: dict[str, Any] = field(default_factory=dict)

    def settled(self) -> "Hall":
        """Derive what controllers derive; where no alert was given, one fires five minutes after the trouble began."""
        if not self.alerts:
            self.alert("ServiceDegraded", self.description, minutes_ago=max(self.since - 5.0, 1.0))
        super().settled()
        return self

    def pods(self, workload: str) -> list[Object]:
        """The pods of a workload, and of no other whose name begins likewise."""
        names = {item["metadata"]["name"] for item in self.all("ReplicaSet")
                 if item["metadata"]["ownerReferences"][0]["name"] == workload} | {workload}  # fmt: skip
        return [
            item
            for item in self.all("Pod")
            if item["metadata"].get("ownerReferences", [{"name": ""}])[0]["name"] in names
        ]

    # ------------------------------------------------------------------------------------------------------- logs

    def says(self, workload: str, *lines: str, ago: float | None = None, every: float = 20.0, rounds: int = 0,
             pods: Sequence[Object] | None = None, container: str = "", previous: bool = False) -> "Hall":  # fmt: skip
        """The same lines over and over (or ``rounds`` times) from so many minutes ago, in each of the pods."""
        start = self.since if ago is None else ago
        times = rounds or max(int(start * 60 / every / max(len(lines), 1)), 1)
        for place, pod in enumerate(self.pods(workload) if pods is None else pods):
            began = start - place * 0.07
            told = [
                _clocked(line, self.at(began) + timedelta(seconds=every * number))
                for number, line in enumerate(list(lines) * times)
            ]
            name = container or pod["spec"]["containers"][0]["name"]
            space = pod["metadata"]["namespace"]
            self.log(pod["metadata"]["name"], name, *told, minutes_ago=began, every_seconds=every, previous=previous,
                     namespace=space)  # fmt: skip
        return self

    def everyday(self, names: Iterable[str]) -> None:
        """What services say when nothing is wrong, with errors that are always there."""
        for name in names:
            told = []
            for number in range(44):
                ms = self.chance.randrange(3, 180)
                text = f"GET /api/{name}/{self.chance.randrange(9999)} 200 {ms}ms"
                level, logger = "INFO", LOGGERS[number % 4]
                if number % 15 == 9:
                    level, text = (
                        "WARN",
                        "Resolved [o.s.w.bind.MissingServletRequestParameterException: Required request parameter 'page' is not present]",
                    )
                if number % 22 == 13:
                    level, text = "ERROR", "could not render thumbnail for asset 0, using the placeholder"
                told.append(boot(level, logger, text))
            self.says(name, *told, ago=88, every=120, rounds=1, pods=self.pods(name)[:1])

    # ---------------------------------------------------------------------------------------------------- metrics

    def measured(self, *only: str, errors: Mapping[str, float] | None = None, slow: Mapping[str, float] | None = None,
                 traffic: Mapping[str, float] | None = None, cpu: Mapping[str, Level] | None = None,
                 memory: Mapping[str, Level] | None = None, code: str = "500", until: float = 0.0) -> "Hall":  # fmt: skip
        """Requests, latency, CPU and memory; ``errors`` are shares, the others factors (or levels) since the trouble."""
        table = {**JAVA, **YOUNG}
        for name in only or table:
            _, rate, seconds, _, _ = table[name]
            step = jump(1, (traffic or {}).get(name, 1.0), self.since, until)
            failing = jump(0.001, (errors or {}).get(name, 0.001), self.since, until)
            slower = jump(1, (slow or {}).get(name, 1.0), self.since, until)
            self._requests(name, product(rate, step), product(seconds, slower), failing, code)
            self._resources(name, (cpu or {}).get(name, 1.0), (memory or {}).get(name, 1.0), step, rate)
        return self

    def _requests(self, name: str, rate: Level, seconds: Level, errors: Level, code: str) -> None:
        spring = name in JAVA
        metric = "http_server_requests_seconds" if spring else "http_request_duration_seconds"
        told = {"application": name, "uri": f"/api/{name}/{{id}}", "method": "GET"} if spring else {"service": name}
        for status, share in (("200", product(rate, lambda t: 1 - level_at(errors, t))), (code, product(rate, errors))):
            labels = {**told, "namespace": self.namespace, "status" if spring else "code": status}
            self.counter(f"{metric}_sum", product(share, seconds), **labels)
            self.counter(f"{metric}_count", share, **labels)

    def _resources(self, name: str, cpu: Level, memory: Level, traffic: Level, rate: float) -> None:
        for pod in self.pods(name):
            labels = {"namespace": self.namespace, "pod": pod["metadata"]["name"], "container": name}
            usual = 0.05 + rate / 600
            level = cpu if callable(cpu) else jump(1, cpu, self.since)
            self.counter("container_cpu_usage_seconds_total", product(usual, level, traffic), **labels)
            amount = memory if callable(memory) else jump(1, memory, self.since)
            self.gauge("container_memory_working_set_bytes", product(6.2e8, amount), noise=0.01, **labels)

    # ---------------------------------------------------------------------------------------------------- objects

    def job(self, name: str, *, cron: str = "", created: float = 40, failed: int = 0, succeeded: int = 0,
            active: int = 0, backoff: int = 3, item: Object | None = None, **spec: Any) -> Object:  # fmt: skip
        """A Job, of a CronJob where one is named."""
        made: Object = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": kube.metadata("Job", name, self.namespace, labels={"job-name": name}, created=self.stamp(created)),
            "spec": {
                "backoffLimit": backoff, "completions": 1, "parallelism": 1,
                "selector": {"matchLabels": {"batch.kubernetes.io/job-name": name}},
                "template": kube.pod_template(name, [item or kube.container("task", f"registry.test/{cron or name}:1.9.0")],
                                              **{"restartPolicy": "Never", **spec}),
            },
            "status": {"startTime": self.stamp(created)},
        }  # fmt: skip
        made["spec"]["template"]["metadata"]["labels"] = {"job-name": name, "batch.kubernetes.io/job-name": name}
        for key, number in (("failed", failed), ("succeeded", succeeded), ("active", active)):
            if number:
                made["status"][key] = number
        if succeeded:
            made["status"] |= {"completionTime": self.stamp(created - 2), "conditions": [
                {"type": "Complete", "status": "True", "lastTransitionTime": self.stamp(created - 2)}]}  # fmt: skip
        if cron:
            made["metadata"]["ownerReferences"] = [{
                "apiVersion": "batch/v1", "kind": "CronJob", "name": cron, "controller": True,
                "uid": next((c["metadata"]["uid"] for c in self.all("CronJob") if c["metadata"]["name"] == cron), "u-1"),
            }]  # fmt: skip
        self.add(made)
        return made

    def gave_up(self, job: Object, minutes_ago: float = 6) -> Object:
        """A Job whose backoff limit is reached."""
        job["status"].pop("active", None)
        job["status"]["conditions"] = [
            {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded",
             "message": "Job has reached the specified backoff limit", "lastTransitionTime": self.stamp(minutes_ago)},
        ]  # fmt: skip
        self.event(job, "BackoffLimitExceeded", "Job has reached the specified backoff limit", minutes_ago=minutes_ago,
                   component="job-controller")  # fmt: skip
        return job

    def job_pod(self, job: Object, *, exit_code: int | None = None, minutes_ago: float = 8, node: str = "") -> Object:
        """A pod of a Job: pending where ``exit_code`` is None, or ended."""
        name = f"{job['metadata']['name']}-{self.hash(5)}"
        pod = self.pod(job, name, self.stamp(minutes_ago + 1), node=node)
        if exit_code is not None:
            pod["status"]["phase"] = "Failed" if exit_code else "Succeeded"
            status = self.status(pod)
            status |= {"ready": False, "started": False, "state": {"terminated": {
                "exitCode": exit_code, "reason": "Error" if exit_code else "Completed",
                "startedAt": self.stamp(minutes_ago + 0.8), "finishedAt": self.stamp(minutes_ago)}}}  # fmt: skip
        return pod

    def cron(self, name: str, schedule: str, *, last: float = 30, **spec: Any) -> Object:
        """A CronJob."""
        made: Object = {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": kube.metadata("CronJob", name, self.namespace),
            "spec": {"schedule": schedule, "suspend": False, "concurrencyPolicy": "Forbid", **spec},
            "status": {"lastScheduleTime": self.stamp(last), "lastSuccessfulTime": self.stamp(last - 2)},
        }
        template = kube.pod_template(
            name, [kube.container("task", f"registry.test/{name}:1.9.0")], restartPolicy="Never"
        )
        made["spec"].setdefault("jobTemplate", {"spec": {"template": template}})
        self.add(made)
        return made

    def pending(self, pod: Object, message: str, *, minutes_ago: float = 0, count: int = 12) -> Object:
        """A pod no node takes, as scheduler and API say it."""
        ago = minutes_ago or self.since
        pod["spec"].pop("nodeName", None)
        pod["status"] = {"phase": "Pending", "qosClass": "Burstable", "conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message,
             "lastTransitionTime": self.stamp(ago)}]}  # fmt: skip
        pod["metadata"]["creationTimestamp"] = self.stamp(ago)
        self.event(pod, "FailedScheduling", message, minutes_ago=1, first_minutes_ago=ago, count=count,
                   component="default-scheduler")  # fmt: skip
        return pod

    def waits(self, pod: Object, reason: str, message: str = "", *, init: str = "") -> Object:
        """A container (or an init container) that cannot start."""
        pod["status"]["phase"] = "Pending"
        state = {"waiting": {"reason": reason, **({"message": message} if message else {})}}
        for status in pod["status"]["containerStatuses"]:
            status |= {"ready": False, "started": False, "lastState": {}}
            status["state"] = {"waiting": {"reason": "PodInitializing"}} if init else dict(state)
        if init:
            pod["status"]["initContainerStatuses"] = [
                {
                    "name": init,
                    "ready": False,
                    "restartCount": 0,
                    "state": state,
                    "image": "",
                    "imageID": "",
                    "lastState": {},
                }
            ]
            pod["status"]["conditions"].append({"type": "Initialized", "status": "False", "reason": "ContainersNotInitialized",
                "message": f"containers with incomplete status: [{init}]", "lastTransitionTime": self.stamp(self.since)})  # fmt: skip
        return pod

    def not_created(self, workload: str, message: str, *, kind: str = "ReplicaSet", count: int = 17) -> None:
        """The controller's event that it could not create a pod, on the workload's newest ReplicaSet or on it itself."""
        owner = [item for item in self.all(kind) if item["metadata"]["name"].startswith(workload)][-1]
        by = {"ReplicaSet": "replicaset-controller", "StatefulSet": "statefulset-controller", "Job": "job-controller"}
        if kind == "ReplicaSet":
            held = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message,
                    "lastTransitionTime": self.stamp(self.since)}  # fmt: skip
            owner["status"]["conditions"] = [held]
            self.get("Deployment", owner["metadata"]["ownerReferences"][0]["name"])["status"]["conditions"].append(held)
        told = message if kind == "StatefulSet" else f"Error creating: {message}"
        self.event(owner, "FailedCreate", told, minutes_ago=1.5, first_minutes_ago=self.since, count=count,
                   component=by.get(kind, "daemonset-controller"))  # fmt: skip


def hall(description: str, *, seed: int = 11, since: float = 14.0, logs: bool = True, topology: bool = True) -> Hall:
    """The healthy ticket seller."""
    made = Hall(namespace=SPACE, description=description, seed=seed, since=since)
    for name, zone in NODES.items():
        made.node(name, zone)
    for name, (port, _, _, store, calls) in {**JAVA, **YOUNG}.items():
        _lay_out(made, name, port, store, calls)
        if topology:
            made.calls(*((name, other) for other in (*calls, *([store] if store else []))))
    for name, port in STORES.items():
        made.stateful(name, port, replicas=3 if name in THREE else 1)
    _leftovers(made)
    if logs:
        made.everyday([*JAVA, *YOUNG])
    return made


def _lay_out(made: Hall, name: str, port: int, store: str, calls: Sequence[str]) -> None:
    env = {"SPRING_PROFILES_ACTIVE": "prod", "NACOS_SERVER_ADDR": "roster-nacos:8848"} if name in JAVA else {}
    if store.endswith("mysql"):
        env["SPRING_DATASOURCE_URL"] = f"jdbc:mysql://{store}:3306/{name.replace('-', '_')}?useSSL=false"
    elif store:
        env["DATABASE_URL"] = f"postgresql://{name}@{store}:5432/reports"
    known = {"hall-redis": ("SPRING_DATA_REDIS_HOST", "hall-redis"), "queue-rabbit": ("SPRING_RABBITMQ_HOST", "queue-rabbit"),
             "booking-kafka": ("KAFKA_BOOTSTRAP_SERVERS", "booking-kafka:9092"),
             "finder-es": ("ELASTICSEARCH_URL", "http://finder-es:9200")}  # fmt: skip
    for other in calls:
        port_of = {**JAVA, **YOUNG}.get(other, (0,))[0]
        key, value = known.get(other, (f"{other.upper().replace('-', '_')}_URL", f"http://{other}:{port_of}"))
        env[key] = value
    sizes = {"requests": {"cpu": "200m", "memory": "768Mi"}, "limits": {"cpu": "2", "memory": "1Gi"}}
    probe = http_probe(port, "/actuator/health/readiness" if name in JAVA else "/healthz", initialDelaySeconds=20)
    item = kube.container(
        name, f"registry.test/hall/{name}:3.14.2", env=env, port=port, resources=sizes, readinessProbe=probe
    )
    made.deploy(name, port, containers=[item], replicas=3 if name in ("lobby-gateway", "seatmap", "boxoffice") else 2)


def _leftovers(made: Hall) -> None:
    """A restart of last week, a nightly job that is done, an old warning about a pod that is gone."""
    old = made.pods("venue-admin")[0]
    made.status(old).update(restartCount=3, lastState={"terminated": {
        "exitCode": 143, "reason": "Error", "startedAt": made.stamp(60 * 24 * 9), "finishedAt": made.stamp(60 * 24 * 6)}},
                            state={"running": {"startedAt": made.stamp(60 * 24 * 6 - 1)}})  # fmt: skip
    made.cron("nightly-archive", "15 2 * * *", last=435)
    done = made.job("nightly-archive-29401110", cron="nightly-archive", created=435, succeeded=1)
    made.job_pod(done, exit_code=0, minutes_ago=433)
    made.event(("Pod", "promoter-6b7f9d5c4f-x2kzq"), "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503",
               minutes_ago=51, first_minutes_ago=53, count=4)  # fmt: skip
