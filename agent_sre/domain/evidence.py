"""What was seen (observations), what is cited of it (evidence), and what could not be seen (gaps).

An ``Observation`` is everything one exact query brought back: it is stored whole, so that a statement can be checked
later and an incident replayed. An ``Evidence`` is one excerpt of an observation that a statement cites: short enough
for a person to read. Absence is never evidence of health: what could not be looked at is a ``Gap``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Change, Edge, Exemplar, LogStream, Series, Span


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """What one query brought back. Exactly the fields that its kind of source fills are non-empty.

    ``id`` is unique within a run: ``<collector>/<n>``. ``objects`` are Kubernetes API objects as JSON (Events too),
    ``rules`` Prometheus alerting rules as its API gives them, ``answers`` the texts of others' tools, which no analyzer
    reads because anybody may have written them. ``left_out`` says in words what was cut or sampled away.
    """

    id: str
    collector: str
    source: str
    query: str
    observed_at: datetime
    window: Window | None = None
    objects: tuple[Mapping[str, Any], ...] = ()
    streams: tuple[LogStream, ...] = ()
    series: tuple[Series, ...] = ()
    changes: tuple[Change, ...] = ()
    edges: tuple[Edge, ...] = ()
    spans: tuple[Span, ...] = ()
    exemplars: tuple[Exemplar, ...] = ()
    rules: tuple[Mapping[str, Any], ...] = ()
    answers: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    link: str = ""

    def to_plain(self) -> dict[str, Any]:
        """A form that a JSON writer which knows dataclasses and instants can write; samples as base64 of doubles."""
        plain = {item.name: getattr(self, item.name) for item in fields(self)}
        plain["streams"] = [stream.to_plain() for stream in self.streams]
        plain["series"] = [series.to_plain() for series in self.series]
        return plain

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "Observation":
        """Inverse of ``to_plain`` after JSON. Raises KeyError, TypeError or ValueError where it is not such a form."""
        window = plain["window"]
        return cls(
            id=plain["id"],
            collector=plain["collector"],
            source=plain["source"],
            query=plain["query"],
            observed_at=datetime.fromisoformat(plain["observed_at"]),
            window=window and Window(datetime.fromisoformat(window["start"]), datetime.fromisoformat(window["end"])),
            objects=tuple(plain["objects"]),
            streams=tuple(LogStream.from_plain(stream) for stream in plain["streams"]),
            series=tuple(Series.from_plain(series) for series in plain["series"]),
            changes=tuple(
                Change(**{**change, "time": datetime.fromisoformat(change["time"])}) for change in plain["changes"]
            ),
            edges=tuple(Edge(**edge) for edge in plain["edges"]),
            spans=tuple(Span(**span) for span in plain["spans"]),
            exemplars=tuple(Exemplar(**exemplar) for exemplar in plain.get("exemplars", ())),
            rules=tuple(plain["rules"]),
            answers=tuple(plain.get("answers", ())),  # those of earlier versions have none
            left_out=tuple(plain["left_out"]),
            link=plain["link"],
        )


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that could not be looked at: what, why, and how to grant or repair it."""

    source: str
    what: str
    reason: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One excerpt of an observation, cited by statements as ``id`` (E1, E2, ...).

    ``time`` is when the thing seen happened, where that is known; ``window`` what the query looked at.
    """

    id: str
    observation: str
    source: str
    query: str
    excerpt: str
    time: datetime | None = None
    window: Window | None = None
    link: str = ""
