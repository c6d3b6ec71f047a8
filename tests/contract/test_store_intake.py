"""IntakeStore and PlacementStore: what every backend must do."""

from dataclasses import replace

import pytest

from agent_sre.adapters.store_memory import MemoryStore
from agent_sre.adapters.store_sql import SqlStore
from agent_sre.domain.alert import Alert, AlertStatus
from agent_sre.domain.errors import TemporaryError
from agent_sre.domain.incident import Incident, IncidentStatus
from agent_sre.domain.placement import Binding, BindingKind, Placement, Reason
from agent_sre.domain.priority import Priority
from agent_sre.ports.intake import Regrouping, Word
from agent_sre.ports.store import Placed
from tests.contract.store_values import NOON, after, alert, entry, incident

Store = MemoryStore | SqlStore
GROUP, ALERT = BindingKind.GROUP, BindingKind.ALERT


def placement(item: Alert, incident_id: str = "inc-1", **changes: object) -> Placement:
    values: dict[str, object] = {
        "reason": Reason.CORRELATED,
        "sentence": "joined inc-1 because: same workload shop/größer, 40 s apart",
        "stage": "correlate",
        "placed_at": NOON,
        "latest": Reason.REPEATED,
        "latest_sentence": "repeat",
        "latest_at": after(1),
        "facts": ("same workload shop/größer (+50)",),
        "counts": {"correlated": 1, "repeated": 999},
        "ends": (NOON, after(5)),
    }
    return Placement(incident_id, item.fingerprint, item.name, **values | changes)  # type: ignore[arg-type]


async def put(store: Store, item: Incident, *alerts: Alert, placed: Placed | None = None) -> Incident:
    """Fold these alerts into the incident."""
    await store.inbox.append(alerts)
    sequences = [sequence for sequence, _ in await store.inbox.pending(100)]
    return await store.incidents.fold(item, sequences, (), placed or Placed())


async def test_placements_and_bindings_come_back_as_they_were_stored(store: Store) -> None:
    first, second = alert("A"), alert("B")
    stored = (placement(first), placement(second, expires_at=after(60)))
    bindings = (Binding(GROUP, "g" * 5_000, "inc-1"), Binding(ALERT, second.fingerprint, "inc-1"))
    await put(store, incident(), first, second, placed=Placed(stored, bindings))
    assert await store.placements.of_incident("inc-1") == tuple(sorted(stored, key=lambda item: item.fingerprint))
    assert await store.intake.bound(GROUP, ["g" * 5_000, "other"]) == {"g" * 5_000: "inc-1"}
    assert await store.intake.bound(ALERT, [first.fingerprint, second.fingerprint]) == {second.fingerprint: "inc-1"}
    assert await store.intake.bound(GROUP, [second.fingerprint]) == {}
    assert await store.intake.bound(GROUP, []) == {}


async def test_what_is_stored_again_replaces_what_was(store: Store) -> None:
    item = alert("A")
    stored = await put(store, incident(), item, placed=Placed((placement(item),), (Binding(GROUP, "g", "inc-1"),)))
    newer = placement(item, latest=Reason.RESOLVED, latest_at=after(9))
    await store.incidents.fold(stored, (), (), Placed((newer,), (Binding(GROUP, "g", "inc-2"),)))
    assert await store.placements.of_incident("inc-1") == (newer,)
    assert await store.intake.bound(GROUP, ["g"]) == {"g": "inc-2"}


async def test_a_fold_that_is_refused_places_nothing(store: Store) -> None:
    item = alert("A")
    with pytest.raises(TemporaryError):
        await store.incidents.fold(incident(version=3), (), (), Placed((placement(item),), (Binding(GROUP, "g", "x"),)))
    assert await store.placements.of_incident("inc-1") == ()
    assert await store.intake.bound(GROUP, ["g"]) == {}


async def test_words_are_of_the_incident_that_took_a_message_last(store: Store) -> None:
    item, other = alert("A"), alert("B")
    await put(store, incident("inc-1"), item, other, placed=Placed((placement(item),)))
    later = replace(item, starts_at=after(60), received_at=after(60))
    await put(store, incident("inc-2"), later, placed=Placed((placement(item, "inc-2"),)))
    words = await store.intake.words([item.fingerprint, other.fingerprint, "unknown"])
    assert words == {
        item.fingerprint: Word(later, "inc-2", placement(item, "inc-2")),
        other.fingerprint: Word(other, "inc-1", None),
    }
    assert await store.intake.words([]) == {}


async def test_many_keys_are_asked_for_at_once(store: Store) -> None:
    await store.incidents.fold(
        incident(), (), (), Placed((), tuple(Binding(GROUP, str(n), "inc-1") for n in range(1_200)))
    )
    assert len(await store.intake.bound(GROUP, [str(n) for n in range(1_300)])) == 1_200
    assert await store.intake.words([str(n) for n in range(1_300)]) == {}


async def test_recent_are_the_active_and_those_that_ended_lately(store: Store) -> None:
    over = {"status": IncidentStatus.RESOLVED, "resolved_at": NOON}
    for item in (
        incident("old", updated_at=after(-900)),
        incident("active", updated_at=after(-10)),
        incident("gone", updated_at=after(-900), **over),
        incident("ended", updated_at=after(-5), **over),
    ):
        await store.incidents.fold(item, (), ())
    found = [item.id for item in await store.intake.recent(after(-60), 10)]
    assert found == ["active", "old", "ended"]
    assert [item.id for item in await store.intake.recent(after(-60), 1)] == ["active", "ended"]
    assert [item.id for item in await store.intake.incidents(["old", "ended", "unknown"])] == ["ended", "old"]


