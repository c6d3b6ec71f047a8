"""Traces of requests: all of them where they are few, else an even sample, and the failed and slow ones of the alert.

One question for everything comes first. Where the answer is only a sample, the services that the alerts name are asked
about on their own: failed traces get half of the room, slow ones (against what was usual before the alerts) an eighth,
usual ones an eighth, and the sample of everything keeps the rest. Each question is asked over the whole window, so what
went before the onset is sampled in the same way as what came after it, and the two can be compared.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from agent_sre.domain.alert import Alert
from agent_sre.domain.reference import owner_name
from agent_sre.domain.telemetry import Span
from agent_sre.domain.trace_search import TraceSearch, evenly, traces_of
from agent_sre.evidence.reading import Reading, not_there
from agent_sre.evidence.scope import Collected, Readers, Scope
from agent_sre.ports.context import TraceAnswer, TraceReader

NAME = "traces"
_FIX = "let the account in AGENT_SRE_TRACES_* read traces; agent-sre doctor says what it can"
_SERVICES = 3
_LABELS = ("service", "service_name", "deployment", "statefulset", "daemonset", "workload", "app", "job", "container")
_FEW = 10
_SLOWER = 2.0
_UNKNOWN = 1.0
"""Seconds that count as slow where nothing says what is usual."""


async def collect(scope: Scope, readers: Readers) -> Collected:
    """One observation per search, each with its own query and link; every trace is in one of them only."""
    reader = readers.traces
    if reader is None:
        return not_there("traces", "traces of requests", "set AGENT_SRE_TRACES_BACKEND, or add traces.json")
    reading = Reading(NAME, "traces", scope)
    limit = scope.limits.spans
    anything = TraceSearch(scope.window, scope.namespaces)
    first = await reading.look("traces", partial(reader.search, anything, limit), _FIX)
    if first is None:
        return reading.done()
    seen: set[str] = set()
    if first.more:
        # What the alerts are about comes first, so that no trace of theirs is lost to the sample of everything.
        for answer, share in await _targeted(reading, reader, anything, first):
            _record(reading, answer, max(limit // share, 1), seen)
        _record(reading, first, max(limit // 4, 1), seen)
    else:
        _record(reading, first, limit, seen)
    return reading.done()


async def _targeted(
    reading: Reading, reader: TraceReader, anything: TraceSearch, first: TraceAnswer
) -> list[tuple[TraceAnswer, int]]:
    """Answers about what the alerts name, each with the part of the room (one in so many) that it may take."""
    scope = reading.scope
    known = await reading.look("services", partial(reader.services, scope.namespaces, scope.window), _FIX) or ()
    names = named(scope.alerts, known)[:_SERVICES]
    targets = [replace(anything, service=name) for name in names] or [anything]
    limit, many = scope.limits.spans, len(targets)
    failed = [(replace(target, errors=True), 2 * many) for target in targets]
    usual = [(target, 8 * many) for target in targets if target.service]
    answers = await _ask(reading, reader, [*failed, *usual], limit)
    before = [*first.spans, *(span for answer, _ in answers[len(failed) :] for span in answer.spans)]
    slow = [(replace(target, at_least=slow_from(target.service, before, scope)), 8 * many) for target in targets]
    return [*answers[: len(failed)], *await _ask(reading, reader, slow, limit), *answers[len(failed) :]]


async def _ask(
    reading: Reading, reader: TraceReader, searches: Sequence[tuple[TraceSearch, int]], limit: int
) -> list[tuple[TraceAnswer, int]]:
    answers = await asyncio.gather(
        *(
            reading.look(_what(search), partial(reader.search, search, max(limit // share, 1)), _FIX)
            for search, share in searches
        )
    )
    return [
        (answer if answer is not None else TraceAnswer((), ""), share)
        for answer, (_, share) in zip(answers, searches, strict=True)
    ]


def _record(reading: Reading, answer: TraceAnswer, room: int, seen: set[str]) -> None:
    """Keep the traces of an answer that no other has brought; one that was refused is a gap already."""
    if not answer.query:
        return
    fresh = [span for span in answer.spans if span.trace_id not in seen]
    kept = tuple(fresh) if len(fresh) <= room else evenly(traces_of(fresh), room)
    cut = (f"{len(fresh) - len(kept)} of {len(fresh)} spans, sampled evenly",) if len(kept) < len(fresh) else ()
    seen.update(span.trace_id for span in kept)
    reading.observe(answer.query, spans=kept, left_out=(*answer.notes, *cut), link=answer.link)


def named(alerts: Sequence[Alert], known: Sequence[str]) -> list[str]:
    """The known services that the alerts' labels name, directly or by one of their pods, as the back end writes them.

    A service may be known with its namespace, as ``cart.shop`` or ``shop/cart``.
    """
    wanted = {alert.labels[label].lower() for alert in alerts for label in _LABELS if alert.labels.get(label)}
    wanted |= {owner_name("Pod", alert.labels["pod"]).lower() for alert in alerts if alert.labels.get("pod")}
    spaces = {alert.labels["namespace"].lower() for alert in alerts if alert.labels.get("namespace")}
    forms = wanted | {f"{name}.{space}" for name in wanted for space in spaces}
    forms |= {f"{space}/{name}" for name in wanted for space in spaces}
    return [name for name in known if name.lower() in forms]


def slow_from(service: str, spans: Sequence[Span], scope: Scope) -> float:
    """From how many seconds on a span of the service is slow: the longest tenth of what was usual, twice its middle."""
    onset = min((alert.starts_at.timestamp() for alert in scope.alerts), default=scope.window.end.timestamp())
    lengths: Mapping[bool, list[float]] = {True: [], False: []}
    for span in spans:
        if not service or span.service == service:
            lengths[span.start < onset].append(span.end - span.start)
    usual = sorted(lengths[True] if len(lengths[True]) >= _FEW else [*lengths[True], *lengths[False]])
    if not usual:
        return _UNKNOWN
    return max(usual[int(0.9 * (len(usual) - 1))], _SLOWER * usual[len(usual) // 2], 0.001)


def _what(search: TraceSearch) -> str:
    kind = "failed traces" if search.errors else "slow traces" if search.at_least else "traces"
    return f"{kind} of {search.service}" if search.service else kind
