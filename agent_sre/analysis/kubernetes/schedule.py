"""Cron schedules as the CronJob controller reads them: five fields or a macro, in the CronJob's time zone or UTC.

Only what is needed to say that a start is overdue. A schedule that cannot be read says nothing.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NAMES: tuple[dict[str, int], ...] = (
    {},
    {},
    {},
    {name: place for place, name in enumerate(_MONTHS, 1)},
    {name: place for place, name in enumerate(_DAYS)},
)
_FARTHEST = timedelta(days=8)

Fields = tuple[frozenset[int], ...]


def starts_between(schedule: str, zone: str, after: datetime, until: datetime) -> Iterator[datetime]:
    """The scheduled starts after one moment and up to another (UTC), at most the last eight days of them."""
    fields, where = _fields(schedule), _zone(zone)
    if fields is None or where is None:
        return
    moment = max(after, until - _FARTHEST).replace(second=0, microsecond=0) + timedelta(minutes=1)
    while moment <= until:
        if _due(fields, moment.astimezone(where), schedule):
            yield moment
        moment += timedelta(minutes=1)


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return None


def _fields(schedule: str) -> Fields | None:
    words = _MACROS.get(schedule.strip().lower(), schedule).split()
    if len(words) != len(_RANGES):
        return None
    found = [_field(word, *bounds, names) for word, bounds, names in zip(words, _RANGES, _NAMES, strict=True)]
    return tuple(item for item in found if item) if all(found) else None


def _field(word: str, low: int, high: int, names: dict[str, int]) -> frozenset[int]:
    """The values of one field; empty where it cannot be read."""
    values: set[int] = set()
    for part in word.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if span in ("*", "?"):
            begin, end = low, high
        else:
            start = names.get(first.lower()[:3], int(first) if first.isdecimal() else -1)
            stop = names.get(last.lower()[:3], int(last) if last.isdecimal() else -1) if last else start
            begin, end = start, high if step and not last else stop
        if not low <= begin <= end <= high or (step and not step.isdecimal()) or step == "0":
            return frozenset()
        values.update(range(begin, end + 1, int(step or 1)))
    return frozenset(values)


def _due(fields: Fields, moment: datetime, schedule: str) -> bool:
    minute, hour, day, month, weekday = fields
    if moment.minute not in minute or moment.hour not in hour or moment.month not in month:
        return False
    words = schedule.split()
    today = moment.isoweekday() % 7
    by_day, by_weekday = moment.day in day, today in weekday or (today == 0 and 7 in weekday)
    # As in cron: where both are restricted, either is enough.
    if len(words) == len(_RANGES) and words[2][0] not in "*?" and words[4][0] not in "*?":
        return by_day or by_weekday
    return by_day and by_weekday
