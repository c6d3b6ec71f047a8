"""Every metric of the signal catalogue that exists, over the window, in the incident's namespaces.

Raw values are kept: rates, quantiles and change points are judgement, which is analysis' work. A metric without a
namespace label (nodes, probes) is kept whole, since such faults cross namespaces.
"""

import asyncio
import math
import re
from datetime import timedelta
from functools import partial

from agent_sre.domain.signal import Signal
from agent_sre.evidence.reading import Reading, capped, not_there
from agent_sre.evidence.scope import Collected, Readers, Scope

NAME = "metrics_signals"
METRICS_FIX = "set AGENT_SRE_PROMETHEUS_URL, or add metrics.om to the snapshot"
_LEAST_STEP = 15
_HISTOGRAM_SUFFIXES = ("", "_sum", "_count")  # the catalogue lists a histogram by its base name; buckets are not judged


async def collect(scope: Scope, readers: Readers) -> Collected:
    """One observation per metric."""
    metrics = readers.metrics
    if metrics is None:
        return not_there("metrics", "metrics of workloads and nodes", METRICS_FIX)
    reading = Reading(NAME, "metrics", scope)
    names = await reading.look("names of metrics", partial(metrics.metric_names, scope.window))
    if names is None:
        return reading.done()
    signals = {
        f"{signal.metric}{suffix}": signal
        for signal in reversed(scope.signals)
        for suffix in _HISTOGRAM_SUFFIXES
        if f"{signal.metric}{suffix}" in names
    }
    if not signals:
        reading.gap(
            "metrics of workloads and nodes",
            f"none of the {len(scope.signals)} metrics of the signal catalogue is among the {len(names)} that exist",
            "name the site's metrics in the file of AGENT_SRE_SIGNALS_FILE (or signals.yaml of the snapshot)",
        )
    step = step_of(scope)
    queries = [(name, selector(name, signals[name], scope.namespaces)) for name in sorted(signals)]
    answers = await asyncio.gather(
        *(
            reading.look(f"metric {name}", partial(metrics.query_range, query, scope.window, step))
            for name, query in queries
        )
    )
    for (_, query), answer in zip(queries, answers, strict=True):
        if answer is not None:
            series, left_out = capped(answer.series, scope.limits.series_per_metric, "series")
            warnings = tuple(f"warning of the back end: {text}" for text in answer.warnings)
            reading.observe(query, series=series, left_out=(*left_out, *warnings), link=answer.link)
    return reading.done()


def step_of(scope: Scope) -> timedelta:
    """Seconds between points, so that the window has at most ``range_points``."""
    seconds = math.ceil(scope.window.length.total_seconds() / scope.limits.range_points)
    return timedelta(seconds=max(seconds, _LEAST_STEP))


def selector(metric: str, signal: Signal, namespaces: tuple[str, ...]) -> str:
    """The PromQL selector of one metric of a signal; the empty alternative keeps series without a namespace."""
    ours = set(signal.labels.values())
    if not namespaces or ("node" in ours and not ours & {"namespace", "workload", "pod"}):
        return metric
    label = next((theirs for theirs, our in signal.labels.items() if our == "namespace"), "namespace")
    pattern = "|".join([*(re.escape(name) for name in namespaces), ""])
    escaped = pattern.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{metric}{{{label}=~"{escaped}"}}'
