"""How long callers wait before they give up a call: from what they log, from their spans, changes and settings.

A deadline leaves marks. A client library writes it into the message with which it gives up; the caller's spans of the
calls that it gave up all end at the same moment while the callee's spans inside them run on; a change of it is in the
change's diff; and what is set is in the environment. Time-outs of connecting, of looking names up, of locks and of
pools are something else: the request never got to the callee. What an amount without a unit means follows from the
words around it, else from its size. Whether a deadline is too short is judged in ``short_deadlines``.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.departures import clock, incident_start, number
from agent_sre.analysis.diffs import lowered_time_limit
from agent_sre.analysis.kubernetes.cluster import cluster_of
from agent_sre.analysis.kubernetes.excerpts import fact
from agent_sre.analysis.kubernetes.reading import Path, positions, text
from agent_sre.analysis.log_chains import Chains
from agent_sre.analysis.log_entries import Statement, troubles
from agent_sre.analysis.log_patterns import TIMED_OUT, classify
from agent_sre.analysis.rollout import as_change, change_of, rollouts
from agent_sre.analysis.trace_trees import trees_of
from agent_sre.domain.finding import Fact
from agent_sre.domain.instant import format_instant
from agent_sre.domain.telemetry import Span
from agent_sre.domain.visible import one_line

_NOT_ANSWERS = re.compile(
    r"connect(?:ion)?[ _-]?time|connect timed|\bdial\b|\blookup\b|\bdns\b|resolv|handshake|\blocks?\b|acquir|\bidle\b"
    r"|election|heartbeat|shutdown|\bdrain|\bprobe\b|server selection",
    re.IGNORECASE,
)
"""Time-outs of what comes before a request or has no callee."""
_READING = re.compile(r"while reading (?:response|upstream)|while awaiting headers|read timed out", re.IGNORECASE)
_AMOUNT = r"(?<![.\w-])(\d+(?:\.\d+)?)"
_SPOKEN = re.compile(
    rf"(?:time-?out|timed out|deadline|time limit|terminal signal)[^\d\n]{{0,40}}?{_AMOUNT}\s?"
    r"(ms|milliseconds?|seconds?|secs?|s|minutes?)\b",
    re.IGNORECASE,
)
_KEYED = re.compile(rf"(?:time-?out|deadline)(\w*)[\"']?\s?[=:]\s?[\"']?{_AMOUNT}(?![\d.:/]*[:/\d])", re.IGNORECASE)
_VALUE = re.compile(r"(\d+(?:\.\d+)?)\s?(ms|milliseconds?|seconds?|secs?|s|minutes?|m)?", re.IGNORECASE)
_NAMES_LIMIT = re.compile(r"TIMEOUT|DEADLINE", re.IGNORECASE)
_MILLISECONDS = re.compile(r"_?(?:ms|millis|milliseconds)\Z", re.IGNORECASE)
_SURELY_MILLISECONDS = 100.0
"""A whole number without a unit from here on is in milliseconds: nobody waits for minutes by the second."""
_FEW = 5
_SHARP = 0.1
"""Calls that were given up end within this part of the deadline of each other."""
_MOST = 300


@dataclass(frozen=True, slots=True)
class Deadline:
    """A caller that gives up after so many seconds. ``callees``: whom it then called, empty where that is not said;
    ``seen``: it is seen giving up, not only set to; ``change``: what set it, where that is recorded."""

    caller: str
    callees: frozenset[str]
    seconds: float
    fact: Fact
    seen: bool
    change: str | None = None


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A statement with which a caller says that it gave up, and whom it called."""

    statement: Statement
    callees: frozenset[str]

    def fact(self) -> Fact:
        """That it says so."""
        return self.statement.fact(f"{self.statement.workload} logs {self.statement.quoted}")


def given_up(case: CaseFile) -> tuple[GivenUp, ...]:
    """Statements that came with the incident in which a caller says that an answer did not come in time."""
    every = troubles(case)[:_MOST]
    late = [item for item in every if TIMED_OUT.search(item.said) and _waits_for_answer(item.said)]
    if not late:
        return ()
    pointers = Chains(case, every).pointers
    return tuple(
        GivenUp(item, frozenset(pointer.target for pointer in pointers if pointer.statement is item)) for item in late
    )


def _waits_for_answer(said: str) -> bool:
    pattern = classify(said)
    waits = _READING.search(said) is not None or not _NOT_ANSWERS.search(said)
    return waits and (pattern is None or pattern.fault == "timeout_too_short")


