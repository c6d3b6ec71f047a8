"""Whether an action helped is asked of the right object: the one changed, gone or made, and who feels it."""

from collections.abc import Mapping
from typing import Any

import pytest

from agent_sre.domain.effect import Verified
from agent_sre.domain.reference import ObjectRef
from agent_sre.testing.cluster import FakeCluster
from agent_sre.testing.kubernetes_objects import Run, pod
from tests.unit.actions.executions import World
from tests.unit.actions.kinds import CASES, CHECKOUT, CRON, HPA, JOB, MAP, NODE, POD, Case, case, proposal_of
from tests.unit.actions.rollouts import approved
from tests.unit.actions.test_verification import Look, ScriptedMetrics, firing_until

CALM = ScriptedMetrics(firing_until(0))
HEALTHY = {"observedGeneration": 9, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3}


async def done(item: Case) -> Look:
    """The world after the action, before any controller saw it."""
    world = World(cluster=FakeCluster(item.objects()))
    made = await proposal_of(item, world.cluster)
    await world.run(approved(made))
    return Look(world.cluster, made)


def settle(cluster: FakeCluster, ref: ObjectRef, **status: Any) -> None:
    cluster.update(ref, {"status": status})


def replace_pod(cluster: FakeCluster) -> None:
    """What the controllers do after a pod went."""
    old = cluster.peek(POD)
    cluster.drop(POD)
    owner = next(item for ref, item in cluster.everything().items() if ref.kind == "ReplicaSet")
    cluster.add(pod("checkout-abc-9", owner=owner, run=Run()))
    assert old is not None
    settle(cluster, CHECKOUT, **HEALTHY)


@pytest.mark.parametrize("action", ["pod_delete", "pod_evict"])
async def test_a_pod_is_well_when_it_is_gone_and_its_workload_is_whole(action: str) -> None:
    look = await done(case(action))
    verified, sentence = await look.verify(CALM)
    assert (verified, "is still there" in sentence) == (Verified.NOT_RECOVERED, True)
    look = await done(case(action))
    replace_pod(look.cluster)
    verified, sentence = await look.verify(CALM)
    assert verified is Verified.RECOVERED
    assert "Pod shop/checkout-abc-1 is gone; Deployment shop/checkout has 3 of 3 replicas updated" in sentence


async def test_a_pod_of_the_same_name_is_another_pod() -> None:
    look = await done(case("pod_delete"))
    old = look.cluster.peek(POD)
    assert old is not None
    look.cluster.add({**old, "metadata": {**old["metadata"], "uid": "another", "deletionTimestamp": None}})
    settle(look.cluster, CHECKOUT, **HEALTHY)
    verified, _ = await look.verify(CALM)
    assert verified is Verified.RECOVERED


async def test_a_pod_that_is_gone_from_a_workload_that_stays_short_is_no_recovery() -> None:
    look = await done(case("pod_delete"))
    look.cluster.drop(POD)
    verified, sentence = await look.verify(CALM)
    assert verified is Verified.NOT_RECOVERED
    assert "2 available" in sentence


@pytest.mark.parametrize(
    ("condition", "expected"),
    [("Complete", Verified.RECOVERED), ("Failed", Verified.NOT_RECOVERED), ("", Verified.NOT_RECOVERED)],
)
async def test_a_job_that_runs_again_must_be_complete(condition: str, expected: Verified) -> None:
    look = await done(case("job_rerun"))
    made = next(ref for ref in look.cluster.everything() if ref.kind == "Job" and ref != JOB)
    if condition:
        settle(look.cluster, made, conditions=[{"type": condition, "status": "True"}])
    verified, sentence = await look.verify(CALM)
    assert verified is expected
    assert "again-" in sentence


async def test_a_failed_job_that_was_deleted_is_gone() -> None:
    look = await done(case("job_delete"))
    assert (await look.verify(CALM))[0] is Verified.RECOVERED


@pytest.mark.parametrize(
    ("action", "ref", "undone"),
    [
        ("rollout_pause", CHECKOUT, {"spec": {"paused": None}}),
        ("cronjob_suspend", CRON, {"spec": {"suspend": False}}),
        ("cronjob_resume", CRON, {"spec": {"suspend": True}}),
        ("node_cordon", NODE, {"spec": {"unschedulable": None}}),
        ("config_map_restore", MAP, {"data": {"POOL": "1"}}),
        ("hpa_bounds", HPA, {"spec": {"maxReplicas": 4}}),
    ],
)
async def test_a_change_that_somebody_put_back_is_no_recovery(
    action: str, ref: ObjectRef, undone: Mapping[str, Any]
) -> None:
    look = await done(case(action))
    good = await look.verify(CALM)
    assert good[0] is Verified.RECOVERED, good[1]
    look = await done(case(action))
    look.cluster.update(ref, undone)
    verified, sentence = await look.verify(CALM)
    assert verified is Verified.NOT_RECOVERED
    assert "put it back" in sentence or "not paused" in sentence


@pytest.mark.parametrize("action", ["scale", "resources_set", "image_restore", "rollout_resume", "node_uncordon"])
async def test_a_workload_that_has_not_settled_is_not_called_recovered(action: str) -> None:
    look = await done(case(action))
    settle(look.cluster, CHECKOUT, observedGeneration=0)
    assert (await look.verify(CALM))[0] is Verified.NOT_RECOVERED
    look = await done(case(action))
    settle(look.cluster, CHECKOUT, **HEALTHY)
    verified, sentence = await look.verify(CALM)
    assert verified is Verified.RECOVERED, sentence


def test_every_action_is_among_these() -> None:
    here = {"pod_delete", "pod_evict", "job_rerun", "job_delete", "rollout_pause", "cronjob_suspend", "cronjob_resume"}
    here |= {"node_cordon", "config_map_restore", "hpa_bounds", "scale", "resources_set", "image_restore"}
    here |= {"rollout_resume", "node_uncordon", "rollout_undo", "rollout_restart"}  # the last two: test_verification
    assert {item.action for item in CASES} == here
