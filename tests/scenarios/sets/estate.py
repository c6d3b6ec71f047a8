"""A parcel carrier's ten services, healthy unless told otherwise: the ground on which change scenarios play.

``estate`` writes an hour and a half of requests, latency, CPU, memory and everyday log lines for every service, and
some twenty innocent changes, as a busy engineering department makes them. What a scenario breaks it names: errors, a
slower p95, more or less traffic, each from a minute on. ``ONSET`` is when the trouble begins in minutes before now.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from agent_sre.testing import kubernetes_objects as k8s
from tests.scenarios.frozen import Frozen

ONSET = 12.0
SPACE = "parcel"
CALLS = (
    ("edge", "tracking"), ("edge", "booking"), ("booking", "pricing"), ("booking", "labels"), ("booking", "billing"),
    ("tracking", "geo"), ("booking", "bookingdb"), ("billing", "ledgerdb"), ("booking", "mailer"),
)  # fmt: skip
USUAL: Mapping[str, tuple[float, float, float]] = {
    # requests a second, p95 in ms, cores
    "edge": (90, 210, 0.6), "tracking": (60, 80, 0.4), "booking": (30, 160, 0.5), "pricing": (30, 45, 0.2),
    "labels": (28, 60, 0.25), "billing": (26, 70, 0.2), "geo": (60, 20, 0.3), "bookingdb": (120, 6, 0.8),
    "ledgerdb": (50, 7, 0.5), "mailer": (8, 30, 0.05), "reports": (1, 300, 0.1),
}  # fmt: skip
POD = "7c9d5b8f64"


@dataclass
class Harm:
    """What goes wrong, by service: a share of failed requests with their status, and factors from ``onset`` on."""

    onset: float = ONSET
    errors: Mapping[str, float] = field(default_factory=dict)
    code: str = "500"
    slow: Mapping[str, float] = field(default_factory=dict)
    traffic: Mapping[str, float] = field(default_factory=dict)
    cpu: Mapping[str, float] = field(default_factory=dict)
    until: float = 0.0


def step(usual: float, factor: float, harm: Harm) -> Callable[[float], float]:
    """A level that is ``factor`` as high between the onset and its end."""
    return lambda minute: usual * (factor if -harm.onset <= minute <= -harm.until else 1.0)


def estate(harm: Harm | None = None, *, seed: int = 7, objects: bool = False, quiet: bool = False) -> Frozen:
    """The services with the harm done to them; without ``quiet`` with the innocent changes of the day."""
    harm = harm or Harm()
    made = Frozen(namespace=SPACE, hours=1.5, step=30.0, seed=seed, objects=[] if objects else None)
    made.calls(*CALLS)
    for name, (rate, latency, cores) in USUAL.items():
        _measured(made, name, rate, latency, cores, harm)
        made.log(pod(name), name, *_everyday(name, made.chance), minutes_ago=89, every_seconds=88)
        if objects:
            running(made, name)
    if not quiet:
        innocent_changes(made)
    return made


def pod(name: str) -> str:
    """The name of a service's pod."""
    return f"{name}-{POD}-q4x7n"


def _measured(made: Frozen, name: str, rate: float, latency: float, cores: float, harm: Harm) -> None:
    to = {"destination_workload": name, "destination_workload_namespace": SPACE}
    more, failed = harm.traffic.get(name, 1.0), harm.errors.get(name, 0.0)
    made.counter("istio_requests_total", step(rate, more * (1 - failed), harm), **to, response_code="200")
    served = step(rate, more, harm)

    def failures(minute: float) -> float:
        return served(minute) * failed if -harm.onset <= minute <= -harm.until else 0.0

    made.counter("istio_requests_total", failures, **to, response_code=harm.code)
    p95 = "workload:request_duration_milliseconds:p95"
    made.gauge(p95, step(latency, harm.slow.get(name, 1.0), harm), noise=0.05, namespace=SPACE, workload=name)
    where = {"namespace": SPACE, "pod": pod(name), "container": name, "workload": name}
    made.counter("container_cpu_usage_seconds_total", step(cores, harm.cpu.get(name, more), harm), **where)
    made.gauge("container_memory_working_set_bytes", 180e6 + 1e6 * len(name), noise=0.01, **where)


def _everyday(name: str, chance: random.Random) -> list[str]:
    told = ("INFO request served status=200 took={}ms", "INFO cache refreshed entries={}", "DEBUG heartbeat seq={}",
            "INFO request served status=200 took={}ms", "WARN slow consumer lag={}ms, catching up")  # fmt: skip
    return [told[chance.randrange(len(told))].format(chance.randrange(3, 400)) + f" svc={name}" for _ in range(60)]


