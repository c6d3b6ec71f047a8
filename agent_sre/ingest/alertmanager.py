"""Alertmanager's webhook payload, version "4", as domain alerts.

Tolerant where senders really differ (times with offsets and nanoseconds, Go's zero time for "not yet", no fingerprint,
alerts left out of the message), strict where reading on would mean guessing: then the error names the JSON path and the
value met. The fingerprint is computed where none was sent, from the sorted labels, so both forms of one alert are one.

Pure. Called by ``service.accept_alerts`` and for snapshots; grouping and deduplication are the pipeline's part.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from agent_sre.domain.alert import Alert, AlertStatus, fingerprint_of
from agent_sre.domain.instant import is_zero_time, parse_instant
from agent_sre.ingest.payload import PayloadError, shown

SOURCE = "alertmanager"
VERSION = "4"
MAX_TEXT = 8_192
"""Characters kept of an annotation or URL; a rule's template may print a whole table into one."""
MAX_LABELS = 256
MAX_LABEL = 4_096
"""Labels are the alert's identity: longer ones are refused, not cut."""

_FIX = 'send the payload of an Alertmanager webhook, version "4"'
_FINGERPRINT = re.compile(r"[0-9a-f]{1,16}")
_MOST_TRUNCATED = 1_000_000_000


def parse(payload: object, received_at: datetime) -> tuple[Alert, ...]:
    """The alerts of one decoded payload, in its order; ``received_at`` is UTC. Raises PayloadError."""
    message = _mapping(payload, "$")
    version = message.get("version", VERSION)
    if str(version) != VERSION:
        raise PayloadError(f'$.version is {shown(version)}, not "{VERSION}"', _FIX)
    items = message.get("alerts")
    if not isinstance(items, list):
        met = shown(items) if "alerts" in message else "missing"
        raise PayloadError(f"$.alerts is {met}, not a list", _FIX)
    truncated = _count(message.get("truncatedAlerts"), "$.truncatedAlerts")
    return tuple(
        _alert(_mapping(item, f"$.alerts[{index}]"), f"$.alerts[{index}]", message, truncated, received_at)
        for index, item in enumerate(items)
    )


def _alert(
    item: Mapping[str, Any], path: str, message: Mapping[str, Any], truncated: int, received_at: datetime
) -> Alert:
    labels = _labels(item.get("labels"), f"{path}.labels")
    status = _status(item.get("status", message.get("status")), f"{path}.status")
    ends_at = _instant(item.get("endsAt"), f"{path}.endsAt")
    if status is AlertStatus.RESOLVED:
        ends_at = ends_at or received_at
    starts_at = _instant(item.get("startsAt"), f"{path}.startsAt") or ends_at or received_at
    return Alert(
        fingerprint=_fingerprint(item.get("fingerprint"), labels),
        status=status,
        labels=labels,
        annotations=_annotations(item.get("annotations"), f"{path}.annotations"),
        starts_at=starts_at,
        ends_at=ends_at if status is AlertStatus.RESOLVED else None,
        received_at=received_at,
        source=SOURCE,
        receiver=_text(message.get("receiver")),
        group_key=_text(message.get("groupKey")),
        generator_url=_text(item.get("generatorURL")),
        external_url=_text(message.get("externalURL")),
        truncated=truncated,
    )


def _mapping(value: object, path: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise PayloadError(f"{path} is {shown(value)}, not an object", _FIX)
    return value


def _labels(value: object, path: str) -> dict[str, str]:
    labels = _mapping(value, path)
    if len(labels) > MAX_LABELS:
        raise PayloadError(
            f"{path} has {len(labels)} labels, the limit is {MAX_LABELS}", "drop labels in a relabel rule"
        )
    for name, text in labels.items():
        where = f"{path}[{shown(name)}]"
        if not isinstance(text, str):
            raise PayloadError(f"{where} is {shown(text)}, not a string", _FIX)
        if "\0" in text:
            raise PayloadError(f"{where} contains NUL", "remove the NUL character from the label")
        if len(name) + len(text) > MAX_LABEL:
            met = f"{where} has {len(name) + len(text)} characters with its name, the limit is {MAX_LABEL}"
            raise PayloadError(met, "put long text into an annotation")
    return dict(labels)


def _annotations(value: object, path: str) -> dict[str, str]:
    annotations = {} if value is None else _mapping(value, path)
    for name, text in annotations.items():
        if not isinstance(text, str):
            raise PayloadError(f"{path}[{shown(name)}] is {shown(text)}, not a string", _FIX)
    return {_text(name): _text(text) for name, text in list(annotations.items())[:MAX_LABELS]}


def _status(value: object, path: str) -> AlertStatus:
    text = value.strip().lower() if isinstance(value, str) else ""
    if text not in set(AlertStatus):
        raise PayloadError(f'{path} is {shown(value)}, neither "firing" nor "resolved"', _FIX)
    return AlertStatus(text)


def _instant(value: object, path: str) -> datetime | None:
    """None for what senders write when there is no time yet: nothing, "" or Go's zero time."""
    if value is None or value == "":
        return None
    try:
        instant = parse_instant(value) if isinstance(value, str) else None
    except ValueError:
        instant = None
    if instant is None:
        raise PayloadError(f"{path} is {shown(value)}, not a time", "send RFC 3339 such as 2026-01-31T12:00:00Z")
    return None if is_zero_time(instant) else instant


def _fingerprint(value: object, labels: Mapping[str, str]) -> str:
    if isinstance(value, str) and _FINGERPRINT.fullmatch(value):
        return value.rjust(16, "0")
    return fingerprint_of(labels)


def _count(value: object, path: str) -> int:
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise PayloadError(f"{path} is {shown(value)}, not a number of alerts", _FIX)
    return min(value, _MOST_TRUNCATED)


def _text(value: object) -> str:
    """Text for people: NUL, which databases cannot store, as a visible stand-in; cut with a mark."""
    text = value.replace("\0", "\N{SYMBOL FOR NULL}") if isinstance(value, str) else ""
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
