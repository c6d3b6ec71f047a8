"""Bytes from outside to plain JSON values, with the limits checked before anything is built.

orjson refuses most of what is dangerous by itself: NaN, Infinity, numbers beyond a double, lone surrogates, invalid
UTF-8, raw control characters. What it lets through is checked here: size, depth (it stops only at 1,024 levels, where
code that walks the result would already fail), keys that occur twice (it keeps the last one silently, so that two
readers of one body could see two different alerts) and NUL in a key. Every step is linear in the body's size. A body in
the form that machines write is known to be sound in a fraction of the time (``_usual``); nothing is refused there.

Some senders need more: a form instead of JSON (``decode_form``), or characters mended that the sender itself cut in two
(``mended``). Called by ``service.accept_alerts``. What the values mean is the parsers' part.
"""

import json
import re
from typing import Any
from urllib.parse import parse_qsl

import orjson

from agent_sre.ingest.payload import PayloadError, PayloadTooLarge, shown

MAX_BYTES = 5_000_000
MAX_VALUES = 400_000
"""Brackets, colons and commas: five million bytes may not become a million objects. An alert has about fifty."""
MAX_DEPTH = 32
"""Alertmanager's payload is four levels deep; other sources carry nested details."""

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
"""A JSON string, or the rest of the body where one is not closed: so no byte is looked at twice."""
_NOT_STRUCTURE = bytes(set(range(256)) - set(b"[]{}:,"))
_ROUND = bytes.maketrans(b"[]{}", b"()()")
_FIX = "send one JSON document in UTF-8"
_MAX_FIELDS = 200
_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair: stays
    rb"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"  # half of one
    rb"|\\."
)
_SMALLER = "send fewer alerts at a time (Alertmanager: webhook_configs.max_alerts)"


def decode(body: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> Any:
    """The body's JSON value. Raises PayloadError (PayloadTooLarge for its size) naming what was met and where."""
    if len(body) > max_bytes:
        raise PayloadTooLarge(f"the body has {len(body)} bytes, the limit is {max_bytes}", _SMALLER)
    if not body.strip():
        raise PayloadError("the body is empty", _FIX)
    value = _usual(body, max_depth)
    return _closely(body, max_depth) if value is None else value


def _usual(body: bytes, max_depth: int) -> Any:
    """The value of a body that writes itself again byte for byte, which nearly all do; None for one that does not.

    A key that occurs twice would be written once. Machines write without spaces and escape no more than they must, but
    for Go's encoder, which escapes three characters of HTML: those are put back before the comparison. Where the bytes
    hold more backslashes than that, they differ, and the body is looked at closely.
    """
    if len(body) > MAX_VALUES or rb"\u0000" in body:
        return None
    try:
        value = orjson.loads(body)
        written = orjson.dumps(value)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None
    if written != body and (rb"\u00" not in body or written != _without_go_escapes(body)):
        return None
    return value if _is_flat(value, max_depth) else None


def _without_go_escapes(body: bytes) -> bytes:
    return body.replace(rb"\u0026", b"&").replace(rb"\u003c", b"<").replace(rb"\u003e", b">")


def _is_flat(value: Any, max_depth: int) -> bool:
    """Whether no container is deeper than ``max_depth``, a level a round."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(max_depth):
        if not level:
            return True
        level = [
            inner
            for item in level
            for inner in (item.values() if type(item) is dict else item)
            if type(inner) is dict or type(inner) is list
        ]
    return not level


def _closely(body: bytes, max_depth: int) -> Any:
    """The value of any body, or PayloadError with what is wrong with it."""
    structure = _STRING.sub(b"", body).translate(_ROUND, delete=_NOT_STRUCTURE)
    _check_depth(structure.translate(None, delete=b":,"), max_depth)
    if len(structure) > MAX_VALUES:
        raise PayloadTooLarge(f"the body holds more than {MAX_VALUES} brackets, colons and commas", _SMALLER)
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise PayloadError(f"the body is not valid JSON: {error}", _FIX) from None
    _check_keys(value, structure.count(b":"), body)
    return value


def decode_form(body: bytes, *, max_bytes: int = MAX_BYTES) -> Any:
    """A form's fields as an object of texts, or the JSON of its only field ``payload``. Raises PayloadError.

    A body that is JSON after all, under a form's content type, is read as what it is.
    """
    if len(body) > max_bytes:
        raise PayloadTooLarge(f"the body has {len(body)} bytes, the limit is {max_bytes}", _SMALLER)
    if body.lstrip()[:1] in {b"{", b"["}:
        return decode(body, max_bytes=max_bytes)
    try:
        found = parse_qsl(
            body.decode(), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=_MAX_FIELDS
        )
    except ValueError as error:  # UnicodeDecodeError is one
        raise PayloadError(f"the body is not a form: {error}", "send JSON, or a form in UTF-8") from None
    fields = dict(found)
    if len(fields) < len(found):
        raise PayloadError("a field of the form occurs twice", "send each field once")
    if any("\0" in name for name in fields):
        raise PayloadError("the name of a field contains NUL", "remove the NUL character")
    return decode(fields["payload"].encode(), max_bytes=max_bytes) if list(fields) == ["payload"] else fields


def mended(body: bytes) -> bytes:
    """The body with U+FFFD for every byte sequence that is no UTF-8 and every half of an escaped surrogate pair.

    For senders that cut texts without regard to characters; what is cut is then visible instead of refused.
    """
    whole = body.decode("utf-8", errors="replace").encode()
    return _ESCAPE.sub(lambda match: rb"\ufffd" if match[1] else match[0], whole)


def _check_depth(brackets: bytes, max_depth: int) -> None:
    """Take the innermost pairs away, a level a round: what is left after ``max_depth`` rounds is deeper or unclosed."""
    for _ in range(max_depth):
        before = len(brackets)
        brackets = brackets.replace(b"()", b"")
        if len(brackets) == before:
            break
    if b"()" in brackets or brackets.count(b"(") > max_depth:
        raise PayloadError(f"the body is nested deeper than {max_depth} levels", "send a flatter payload")


def _check_keys(value: Any, written: int, body: bytes) -> None:
    """Every key that was written must have been kept, and none may hold NUL, which databases cannot store."""
    kept = 0
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            kept += len(item)
            for key in item:
                if "\0" in key:
                    raise PayloadError(f"the key {shown(key)} contains NUL", "remove the NUL character")
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
    if kept != written:
        raise PayloadError(f"the key {shown(_repeated(body))} occurs twice in one object", "send each key once")


def _repeated(body: bytes) -> str:
    """The first key that occurs twice in one object; the slow way, for the error message only."""
    found: list[str] = []

    def look(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                found.append(key)
            seen.add(key)

    json.loads(body, object_pairs_hook=look)
    return found[0] if found else ""
