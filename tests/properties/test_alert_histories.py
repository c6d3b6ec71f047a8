"""One alert's history, delivered in any order, any number of times, late and in any batches, ends the same."""

import asyncio
import random
from datetime import timedelta

from hypothesis import given, settings, strategies as st

from agent_sre.domain.alert import Alert, AlertStatus
from tests.unit.alerts import message
from tests.unit.intake_world import IntakeWorld

PATIENT = settings(deadline=None)


@st.composite
def histories(draw: st.DrawFn) -> list[Alert]:
    """Firing, over, firing again, ... in minutes past noon; it may end either way. Starts and ends are distinct."""
    moments = sorted(draw(st.sets(st.integers(0, 58), min_size=1, max_size=16)))
    told = []
    for start, end in zip(moments[::2], [*moments[1::2], None], strict=False):
        told.append(message(fires=start))
        if end is not None:
            told.append(message(fires=start, ended=end))
    return told


async def end_of(order: list[Alert], batch: int) -> tuple[bool, int, str, int, bool]:
    """Whether it is active, what fires, the last word, how many incidents, and whether it still counts as flapping."""
    world = IntakeWorld()
    for start in range(0, len(order), batch):
        world.clock.advance(timedelta(seconds=1))
        await world.take(*order[start : start + batch])
    # Long enough to be calm, too short to lapse.
    await world.wait(120)
    incidents = await world.incidents()
    (incident,) = incidents.values()
    (word,) = await world.store.incidents.alerts(incident.id)
    assert incident.alerts == len(order)
    assert sum((await world.placement(word)).counts.values()) == len(order)
    assert incident.run <= 1 + len(order)
    return incident.active, incident.firing, word.status.value, len(incidents), incident.flapping_since is not None


@PATIENT
@given(histories(), st.randoms(), st.integers(1, 6), st.integers(1, 3))
def test_any_order_repetition_and_batches_end_alike(
    history: list[Alert], rng: random.Random, batch: int, peers: int
) -> None:
    in_order = asyncio.run(end_of(history, 1))
    mixed = history * peers
    rng.shuffle(mixed)
    assert asyncio.run(end_of(mixed, batch)) == in_order
    fires = history[-1].status is AlertStatus.FIRING
    assert in_order == (fires, int(fires), history[-1].status.value, 1, False)


@PATIENT
@given(histories(), st.randoms())
def test_once_all_is_over_no_late_copy_reopens(history: list[Alert], rng: random.Random) -> None:
    async def story() -> None:
        world = IntakeWorld()
        ended = [*history, message(fires=58.5, ended=59)]
        await world.take(*ended)
        await world.wait(300)
        before = await world.incident()
        assert not before.active
        late = list(ended)
        rng.shuffle(late)
        for item in late:
            await world.take(item)
            now = await world.incident()
            assert (now.status, now.run, now.due_at, now.resolved_at) == (
                before.status,
                before.run,
                before.due_at,
                before.resolved_at,
            )
        assert len(await world.incidents()) == 1
        assert (await world.placement(message(fires=0))).messages == 2 * len(ended)

    asyncio.run(story())
