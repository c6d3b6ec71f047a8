"""AlertInbox and IncidentStore: what every backend must do."""

import asyncio
from dataclasses import replace

import pytest

from agent_sre.adapters.store_memory import MemoryStore
from agent_sre.adapters.store_sql import SqlStore
from agent_sre.domain.alert import AlertStatus, Severity
from agent_sre.domain.errors import TemporaryError
from agent_sre.domain.incident import IncidentStatus
from agent_sre.ports.store import Quarantined
from tests.contract.store_values import NOON, after, alert, entry, incident, observation

Store = MemoryStore | SqlStore


async def test_alerts_come_back_whole_oldest_first_and_limited(store: Store) -> None:
    sent = [
        alert("A", received_at=after(5)),
        alert("B", status=AlertStatus.RESOLVED, ends_at=after(1), labels={}, annotations={}, truncated=3),
        alert("C", receiver="r", generator_url="http://p/g?a=1&b=2", external_url="http://am"),
    ]
    await store.inbox.append(sent[:2])
    await store.inbox.append(sent[2:])

    pending = await store.inbox.pending(10)
    assert [item for _, item in pending] == sent
    sequences = [sequence for sequence, _ in pending]
    assert sequences == sorted(set(sequences))
    assert await store.inbox.pending(2) == pending[:2]


async def test_an_empty_append_is_no_alert(store: Store) -> None:
    await store.inbox.append([])
    assert await store.inbox.pending(10) == ()


async def test_a_message_that_is_sent_again_is_committed_once(store: Store) -> None:
    first, other = alert("A", message_id="1"), alert("B", message_id="1", source="sns")
    await asyncio.gather(*(store.inbox.append([first]) for _ in range(5)))
    await store.inbox.append([first, other, alert("C"), alert("C")])
    assert [item.name for _, item in await store.inbox.pending(10)] == ["A", "B", "C", "C"]


async def test_concurrent_appends_keep_the_order_of_the_calls(store: Store) -> None:
    await asyncio.gather(*(store.inbox.append([alert(f"{n}a"), alert(f"{n}b")]) for n in range(50)))
    names = [item.name for _, item in await store.inbox.pending(1000)]
    assert names == [f"{n}{part}" for n in range(50) for part in "ab"]


async def test_quarantine_keeps_bytes_and_gives_the_newest_first(store: Store) -> None:
    items = [Quarantined("datadog", after(n), f"no JSON: {n}", bytes([0, 255, n]), 10**10) for n in range(3)]
    for item in items:
        await store.inbox.quarantine(item)
    assert await store.inbox.quarantined(2) == (items[2], items[1])


async def test_quarantine_takes_what_a_hostile_payload_is_told_by(store: Store) -> None:
    await store.inbox.quarantine(Quarantined("a\0b", NOON, "label is 'x\0'", b"\0", 1))
    (kept,) = await store.inbox.quarantined(1)
    assert (kept.source[0], kept.reason[:8], kept.body) == ("a", "label is", b"\0")


async def test_alerts_with_characters_that_databases_dislike_come_back_whole(store: Store) -> None:
    odd = alert(
        "A\0B", labels={"\0": "\0\ufffe"}, annotations={"{a,b}": '"\\\n NULL {}'}, group_key="\0", message_id="\0"
    )
    await store.inbox.append([odd, alert("NULL")])
    assert [item for _, item in await store.inbox.pending(10)] == [odd, alert("NULL")]
    ((first, _), _) = await store.inbox.pending(2)
    stored = await store.incidents.fold(incident(title="\0", group_key="\0"), [first], [entry("\0", key="\0")])
    assert await store.incidents.find("\0") == stored
    assert await store.incidents.alerts("inc-1") == (odd,)


