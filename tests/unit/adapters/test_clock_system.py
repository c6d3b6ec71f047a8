"""The system clock is UTC, and ids can be said aloud."""

import re
from datetime import UTC, datetime, timedelta

from agent_sre.adapters.clock_system import ALPHABET, RandomIds, SystemClock
from agent_sre.testing.clock import FrozenClock
from agent_sre.testing.ids import SequentialIds


def test_now_is_utc() -> None:
    now = SystemClock().now()
    assert now.utcoffset() == timedelta(0)
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)


async def test_sleeping_for_no_time_returns() -> None:
    await SystemClock().sleep(-1.0)


def test_ids_are_short_unambiguous_and_differ() -> None:
    made = {RandomIds().new("INC") for _ in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch(rf"INC-[{ALPHABET}]{{6}}", item) for item in made)
    assert not set(ALPHABET) & set("01OIL")


async def test_the_frozen_clock_moves_only_when_told() -> None:
    clock = FrozenClock(datetime(2026, 1, 1, tzinfo=UTC))
    await clock.sleep(90)
    assert clock.now() == datetime(2026, 1, 1, 0, 1, 30, tzinfo=UTC)
    clock.advance(timedelta(seconds=-30))
    assert clock.now() == datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
    assert clock.sleeps == [90]


def test_sequential_ids_count_by_prefix() -> None:
    ids = SequentialIds()
    assert [ids.new("A"), ids.new("A"), ids.new("B")] == ["A-1", "A-2", "B-1"]
