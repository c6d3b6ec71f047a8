"""In which service slow requests spend their extra time, from traces alone.

Where nobody measures latency, traces still do: a span's own time on the critical path of its request
(``critical_path``) does not grow at a service that merely waits for a slow callee, nor at one whose slowness nobody
waits for. The operation whose own time grew by most of what the whole requests grew is where the slowness begins. What
the time is spent on, spans do not say: the fault type stays the unspecific one of ``origin``. Where latency is measured
this is left to the metrics, which see all requests. Called by ``engine``.
"""

from collections import defaultdict
from collections.abc import Iterable
from statistics import median

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.critical_path import critical_path
from agent_sre.analysis.departures import clock, incident_start, number
from agent_sre.analysis.objects import object_of
from agent_sre.analysis.profiles import profiles
from agent_sre.analysis.slow_requests import slow_request_facts
from agent_sre.analysis.trace_trees import Forest, Operation, trees_of
from agent_sre.domain.finding import Fact, Finding

_FEW = 8
"""Spans of an operation that there must be on either side of the start."""
_SLOWER = 1.5
_MOST_OF_IT = 0.6
"""The part of the whole requests' extra time that the operation must add itself."""
_STRENGTH = 0.6

Times = dict[bool, list[float]]
"""Seconds of single spans before (False) and since (True) the incident's start."""


def slow_operations(case: CaseFile) -> Iterable[Finding]:
    """The service in which slow requests spend most of their extra time, if traces are all that tells."""
    trees = trees_of(case)
    if not trees.spans or any(item.signals.get("latency") for item in profiles(case).values()):
        return
    start = incident_start(case)
    whole, own = _times(trees, start)
    extra = max((_rise(times) for times in whole.values()), default=0.0)
    slow = {name: rise for name, times in own.items() if (rise := _rise(times)) > 0}
    if not slow or extra <= 0:
        return
    operation = max(sorted(slow), key=lambda name: slow[name])
    if slow[operation] >= _MOST_OF_IT * extra:
        yield _finding(case, trees, operation, own[operation], start)


def _times(trees: Forest, start: float) -> tuple[dict[Operation, Times], dict[Operation, Times]]:
    """Durations of whole requests by their first operation, and own times of all operations on critical paths."""
    whole: dict[Operation, Times] = defaultdict(lambda: {False: [], True: []})
    own: dict[Operation, Times] = defaultdict(lambda: {False: [], True: []})
    for span, parent, _ in trees.walk():
        if parent is None:
            whole[span.service, span.name][span.start >= start].append(span.end - span.start)
            for step in critical_path(trees, span):
                own[step.span.service, step.span.name][step.span.start >= start].append(step.own)
    return whole, own


def _rise(times: Times) -> float:
    """Extra seconds at the median; 0 where it is no clear rise or there are too few spans."""
    before, since = times[False], times[True]
    if min(len(before), len(since)) < _FEW or median(since) < _SLOWER * median(before):
        return 0.0
    return median(since) - median(before)


def _finding(case: CaseFile, trees: Forest, operation: Operation, times: Times, start: float) -> Finding:
    service, name = operation
    usual, now = (f"{number(1000 * median(times[since]))} ms" for since in (False, True))
    excerpt = f"{service} {name}: self time of its spans {usual} before {clock(start)}, {now} since (medians)"
    return Finding(
        analyzer="traces",
        fault="pod_network_delay",
        object=object_of(case, service),
        strength=_STRENGTH,
        statement=f"Slow requests spend their extra time in {name} of {service} itself, not in what it calls.",
        facts=(
            Fact(f"{name} of {service} takes {now} instead of {usual} itself", trees.observation(service), excerpt),
            *slow_request_facts(case, service),
        ),
        distinguish=f"a profile of {service}, or spans inside {name}",
    )
