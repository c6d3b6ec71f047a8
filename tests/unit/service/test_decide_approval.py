"""Every attempt to decide is on record; one attempt wins; the others are told who was first."""

import asyncio
from datetime import timedelta

import pytest

from agent_sre.domain.approval import ApprovalState, Decision
from agent_sre.domain.audit import first_bad_row
from agent_sre.domain.incident import IncidentStatus
from agent_sre.service.decide_approval import decide_approval, explain
from agent_sre.testing.clock import FrozenClock
from agent_sre.testing.sample_incident import NOW
from tests.unit.service.sample_stores import MemoryStore, filled


class Desk:
    """People at a console: one store, one clock, one approval."""

    def __init__(self, store: MemoryStore, approval_id: str, digest: str) -> None:
        self.store = store
        self.approval_id = approval_id
        self.digest = digest
        self.clock = FrozenClock(NOW)

    async def attempt(
        self, by: str = "mira", *, approve: bool = True, digest: str | None = None, reason: str = ""
    ) -> Decision:
        return await decide_approval(
            self.store.approvals,
            self.store.journal,
            self.clock,
            approval_id=self.approval_id,
            approve=approve,
            by=by,
            digest=self.digest if digest is None else digest,
            reason=reason,
        )

    async def audit(self) -> list[tuple[str, str, str]]:
        rows = await self.store.journal.audit_rows(0, 100)
        assert first_bad_row(rows) is None
        return [(row.actor, row.verb, row.detail.get("outcome", "")) for row in rows]

    async def said(self) -> list[str]:
        return [
            entry.text for entry in await self.store.journal.timeline("inc-checkout") if entry.time == self.clock.now()
        ]


async def desk() -> Desk:
    store, sample = await filled()
    return Desk(store, sample.approvals[0].id, sample.approvals[0].digest)


async def test_an_approval_is_recorded_before_and_after_and_told() -> None:
    at = await desk()
    assert await at.attempt(reason="looks right") is Decision.APPROVED
    assert await at.audit() == [("mira", "approval.attempted", ""), ("mira", "approval.decided", "approved")]
    assert await at.said() == ["mira approved rollout_undo on Deployment shop/checkout: looks right"]
    approval = await at.store.approvals.get(at.approval_id)
    assert approval is not None and (approval.state, approval.decided_by) == (ApprovalState.APPROVED, "mira")
    incident = await at.store.incidents.get("inc-checkout")
    assert incident is not None and incident.due_at == NOW


async def test_of_many_attempts_at_once_exactly_one_wins() -> None:
    at = await desk()
    decisions = await asyncio.gather(*(at.attempt(f"person {index}", approve=index % 2 == 0) for index in range(20)))
    won = [item for item in decisions if item in (Decision.APPROVED, Decision.REJECTED)]
    assert len(won) == 1 and decisions.count(Decision.ALREADY_DECIDED) == 19
    outcomes = [outcome for _, verb, outcome in await at.audit() if verb != "approval.attempted"]
    assert len(outcomes) == 20 and outcomes.count("already_decided") == 19


async def test_the_second_is_told_who_was_first() -> None:
    at = await desk()
    await at.attempt("mira")
    decision = await at.attempt("jonas", approve=False)
    approval = await at.store.approvals.get(at.approval_id)
    assert decision is Decision.ALREADY_DECIDED
    assert explain(decision, approval) == "Already approved by mira at 13:52:00 UTC; this attempt changed nothing."
    assert any(text.startswith("jonas tried to reject rollout_undo") for text in await at.said())


@pytest.mark.parametrize("digest", ["", "0" * 64, "\u202e"])
async def test_another_digest_is_refused_and_recorded(digest: str) -> None:
    at = await desk()
    assert await at.attempt(digest=digest) is Decision.DIGEST_MISMATCH
    assert (await at.audit())[-1] == ("mira", "approval.refused", "digest_mismatch")
    approval = await at.store.approvals.get(at.approval_id)
    assert approval is not None and approval.state is ApprovalState.WAITING


async def test_an_expired_approval_is_refused() -> None:
    at = await desk()
    at.clock.advance(timedelta(hours=2))
    assert await at.attempt() is Decision.EXPIRED
    assert (await at.audit())[-1][1:] == ("approval.refused", "expired")


async def test_an_unknown_approval_leaves_an_audit_row() -> None:
    at = await desk()
    at.approval_id = "APR-nowhere"
    assert await at.attempt() is Decision.UNKNOWN
    rows = await at.store.journal.audit_rows(0, 10)
    assert [(row.verb, row.subject) for row in rows] == [
        ("approval.attempted", "APR-nowhere"),
        ("approval.refused", "APR-nowhere"),
    ]


async def test_names_and_reasons_are_bounded_and_visible() -> None:
    at = await desk()
    await at.attempt("\u202eadmin" + "x" * 500, reason="line\nbreak" + "y" * 5000)
    approval = await at.store.approvals.get(at.approval_id)
    assert approval is not None
    assert approval.decided_by.startswith("<U+202E>admin") and len(approval.decided_by) == 80
    assert "\n" not in approval.reason and len(approval.reason) == 1000


async def test_nobody_decides_namelessly() -> None:
    at = await desk()
    await at.attempt("  ")
    approval = await at.store.approvals.get(at.approval_id)
    assert approval is not None and approval.decided_by == "unnamed operator"


@pytest.mark.parametrize("decision", Decision)
async def test_every_outcome_has_a_sentence(decision: Decision) -> None:
    _, sample = await filled(IncidentStatus.RESOLVED)
    assert explain(decision, sample.approvals[0]).endswith(".")
    assert explain(decision, None)
