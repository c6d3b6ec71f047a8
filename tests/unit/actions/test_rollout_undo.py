"""The patch of a rollout undo brings back exactly the earlier template, and only where that makes sense."""

from typing import Any

import pytest

from agent_sre.actions.kind import Draft, Refusal, RefusalReason, Seen
from agent_sre.actions.rollout_undo import build
from agent_sre.domain.merge_patch import apply_merge_patch
from agent_sre.testing.clock import FrozenClock
from agent_sre.testing.kubernetes_objects import container, deployment, pod_template, replica_set
from tests.unit.actions.rollouts import BAD, GOOD, bad_rollout

NOW = FrozenClock().now()
RESTARTED = "kubectl.kubernetes.io/restartedAt"


def built(objects: list[dict[str, Any]], to_revision: int | str = "$previous_revision") -> Draft | Refusal:
    replica_sets = tuple(item for item in objects if item["kind"] == "ReplicaSet")
    seen = Seen(objects[0], {"ReplicaSet": replica_sets}, NOW)
    return build(seen, {"workload": str(seen.ref), "to_revision": to_revision})


def refused(objects: list[dict[str, Any]], to_revision: int | str = "$previous_revision") -> Refusal:
    made = built(objects, to_revision)
    assert isinstance(made, Refusal), made
    return made


def drafted(objects: list[dict[str, Any]], to_revision: int | str = "$previous_revision") -> Draft:
    made = built(objects, to_revision)
    assert isinstance(made, Draft), made
    return made


def test_the_patched_template_is_the_earlier_one_without_the_hash() -> None:
    objects = bad_rollout()
    after = apply_merge_patch(objects[0], drafted(objects).patch)
    assert after["spec"]["template"] == GOOD
    assert {key: value for key, value in after["spec"].items() if key != "template"} == {
        key: value for key, value in objects[0]["spec"].items() if key != "template"
    }


def test_keys_that_the_earlier_template_lacks_are_null_in_the_patch() -> None:
    patch = drafted(bad_rollout()).patch
    template = patch["spec"]["template"]
    assert template["spec"]["priorityClassName"] is None
    assert template["metadata"] == {"annotations": None}


def test_history_annotations_stay_and_the_change_cause_of_the_earlier_revision_comes_back() -> None:
    objects = bad_rollout()
    objects[0]["metadata"]["annotations"] |= {
        "kubernetes.io/change-cause": "bad release",
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
        "agent-sre.io/effect": "EFF-0",
    }
    objects[1]["metadata"]["annotations"] |= {
        "kubernetes.io/change-cause": "good release",
        "agent-sre.io/effect": "EFF-9",
    }
    after = apply_merge_patch(objects[0], drafted(objects).patch)
    assert after["metadata"]["annotations"] == {
        "deployment.kubernetes.io/revision": "2",
        "kubernetes.io/change-cause": "good release",
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
        "agent-sre.io/effect": "EFF-0",
    }


def test_the_preview_shows_each_changed_field_and_nothing_else() -> None:
    lines = drafted(bad_rollout()).preview.splitlines()
    assert lines[0] == "--- Deployment shop/checkout: now, revision 2"
    assert lines[1].startswith("+++ Deployment shop/checkout: pod template of revision 1, created 2026-01-05")
    assert lines[2:] == [
        '- spec.template.metadata.annotations.config-hash: "abc"',
        '- spec.template.spec.containers[app].env[TAX].value: "off"',
        '+ spec.template.spec.containers[app].env[TAX].value: "on"',
        '- spec.template.spec.containers[app].image: "shop/checkout:2"',
        '+ spec.template.spec.containers[app].image: "shop/checkout:1"',
        '- spec.template.spec.priorityClassName: "high"',
    ]


def test_a_secret_in_the_environment_is_not_in_the_preview() -> None:
    bad = deployment(
        "checkout", template=pod_template("checkout", [container("app", "i", env={"DB_PASSWORD": "s3cr3t-1"})])
    )
    old_env = {"DB_PASSWORD": "s3cr3t-2", "URL": "postgres://u:s3cr3t-3@db/x"}
    old = replica_set(bad, "old", revision=1, template=pod_template("checkout", [container("app", "i", env=old_env)]))
    preview = drafted([bad, old], 1).preview
    assert "s3cr3t" not in preview
    assert preview.count("(hidden)") == 3


def test_hostile_text_is_visible_and_bounded_in_the_preview() -> None:
    objects = bad_rollout()
    objects[0]["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] = (
        "a\u202eb\x1b[2J\n+ fake: line" + "x" * 9999
    )
    preview = drafted(objects).preview
    assert "\u202e" not in preview
    assert "\x1b" not in preview
    assert "\n+ fake" not in preview
    assert max(len(line) for line in preview.splitlines()) < 700


