"""How every collector reads: bounded in time and parallelism, refusals kept as gaps, observations numbered in order.

A collector starts its reads through ``look``, which never raises for a refusal, and then records what came back with
``observe`` in a fixed order; so the ids of a repeated run are the same whatever finished first.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.evidence import Gap, Observation
from agent_sre.evidence.budget import OverBudget, size_of
from agent_sre.evidence.scope import Collected, Scope
from agent_sre.ports.cluster import NotOffered
from agent_sre.ports.metrics import MetricsAnswer, Partial

T = TypeVar("T")
_SHARE = 0.8
"""Of the collector's time, what a single read may take: the rest is for what follows it."""


class Reading:
    """One collector's run."""

    def __init__(self, collector: str, source: str, scope: Scope) -> None:
        self.collector = collector
        self.source = source
        self.scope = scope
        self._observations: list[Observation] = []
        self._gaps: list[Gap] = []
        self._slots = asyncio.Semaphore(scope.limits.concurrency)
        self._deadline = asyncio.get_running_loop().time() + scope.limits.timeout_seconds * _SHARE

    async def look(self, what: str, read: Callable[[], Awaitable[T]], fix: str = "") -> T | None:
        """The read's answer; None where it was refused or too slow, which is then a gap."""
        try:
            async with asyncio.timeout_at(self._deadline), self._slots, self.scope.budget.read(self.source) as spending:
                answer = await read()
                spending.bytes += size_of(answer)
                for reason in answer.missing if isinstance(answer, Partial) else ():
                    self.gap(what, reason, fix)
                return answer
        except TimeoutError:
            seconds = self.scope.limits.timeout_seconds * _SHARE
            self.gap(what, f"no answer within {seconds:g} s", "raise AGENT_SRE_COLLECTOR_TIMEOUT, or narrow the window")
        except OverBudget as error:
            self.gap(what, str(error), error.fix)
        except NotOffered as error:
            self.gap(what, str(error))  # granting a right, which is the usual fix, would not help
        except (TemporaryError, PermanentError) as error:
            self.gap(what, str(error), fix)
        return None

    def gap(self, what: str, reason: str, fix: str = "") -> None:
        """Record what could not be looked at."""
        self._gaps.append(Gap(self.source, what, reason, fix))

    def observe(self, query: str, *, number: int = 0, **fields: Any) -> None:
        """Record what a query brought back, an empty answer included. ``number`` is the last part of its id; without
        one they are counted."""
        number = number or len(self._observations) + 1
        fields.setdefault("window", self.scope.window)
        self._observations.append(
            Observation(
                id=f"{self.collector}/{number}",
                collector=self.collector,
                source=self.source,
                query=query,
                observed_at=self.scope.now,
                **fields,
            )
        )

    def take_over(self, item: Observation, number: int) -> None:
        """Record what was read of the same source before the collector began; the run's budget pays for it."""
        self.scope.budget.charge(self.source, size_of(MetricsAnswer(item.series)))
        self._observations.append(replace(item, id=f"{self.collector}/{number}"))

    def done(self) -> Collected:
        """All of it; gaps of one reason as one, so that a list of them stays readable."""
        alike: dict[tuple[str, str], list[str]] = {}
        for gap in dict.fromkeys(self._gaps):
            alike.setdefault((gap.reason, gap.fix), []).append(gap.what)
        gaps = [Gap(self.source, "; ".join(sorted(whats)), reason, fix) for (reason, fix), whats in alike.items()]
        return Collected(tuple(self._observations), tuple(sorted(gaps, key=lambda gap: (gap.what, gap.reason))))


def not_there(source: str, what: str, fix: str) -> Collected:
    """The answer of a collector whose reader is None."""
    return Collected(gaps=(Gap(source, what, "the source is not configured, or missing from the snapshot", fix),))


def capped(items: Sequence[T], limit: int, what: str) -> tuple[tuple[T, ...], tuple[str, ...]]:
    """The first ``limit`` items, and what to say of the others."""
    if len(items) <= limit:
        return tuple(items), ()
    return tuple(items[:limit]), (f"{len(items) - limit} of {len(items)} {what} beyond the limit of {limit}",)
