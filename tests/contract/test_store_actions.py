"""ApprovalStore and EffectLedger: what every backend must do."""

import asyncio
from dataclasses import replace

import pytest

from agent_sre.adapters.store_memory import MemoryStore
from agent_sre.adapters.store_sql import SqlStore
from agent_sre.domain.approval import ApprovalState, Decision
from agent_sre.domain.effect import EffectState, Verified
from agent_sre.domain.errors import PermanentError, TemporaryError
from tests.contract.store_values import NOON, after, approval, effect, incident

Store = MemoryStore | SqlStore
DIGEST = approval().digest


async def test_an_approval_comes_back_whole_and_its_digest_still_fits_its_proposal(store: Store) -> None:
    assert await store.approvals.get("app-1") is None
    assert await store.approvals.ask(approval()) == approval()
    found = await store.approvals.get("app-1")
    assert found is not None and found == approval()
    assert found.proposal.digest == found.digest
    assert [type(value) for value in found.proposal.parameters.values()] == [int, bool, str, bool]


async def test_asking_again_returns_what_is_there(store: Store) -> None:
    await store.approvals.ask(approval())
    await store.approvals.decide("app-1", False, "ann", DIGEST, NOON, "no")
    again = await store.approvals.ask(approval(asked_at=after(5)))
    assert (again.state, again.asked_at) == (ApprovalState.REJECTED, NOON)


@pytest.mark.parametrize(
    ("approve", "state", "decision"),
    [
        (True, ApprovalState.APPROVED, Decision.APPROVED),
        (False, ApprovalState.REJECTED, Decision.REJECTED),
    ],
)
async def test_a_decision_is_kept_and_makes_the_incident_due(
    store: Store, approve: bool, state: ApprovalState, decision: Decision
) -> None:
    await store.incidents.fold(incident(due_at=after(600)), [], [])
    await store.incidents.fold(incident("inc-2"), [], [])
    await store.approvals.ask(approval())

    decided, what = await store.approvals.decide("app-1", approve, "ann", DIGEST, after(1), "looks right")

    expected = replace(approval(), state=state, decided_by="ann", decided_at=after(1), reason="looks right")
    assert (decided, what) == (expected, decision)
    assert await store.approvals.get("app-1") == expected
    assert [item.id for item in await store.incidents.due(after(1), 10)] == ["inc-1"]
    due = await store.incidents.get("inc-1")
    assert due is not None and due.due_at == after(1)


async def test_who_read_the_incident_before_the_decision_cannot_store_over_its_due_time(store: Store) -> None:
    read = await store.incidents.fold(incident(due_at=NOON), [], [])
    await store.approvals.ask(approval())
    await store.approvals.decide("app-1", True, "ann", DIGEST, after(1), "")
    with pytest.raises(TemporaryError, match="read it again"):
        await store.incidents.fold(replace(read, due_at=None), [], [])
    current = await store.incidents.get("inc-1")
    assert current is not None and current.due_at == after(1)
    assert (await store.incidents.fold(replace(current, due_at=None), [], [])).due_at is None


async def test_the_first_decision_wins(store: Store) -> None:
    await store.incidents.fold(incident(), [], [])
    await store.approvals.ask(approval())
    answers = await asyncio.gather(
        *(store.approvals.decide("app-1", n % 2 == 0, f"p{n}", DIGEST, after(n), "") for n in range(8))
    )
    changed = [found for found, decision in answers if decision is not Decision.ALREADY_DECIDED]
    assert len(changed) == 1
    # Everybody is told who was first.
    assert {found.decided_by for found, _ in answers if found} == {changed[0].decided_by if changed[0] else ""}
    assert await store.approvals.get("app-1") == changed[0]


async def test_attempts_that_decide_nothing_leave_the_incident_alone(store: Store) -> None:
    await store.incidents.fold(incident(), [], [])
    await store.approvals.ask(approval())

    assert await store.approvals.decide("nobody", True, "ann", DIGEST, NOON, "") == (None, Decision.UNKNOWN)
    assert await store.approvals.decide("app-1", True, "ann", "f" * 64, NOON, "") == (
        approval(),
        Decision.DIGEST_MISMATCH,
    )
    late, decision = await store.approvals.decide("app-1", True, "ann", DIGEST, after(600), "")
    assert decision is Decision.EXPIRED
    assert late == replace(approval(), state=ApprovalState.EXPIRED, decided_at=after(600))
    assert await store.approvals.get("app-1") == late
    assert (await store.incidents.get("inc-1")) == incident(version=1)


async def test_a_decision_without_a_stored_incident_still_counts(store: Store) -> None:
    await store.approvals.ask(approval())
    _, decision = await store.approvals.decide("app-1", True, "ann", DIGEST, NOON, "")
    assert decision is Decision.APPROVED


