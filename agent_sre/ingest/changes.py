"""Changes that deploy systems, flag services and people report: ``POST /webhooks/changes``.

Three forms of the same thing are read: one change, ``{"changes": [...]}``, and CloudEvents 1.0 (structured, or a batch;
the entry point turns the binary mode into the structured one) whose ``data`` is a change. A change has the fields of a
snapshot's ``changes.json``: ``summary`` is needed; ``time`` (RFC 3339) is the moment of receipt where it is missing,
``kind`` is ``other``, ``id`` is made of the content, so that a sender that repeats itself is not counted twice. A
CloudEvent lends its ``id``, ``time``, ``subject`` (as the target) and ``type`` (from which the kind is guessed) to what
its data leaves out. Texts are cut to a length that a person would read. Not here: authentication, storage, redaction.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from agent_sre.domain.instant import format_instant, parse_instant
from agent_sre.domain.telemetry import Change
from agent_sre.ingest.payload import PayloadError, shown

SOURCE = "changes"
KINDS = ("deploy", "commit", "config", "feature_flag", "scale", "infrastructure", "other")
MOST = 1_000
"""Changes in one request."""

_LENGTHS = {"id": 200, "target": 500, "summary": 500, "author": 200, "diff": 20_000}
_AHEAD = timedelta(minutes=15)
"""A sender's clock may be this far ahead; what is later has not happened."""
_WORDS = (
    ("flag", "feature_flag"),
    ("rollout", "deploy"),
    ("deploy", "deploy"),
    ("release", "deploy"),
    ("push", "commit"),
    ("commit", "commit"),
    ("merge", "commit"),
    ("config", "config"),
    ("scal", "scale"),
    ("infra", "infrastructure"),
    ("terraform", "infrastructure"),
)
_FIX = f"send summary, and optionally time, kind ({', '.join(KINDS)}), target, id, author and diff, all of them text"


def parse(payload: object, received_at: datetime) -> tuple[Change, ...]:
    """The changes of a payload, in its order. Raises PayloadError naming the place and what was met."""
    documents = _documents(payload)
    if len(documents) > MOST:
        raise PayloadError(f"the payload holds {len(documents)} changes, the limit is {MOST}", "send fewer at a time")
    return tuple(_change(place, item, received_at) for place, item in documents)


def _documents(payload: object) -> list[tuple[str, Mapping[str, Any]]]:
    """Every change with its place in the payload, CloudEvents unwrapped."""
    if isinstance(payload, Mapping) and "changes" in payload:
        return [(f"changes[{place}]", _object(f"changes[{place}]", item)) for place, item in _list(payload["changes"])]
    if isinstance(payload, list):
        return [(f"[{place}]", _event(f"[{place}]", _object(f"[{place}]", item))) for place, item in _list(payload)]
    found = _object("the payload", payload)
    return [("the change", _event("the event", found) if "specversion" in found else found)]


def _list(value: object) -> list[tuple[int, object]]:
    if not isinstance(value, list):
        raise PayloadError(f"changes is {shown(value)}, not a list", _FIX)
    return list(enumerate(value))


def _object(place: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise PayloadError(f"{place} is {shown(value)}, not an object", _FIX)
    return value


def _event(place: str, event: Mapping[str, Any]) -> Mapping[str, Any]:
    """A CloudEvent as the change that it carries."""
    version = event.get("specversion")
    if version != "1.0":
        raise PayloadError(f"{place} has specversion {shown(version)}", "send CloudEvents of version 1.0")
    data = _object(f"data of {place}", event.get("data", {}))
    kind = str(event.get("type") or "")
    guessed = next((ours for word, ours in _WORDS if word in kind.lower()), "other")
    lent = {
        "id": event.get("id"),
        "time": event.get("time"),
        "target": event.get("subject"),
        "kind": guessed,
        "summary": kind or None,
    }
    return {**{key: value for key, value in lent.items() if value is not None}, **data}


def _change(place: str, item: Mapping[str, Any], received_at: datetime) -> Change:
    fields = {name: _text(place, name, item.get(name), length) for name, length in _LENGTHS.items()}
    if not fields["summary"]:
        raise PayloadError(f"{place} has no summary", _FIX)
    kind = item.get("kind", "other")
    if kind not in KINDS:
        raise PayloadError(f"{place} has kind {shown(kind)}", f"use one of {', '.join(KINDS)}")
    time = _time(place, item.get("time"), received_at)
    made = "\0".join((format_instant(time), kind, fields["target"], fields["summary"]))
    return Change(
        id=fields["id"] or hashlib.sha256(made.encode()).hexdigest()[:16],
        time=time,
        kind=kind,
        target=fields["target"],
        summary=fields["summary"],
        author=fields["author"],
        diff=fields["diff"],
    )


def _text(place: str, name: str, value: object, length: int) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or "\0" in value:
        raise PayloadError(f"{name} of {place} is {shown(value)}, not text without NUL", _FIX)
    return value if len(value) <= length else f"{value[: length - 1]}…"


def _time(place: str, value: object, received_at: datetime) -> datetime:
    if value is None:
        return received_at
    try:
        time = parse_instant(value) if isinstance(value, str) else None
    except ValueError:
        time = None
    if time is None:
        raise PayloadError(f"time of {place} is {shown(value)}", "send RFC 3339 with a zone: 2026-01-05T12:00:00Z")
    if time > received_at + _AHEAD:
        raise PayloadError(
            f"time of {place} is {format_instant(time)}, later than now ({format_instant(received_at)})",
            "send the moment at which the change took effect, and check the sender's clock",
        )
    return time
