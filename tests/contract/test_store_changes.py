"""ChangeLog and its reading side: reported twice is one change, the last word counts, the window has both its ends."""

from datetime import timedelta

from agent_sre.adapters.changes_merged import MergedChanges
from agent_sre.adapters.context_snapshot import SnapshotChanges
from agent_sre.adapters.store_memory import MemoryStore
from agent_sre.adapters.store_sql import SqlStore
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Change
from tests.unit.alerts import NOON

Store = MemoryStore | SqlStore
HOUR = Window(NOON - timedelta(hours=1), NOON)


def change(id_: str, minutes_ago: float, summary: str = "s", target: str = "basket") -> Change:
    return Change(id_, NOON - timedelta(minutes=minutes_ago), "deploy", target, summary, diff="-a\n+ü")


async def told(store: Store, window: Window = HOUR) -> list[tuple[str, str]]:
    return [(item.id, item.summary) for item in await store.changes.changes((), window)]


async def test_changes_come_back_whole_and_oldest_first(store: Store) -> None:
    newer, older = change("b", 5), change("a", 10)
    assert await store.changes.append([newer, older]) == 2
    assert await store.changes.changes((), HOUR) == (older, newer)


async def test_what_is_reported_again_is_one_change_with_the_last_word(store: Store) -> None:
    assert await store.changes.append([change("a", 10), change("a", 10, "twice in one report")]) == 1
    assert await store.changes.append([change("a", 9, "later"), change("a", 9, target="ledger")]) == 1
    assert await told(store) == [("a", "later"), ("a", "s")]


async def test_the_window_has_both_its_ends(store: Store) -> None:
    await store.changes.append([change("start", 60), change("end", 0), change("before", 61)])
    assert [name for name, _ in await told(store)] == ["start", "end"]


async def test_nothing_is_a_report_too(store: Store) -> None:
    assert await store.changes.append([]) == 0


async def test_sources_are_merged_and_the_first_one_is_believed(store: Store) -> None:
    await store.changes.append([change("a", 10, "reported")])
    other = SnapshotChanges([change("a", 10, "again"), change("c", 20)])
    found = await MergedChanges([store.changes, other]).changes((), HOUR)
    assert [(item.id, item.summary) for item in found] == [("c", "s"), ("a", "reported")]
