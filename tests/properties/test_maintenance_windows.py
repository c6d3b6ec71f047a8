"""Weekly windows over changes of the clock: the code against the definition, minute by minute.

The definition: an occurrence begins at the first minute at which the clock on the wall shows the day's start or more,
and ends after the last minute at which it shows less than its end.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings, strategies as st

from agent_sre.domain.maintenance import Weekly

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kathmandu", "UTC")
CHANGES = (
    date(2026, 3, 29),
    date(2026, 10, 25),
    date(2026, 3, 8),
    date(2026, 11, 1),
    date(2026, 4, 5),
    date(2018, 11, 4),
)
"""Days on which the clock of one of the zones is changed; Lord Howe by half an hour, Sao Paulo once at midnight."""
MINUTE = timedelta(minutes=1)
CLOCKS = st.integers(0, 24 * 12 - 1).map(lambda step: time(step * 5 // 60, step * 5 % 60))
WEEKLY = st.builds(
    Weekly,
    st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
    CLOCKS,
    CLOCKS,
    st.sampled_from(ZONES),
)


def by_definition(weekly: Weekly, minutes: list[datetime]) -> set[datetime]:
    zone = ZoneInfo(weekly.zone)
    walls = [minute.astimezone(zone).replace(tzinfo=None) for minute in minutes]
    inside: set[datetime] = set()
    for day in {wall.date() for wall in walls}:
        if day.weekday() not in weekly.days:
            continue
        start = datetime.combine(day, weekly.start)
        end = datetime.combine(day if weekly.end > weekly.start else day + timedelta(days=1), weekly.end)
        first = next((n for n, wall in enumerate(walls) if wall >= start), len(walls))
        last = max((n for n, wall in enumerate(walls) if wall < end), default=-1)
        inside.update(minutes[first : last + 1])
    return inside


@settings(max_examples=25, deadline=None)
@given(WEEKLY, st.sampled_from(CHANGES))
def test_a_window_is_in_force_at_the_minutes_of_its_definition(weekly: Weekly, change: date) -> None:
    noon = datetime.combine(change, time(12), UTC)
    minutes = [noon + n * MINUTE for n in range(-6 * 1440, 6 * 1440)]
    expected = by_definition(weekly, minutes)
    looked_at = minutes[4 * 1440 : 8 * 1440 : 5]  # two days around the change, so that whole occurrences are inside
    assert [m for m in looked_at if (weekly.until(m) is not None) != (m in expected)] == []


@settings(max_examples=100, deadline=None)
@given(WEEKLY, st.integers(0, 366 * 24 * 60))
def test_the_end_that_is_told_is_the_first_moment_outside(weekly: Weekly, minute: int) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + minute * MINUTE
    until = weekly.until(now)
    if until is None:
        return
    assert now < until <= now + timedelta(hours=26)
    again = weekly.until(until)
    # Right after its end another day's occurrence may be in force; then it ends later.
    assert again is None or again > until
    assert weekly.until(until - timedelta(microseconds=1)) is not None


@pytest.mark.parametrize(
    ("start", "end", "first", "last"),
    [
        # 29 March 2026 in Berlin: 02:00 becomes 03:00, which is 01:00 UTC.
        ("02:30", "04:00", "2026-03-29T01:00", "2026-03-29T02:00"),
        ("01:00", "02:30", "2026-03-29T00:00", "2026-03-29T01:00"),
        # 25 October 2026: 03:00 becomes 02:00 again; 02:30 is first 00:30 UTC, then 01:30 UTC.
        ("02:30", "04:00", "2026-10-25T00:30", "2026-10-25T03:00"),
        ("01:00", "02:30", "2026-10-24T23:00", "2026-10-25T01:30"),
    ],
)
def test_changes_of_the_clock_in_berlin(start: str, end: str, first: str, last: str) -> None:
    weekly = Weekly((6,), time.fromisoformat(start), time.fromisoformat(end), "Europe/Berlin")
    begins, ends = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (first, last))
    assert weekly.until(begins - MINUTE) is None
    assert weekly.until(begins) == ends
    assert weekly.until(ends - MINUTE) == ends
    assert weekly.until(ends) is None