async def test_fold_makes_an_incident_takes_its_alerts_and_tells_its_story(store: Store) -> None:
    await store.inbox.append([alert("A"), alert("B"), alert("C")])
    (first, _), (second, _), (third, _) = await store.inbox.pending(10)

    stored = await store.incidents.fold(incident(due_at=NOON), [first, third], [entry("opened"), entry("two alerts")])

    assert stored == incident(due_at=NOON, version=1)
    assert await store.incidents.get("inc-1") == stored
    assert [sequence for sequence, _ in await store.inbox.pending(10)] == [second]
    assert [item.name for item in await store.incidents.alerts("inc-1")] == ["A", "C"]
    assert [item.text for item in await store.journal.timeline("inc-1")] == ["opened", "two alerts"]


async def test_fold_keeps_observations_of_the_run_with_the_incident_or_not_at_all(store: Store) -> None:
    stored = await store.incidents.fold(
        incident(run=2), [], [], observations=[observation("pods/1"), observation("pods/2")]
    )
    assert [item.id for item in await store.cases.observations("inc-1", 2)] == ["pods/1", "pods/2"]
    assert await store.cases.observations("inc-1", 1) == ()

    later = observation("pods/1", query="asked again")
    with pytest.raises(TemporaryError):
        await store.incidents.fold(incident(run=2), [], [], observations=[later])  # not of the stored version
    assert "asked again" not in {item.query for item in await store.cases.observations("inc-1", 2)}

    await store.incidents.fold(stored, [], [], observations=[later])
    assert "asked again" in {item.query for item in await store.cases.observations("inc-1", 2)}


async def test_fold_updates_every_field(store: Store) -> None:
    stored = await store.incidents.fold(incident(), [], [])
    changed = replace(
        stored,
        title="neu \N{PILE OF POO}",
        status=IncidentStatus.RESOLVED,
        severity=Severity.CRITICAL,
        group_key="group-2",
        opened_at=after(-1),
        updated_at=after(9),
        resolved_at=after(9),
        due_at=after(10),
        run=2,
        firing=3,
        alerts=1000,
        truncated=4,
    )
    again = await store.incidents.fold(changed, [], [])
    assert again == replace(changed, version=2)
    assert await store.incidents.get("inc-1") == again
    assert await store.incidents.find("group-1") is None
    assert await store.incidents.find("group-2") == again


@pytest.mark.parametrize("version", [0, 1, 3, 7])
async def test_fold_refuses_a_version_that_is_not_the_stored_one_and_changes_nothing(
    store: Store, version: int
) -> None:
    stored = await store.incidents.fold(await store.incidents.fold(incident(), [], []), [], [])
    await store.inbox.append([alert()])
    ((sequence, _),) = await store.inbox.pending(1)

    with pytest.raises(TemporaryError, match="inc-1 was changed"):
        await store.incidents.fold(replace(stored, title="lost", version=version), [sequence], [entry("lost")])

    assert await store.incidents.get("inc-1") == stored
    assert len(await store.inbox.pending(1)) == 1
    assert await store.journal.timeline("inc-1") == ()


async def test_fold_refuses_to_update_what_was_never_stored(store: Store) -> None:
    with pytest.raises(TemporaryError, match="inc-1"):
        await store.incidents.fold(incident(version=4), [], [])
    assert await store.incidents.get("inc-1") is None


async def test_an_alert_that_somebody_took_is_not_taken_again_and_the_fold_undone(store: Store) -> None:
    await store.inbox.append([alert("A"), alert("B")])
    (first, _), (second, _) = await store.inbox.pending(2)
    await store.incidents.fold(incident("inc-1"), [first], [])

    with pytest.raises(TemporaryError, match=rf"\[{first}\] are not pending"):
        await store.incidents.fold(incident("inc-2"), [first, second], [entry("x", "inc-2")])

    assert await store.incidents.get("inc-2") is None
    assert [sequence for sequence, _ in await store.inbox.pending(2)] == [second]
    assert await store.journal.timeline("inc-2") == ()


