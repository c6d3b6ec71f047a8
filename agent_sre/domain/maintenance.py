"""Maintenance windows: times in which alerts that match are expected, once or every week.

A weekly window is meant by the clock on the wall: "Sunday 01:00 to 05:00 in Europe/Berlin" begins when that clock first
shows 01:00 or later, and ends when it last shows less than 05:00. So nothing depends on how long a day is on which the
clock is changed: a start that is skipped is the moment of the change, an end that comes twice is the second one.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from agent_sre.domain.matcher import Matcher

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Weekly:
    """Every week on these days (0 is Monday) from ``start`` to ``end`` by the clock of ``zone``, an IANA name.

    An end that is not after the start is on the next day; where both are the same it is a whole day.
    """

    days: tuple[int, ...]
    start: time
    end: time
    zone: str

    def until(self, now: datetime) -> datetime | None:
        """When the occurrence ends that ``now`` (UTC) is in; None outside. UTC."""
        zone = ZoneInfo(self.zone)
        # It can be yesterday's by the local calendar, and the local date itself be off by one around a change.
        today = now.astimezone(zone).date()
        ends = [self._end(day, zone) for day in _around(today) if day.weekday() in self.days and self._has(day, now)]
        return max(ends, default=None)

    def _has(self, day: date, now: datetime) -> bool:
        zone = ZoneInfo(self.zone)
        return _first(day, self.start, zone) <= now < self._end(day, zone)

    def _end(self, day: date, zone: tzinfo) -> datetime:
        return _last(day if self.end > self.start else day + timedelta(days=1), self.end, zone)

    def __str__(self) -> str:
        """``sat,sun 22:00-02:00 Europe/Berlin``."""
        days = ",".join(DAYS[day] for day in self.days)
        return f"{days} {self.start:%H:%M}-{self.end:%H:%M} {self.zone}"


@dataclass(frozen=True, slots=True)
class MaintenanceWindow:
    """Alerts that all ``matchers`` match are expected from ``starts_at`` to ``ends_at`` (UTC), or weekly in between.

    ``ends_at`` may be None for a weekly window only, which then has no end. ``ended_at`` and ``ended_by``: somebody
    ended it before.
    """

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime | None
    author: str
    comment: str
    created_at: datetime
    weekly: Weekly | None = None
    ended_at: datetime | None = None
    ended_by: str = ""

    def until(self, now: datetime) -> datetime | None:
        """When it ends, by what is known now, where it is in force at ``now`` (UTC); None where it is not."""
        if now < self.starts_at or self.over(now):
            return None
        ends = [end for end in (self.ends_at, self.ended_at) if end is not None]
        if self.weekly is not None:
            occurrence = self.weekly.until(now)
            if occurrence is None:
                return None
            ends.append(occurrence)
        return min(ends, default=None)

    def over(self, now: datetime) -> bool:
        """Whether it will never be in force again."""
        return any(end is not None and end <= now for end in (self.ends_at, self.ended_at))


def _around(day: date) -> tuple[date, ...]:
    return tuple(day + timedelta(days=offset) for offset in (-2, -1, 0, 1))


def _first(day: date, clock: time, zone: tzinfo) -> datetime:
    """The first instant at which the clock of that day shows this or more."""
    wall = datetime.combine(day, clock)
    return _change(wall, zone) or wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def _last(day: date, clock: time, zone: tzinfo) -> datetime:
    """The instant from which on the clock never shows less than this on that day."""
    wall = datetime.combine(day, clock)
    return _change(wall, zone) or wall.replace(tzinfo=zone, fold=1).astimezone(UTC)


def _change(wall: datetime, zone: tzinfo) -> datetime | None:
    """The moment of the change that skips this wall time; None for a time that exists."""
    late = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if late.astimezone(zone).replace(tzinfo=None) == wall:
        return None
    before, after = wall.replace(tzinfo=zone, fold=1).astimezone(UTC), late
    offset = before.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)
