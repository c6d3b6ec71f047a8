"""A node whose clock is off, as node-exporter measures it; one sample is enough, since an offset has no usual level."""

from collections.abc import Iterator
from datetime import UTC, datetime

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.departures import number
from agent_sre.analysis.kubernetes.cluster import cluster_of
from agent_sre.analysis.objects import node_of
from agent_sre.analysis.signals import about
from agent_sre.domain.finding import Fact, Finding

_LEAST = 1.0
"""Seconds; below this tokens and certificates do not notice."""


def clock_skew(case: CaseFile) -> Iterator[Finding]:
    """One finding for each node that is more than a second off."""
    cluster = cluster_of(case)
    for item in about(case, "clock_offset", "node"):
        if not item.times.size or abs(float(item.values[-1])) < _LEAST:
            continue
        ref, offset = node_of(case, item.entity.name), float(item.values[-1])
        time = datetime.fromtimestamp(float(item.times[-1]), UTC)
        shown = Fact(f"The clock is {number(offset)} s off", item.observation, f"{item.source} {number(offset)}", time)
        yield Finding(
            "clock_skew", "node_clock_skew", ref, 0.9 if abs(offset) >= 10 * _LEAST else 0.75,
            f"The clock of {ref} is {number(offset)} s off.", (shown,),
            explains=tuple(dict.fromkeys(cluster.workload_of(pod.ref) for pod in cluster.on_node(ref.name))),
            distinguish=f"chronyc tracking (or timedatectl) on {ref.name}",
        )  # fmt: skip
