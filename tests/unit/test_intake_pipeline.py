"""What is decided about each message, and what the incident is afterwards (faults, rows 11 and 12)."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from agent_sre.domain.alert import Alert, Severity
from agent_sre.domain.incident import Incident, IncidentStatus
from agent_sre.ingest.group import group_key_of
from agent_sre.ingest.known import Known
from agent_sre.ingest.pipeline import Outcome, run
from agent_sre.ingest.step import Reason
from agent_sre.testing.ids import SequentialIds
from tests.unit.alerts import NOON, at, message

S = IncidentStatus


class Intake:
    """Runs batches one after the other; what is known is kept in between, as a store would."""

    def __init__(self) -> None:
        self.ids = SequentialIds()
        self.known = Known()

    def batch(self, *alerts: Alert, minute: float = 60) -> tuple[Outcome, ...]:
        return run(alerts, self.known, at(minute), lambda: self.ids.new("INC"))

    def one(self, *alerts: Alert, minute: float = 60) -> tuple[Incident, list[Reason]]:
        (outcome,) = self.batch(*alerts, minute=minute)
        return outcome.incident, [decision.reason for decision in outcome.decisions]

    def put(self, **changes: object) -> None:
        """Change the only incident as the investigation would."""
        (incident,) = self.known.incidents.values()
        self.known.put(replace(incident, **changes))  # type: ignore[arg-type]


def reasons(outcomes: Sequence[Outcome]) -> list[Reason]:
    return [decision.reason for outcome in outcomes for decision in outcome.decisions]


def test_the_first_firing_alert_opens_an_incident_that_is_due() -> None:
    incident, decided = Intake().one(message(fires=0))
    assert decided == [Reason.OPENED]
    assert (incident.status, incident.due_at, incident.firing, incident.alerts) == (S.OPEN, at(60), 1, 1)
    assert (incident.title, incident.namespace, incident.severity) == ("HighLatency in shop", "shop", Severity.WARNING)


def test_three_peers_make_one_incident_and_count_three() -> None:
    intake = Intake()
    intake.batch(message(fires=0, received=1))
    intake.batch(message(fires=0, received=1.2))
    incident, decided = intake.one(message(fires=0, received=1.5))
    assert (decided, incident.id, incident.firing, incident.alerts) == ([Reason.REPEATED], "INC-1", 1, 3)


def test_a_thousand_repetitions_are_one_incident() -> None:
    incident, decided = Intake().one(*[message(fires=0)] * 1_000)
    assert (incident.alerts, incident.firing, incident.run) == (1_000, 1, 1)
    assert decided.count(Reason.OPENED) == 1


def test_another_alert_of_the_group_joins_and_may_make_it_graver() -> None:
    intake = Intake()
    intake.batch(message(fires=0))
    incident, decided = intake.one(message(fires=1, pod="b", severity="critical"))
    assert (decided, incident.firing, incident.severity) == ([Reason.JOINED], 2, Severity.CRITICAL)


def test_groups_are_apart_and_without_a_group_key_name_namespace_and_service_decide() -> None:
    outcomes = Intake().batch(
        message(fires=0, service="cart", group=""),
        message(fires=0, service="cart", pod="b", group=""),
        message(fires=0, service="checkout", group="", namespace="till"),
        message(fires=0, service="search", name="Other", group=""),
        message(fires=0, service="pages", namespace="web"),
    )
    assert sorted(outcome.positions for outcome in outcomes) == [(0, 1), (2,), (3,), (4,)]


def test_parts_of_a_group_key_cannot_run_into_each_other() -> None:
    one = message(fires=0, name="a/b", group="", service="c")
    other = message(fires=0, name="a", group="", namespace="b/shop", service="c")
    assert group_key_of(one) != group_key_of(other)


def test_resolving_the_last_alert_resolves_the_incident() -> None:
    intake = Intake()
    intake.batch(message(fires=0), message(fires=0, pod="b"))
    incident, decided = intake.one(message(fires=0, ended=5))
    assert (decided, incident.status, incident.firing) == ([Reason.RESOLVED], S.OPEN, 1)
    (outcome,) = intake.batch(message(fires=0, ended=6, pod="b"), minute=61)
    assert (outcome.incident.status, outcome.incident.resolved_at, outcome.incident.firing) == (S.RESOLVED, at(61), 0)
    assert outcome.incident.due_at == at(61)
    assert outcome.settled


def test_an_end_and_a_start_in_one_message_neither_resolve_nor_reopen() -> None:
    intake = Intake()
    intake.batch(message(fires=0))
    incident, decided = intake.one(message(fires=0, ended=5), message(fires=4, pod="b"))
    assert (decided, incident.status, incident.run) == ([Reason.RESOLVED, Reason.JOINED], S.OPEN, 1)


@pytest.mark.parametrize("status", [S.OPEN, S.INVESTIGATING, S.AWAITING_APPROVAL, S.ESCALATED])
def test_when_all_is_over_the_incident_is_resolved_where_its_lifecycle_allows(status: S) -> None:
    intake = Intake()
    intake.batch(message(fires=0))
    intake.put(status=status, due_at=None)
    incident, _ = intake.one(message(fires=0, ended=5))
    assert (incident.status, incident.due_at) == (S.RESOLVED, at(60))


@pytest.mark.parametrize("status", [S.MITIGATING, S.VERIFYING])
def test_while_an_action_is_under_way_only_the_investigation_is_woken(status: S) -> None:
    intake = Intake()
    intake.batch(message(fires=0))
    intake.put(status=status, due_at=None)
    incident, _ = intake.one(message(fires=0, ended=5))
    assert (incident.status, incident.due_at, incident.firing) == (status, at(60), 0)


def test_a_resolve_that_comes_first_is_kept_and_makes_the_late_firing_message_stale() -> None:
    intake = Intake()
    incident, decided = intake.one(message(fires=0, ended=5))
    assert (decided, incident.status, incident.due_at) == ([Reason.RESOLVED_UNSEEN], S.RESOLVED, None)
    incident, decided = intake.one(message(fires=0), minute=120)
    assert (decided, incident.status, incident.run, incident.firing) == ([Reason.STALE], S.RESOLVED, 1, 0)
    assert incident.due_at is None


def test_a_stale_message_stays_stale_however_often_it_comes() -> None:
    intake = Intake()
    intake.batch(message(fires=0), message(fires=0, ended=5))
    for _ in range(3):
        incident, decided = intake.one(message(fires=0, received=180))
        assert (decided, incident.status, incident.firing) == ([Reason.STALE], S.RESOLVED, 0)


def test_a_start_at_the_very_moment_of_the_resolve_is_stale() -> None:
    intake = Intake()
    intake.batch(message(fires=0, ended=5))
    _, decided = intake.one(message(fires=5))
    assert decided == [Reason.STALE]


def test_the_late_resolve_of_an_earlier_episode_does_not_end_the_present_one() -> None:
    intake = Intake()
    intake.batch(message(fires=20))
    (outcome,) = intake.batch(message(fires=0, ended=5))
    assert reasons([outcome]) == [Reason.STALE]
    assert (outcome.incident.status, outcome.incident.firing, outcome.settled) == (S.OPEN, 1, "")


def test_firing_anew_after_the_resolve_reopens_with_a_new_run() -> None:
    intake = Intake()
    intake.batch(message(fires=0), message(fires=0, ended=5), minute=6)
    # It started before we had even heard of the resolve, and after the resolve itself: a new outage all the same.
    incident, decided = intake.one(message(fires=5.5), minute=7)
    assert (decided, incident.status, incident.run) == ([Reason.REOPENED], S.OPEN, 2)
    assert (incident.due_at, incident.resolved_at, incident.firing) == (at(7), None, 1)


def test_a_new_alert_of_a_resolved_group_reopens() -> None:
    intake = Intake()
    intake.batch(message(fires=0), message(fires=0, ended=5))
    _, decided = intake.one(message(fires=3, pod="b"))
    assert decided == [Reason.REOPENED]


def test_a_reminder_does_not_reopen_what_was_verified_as_recovered() -> None:
    intake = Intake()
    intake.batch(message(fires=0))
    intake.put(status=S.RESOLVED, resolved_at=at(30), due_at=None)
    incident, decided = intake.one(message(fires=0))
    assert (decided, incident.status) == ([Reason.REPEATED], S.RESOLVED)
    incident, decided = intake.one(message(fires=29))
    assert (decided, incident.status) == ([Reason.REPEATED], S.RESOLVED)
    incident, decided = intake.one(message(fires=31))
    assert (decided, incident.status, incident.run) == ([Reason.REOPENED], S.OPEN, 2)


def test_a_closed_incident_stays_closed_and_news_opens_another() -> None:
    intake = Intake()
    intake.batch(message(fires=0), message(fires=0, ended=5))
    intake.put(status=S.CLOSED)
    incident, decided = intake.one(message(fires=0))
    assert (decided, incident.id, incident.status) == ([Reason.STALE], "INC-1", S.CLOSED)
    incident, decided = intake.one(message(fires=10))
    assert (decided, incident.id, incident.status) == ([Reason.OPENED], "INC-2", S.OPEN)


def test_left_out_alerts_are_on_the_incident() -> None:
    incident, _ = Intake().one(replace(message(fires=0), truncated=37))
    assert incident.truncated == 37


def test_times_from_a_clock_that_is_far_ahead_do_not_silence_the_alert() -> None:
    intake = Intake()
    intake.batch(message(fires=0), message(fires=0, ended=60 * 24 * 365, received=5))
    _, decided = intake.one(message(fires=10, received=11))
    assert decided == [Reason.REOPENED]


def test_every_decision_says_what_and_why() -> None:
    (outcome,) = Intake().batch(
        message(fires=0), message(fires=0), message(fires=1, pod="b"), message(fires=0, ended=5), message(fires=2)
    )
    assert [decision.sentence for decision in outcome.decisions] == [
        "HighLatency: opened INC-1 because no incident is known for this group, and no other one has enough in common "
        "with it",
        "HighLatency: repeat of a firing alert",
        "HighLatency: joined INC-1 because of the same group",
        "HighLatency: resolved at 2026-01-05T12:05:00Z",
        "HighLatency: stale: fires since 2026-01-05T12:02:00Z, not after the resolve at 2026-01-05T12:05:00Z",
    ]


def test_nothing_in_nothing_out() -> None:
    assert run((), Known(), NOON, lambda: "INC-1") == ()
