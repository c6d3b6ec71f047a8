"""The logs of a case as statements per workload: how often each was printed before the incident and since.

One pass over all lines: stack traces put together, structured lines made plain, templates by workload, counts before
and since, the first time, a sample. Everything that judges logs (``log_errors``, ``changes``) reads this and not the
lines. Streams whose lines carry no times, and workloads that printed nothing before, say nothing about before and
since: their statements count as new, and ``timed`` says so. What every line costs is a few calls that run in C, what
a statement costs may be more: there are a hundred thousand lines and some hundred statements.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import sqrt

from agent_sre.analysis.casefile import CaseFile, Seen, per_case
from agent_sre.analysis.departures import LONGEST_LEAD, incident_start, is_dated
from agent_sre.analysis.log_records import ERROR, plain, severity
from agent_sre.analysis.log_templates import Miner
from agent_sre.analysis.signals import workload_of_pod
from agent_sre.analysis.stack_traces import Trace, joined, trace_of
from agent_sre.domain.finding import Fact
from agent_sre.domain.instant import format_instant
from agent_sre.domain.telemetry import LogLine, LogStream
from agent_sre.domain.visible import one_line

_PLATFORM = ("@nodes", "kube-system")
_EARLY = 120.0
"""Seconds before the dated start that still count as since: metrics lag behind what a program prints."""
_NO_LETTERS = re.compile("[^A-Za-z]+")
_RATIO, _SURE = 2.5, 3.0
"""How many times as frequent a statement must have become, and how sure (in standard deviations) that must be."""


@dataclass(slots=True)
class Statement:
    """One thing that one workload prints. ``before`` and ``since`` are counts about the incident's start; ``said`` is
    the sample in plain words (``log_records.plain``), ``trace`` where its exception came from."""

    workload: str
    namespace: str
    template: str
    sample: str
    said: str
    severity: int
    observation: str
    source: str
    before: int = 0
    since: int = 0
    first: datetime | None = None
    timed: bool = True
    previous: bool = False
    trace: Trace | None = None

    @property
    def new(self) -> bool:
        """Whether it is first seen with the incident, as far as can be told."""
        return self.since > 0 and (self.before == 0 or not self.timed)

    def fact(self, text: str) -> Fact:
        """A fact about this statement, with the sample line as excerpt."""
        times = f", {self.before} times before the incident and {self.since} since" if self.timed else ""
        stamp = f"{format_instant(self.first)} " if self.first else ""
        return Fact(text, self.observation, f"{self.source}: {stamp}{self.shown}{times}", self.first)

    @property
    def shown(self) -> str:
        """The sample on one line; of a long trace its beginning and the exception at its root."""
        line = one_line(self.sample, 300)
        if self.trace is not None and str(self.trace) not in line:
            return f"{one_line(self.sample, 120)} {self.quoted}"
        return line

    @property
    def quoted(self) -> str:
        """What to quote of it: the root of its trace, or its first words."""
        return one_line(str(self.trace) if self.trace is not None else self.sample, 120)


@per_case
def statements(case: CaseFile) -> tuple[Statement, ...]:
    """All statements of all workloads; what nodes and the cluster's own parts print is left to their analyzers."""
    return tuple(_read(case))


@per_case
def parting(case: CaseFile) -> float:
    """What is before and what is since, in seconds since the epoch.

    A little before the dated start; where nothing measured dates it, as long before the alert as an incident may go
    unnoticed.
    """
    if is_dated(case):
        return incident_start(case) - _EARLY
    return incident_start(case) - LONGEST_LEAD


def _read(case: CaseFile) -> Iterable[Statement]:
    start = datetime.fromtimestamp(parting(case), UTC)
    logs: dict[str, _Logs] = {}
    for seen in case.streams:
        source = seen.value.source
        if source.namespace != "@nodes" and seen.value.lines:
            workload = workload_of_pod(source.pod)
            logs.setdefault(workload, _Logs(workload)).read(seen, start)
    return (statement for log in logs.values() for statement in log.statements())


