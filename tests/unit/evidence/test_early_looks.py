"""Early looks: few of them, never in anybody's way, and stored with the run that their message began."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from agent_sre.domain.errors import TemporaryError
from agent_sre.domain.evidence import Observation
from agent_sre.evidence.early_looks import EarlyLooks, LookLimits, Seen
from tests.unit.evidence.worlds import NOW

SEEN = (Observation("alert_conditions/1", "alert_conditions", "metrics", "up == 0", NOW),)


class Stage:
    """Looks over a store that a test reads, a clock that it sets, and a back end that answers when it says so."""

    def __init__(self, limits: LookLimits | None = None) -> None:
        self.asked = 0
        self.now = 0.0
        self.stored: list[tuple[str, int, Seen]] = []
        self.answers = asyncio.Event()
        self.store_is_down = False
        self.looks = EarlyLooks(self.store, limits, lambda: self.now)

    async def store(self, incident_id: str, run: int, items: Sequence[Observation]) -> None:
        if self.store_is_down:
            raise TemporaryError("the store is down")
        self.stored.append((incident_id, run, tuple(items)))

    async def ask(self) -> Seen:
        self.asked += 1
        await self.answers.wait()
        return SEEN

    async def begin(self, *groups: str) -> None:
        for group in groups:
            self.looks.begin(group, NOW, self.ask)
            await asyncio.sleep(0)


async def test_a_storm_of_groups_begins_a_few_however_fast_they_are_answered() -> None:
    stage = Stage(LookLimits(together=4, at_once=8, per_second=0.5))
    await stage.begin(*(f"hanging {number}" for number in range(1_000)))
    assert stage.asked == 4
    stage.answers.set()
    for number in range(10_000):
        stage.now += 0.002
        await stage.begin(f"answered {number}")
        await asyncio.sleep(0)
    assert stage.asked <= 8 + 20 * 0.5 + 1
    await stage.looks.close()


async def test_one_group_is_looked_at_once_in_a_while() -> None:
    stage = Stage(LookLimits(apart_seconds=60))
    stage.answers.set()
    await stage.begin("a", "a", "a")
    stage.now += 59
    await stage.begin("a")
    assert stage.asked == 1
    stage.now += 2
    await stage.begin("a")
    assert stage.asked == 2


async def test_what_was_seen_in_time_is_handed_out_and_not_stored_again() -> None:
    stage = Stage()
    stage.answers.set()
    await stage.begin("a")
    look = stage.looks.find("a", {NOW})
    assert look is not None
    await asyncio.wait([look.task])
    stage.looks.belongs(look, "INC-1", 1, look.seen)
    assert look.seen == SEEN
    assert await stage.looks.of("INC-1", 1) == SEEN
    assert stage.looks.is_stored("INC-1", 1)
    assert stage.stored == []


async def test_what_is_seen_late_is_stored_when_it_is_seen() -> None:
    stage = Stage()
    await stage.begin("a")
    look = stage.looks.find("a", {NOW})
    assert look is not None and look.seen == ()
    stage.looks.belongs(look, "INC-1", 1, look.seen)
    assert not stage.looks.is_stored("INC-1", 1)
    stage.answers.set()
    assert await stage.looks.of("INC-1", 1) == SEEN
    assert stage.stored == [("INC-1", 1, SEEN)]


async def test_a_look_says_nothing_of_another_message_or_run() -> None:
    stage = Stage()
    stage.answers.set()
    await stage.begin("a")
    assert stage.looks.find("a", {NOW + timedelta(minutes=10)}) is None
    assert stage.looks.find("b", {NOW}) is None
    assert await stage.looks.of("INC-1", 2) == ()


async def test_a_store_or_a_back_end_that_fails_leaves_it_to_the_investigation() -> None:
    stage = Stage()
    stage.store_is_down = True
    await stage.begin("a")
    look = stage.looks.find("a", {NOW})
    assert look is not None
    stage.looks.belongs(look, "INC-1", 1, ())
    stage.answers.set()
    assert await stage.looks.of("INC-1", 1) == ()
    assert not stage.looks.is_stored("INC-1", 1)


async def test_whoever_gives_up_waiting_leaves_the_look_to_the_others() -> None:
    stage = Stage()
    await stage.begin("a")
    look = stage.looks.find("a", {NOW})
    assert look is not None
    stage.looks.belongs(look, "INC-1", 1, ())
    impatient = asyncio.create_task(stage.looks.of("INC-1", 1))
    await asyncio.sleep(0)
    impatient.cancel()
    stage.answers.set()
    assert await stage.looks.of("INC-1", 1) == SEEN


async def test_looks_that_hang_count_though_their_incidents_are_known() -> None:
    stage = Stage(LookLimits(together=2, at_once=100))
    for number in range(5):
        await stage.begin(f"group {number}")
        look = stage.looks.find(f"group {number}", {NOW})
        if look is not None:
            stage.looks.belongs(look, f"INC-{number}", 1, ())
    assert stage.asked == 2
    await stage.looks.close()


async def test_the_end_gives_up_what_is_under_way() -> None:
    stage = Stage()
    await stage.begin("a")
    look = stage.looks.find("a", {NOW})
    assert look is not None
    stage.looks.belongs(look, "INC-1", 1, ())
    await stage.looks.close()
    assert look.task.cancelled()
    assert await stage.looks.of("INC-1", 1) == ()
