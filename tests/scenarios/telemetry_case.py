"""Builds small incidents from telemetry alone: a quiet hour, then a fault, in a made-up shop.

Noise is a fixed wave, so that every run sees the same samples. Minutes count from the fault: -5 is five minutes before.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from math import sin

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.engine import analyze
from agent_sre.analysis.judge import judge
from agent_sre.domain.alert import Alert, AlertStatus, fingerprint_of
from agent_sre.domain.evidence import Observation
from agent_sre.domain.reference import Window
from agent_sre.domain.signal import Signal, default_signals
from agent_sre.domain.telemetry import Change, Edge, LogLine, LogSource, LogStream, Series, Span
from agent_sre.domain.verdict import Verdict

FAULT = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
BEFORE, SINCE = 60, 8
NAMESPACE = "garden"
LATENCY = "workload:request_duration_milliseconds:p95"


class Incident:
    """An incident in the making; each method adds what one source would show."""

    def __init__(self) -> None:
        self._series: list[Series] = []
        self._edges: list[Edge] = []
        self._lines: dict[str, list[LogLine]] = {}
        self._changes: list[Change] = []
        self._spans: list[Span] = []
        self._alerts: list[Alert] = []
        self._objects: list[dict[str, object]] = []
        self._signals: list[Signal] = []

    def gauge(
        self, metric: str, usual: float, now: float, *, noise: float = 0.02, at: float = 0, **labels: str
    ) -> "Incident":
        """A level that goes from ``usual`` to ``now`` at the fault, or ``at`` another minute."""
        points = [
            (_at(minute), _level(minute - at, usual, now) * (1 + noise * sin(17.3 * minute + len(metric))))
            for minute in range(-BEFORE, SINCE)
        ]
        return self._add(metric, labels, points, "gauge")

    def ramp(self, metric: str, start: float, end: float, **labels: str) -> "Incident":
        """A level that grows steadily over the whole hour."""
        span = BEFORE + SINCE
        points = [(_at(m), start + (end - start) * (m + BEFORE) / span) for m in range(-BEFORE, SINCE)]
        return self._add(metric, labels, points, "gauge")

    def counter(self, metric: str, usual: float, now: float, **labels: str) -> "Incident":
        """A running total whose increase per second goes from ``usual`` to ``now``."""
        total, points = 0.0, []
        for minute in range(-BEFORE, SINCE):
            total += 60 * _level(minute, usual, now) * (1 + 0.02 * sin(13.1 * minute + len(metric)))
            points.append((_at(minute), total))
        return self._add(metric, labels, points, "counter")

    def signal(self, metric: str, meaning: str, unit: str, **labels: str) -> "Incident":
        """A site's own row of the signal catalogue."""
        self._signals.append(Signal(metric, meaning, unit, labels))
        return self

    def cpu(self, workload: str, usual: float, now: float, **labels: str) -> "Incident":
        """CPU of a workload, in cores."""
        return self.counter("container_cpu_usage_seconds_total", usual, now, **_pod(workload), **labels)

    def latency(self, workload: str, usual: float, now: float) -> "Incident":
        """p95 of a workload, in milliseconds."""
        return self.gauge(LATENCY, usual, now, namespace=NAMESPACE, workload=workload)

    def requests(self, workload: str, usual: float, now: float, status: str = "200") -> "Incident":
        """Requests a second to a workload."""
        labels = {"destination_workload": workload, "destination_workload_namespace": NAMESPACE}
        return self.counter("istio_requests_total", usual, now, **labels, response_code=status)

    def calls(self, *pairs: tuple[str, str]) -> "Incident":
        """Who calls whom."""
        self._edges += [Edge(caller, callee, "given") for caller, callee in pairs]
        return self

    def logs(self, workload: str, text: str, *minutes: float) -> "Incident":
        """The same line at each of these minutes."""
        lines = self._lines.setdefault(workload, [])
        lines += [LogLine(FAULT + timedelta(minutes=minute), text) for minute in minutes]
        return self

    def change(self, name: str, minute: float, kind: str, target: str, summary: str, diff: str = "") -> "Incident":
        """A recorded change."""
        self._changes.append(Change(name, FAULT + timedelta(minutes=minute), kind, target, summary, "", diff))
        return self

    def span(
        self, service: str, name: str, minute: float, ids: tuple[str, str, str], error: str = "", seconds: float = 0.05
    ) -> "Incident":
        """One span; ``ids`` are trace, span and parent."""
        start = (FAULT + timedelta(minutes=minute)).timestamp()
        attributes = {"error.message": error} if error else {}
        self._spans.append(Span(*ids, service, name, start, start + seconds, bool(error), attributes))
        return self

    def pod(self, workload: str, node: str) -> "Incident":
        """A running pod of a workload on a node."""
        self._objects.append(
            {
                "kind": "Pod",
                "metadata": {"name": f"{workload}-5d8f7c9b6-x2x4z", "namespace": NAMESPACE},
                "spec": {"nodeName": node, "containers": []},
                "status": {"phase": "Running"},
            }
        )
        return self

    def objects(self, *items: dict[str, object]) -> "Incident":
        """Kubernetes objects."""
        self._objects += items
        return self

    def alert(self, name: str, workload: str, summary: str = "") -> "Incident":
        """An alert that fires two minutes after the fault."""
        labels = {"alertname": name, "namespace": NAMESPACE, "service": workload, "severity": "critical"}
        at = FAULT + timedelta(minutes=2)
        self._alerts.append(
            Alert(
                fingerprint_of(labels), AlertStatus.FIRING, labels, {"summary": summary or name}, at, None, at, "test"
            )
        )
        return self

    def case(self) -> CaseFile:
        """The incident as analyzers get it, ``SINCE`` minutes after the fault."""
        now = FAULT + timedelta(minutes=SINCE)
        streams = tuple(
            LogStream(LogSource(NAMESPACE, name, name), tuple(sorted(lines, key=lambda line: line.time or FAULT)))
            for name, lines in self._lines.items()
        )
        parts = {
            "metrics": {"series": tuple(self._series)},
            "logs": {"streams": streams},
            "changes": {"changes": tuple(self._changes)},
            "topology": {"edges": tuple(self._edges)},
            "traces": {"spans": tuple(self._spans)},
            "objects": {"objects": tuple(self._objects)},
        }
        return CaseFile(
            now=now,
            window=Window(FAULT - timedelta(minutes=BEFORE), now),
            namespaces=[NAMESPACE],
            alerts=self._alerts,
            observations=[
                Observation(f"{name}/1", name, name, f"all {name}", now, **part)
                for name, part in parts.items()
                if any(part.values())
            ],
            signals=(*self._signals, *default_signals()),
        )

    def verdict(self) -> Verdict:
        """What the engine makes of it."""
        case = self.case()
        return judge(case, analyze(case))

    def cause(self) -> tuple[str, str]:
        """Fault and object name of the first hypothesis."""
        first = self.verdict().hypotheses[0]
        return first.fault, first.object.name

    def _add(self, metric: str, labels: Mapping[str, str], points: list[tuple[float, float]], kind: str) -> "Incident":
        self._series.append(Series.of(metric, dict(labels), points, kind))
        return self


def _at(minute: float) -> float:
    return (FAULT + timedelta(minutes=minute)).timestamp()


def _level(minute: float, usual: float, now: float) -> float:
    return usual if minute < 0 else now


def _pod(workload: str) -> dict[str, str]:
    return {"namespace": NAMESPACE, "pod": f"{workload}-5d8f7c9b6-x2x4z", "workload": workload, "container": "app"}
