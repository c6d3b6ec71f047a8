"""Quick collectors first: the others wait for them, but not for long."""

import asyncio
import time

from agent_sre.evidence.catalogue import COLLECTORS
from agent_sre.evidence.head_start import HeadStarts


async def test_the_others_begin_when_something_quick_is_stored() -> None:
    starts = HeadStarts(seconds=30)
    order: list[str] = []

    async def other() -> None:
        await starts.wait("i", 1)
        order.append("other")

    waiting = asyncio.create_task(other())
    await asyncio.sleep(0.01)
    order.append("quick")
    starts.done("i", 1)
    await waiting
    await starts.wait("i", 1)  # once it is done nobody waits again
    assert order == ["quick", "other"]


async def test_a_quick_collector_that_hangs_holds_nobody_up_for_long() -> None:
    started = time.monotonic()
    await HeadStarts(seconds=0.02).wait("i", 1)
    assert time.monotonic() - started < 5


async def test_another_run_is_another_start() -> None:
    starts = HeadStarts(seconds=0.01)
    starts.done("i", 1)
    late = HeadStarts(seconds=30)
    late.done("i", 2)
    await late.wait("i", 2)
    await asyncio.wait_for(starts.wait("i", 1), 5)


def test_what_is_quick_asks_about_the_alert_itself() -> None:
    assert [item.name for item in COLLECTORS if item.quick] == ["alert_conditions"]
