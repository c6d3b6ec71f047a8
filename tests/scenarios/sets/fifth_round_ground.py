"""The ground of the fifth blind round: an airport, from check-in to the baggage belts.

Fifteen services in eight languages and eight stores, each with the everyday lines of its real framework or server.
``airport`` lays all of it out, healthy but untidy: a pod that restarted last week, an autoscaler that moved, warnings
that mean nothing, releases that harmed nobody. A scenario says what differs and which sources are missing.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from agent_sre.testing import kubernetes_objects as k8s
from tests.scenarios.frozen import Level
from tests.scenarios.system import System, jump, product

Format = Callable[[datetime, str, str, str], str]
_PINO = {"INFO": 30, "WARN": 40, "ERROR": 50}


def _iso(at: datetime, digits: int = 3) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond:06d}"[:digits] + "Z"


def _comma(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S,") + f"{at.microsecond // 1000:03d}"


def _json(**fields: Any) -> str:
    return orjson.dumps(fields).decode()


def spring(at: datetime, level: str, where: str, text: str) -> str:
    return f"{_iso(at)} {level:>5} 1 --- [checkin] [nio-8080-exec-7] {where:<40} : {text}"


def quarkus(at: datetime, level: str, where: str, text: str) -> str:
    return f"{_comma(at)} {level:<5} [{where}] (executor-thread-14) {text}"


def pino(at: datetime, level: str, where: str, text: str) -> str:
    return _json(
        level=_PINO[level], time=int(at.timestamp() * 1000), pid=1, hostname="kiosk", reqId=f"req-{where}", msg=text
    )


def winston(at: datetime, level: str, where: str, text: str) -> str:
    return _json(level=level.lower(), message=text, label=where, timestamp=_iso(at))


def zap(at: datetime, level: str, where: str, text: str) -> str:
    head, _, error = text.partition(" || ")
    more = {"error": error} if error else {}
    return _json(level=level.lower(), ts=round(at.timestamp(), 3), caller=f"{where}.go:88", msg=head, **more)


def logrus(at: datetime, level: str, where: str, text: str) -> str:
    told = orjson.dumps(text).decode()
    return f'time="{at:%Y-%m-%dT%H:%M:%SZ}" level={level.lower().replace("warn", "warning")} msg={told} unit={where}'


def tracing(at: datetime, level: str, where: str, text: str) -> str:
    return f"{_iso(at, 6)} {level:>5} {where}: {text}"


def laravel(at: datetime, level: str, where: str, text: str) -> str:
    return f'[{at:%Y-%m-%d %H:%M:%S}] production.{level.replace("WARN", "WARNING")}: {text} {{"context":"{where}"}}'


def serilog(at: datetime, level: str, where: str, text: str) -> str:
    return f"[{at:%H:%M:%S} {dict(INFO='INF', WARN='WRN', ERROR='ERR')[level]}] {where} {text}"


def dotnet(at: datetime, level: str, where: str, text: str) -> str:
    return f"{dict(INFO='info', WARN='warn', ERROR='fail')[level]}: {where}[0] {text}"


def structlog(at: datetime, level: str, where: str, text: str) -> str:
    return f"{_iso(at, 6)} [{level.lower().replace('warn', 'warning'):<9}] {text} [{where}]"


def celery(at: datetime, level: str, where: str, text: str) -> str:
    return f"[{_comma(at)}: {level.replace('WARN', 'WARNING')}/{where}] {text}"


def plain_python(at: datetime, level: str, where: str, text: str) -> str:
    return f"{_comma(at)} {where} {level.replace('WARN', 'WARNING')} {text}"


def nginx(at: datetime, level: str, where: str, text: str) -> str:
    return text if level == "INFO" else f"{at:%Y/%m/%d %H:%M:%S} [{level.lower()}] 31#31: *88123 {text}"


def postgres(at: datetime, level: str, where: str, text: str) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d} UTC [1822] {where} {level.replace('INFO', 'LOG')}:  {text}"


def mysql(at: datetime, level: str, where: str, text: str) -> str:
    kind = {"INFO": "System", "WARN": "Warning", "ERROR": "ERROR"}[level]
    return f"{_iso(at, 6)} 0 [{kind}] [{where}] [Server] {text}"


def redis(at: datetime, level: str, where: str, text: str) -> str:
    sign = {"INFO": "*", "WARN": "#", "ERROR": "#"}[level]
    return f"1:{where} {at:%d %b %Y %H:%M:%S}.{at.microsecond // 1000:03d} {sign} {text}"


def mongo(at: datetime, level: str, where: str, text: str) -> str:
    head, _, attr = text.partition(" || ")
    more = {"attr": orjson.loads(attr)} if attr else {}
    return _json(t={"$date": _iso(at)}, s=level[0], c=where, id=51803, ctx="conn1821", msg=head, **more)


def kafka(at: datetime, level: str, where: str, text: str) -> str:
    return f"[{_comma(at)}] {level} {text} ({where})"


def rabbit(at: datetime, level: str, where: str, text: str) -> str:
    kind = {"INFO": "info", "WARN": "warning", "ERROR": "error"}[level]
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond:06d}+00:00 [{kind}] <0.{where}.0> {text}"


def elastic(at: datetime, level: str, where: str, text: str) -> str:
    return f"[{_iso(at)[:-1].replace('.', ',')}][{level:<5}][{where:<25}] [search-es-0] {text}"


def cassandra(at: datetime, level: str, where: str, text: str) -> str:
    return f"{level:<5} [{where}] {_comma(at)} {text}"


@dataclass(frozen=True)
class Part:
    """A service or store: its log's format, an everyday line, the convention of its metrics, and what it calls."""

    form: Format
    everyday: tuple[str, str, str]
    style: str = "otel"
    port: int = 8080
    rate: float = 20.0
    seconds: float = 0.05
    calls: tuple[str, ...] = ()
    store: bool = False
    replicas: int = 2


