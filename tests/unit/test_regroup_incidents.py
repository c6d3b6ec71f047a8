"""People merge and split: it holds for later messages, each undoes the other, and what must not be is refused."""

import pytest

from agent_sre.domain.approval import ApprovalState
from agent_sre.domain.audit import first_bad_row
from agent_sre.domain.incident import IncidentStatus
from agent_sre.domain.placement import Reason
from agent_sre.service.regroup_incidents import RegroupRefused
from tests.unit.alerts import at, message
from tests.unit.intake_world import IntakeWorld
from tests.unit.test_fold_alerts import approval

S = IncidentStatus
CART = message(fires=0, deployment="cart")
PAGES = message(fires=10, name="SlowPages", namespace="web", deployment="pages", group="pages")
WORKER = message(fires=20, name="Backlog", namespace="jobs", deployment="worker", group="jobs")


async def three() -> IntakeWorld:
    world = IntakeWorld()
    await world.take(CART, PAGES, WORKER)
    assert set(await world.incidents()) == {"INC-1", "INC-2", "INC-3"}
    return world


async def test_a_merge_moves_everything_and_is_told_on_both_and_audited() -> None:
    world = await three()
    merged = await world.merge("INC-2", "INC-1")
    assert (merged.id, merged.firing, merged.alerts) == ("INC-1", 2, 2)
    source = await world.incident("INC-2")
    assert (source.status, source.merged_into, source.due_at) == (S.CLOSED, "INC-1", None)
    assert (await world.held("INC-1"), await world.held("INC-2")) == ({CART.fingerprint, PAGES.fingerprint}, set())
    for name in ("INC-1", "INC-2"):
        assert "mira merged INC-2 into INC-1: one cause" in await world.told(name)
    placement = await world.placement(PAGES)
    assert (placement.incident_id, placement.reason, placement.stage) == ("INC-1", Reason.MERGED, "person")
    rows = await world.store.journal.audit_rows(0, 10)
    assert [(row.actor, row.verb) for row in rows] == [
        ("mira", "incidents.merge_attempted"),
        ("mira", "incidents.merged"),
    ]
    assert first_bad_row(rows) is None


async def test_after_a_merge_later_messages_of_either_group_go_to_the_target() -> None:
    world = await three()
    await world.merge("INC-2", "INC-1")
    again = message(fires=30, name="SlowPages", namespace="web", deployment="other", group="pages")
    await world.take(PAGES, again)
    assert (await world.incident("INC-1")).firing == 3
    assert set(await world.incidents()) == {"INC-1", "INC-2", "INC-3"}
    over = message(fires=10, ended=40, name="SlowPages", namespace="web", deployment="pages", group="pages")
    await world.take(over)
    assert (await world.incident("INC-1")).firing == 2


async def test_a_split_undoes_a_merge_and_is_not_undone_by_correlation() -> None:
    world = IntakeWorld()
    other = message(fires=1, name="Errors", deployment="cart", group="errors")
    await world.take(CART)
    await world.take(other)
    assert await world.held("INC-1") == {CART.fingerprint, other.fingerprint}
    new = await world.split("INC-1", other.fingerprint)
    assert (new.firing, new.due_at, new.earlier_id) == (1, world.clock.now(), "INC-1")
    assert (await world.incident("INC-1")).firing == 1
    assert (await world.placement(other)).reason is Reason.SPLIT
    # Over and again, and after the reopening window too: it stays by itself although its workload is INC-1's.
    await world.take(message(fires=1, ended=30, name="Errors", deployment="cart", group="errors"))
    assert (await world.incident(new.id)).status is S.RESOLVED
    await world.wait(120)
    await world.take(CART, message(fires=170, name="Errors", deployment="cart", group="errors", received=180))
    placement = await world.placement(other)
    assert placement.incident_id not in ("INC-1", new.id)
    assert (await world.incident(placement.incident_id)).earlier_id == new.id
    # Its whole group was split off, so another of the group goes there too.
    kin = message(fires=171, name="Errors", deployment="cart", pod="x", group="errors", received=180)
    await world.take(kin)
    assert (await world.placement(kin)).incident_id == placement.incident_id


async def test_merging_back_undoes_a_split() -> None:
    world = IntakeWorld()
    other = message(fires=1, deployment="cart", pod="b")
    await world.take(CART, other)
    before = await world.held("INC-1")
    new = await world.split("INC-1", other.fingerprint)
    back = await world.merge(new.id, "INC-1")
    assert (await world.held("INC-1"), back.firing, back.alerts) == (before, 2, 2)
    await world.take(other)
    assert (await world.incident("INC-1")).alerts == 3


