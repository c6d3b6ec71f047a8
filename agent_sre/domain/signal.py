"""What a metric means, whatever it is called at a site: the signal catalogue, from the two ``*signals.toml`` here.

Analyzers ask for meanings, never for names, so a site with other names adds rows and changes no code. Which series a
row covers, and how a counter becomes a rate, is analysis.signals' business; nothing here looks at a sample.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

MEANINGS = (
    "latency",
    "client_latency",
    "client_calls",
    "edge_latency",
    "errors",
    "traffic",
    "availability",
    "cpu",
    "memory",
    "throttling",
    "saturation",
    "network",
    "packet_loss",
    "retransmits",
    "disk",
    "restarts",
    "limit",
    "replicas",
    "replicas_max",
    "file_descriptors",
    "file_descriptors_max",
    "sockets",
    "pool_waiting",
    "pool_used",
    "pool_max",
    "threads_used",
    "threads_max",
    "gc",
    "clock_offset",
    "unit_state",
    "probe",
    "probe_latency",
    "syscalls",
    "store_connections",
    "store_connections_max",
    "store_refused",
    "store_queries",
    "slow_queries",
    "statement_time",
    "rows_read",
    "lock_waits",
    "locks_held",
    "replication_lag",
    "read_only",
    "writes_refused",
    "cache_gets",
    "cache_hits",
    "cache_misses",
    "cache_evictions",
    "cache_entries",
    "queue_depth",
    "queue_consumers",
    "queue_in",
    "queue_out",
    "volume_free",
    "volume_size",
    "certificate_expiry",
    "scrape",
    "retries",
    "threads_waiting",
    "other",
)
"""The meanings an analyzer may ask for. ``edge_latency`` is latency of one caller towards one callee; ``client_calls``
are calls that a workload makes, where ``traffic`` are requests that it gets."""

LABELS = (
    "namespace",
    "workload",
    "pod",
    "container",
    "node",
    "caller",
    "callee",
    "external",
    "status",
    "grpc_status",
    "reporter",
    "resource",
    "device",
    "unit",
    "state",
    "target",
    "queue",
    "group",
    "result",
    "volume",
)
"""Our label names, to which a site's labels are mapped. ``status`` is an HTTP status, ``grpc_status`` a gRPC code."""
_FILES = ("signals.toml", "store_signals.toml")


@dataclass(frozen=True, slots=True)
class Signal:
    """A metric name, its meaning and unit, and which of its labels are ours.

    ``labels`` maps the site's label to one of LABELS. ``cumulative`` marks a running total that the source may not
    declare as a counter; it is read as its increase per second, in ``unit``.
    """

    metric: str
    meaning: str
    unit: str
    labels: Mapping[str, str]
    cumulative: bool = False


@cache
def default_signals() -> tuple[Signal, ...]:
    """The catalogue that ships: Kubernetes, meshes, proxies and client libraries that most sites run."""
    folder = resources.files("agent_sre.domain")
    rows = [row for name in _FILES for row in tomllib.loads(folder.joinpath(name).read_text("utf-8"))["signals"]]
    return tuple(
        Signal(
            metric=row["metric"],
            meaning=row["meaning"],
            unit=row["unit"],
            labels=row["labels"],
            cumulative=row.get("cumulative", False),
        )
        for row in rows
    )
