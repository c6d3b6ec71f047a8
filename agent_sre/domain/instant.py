"""RFC 3339 instants, always UTC inside the product.

Alert sources write offsets, nanoseconds and the zero time ``0001-01-01T00:00:00Z`` for "not yet"; all that ends here.
"""

import re
from datetime import UTC, datetime, timedelta, timezone

_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,12}))?\s*(?:([Zz])|([+-])(\d\d):?(\d\d))?"
)
_SHAPE = ("-", "-", "T", ":", ":")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_instant(text: str) -> datetime:
    """Return the instant in UTC; nanoseconds are cut to microseconds, a missing zone is read as UTC.

    Raises ValueError, naming the text, when it is no RFC 3339 time.
    """
    if text[-1:] == "Z" and len(text) > 19 and (text[4], text[7], text[10], text[13], text[16]) == _SHAPE:
        try:
            return datetime.fromisoformat(text)  # the usual form, read many thousand times per case
        except ValueError:
            pass  # a leap second, a comma before the fraction, or no time at all: looked at more closely below
    match = _RFC3339.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not an RFC 3339 time such as 2026-01-31T12:00:00Z")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    micros = int((match[7] or "0")[:6].ljust(6, "0"))
    zone = UTC
    if match[9]:
        offset = timedelta(hours=int(match[10]), minutes=int(match[11]))
        zone = timezone(offset if match[9] == "+" else -offset)
    try:
        # A leap second (:60) is the following second for every clock we compare with.
        leap, second = divmod(second, 60)
        instant = datetime(year, month, day, hour, minute, second, micros, zone) + timedelta(minutes=leap)
        return instant.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is not a valid time: {error}") from None


def format_instant(instant: datetime) -> str:
    """RFC 3339 in UTC with ``Z``; microseconds only where there are any."""
    text = instant.astimezone(UTC).isoformat(timespec="microseconds" if instant.microsecond else "seconds")
    return text.replace("+00:00", "Z")


def is_zero_time(instant: datetime) -> bool:
    """Whether this is Go's zero time, which senders use for "has no value"."""
    return instant.year <= 1
