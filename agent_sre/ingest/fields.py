"""Single fields of a payload, read as far as they can be.

Alert sources fill their templates from whatever they have, so most fields may be missing, null, a number where a text
is meant, or a variable that nobody expanded. None of that is a reason to lose an alert: what is not there reads as ""
or None. Only what an alert cannot be told without is demanded, with ``mapping``. Times are RFC 3339 or seconds, milli-,
micro- or nanoseconds since 1970, also written as text, and told apart by their size (unambiguous from 1973 to 5138).
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from agent_sre.domain.instant import is_zero_time, parse_instant
from agent_sre.ingest.payload import PayloadError, shown

MAX_TEXT = 8_192
"""Characters kept of a text for people; a rule's template may print a whole table into one."""

_UNITS = (1e11, 1e14, 1e17, 1e20)
"""Upper ends of plausible seconds, milli-, micro- and nanoseconds since 1970."""
_NUMBER = re.compile(r"\d{1,20}(?:\.\d{1,9})?")


def mapping(value: object, path: str, fix: str) -> Mapping[str, Any]:
    """The JSON object at a path. Raises PayloadError where it is anything else."""
    if not isinstance(value, dict):
        raise PayloadError(f"{path} is {shown(value)}, not an object", fix)
    return value


def section(item: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """The object under these names, one inside the other; empty where there is none."""
    for name in names:
        inner = item.get(name)
        if not isinstance(inner, dict):
            return {}
        item = inner
    return item


def items(value: object) -> list[Any]:
    """A JSON list; empty for anything else."""
    return value if isinstance(value, list) else []


def word(value: object) -> str:
    """A text or number as one stripped text; "" for everything else. For names, states and ids, which are not cut."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()


def first(*values: object) -> str:
    """The first of them that says anything."""
    return next((text for value in values if (text := word(value))), "")


def text(value: object) -> str:
    """Text for people: NUL, which databases cannot store, as a visible stand-in; cut with a mark."""
    told = value if isinstance(value, str) else _number(value)
    if "\0" in told:
        told = told.replace("\0", "\N{SYMBOL FOR NULL}")
    return told if len(told) <= MAX_TEXT else told[: MAX_TEXT - 1] + "…"


def _number(value: object) -> str:
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""


def instant(value: object) -> datetime | None:
    """A moment in UTC, in any of the forms above; None where there is none, or Go's zero time."""
    told = word(value)
    if _NUMBER.fullmatch(told):
        return _since_1970(float(told))
    try:
        found = parse_instant(told) if told else None
    except ValueError:
        return None
    return None if found is None or is_zero_time(found) else found


def _since_1970(number: float) -> datetime | None:
    for power, end in enumerate(_UNITS):
        if 0 < number < end:
            return datetime.fromtimestamp(number / 1000**power, UTC)
    return None


def pairs(value: object) -> dict[str, str]:
    """Tags as labels: ``key:value`` or ``key=value`` texts in a list or separated by commas, [key, value] lists, or an
    object. A tag without a value is "true"."""
    if isinstance(value, dict):
        return {name: word(item) for name, item in value.items() if word(item)}
    listed = value.split(",") if isinstance(value, str) else items(value)
    found: dict[str, str] = {}
    for item in listed:
        if isinstance(item, list) and len(item) == 2:
            name, told = word(item[0]), word(item[1])
        elif isinstance(item, dict):
            name, told = first(item.get("name"), item.get("key"), item.get("tag")), word(item.get("value"))
        else:
            name, told = _split(word(item))
        if name and told:
            found.setdefault(name, told)
    return found


def _split(tag: str) -> tuple[str, str]:
    name, mark, told = tag.partition(":") if ":" in tag else tag.partition("=")
    return name.strip(), told.strip() if mark else "true"
