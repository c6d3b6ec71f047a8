"""When an action is not proposed at all: the object is not in the situation it is for, or the values have no sense."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from agent_sre.actions.kind import Refusal, RefusalReason
from agent_sre.adapters.store_sql.codec import encode
from agent_sre.domain.action import Proposal, Reach
from agent_sre.domain.reference import ObjectRef
from agent_sre.testing.cluster import FakeCluster
from agent_sre.testing.kubernetes_objects import (
    Run,
    config_map,
    container,
    deployment,
    node,
    pod,
    pod_template,
    replica_set,
)
from tests.unit.actions.kinds import (
    CHECKOUT,
    CRON,
    DIGEST,
    HPA,
    IMAGE,
    JOB,
    MAP,
    MEMORY,
    MORE,
    NODE,
    POD,
    SICK,
    Object,
    autoscaler,
    case,
    cron_job,
    edited_map,
    failed_job,
    known_image,
    limited,
    proposal_of,
    proposed_by,
    with_pods,
)
from tests.unit.actions.rollouts import bad_rollout

Parameters = Mapping[str, str | int | bool]


def scaled(**spec: Any) -> list[Object]:
    objects = bad_rollout()
    objects[0]["spec"] |= spec
    return objects


def job_that(kind: str) -> Object:
    job = failed_job()
    job["status"] = {"conditions": [{"type": kind, "status": "True"}]} if kind else {"active": 1}
    return job


def bare_pod(**metadata: Any) -> list[Object]:
    alone = pod("checkout-abc-1")
    alone["metadata"] |= metadata
    return [alone]


def job_pod() -> list[Object]:
    job = failed_job()
    return [job, pod("checkout-abc-1", owner=job, spec={"containers": [container("run", "shop/report:1")]})]


def map_that(applied: str | None, **data: str) -> list[Object]:
    item = config_map("checkout", **data)
    if applied is not None:
        item["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": applied}
    return [item]


def immutable() -> list[Object]:
    objects = edited_map()
    objects[1]["immutable"] = True
    return objects


def unlimited() -> list[Object]:
    template = pod_template("checkout", [container("app", "shop/checkout:1")])
    template["spec"]["containers"][0]["resources"] = {"requests": {"memory": "64Mi"}}
    return [deployment("checkout", template=template)]


def two_containers() -> list[Object]:
    template = pod_template("checkout", [container("app", "a:1"), container("proxy", "p:1")])
    return [deployment("checkout", template=template)]


def huge() -> list[Object]:
    objects = limited()
    objects[0]["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"] = "60Gi"
    return objects


def pressed() -> list[Object]:
    return [node("node-1", cordoned=True, pressure="MemoryPressure"), node("node-2")]


SCALE: Parameters = {"workload": "$object", "replicas": "$half_more"}
BEFORE: Parameters = {"workload": "$object", "replicas": "$previous_replicas"}
KEY: Parameters = {"config_map": "$object", "key": "$changed_key"}

REFUSED: tuple[tuple[str, Callable[[], list[Object]], ObjectRef, Parameters, RefusalReason], ...] = (
    ("rollout_pause", bad_rollout, CHECKOUT, {"workload": "$object"}, RefusalReason.NOTHING_TO_CHANGE),
    ("rollout_resume", bad_rollout, CHECKOUT, {"workload": "$object"}, RefusalReason.NOTHING_TO_CHANGE),
    ("scale", lambda: [*bad_rollout(), autoscaler()], CHECKOUT, SCALE, RefusalReason.KEPT_BY_ANOTHER),
    ("scale", bad_rollout, CHECKOUT, {"workload": "$object", "replicas": 2}, RefusalReason.NOTHING_TO_CHANGE),
    ("scale", lambda: scaled(replicas=150), CHECKOUT, SCALE, RefusalReason.OUT_OF_BOUNDS),
    ("scale", lambda: [deployment("checkout", replicas=0)], CHECKOUT, BEFORE, RefusalReason.NOT_KNOWN),
    ("hpa_bounds", lambda: with_pods(Run()), CHECKOUT, MORE, RefusalReason.NOT_ONE),
    ("hpa_bounds", lambda: [autoscaler(2, 150)], HPA, MORE, RefusalReason.OUT_OF_BOUNDS),
    ("hpa_bounds", lambda: [autoscaler()], HPA, {**MORE, "minimum": 9, "maximum": 4}, RefusalReason.OUT_OF_BOUNDS),
    ("hpa_bounds", lambda: [autoscaler()], HPA, {**MORE, "maximum": 4}, RefusalReason.NOTHING_TO_CHANGE),
    ("image_restore", bad_rollout, CHECKOUT, IMAGE, RefusalReason.NOT_KNOWN),
    ("image_restore", lambda: [deployment("checkout")], CHECKOUT, IMAGE, RefusalReason.NO_EARLIER_REVISION),
    ("image_restore", known_image, CHECKOUT, {**IMAGE, "image": f"evil/x@{DIGEST}"}, RefusalReason.NOT_KNOWN),
    ("image_restore", known_image, CHECKOUT, {**IMAGE, "container": "other"}, RefusalReason.NOT_FOUND),
    ("resources_set", unlimited, CHECKOUT, MEMORY, RefusalReason.OUT_OF_BOUNDS),
    ("resources_set", two_containers, CHECKOUT, MEMORY, RefusalReason.NOT_ONE),
    ("resources_set", huge, CHECKOUT, MEMORY, RefusalReason.OUT_OF_BOUNDS),
    ("config_map_restore", immutable, CHECKOUT, KEY, RefusalReason.KEPT_BY_ANOTHER),
    ("config_map_restore", lambda: map_that(None, A="1"), MAP, KEY, RefusalReason.NOT_KNOWN),
    ("config_map_restore", lambda: map_that("no JSON", A="1"), MAP, KEY, RefusalReason.NOT_KNOWN),
    ("config_map_restore", lambda: map_that('{"data": {"A": 1}}', A="1"), MAP, KEY, RefusalReason.NOT_KNOWN),
    ("config_map_restore", lambda: map_that('{"data": {"A": "1"}}', A="1"), MAP, KEY, RefusalReason.NOT_KNOWN),
    ("config_map_restore", lambda: map_that('{"data": {"A": "2", "B": "2"}}', A="1", B="1"), MAP, KEY,
     RefusalReason.NOT_ONE),
    ("config_map_restore", edited_map, MAP, {**KEY, "key": "MODE"}, RefusalReason.NOTHING_TO_CHANGE),
    ("config_map_restore", lambda: with_pods(Run()), CHECKOUT, KEY, RefusalReason.NOT_ONE),
    ("pod_delete", lambda: with_pods(Run(), Run()), CHECKOUT, {"pod": "$object"}, RefusalReason.NOT_ONE),
    ("pod_delete", lambda: with_pods(SICK, SICK), CHECKOUT, {"pod": "$object"}, RefusalReason.NOT_ONE),
    ("pod_delete", lambda: with_pods(SICK), CHECKOUT, {"pod": "$object"}, RefusalReason.NOT_ONE),
    ("pod_delete", bare_pod, POD, {"pod": "$object"}, RefusalReason.NOT_REPLACED),
    ("pod_delete", job_pod, POD, {"pod": "$object"}, RefusalReason.NOT_REPLACED),
    ("pod_evict", bare_pod, POD, {"pod": "$object"}, RefusalReason.NOT_REPLACED),
    ("node_cordon", lambda: [node("node-1")], NODE, {"node": "$object"}, RefusalReason.OUT_OF_BOUNDS),
    ("node_cordon", lambda: [node("node-1"), node("node-2", ready=False)], NODE, {"node": "$object"},
     RefusalReason.OUT_OF_BOUNDS),
    ("node_cordon", lambda: [node("node-1", cordoned=True), node("node-2")], NODE, {"node": "$object"},
     RefusalReason.NOTHING_TO_CHANGE),
    ("node_uncordon", pressed, NODE, {"node": "$object"}, RefusalReason.OUT_OF_BOUNDS),
    ("node_uncordon", lambda: [*bad_rollout(), *(node(f"node-{n}", cordoned=True) for n in (1, 2))], CHECKOUT,
     {"node": "$object"}, RefusalReason.NOT_ONE),
    ("cronjob_suspend", lambda: [cron_job(suspended=True)], CRON, {"cron_job": "$object"},
     RefusalReason.NOTHING_TO_CHANGE),
    ("cronjob_suspend", lambda: [failed_job()], JOB, {"cron_job": "$object"}, RefusalReason.WRONG_KIND),
    ("cronjob_resume", lambda: [cron_job()], CRON, {"cron_job": "$object"}, RefusalReason.NOTHING_TO_CHANGE),
    ("job_delete", lambda: [job_that("Complete")], JOB, {"job": "$object"}, RefusalReason.NOTHING_TO_CHANGE),
    ("job_delete", lambda: [job_that("")], JOB, {"job": "$object"}, RefusalReason.NOTHING_TO_CHANGE),
    ("job_rerun", lambda: [job_that("")], JOB, {"job": "$object"}, RefusalReason.NOTHING_TO_CHANGE),
    ("job_rerun", lambda: [failed_job(manualSelector=True)], JOB, {"job": "$object"}, RefusalReason.KEPT_BY_ANOTHER),
)  # fmt: skip


@pytest.mark.parametrize(("action", "objects", "fault", "parameters", "reason"), REFUSED)
async def test_it_is_not_proposed_where_it_is_not_right(
    action: str, objects: Callable[[], list[Object]], fault: ObjectRef, parameters: Parameters, reason: RefusalReason
) -> None:
    cluster = FakeCluster(objects())
    made = await proposed_by(cluster, action, parameters, fault)
    assert isinstance(made, Refusal), made
    assert made.reason is reason, made.sentence
    assert cluster.effects == []


@pytest.mark.parametrize("value", [0, -1, 201, 100_000, True, "3", "$previous_revision", "$half_more; rm -rf /"])
async def test_replicas_out_of_bounds_are_refused_before_anything_is_read(value: int | str | bool) -> None:
    cluster = FakeCluster(bad_rollout())
    made = await proposed_by(cluster, "scale", {"workload": "$object", "replicas": value}, CHECKOUT)
    assert isinstance(made, Refusal)
    assert made.reason is RefusalReason.INVALID_PARAMETERS
    assert cluster.calls == []


@pytest.mark.parametrize(
    ("action", "parameters"),
    [
        ("resources_set", {**MEMORY, "percent": 49}),
        ("resources_set", {**MEMORY, "percent": 201}),
        ("resources_set", {**MEMORY, "resource": "nvidia.com/gpu"}),
        ("resources_set", {**MEMORY, "container": "a b"}),
        ("image_restore", {**IMAGE, "image": "shop/checkout:latest"}),
        ("image_restore", {**IMAGE, "image": "shop/checkout@sha256:123"}),
        ("config_map_restore", {"config_map": "ConfigMap kube-system/coredns", "key": "Corefile"}),
        ("config_map_restore", {"config_map": "$object", "key": "$changed_key", "value": "x"}),
        ("hpa_bounds", {**MORE, "minimum": 0}),
        ("hpa_bounds", {**MORE, "maximum": 100_000}),
        ("node_cordon", {"node": "Node control-plane"}),
    ],
)
async def test_values_that_no_runbook_may_have(action: str, parameters: Parameters) -> None:
    cluster = FakeCluster()
    made = await proposed_by(cluster, action, parameters, CHECKOUT)
    assert isinstance(made, Refusal)
    assert made.reason is RefusalReason.INVALID_PARAMETERS
    assert cluster.calls == []


def with_secret(objects: list[Object]) -> list[Object]:
    """Every container gets a password in plain text, and every ConfigMap a key with one."""
    for item in objects:
        template = item["spec"].get("template") if "spec" in item else None
        for each in (template or {}).get("spec", {}).get("containers", []):
            each["env"] = [{"name": "DB_PASSWORD", "value": "hunter2-canary"}]
        if "data" in item:
            item["data"]["POOL"] = "mysql://u:hunter2-canary@db/x"
    return objects


@pytest.mark.parametrize("action", ["resources_set", "image_restore", "job_rerun", "config_map_restore"])
async def test_a_change_that_would_have_to_be_stored_with_a_secret_is_not_proposed(action: str) -> None:
    item = case(action)
    made = await proposed_by(FakeCluster(with_secret(item.objects())), action, item.parameters, item.fault)
    assert isinstance(made, Refusal)
    assert made.reason is RefusalReason.HOLDS_SECRET
    assert "hunter2" not in made.sentence


@pytest.mark.parametrize("action", ["job_delete", "pod_delete", "pod_evict", "scale", "rollout_restart"])
async def test_what_is_stored_of_other_changes_holds_no_secret(action: str) -> None:
    item = case(action)
    made = await proposal_of(item, FakeCluster(with_secret(item.objects())))
    assert "hunter2" not in encode(made)


# ---------------------------------------------------------------------------------------- what else they must know


async def test_the_number_before_comes_from_the_clusters_own_notes() -> None:
    stopped = deployment("checkout", replicas=3)
    noted = replica_set(stopped, "abc", revision=1)
    stopped["spec"]["replicas"] = 0
    made = await proposed_by(FakeCluster([stopped, noted]), "scale", BEFORE, CHECKOUT)
    assert isinstance(made, Proposal)
    assert made.parameters["replicas"] == 3
    assert made.undo.startswith("Scale Deployment shop/checkout back to 0")


async def test_a_digest_is_taken_from_a_pod_of_that_revision_and_never_where_two_are_known() -> None:
    objects = bad_rollout()
    old = pod("checkout-old-1", owner=objects[1])
    old["status"]["containerStatuses"][0]["imageID"] = f"shop/checkout@{DIGEST}"
    made = await proposed_by(FakeCluster([*objects, old]), "image_restore", IMAGE, CHECKOUT)
    assert isinstance(made, Proposal)
    assert made.parameters["image"] == f"shop/checkout@{DIGEST}"
    worker = node()
    other = f"sha256:{'b' * 64}"
    worker["status"]["images"] = [{"names": [f"shop/checkout@{other}", "shop/checkout:1"]}]
    moved = await proposed_by(FakeCluster([*objects, old, worker]), "image_restore", IMAGE, CHECKOUT)
    assert isinstance(moved, Refusal)
    assert moved.reason is RefusalReason.NOT_KNOWN


async def test_the_container_that_was_killed_is_the_one_that_gets_more() -> None:
    made = await proposal_of(case("resources_set"), FakeCluster(limited()))
    assert made.parameters["container"] == "app"
    assert "proxy" not in made.preview
    assert "256Mi" in made.preview and "384Mi" in made.preview


async def test_a_run_again_leaves_out_what_the_controller_wrote_and_lives_a_day() -> None:
    owner = cron_job()
    item = failed_job(owner=owner, ttlSecondsAfterFinished=60)
    made = await proposed_by(FakeCluster([owner, item]), "job_rerun", {"job": "$object"}, JOB)
    assert isinstance(made, Proposal)
    job: Any = made.patch
    assert "selector" not in job["spec"]
    assert job["spec"]["ttlSecondsAfterFinished"] == 86400
    assert job["spec"]["template"]["metadata"]["labels"] == {"app": "report"}
    assert job["metadata"]["labels"] == {"app": "report"}
    assert job["metadata"]["ownerReferences"] == item["metadata"]["ownerReferences"]
    assert job["metadata"]["name"].startswith("report-1-again-")
    assert len(job["metadata"]["name"]) <= 63


async def test_a_long_name_is_cut_where_a_copy_is_made() -> None:
    item = failed_job()
    item["metadata"]["name"] = "a" * 60
    ref = ObjectRef("Job", "shop", "a" * 60)
    made = await proposed_by(FakeCluster([item]), "job_rerun", {"job": "$object"}, ref)
    assert isinstance(made, Proposal)
    name = str(made.patch["metadata"]["name"])  # type: ignore[index]
    assert len(name) == 63


async def test_the_workload_and_its_labels_are_known_of_a_pod_too() -> None:
    objects = with_pods(Run(), SICK, Run())
    objects[0]["metadata"]["labels"]["team"] = "payments"
    made = await proposed_by(FakeCluster(objects), "pod_delete", {"pod": "$object"}, POD)
    assert isinstance(made, Proposal)
    assert made.concerns == CHECKOUT
    assert "team=payments" in made.labels
    assert made.reach == Reach(pods=1, missing=0, of=3)


async def test_taking_a_pod_that_serves_counts_those_that_are_missing_already() -> None:
    made = await proposed_by(FakeCluster(with_pods(Run(), Run(), SICK, SICK)), "pod_delete", {"pod": "$object"}, POD)
    assert isinstance(made, Proposal)
    assert made.reach == Reach(pods=1, missing=3, of=4)


@pytest.mark.parametrize(
    ("spec", "available", "expected"),
    [
        ({}, 4, Reach(pods=4, missing=1, of=4)),
        ({"strategy": {"type": "Recreate"}}, 4, Reach(pods=4, missing=4, of=4)),
        ({"strategy": {"type": "Recreate"}}, 0, Reach(pods=4, missing=0, of=4)),
        ({"strategy": {"type": "Recreate"}}, 1, Reach(pods=4, missing=4, of=4)),
        ({"strategy": {"rollingUpdate": {"maxUnavailable": 0}}}, 4, Reach(pods=4, missing=0, of=4)),
        ({"strategy": {"rollingUpdate": {"maxUnavailable": "100%"}}}, 4, Reach(pods=4, missing=4, of=4)),
        ({"strategy": {"rollingUpdate": {"maxUnavailable": 3}}}, 2, Reach(pods=4, missing=3, of=4)),
    ],
)
async def test_how_far_a_rollout_reaches_follows_from_its_strategy(
    spec: dict[str, Any], available: int, expected: Reach
) -> None:
    item = deployment("checkout", replicas=4, available=available)
    item["spec"] |= spec
    made = await proposed_by(FakeCluster([item]), "rollout_restart", {"workload": "$object"}, CHECKOUT)
    assert isinstance(made, Proposal)
    assert made.reach == expected
