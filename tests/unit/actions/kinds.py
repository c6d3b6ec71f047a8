"""One situation for each action of the catalogue in which it is the right one, and what the world is like then."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent_sre.actions.propose import Refusal, propose
from agent_sre.domain.action import Proposal
from agent_sre.domain.hypothesis import Hypothesis
from agent_sre.domain.reference import ObjectRef
from agent_sre.domain.runbook import ActionTemplate
from agent_sre.testing.clock import FrozenClock
from agent_sre.testing.cluster import FakeCluster
from agent_sre.testing.kubernetes_objects import (
    Run,
    config_map,
    container,
    deployment,
    metadata,
    node,
    pod,
    pod_template,
    replica_set,
    terminated,
)
from tests.unit.actions.rollouts import RUNBOOK, bad_rollout

Object = dict[str, Any]
CHECKOUT = ObjectRef("Deployment", "shop", "checkout")
SICK = Run(ready=False, restarts=4, last_state=terminated("OOMKilled", 137))
DIGEST = f"sha256:{'a' * 64}"


def api(kind: str, name: str, version: str, spec: Mapping[str, Any], status: Mapping[str, Any]) -> Object:
    meta = metadata(kind, name, "shop", labels={"app": name})
    return {"apiVersion": version, "kind": kind, "metadata": meta, "spec": dict(spec), "status": dict(status)}


def autoscaler(minimum: int = 2, maximum: int = 4, current: int = 4) -> Object:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "checkout"}
    spec = {"scaleTargetRef": target, "minReplicas": minimum, "maxReplicas": maximum}
    return api("HorizontalPodAutoscaler", "checkout", "autoscaling/v2", spec, {"currentReplicas": current})


def cron_job(*, suspended: bool = False) -> Object:
    template = {"spec": {"template": {"spec": {"containers": [container("run", "shop/report:1")]}}}}
    spec = {"schedule": "0 * * * *", "suspend": suspended, "jobTemplate": template}
    return api("CronJob", "report", "batch/v1", spec, {"lastScheduleTime": "2026-01-05T11:00:00Z"})


def failed_job(*, owner: Object | None = None, **spec: Any) -> Object:
    labels = {"app": "report", "batch.kubernetes.io/controller-uid": "1", "job-name": "report-1", "controller-uid": "1"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container("run", "shop/report:1")]}}
    whole = {"backoffLimit": 2, "selector": {"matchLabels": {"controller-uid": "1"}}, "template": template, **spec}
    condition = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}
    job = api("Job", "report-1", "batch/v1", whole, {"failed": 3, "conditions": [condition]})
    job["metadata"] = metadata("Job", "report-1", "shop", labels=labels, owner=owner)
    return job


def budget(allowed: int, **status: Any) -> Object:
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": "checkout"}}}
    counts = {"disruptionsAllowed": allowed, "currentHealthy": 2, "desiredHealthy": 1, "observedGeneration": 1}
    return api("PodDisruptionBudget", "checkout", "policy/v1", spec, counts | status)


def with_pods(*runs: Run, replicas: int = 3) -> list[Object]:
    """A Deployment with its ReplicaSet and a pod for each run."""
    owner = deployment("checkout", replicas=replicas, available=sum(run.ready for run in runs))
    current = replica_set(owner, "abc", revision=1, replicas=replicas)
    pods = [pod(f"checkout-abc-{index}", owner=current, run=run) for index, run in enumerate(runs)]
    return [owner, current, *pods]


def edited_map() -> list[Object]:
    """A Deployment that uses a ConfigMap of which a key was edited since it was applied."""
    item = config_map("checkout", POOL="1", MODE="fast")
    applied = {"kind": "ConfigMap", "data": {"POOL": "50", "MODE": "fast"}}
    item["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps(applied)}
    source = {"envFrom": [{"configMapRef": {"name": "checkout"}}]}
    template = pod_template("checkout", [{**container("app", "shop/checkout:1"), **source}])
    return [deployment("checkout", template=template), item, config_map("other", POOL="9")]


def half_rolled_out() -> list[Object]:
    objects = bad_rollout()
    objects[0]["status"] |= {"updatedReplicas": 1, "replicas": 3}
    return objects


def paused() -> list[Object]:
    objects = half_rolled_out()
    objects[0]["spec"]["paused"] = True
    return objects


def limited() -> list[Object]:
    resources = {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "256Mi"}}
    template = pod_template("checkout", [container("app", "shop/checkout:1"), container("proxy", "mesh/proxy:1")])
    template["spec"]["containers"][0]["resources"] = resources
    owner = deployment("checkout", template=template)
    current = replica_set(owner, "abc", revision=1, template=template, replicas=2)
    return [owner, current, *(pod(f"checkout-abc-{index}", owner=current, run=SICK) for index in range(2))]


def known_image() -> list[Object]:
    worker = node()
    worker["status"]["images"] = [{"names": [f"docker.io/shop/checkout@{DIGEST}", "docker.io/shop/checkout:1"]}]
    return [*bad_rollout(), worker]


@dataclass(frozen=True)
class Case:
    """Where the action is right: objects, what is at fault, parameters as in a runbook, and what is true after."""

    action: str
    objects: Callable[[], list[Object]]
    fault: ObjectRef
    parameters: Mapping[str, str | int | bool]
    target: ObjectRef
    after: Callable[[FakeCluster], bool]
    resolved: Mapping[str, str | int | bool] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.action


def _spec(cluster: FakeCluster, ref: ObjectRef) -> Any:
    found = cluster.peek(ref)
    assert found is not None, ref
    return found["spec"]


def _data(cluster: FakeCluster, ref: ObjectRef) -> Any:
    found = cluster.peek(ref)
    assert found is not None, ref
    return found["data"]


def _going(cluster: FakeCluster, ref: ObjectRef) -> bool:
    found = cluster.peek(ref)
    return found is None or "deletionTimestamp" in found["metadata"]


def _image(cluster: FakeCluster) -> str:
    return str(_spec(cluster, CHECKOUT)["template"]["spec"]["containers"][0]["image"])


HPA = ObjectRef("HorizontalPodAutoscaler", "shop", "checkout")
POD = ObjectRef("Pod", "shop", "checkout-abc-1")
CRON = ObjectRef("CronJob", "shop", "report")
JOB = ObjectRef("Job", "shop", "report-1")
MAP = ObjectRef("ConfigMap", "shop", "checkout")
NODE = ObjectRef("Node", "", "node-1")
MORE = {"autoscaler": "$object", "minimum": "$unchanged", "maximum": "$half_more"}
MEMORY = {"workload": "$object", "container": "$container", "resource": "memory", "percent": 150}
IMAGE = {"workload": "$object", "container": "$container", "image": "$previous_image"}


def _memory(cluster: FakeCluster) -> Any:
    return _spec(cluster, CHECKOUT)["template"]["spec"]["containers"][0]["resources"]


def _jobs(cluster: FakeCluster) -> list[Any]:
    return [item for ref, item in cluster.everything().items() if ref.kind == "Job"]


def _sick_pod() -> list[Object]:
    return with_pods(Run(), SICK, Run())


RAISED = {"requests": {"cpu": "100m", "memory": "384Mi"}, "limits": {"memory": "384Mi"}}
CASES = (
    Case("rollout_undo", bad_rollout, CHECKOUT, {"workload": "$object", "to_revision": "$previous_revision"}, CHECKOUT,
         lambda cluster: _image(cluster) == "shop/checkout:1", {"to_revision": 1}),
    Case("rollout_restart", bad_rollout, CHECKOUT, {"workload": "$object"}, CHECKOUT,
         lambda cluster: "restartedAt" in str(_spec(cluster, CHECKOUT)["template"]["metadata"])),
    Case("rollout_pause", half_rolled_out, CHECKOUT, {"workload": "$object"}, CHECKOUT,
         lambda cluster: _spec(cluster, CHECKOUT)["paused"] is True),
    Case("rollout_resume", paused, CHECKOUT, {"workload": "$object"}, CHECKOUT,
         lambda cluster: "paused" not in _spec(cluster, CHECKOUT)),
    Case("scale", bad_rollout, CHECKOUT, {"workload": "$object", "replicas": "$half_more"}, CHECKOUT,
         lambda cluster: _spec(cluster, CHECKOUT)["replicas"] == 3, {"replicas": 3}),
    Case("hpa_bounds", lambda: [*with_pods(Run(), Run(), Run()), autoscaler()], POD, MORE, HPA,
         lambda cluster: _spec(cluster, HPA)["maxReplicas"] == 6 and _spec(cluster, HPA)["minReplicas"] == 2,
         {"minimum": 2, "maximum": 6}),
    Case("image_restore", known_image, CHECKOUT, IMAGE, CHECKOUT,
         lambda cluster: _image(cluster) == f"shop/checkout@{DIGEST}",
         {"container": "app", "image": f"shop/checkout@{DIGEST}"}),
    Case("resources_set", limited, CHECKOUT, MEMORY, CHECKOUT,
         lambda cluster: _memory(cluster) == RAISED,
         {"container": "app"}),
    Case("config_map_restore", edited_map, CHECKOUT, {"config_map": "$object", "key": "$changed_key"}, MAP,
         lambda cluster: _data(cluster, MAP) == {"POOL": "50", "MODE": "fast"}, {"key": "POOL"}),
    Case("pod_delete", _sick_pod, CHECKOUT, {"pod": "$object"}, POD, lambda cluster: _going(cluster, POD)),
    Case("pod_evict", lambda: [*with_pods(Run(), Run(), Run()), budget(1)], POD, {"pod": "$object"}, POD,
         lambda cluster: _going(cluster, POD)),
    Case("node_cordon", lambda: [node("node-1"), node("node-2"), node("node-3")], NODE, {"node": "$object"}, NODE,
         lambda cluster: _spec(cluster, NODE)["unschedulable"] is True),
    Case("node_uncordon", lambda: [*bad_rollout(), node("node-1", cordoned=True), node("node-2")], CHECKOUT,
         {"node": "$object"}, NODE, lambda cluster: "unschedulable" not in _spec(cluster, NODE)),
    Case("cronjob_suspend", lambda: [cron_job(), failed_job(owner=cron_job())], JOB, {"cron_job": "$object"}, CRON,
         lambda cluster: _spec(cluster, CRON)["suspend"] is True),
    Case("cronjob_resume", lambda: [cron_job(suspended=True)], CRON, {"cron_job": "$object"}, CRON,
         lambda cluster: _spec(cluster, CRON)["suspend"] is False),
    Case("job_delete", lambda: [failed_job()], JOB, {"job": "$object"}, JOB, lambda cluster: _going(cluster, JOB)),
    Case("job_rerun", lambda: [cron_job(), failed_job(owner=cron_job())], JOB, {"job": "$object"}, JOB,
         lambda cluster: len(_jobs(cluster)) == 2),
)  # fmt: skip


def case(action: str) -> Case:
    return next(item for item in CASES if item.action == action)


async def proposed_by(
    cluster: FakeCluster, action: str, parameters: Mapping[str, str | int | bool], fault: ObjectRef
) -> Proposal | Refusal:
    template = ActionTemplate(action, parameters, (), "", "", "")
    about = Hypothesis(1, "bad_deploy", fault, 0.9, "It is so.", ("E1",))
    now = FrozenClock().now()
    return await propose(template, RUNBOOK, about, cluster, incident_id="INC-1", proposal_id="INC-1-1-1", now=now)


async def proposal_of(item: Case, cluster: FakeCluster) -> Proposal:
    made = await proposed_by(cluster, item.action, item.parameters, item.fault)
    assert isinstance(made, Proposal), made
    return made
