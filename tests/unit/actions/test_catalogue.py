"""Every action of the catalogue: typed, shown, done once, seen, put back; with the rights it declares and no others."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from agent_sre.actions.catalogue import ACTIONS
from agent_sre.actions.policy import Policy, PolicyDecision, permit
from agent_sre.actions.rights import manifest
from agent_sre.adapters.store_sql.codec import decode, encode
from agent_sre.domain.action import Operation, Proposal
from agent_sre.domain.effect import EffectState
from agent_sre.domain.merge_patch import apply_merge_patch, same
from agent_sre.ports.cluster import READ_KINDS, WRITE_KINDS, unwritable
from agent_sre.testing.cluster import Call, FakeCluster
from tests.unit.actions.executions import ALLOW, World
from tests.unit.actions.kinds import CASES, Case, proposal_of
from tests.unit.actions.rollouts import approved

every = pytest.mark.parametrize("item", CASES, ids=str)
FILE = Path(__file__).resolve().parents[3] / "docs" / "rbac-actions.yaml"
HEAD = """\
# The rights that actions need, made from agent_sre/actions. Bind the first role to the reader's account where actions
# are offered, and of the others, to the executor's account, those of the actions that are allowed: by a RoleBinding in
# each namespace that actions may touch; those for nodes by a ClusterRoleBinding.
"""


def world_of(item: Case) -> World:
    return World(cluster=FakeCluster(item.objects()))


def test_every_action_has_a_case() -> None:
    assert sorted(item.action for item in CASES) == sorted(ACTIONS)


@every
async def test_it_is_proposed_exactly_and_shown(item: Case) -> None:
    cluster = FakeCluster(item.objects())
    made = await proposal_of(item, cluster)
    assert (made.action, made.target) == (item.action, item.target)
    assert not any(isinstance(value, str) and value.startswith("$") for value in made.parameters.values())
    assert {**made.parameters, **item.resolved} == dict(made.parameters)
    assert item.target.name in made.preview
    assert made.undo
    assert cluster.effects == []
    assert decode(Proposal, encode(made)) == made
    assert permit(made, ALLOW, World().clock.now()) is PolicyDecision.ALLOWED
    assert permit(made, Policy(), World().clock.now()) is PolicyDecision.SUGGEST_ONLY


@every
async def test_it_is_tried_dry_then_done_once_then_recognised(item: Case) -> None:
    world = world_of(item)
    approval = approved(await proposal_of(item, world.cluster))
    effect = await world.run(approval)
    assert effect.state is EffectState.DONE, effect.detail
    assert item.after(world.cluster)
    sent = [call for call in world.cluster.calls if call.verb not in ("get", "list")]
    assert [call.dry_run for call in sent] == [True, False]
    assert len(world.cluster.effects) == 1
    assert await world.verbs() == ["effect.intended", "effect.dry_run", "effect.done"]
    assert await world.run(approval) == effect
    assert len(world.cluster.effects) == 1


@every
async def test_an_answer_that_is_lost_is_read_back_and_not_repeated(item: Case) -> None:
    world = world_of(item)
    approval = approved(await proposal_of(item, world.cluster))
    world.cluster.lose_answers()
    effect = await world.run(approval)
    assert effect.state is EffectState.DONE
    assert "Read back" in effect.detail
    assert len(world.cluster.effects) == 1
    assert item.after(world.cluster)


@every
async def test_the_state_before_puts_it_back(item: Case) -> None:
    world = world_of(item)
    made = await proposal_of(item, world.cluster)
    before = world.cluster.peek(item.target)
    await world.run(approved(made))
    after = world.cluster.peek(item.target)
    assert before is not None
    if made.operation is Operation.PATCH:
        restored = apply_merge_patch(after, made.before)
        wanted = {key: value for key, value in before.items() if key not in ("metadata", "status")}
        assert same({key: restored.get(key) for key in wanted}, wanted)
    elif made.operation in (Operation.DELETE, Operation.EVICT):
        job = {key: before[key] for key in ("apiVersion", "kind", "spec")}
        kept = {key: made.before[key] for key in job} if made.target.kind == "Job" else made.before
        assert kept == (job if made.target.kind == "Job" else {})


@every
async def test_an_object_that_asks_for_something_else_by_now_is_not_touched(item: Case) -> None:
    world = world_of(item)
    approval = approved(await proposal_of(item, world.cluster))
    world.cluster.update(
        item.target, {"spec": {"later": 1}} if "data" not in _peek(world, item) else {"data": {"L": "1"}}
    )
    effect = await world.run(approval)
    assert effect.state is EffectState.REFUSED
    assert "changed since it was approved" in effect.detail
    assert world.cluster.effects == []


@every
async def test_another_object_of_the_same_name_is_not_touched(item: Case) -> None:
    world = world_of(item)
    approval = approved(await proposal_of(item, world.cluster))
    other = _peek(world, item)
    other["metadata"]["uid"] = "another"
    world.cluster.add(other)
    assert (await world.run(approval)).state is EffectState.REFUSED
    assert world.cluster.effects == []


@every
async def test_a_missing_right_is_named_and_nothing_is_done(item: Case) -> None:
    world = world_of(item)
    made = await proposal_of(item, world.cluster)
    for right in ACTIONS[item.action].rights:
        if right.writes:
            kind = next(name for name, (_, plural) in READ_KINDS.items() if plural == right.resource.partition("/")[0])
            world.cluster.forbid("evict" if right.resource == "pods/eviction" else right.verb, kind)
    effect = await world.run(approved(made))
    assert effect.state is EffectState.FAILED
    assert "forbidden" in effect.detail
    assert world.cluster.effects == []


@every
async def test_it_asks_for_the_rights_it_declares_and_no_others(item: Case) -> None:
    world = world_of(item)
    approval = approved(await proposal_of(item, world.cluster))
    await world.run(approval)
    declared = {(right.verb, right.group, right.resource) for right in ACTIONS[item.action].rights}
    shared = {("get", *_resource(owner, "")) for owner in ("Pod", "ReplicaSet", "Deployment")}
    assert {_asked(call) for call in world.cluster.calls} <= declared | shared
    written = {right for right in ACTIONS[item.action].rights if right.writes}
    assert all(right.verb in ("patch", "create", "delete") for right in written)


@every
async def test_what_it_sends_is_within_the_writers_allow_list(item: Case) -> None:
    made = await proposal_of(item, FakeCluster(item.objects()))
    patch = made.patch if made.operation is Operation.PATCH else None
    assert unwritable(str(made.operation), made.target.kind, patch) == ""
    for kind in ACTIONS[item.action].targets:
        assert kind in WRITE_KINDS[str(made.operation)]


def test_no_kind_may_be_written_that_no_action_writes() -> None:
    needed: dict[str, set[str]] = {verb: set() for verb in WRITE_KINDS}
    for kind in ACTIONS.values():
        needed[str(kind.operation)] |= set(kind.targets)
    assert {verb: set(kinds) for verb, kinds in WRITE_KINDS.items()} == needed


@every
async def test_undo_by_action_is_an_action_with_valid_parameters(item: Case) -> None:
    from agent_sre.actions.kind import Draft, Seen
    from agent_sre.actions.parameters import value_problems

    cluster = FakeCluster(item.objects())
    kind = ACTIONS[item.action]
    made = await proposal_of(item, cluster)
    target = cluster.peek(made.target)
    assert target is not None
    related = {
        name: tuple(each for ref, each in cluster.everything().items() if ref.kind == name) for name in kind.reads
    }
    draft = kind.build(Seen(target, related, World().clock.now()), made.parameters)
    assert isinstance(draft, Draft)
    if draft.undo_parameters is not None:
        assert value_problems(ACTIONS[draft.undo_action], draft.undo_parameters) == ()
        assert f"By action: {draft.undo_action} with" in made.undo


def test_the_shipped_roles_are_made_of_the_rights() -> None:
    assert FILE.read_text() == HEAD + yaml.safe_dump_all(manifest(), sort_keys=False)


def test_no_role_holds_more_than_its_action_needs() -> None:
    roles = {role["metadata"]["name"]: role["rules"] for role in manifest()}
    assert len(roles) == len(ACTIONS) + 1
    assert {verb for rule in roles["agent-sre-reader-actions"] for verb in rule["verbs"]} == {"get", "list"}
    assert roles["agent-sre-executor-pod-evict"] == [
        {"apiGroups": [""], "resources": ["pods/eviction"], "verbs": ["create"]}
    ]
    everything = str(roles)
    assert "*" not in everything and "secrets" not in everything and "pods/exec" not in everything


def _asked(call: Call) -> tuple[str, str, str]:
    verb, below = ("create", "/eviction") if call.verb == "evict" else (call.verb, "")
    return (verb, *_resource(call.kind, below))


def _resource(kind: str, below: str) -> tuple[str, str]:
    version, plural = READ_KINDS[kind]
    return version.rpartition("/")[0], plural + below


def _peek(world: World, item: Case) -> dict[str, Any]:
    found = world.cluster.peek(item.target)
    assert found is not None
    return found