def _store(form: Format, port: int, *everyday: str, replicas: int = 1) -> Part:
    return Part(form, everyday, "", port, store=True, replicas=replicas)  # type: ignore[arg-type]


PARTS: dict[str, Part] = {
    "apron-edge": Part(nginx, ("INFO", "", '10.9.{n}.7 - - "GET /api/flights?gate=B{n} HTTP/2.0" 200 812 "-" "Mozilla/5.0" rt=0.04'),
                       "otel", 80, 90, 0.09, ("kiosk-bff", "gate-display")),
    "kiosk-bff": Part(pino, ("INFO", "a{n}", "request completed"), "otel", 3000, 60, 0.08,
                      ("checkin-api", "bagtag-svc", "flightboard", "lounge-access")),
    "gate-display": Part(winston, ("INFO", "poll", "gate B{n} refreshed in 31 ms"), "otel", 3000, 30, 0.05,
                         ("flightboard", "boarding-core")),
    "checkin-api": Part(spring, ("INFO", "a.checkin.web.CheckinController", "seat {n}C confirmed for PNR"), "spring", 8080, 40, 0.06,
                        ("checkin-pg", "flight-redis", "bagtag-svc")),
    "boarding-core": Part(serilog, ("INFO", "Boarding.Gates", "HTTP GET /gates/B{n} responded 200 in 14.2 ms"), "otel", 8080, 25, 0.07,
                          ("checkin-api", "fare-engine", "customs-link")),
    "fare-engine": Part(dotnet, ("INFO", "Fares.Rules.Evaluator", "Evaluated {n} rules"), "otel", 8080, 18, 0.04, ("checkin-pg",)),
    "bagtag-svc": Part(zap, ("INFO", "tag/print", "tag printed"), "go", 9090, 35, 0.03, ("sorter-control", "bag-mysql")),
    "sorter-control": Part(tracing, ("INFO", "sorter_control::lane", "lane {n} cleared"), "otel", 7000, 35, 0.02,
                           ("belt-rabbit", "bag-tracker"), replicas=3),
    "bag-tracker": Part(structlog, ("INFO", "tracker.views", "scan stored"), "otel", 8000, 50, 0.03, ("track-cassandra", "scan-kafka")),
    "baghistory": Part(spring, ("INFO", "a.history.ScanListener", "committed batch of {n} scans"), "spring", 8080, 12, 0.05,
                       ("scan-kafka", "search-es")),
    "flightboard": Part(laravel, ("INFO", "board", "Board rendered for terminal {n}"), "otel", 9000, 45, 0.05,
                        ("flight-redis", "checkin-pg", "weather-feed")),
    "weather-feed": Part(plain_python, ("INFO", "weather.feed", "METAR of station {n} stored"), "go", 8000, 6, 0.03, ()),
    "lounge-access": Part(logrus, ("INFO", "door", "door {n} opened"), "go", 8080, 15, 0.03, ("pax-mongo", "flight-redis")),
    "customs-link": Part(quarkus, ("INFO", "org.aer.customs.ApiResource", "advance passenger list {n} sent"), "spring", 8080, 9, 0.12,
                         ("pax-mongo",)),
    "notify-pax": Part(winston, ("INFO", "push", "notified {n} passengers"), "otel", 3000, 14, 0.06, ("belt-rabbit", "pax-mongo")),
    "manifest-builder": Part(celery, ("INFO", "ForkPoolWorker-{n}", "Task manifest.build succeeded in 1.92s: None"), "", 8000, 0, 0,
                             ("belt-rabbit", "bag-mysql")),
    "checkin-pg": _store(postgres, 5432, "INFO", "", "checkpoint complete: wrote {n} buffers (0.4%); 0 WAL file(s) added", replicas=2),
    "bag-mysql": _store(mysql, 3306, "WARN", "MY-013360", "Plugin mysql_native_password reported: deprecated; connection {n}", replicas=2),
    "flight-redis": _store(redis, 6379, "INFO", "M", "{n} changes in 300 seconds. Saving..."),
    "scan-kafka": _store(kafka, 9092, "INFO", "kafka.log.LogCleaner", "Cleaner 0: Cleaned {n} segments", replicas=3),
    "belt-rabbit": _store(rabbit, 5672, "INFO", "812", "accepting AMQP connection <0.{n}.0> (10.1.0.7:48210 -> 10.1.1.9:5672)"),
    "search-es": _store(elastic, 9200, "INFO", "o.e.c.m.MetadataMappingService", "[bags-2026.04.14/x] update_mapping [{n}]", replicas=2),
    "pax-mongo": _store(mongo, 27017, "INFO", "NETWORK", "Connection accepted", replicas=3),
    "track-cassandra": _store(cassandra, 9042, "INFO", "CompactionExecutor:{n}", "CompactionTask.java:241 - Compacted 4 sstables",
                              replicas=3),
}  # fmt: skip
STORES = frozenset(name for name, part in PARTS.items() if part.store)


