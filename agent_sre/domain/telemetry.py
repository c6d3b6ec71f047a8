"""Raw telemetry as values: series, log lines, changes, spans.

Series keep their samples in ``array('d')``, not in lists of pairs: a case may hold a million samples, and analysis
hands them to numpy without a copy.
"""

from array import array
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from agent_sre.domain.line_index import LineIndex


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One time series: seconds since the epoch (UTC), values, and its labels without ``__name__``.

    ``kind`` is what the source declared (counter, gauge, histogram, ...) or "" where it is not known.
    """

    name: str
    labels: Mapping[str, str]
    times: "array[float]"
    values: "array[float]"
    kind: str = ""

    @classmethod
    def of(
        cls, name: str, labels: Mapping[str, str], points: Iterable[tuple[float, float]], kind: str = ""
    ) -> "Series":
        """Build from pairs of (seconds since the epoch, value)."""
        times, values = array("d"), array("d")
        for time, value in points:
            times.append(time)
            values.append(value)
        return cls(name, labels, times, values, kind)

    def __str__(self) -> str:
        """``name{label="value"}``, labels sorted, as Prometheus prints it."""
        inner = ",".join(f'{key}="{value}"' for key, value in sorted(self.labels.items()))
        return f"{self.name}{{{inner}}}" if inner else self.name

    def to_plain(self) -> dict[str, Any]:
        """JSON-ready form; samples as base64 of little-endian doubles."""
        return {
            "name": self.name,
            "labels": dict(self.labels),
            "times": b64encode(self.times.tobytes()).decode(),
            "values": b64encode(self.values.tobytes()).decode(),
            "kind": self.kind,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "Series":
        """Inverse of ``to_plain``."""
        times, values = array("d"), array("d")
        times.frombytes(b64decode(plain["times"]))
        values.frombytes(b64decode(plain["values"]))
        return cls(plain["name"], plain["labels"], times, values, plain.get("kind", ""))


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One request that was counted in a series, by its trace: where to look for what the series shows.

    ``value`` is what was measured of it, in the series' unit; ``time`` seconds since the epoch (UTC), that of the
    sample where the request's own was not given.
    """

    metric: str
    labels: Mapping[str, str]
    trace_id: str
    value: float
    time: float

    def __str__(self) -> str:
        """As OpenMetrics writes it behind a sample: ``name{label="value"} # {trace_id="..."} value``."""
        inner = ",".join(f'{key}="{value}"' for key, value in sorted(self.labels.items()))
        return f'{self.metric}{{{inner}}} # {{trace_id="{self.trace_id}"}} {self.value:g}'


TRACE_LABELS = ("trace_id", "traceID", "traceId", "TraceID", "trace")
"""Labels by which client libraries name an exemplar's trace, the one of the OpenMetrics text first."""


@dataclass(frozen=True, slots=True)
class LogSource:
    """Where log lines come from: one run of one container, or a unit of a node (namespace "@nodes")."""

    namespace: str
    pod: str
    container: str
    previous: bool = False

    def __str__(self) -> str:
        """``namespace/pod/container``, with ``(previous)`` for the run before the last restart."""
        return f"{self.namespace}/{self.pod}/{self.container}" + (" (previous)" if self.previous else "")


@dataclass(frozen=True, slots=True)
class LogLine:
    """One log entry, continuation lines included; ``time`` (UTC) is None where the source gave none."""

    time: datetime | None
    text: str


@dataclass(frozen=True)
class LogStream:
    """The lines of one source in a window, oldest first, and how many were left out to stay within limits."""

    source: LogSource
    lines: tuple[LogLine, ...]
    left_out: int = 0

    @cached_property
    def index(self) -> LineIndex:
        """Finds the lines that hold a text."""
        return LineIndex(line.text for line in self.lines)

    def to_plain(self) -> dict[str, Any]:
        """JSON-ready form; times as seconds since the epoch."""
        source = self.source
        return {
            "source": [source.namespace, source.pod, source.container, source.previous],
            "lines": [[line.time.timestamp() if line.time else None, line.text] for line in self.lines],
            "left_out": self.left_out,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "LogStream":
        """Inverse of ``to_plain``."""
        lines = tuple(
            LogLine(datetime.fromtimestamp(time, UTC) if time is not None else None, text)
            for time, text in plain["lines"]
        )
        return cls(LogSource(*plain["source"]), lines, plain["left_out"])


@dataclass(frozen=True, slots=True)
class Change:
    """Something somebody or something changed. ``kind``: deploy, commit, config, feature_flag, scale, infrastructure
    or other. ``target`` is as the source wrote it: a service, a file path, a flag. ``carried_by`` is the id of the
    deploy that brought a commit into service, where that is known."""

    id: str
    time: datetime
    kind: str
    target: str
    summary: str
    author: str = ""
    diff: str = ""
    carried_by: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """One service calls another; ``origin`` says who told us (traces, configuration, environment, ...)."""

    caller: str
    callee: str
    origin: str


@dataclass(frozen=True, slots=True)
class Span:
    """One operation of a trace. Times are seconds since the epoch (UTC)."""

    trace_id: str
    span_id: str
    parent_id: str
    service: str
    name: str
    start: float
    end: float
    error: bool
    attributes: Mapping[str, str]
