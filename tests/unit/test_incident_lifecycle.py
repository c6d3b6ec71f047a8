"""Flapping, silence of a source, and how long after its end an incident is the same one (faults, rows 11 and 12)."""

from dataclasses import replace
from datetime import timedelta

from agent_sre.domain.incident import IncidentStatus
from agent_sre.domain.placement import Reason
from tests.unit.alerts import at, message
from tests.unit.intake_world import IntakeWorld

S = IncidentStatus


async def test_a_thousand_messages_of_three_peers_are_one_incident_and_one_row() -> None:
    world = IntakeWorld()
    for peer in range(3):
        world.clock.set(at(60) + timedelta(seconds=15 * peer))
        await world.take(*[message(fires=0)] * (334 if peer == 0 else 333))
    incident = await world.incident()
    assert (incident.alerts, incident.firing, len(await world.incidents())) == (1_000, 1, 1)
    (placement,) = await world.store.placements.of_incident("INC-1")
    assert (placement.messages, dict(placement.counts)) == (1_000, {"opened": 1, "repeated": 999})
    assert (placement.reason, placement.latest) == (Reason.OPENED, Reason.REPEATED)


async def test_flapping_thirty_times_is_one_incident_that_says_so_and_three_runs_at_most() -> None:
    world = IntakeWorld()
    for flap in range(30):
        world.clock.set(at(60 + 2 * flap))
        await world.take(message(fires=60 + 2 * flap, received=60 + 2 * flap))
        world.clock.set(at(61 + 2 * flap))
        await world.take(message(fires=60 + 2 * flap, ended=61 + 2 * flap, received=61 + 2 * flap))
    incident = await world.incident()
    assert (len(await world.incidents()), incident.run, incident.alerts, incident.firing) == (1, 3, 60, 0)
    assert incident.active and incident.flapping_since == at(65)
    told = await world.told()
    assert sum(text.startswith("Flapping: its alerts come and go") for text in told) == 1
    assert len(told) < 12
    (placement,) = await world.store.placements.of_incident("INC-1")
    assert placement.counts["flapping"] > 50
    # Calm for the window: over, and no longer flapping.
    await world.wait(15)
    assert (await world.incident()).flapping_since is not None
    await world.wait(20)
    incident = await world.incident()
    assert (incident.status, incident.flapping_since, incident.tend_at) == (S.RESOLVED, None, None)
    assert (await world.told())[-1].startswith("Not flapping any more")


async def test_what_flaps_and_then_stays_is_no_longer_flapping_and_stays_open() -> None:
    world = IntakeWorld()
    for flap in range(4):
        await world.take(message(fires=50 + 2 * flap), message(fires=50 + 2 * flap, ended=51 + 2 * flap))
    await world.take(message(fires=59))
    assert (await world.incident()).flapping_since is not None
    await world.wait(60)
    incident = await world.incident()
    assert (incident.active, incident.firing, incident.flapping_since) == (True, 1, None)


async def test_many_alerts_that_end_once_each_are_not_flapping() -> None:
    world = IntakeWorld()
    for pod in range(10):
        await world.take(message(fires=50, pod=f"p-{pod}"))
    for pod in range(10):
        await world.take(message(fires=50, ended=55, pod=f"p-{pod}"))
    assert (await world.incident()).status is S.RESOLVED
    assert (await world.incident()).flapping_since is None


async def test_within_the_window_it_is_reopened_and_after_that_a_new_one_names_the_earlier() -> None:
    world = IntakeWorld()
    await world.take(message(fires=50), message(fires=50, ended=59))
    world.clock.set(at(119))
    await world.take(message(fires=118, received=119))
    assert ((await world.incident()).run, (await world.incident()).active) == (2, True)
    await world.take(message(fires=118, ended=119, received=119))
    world.clock.set(at(181))
    await world.take(message(fires=180.5, received=181))
    later = await world.incident("INC-2")
    assert (later.earlier_id, later.run, later.active) == ("INC-1", 1, True)
    assert "too long ago to reopen" in (await world.told("INC-2"))[0]


async def test_a_stale_message_reopens_nothing_after_any_window() -> None:
    world = IntakeWorld()
    await world.take(message(fires=0), message(fires=0, ended=59))
    world.clock.set(at(60 * 30))
    await world.take(message(fires=58, received=60 * 30), message(fires=0, received=60 * 30))
    assert len(await world.incidents()) == 1
    assert (await world.incident()).status is S.RESOLVED
    assert (await world.placement(message(fires=0))).latest is Reason.STALE


async def test_an_alert_that_nobody_speaks_of_any_more_lapses_and_that_is_no_resolve() -> None:
    world = IntakeWorld()
    await world.take(message(fires=0))
    await world.wait(299)
    assert (await world.incident()).firing == 1
    await world.wait(2)
    incident = await world.incident()
    assert (incident.status, incident.firing) == (S.RESOLVED, 0)
    (word,) = await world.store.incidents.alerts("INC-1")
    assert (word.status, word.lapsed, word.ends_at) == ("resolved", True, at(360))
    told = await world.told()
    assert "HighLatency: no word from alertmanager for 300 min; it counts as over, but nobody said that it is" in told
    assert told[-1] == "Resolved INC-1: no word came any more about the last of its alerts"
    placement = await world.placement(word)
    assert (placement.latest, placement.expires_at, placement.messages) == (Reason.LAPSED, None, 1)
    assert await world.tend() == 0


async def test_a_word_after_the_lapse_brings_it_back_and_a_true_resolve_ends_it() -> None:
    world = IntakeWorld()
    await world.take(message(fires=0))
    await world.wait(301)
    await world.take(message(fires=0, received=361))
    incident = await world.incident()
    assert (incident.active, incident.firing, incident.run) == (True, 1, 2)
    await world.take(message(fires=0, ended=362, received=362))
    (word,) = await world.store.incidents.alerts("INC-1")
    assert ((await world.incident()).status, word.lapsed, word.ends_at) == (S.RESOLVED, False, at(362))


async def test_an_end_that_the_source_itself_named_counts_and_another_word_moves_it() -> None:
    world = IntakeWorld()
    await world.take(replace(message(fires=0), valid_until=at(64)))
    await world.wait(3)
    await world.take(replace(message(fires=0, received=63), valid_until=at(68)))
    await world.wait(4)
    assert (await world.incident()).active
    await world.wait(2)
    assert (await world.incident()).status is S.RESOLVED


async def test_a_source_that_sends_changes_only_never_lapses() -> None:
    world = IntakeWorld()
    await world.take(replace(message(fires=0), source="pagerduty"))
    await world.wait(60 * 24 * 30)
    assert (await world.incident()).firing == 1


async def test_an_incident_under_verification_is_not_resolved_by_silence() -> None:
    world = IntakeWorld()
    await world.take(message(fires=0))
    for status in (S.INVESTIGATING, S.AWAITING_APPROVAL, S.MITIGATING):
        await world.store.incidents.fold((await world.incident()).to(status, at(60)), (), ())
    await world.wait(301)
    incident = await world.incident()
    assert (incident.status, incident.firing, incident.due_at) == (S.MITIGATING, 0, world.clock.now())