async def test_splitting_off_undoes_a_merge() -> None:
    world = await three()
    await world.merge("INC-2", "INC-1")
    new = await world.split("INC-1", PAGES.fingerprint)
    assert (await world.held("INC-1"), await world.held(new.id)) == ({CART.fingerprint}, {PAGES.fingerprint})
    assert (new.title, new.namespace, new.firing) == ("SlowPages in shop", "web", 1)
    await world.take(PAGES)
    assert (await world.incident(new.id)).alerts == 2


@pytest.mark.parametrize("status", [S.MITIGATING, S.VERIFYING])
async def test_while_an_action_is_under_way_nothing_is_regrouped(status: S) -> None:
    world = await three()
    incident = await world.incident("INC-1")
    for step in (S.INVESTIGATING, S.AWAITING_APPROVAL, S.MITIGATING, S.VERIFYING):
        incident = await world.store.incidents.fold(incident.to(step, at(60)), (), ())
        if step is status:
            break
    for attempt in (
        world.merge("INC-1", "INC-2"),
        world.merge("INC-2", "INC-1"),
        world.split("INC-1", CART.fingerprint),
    ):
        with pytest.raises(RegroupRefused, match=f"INC-1 is {status}: an action is under way"):
            await attempt
    assert await world.held("INC-2") == {PAGES.fingerprint}
    rows = await world.store.journal.audit_rows(0, 10)
    assert [row.verb for row in rows][1::2] == ["incident.regroup_refused"] * 3


async def test_what_is_approved_already_is_not_taken_away_and_what_waits_is_superseded() -> None:
    world = await three()
    incident = await world.incident("INC-1")
    for step in (S.INVESTIGATING, S.AWAITING_APPROVAL):
        incident = await world.store.incidents.fold(incident.to(step, at(60)), (), ())
    asked = await world.store.approvals.ask(approval("APR-1"))
    await world.store.approvals.ask(approval("APR-2", ApprovalState.APPROVED))
    with pytest.raises(RegroupRefused, match="action is under way"):
        await world.merge("INC-1", "INC-2")
    assert (await world.store.approvals.get(asked.id)).state is ApprovalState.WAITING  # type: ignore[union-attr]


async def test_a_merge_supersedes_the_sources_waiting_approvals() -> None:
    world = await three()
    incident = await world.incident("INC-1")
    for step in (S.INVESTIGATING, S.AWAITING_APPROVAL):
        incident = await world.store.incidents.fold(incident.to(step, at(60)), (), ())
    await world.store.approvals.ask(approval("APR-1"))
    await world.merge("INC-1", "INC-2")
    (asked,) = await world.store.approvals.of_incident("INC-1")
    assert (asked.state, asked.reason) == (ApprovalState.SUPERSEDED, "merged into INC-2")


@pytest.mark.parametrize(
    ("source", "target", "why"),
    [
        ("INC-1", "INC-1", "into itself"),
        ("INC-1", "INC-9", "there is no incident INC-9"),
        ("INC-9", "INC-1", "there is no incident INC-9"),
        ("INC-3", "INC-2", "INC-3 is closed, merged into INC-1"),
        ("INC-2", "INC-3", "INC-3 is closed"),
    ],
)
async def test_a_merge_that_makes_no_sense_is_refused_by_name(source: str, target: str, why: str) -> None:
    world = await three()
    await world.merge("INC-3", "INC-1")
    with pytest.raises(RegroupRefused, match=why):
        await world.merge(source, target)


async def test_what_fires_is_not_merged_into_what_is_over() -> None:
    world = await three()
    await world.take(message(fires=0, ended=50, deployment="cart"))
    with pytest.raises(RegroupRefused, match="merge INC-1 into INC-2"):
        await world.merge("INC-2", "INC-1")
    assert (await world.merge("INC-1", "INC-2")).firing == 1


@pytest.mark.parametrize(
    ("fingerprints", "why"),
    [((), "name at least one"), (("00",), "has no alert 00"), ((CART.fingerprint,), "leave at least one")],
)
async def test_a_split_that_makes_no_sense_is_refused_by_name(fingerprints: tuple[str, ...], why: str) -> None:
    world = await three()
    with pytest.raises(RegroupRefused, match=why):
        await world.split("INC-1", *fingerprints)