async def test_due_goes_by_priority_first(store: Store) -> None:
    for name, priority, seconds in (("a", Priority.P3, -50), ("b", Priority.P1, -1), ("c", Priority.P2, -99)):
        await store.incidents.fold(incident(name, priority=priority, due_at=after(seconds)), (), ())
    assert [item.id for item in await store.incidents.due(NOON, 10)] == ["b", "c", "a"]


async def test_where_an_alert_went_is_asked_by_name_or_fingerprint_the_latest_first(store: Store) -> None:
    first, second = alert("A"), replace(alert("A"), fingerprint="00000000000000ff")
    placed = (placement(first, latest_at=after(5)), placement(second, latest_at=after(9)))
    await store.incidents.fold(incident(), (), (), Placed(placed))
    assert await store.placements.of_alert("A", 10) == placed[::-1]
    assert await store.placements.of_alert("A", 1) == placed[1:]
    assert await store.placements.of_alert(first.fingerprint, 10) == placed[:1]
    assert await store.placements.of_alert("B", 10) == ()


async def test_parts_and_what_must_be_tended(store: Store) -> None:
    over = {"status": IncidentStatus.CLOSED}
    for item in (
        incident("whole"),
        incident("part", parent_id="whole"),
        incident("ended", **over),
        incident("orphan", parent_id="ended"),
        incident("over", parent_id="ended", **over),
        incident("flapping", tend_at=NOON),
        incident("later", tend_at=after(1)),
    ):
        await store.incidents.fold(item, (), ())
    assert [item.id for item in await store.placements.children("whole")] == ["part"]
    assert {item.id for item in await store.placements.untended(NOON, 10)} == {"orphan", "flapping"}
    assert len(await store.placements.untended(NOON, 1)) == 1


async def test_what_expired_is_found_and_its_last_word_can_be_replaced(store: Store) -> None:
    item, other = alert("A"), alert("B")
    placed = (placement(item, expires_at=after(60)), placement(other, expires_at=after(90)))
    stored = await put(store, incident(), item, other, placed=Placed(placed))
    assert await store.placements.lapsed(after(59), 10) == ()
    assert await store.placements.lapsed(after(60), 10) == (Word(item, "inc-1", placed[0]),)
    lapsed = replace(item, status=AlertStatus.RESOLVED, ends_at=after(60), received_at=after(61), lapsed=True)
    over = replace(placed[0], expires_at=None)
    await store.incidents.fold(stored, (), (), Placed((over,), (), (lapsed,)))
    assert await store.placements.lapsed(after(600), 10) == (Word(other, "inc-1", placed[1]),)
    words = {word.fingerprint: word for word in await store.incidents.alerts("inc-1")}
    assert words == {item.fingerprint: lapsed, other.fingerprint: other}


async def test_regroup_moves_alerts_and_bindings_in_one_step(store: Store) -> None:
    item, other = alert("A"), alert("B")
    bound = (Binding(GROUP, "g", "inc-1"), Binding(GROUP, "h", "inc-3"))
    source = await put(store, incident("inc-1"), item, other, placed=Placed((placement(item), placement(other)), bound))
    target = await store.incidents.fold(incident("inc-2"), (), ())
    moved = placement(item, "inc-2", reason=Reason.MERGED)
    change = Regrouping(
        replace(source, title="less"), replace(target, title="more"), (moved,), (entry("told", "inc-2"),), (), True
    )
    await store.intake.regroup(change)
    assert [word.name for word in await store.incidents.alerts("inc-1")] == ["B"]
    assert [word.name for word in await store.incidents.alerts("inc-2")] == ["A"]
    assert await store.placements.of_incident("inc-2") == (moved,)
    assert await store.placements.of_incident("inc-1") == (placement(other),)
    assert await store.intake.bound(GROUP, ["g", "h"]) == {"g": "inc-2", "h": "inc-3"}
    assert [text.text for text in await store.journal.timeline("inc-2")] == ["told"]
    both = [await store.incidents.get(name) for name in ("inc-1", "inc-2")]
    assert [(item.title, item.version) for item in both if item] == [("less", 2), ("more", 2)]


async def test_of_two_words_on_one_alert_the_later_survives_a_merge(store: Store) -> None:
    item = alert("A")
    over = replace(item, status=AlertStatus.RESOLVED, ends_at=after(50))
    first = await put(store, incident("inc-1"), item)
    second = await put(store, incident("inc-2"), over)
    await store.intake.regroup(Regrouping(first, second, (placement(item, "inc-2"),), ()))
    assert await store.incidents.alerts("inc-2") == (over,)
    assert await store.incidents.alerts("inc-1") == ()


async def test_a_regrouping_of_what_somebody_changed_changes_nothing(store: Store) -> None:
    item = alert("A")
    source = await put(store, incident("inc-1"), item, placed=Placed((placement(item),)))
    target = await store.incidents.fold(incident("inc-2"), (), ())
    await store.incidents.fold(target, (), ())
    with pytest.raises(TemporaryError, match="inc-2 was changed"):
        await store.intake.regroup(Regrouping(source, target, (placement(item, "inc-2"),), (entry("x"),)))
    assert await store.incidents.alerts("inc-1") == (item,)
    assert (await store.incidents.get("inc-1")) == source
    assert await store.journal.timeline("inc-1") == ()


async def test_a_target_that_is_new_is_made(store: Store) -> None:
    item = alert("A")
    source = await put(store, incident("inc-1"), item, alert("B"))
    await store.intake.regroup(Regrouping(source, incident("inc-2"), (placement(item, "inc-2"),), ()))
    assert await store.incidents.get("inc-2") == incident("inc-2", version=1)
    assert [word.name for word in await store.incidents.alerts("inc-2")] == ["A"]
