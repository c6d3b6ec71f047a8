"""Nothing is broken, or what is odd does no harm: the right answer names no cause, or at least blames no change.

Each has something that tempts: an old crash, a cordoned node, warnings that are always there, changes of every kind.
"""

from math import cos, pi
from typing import Any

from agent_sre.testing import kubernetes_objects as k8s
from tests.scenarios.frozen import Frozen
from tests.scenarios.sets.estate import (
    POD,
    SPACE,
    Harm,
    estate,
    failing,
    innocent_changes,
    pod,
    rolled_out,
    running,
    shipped,
)
from tests.scenarios.sets.registry import scenario
from tests.scenarios.system import System
from tests.scenarios.variants import bystanders, old_events

nothing = scenario(None, name="", no_cause=True)


def calm(*, objects: bool = True, quiet: bool = True, seed: int = 7) -> Frozen:
    """All is well, and an alert says that it might not be."""
    made = estate(objects=objects, quiet=quiet, seed=seed)
    if objects:
        made.add(k8s.node("node-1"), k8s.node("node-2"))
    made.alert("ServiceDisrupted", "Something in parcel may be wrong.", minutes_ago=3)
    return made


@nothing
def the_alert_has_cleared() -> Frozen:
    made = calm()
    made.alerts[-1] |= {"status": "resolved", "endsAt": made.stamp(1)}
    return made


@nothing
def an_informational_alert() -> Frozen:
    made = calm(objects=False, quiet=False)
    made.alerts[-1]["labels"] |= {"alertname": "InfoInhibitor", "severity": "none"}
    return made


@nothing
def an_old_job_crashed() -> Frozen:
    made = calm()
    bystanders(made)
    return made


@nothing
def restarts_weeks_ago() -> Frozen:
    made = calm()
    ended = made.stamp(60 * 24 * 24)
    status = made.find("Pod", "pricing")["status"]["containerStatuses"][0]
    status |= {"restartCount": 14, "lastState": k8s.terminated("Error", 1, finished=ended)}
    status["state"] = {"running": {"startedAt": ended}}
    return made


@nothing
def a_rollout_went_well() -> Frozen:
    made = calm()
    rolled_out(made, "labels", ago=28, image="registry.test/labels:3.8.1")
    made.alerts[-1]["labels"] |= {"alertname": "KubeDeploymentGenerationMismatch", "severity": "warning"}
    return made


@nothing
def a_spare_node_is_cordoned() -> Frozen:
    made = calm()
    made.add(k8s.node("node-3", cordoned=True))
    return made


@nothing
def traffic_of_the_season() -> Frozen:
    made = Frozen(namespace=SPACE, hours=50, step=120, seed=3, objects=None)
    made.calls(("edge", "tracking"))
    for name, rate, latency in (("edge", 90, 210), ("tracking", 60, 80)):
        to = {"destination_workload": name, "destination_workload_namespace": SPACE}
        made.counter("istio_requests_total", _season(rate), **to, response_code="200")
        made.gauge("workload:request_duration_milliseconds:p95", latency, noise=0.04, namespace=SPACE, workload=name)
    innocent_changes(made)
    made.alert("TrafficAboveForecast", "edge has more requests than forecast", minutes_ago=3, service="edge")
    return made


def _season(rate: float) -> Any:
    return lambda minute: rate * (1.6 + cos(2 * pi * minute / (24 * 60)))


@nothing
def no_source_at_all() -> Frozen:
    made = Frozen(namespace=SPACE, objects=None)
    made.alert("ServiceDisrupted", "Something in parcel may be wrong.", minutes_ago=3)
    return made


@nothing
def warnings_that_are_always_there() -> Frozen:
    made = calm(quiet=False)
    told = (
        "WARN deprecated: field 'zip' will be removed",
        "WARN retrying (1/3) after connection reset",
        "INFO retry succeeded",
    )
    failing(made, "booking", *told, ago=89, every=10)
    failing(made, "tracking", "ERROR could not parse user agent, ignoring", ago=89, every=25)
    return made


@nothing
def a_few_errors_as_ever() -> Frozen:
    made = estate(Harm(onset=95, errors={"booking": 0.006, "edge": 0.004}), objects=True)
    failing(made, "booking", "ERROR order refused: address not found", ago=89, every=35)
    made.alert("ServiceDisrupted", "Something in parcel may be wrong.", minutes_ago=3)
    return made


@nothing
def only_innocent_changes() -> Frozen:
    made = calm(quiet=False, seed=11)
    shipped(
        made,
        "booking",
        "v4.0.0",
        "rewrite checkout (breaking!)",
        "-old()\n+new()\n",
        ago=5,
        sha="dadadadadad",
        path="booking/checkout.py",
    )
    shipped(
        made,
        "pricing",
        "v3.0.0",
        "hotfix for the outage",
        "+# careful\n",
        ago=2,
        sha="fefefefefef",
        path="pricing/tax.py",
    )
    return made


@nothing
def scaled_to_zero_on_purpose() -> Frozen:
    made = calm()
    running(made, "legacy", replicas=0)
    made.objects = [
        o
        for o in made.objects or ()
        if o["metadata"]["name"] not in (pod("legacy"), "legacy") or o["kind"] == "Deployment"
    ]
    return made


@nothing
def a_suspended_cron_job() -> Frozen:
    made = calm()
    template = {"spec": k8s.pod_template("cleanup", [k8s.container("cleanup", "registry.test/cleanup:1")])}
    made.add(
        {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": k8s.metadata("CronJob", "cleanup", SPACE),
            "spec": {"schedule": "0 3 * * *", "suspend": True, "jobTemplate": {"spec": {"template": template}}},
            "status": {"lastScheduleTime": made.stamp(60 * 24 * 40)},
        }
    )
    return made