async def test_supersede_closes_what_waits_and_nothing_else(store: Store) -> None:
    for name, of in (("app-1", "inc-1"), ("app-2", "inc-1"), ("app-3", "inc-1"), ("app-4", "inc-2")):
        await store.approvals.ask(approval(name, of))
    await store.approvals.decide("app-2", True, "ann", DIGEST, NOON, "")

    assert await store.approvals.supersede("inc-1", after(5), "alert resolved") == 2
    assert await store.approvals.supersede("inc-1", after(6), "again") == 0

    states = [(item.id, item.state) for item in await store.approvals.of_incident("inc-1")]
    assert states == [
        ("app-1", ApprovalState.SUPERSEDED),
        ("app-2", ApprovalState.APPROVED),
        ("app-3", ApprovalState.SUPERSEDED),
    ]
    closed = await store.approvals.get("app-3")
    assert closed is not None and (closed.decided_at, closed.reason) == (after(5), "alert resolved")
    assert (await store.approvals.decide("app-1", True, "bob", DIGEST, after(7), ""))[1] is Decision.ALREADY_DECIDED
    other = await store.approvals.get("app-4")
    assert other is not None and other.state is ApprovalState.WAITING


async def test_approvals_and_effects_of_an_incident_are_oldest_first(store: Store) -> None:
    for name, seconds in (("b", 2), ("a", 1), ("c", 2)):
        await store.approvals.ask(approval(name, asked_at=after(seconds)))
        await store.effects.intend(effect(f"eff-{name}", name, intended_at=after(seconds)))
    assert [item.id for item in await store.approvals.of_incident("inc-1")] == ["a", "b", "c"]
    assert [item.id for item in await store.effects.of_incident("inc-1")] == ["eff-a", "eff-b", "eff-c"]
    assert await store.effects.of_incident("inc-2") == ()


async def test_an_approval_has_one_effect(store: Store) -> None:
    assert await store.effects.intend(effect("eff-1")) == (effect("eff-1"), True)
    assert await store.effects.intend(effect("eff-1")) == (effect("eff-1"), False)
    assert await store.effects.intend(effect("eff-2", intended_at=after(9))) == (effect("eff-1"), False)
    assert await store.effects.of_incident("inc-1") == (effect("eff-1"),)


async def test_an_effect_id_is_not_shared_by_two_approvals(store: Store) -> None:
    await store.effects.intend(effect("eff-1", "app-1"))
    with pytest.raises(PermanentError, match="eff-1 belongs to another approval"):
        await store.effects.intend(effect("eff-1", "app-2"))


async def test_of_many_intents_for_one_approval_one_is_new(store: Store) -> None:
    answers = await asyncio.gather(*(store.effects.intend(effect(f"eff-{n}")) for n in range(8)))
    assert [new for _, new in answers].count(True) == 1
    assert len({found.id for found, _ in answers}) == 1


async def test_an_outcome_is_recorded_then_its_verification_then_nothing_more(store: Store) -> None:
    await store.effects.intend(effect())
    done = effect(state=EffectState.DONE, finished_at=after(2), detail="patched to 4712")
    await store.effects.record(done)
    await store.effects.record(done)
    assert await store.effects.of_incident("inc-1") == (done,)

    verified = replace(done, verified=Verified.RECOVERED, verification="alert resolved")
    await store.effects.record(verified)
    await store.effects.record(verified)
    await store.effects.record(done)  # a step that is repeated after a crash takes nothing back
    assert await store.effects.of_incident("inc-1") == (verified,)

    for changed in (
        replace(done, state=EffectState.FAILED),
        replace(done, state=EffectState.INTENDED),
        replace(done, detail="another story"),
        replace(verified, verified=Verified.NOT_RECOVERED),
        replace(done, approval_id="app-2"),
    ):
        with pytest.raises(PermanentError, match="eff-1"):
            await store.effects.record(changed)
    assert await store.effects.of_incident("inc-1") == (verified,)


async def test_an_effect_that_was_never_intended_is_not_recorded(store: Store) -> None:
    with pytest.raises(PermanentError, match="eff-1 was never intended"):
        await store.effects.record(effect(state=EffectState.DONE))
    assert await store.effects.of_incident("inc-1") == ()


async def test_effects_of_all_incidents_since_an_instant(store: Store) -> None:
    for number in range(120):
        made = effect(f"eff-{number}", f"app-{number}", incident_id=f"inc-{number % 3}", intended_at=after(number))
        await store.effects.intend(replace(made, workload="Deployment shop/cart"))
    # A replica whose clock is behind writes an older time later.
    await store.effects.intend(effect("eff-late", "app-late", intended_at=after(-3)))
    found = await store.effects.since(after(5))
    assert [item.intended_at for item in found] == [after(number) for number in range(5, 120)]
    assert {item.workload for item in found} == {"Deployment shop/cart"}
    assert len(await store.effects.since(after(-3))) == 121
    assert await store.effects.since(after(120)) == ()
