"""How long a workload takes to answer: usually, and since the incident began; by its spans, its metrics or its log.

Sources differ in what they measure. The callee's own spans of one caller's calls come first, since a service has quick
and slow routes; then its latency metrics, of which quantiles near the maximum are left out, because a few requests in a
thousand say nothing of what a caller usually waits for; last the durations that it writes into its request lines.
All is what the callee itself measured: what a caller measures ends at the caller's own deadline.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from agent_sre.analysis.casefile import CaseFile, Seen
from agent_sre.analysis.departures import clock, incident_start, number
from agent_sre.analysis.log_entries import parting
from agent_sre.analysis.profiles import profiles
from agent_sre.analysis.signals import workload_of_pod
from agent_sre.analysis.trace_trees import trees_of
from agent_sre.domain.finding import Fact
from agent_sre.domain.telemetry import LogLine, LogStream

_FEW = 5
_SECONDS = {"milliseconds": 1e-3, "microseconds": 1e-6}
_EXTREME = re.compile(r"p99|p0?999|q99|(?:^|[_:.])max(?:$|[_:.])", re.IGNORECASE)
_REQUEST = re.compile(
    r"\b(?:GET|POST|PUT|PATCH|DELETE|HEAD)\b|\b(?:request|req|rpc|grpc|route|path|status|served|handled|completed|answered)",
    re.IGNORECASE,
)
_KEYED = re.compile(
    r"\b(?:duration|elapsed|took|latency|response_?time|request_?time|time_?taken|rt)(?:_?(?P<key>ms|millis|s|sec|seconds))?"
    r"\"?\s?[=:]?\s?\"?(?P<amount>\d+(?:\.\d+)?)\s?(?P<unit>ms|milliseconds|seconds|s|sec|µs|us)?\b"
    r"|\bin (?P<after>\d+(?:\.\d+)?)\s?(?P<after_unit>ms|milliseconds|seconds|s)\b",
    re.IGNORECASE,
)
_UNITS = {"ms": 1e-3, "millis": 1e-3, "milliseconds": 1e-3, "us": 1e-6, "µs": 1e-6}


@dataclass(frozen=True, slots=True)
class AnswerTime:
    """Seconds that a workload takes to answer; ``usual`` is None where nothing was seen from before the incident."""

    usual: float | None
    now: float
    fact: Fact


def answer_time(case: CaseFile, callee: str, caller: str) -> AnswerTime | None:
    """What the callee itself says of how long it takes, best for this caller; None where nothing tells it."""
    return _by_spans(case, callee, caller) or _by_metrics(case, callee) or _by_lines(case, callee)


def _by_spans(case: CaseFile, callee: str, caller: str) -> AnswerTime | None:
    trees, start = trees_of(case), incident_start(case)
    took: dict[bool, list[float]] = {False: [], True: []}
    for span in trees.by_service.get(callee, ()):
        parent = trees.parent(span)
        if parent is not None and parent.service == caller:
            took[span.start >= start].append(span.end - span.start)
    if not took[True]:
        return None
    what = f"spans of {callee} under those of {caller}"
    return _told(callee, took, what, trees.observation(callee), f"before {clock(start)}")


def _by_metrics(case: CaseFile, callee: str) -> AnswerTime | None:
    profile = profiles(case).get(callee)
    moves = profile.departures.get("latency", ()) if profile is not None else ()
    own = [
        moved
        for moved in moves
        if moved.signal.role != "source" and not _EXTREME.search(moved.signal.source.name) and moved.before > 0
    ]
    if not own:
        return None
    moved = max(own, key=lambda moved: (moved.before, str(moved.signal.source)))
    scale = _SECONDS.get(moved.signal.unit, 1.0)
    fact = moved.fact(f"{callee} answers in {number(moved.after)} {moved.signal.unit}, usually {number(moved.before)}")
    return AnswerTime(moved.before * scale, moved.after * scale, fact)


def _by_lines(case: CaseFile, callee: str) -> AnswerTime | None:
    start = parting(case)
    took: dict[bool, list[float]] = {False: [], True: []}
    last: tuple[Seen[LogStream], LogLine] | None = None
    for seen, line in _lines(case, callee):
        seconds = _duration(line.text)
        if seconds is not None and line.time is not None:
            took[line.time.timestamp() >= start].append(seconds)
            last = seen, line
    if last is None:
        return None
    stream, line = last
    what = f"{stream.value.source}: {line.text[:200]}; request lines of {callee}"
    return _told(callee, took, what, stream.observation, f"before {clock(start)}")


def _lines(case: CaseFile, callee: str) -> Iterator[tuple[Seen[LogStream], LogLine]]:
    for seen in case.streams:
        source = seen.value.source
        if source.namespace != "@nodes" and not source.previous and workload_of_pod(source.pod) == callee:
            for line in seen.value.lines:
                yield seen, line


def _duration(text: str) -> float | None:
    """Seconds that a request line says the request took; None for other lines and amounts without a unit."""
    match = _KEYED.search(text) if _REQUEST.search(text) else None
    if match is None:
        return None
    amount = match["amount"] or match["after"]
    unit = (match["unit"] or match["key"] or match["after_unit"] or "").lower()
    if not unit and "." not in amount:
        return None
    return float(amount) * _UNITS.get(unit, 1.0)


def _told(callee: str, took: dict[bool, list[float]], what: str, observation: str, before: str) -> AnswerTime | None:
    """From single requests: medians, which rare slow or broken requests do not move."""
    if len(took[True]) < _FEW:
        return None
    now = float(np.median(took[True]))
    usual = float(np.median(took[False])) if len(took[False]) >= _FEW else None
    text = f"{callee} takes {number(1000 * now)} ms for a request"
    shown = f"{what}: median {number(1000 * now)} ms of {len(took[True])} since the incident began"
    if usual is not None:
        text += f", usually {number(1000 * usual)} ms"
        shown += f", {number(1000 * usual)} ms of {len(took[False])} {before}"
    return AnswerTime(usual, now, Fact(text, observation, shown))