def test_a_named_revision_is_taken() -> None:
    objects = bad_rollout()
    older = pod_template("checkout", [container("app", "shop/checkout:0")])
    objects.append(replica_set(objects[0], "older", revision=0 + 7, template=older))
    objects[0]["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "8"
    draft = drafted(objects, 7)
    assert apply_merge_patch(objects[0], draft.patch)["spec"]["template"] == older
    assert draft.parameters["to_revision"] == 7


def test_undo_leads_back_to_the_present_revision() -> None:
    draft = drafted(bad_rollout())
    assert draft.parameters == {"workload": "Deployment shop/checkout", "to_revision": 1}
    assert draft.undo_action == "rollout_undo"
    assert draft.undo_parameters == {"workload": "Deployment shop/checkout", "to_revision": 2}


def test_revisions_are_ordered_by_number_and_not_by_text() -> None:
    bad = deployment("checkout", template=BAD, revision=10)
    nine = pod_template("checkout", [container("app", "shop/checkout:9")])
    history = [replica_set(bad, f"r{n}", revision=n, template=GOOD) for n in (1, 2)]
    history += [replica_set(bad, "r9", revision=9, template=nine), replica_set(bad, "r10", revision=10, template=BAD)]
    assert drafted([bad, *history]).parameters["to_revision"] == 9


def test_a_revision_that_only_restarted_is_passed_over() -> None:
    restarted = pod_template("checkout", BAD["spec"]["containers"], priorityClassName="high")
    restarted["metadata"]["annotations"] = {**BAD["metadata"]["annotations"], RESTARTED: "2026-01-05T11:00:00Z"}
    bad = deployment("checkout", template=restarted, revision=3)
    history = [
        replica_set(bad, "a", revision=1, template=GOOD),
        replica_set(bad, "b", revision=2, template=BAD),
        replica_set(bad, "c", revision=3, template=restarted),
    ]
    assert drafted([bad, *history]).parameters["to_revision"] == 1
    assert drafted([bad, *history], 2).parameters["to_revision"] == 2


def test_a_paused_deployment_is_refused() -> None:
    objects = bad_rollout()
    objects[0]["spec"]["paused"] = True
    refusal = refused(objects)
    assert refusal.reason is RefusalReason.PAUSED
    assert "kubectl rollout resume" in refusal.sentence


@pytest.mark.parametrize("wanted", ["$previous_revision", 1])
def test_without_an_earlier_revision_it_is_refused(wanted: int | str) -> None:
    only = deployment("checkout", revision=2)
    refusal = refused([only, replica_set(only, "new", revision=2)], wanted)
    assert refusal.reason is RefusalReason.NO_EARLIER_REVISION
    assert "kept revisions: 2" in refusal.sentence


def test_the_same_template_is_refused() -> None:
    objects = bad_rollout()
    refusal = refused(objects, 2)
    assert refusal.reason is RefusalReason.NOTHING_TO_CHANGE


def test_replica_sets_of_a_namesake_do_not_count() -> None:
    objects = bad_rollout()
    objects[1]["metadata"]["ownerReferences"][0]["uid"] = "of-a-deleted-deployment-with-this-name"
    assert refused(objects).reason is RefusalReason.NO_EARLIER_REVISION


@pytest.mark.parametrize("side", [0, 1])
def test_nulls_that_servers_print_in_templates_mean_nothing(side: int) -> None:
    objects = bad_rollout()
    objects[side]["spec"]["template"]["metadata"]["creationTimestamp"] = None
    assert drafted(objects).patch == drafted(bad_rollout()).patch
    assert "creationTimestamp" not in drafted(objects).preview
    same_again = bad_rollout()
    same_again[side + side]["spec"]["template"]["metadata"]["creationTimestamp"] = None
    assert refused(same_again, 2).reason is RefusalReason.NOTHING_TO_CHANGE


@pytest.mark.parametrize(
    ("annotations", "labels", "words"),
    [
        ({"argocd.argoproj.io/tracking-id": "x"}, {}, "Argo CD"),
        ({}, {"kustomize.toolkit.fluxcd.io/name": "x"}, "Flux"),
        ({"meta.helm.sh/release-name": "x"}, {}, "Helm"),
    ],
)
def test_a_tool_that_keeps_the_object_is_named(annotations: dict[str, str], labels: dict[str, str], words: str) -> None:
    objects = bad_rollout()
    objects[0]["metadata"]["annotations"] |= annotations
    objects[0]["metadata"]["labels"] |= labels
    assert f"Note: {words} manages" in drafted(objects).preview
    assert "Note:" not in drafted(bad_rollout()).preview
