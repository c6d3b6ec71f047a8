"""The page's view holds what the stores hold, in every state, and its revision follows every change."""

from dataclasses import replace

import pytest

from agent_sre.domain.approval import ApprovalState
from agent_sre.domain.effect import EffectState, Verified
from agent_sre.domain.incident import IncidentStatus
from agent_sre.domain.timeline import Entry
from agent_sre.service.read_incident import list_incidents, list_revision, read_incident, read_revision
from agent_sre.testing.sample_incident import NOW, sample_incident
from tests.unit.service.sample_stores import MemoryStore, filled, put, stores_of


@pytest.mark.parametrize("status", IncidentStatus)
async def test_every_state_can_be_read(status: IncidentStatus) -> None:
    store, sample = await filled(status)
    view = await read_incident(sample.incident.id, stores_of(store))
    assert view is not None and view.incident.status is status
    judged = status not in (IncidentStatus.OPEN, IncidentStatus.INVESTIGATING)
    assert (view.verdict is not None) is judged
    assert len(view.charts) == (2 if judged else 0)
    assert len(view.alerts) == 1 and view.timeline


async def test_an_unknown_incident_is_none() -> None:
    store, _ = await filled()
    assert await read_incident("inc-nowhere", stores_of(store)) is None
    assert await read_revision("inc-nowhere", stores_of(store)) is None


async def test_effects_are_found_by_their_approval() -> None:
    store, sample = await filled(IncidentStatus.RESOLVED)
    view = await read_incident(sample.incident.id, stores_of(store))
    assert view is not None
    effect = view.effects[sample.approvals[0].id]
    assert (effect.state, effect.verified) == (EffectState.DONE, Verified.RECOVERED)
    assert "action at 13:50:12 UTC: patched to 41" in view.charts[0].words


async def test_a_new_investigation_still_shows_the_last_verdict_and_says_so() -> None:
    store, sample = await filled(IncidentStatus.ESCALATED)
    stored = await store.incidents.get(sample.incident.id)
    assert stored is not None
    await store.incidents.fold(replace(stored, run=2, status=IncidentStatus.INVESTIGATING), (), ())
    view = await read_incident(sample.incident.id, stores_of(store))
    assert view is not None and view.verdict == sample.verdict
    assert (view.incident.run, view.verdict_run) == (2, 1)


async def test_the_revision_follows_what_is_shown_and_nothing_else() -> None:
    store, sample = await filled()
    stores = stores_of(store)
    incident_id, approval = sample.incident.id, sample.approvals[0]
    seen = [await read_revision(incident_id, stores)]
    assert await read_revision(incident_id, stores) == seen[0]
    await store.journal.add(Entry(incident_id, NOW, "note", "looking"))
    seen.append(await read_revision(incident_id, stores))
    await store.approvals.decide(approval.id, True, "mira", approval.digest, NOW, "")
    seen.append(await read_revision(incident_id, stores))
    effect = sample_incident(IncidentStatus.VERIFYING).effects[0]
    await store.effects.intend(replace(effect, state=EffectState.INTENDED, finished_at=None))
    seen.append(await read_revision(incident_id, stores))
    await store.effects.record(effect)
    seen.append(await read_revision(incident_id, stores))
    assert len(set(seen)) == len(seen)


async def test_the_list_has_active_incidents_first_with_their_leading_cause() -> None:
    store = MemoryStore()
    before = await list_revision(stores_of(store), 10)
    assert await list_incidents(stores_of(store), 10) == ()
    await put(store, sample_incident(IncidentStatus.RESOLVED, incident_id="inc-over"))
    await put(store, sample_incident(incident_id="inc-now"))
    rows = await list_incidents(stores_of(store), 10)
    assert [(row.incident.id, row.waiting) for row in rows] == [("inc-now", 1), ("inc-over", 0)]
    assert rows[0].lead.startswith("The rollout of checkout") and rows[0].confidence == 0.87
    assert rows[0].status == "waiting for a decision"
    assert await list_revision(stores_of(store), 10) != before


async def test_a_rejected_approval_is_shown_with_its_reason() -> None:
    store, sample = await filled(IncidentStatus.ESCALATED)
    view = await read_incident(sample.incident.id, stores_of(store))
    assert view is not None
    assert (view.approvals[0].state, view.approvals[0].reason) == (
        ApprovalState.REJECTED,
        "trying a fix forward first",
    )
