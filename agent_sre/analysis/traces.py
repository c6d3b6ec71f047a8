"""What traces show: where errors begin, which code ends early, and calls made over and over.

Three patterns that need no threshold on duration. An error begins in the deepest failed span, because failure travels
from callee to caller. Code that throws leaves spans without the children they used to have: the share of childless
spans of one operation, before and since, tells it even where nobody marked the span as failed. One request that makes
the same call many times, where it made few before, is the N+1 pattern. Slowness is left to the metrics, which see all
requests while traces see a sample; self time only says in which operation it sits.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from math import sqrt
from statistics import median

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.departures import clock, incident_start, number
from agent_sre.analysis.objects import object_of
from agent_sre.analysis.stores import stores_of
from agent_sre.analysis.trace_trees import Forest, Operation, trees_of
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.telemetry import Span

_FEW = 20
_REPEATED = 10


def trace_findings(case: CaseFile) -> Iterable[Finding]:
    """All that traces speak for."""
    trees = trees_of(case)
    if not trees.spans:
        return
    start = _start(case, trees)
    yield from _ended_early(case, trees, start)
    yield from _error_origins(case, trees, start)
    yield from _repeated_calls(case, trees, start)


def _start(case: CaseFile, trees: Forest) -> float:
    """The incident's start, not before a few spans: a trace source may keep minutes only."""
    return max(incident_start(case), min(span.start for span in trees.spans))


def _ended_early(case: CaseFile, trees: Forest, start: float) -> Iterable[Finding]:
    counts = {False: Counter[Operation](), True: Counter[Operation]()}
    childless = {False: Counter[Operation](), True: Counter[Operation]()}
    alike = Counter((span.service, span.name, span.start >= start, not below) for span, _, below in trees.walk())
    for (service, name, since, alone), count in alike.items():
        counts[since][service, name] += count
        childless[since][service, name] += count * alone
    for operation, before in sorted(counts[False].items()):
        later = counts[True][operation]
        if before < _FEW or later < _FEW:
            continue
        usual, now = childless[False][operation] / before, childless[True][operation] / later
        noise = sqrt(max(usual * (1 - usual), 0.01) * (1 / before + 1 / later))
        if usual < 0.5 and now - usual > 0.08 and (now - usual) / noise >= 5:
            yield _early(case, trees, operation, (usual, now, before, later), start)


def _early(
    case: CaseFile, trees: Forest, operation: Operation, seen: tuple[float, float, int, int], start: float
) -> Finding:
    service, name = operation
    usual, now, before, since = seen
    sample = [f"{span.span_id} at {clock(span.start)}" for span in trees.spans
              if (span.service, span.name) == operation and span.start >= start and not trees.of(span)][:3]  # fmt: skip
    excerpt = (
        f"{service} {name}: spans without children {number(usual)} of {before} before {clock(start)}, "
        f"{number(now)} of {since} since; for instance span {', '.join(sample)}"
    )
    text = f"The share of {name} spans of {service} that call nothing rose from {number(usual)} to {number(now)}"
    return Finding(
        analyzer="traces",
        fault="unhandled_exception",
        object=object_of(case, service),
        strength=0.66,
        statement=f"{name} in {service} ends early in a share of its requests.",
        facts=(Fact(text, trees.observation(service), excerpt),),
        distinguish=f"error logs of {service} around one of these spans",
    )


def _error_origins(case: CaseFile, trees: Forest, start: float) -> Iterable[Finding]:
    """Failed spans without a failed child, by service, where the share of them rose."""
    deepest: dict[str, list[Span]] = defaultdict(list)
    usual: Counter[str] = Counter()
    for span, _, below in trees.walk():
        if span.error and not any(child.error for child in below):
            if span.start >= start:
                deepest[span.service].append(span)
            else:
                usual[span.service] += 1
    recent = sum(span.start >= start for span in trees.spans)
    earlier = len(trees.spans) - recent
    for service, spans in sorted(deepest.items(), key=lambda item: (-len(item[1]), item[0])):
        if earlier and len(spans) / max(recent, 1) < 2 * usual[service] / earlier:
            continue
        messages = Counter(_message(span) for span in spans)
        message, _ = messages.most_common(1)[0]
        cancelled = _cancelled(message)
        facts = tuple(
            Fact(
                f"{span.name} of {span.service} failed" + (f": {_message(span)}" if _message(span) else ""),
                trees.seen_in[span.trace_id],
                f"{clock(span.start)} {span.service} {span.name} error {_message(span)} trace {span.trace_id}",
            )
            for span in spans[:3]
        )
        yield Finding(
            analyzer="traces",
            fault="unhandled_exception",
            object=object_of(case, service),
            strength=0.2 if cancelled else 0.5,
            statement=f"Failed requests begin to fail in {service}" + (f": {message}" if message else "."),
            facts=facts,
            distinguish=f"logs of {service} for one of these traces",
        )


def _message(span: Span) -> str:
    for key in (
        "exception.message",
        "error.message",
        "status.message",
        "status_message",
        "error",
        "otel.status_description",
    ):
        value = span.attributes.get(key, "")
        if value and value.lower() not in ("true", "false"):
            return value[:160]
    return ""


def _cancelled(message: str) -> bool:
    """Whether the caller gave up, which is the caller's doing."""
    lowered = message.lower()
    return "canceled" in lowered or "cancelled" in lowered


def _called(case: CaseFile, service: str, callee: str) -> tuple[str, ...]:
    """Whom the call goes to: where only its caller recorded it, the stores that it uses."""
    if callee != service:
        return (callee,)
    return stores_of(case, service)


def _repeated_calls(case: CaseFile, trees: Forest, start: float) -> Iterable[Finding]:
    """The same call many times under one span, where it was few before."""
    repeats: dict[tuple[str, str, str, str], dict[bool, list[int]]] = defaultdict(lambda: {False: [], True: []})
    many = {
        (span.service, span.name) for span, _, below in trees.walk() if len(below) >= _REPEATED and span.start >= start
    }
    for span, _, below in trees.walk() if many else ():
        if (span.service, span.name) not in many:
            continue
        for (service, name), count in Counter((child.service, child.name) for child in below).items():
            repeats[span.service, span.name, service, name][span.start >= start].append(count)
    for (service, name, callee, call), counts in sorted(repeats.items()):
        now = median(counts[True]) if counts[True] else 0.0
        before = median(counts[False]) if counts[False] else 1.0
        if now < _REPEATED or now < 3 * before:
            continue
        excerpt = (
            f"{service} {name} calls {callee} {call} {number(now)} times a request since {clock(start)}, "
            f"usually {number(before)}"
        )
        yield Finding(
            analyzer="traces",
            fault="n_plus_one_queries",
            object=object_of(case, service),
            strength=0.66,
            statement=f"One {name} of {service} makes the same call to {callee} over and over.",
            facts=(
                Fact(
                    f"{name} of {service} calls {call} of {callee} {number(now)} times a request, "
                    f"usually {number(before)}",
                    trees.observation(service),
                    excerpt,
                ),
            ),
            explains=tuple(object_of(case, name) for name in _called(case, service, callee)),
            distinguish=f"the loop around {call} in the code of {service}",
        )