@nothing
def evicted_pods_of_last_week() -> Frozen:
    made = calm()
    owner = made.find("ReplicaSet", "geo")
    for place in range(4):
        gone = k8s.pod(f"geo-{POD}-ev{place}cx", SPACE, owner=owner, phase="Failed", node_name="node-1")
        gone["metadata"]["creationTimestamp"] = made.stamp(60 * 24 * 8)
        gone["status"] = {
            "phase": "Failed",
            "reason": "Evicted",
            "startTime": made.stamp(60 * 24 * 8),
            "message": "The node was low on resource: ephemeral-storage.",
        }
        made.add(gone)
    return made


@nothing
def a_job_that_is_done() -> Frozen:
    made = calm()
    done = made.stamp(50)
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": k8s.metadata("Job", "reindex", SPACE, created=made.stamp(70)),
        "spec": {"completions": 1, "parallelism": 1},
        "status": {"succeeded": 1, "conditions": [{"type": "Complete", "status": "True", "lastTransitionTime": done}]},
    }
    finished = k8s.pod("reindex-x8k2p", SPACE, owner=None, phase="Succeeded", node_name="node-2")
    finished["metadata"]["ownerReferences"] = [
        {"apiVersion": "batch/v1", "kind": "Job", "name": "reindex", "uid": job["metadata"]["uid"], "controller": True}
    ]
    status = finished["status"]["containerStatuses"][0]
    status |= {"ready": False, "state": k8s.terminated("Completed", 0, finished=done)}
    made.add(job, finished)
    return made


@nothing
def warnings_about_pods_long_gone() -> Frozen:
    made = calm()
    old_events(made)
    return made


@nothing
def memory_like_a_saw() -> Frozen:
    made = calm()
    where = {"namespace": SPACE, "pod": f"{pod('geo')}2", "container": "geo", "workload": "geo"}
    made.gauge("container_memory_working_set_bytes", lambda m: 300e6 + ((m + 90) % 9) * 30e6, noise=0.01, **where)
    made.gauge("kube_pod_container_resource_limits", 800e6, noise=0, resource="memory", **where)
    return made


@nothing
def a_little_throttling_as_ever() -> Frozen:
    made = calm()
    where = {"namespace": SPACE, "pod": pod("edge"), "container": "edge", "workload": "edge"}
    made.counter("container_cpu_cfs_throttled_seconds_total", 0.01, noise=0.3, **where)
    return made


@nothing
def taints_that_belong_there() -> Frozen:
    made = calm()
    for name, key in (("control-1", "node-role.kubernetes.io/control-plane"), ("gpu-1", "example.test/gpu")):
        tainted = k8s.node(name)
        tainted["spec"]["taints"] = [{"key": key, "effect": "NoSchedule"}]
        made.add(tainted)
    return made


@nothing
def one_failed_probe_long_past() -> Frozen:
    made = calm()
    made.event(
        made.find("Pod", "booking"), "Unhealthy", "Readiness probe failed: context deadline exceeded", minutes_ago=47
    )
    return made


@nothing
def slow_but_not_slower() -> Frozen:
    made = estate(Harm(onset=95, slow={"booking": 5, "edge": 2}), objects=True)
    made.alert("LatencyHigh", "booking p95 above 500 ms for 3m", minutes_ago=3, service="booking")
    return made


@nothing
def a_config_map_edit_without_effect() -> Frozen:
    made = calm()
    edited = k8s.config_map("geo-settings", SPACE, tiles="13")
    edited["metadata"]["managedFields"] = [
        {
            "manager": "kubectl-edit",
            "operation": "Update",
            "time": made.stamp(9),
            "fieldsType": "FieldsV1",
            "fieldsV1": {},
        }
    ]
    made.add(edited)
    return made


@nothing
def ten_minutes_without_samples() -> Frozen:
    made = calm(objects=False)
    for family, (kind, rows) in made._samples.items():
        kept = [row for row in rows if not -1800 < float(row.rsplit(" ", 1)[1]) - made.now.timestamp() < -1200]
        made._samples[family] = (kind, kept)
    return made


@nothing
def counters_that_began_anew() -> Frozen:
    made = calm()
    rolled_out(made, "tracking", ago=20, image="registry.test/tracking:3.8.1")
    to = {"destination_workload": "archive", "destination_workload_namespace": SPACE, "response_code": "200"}
    made._series(
        "istio_requests_total",
        "counter",
        to,
        [(m * 60.0, (m + 90 if m < -20 else m + 20) * 600.0) for m in range(-90, 1)],
    )
    return made


@nothing
def a_few_retries_that_work() -> Frozen:
    made = calm(quiet=False)
    failing(
        made,
        "billing",
        "WARN attempt 1 of 3 failed: 503 Service Unavailable, retrying",
        "INFO attempt 2 of 3 succeeded",
        ago=89,
        every=40,
    )
    return made


def _each_hour(usual: float, peak: float) -> Any:
    """A peak of ten minutes an hour, the present one eight minutes old."""
    return lambda minute: peak if (minute + 8) % 60 < 10 else usual


@nothing
def an_export_makes_the_same_peak_each_hour() -> Frozen:
    made = System(namespace="retail", seed=5, hours=3.5).nodes()
    made.serve("web", seconds=_each_hour(0.2, 1.4)).serve("catalog", seconds=0.05)
    made.serve("pricing", seconds=_each_hour(0.05, 1.2), cpu=_each_hour(0.3, 1.5))
    made.calls(("web", "pricing"), ("web", "catalog"))
    made.change("deploy", "pricing", "pricing 4.0.1", minutes_ago=9.5, id="dep-1")
    return made.alert("WebLatency", "web slow", service="web")
