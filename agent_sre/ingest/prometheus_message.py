"""One alert as Prometheus' family writes it: Alertmanager, and Grafana, whose alerting grew out of it.

Tolerant where senders really differ (times with offsets and nanoseconds, Go's zero time for "not yet", no fingerprint,
alerts left out of the message), strict where reading on would mean guessing: then the error names the JSON path and the
value met. Labels are the alert's identity here, so they are refused rather than cut; the fingerprint is computed from
the sorted labels where none was sent, so both forms of one alert are one.

Pure. Called by ``alertmanager`` and ``grafana``; grouping and deduplication are the pipeline's part.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from agent_sre.domain.alert import Alert, AlertStatus, fingerprint_of
from agent_sre.domain.instant import is_zero_time, parse_instant
from agent_sre.ingest.fields import mapping, text
from agent_sre.ingest.labels import MAX_LABEL, MAX_LABELS
from agent_sre.ingest.payload import PayloadError, shown

_FINGERPRINT = re.compile(r"[0-9a-f]{1,16}")
_MOST_TRUNCATED = 1_000_000_000
_LONGEST_TIME = 64
"""Characters of a time; what is longer is none, and is cut before it could be remembered."""
_STATUS = {status.value: status for status in AlertStatus}


@dataclass(frozen=True, slots=True)
class _Common:
    """What a message says once for all its alerts."""

    truncated: int
    receiver: str
    group_key: str
    external_url: str


@dataclass(frozen=True, slots=True)
class Message:
    """One decoded message of a source, received at a moment in UTC; ``fix`` is what its errors advise."""

    body: Mapping[str, Any]
    source: str
    fix: str
    received_at: datetime

    def alerts(self) -> tuple[Alert, ...]:
        """Its alerts, in its order. Raises PayloadError."""
        items = self.body.get("alerts")
        if not isinstance(items, list):
            met = shown(items) if "alerts" in self.body else "missing"
            raise PayloadError(f"$.alerts is {met}, not a list", self.fix)
        truncated = self._count(self.body.get("truncatedAlerts"), "$.truncatedAlerts")
        common = _Common(truncated, *(_text(self.body.get(name)) for name in ("receiver", "groupKey", "externalURL")))
        return tuple(self._alert(item, f"$.alerts[{index}]", common) for index, item in enumerate(items))

    def _alert(self, told: object, path: str, common: "_Common") -> Alert:
        item = mapping(told, path, self.fix)
        labels = self._labels(item.get("labels"), f"{path}.labels")
        status = self._status(item.get("status", self.body.get("status")), f"{path}.status")
        ends_at = _instant(item.get("endsAt"), f"{path}.endsAt")
        if status is AlertStatus.RESOLVED:
            ends_at = ends_at or self.received_at
        starts_at = _instant(item.get("startsAt"), f"{path}.startsAt") or ends_at or self.received_at
        return Alert(
            fingerprint=_fingerprint(item.get("fingerprint"), labels),
            status=status,
            labels=labels,
            annotations=self._annotations(item.get("annotations"), f"{path}.annotations"),
            starts_at=starts_at,
            ends_at=ends_at if status is AlertStatus.RESOLVED else None,
            received_at=self.received_at,
            source=self.source,
            receiver=common.receiver,
            group_key=common.group_key,
            generator_url=_text(item.get("generatorURL")),
            external_url=common.external_url,
            truncated=common.truncated,
            valid_until=ends_at if status is AlertStatus.FIRING else None,
        )

    def _labels(self, value: object, path: str) -> dict[str, str]:
        labels = mapping(value, path, self.fix)
        if len(labels) > MAX_LABELS:
            raise PayloadError(
                f"{path} has {len(labels)} labels, the limit is {MAX_LABELS}", "drop labels in a relabel rule"
            )
        for name, told in labels.items():
            if not isinstance(told, str) or "\0" in told or len(name) + len(told) > MAX_LABEL:
                raise self._bad_label(name, told, f"{path}[{shown(name)}]")
        return dict(labels)

    def _bad_label(self, name: str, told: object, where: str) -> PayloadError:
        if not isinstance(told, str):
            return PayloadError(f"{where} is {shown(told)}, not a string", self.fix)
        if "\0" in told:
            return PayloadError(f"{where} contains NUL", "remove the NUL character from the label")
        met = f"{where} has {len(name) + len(told)} characters with its name, the limit is {MAX_LABEL}"
        return PayloadError(met, "put long text into an annotation")

    def _annotations(self, value: object, path: str) -> dict[str, str]:
        annotations = {} if value is None else mapping(value, path, self.fix)
        for name, told in annotations.items():
            if not isinstance(told, str):
                raise PayloadError(f"{path}[{shown(name)}] is {shown(told)}, not a string", self.fix)
        kept = annotations if len(annotations) <= MAX_LABELS else dict(list(annotations.items())[:MAX_LABELS])
        return {text(name): text(told) for name, told in kept.items()}

    def _status(self, value: object, path: str) -> AlertStatus:
        status = _STATUS.get(value.strip().lower()) if isinstance(value, str) else None
        if status is None:
            raise PayloadError(f'{path} is {shown(value)}, neither "firing" nor "resolved"', self.fix)
        return status

    def _count(self, value: object, path: str) -> int:
        if value is None:
            return 0
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise PayloadError(f"{path} is {shown(value)}, not a number of alerts", self.fix)
        return min(value, _MOST_TRUNCATED)


def _instant(value: object, path: str) -> datetime | None:
    """None for what senders write when there is no time yet: nothing, "" or Go's zero time."""
    if value is None or value == "":
        return None
    try:
        instant = _parsed(value[:_LONGEST_TIME]) if isinstance(value, str) else None
    except ValueError:
        instant = None
    if instant is None:
        raise PayloadError(f"{path} is {shown(value)}, not a time", "send RFC 3339 such as 2026-01-31T12:00:00Z")
    return None if is_zero_time(instant) else instant


_parsed = lru_cache(maxsize=256)(parse_instant)
"""Alerts of one group mostly begin together, and those that fire all end at Go's zero time."""


def _fingerprint(value: object, labels: Mapping[str, str]) -> str:
    if isinstance(value, str) and _FINGERPRINT.fullmatch(value):
        return value.rjust(16, "0")
    return fingerprint_of(labels)


def _text(value: object) -> str:
    """Only what is a text: these fields are never numbers."""
    return text(value) if isinstance(value, str) else ""