class _Logs:
    """One workload's lines: mined stream by stream, counted by the miner's keys, made statements at the end."""

    def __init__(self, workload: str) -> None:
        self._workload = workload
        self._miner = Miner()
        self._runs: list[tuple[Seen[LogStream], Sequence[LogLine], list[int], int]] = []
        self._baseline = False

    def read(self, seen: Seen[LogStream], start: datetime) -> None:
        """Mine one stream; ``start`` parts before from since."""
        lines = [line for line in joined(seen.value.lines) if line.text and not line.text.isspace()]
        keys = self._miner.add_all([_mined(line.text) for line in lines])
        # Undated lines come first and count as since.
        undated = next((place for place, line in enumerate(lines) if line.time is not None), len(lines))
        dated = bisect_left(lines, start, lo=undated, key=lambda line: line.time or start)
        self._baseline = self._baseline or dated > undated
        self._runs.append(
            (seen, [*lines[undated:], *lines[:undated]], [*keys[undated:], *keys[:undated]], dated - undated)
        )

    def statements(self) -> Iterable[Statement]:
        """The workload's statements, in the order of their templates; those of a previous run apart."""
        templates = self._miner.templates()
        template_of = {key: template for template in templates for key in template.keys}
        found: dict[tuple[int, bool], Statement] = {}
        for seen, lines, keys, parted in self._runs:
            before, since = Counter(keys[:parted]), Counter(keys[parted:])
            first_before = dict(zip(reversed(keys[:parted]), range(parted - 1, -1, -1), strict=True))
            first_since = dict(zip(reversed(keys[parted:]), range(len(keys) - 1, parted - 1, -1), strict=True))
            for key in sorted(before.keys() | since.keys()):
                template = template_of[key]
                place = template.id, seen.value.source.previous
                line = lines[first_since.get(key, first_before.get(key, 0))]
                statement = found.get(place)
                if statement is None:
                    statement = found[place] = self._statement(template.text, seen, line)
                elif key in since and (statement.since == 0 or _earlier(line, statement)):
                    self._resample(statement, seen, line)
                statement.before += before[key]
                statement.since += since[key]
        return [found[place] for place in sorted(found)]

    def _statement(self, template: str, seen: Seen[LogStream], line: LogLine) -> Statement:
        source = seen.value.source
        statement = Statement(
            self._workload, source.namespace, template, "", "", 1, seen.observation, str(source),
            timed=line.time is not None and self._baseline, previous=source.previous,
        )  # fmt: skip
        self._resample(statement, seen, line)
        return statement

    def _resample(self, statement: Statement, seen: Seen[LogStream], line: LogLine) -> None:
        statement.sample, statement.said = line.text, plain(line.text)
        statement.observation, statement.source = seen.observation, str(seen.value.source)
        statement.first = line.time
        statement.trace = trace_of(statement.said)
        statement.severity = severity(statement.said)
        if statement.trace is not None and "\n" in statement.said:
            statement.severity = max(statement.severity, ERROR)


def _earlier(line: LogLine, statement: Statement) -> bool:
    return line.time is not None and (statement.first is None or line.time < statement.first)


def _mined(text: str) -> str:
    """What tells the entry's statement: its first line, and before it where its exception came from, as one word."""
    text = plain(text)
    if "\n" not in text:
        return text
    first, _, _ = text.partition("\n")
    trace = trace_of(text)
    return f"{_NO_LETTERS.sub('-', trace.name + trace.frame).strip('-')} {first}" if trace is not None else first


@per_case
def troubles(case: CaseFile) -> list[Statement]:
    """Statements of warning or worse that came with the incident or became far more frequent, worst first."""
    found = [item for item in statements(case) if item.severity >= 2 and item.since > 0 and risen(case, item)]
    return sorted(found, key=lambda item: (-item.severity, -item.since, item.workload, item.template))


def risen(case: CaseFile, item: Statement) -> bool:
    """Whether a statement came with the incident or became far more frequent."""
    if item.before == 0 or not item.timed:
        return True
    start = parting(case)
    earlier = max(start - case.window.start.timestamp(), 1.0)
    since = max(case.now.timestamp() - start, 1.0)
    return (
        rate_rise(item.before, earlier, item.since, since) >= _SURE
        and item.since / since > _RATIO * item.before / earlier
    )


def rate_rise(before: int, earlier: float, since: int, later: float) -> float:
    """How many standard deviations the rate of ``since`` events in ``later`` seconds is above that of ``before`` events
    in ``earlier`` seconds, both counts taken as Poisson; by square roots (Huffman 1984), so it holds for few events."""
    part = later / earlier
    return 2 * (sqrt(since + 0.375) - sqrt(part * (before + 0.375))) / sqrt(1 + part)