def deadlines(case: CaseFile, late: tuple[GivenUp, ...]) -> Iterator[Deadline]:
    """Every deadline that is known: seen at work first, then changed, then set."""
    for item in late:
        seconds = spoken(item.statement.said)
        if seconds:
            yield Deadline(item.statement.workload, item.callees, seconds, item.fact(), True)
    yield from _cut_off(case)
    yield from _changed(case)
    yield from _set(case)


def spoken(said: str) -> float | None:
    """Seconds after which a message says that it gave up; None where it does not say."""
    match = _SPOKEN.search(said)
    if match is not None:
        return _seconds(match[1], match[2])
    match = _KEYED.search(said)
    return _seconds(match[2], "ms" if _MILLISECONDS.search(match[1]) else "") if match is not None else None


def _seconds(amount: str, unit: str) -> float:
    value, unit = float(amount), unit.lower()
    if unit.startswith("m"):
        return value * (1e-3 if unit == "ms" or unit.startswith("milli") else 60.0)
    return value * 1e-3 if not unit and "." not in amount and value >= _SURELY_MILLISECONDS else value


def _cut_off(case: CaseFile) -> Iterator[Deadline]:
    """Failed spans of one call that all end at the same moment while the callee's spans inside them run on."""
    trees, start = trees_of(case), incident_start(case)
    cut: dict[tuple[str, str, str], list[tuple[float, Span]]] = defaultdict(list)
    for span, _, below in trees.walk():
        if not span.error or span.start < start:
            continue
        others = [child for child in below if child.service != span.service]
        if len(others) == 1 and others[0].end > span.end:
            cut[span.service, span.name, others[0].service].append((span.end - span.start, span))
    for (caller, name, callee), calls in sorted(cut.items()):
        took = np.array([seconds for seconds, _ in calls])
        middle = float(np.median(took))
        if len(calls) < _FEW or float(np.median(np.abs(took - middle))) > _SHARP * middle:
            continue
        told = f"{name} of {caller} ends after {number(1000 * middle)} ms, failed, while {callee} still works on it"
        first = calls[0][1]
        shown = (
            f"{told}: {len(calls)} spans since {clock(start)}, for instance span {first.span_id} at "
            f"{clock(first.start)} in trace {first.trace_id}"
        )
        yield Deadline(caller, frozenset({callee}), middle, Fact(told, trees.observation(caller), shown), True)


def _changed(case: CaseFile) -> Iterator[Deadline]:
    """Deadlines that a recorded change or a rollout lowered; the caller is the change's target."""
    for seen in case.changes:
        change = seen.value
        limits = lowered_time_limit(change) if change.time.timestamp() <= incident_start(case) + 60 else None
        if limits is not None:
            edited = one_line(f"{change.summary} {change.diff}", 300)
            shown = f"{format_instant(change.time)} {change.kind} {change.id} {change.target}: {edited}"
            told = Fact(f"A time limit was lowered by {change.id[:12]}", seen.observation, shown, change.time)
            yield Deadline(change.target, frozenset(), limits[1], told, False, change.id)
    for rollout in rollouts(cluster_of(case), case.now):
        edit = as_change(rollout)
        limits = lowered_time_limit(edit)
        if limits is not None:
            paths = tuple(path for path in rollout.paths if path[-1] == "env") or rollout.paths
            told = fact("Its newest generation waits for less time than the one before", rollout.after, *paths)
            yield Deadline(rollout.workload.ref.name, frozenset(), limits[1], told, False, change_of(case, rollout))


def _set(case: CaseFile) -> Iterator[Deadline]:
    """Deadlines in workloads' environments."""
    for workload in cluster_of(case).in_scope():
        source = workload.spec_source
        for container in workload.containers if source is not None else ():
            for place, item in positions(container.spec, "env"):
                seconds = _setting(text(item, "name"), text(item, "value"))
                if source is not None and seconds:
                    path: Path = (*container.spec_path, "env", place)
                    told = fact(f"{workload.ref} is set to {text(item, 'name')}={text(item, 'value')}", source[0], path)
                    named = _named(text(item, "name"), workload.ref.name, case)
                    yield Deadline(workload.ref.name, named, seconds, told, False)


def _setting(name: str, value: str) -> float | None:
    match = _VALUE.fullmatch(value.strip()) if _NAMES_LIMIT.search(name) and not _NOT_ANSWERS.search(name) else None
    return _seconds(match[1], match[2] or ("ms" if _MILLISECONDS.search(name) else "")) if match else None


def _named(variable: str, caller: str, case: CaseFile) -> frozenset[str]:
    """Workloads whose name the variable's name begins with."""
    plain = variable.lower().replace("_", "-")
    names = {item.ref.name for item in cluster_of(case).in_scope()} - {caller}
    return frozenset(name for name in names if re.match(rf"{re.escape(name)}(?:-|$)", plain))
