"""Journal: what every backend must do."""

import asyncio
from dataclasses import replace

from agent_sre.adapters.store_memory import MemoryStore
from agent_sre.adapters.store_sql import SqlStore
from agent_sre.domain.audit import GENESIS, first_bad_row
from tests.contract.store_values import NOON, after, entry, incident

Store = MemoryStore | SqlStore


async def test_the_timeline_is_by_time_then_by_arrival(store: Store) -> None:
    await store.journal.add(entry("third", time=after(5)))
    await store.journal.add(entry("first"))
    await store.incidents.fold(incident(), [], [entry("second")])
    await store.journal.add(entry("not ours", "inc-2"))

    found = await store.journal.timeline("inc-1")
    assert [item.text for item in found] == ["first", "second", "third"]
    assert [replace(item, sequence=0) for item in found] == [
        entry("first"),
        entry("second"),
        entry("third", time=after(5)),
    ]
    assert len({item.sequence for item in found}) == 3 and all(item.sequence > 0 for item in found)
    assert found[0].sequence < found[1].sequence
    assert await store.journal.timeline("inc-3") == ()


async def test_audit_rows_are_chained_and_come_back_in_order(store: Store) -> None:
    first = await store.journal.audit(NOON, "ann", "approve", "app-1", {"digest": "größer \N{PILE OF POO}", "b": ""})
    second = await store.journal.audit(after(-5), "agent_sre", "execute", "eff-1", {})

    assert (first.sequence, first.previous) == (1, GENESIS)
    assert (second.sequence, second.previous) == (2, first.digest)
    assert await store.journal.audit_rows(0, 10) == (first, second)
    assert await store.journal.audit_rows(0, 1) == (first,)
    assert await store.journal.audit_rows(1, 10) == (second,)
    assert await store.journal.audit_rows(2, 10) == ()
    assert first_bad_row(await store.journal.audit_rows(0, 10), second.digest) is None


async def test_an_actor_with_a_strange_name_is_audited(store: Store) -> None:
    row = await store.journal.audit(NOON, "a\0nn", "appr\0ve", "app\0", {"\0": "\0"})
    assert await store.journal.audit_rows(0, 10) == (row,)
    assert first_bad_row([row]) is None


async def test_concurrent_audits_make_one_chain(store: Store) -> None:
    await asyncio.gather(*(store.journal.audit(after(n), "a", "v", str(n), {"n": str(n)}) for n in range(40)))
    rows = await store.journal.audit_rows(0, 100)
    assert [row.sequence for row in rows] == list(range(1, 41))
    assert first_bad_row(rows) is None


async def test_an_entry_with_a_key_is_kept_once_however_it_is_stored(store: Store) -> None:
    stored = await store.incidents.fold(incident(), [], [entry("a", key="started/1"), entry("b")])
    await store.journal.add(entry("c", key="started/1"))
    await store.incidents.fold(stored, [], [entry("d", key="started/1"), entry("e", key="started/2")])
    await store.journal.add(entry("f"))
    await store.journal.add(entry("other incident", "inc-2", key="started/1"))
    assert [item.text for item in await store.journal.timeline("inc-1")] == ["a", "b", "e", "f"]
    assert len(await store.journal.timeline("inc-2")) == 1
