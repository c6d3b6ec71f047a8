"""How often a log store has lines of level error or worse, over time: the first thing to look at before any line.

Counted by the store, so it costs no lines, and nothing is sampled: the onset and the size of a burst show as they were.
For the workloads that the alerts name, or for the whole namespace where they name none.
"""

import asyncio
from datetime import timedelta
from functools import partial

from agent_sre.domain.log_search import Level, LogSearch
from agent_sre.evidence.reading import Reading
from agent_sre.ports.logs import LogReader

_WORKLOADS = 5
_STEPS = 120
_SHORTEST = timedelta(seconds=10)


async def observe_errors(reading: Reading, store: LogReader, workloads: frozenset[str], fix: str) -> None:
    """One observation per namespace and workload, with a series ``log_lines``."""
    scope = reading.scope
    step = max(timedelta(seconds=round(scope.window.length.total_seconds() / _STEPS)), _SHORTEST)
    searches = [
        LogSearch(namespace, scope.window, workload=workload, level=Level.ERROR)
        for namespace in scope.namespaces
        for workload in sorted(workloads)[:_WORKLOADS] or [""]
    ]
    answers = await asyncio.gather(
        *(
            reading.look(
                f"errors over time in the logs of {search.workload or 'all'} in {search.namespace}",
                partial(store.counts, search, step),
                fix,
            )
            for search in searches
        )
    )
    for answer in answers:
        if answer is not None:
            reading.observe(answer.query, series=(answer.series,), left_out=answer.notes, link=answer.link)
