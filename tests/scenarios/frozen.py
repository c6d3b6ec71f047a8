"""Writes an incident as a snapshot directory: the form in which everything that investigates must read it.

A scenario fills a ``Frozen`` with objects, events, logs, samples, changes, spans and alerts; ``write`` puts it on disk
in the documented format, so that loading, collectors, redaction and the engine are all on the tested path. Times are
minutes before ``now`` unless they say otherwise. Noise is seeded: the same scenario writes the same bytes.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import yaml

from agent_sre.domain.instant import format_instant

NOW = datetime(2026, 4, 14, 9, 30, tzinfo=UTC)
Object = dict[str, Any]
Level = float | Callable[[float], float]
"""A value, or a function from minutes (negative: before now) to a value."""


@dataclass
class Frozen:
    """One incident in the making, with a namespace of its own. None for a source means: not available."""

    namespace: str = "shop"
    now: datetime = NOW
    hours: float = 1.0
    description: str = "Something is wrong."
    objects: list[Object] | None = field(default_factory=list)
    edges: list[tuple[str, str]] | None = None
    changes: list[Object] | None = None
    signals: list[Object] = field(default_factory=list)
    alerts: list[Object] = field(default_factory=list)
    spans: list[Object] = field(default_factory=list)
    seed: int = 7
    step: float = 15.0
    """Seconds between samples."""

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)  # noqa: S311
        self._logs: dict[str, list[tuple[datetime | None, str]]] = {}
        self._samples: dict[str, tuple[str, list[str]]] = {}

    # ------------------------------------------------------------------------------------------------- times

    def at(self, minutes_ago: float) -> datetime:
        """The moment so many minutes before now."""
        return self.now - timedelta(minutes=minutes_ago)

    def stamp(self, minutes_ago: float) -> str:
        """The same as RFC 3339 text in whole seconds, as Kubernetes writes it."""
        return self.at(minutes_ago).strftime("%Y-%m-%dT%H:%M:%SZ")

    # ----------------------------------------------------------------------------------------------- objects

    def add(self, *objects: Object) -> "Frozen":
        """API objects, as they are."""
        assert self.objects is not None
        self.objects.extend(objects)
        return self

    def find(self, kind: str, name: str) -> Object:
        """The first object of a kind whose name begins so."""
        found = (o for o in self.objects or () if o["kind"] == kind and o["metadata"]["name"].startswith(name))
        return next(found)

    def event(
        self,
        about: Object | tuple[str, str],
        reason: str,
        message: str,
        *,
        minutes_ago: float = 2.0,
        first_minutes_ago: float | None = None,
        count: int = 1,
        kind: str = "Warning",
        component: str = "kubelet",
    ) -> "Frozen":
        """An Event about an object, or about (kind, name) of the namespace, which need not exist any more."""
        if isinstance(about, tuple):
            involved = {"kind": about[0], "name": about[1], "namespace": self.namespace}
        else:
            meta = about["metadata"]
            involved = {"apiVersion": about["apiVersion"], "kind": about["kind"], "name": meta["name"]}
            involved |= {key: meta[key] for key in ("namespace", "uid") if key in meta}
        first = self.stamp(minutes_ago if first_minutes_ago is None else first_minutes_ago)
        number = len(self.objects or ())
        return self.add(
            {
                "apiVersion": "v1",
                "kind": "Event",
                "metadata": {
                    "name": f"{involved['name']}.{number:x}",
                    "namespace": involved.get("namespace", "default"),
                    "creationTimestamp": first,
                },
                "involvedObject": involved,
                "reason": reason,
                "message": message,
                "type": kind,
                "count": count,
                "firstTimestamp": first,
                "lastTimestamp": self.stamp(minutes_ago),
                "source": {"component": component},
            }
        )

    # -------------------------------------------------------------------------------------------------- logs

    def log(
        self,
        pod: str,
        container: str,
        *lines: str,
        minutes_ago: float = 2.0,
        every_seconds: float = 1.0,
        previous: bool = False,
        timed: bool = True,
        namespace: str = "",
    ) -> "Frozen":
        """Lines of a container, the first so many minutes ago, one every so many seconds."""
        path = f"logs/{namespace or self.namespace}/{pod}/{container}{'.previous' if previous else ''}.log"
        start = self.at(minutes_ago)
        entries = self._logs.setdefault(path, [])
        entries += [(start + timedelta(seconds=i * every_seconds) if timed else None, x) for i, x in enumerate(lines)]
        return self

    def journal(self, node: str, unit: str, *lines: str, minutes_ago: float = 2.0) -> "Frozen":
        """Journal lines of a node's unit, one a second."""
        return self.log(node, unit, *lines, minutes_ago=minutes_ago, namespace="@nodes")

    def forget_logs(self) -> None:
        """As if no log source were there."""
        self._logs.clear()

    # ----------------------------------------------------------------------------------------------- metrics

    def gauge(self, metric: str, level: Level, *, noise: float = 0.02, hours: float = 0, **labels: str) -> "Frozen":
        """A level over the window (or the last ``hours``), with relative noise."""
        points = [(t, self._value(level, t) * (1 + noise * self.chance.gauss(0, 1))) for t in self._times(hours)]
        return self._series(metric, "gauge", labels, points)

    def counter(self, metric: str, rate: Level, *, noise: float = 0.02, hours: float = 0, **labels: str) -> "Frozen":
        """A running total that grows by ``rate`` a second. ``metric`` ends in _total (or _sum, _count, _bucket)."""
        total, points = self.chance.uniform(0, 1e4), []
        for t in self._times(hours):
            total += max(self._value(rate, t) * (1 + noise * self.chance.gauss(0, 1)), 0.0) * self.step
            points.append((t, total))
        return self._series(metric, "counter", labels, points)

    def once(self, metric: str, value: float, *, minutes_ago: float = 0.25, **labels: str) -> "Frozen":
        """A single sample."""
        return self._series(metric, "gauge", labels, [(-minutes_ago * 60, value)])

    def _times(self, hours: float) -> list[float]:
        count = int((hours or self.hours) * 3600 / self.step)
        return [-place * self.step for place in range(count, -1, -1)]

    @staticmethod
    def _value(level: Level, seconds: float) -> float:
        return level(seconds / 60) if callable(level) else level

    def _series(
        self, metric: str, kind: str, labels: Mapping[str, str], points: Sequence[tuple[float, float]]
    ) -> "Frozen":
        family = metric.removesuffix("_total") if kind == "counter" else metric
        shown = ",".join(f"{key}={orjson.dumps(value).decode()}" for key, value in sorted(labels.items()))
        now = self.now.timestamp()
        rows = [f"{metric}{{{shown}}} {value:.10g} {now + seconds:.3f}" for seconds, value in points]
        self._samples.setdefault(family, (kind if metric.endswith("_total") or kind == "gauge" else "unknown", []))[
            1
        ].extend(rows)
        return self

    # ------------------------------------------------------------------------------------------------- others

    def change(self, kind: str, target: str, summary: str, *, minutes_ago: float, **fields: str) -> "Frozen":
        """A recorded change; ``fields`` are id, author, diff."""
        self.changes = [] if self.changes is None else self.changes
        row = {"id": f"chg-{len(self.changes) + 1}", "author": "someone", "diff": "", **fields}
        self.changes.append(
            {"time": self.stamp(minutes_ago), "kind": kind, "target": target, "summary": summary, **row}
        )
        return self

    def calls(self, *pairs: tuple[str, str]) -> "Frozen":
        """Who calls whom."""
        self.edges = [*(self.edges or []), *pairs]
        return self

    def alert(self, name: str, summary: str, *, minutes_ago: float = 2.0, **labels: str) -> "Frozen":
        """A firing alert of the namespace."""
        found = {"alertname": name, "severity": "critical", "namespace": self.namespace, **labels}
        self.alerts.append(
            {
                "status": "firing",
                "labels": found,
                "annotations": {"summary": summary},
                "startsAt": self.stamp(minutes_ago),
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "",
                "fingerprint": "",
            }
        )
        return self

    def span(
        self,
        service: str,
        name: str,
        *,
        trace: int,
        span: int,
        parent: int = 0,
        minutes_ago: float,
        milliseconds: float,
        error: str = "",
        **attributes: str,
    ) -> "Frozen":
        """One span; ``trace`` and ``span`` are any numbers above 0."""
        start = int(self.at(minutes_ago).timestamp() * 1e9)
        given = {**attributes, **({"exception.message": error} if error else {})}
        found = {
            "traceId": f"{trace:032x}",
            "spanId": f"{span:016x}",
            "parentSpanId": f"{parent:016x}" if parent else "",
            "name": name,
            "kind": 2,
            "startTimeUnixNano": str(start),
            "endTimeUnixNano": str(start + int(milliseconds * 1e6)),
            "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in given.items()],
            "status": {"code": 2, "message": error} if error else {},
        }
        resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
        self.spans.append({"resource": resource, "scopeSpans": [{"scope": {"name": "test"}, "spans": [found]}]})
        return self

    # -------------------------------------------------------------------------------------------------- write

    def write(self, folder: Path, name: str) -> None:
        """The snapshot directory."""
        folder.mkdir(parents=True)
        header = {
            "version": 1,
            "id": name,
            "now": format_instant(self.now),
            "window": {"start": format_instant(self.at(self.hours * 60)), "end": format_instant(self.now)},
            "namespaces": [self.namespace],
            "description": self.description,
        }
        (folder / "snapshot.yaml").write_text(yaml.safe_dump(header), "utf-8")
        if not self.alerts:
            self.alert("ServiceDegraded", self.description)
        _json(folder / "alerts.json", self._payload())
        if self.objects is not None:
            _json(folder / "kubernetes.json", {"apiVersion": "v1", "kind": "List", "items": self.objects})
        if self.changes is not None:
            _json(folder / "changes.json", self.changes)
        if self.edges is not None:
            _json(folder / "topology.json", {"edges": self.edges})
        if self.spans:
            _json(folder / "traces.json", {"resourceSpans": self.spans})
        if self.signals:
            (folder / "signals.yaml").write_text(yaml.safe_dump({"signals": self.signals}), "utf-8")
        if self._samples:
            (folder / "metrics.om").write_text(self._openmetrics(), "utf-8")
        for path, lines in self._logs.items():
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            in_order = sorted(lines, key=lambda row: row[0] or self.now)
            rows = [f"{format_instant(time)} {line}" if time else line for time, line in in_order]
            place.write_text("".join(f"{row}\n" for row in rows), "utf-8")

    def _payload(self) -> Object:
        common = {"namespace": self.namespace}
        return {
            "version": "4",
            "groupKey": f'{{}}:{{namespace="{self.namespace}"}}',
            "truncatedAlerts": 0,
            "status": "firing",
            "receiver": "agent-sre",
            "groupLabels": common,
            "commonLabels": common,
            "commonAnnotations": {},
            "externalURL": "",
            "alerts": self.alerts,
        }

    def _openmetrics(self) -> str:
        rows: list[str] = []
        for family, (kind, samples) in self._samples.items():
            rows += [f"# TYPE {family} {kind}", *samples]
        return "\n".join([*rows, "# EOF", ""])


def _json(path: Path, value: object) -> None:
    path.write_bytes(orjson.dumps(value, option=orjson.OPT_INDENT_2))
