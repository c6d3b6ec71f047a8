"""What the files of a snapshot look like from the inside: values of the domain in the forms of the format, for writing.

The inverse of ``documents``, ``openmetrics``, ``otlp`` and log reading. A form that cannot hold a value says so: the
second part of what a function gives goes into the manifest.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from agent_sre.domain.alert import Alert, AlertStatus
from agent_sre.domain.evidence import Observation
from agent_sre.domain.instant import format_instant
from agent_sre.domain.signal import Signal
from agent_sre.domain.telemetry import LogLine, LogSource, Series, Span
from agent_sre.ports.export import Export

_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")
_PART = re.compile(r"(?!\.\.?\Z)[A-Za-z0-9@][A-Za-z0-9@._:-]{0,250}\Z")
_NEVER = "0001-01-01T00:00:00Z"


def header(export: Export) -> dict[str, Any]:
    """``snapshot.yaml``."""
    window = export.question.window
    return {
        "version": 1,
        "id": export.incident_id,
        "now": format_instant(export.question.now),
        "window": {"start": format_instant(window.start), "end": format_instant(window.end)},
        "namespaces": list(export.question.namespaces),
        "description": export.title,
    }


def alert_payload(alerts: Sequence[Alert]) -> dict[str, Any]:
    """``alerts.json``: a webhook payload of Alertmanager, version 4."""
    first = alerts[0] if alerts else None
    firing = any(alert.status is AlertStatus.FIRING for alert in alerts)
    return {
        "version": "4",
        "groupKey": first.group_key if first else "",
        "status": "firing" if firing else "resolved",
        "receiver": first.receiver if first else "",
        "externalURL": first.external_url if first else "",
        "truncatedAlerts": first.truncated if first else 0,
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "alerts": [
            {
                "status": str(alert.status),
                "labels": dict(alert.labels),
                "annotations": dict(alert.annotations),
                "startsAt": format_instant(alert.starts_at),
                "endsAt": format_instant(alert.ends_at) if alert.ends_at else _NEVER,
                "generatorURL": alert.generator_url,
                "fingerprint": alert.fingerprint,
            }
            for alert in alerts
        ],
    }


def unique_objects(observations: Iterable[Observation]) -> list[Mapping[str, Any]]:
    """``items`` of ``kubernetes.json``: every object once, as it was seen last."""
    found: dict[tuple[str, str, str], Mapping[str, Any]] = {}
    for item in observations:
        for thing in item.objects:
            metadata = thing.get("metadata") or {}
            key = (str(thing.get("kind")), str(metadata.get("namespace", "")), str(metadata.get("name", "")))
            found[key] = thing
    return [found[key] for key in sorted(found)]


def change_rows(observations: Iterable[Observation]) -> list[dict[str, Any]]:
    """``changes.json``, oldest first."""
    changes = {(change.id, change.kind, change.target): change for item in observations for change in item.changes}
    return [
        {
            "time": format_instant(change.time),
            "kind": change.kind,
            "target": change.target,
            "summary": change.summary,
            "id": change.id,
            "author": change.author,
            "diff": change.diff,
            "carried_by": change.carried_by,
        }
        for change in sorted(changes.values(), key=lambda change: (change.time, change.id))
    ]


def signal_rows(signals: Iterable[Signal]) -> list[dict[str, Any]]:
    """``signals`` of ``signals.yaml``."""
    return [
        {
            "metric": signal.metric,
            "meaning": signal.meaning,
            "unit": signal.unit,
            "labels": dict(signal.labels),
            "cumulative": signal.cumulative,
        }
        for signal in signals
    ]


def metric_lines(series: Sequence[Series]) -> tuple[Iterator[bytes], list[str]]:
    """The lines of ``metrics.om``, series of one metric together, and how many names OpenMetrics cannot hold."""
    fitting = [item for item in series if _METRIC.match(item.name) and all(map(_LABEL.match, item.labels))]
    beyond = len(series) - len(fitting)
    note = f"metrics.om: {beyond} series whose names OpenMetrics cannot hold; they are in the record only"
    return _open_metrics(fitting), [note] if beyond else []


def _open_metrics(series: Sequence[Series]) -> Iterator[bytes]:
    declared = ""
    for item in sorted(series, key=lambda item: (item.name, str(item))):
        if item.name != declared:
            declared = item.name
            counter = item.kind == "counter" and item.name.endswith("_total")
            family, kind = (item.name.removesuffix("_total"), "counter") if counter else (item.name, _kind(item))
            yield f"# TYPE {family} {kind}\n".encode()
        inner = ",".join(f'{label}="{_escaped(value)}"' for label, value in sorted(item.labels.items()))
        selector = f"{item.name}{{{inner}}}" if inner else item.name
        yield "".join(
            f"{selector} {_number(value)} {time!r}\n" for time, value in zip(item.times, item.values, strict=True)
        ).encode()
    yield b"# EOF\n"


def _kind(series: Series) -> str:
    """Of what OpenMetrics would tie to a suffix (counters, histograms) only the samples are known."""
    return "gauge" if series.kind == "gauge" else "unknown"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}.get(text := repr(value), text)


def log_files(observations: Iterable[Observation]) -> tuple[dict[str, Iterator[bytes]], list[str]]:
    """The log files by their path in the snapshot, and what of the logs is not in them."""
    streams: dict[LogSource, list[LogLine]] = {}
    for item in observations:
        for stream in item.streams:
            streams.setdefault(stream.source, []).extend(stream.lines)
    files: dict[str, Iterator[bytes]] = {}
    odd = []
    for source, lines in sorted(streams.items(), key=lambda pair: str(pair[0])):
        parts = (source.namespace, source.pod, source.container)
        if not all(map(_PART.match, parts)):
            odd.append(str(source)[:100])
            continue
        suffix = ".previous.log" if source.previous else ".log"
        files[f"logs/{'/'.join(parts)}{suffix}"] = _log_lines(lines)
    only = "they are in the record only"
    notes = [f"logs/: {len(odd)} sources whose names are no file names, such as {name!r}; {only}" for name in odd[:1]]
    return files, notes


_EARLIEST = datetime.min.replace(tzinfo=UTC)


def _log_lines(lines: Sequence[LogLine]) -> Iterator[bytes]:
    """Lines with their times, those without one first, as a reader would attach them to the entry before."""
    for line in sorted(lines, key=lambda line: line.time or _EARLIEST):
        stamp = f"{format_instant(line.time)} " if line.time else ""
        yield f"{stamp}{line.text}\n".encode("utf-8", "replace")


def otlp(spans: Sequence[Span]) -> dict[str, Any]:
    """``traces.json``: one resource per service."""
    by_service: dict[str, list[Span]] = {}
    for span in spans:
        by_service.setdefault(span.service, []).append(span)
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": [_attribute("service.name", service)]},
                "scopeSpans": [{"spans": [_span(span) for span in of]}],
            }
            for service, of in sorted(by_service.items())
        ]
    }


def _span(span: Span) -> dict[str, Any]:
    return {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "parentSpanId": span.parent_id,
        "name": span.name,
        "startTimeUnixNano": str(round(span.start * 1e9)),
        "endTimeUnixNano": str(round(span.end * 1e9)),
        "status": {"code": 2} if span.error else {},
        "attributes": [_attribute(key, value) for key, value in sorted(span.attributes.items())],
    }


def _attribute(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value}}
