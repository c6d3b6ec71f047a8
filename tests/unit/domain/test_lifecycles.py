"""Incident, approval and audit log: what may follow what."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st

from agent_sre.domain.action import Proposal, Risk
from agent_sre.domain.alert import Severity
from agent_sre.domain.approval import Approval, ApprovalState, Decision
from agent_sre.domain.audit import AuditRow, chain, first_bad_row
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.incident import ACTIVE, TRANSITIONS, Incident, IncidentStatus
from agent_sre.domain.reference import ObjectRef

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def incident(status: IncidentStatus = IncidentStatus.OPEN) -> Incident:
    return Incident("INC-1", "t", status, Severity.WARNING, "shop", "web", "g", NOW, NOW)


@given(st.lists(st.sampled_from(list(IncidentStatus)), max_size=12))
def test_an_incident_only_ever_takes_steps_of_the_table(steps: list[IncidentStatus]) -> None:
    current = incident()
    for step in steps:
        before = current.status
        try:
            current = current.to(step, NOW)
        except PermanentError as error:
            assert step not in TRANSITIONS[before]
            assert before in str(error)
            assert step in str(error)
            continue
        assert current.status == step
        assert step == before or step in TRANSITIONS[before]
        assert (current.resolved_at is not None) >= (current.status is IncidentStatus.RESOLVED)


def test_every_active_state_leads_to_an_end_and_closed_is_final() -> None:
    assert TRANSITIONS[IncidentStatus.CLOSED] == frozenset()
    for state in ACTIVE:
        assert IncidentStatus.CLOSED in TRANSITIONS[state]


def test_reopening_forgets_the_resolution() -> None:
    resolved = incident().to(IncidentStatus.RESOLVED, NOW)
    assert resolved.resolved_at == NOW
    assert resolved.to(IncidentStatus.OPEN, NOW).resolved_at is None


def approval(state: ApprovalState = ApprovalState.WAITING) -> Approval:
    target = ObjectRef("Deployment", "shop", "checkout")
    proposal = Proposal(
        "P1", "INC-1", "bad-deploy", "d", "rollout_undo", target, {"revision": 1}, {"spec": {}}, "7", Risk.MEDIUM,
        "-a\n+b", "e", "v", "u", 1,
    )  # fmt: skip
    return Approval("APR-1", "INC-1", proposal, proposal.digest, state, NOW, NOW + timedelta(hours=1))


def test_the_first_decision_wins_and_names_the_person() -> None:
    waiting = approval()
    approved, outcome = waiting.decide(True, "ana", waiting.digest, NOW)
    assert (outcome, approved.state, approved.decided_by) == (Decision.APPROVED, ApprovalState.APPROVED, "ana")
    again, second = approved.decide(False, "ben", waiting.digest, NOW)
    assert (second, again.decided_by) == (Decision.ALREADY_DECIDED, "ana")


def test_an_approval_is_for_the_exact_action_on_the_exact_version() -> None:
    waiting = approval()
    newer = replace(waiting.proposal, resource_version="8")
    assert newer.digest != waiting.digest
    assert waiting.decide(True, "ana", newer.digest, NOW)[1] is Decision.DIGEST_MISMATCH
    harsher = replace(waiting.proposal, patch={"spec": {"replicas": 0}})
    assert waiting.decide(True, "ana", harsher.digest, NOW)[1] is Decision.DIGEST_MISMATCH


def test_too_late_is_expired_to_the_second() -> None:
    waiting = approval()
    assert waiting.decide(True, "ana", waiting.digest, waiting.expires_at)[1] is Decision.EXPIRED
    assert (
        waiting.decide(True, "ana", waiting.digest, waiting.expires_at - timedelta(seconds=1))[1] is Decision.APPROVED
    )


def test_a_suggestion_cannot_be_approved() -> None:
    shown = approval(ApprovalState.SUGGESTED)
    unchanged, outcome = shown.decide(True, "ana", shown.digest, NOW)
    assert (outcome, unchanged.state) == (Decision.SUGGEST_ONLY, ApprovalState.SUGGESTED)


def rows(count: int) -> list[AuditRow]:
    log: list[AuditRow] = []
    for number in range(count):
        log.append(
            chain(log[-1] if log else None, NOW, "ana", "approval.approved", f"APR-{number}", {"n": str(number)})
        )
    return log


@given(st.integers(2, 12), st.data())
def test_every_tampering_is_found_at_the_first_bad_row(count: int, data: st.DataObject) -> None:
    log = rows(count)
    assert first_bad_row(log, log[-1].digest) is None
    at = data.draw(st.integers(0, count - 1))
    edited = [*log[:at], replace(log[at], actor="mallory"), *log[at + 1 :]]
    assert f"row {at + 1} was changed" in str(first_bad_row(edited))
    if at < count - 1:
        assert f"row {at + 1} is missing" in str(first_bad_row([*log[:at], *log[at + 1 :]]))
        swapped = [*log[:at], log[at + 1], log[at], *log[at + 2 :]]
        assert first_bad_row(swapped) is not None
    cut = log[: count - 1]
    assert first_bad_row(cut) is None
    assert "tail was cut" in str(first_bad_row(cut, log[-1].digest))
