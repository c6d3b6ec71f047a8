"""What was seen (observations), what is cited of it (evidence), and what could not be seen (gaps).

An ``Observation`` is everything one exact query brought back: it is stored whole, so that a statement can be checked
later and an incident replayed. An ``Evidence`` is one excerpt of an observation that a statement cites: short enough
for a person to read. Absence is never evidence of health: what could not be looked at is a ``Gap``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Change, Edge, LogStream, Series, Span


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
    rules: tuple[Mapping[str, Any], ...] = ()
    answers: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    link: str = ""


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
