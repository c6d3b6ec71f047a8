"""What a waiting run is resumed with: the world outranks the person, the person outranks the clock."""

from dataclasses import replace
from datetime import timedelta

from agent_sre.domain.approval import ApprovalState
from agent_sre.service.advance_incident import outcome_of
from tests.unit.domain.test_lifecycles import NOW, approval

S = ApprovalState


def test_nobody_decided_yet() -> None:
    assert outcome_of([approval()], True, NOW) is None
    assert outcome_of([approval(S.REJECTED), approval()], True, NOW) is None


def test_one_approval_is_enough() -> None:
    assert outcome_of([approval(S.REJECTED), approval(S.APPROVED), approval()], True, NOW) == "approved"


def test_a_resolved_incident_takes_the_ground_away_even_from_an_approval() -> None:
    assert outcome_of([approval(S.APPROVED)], False, NOW) == "superseded"


def test_time_runs_out() -> None:
    late = NOW + timedelta(hours=1)
    assert outcome_of([approval()], True, late) == "expired"
    longer = replace(approval(), expires_at=late + timedelta(hours=1))
    assert outcome_of([approval(), longer], True, late) is None
    assert outcome_of([approval(S.EXPIRED), approval(S.REJECTED)], True, late) == "expired"


def test_all_rejected_or_withdrawn() -> None:
    assert outcome_of([approval(S.REJECTED), approval(S.SUPERSEDED)], True, NOW) == "rejected"
    assert outcome_of([approval(S.SUPERSEDED)], True, NOW) == "superseded"
