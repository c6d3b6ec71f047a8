"""What a metric means, whatever it is called at a site: one row of the signal catalogue."""

from collections.abc import Mapping
from dataclasses import dataclass

MEANINGS = (
    "latency",
    "client_latency",
    "edge_latency",
    "errors",
    "traffic",
    "availability",
    "cpu",
    "memory",
    "throttling",
    "saturation",
    "network",
    "disk",
    "restarts",
    "unit_state",
    "probe",
    "syscalls",
    "other",
)
"""The meanings an analyzer may ask for. ``edge_latency`` is latency of one caller towards one callee."""


@dataclass(frozen=True, slots=True)
class Signal:
    """A metric name, its meaning and unit, and which of its labels are ours.

    ``labels`` maps the site's label to one of namespace, workload, pod, container, node, caller, callee, external.
    """

    metric: str
    meaning: str
    unit: str
    labels: Mapping[str, str]
