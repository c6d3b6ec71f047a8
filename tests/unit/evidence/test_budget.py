"""What one investigation may cost a back end: shared by its collectors, and told when it is used up."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

import pytest
from hypothesis import given, strategies as st

from agent_sre.adapters.metrics_snapshot import SnapshotMetrics
from agent_sre.domain.evidence import Gap
from agent_sre.evidence.budget import Budget, BudgetLimits, Budgets, OverBudget, size_of
from agent_sre.evidence.reading import Reading
from agent_sre.ports.metrics import MetricsAnswer
from tests.unit.evidence.worlds import METRICS, NOW, readers, run, scope

HUGE = 10**6


def limits(reads: int = HUGE, megabytes: float = HUGE, seconds: float = HUGE, parallel: int = 8) -> BudgetLimits:
    return BudgetLimits(reads, megabytes, seconds, parallel)


def refusals(gaps: tuple[Gap, ...], what: str) -> list[str]:
    return [gap.fix for gap in gaps if f"used its budget of {what}" in gap.reason]


async def test_reads_beyond_the_number_are_a_gap_that_names_the_setting() -> None:
    budget = Budget(limits(reads=3))
    found = await run("kubernetes_objects", scope(budget=budget), readers())
    assert budget.spent()["kubernetes"].reads == 3
    assert [len(refusals(found.gaps, "3 reads for kubernetes"))] == [1]
    assert "AGENT_SRE_BUDGET_READS" in refusals(found.gaps, "3 reads for kubernetes")[0]


async def test_what_was_read_before_the_budget_ended_is_kept() -> None:
    found = await run("kubernetes_objects", scope(budget=Budget(limits(reads=3))), readers())
    assert len(found.observations) == 3


async def test_collectors_of_one_run_share_the_budget_of_a_back_end() -> None:
    budget = Budget(limits(reads=1))
    first = await run("kubernetes_events", scope(budget=budget), readers())
    second = await run("kubernetes_nodes", scope(budget=budget), readers())
    assert first.observations
    assert second.observations == ()
    assert refusals(second.gaps, "1 reads for kubernetes")


async def test_another_back_end_has_its_own() -> None:
    budget = Budget(limits(reads=1))
    await run("kubernetes_nodes", scope(budget=budget), readers())
    found = await run("changes", scope(budget=budget), readers())
    assert found.observations
    assert not refusals(found.gaps, "1 reads for changes")


async def test_bytes_beyond_the_limit_end_the_reading() -> None:
    budget = Budget(limits(megabytes=0.0001))
    found = await run("metrics_signals", scope(budget=budget), readers())
    assert refusals(found.gaps, "0.0001 MB for metrics")
    assert budget.spent()["metrics"].bytes >= 100


async def test_seconds_of_all_reads_count_together() -> None:
    ticks = iter(range(0, 1_000, 10))
    budget = Budget(limits(seconds=25), monotonic=lambda: float(next(ticks)))
    reading = Reading("c", "slow", scope(budget=budget))
    answers = [await reading.look(f"read {number}", answer) for number in range(5)]
    assert answers == ["x", "x", "x", None, None]
    assert refusals(reading.done().gaps, "25 seconds for slow")


async def answer() -> str:
    return "x"


async def test_a_failed_read_counts_too() -> None:
    budget = Budget(limits(reads=1))
    reading = Reading("c", "b", scope(budget=budget))
    await reading.look("a", lambda: _raising(OverBudget("not asked: elsewhere", "elsewhere")))
    assert budget.spent()["b"].reads == 1
    assert await reading.look("b", answer) is None


async def _raising(error: Exception) -> str:
    raise error


class Counting(SnapshotMetrics):
    """Knows how many of its queries were under way together."""

    def __init__(self) -> None:
        super().__init__(lambda: METRICS, lambda: NOW)
        self.now, self.most = 0, 0

    async def query(self, expression: str, at: datetime) -> MetricsAnswer:
        return await self._counted(lambda: super(Counting, self).query(expression, at))

    async def _counted(self, ask: Callable[[], Awaitable[MetricsAnswer]]) -> MetricsAnswer:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.001)
        self.now -= 1
        return await ask()


@pytest.mark.parametrize("parallel", [1, 2])
async def test_two_collectors_together_stay_within_the_parallel_reads(parallel: int) -> None:
    metrics, budget = Counting(), Budget(limits(parallel=parallel))
    readings = [Reading("a", "metrics", scope(budget=budget)), Reading("b", "metrics", scope(budget=budget))]
    reads = [reading.look("up", lambda: metrics.query("up", NOW)) for reading in readings for _ in range(4)]
    await asyncio.gather(*reads)
    assert metrics.most == parallel


def test_a_run_keeps_its_budget_and_another_run_has_another() -> None:
    budgets = Budgets()
    assert budgets.of("i", 1, limits()) is budgets.of("i", 1, limits())
    assert budgets.of("i", 1, limits()) is not budgets.of("i", 2, limits())


@given(st.lists(st.integers(0, 400), max_size=40), st.integers(1, 20), st.integers(1, 3_000))
def test_no_more_is_ever_begun_than_the_limits_allow(sizes: list[int], reads: int, most: int) -> None:
    async def spend() -> tuple[int, int, int]:
        budget, refused = Budget(limits(reads=reads, megabytes=most / 1e6)), 0
        for size in sizes:
            try:
                async with budget.read("b") as spending:
                    spending.bytes += size
            except OverBudget:
                refused += 1
        spent = budget.spent().get("b")
        return (spent.reads, spent.bytes, refused) if spent else (0, 0, refused)

    done, read, refused = asyncio.run(spend())
    assert done + refused == len(sizes)
    assert done <= reads
    assert read < most + 400  # the read that passed the limit was under way


def test_sizes_count_text_and_samples() -> None:
    assert size_of(None) == 0
    assert size_of(MetricsAnswer(METRICS[:1])) >= 11 * 16
    assert size_of(({"kind": "Pod", "metadata": {"name": "é" * 10}},)) > 40
