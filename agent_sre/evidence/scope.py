"""What a collector is told (``Scope``), what it may read with (``Readers``), and what it gives back (``Collected``).

Collectors hold readers only; there is no writer in this package to hand them. A reader that is None is a source that is
not configured, or a file the snapshot lacks: each collector turns that into a Gap, never into an empty answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from agent_sre.domain.alert import Alert
from agent_sre.domain.evidence import Gap, Observation
from agent_sre.domain.reference import Window
from agent_sre.domain.repository import Repository
from agent_sre.domain.signal import Signal
from agent_sre.evidence.budget import Budget, BudgetLimits
from agent_sre.evidence.redaction import Redaction
from agent_sre.ports.cluster import ClusterReader
from agent_sre.ports.context import ChangeReader, CommitReader, TopologyReader, TraceReader
from agent_sre.ports.logs import LogReader
from agent_sre.ports.metrics import MetricsReader


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one run may read. What goes beyond is left out and said so in ``Observation.left_out``.

    ``timeout_seconds`` is for one collector.
    """

    timeout_seconds: float = 20.0
    concurrency: int = 8
    objects_per_kind: int = 5_000
    events: int = 10_000
    log_streams: int = 200
    stored_streams: int = 60
    log_lines: int = 5_000
    log_bytes: int = 64 * 1024 * 1024
    series_per_metric: int = 2_000
    range_points: int = 240
    changes: int = 1_000
    spans: int = 100_000
    redaction: Redaction = field(default_factory=Redaction)
    per_backend: BudgetLimits = field(default_factory=BudgetLimits)


@dataclass(frozen=True, slots=True)
class Scope:
    """One run's question: these alerts, these namespaces, this window (UTC), as of ``now``.

    ``budget`` is shared by the collectors of a run; without one each has its own. ``early`` is what was seen when the
    alert came in (``evidence.early_looks``). ``gitops_namespaces`` are where Argo CD and Flux keep what they deploy to
    others.
    """

    incident_id: str
    run: int
    now: datetime
    window: Window
    namespaces: tuple[str, ...]
    alerts: tuple[Alert, ...]
    limits: Limits
    signals: tuple[Signal, ...] = ()
    budget: Budget = field(default_factory=Budget, compare=False)
    early: tuple[Observation, ...] = ()
    gitops_namespaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Readers:
    """The read-only ports; None where a source is not there.

    ``logs`` reads what the containers' runtime keeps (current and previous runs), ``log_store`` what was shipped away.
    ``change_sources`` are further sources of changes by their names, ``repositories`` the configured ones with their
    commits.
    """

    cluster: ClusterReader | None = None
    metrics: MetricsReader | None = None
    logs: LogReader | None = None
    changes: ChangeReader | None = None
    topology: TopologyReader | None = None
    traces: TraceReader | None = None
    log_store: LogReader | None = None
    change_sources: Mapping[str, ChangeReader] = field(default_factory=dict)
    repositories: tuple[tuple[Repository, CommitReader], ...] = ()


@dataclass(frozen=True, slots=True)
class Collected:
    """What one collector brought back, and what it could not look at."""

    observations: tuple[Observation, ...] = ()
    gaps: tuple[Gap, ...] = ()
