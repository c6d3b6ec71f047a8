"""Maintenance windows: read from what a person wrote, added, listed and ended; each change is in the audit log.

The same words are used by the command line, the JSON API, the console and the site's file.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from agent_sre.domain.errors import PermanentError
from agent_sre.domain.instant import format_instant, parse_instant
from agent_sre.domain.maintenance import DAYS, MaintenanceWindow, Weekly
from agent_sre.domain.visible import one_line
from agent_sre.ingest.matchers import parse_matchers
from agent_sre.ports.clock import Clock, Ids
from agent_sre.ports.store import Journal
from agent_sre.ports.suppression import MaintenanceStore

MOST = 500
"""Windows that are or will be in force: each is compared with each alert."""
_NAME = 80
_COMMENT = 200
_UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?:\d{1,6}[wdhms])+")
_WEEKLY = re.compile(r"([a-z,\s-]+?)\s+(\d{1,2}:\d{2})\s*-\s*(\d{1,2}:\d{2})\s+(\S+)", re.IGNORECASE)
_WEEKLY_FIX = 'write it as "sat,sun 22:00-02:00 Europe/Berlin", with the name of a time zone'


@dataclass(frozen=True, slots=True)
class WindowWords:
    """A window as a person gives it. ``start``: "now" or a time; ``end``: a time, or ``lasts`` a duration as 2h30m.

    ``weekly``: every week, as ``sun 01:00-05:00 Europe/Berlin``; then the end may be left out.
    """

    matchers: Sequence[str]
    start: str = "now"
    end: str = ""
    lasts: str = ""
    weekly: str = ""
    comment: str = ""


def read_window(words: WindowWords, window_id: str, author: str, now: datetime) -> MaintenanceWindow:
    """The window that is meant. Raises PermanentError naming the word and the fix."""
    # Whole seconds: people read these times.
    starts_at = now.replace(microsecond=0) if words.start.strip().lower() in {"", "now"} else moment(words.start)
    if words.end and words.lasts:
        raise PermanentError("both an end and a duration are given; give one of them")
    ends_at = moment(words.end) if words.end else starts_at + duration(words.lasts) if words.lasts else None
    weekly = read_weekly(words.weekly) if words.weekly.strip() else None
    if ends_at is None and weekly is None:
        raise PermanentError("the window has no end; give an end, a duration such as 2h, or a weekly time")
    if ends_at is not None and ends_at <= max(starts_at, now):
        raise PermanentError(f"the end {format_instant(ends_at)} is not after the start, or over; give a later one")
    return MaintenanceWindow(
        id=window_id,
        matchers=parse_matchers(words.matchers),
        starts_at=starts_at,
        ends_at=ends_at,
        author=one_line(author, _NAME) or "unnamed operator",
        comment=one_line(words.comment, _COMMENT),
        created_at=now,
        weekly=weekly,
    )


async def add_window(
    words: WindowWords, author: str, *, store: MaintenanceStore, journal: Journal, clock: Clock, ids: Ids
) -> MaintenanceWindow:
    """Store it; in force from its start, also for alerts that fire already and that nobody has looked at."""
    now = clock.now()
    window = read_window(words, ids.new("MW"), author, now)
    if len(await store.current(now)) >= MOST:
        raise PermanentError(f"{MOST} maintenance windows are or will be in force; end some, or use wider matchers")
    await store.save(window)
    detail = {name: str(value) for name, value in window_to_plain(window, now).items() if value not in (None, "")}
    await journal.audit(now, window.author, "maintenance.added", window.id, detail)
    return window


async def end_window(
    window_id: str, by: str, *, store: MaintenanceStore, journal: Journal, clock: Clock
) -> MaintenanceWindow | None:
    """End it now; None where there is no such window. One that is over stays as it is."""
    now, by = clock.now(), one_line(by, _NAME) or "unnamed operator"
    window = await store.get(window_id)
    if window is None or window.over(now):
        return window
    ended = replace(window, ended_at=now, ended_by=by)
    await store.save(ended)
    await journal.audit(now, by, "maintenance.ended", window.id, {"comment": window.comment})
    return ended


def window_to_plain(window: MaintenanceWindow, now: datetime) -> dict[str, Any]:
    """For scripts and people; times RFC 3339, UTC."""
    until = window.until(now)
    state = "over" if window.over(now) else "active" if until else "waiting"
    return {
        "id": window.id,
        "state": state,
        "matchers": [str(matcher) for matcher in window.matchers],
        "starts_at": format_instant(window.starts_at),
        "ends_at": format_instant(window.ends_at) if window.ends_at else None,
        "weekly": str(window.weekly) if window.weekly else None,
        "until": format_instant(until) if until else None,
        "author": window.author,
        "comment": window.comment,
        "ended_at": format_instant(window.ended_at) if window.ended_at else None,
        "ended_by": window.ended_by or None,
    }


def moment(text: str) -> datetime:
    """An RFC 3339 time. Raises PermanentError."""
    try:
        return parse_instant(text)
    except ValueError as error:
        raise PermanentError(f"{error}; write it as 2026-01-31T12:00:00Z") from None


def duration(text: str) -> timedelta:
    """``2h30m``: weeks, days, hours, minutes and seconds. Raises PermanentError for anything else, or nothing."""
    told = text.strip().lower()
    seconds = sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)([wdhms])", told))
    if not _DURATION.fullmatch(told) or not 0 < seconds <= 366 * 86_400:
        raise PermanentError(f"{one_line(text, 40)!r} is no duration of up to a year; write it as 2h, 90m or 1d12h")
    return timedelta(seconds=seconds)


def read_weekly(text: str) -> Weekly:
    """``sat,sun 22:00-02:00 Europe/Berlin``; days may be a range, as mon-fri. Raises PermanentError."""
    found = _WEEKLY.fullmatch(text.strip())
    if found is None:
        raise PermanentError(f"{one_line(text, 80)!r} is no weekly time; {_WEEKLY_FIX}")
    try:
        zone = ZoneInfo(found[4]).key
        start, end = (time.fromisoformat(clock.rjust(5, "0")) for clock in (found[2], found[3]))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise PermanentError(f"{one_line(text, 80)!r}: {one_line(str(error), 80)}; {_WEEKLY_FIX}") from None
    return Weekly(_days(found[1]), start, end, zone)


def _days(text: str) -> tuple[int, ...]:
    chosen: set[int] = set()
    for part in filter(None, re.split(r"[,\s]+", text.strip().lower())):
        first, _, last = part.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            raise PermanentError(f"{part!r} is no day of the week; use {', '.join(DAYS)}")
        begin, count = DAYS.index(first), (DAYS.index(last or first) - DAYS.index(first)) % 7
        chosen.update((begin + offset) % 7 for offset in range(count + 1))
    return tuple(sorted(chosen))
