"""Times in which nothing is changed: once, as two instants, or every week, as two days with a time of day in UTC.

Written ``2026-12-23T18:00Z/2027-01-02T06:00Z`` or ``Fri 16:00/Mon 07:00``. A weekly freeze whose end lies before its
beginning goes over the end of the week. Ends are exclusive.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent_sre.domain.errors import PermanentError
from agent_sre.domain.instant import parse_instant

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKLY = re.compile(r"([a-z]{3}) ([01][0-9]|2[0-3]):([0-5][0-9])")
_SECONDS = re.compile(r"T(\d\d:\d\d)(?=Z|[+-])")


@dataclass(frozen=True, slots=True)
class Freeze:
    """Either two instants, or two offsets from Monday 00:00 UTC."""

    text: str
    instants: tuple[datetime, datetime] | None = None
    offsets: tuple[timedelta, timedelta] | None = None

    def holds(self, now: datetime) -> bool:
        """Whether it is frozen at ``now`` (UTC)."""
        if self.instants is not None:
            return self.instants[0] <= now < self.instants[1]
        if self.offsets is None:
            return False
        start, end = self.offsets
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        at = now - (midnight - timedelta(days=now.weekday()))
        return start <= at < end if start < end else at >= start or at < end


def freezes(texts: Iterable[str]) -> tuple[Freeze, ...]:
    """The freezes as an operator wrote them. Raises PermanentError naming the one that cannot be read."""
    return tuple(_freeze(text) for text in texts)


def _freeze(text: str) -> Freeze:
    first, slash, last = (part.strip() for part in text.partition("/"))
    weekly = _offset(first), _offset(last)
    if weekly[0] is not None and weekly[1] is not None and weekly[0] != weekly[1]:
        return Freeze(text, offsets=(weekly[0], weekly[1]))
    try:
        instants = parse_instant(_SECONDS.sub(r"T\1:00", first)), parse_instant(_SECONDS.sub(r"T\1:00", last))
    except ValueError:
        instants = None
    if not slash or instants is None or instants[0] >= instants[1]:
        raise PermanentError(
            f"{text[:80]!r} is no freeze; write two instants, 2026-12-23T18:00Z/2027-01-02T06:00Z, "
            f"or two times of the week in UTC, Fri 16:00/Mon 07:00"
        )
    return Freeze(text, instants=instants)


def _offset(text: str) -> timedelta | None:
    found = _WEEKLY.fullmatch(text.lower())
    if found is None or found[1] not in _DAYS:
        return None
    return timedelta(days=_DAYS.index(found[1]), hours=int(found[2]), minutes=int(found[3]))
