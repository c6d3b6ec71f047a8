"""The logs of a case as statements per workload: how often each was printed before the incident and since.

One pass over all lines: templates by workload, counts before and since, the first time, a sample line. Everything that
judges logs (``log_errors``, ``changes``) reads this and not the lines. Streams whose lines carry no times say nothing
about before and since: their statements count as new, and ``timed`` says so.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from weakref import WeakKeyDictionary

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.departures import incident_start
from agent_sre.analysis.log_templates import Miner, exception, severity
from agent_sre.analysis.signals import workload_of_pod
from agent_sre.domain.finding import Fact
from agent_sre.domain.instant import format_instant
from agent_sre.domain.telemetry import LogLine, LogStream
from agent_sre.domain.visible import one_line

_EARLY = 120.0
"""Seconds before the dated start that still count as since: metrics lag behind what a program prints."""


@dataclass(slots=True)
class Statement:
    """One thing that one workload prints. ``before`` and ``since`` are counts about the incident's start."""

    workload: str
    namespace: str
    template: str
    sample: str
    severity: int
    observation: str
    source: str
    before: int = 0
    since: int = 0
    first: datetime | None = None
    timed: bool = True
    previous: bool = False

    @property
    def new(self) -> bool:
        """Whether it is first seen with the incident, or several times as often."""
        return self.since > 0 and (self.before == 0 or not self.timed)

    def fact(self, text: str) -> Fact:
        """A fact about this statement, with the sample line as excerpt."""
        times = f", {self.before} times before the incident and {self.since} since" if self.timed else ""
        stamp = f"{format_instant(self.first)} " if self.first else ""
        return Fact(text, self.observation, f"{self.source}: {stamp}{one_line(self.sample, 300)}{times}", self.first)


_KEPT: "WeakKeyDictionary[CaseFile, tuple[Statement, ...]]" = WeakKeyDictionary()


def statements(case: CaseFile) -> tuple[Statement, ...]:
    """All statements of all workloads; node units are left to the node analyzers."""
    kept = _KEPT.get(case)
    if kept is None:
        kept = _KEPT[case] = tuple(_read(case))
    return kept


def _read(case: CaseFile) -> Iterable[Statement]:
    start = incident_start(case) - _EARLY
    miners: dict[str, Miner] = {}
    found: dict[tuple[str, int, bool], Statement] = {}
    for seen in case.streams:
        stream = seen.value
        if stream.source.namespace == "@nodes":
            continue
        workload = workload_of_pod(stream.source.pod)
        miner = miners.setdefault(workload, Miner())
        for line in stream.lines:
            if line.text.strip():
                _count(found, miner, workload, stream, seen.observation, line, start)
    return found.values()


def _count(
    found: dict[tuple[str, int, bool], Statement],
    miner: Miner,
    workload: str,
    stream: LogStream,
    observation: str,
    line: LogLine,
    start: float,
) -> None:
    template = miner.add(line.text.split("\n", 1)[0])
    key = workload, template.id, stream.source.previous
    statement = found.get(key)
    if statement is None:
        statement = found[key] = Statement(
            workload, stream.source.namespace, template.text, line.text, severity(line.text), observation,
            str(stream.source), timed=line.time is not None, previous=stream.source.previous,
        )  # fmt: skip
        if "\n" in line.text and exception(line.text):
            statement.severity = max(statement.severity, 3)
    if line.time is None or line.time.timestamp() >= start:
        if statement.since == 0:
            statement.sample, statement.observation = line.text, observation
            statement.source, statement.first = str(stream.source), line.time
        statement.since += 1
    else:
        statement.before += 1


def troubles(case: CaseFile) -> list[Statement]:
    """Statements of warning or worse that came with the incident or became three times as frequent, worst first."""
    found = [item for item in statements(case) if item.severity >= 2 and item.since > 0 and _risen(case, item)]
    return sorted(found, key=lambda item: (-item.severity, -item.since, item.workload, item.template))


def _risen(case: CaseFile, item: Statement) -> bool:
    if item.before == 0 or not item.timed:
        return True
    start = incident_start(case) - _EARLY
    earlier = max(start - case.window.start.timestamp(), 1.0)
    since = max(case.now.timestamp() - start, 1.0)
    return item.since / since > 3 * item.before / earlier
