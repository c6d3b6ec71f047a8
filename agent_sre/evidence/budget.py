"""What one investigation may cost each back end: reads, bytes, seconds, and reads under way together.

A back end in trouble is often the very one that an investigation wants to ask most. Each collector is bounded on its
own (``Limits``), but they run side by side and several ask the same back end; the budget is what they share. When it is
used up, what would have been read is an evidence gap that names the limit, never a shorter answer without a word.

``Reading.look`` is the one place where a collector reads, so it is the one place that spends. Bytes are counted as they
were handed over (text, samples, JSON), not as they travelled: back ends compress, and adapters drop what is not wanted.
A read that is under way when a limit is passed still counts and is kept: it is paid for already.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import orjson

from agent_sre.domain.errors import PermanentError
from agent_sre.domain.telemetry import Span
from agent_sre.ports.context import TraceAnswer
from agent_sre.ports.logs import LogAnswer, LogCounts
from agent_sre.ports.metrics import MetricsAnswer

_SAMPLE = 16
_SPAN = 96
"""Ids, times and service of a span."""
_REMEMBERED = 1_000


@dataclass(frozen=True, slots=True)
class BudgetLimits:
    """For one investigation and one back end. ``seconds`` are those of all its reads together, waiting excluded."""

    reads: int = 3_000
    megabytes: float = 512.0
    seconds: float = 300.0
    parallel: int = 8


class OverBudget(PermanentError):
    """Nothing more may be read from a back end in this investigation; ``fix`` names the setting."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(reason)
        self.fix = fix


@dataclass(slots=True)
class Spending:
    """What one back end was asked for so far."""

    reads: int = 0
    bytes: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class _Account:
    slots: asyncio.Semaphore
    spent: Spending = field(default_factory=Spending)


class Budget:
    """One investigation's accounts, one per back end, shared by its collectors."""

    def __init__(self, limits: BudgetLimits | None = None, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits or BudgetLimits()
        self._monotonic = monotonic
        self._accounts: dict[str, _Account] = {}

    @asynccontextmanager
    async def read(self, backend: str) -> AsyncIterator[Spending]:
        """Around one read: waits for a free slot, raises OverBudget where nothing is left, counts read and seconds.

        The caller adds the answer's bytes to what it is given.
        """
        account = self._account(backend)
        async with account.slots:
            self._check(backend, account.spent)
            account.spent.reads += 1
            started = self._monotonic()
            try:
                yield account.spent
            finally:
                account.spent.seconds += self._monotonic() - started

    def charge(self, backend: str, size: int) -> None:
        """Count one read of so many bytes that was made for this investigation before it began."""
        spent = self._account(backend).spent
        spent.reads += 1
        spent.bytes += size

    def spent(self) -> dict[str, Spending]:
        """Per back end."""
        return {name: account.spent for name, account in sorted(self._accounts.items())}

    def _account(self, backend: str) -> _Account:
        if backend not in self._accounts:
            self._accounts[backend] = _Account(asyncio.Semaphore(self.limits.parallel))
        return self._accounts[backend]

    def _check(self, backend: str, spent: Spending) -> None:
        limits = self.limits
        for used, limit, unit, setting in (
            (spent.reads, limits.reads, "reads", "READS"),
            (spent.bytes / 1e6, limits.megabytes, "MB", "MEGABYTES"),
            (spent.seconds, limits.seconds, "seconds", "SECONDS"),
        ):
            if used >= limit:
                raise OverBudget(
                    f"not asked: this investigation has used its budget of {limit:g} {unit} for {backend}",
                    f"raise AGENT_SRE_BUDGET_{setting}, or name the namespaces that matter",
                )


class Budgets:
    """The budgets of the investigations that this process runs. One that goes on after a restart begins anew."""

    def __init__(self) -> None:
        self._by_run: OrderedDict[tuple[str, int], Budget] = OrderedDict()

    def of(self, incident_id: str, run: int, limits: BudgetLimits) -> Budget:
        """The budget that all collectors of this run share. The longest unused are forgotten beyond a thousand."""
        key = (incident_id, run)
        budget = self._by_run.setdefault(key, Budget(limits))
        self._by_run.move_to_end(key)
        while len(self._by_run) > _REMEMBERED:
            self._by_run.popitem(last=False)
        return budget


def size_of(answer: object) -> int:
    """Bytes of an answer as its reader handed it over."""
    match answer:
        case None:
            return 0
        case LogAnswer():
            return sum(len(line.text) for stream in answer.streams for line in stream.lines)
        case MetricsAnswer():
            return sum(len(series.times) * _SAMPLE + len(str(series)) for series in answer.series)
        case TraceAnswer():
            return len(answer.query) + sum(len(span.name) + _SPAN for span in answer.spans) + _attributes(answer.spans)
        case LogCounts():
            return len(answer.series.times) * _SAMPLE
        case frozenset():
            return len(orjson.dumps(sorted(answer)))
        case _:
            return len(orjson.dumps(answer, default=str))


def _attributes(spans: Sequence[Span]) -> int:
    """Bytes of the spans' attributes; a mapping that spans share was handed over once."""
    shared = {id(span.attributes): span.attributes for span in spans}
    return sum(len(key) + len(value) for found in shared.values() for key, value in found.items())