async def test_one_of_two_folds_of_the_same_version_wins(store: Store) -> None:
    stored = await store.incidents.fold(incident(), [], [])
    answers = await asyncio.gather(
        *(store.incidents.fold(replace(stored, title=str(n)), [], []) for n in range(5)), return_exceptions=True
    )
    won = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert len(won) == 1
    assert all(isinstance(answer, TemporaryError) for answer in answers if answer is not won[0])
    assert await store.incidents.get("inc-1") == won[0]


async def test_alerts_are_the_last_message_per_fingerprint_by_arrival(store: Store) -> None:
    late = alert("A", starts_at=after(60))
    messages = [late, alert("B"), replace(late, status=AlertStatus.RESOLVED, ends_at=after(70)), alert("C")]
    await store.inbox.append(messages)
    sequences = [sequence for sequence, _ in await store.inbox.pending(10)]

    stored = await store.incidents.fold(incident(), sequences[1:], [])
    # The first message is handed over last: it is older than what the incident knows of that alert, and stays so.
    await store.incidents.fold(stored, sequences[:1], [])

    assert await store.incidents.alerts("inc-1") == (messages[1], messages[3], messages[2])
    assert await store.incidents.alerts("another") == ()


async def test_a_storm_is_folded_in_one_transaction(store: Store) -> None:
    await store.inbox.append([alert(f"A{n % 700}", truncated=n) for n in range(2000)])
    sequences = [sequence for sequence, _ in await store.inbox.pending(5000)]
    await store.incidents.fold(incident(), sequences, [])
    assert await store.inbox.pending(1) == ()
    last = {item.name: item.truncated for item in await store.incidents.alerts("inc-1")}
    assert last == {f"A{n % 700}": n for n in range(2000)}


async def test_find_gives_the_newest_of_a_group_whatever_its_state(store: Store) -> None:
    await store.incidents.fold(incident("old", opened_at=after(-60)), [], [])
    await store.incidents.fold(incident("new", status=IncidentStatus.CLOSED), [], [])
    await store.incidents.fold(incident("older", opened_at=after(-90)), [], [])
    await store.incidents.fold(incident("other", group_key="x" * 10_000, opened_at=after(60)), [], [])

    newest = await store.incidents.find("group-1")
    assert newest is not None and newest.id == "new"
    other = await store.incidents.find("x" * 10_000)
    assert other is not None and other.id == "other"
    assert await store.incidents.find("group-2") is None


async def test_of_two_opened_at_one_instant_the_later_stored_is_the_newest(store: Store) -> None:
    for name in ("b", "c", "a"):
        await store.incidents.fold(incident(name), [], [])
    newest = await store.incidents.find("group-1")
    assert newest is not None and newest.id == "a"
    assert [item.id for item in await store.incidents.newest(2)] == ["a", "c"]


async def test_due_gives_critical_first_then_the_longest_overdue(store: Store) -> None:
    for name, severity, due in (
        ("info", Severity.INFO, -100),
        ("late", Severity.WARNING, -1),
        ("later", Severity.WARNING, -50),
        ("page", Severity.CRITICAL, 0),
        ("future", Severity.CRITICAL, 0.000001),
    ):
        await store.incidents.fold(incident(name, severity=severity, due_at=after(due)), [], [])
    await store.incidents.fold(incident("idle", severity=Severity.CRITICAL), [], [])

    assert [item.id for item in await store.incidents.due(NOON, 10)] == ["page", "later", "late", "info"]
    assert [item.id for item in await store.incidents.due(NOON, 2)] == ["page", "later"]
    assert [item.id for item in await store.incidents.due(after(0.000001), 1)] == ["page"]


async def test_newest_gives_the_most_recently_opened_first(store: Store) -> None:
    for name, seconds in (("b", 2), ("a", 1), ("c", 3)):
        await store.incidents.fold(incident(name, opened_at=after(seconds)), [], [])
    assert [item.id for item in await store.incidents.newest(2)] == ["c", "b"]
    assert await store.incidents.get("d") is None