@dataclass
class Airport(System):
    """The airport in the making. ``since``: minutes since the trouble began."""

    since: float = 12.0

    def names(self, service: str, *places: int) -> list[str]:
        """Pods of a service."""
        part = PARTS[service]
        return [self.pod(service, place, stateful=part.store) for place in places or range(part.replicas)]

    def says(self, service: str, level: str, where: str, text: str, *raw: str, every: float = 6, since: float = 0,
             until: float = 0, pods: Sequence[int] = (), rounds: int = 0) -> "Airport":  # fmt: skip
        """A message in the service's own format, again and again from ``since`` (the onset) to ``until`` minutes ago,
        each time followed by ``raw`` lines; ``{n}`` becomes a number, ``{pg}`` in raw lines PostgreSQL's clock."""
        begin = since or self.since
        count = rounds or max(int((begin - until) * 60 / every), 1)
        for turn in range(count):
            pod = self.chance.choice(self.names(service, *pods))
            ago = begin - (turn * every + self.chance.uniform(0, every * 0.6)) / 60
            number = str(self.chance.randrange(10, 99))
            lines = [
                PARTS[service].form(self.at(ago), level, where.replace("{n}", number), text.replace("{n}", number))
            ]
            clock = f"{self.at(ago):%Y-%m-%d %H:%M:%S}.{self.at(ago).microsecond // 1000:03d}"
            more = [line.replace("{pg}", clock) for line in raw]
            self.log(pod, service, *lines, *more, minutes_ago=ago, every_seconds=0.001)
        return self

    def decoy(self, kind: str, target: str, summary: str, ago: float, name: str, diff: str = "") -> "Airport":
        """A change, guilty or not; a deploy has left its ReplicaSet and pods, unless it was of no workload."""
        self.change(kind, target, summary, minutes_ago=ago, id=name, diff=diff)
        if kind == "deploy" and target in PARTS:
            self._rolled(target, ago)
        return self

    def _rolled(self, service: str, ago: float) -> None:
        made, then = self.stamp(ago), self.stamp(ago - 0.5)
        new = self.find("ReplicaSet", f"{service}-6f7d9c8b54")
        old = deepcopy(new)
        old["metadata"] |= {"name": f"{service}-58c4d7f9b6", "uid": f"old-{new['metadata']['uid']}"}
        old["spec"]["replicas"] = 0
        old["status"] = {"replicas": 0, "observedGeneration": 2}
        old["spec"]["template"]["spec"]["containers"][0]["image"] = f"registry.test/{service}:1.7.30"
        new["metadata"]["creationTimestamp"] = made
        new["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "2"
        self.find("Deployment", service)["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "2"
        self.add(old)
        for name in self.names(service):
            pod = self.find("Pod", name)
            pod["metadata"]["creationTimestamp"] = made
            pod["status"]["startTime"] = made
            for status in pod["status"]["containerStatuses"]:
                status |= {"state": {"running": {"startedAt": then}}, "lastState": {}, "restartCount": 0}

    def restarted(self, service: str, place: int, *, reason: str = "Error", code: int = 1, ago: float = 3, count: int = 3,
                  waiting: bool = False, ran: float = 240) -> "Airport":  # fmt: skip
        """A container that ended and runs again (or waits for its next start)."""
        pod = self.find("Pod", self.names(service, place)[0])
        ended = k8s.terminated(reason, code, finished=self.stamp(ago))
        ended["terminated"]["startedAt"] = self.stamp(ago + ran / 60)
        status = pod["status"]["containerStatuses"][0]
        status |= {"restartCount": count, "lastState": ended}
        status["state"] = {"running": {"startedAt": self.stamp(max(ago - 0.2, 0.1))}}
        if waiting:
            status |= {"ready": False, "state": k8s.waiting("CrashLoopBackOff")}
            self.event(pod, "BackOff", f"Back-off restarting failed container {service} in pod", minutes_ago=0.5,
                       first_minutes_ago=ago + 4, count=count * 3)  # fmt: skip
        return self

    def gap(self, begin: float, end: float) -> "Airport":
        """No sample was taken between these minutes before now."""
        low, high = self.at(begin).timestamp(), self.at(end).timestamp()
        for _, rows in self._samples.values():
            rows[:] = [row for row in rows if not low < float(row.rpartition(" ")[2]) < high]
        return self

    def forget_series(self, family: str, service: str) -> "Airport":
        """The series of a service's pods in a metric family, so that a scenario can give each pod its own."""
        _, rows = self._samples[family]
        rows[:] = [row for row in rows if f'pod="{service}-' not in row]
        return self

    def healed(self, service: str, seconds: Level) -> "Airport":
        """The service's own requests took this long instead."""
        part = PARTS[service]
        for _, rows in self._samples.values():
            rows[:] = [row for row in rows if f'"{service}"' not in row or "requests_seconds" not in row]
        self._requests(service, part.style, part.rate, seconds, errors=0.002, code="500", caller="")
        return self

    def scaled_away(self, service: str) -> "Airport":
        """A Deployment at zero: no pods, no endpoints."""
        gone = set(self.names(service))
        self.objects = [item for item in self.objects or () if item["metadata"]["name"] not in gone]
        for kind, name in (("Deployment", service), ("ReplicaSet", f"{service}-6f7d9c8b54")):
            found = self.find(kind, name)
            found["spec"]["replicas"] = 0
            kept = {key: value for key, value in found["status"].items() if key in ("conditions", "observedGeneration")}
            found["status"] = {**kept, "replicas": 0}
        self.find("Endpoints", service)["subsets"] = []
        return self

    def mesh_alone(self) -> "Airport":
        """Nothing was kept but what the mesh measured, and who calls whom."""
        self._samples = {family: rows for family, rows in self._samples.items() if family.startswith("istio")}
        return self.without("logs", "objects", "changes")

    def without(self, *sources: str) -> "Airport":
        """These sources are missing: logs, events, objects, metrics, edges, changes."""
        for source in sources:
            if source == "logs":
                self.forget_logs()
            elif source == "metrics":
                self._samples.clear()
            elif source == "events":
                self.objects = [item for item in self.objects or () if item["kind"] != "Event"]
            else:
                assert source in ("objects", "edges", "changes"), source
                setattr(self, source, None)
        return self

    def logs_only_of(self, *services: str) -> "Airport":
        """Nobody kept the logs of the others."""
        kept = {pod for service in services for pod in self.names(service)}
        self._logs = {path: rows for path, rows in self._logs.items() if path.split("/")[2] in kept or "@" in path}
        return self


def airport(
    told: str,
    *,
    since: float = 12,
    lag: float = 3,
    on: str = "",
    name: str = "ServiceDegraded",
    hours: float = 1.5,
    slow: Mapping[str, float] | None = None,
    errors: Mapping[str, float] | None = None,
    load: Mapping[str, float] | None = None,
    cpu: Mapping[str, Level] | None = None,
    memory: Mapping[str, Level] | None = None,
    style: str = "",
    nodes: Mapping[str, str] | None = None,
    limits: Mapping[str, Mapping[str, str]] | None = None,
    quiet: bool = False,
    code: str = "500",
) -> Airport:
    """The airport with an alert ``lag`` minutes after the onset, about service ``on``. ``slow`` and ``load`` are
    factors, ``errors`` shares, all from the onset; ``quiet`` leaves the innocent changes out."""
    app = Airport(
        namespace="apron",
        description=told,
        hours=hours,
        since=since,
        seed=sum(map(ord, told)) % 9973,
    )
    app.nodes("worker-1", "worker-2", "worker-3")
    for service, part in PARTS.items():
        env = {f"{callee.upper().replace('-', '_')}_ADDR": f"{callee}:{PARTS[callee].port}" for callee in part.calls}
        pace = jump(1, (load or {}).get(service, 1), since)
        app.serve(
            service,
            rate=product(part.rate, pace),
            seconds=product(part.seconds, jump(1, (slow or {}).get(service, 1), since)),
            errors=jump(0.002, (errors or {}).get(service, 0.002), since),
            cpu=(cpu or {}).get(service, product(0.2, pace)),
            memory=(memory or {}).get(service, 1.5e8),
            replicas=part.replicas,
            port=part.port,
            env=env,
            talks=False,
            stateful=part.store,
            node=(nodes or {}).get(service, ""),
            style=(style or part.style) if part.style else "",
            resources={"limits": dict(limits[service])} if limits and service in limits else None,
            code=code,
        )
        app.says(service, *part.everyday, every=24, since=hours * 60)
        app.calls(*((service, callee) for callee in part.calls))
    _untidy(app, quiet=quiet)
    app.alert(name, told, minutes_ago=max(since - lag, 0.3), **({"service": on} if on else {}))
    return app


def _untidy(app: Airport, *, quiet: bool) -> None:
    app.restarted("lounge-access", 1, code=137, ago=60 * 24 * 6, count=2)
    board = app.find("Deployment", "gate-display")
    app.event(board, "ScalingReplicaSet", "Scaled up replica set gate-display-6f7d9c8b54 to 2 from 1", kind="Normal",
              minutes_ago=51, component="deployment-controller")  # fmt: skip
    app.says(
        "weather-feed",
        "WARN",
        "weather.feed",
        "station ZZ{n} sent no METAR, keeping the last one",
        every=70,
        since=app.hours * 60,
    )
    app.says("kiosk-bff", "WARN", "k{n}", "DeprecationWarning: punycode is deprecated", every=400, since=app.hours * 60)
    app.says(
        "notify-pax",
        "ERROR",
        "push",
        "push token {n} is no longer registered: NotRegistered",
        every=120,
        since=app.hours * 60,
    )
    if not quiet:
        app.decoy("deploy", "manifest-builder", "manifest-builder 1.8.17: copy changes", app.hours * 60 - 4, "rel-901")
        app.decoy("feature_flag", "gate-display", "flag gate_display_dark_theme: off->on", app.since + 26, "flag-31")
        app.decoy("deploy", "weather-feed", "weather-feed 1.8.13: log wording", app.since + 9, "rel-907")


__all__ = ["PARTS", "STORES", "Airport", "airport", "jump"]
