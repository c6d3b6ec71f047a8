"""The cluster in memory follows the API server's rules that callers depend on."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest

from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.reference import ObjectRef
from agent_sre.testing.cluster import FakeCluster
from agent_sre.testing.kubernetes_objects import container, deployment, node, pod, pod_template, replica_set

REF = ObjectRef("Deployment", "shop", "checkout")


def cluster_with(*objects: Mapping[str, Any]) -> FakeCluster:
    return FakeCluster(objects or (deployment("checkout"),))


def version(cluster: FakeCluster, ref: ObjectRef = REF) -> str:
    found = cluster.peek(ref)
    assert found is not None
    return str(found["metadata"]["resourceVersion"])


async def test_lists_one_namespace_or_all_and_cluster_scoped_kinds() -> None:
    cluster = cluster_with(pod("a", "one"), pod("b", "two"), node("n"))
    assert [item["metadata"]["name"] for item in await cluster.list("Pod", "two")] == ["b"]
    assert [item["metadata"]["name"] for item in await cluster.list("Pod", "")] == ["a", "b"]
    assert [item["metadata"]["name"] for item in await cluster.list("Node", "")] == ["n"]
    assert await cluster.get(ObjectRef("Pod", "one", "b")) is None


async def test_a_patch_of_the_spec_makes_a_new_version_and_generation() -> None:
    cluster = cluster_with()
    before = version(cluster)
    after = await cluster.patch(REF, {"spec": {"replicas": 5}}, resource_version=before)
    assert after["spec"]["replicas"] == 5
    assert after["metadata"]["generation"] == 2
    assert after["metadata"]["resourceVersion"] != before


async def test_a_patch_of_an_annotation_keeps_the_generation() -> None:
    cluster = cluster_with()
    after = await cluster.patch(REF, {"metadata": {"annotations": {"a": "b"}}}, resource_version=version(cluster))
    assert after["metadata"]["generation"] == 1
    assert after["metadata"]["annotations"]["a"] == "b"


async def test_a_patch_that_changes_nothing_keeps_the_version() -> None:
    cluster = cluster_with()
    before = version(cluster)
    await cluster.patch(REF, {"spec": {"replicas": 2}}, resource_version=before)
    assert version(cluster) == before


async def test_a_stale_version_is_a_conflict_that_names_both() -> None:
    cluster = cluster_with()
    stale = version(cluster)
    cluster.update(REF, {"status": {"readyReplicas": 1}})
    with pytest.raises(PermanentError, match=f"conflict.*{version(cluster)}.*{stale}"):
        await cluster.patch(REF, {"spec": {"replicas": 5}}, resource_version=stale)
    assert (cluster.peek(REF) or {})["spec"]["replicas"] == 2


async def test_a_dry_run_answers_and_changes_nothing() -> None:
    cluster = cluster_with()
    before = cluster.peek(REF)
    after = await cluster.patch(REF, {"spec": {"replicas": 5}}, resource_version=version(cluster), dry_run=True)
    assert after["spec"]["replicas"] == 5
    assert cluster.peek(REF) == before
    assert cluster.patches == ()


async def test_a_missing_right_names_verb_resource_and_namespace() -> None:
    cluster = cluster_with()
    cluster.forbid("patch", "Deployment", "shop")
    with pytest.raises(PermanentError, match=r'cannot patch resource "deployments".*"apps".*namespace "shop"'):
        await cluster.patch(REF, {}, resource_version=version(cluster))
    assert (await cluster.get(REF)) is not None


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        ({"spec": {"selector": {"matchLabels": {"app": "other"}}}}, "spec.selector of a Deployment is never patched"),
        (
            {"spec": {"template": {"metadata": {"labels": {"app": None}}}}},
            "`selector` does not match template `labels`",
        ),
        ({"metadata": {"name": "other"}}, "metadata.name of a Deployment is never patched"),
        ({"metadata": None}, "metadata of a Deployment is never patched"),
        ({"metadata": {"annotations": {"a": "b"}}, "status": {"replicas": 99}}, "status of a Deployment is never"),
    ],
)
async def test_what_the_writer_or_a_server_refuses_changes_nothing(patch: Mapping[str, Any], words: str) -> None:
    cluster = cluster_with()
    before = cluster.peek(REF)
    with pytest.raises(PermanentError) as caught:
        await cluster.patch(REF, patch, resource_version=version(cluster))
    assert words in str(caught.value)
    assert cluster.peek(REF) == before


async def test_a_lost_answer_comes_after_the_effect_and_a_failure_before() -> None:
    cluster = cluster_with()
    cluster.fail("patch", TemporaryError("down"))
    with pytest.raises(TemporaryError, match="down"):
        await cluster.patch(REF, {"spec": {"replicas": 5}}, resource_version=version(cluster))
    assert (cluster.peek(REF) or {})["spec"]["replicas"] == 2
    cluster.lose_answers()
    with pytest.raises(TemporaryError, match="cut"):
        await cluster.patch(REF, {"spec": {"replicas": 5}}, resource_version=version(cluster))
    assert (cluster.peek(REF) or {})["spec"]["replicas"] == 5


async def test_a_controller_can_react_to_a_patch() -> None:
    seen: list[tuple[int, int]] = []

    def controller(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        seen.append((before["spec"]["replicas"], after["spec"]["replicas"]))
        cluster.update(REF, {"status": {"observedGeneration": after["metadata"]["generation"]}})

    cluster = FakeCluster([deployment("checkout")], on_patch=controller)
    await cluster.patch(REF, {"spec": {"replicas": 5}}, resource_version=version(cluster))
    assert seen == [(2, 5)]
    assert (cluster.peek(REF) or {})["status"]["observedGeneration"] == 2


async def test_what_is_given_out_is_a_copy() -> None:
    cluster = cluster_with()
    (given,) = await cluster.list("Deployment", "shop")
    given["spec"]["replicas"] = 99
    assert (cluster.peek(REF) or {})["spec"]["replicas"] == 2


async def test_unknown_kinds_and_objects_are_errors_with_a_name() -> None:
    cluster = cluster_with()
    with pytest.raises(PermanentError, match="Secrets is never read"):
        await cluster.list("Secret", "shop")
    with pytest.raises(PermanentError, match=r'deployments\.apps "gone" not found'):
        await cluster.patch(ObjectRef("Deployment", "shop", "gone"), {}, resource_version="1")


def test_built_objects_share_nothing_with_each_other_or_their_arguments() -> None:
    template = pod_template("checkout", [container("app", "shop/checkout:1")])
    untouched = deepcopy(template)
    owner = deployment("checkout", template=template)
    rs = replica_set(owner, "5c8d", revision=1, template=template)
    its_pod = pod("checkout-5c8d-x", owner=rs)
    for item in (
        its_pod["spec"],
        its_pod["metadata"],
        rs["spec"]["template"]["spec"],
        owner["spec"]["template"]["metadata"],
    ):
        item.get("labels", {})["edited"] = "yes"
        for one in item.get("containers", []):
            one["image"] = "edited"
            one["env"].append({"name": "edited", "value": "yes"})
    assert template == untouched
    assert owner["spec"]["template"]["spec"] == untouched["spec"]
    assert rs["metadata"]["labels"] == {"app": "checkout", "pod-template-hash": "5c8d"}
    assert rs["spec"]["template"]["metadata"]["labels"] == {"app": "checkout", "pod-template-hash": "5c8d"}


def test_builders_link_owners_by_uid() -> None:
    owner = deployment("checkout")
    rs = replica_set(owner, "5c8d", revision=1, replicas=2)
    its_pod = pod("checkout-5c8d-x", owner=rs)
    assert rs["metadata"]["ownerReferences"][0]["uid"] == owner["metadata"]["uid"]
    assert its_pod["metadata"]["ownerReferences"][0]["uid"] == rs["metadata"]["uid"]
    assert its_pod["metadata"]["labels"]["pod-template-hash"] == "5c8d"
    assert "pod-template-hash" not in owner["spec"]["template"]["metadata"]["labels"]