def innocent_changes(made: Frozen) -> None:
    """Twenty changes spread over the hours before, none of which matters to anything that runs."""
    chance = random.Random(made.seed + 1)  # noqa: S311
    told = (
        ("commit", "docs/runbook.md", "docs: explain the on-call hand-over", "+Hand over at 9.\n"),
        ("commit", "mailer/templates/welcome.html", "copy: friendlier greeting", "-Dear\n+Hello\n"),
        ("commit", "geo/geo_test.go", "test: cover antimeridian", "+func TestAntimeridian(t *testing.T) {\n"),
        ("commit", ".ci/pipeline.yml", "ci: cache modules", "+  cache: true\n"),
        ("commit", "reports/query.sql", "reports: group by depot", "-GROUP BY day\n+GROUP BY day, depot\n"),
        ("deploy", "reports", "deploy reports v2.18.0", ""),
        ("deploy", "mailer", "deploy mailer v5.2.1", ""),
        ("feature_flag", "mailer", "feature flag mailer_rich_footer: off->on", ""),
        ("infrastructure", "dns", "lower TTL of static.parcel.example to 300", ""),
        ("commit", "labels/barcode_test.py", "test: golden barcode files", "+assert code == golden\n"),
        ("commit", "booking/README.md", "docs: local set-up", "+make dev\n"),
        ("commit", "pricing/fuel.py", "style: sort imports", "-import os, sys\n+import os\n+import sys\n"),
        ("config", "reports", "reports: retention 30d -> 45d", "-retention: 30d\n+retention: 45d\n"),
        ("commit", "edge/static/logo.svg", "brand: new logo", "-<path d='M0'/>\n+<path d='M1'/>\n"),
        ("other", "calendar", "holiday calendar published", ""),
        ("commit", "tracking/CHANGELOG.md", "chore: changelog", "+## 3.9\n"),
        ("feature_flag", "reports", "feature flag reports_csv_export: off->on", ""),
        ("commit", "billing/billing_test.go", "test: table for currencies", '+{"CHF", 2},\n'),
        ("scale", "reports", "scale reports 1 -> 2", ""),
        ("commit", "geo/geo.go", "fix: typo in comment", "-// lattitude\n+// latitude\n"),
    )
    for place, (kind, target, summary, diff) in enumerate(told):
        ago = chance.uniform(2, 85)
        made.change(kind, target, summary, minutes_ago=ago, id=f"c{place:02d}f{made.seed:03d}a9", diff=diff)


def shipped(made: Frozen, name: str, version: str, summary: str, diff: str, *, ago: float, sha: str, path: str) -> None:
    """A commit and the deploy that brings it to production six minutes later, under one id."""
    made.change("commit", path, summary, minutes_ago=ago + 6, id=sha, diff=diff)
    made.change("deploy", name, f"deploy {name} {version} ({sha[:7]})", minutes_ago=ago, id=sha)


def failing(made: Frozen, name: str, *lines: str, ago: float = ONSET, every: float = 9.0, times: int = 0) -> None:
    """The same lines over and over from so many minutes ago on."""
    rounds = times or int(ago * 60 / every / max(len(lines), 1))
    made.log(pod(name), name, *(list(lines) * rounds), minutes_ago=ago, every_seconds=every)


def running(made: Frozen, name: str, *, replicas: int = 1) -> None:
    """Deployment, ReplicaSet, pod, Service and Endpoints of a service, in order."""
    template = k8s.pod_template(name, [k8s.container(name, f"registry.test/{name}:3.8.0")])
    deployment = k8s.deployment(name, SPACE, template=template, replicas=replicas)
    owner = k8s.replica_set(deployment, POD, revision=1, template=template, replicas=replicas)
    made.add(deployment, owner, k8s.pod(pod(name), SPACE, owner=owner, node_name="node-1"))
    made.add(k8s.service(name, SPACE), k8s.endpoints(name, SPACE, addresses=["10.1.0.7"]))


def rolled_out(made: Frozen, name: str, *, ago: float, image: str = "", env: Mapping[str, str] | None = None,
               before: Mapping[str, str] | None = None) -> None:  # fmt: skip
    """A second revision of a service, rolled out so many minutes ago: its image, or its environment, is another."""
    deployment = made.find("Deployment", name)
    old = made.find("ReplicaSet", name)
    base = f"registry.test/{name}:3.8.0"
    old_template = k8s.pod_template(name, [k8s.container(name, base, env=before)])
    new_template = k8s.pod_template(name, [k8s.container(name, image or base, env=env or before)])
    old["spec"]["template"]["spec"] = old_template["spec"]
    old["spec"]["replicas"] = old["status"]["replicas"] = old["status"]["readyReplicas"] = 0
    deployment["spec"]["template"] = new_template
    deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "2"
    deployment["metadata"]["generation"] = deployment["status"]["observedGeneration"] = 2
    new = k8s.replica_set(
        deployment, "5f6d7c8b99", revision=2, template=new_template, replicas=1, created=made.stamp(ago)
    )
    run = k8s.Run(started=made.stamp(ago))
    made.objects = [item for item in made.objects or () if item["metadata"]["name"] != pod(name)]
    made.add(new, k8s.pod(f"{name}-5f6d7c8b99-r8t2w", SPACE, owner=new, run=run, node_name="node-1"))
