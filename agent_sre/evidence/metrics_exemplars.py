"""Exemplars of latency histograms: the traces of single requests that a metric counted, the slowest ones.

A histogram says that requests are slow; an exemplar names one of them. They hang on the buckets, whose series are not
collected because nothing is judged by them, so they are asked for on their own. Few are kept of each metric: a person
opens one trace, not a hundred. A back end that keeps none answers with nothing, which is no gap; one that does not know
the question is.
"""

import asyncio
from functools import partial

from agent_sre.evidence.metrics_signals import METRICS_FIX, selector
from agent_sre.evidence.reading import Reading, not_there
from agent_sre.evidence.scope import Collected, Readers, Scope

NAME = "metrics_exemplars"
_METRICS, _KEPT = 10, 200


async def collect(scope: Scope, readers: Readers) -> Collected:
    """One observation for each histogram of latencies that has exemplars; nothing where there are no metrics."""
    metrics = readers.metrics
    if metrics is None:
        return not_there("metrics", "exemplars of slow requests", METRICS_FIX)
    reading = Reading(NAME, "metrics", scope)
    names = await reading.look("names of metrics with exemplars", partial(metrics.metric_names, scope.window))
    slow = {item.metric: item for item in reversed(scope.signals) if item.meaning in ("latency", "client_latency")}
    known = [(f"{name}_bucket", slow[name]) for name in sorted(slow) if f"{name}_bucket" in (names or ())]
    queries = [selector(name, signal, scope.namespaces) for name, signal in known[:_METRICS]]
    answers = await asyncio.gather(
        *(reading.look("exemplars", partial(metrics.exemplars, query, scope.window)) for query in queries)
    )
    for query, answer in zip(queries, answers, strict=True):
        if answer:
            kept = sorted(answer, key=lambda item: (-item.value, item.time))[:_KEPT]
            beyond = len(answer) - len(kept)
            left_out = (f"{beyond} of {len(answer)} exemplars, the quickest",) if beyond else ()
            reading.observe(query, exemplars=tuple(kept), left_out=left_out)
    return reading.done()
