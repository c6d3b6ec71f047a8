"""Alerts that are suppressed: kept, counted and told, and an incident only once one of them is not any more."""

from dataclasses import dataclass, replace

import pytest

from agent_sre.domain.alert import Severity
from agent_sre.domain.hold import Hold, HoldKind
from agent_sre.domain.incident import Incident, IncidentStatus
from agent_sre.ingest.hold import review
from agent_sre.ingest.pipeline import run
from agent_sre.ingest.step import Decision, Reason, Standing
from agent_sre.ingest.suppressors import DEFAULT_RULES, NOTHING, Suppressors
from agent_sre.service.firing_sources import FiringSources
from tests.unit.alerts import GROUP, at, message
from tests.unit.suppressing import rule, silence, window

S = IncidentStatus
SHOP = Suppressors(windows=(window(),))


@dataclass(frozen=True)
class Folded:
    """What a fold makes of messages."""

    incident: Incident
    decisions: tuple[Decision, ...]
    held: str


def one(*alerts: object, suppressors: Suppressors, minute: float = 60, known: Folded | None = None) -> Folded:
    standing = {}
    if known is not None:
        words = {item.alert.fingerprint: item.alert for item in known.decisions}
        standing = {known.incident.group_key: Standing(known.incident, words)}
    (outcome,) = run(alerts, standing, at(minute), lambda: "INC-1", suppressors)  # type: ignore[arg-type]
    words = {**(standing[outcome.incident.group_key].words if standing else {})}
    words |= {item.alert.fingerprint: item.alert for item in outcome.decisions}
    before = known.incident.status if known else None
    incident, held = review(outcome.incident, words, suppressors, at(minute), before)
    return Folded(incident, outcome.decisions, held)


def test_a_suppressed_alert_opens_no_investigation_and_waits_for_the_windows_end() -> None:
    outcome = one(message(fires=50), suppressors=SHOP)
    (decision,) = outcome.decisions
    assert decision.reason is Reason.SUPPRESSED
    assert decision.sentence == (
        "HighLatency: suppressed by maintenance window MW-3 'db upgrade' until 2026-01-05T14:00:00Z by ana; "
        "kept with INC-1"
    )
    incident = outcome.incident
    assert (incident.status, incident.due_at, incident.firing, incident.alerts) == (S.OPEN, at(120), 1, 1)
    assert incident.hold is not None and (incident.hold.kind, incident.hold.until) == (HoldKind.SUPPRESSED, at(120))
    assert outcome.held.startswith("Not taken up: all that fires in INC-1 is suppressed by maintenance window MW-3")


def test_it_becomes_an_incident_by_itself_when_the_window_ends_and_it_still_fires() -> None:
    first = one(message(fires=50), suppressors=SHOP)
    words = {item.alert.fingerprint: item.alert for item in first.decisions}
    before, text = review(first.incident, words, SHOP, at(119))
    assert (before.due_at, text) == (at(120), "")
    after, text = review(first.incident, words, SHOP, at(120))
    assert (after.hold, after.due_at, text) == (None, at(120), "Taken up: 1 of its alerts is not suppressed any more")


def test_it_becomes_one_by_a_repeated_message_too() -> None:
    first = one(message(fires=50), suppressors=SHOP)
    second = one(message(fires=50), suppressors=SHOP, minute=121, known=first)
    assert (second.incident.hold, second.incident.due_at) == (None, at(121))
    assert second.incident.alerts == 2


def test_one_that_is_over_before_the_window_ends_is_never_investigated() -> None:
    first = one(message(fires=50), suppressors=SHOP)
    second = one(message(fires=50, ended=70), suppressors=SHOP, minute=70, known=first)
    assert (second.incident.status, second.incident.hold, second.incident.due_at) == (S.RESOLVED, None, None)


def test_an_alert_that_is_not_suppressed_takes_the_incident_up_at_once() -> None:
    suppressors = Suppressors(windows=(window("pod=a"),))
    first = one(message(fires=50, pod="a"), suppressors=suppressors)
    second = one(message(fires=55, pod="b"), suppressors=suppressors, known=first)
    assert (second.incident.hold, second.incident.due_at) == (None, at(60))
    assert second.held == "Taken up: 1 of its alerts is not suppressed any more"


def test_a_suppressed_alert_in_an_incident_under_way_changes_nothing_but_the_count() -> None:
    loud = one(message(fires=50, pod="b"), suppressors=NOTHING)
    running = replace(loud, incident=loud.incident.to(S.INVESTIGATING, at(51)))
    suppressors = Suppressors(silences=(silence("pod=a"),))
    after = one(message(fires=55, pod="a", severity="critical"), suppressors=suppressors, known=running)
    assert after.decisions[0].reason is Reason.SUPPRESSED
    assert (after.incident.severity, after.incident.hold, after.incident.firing) == (Severity.WARNING, None, 2)
    assert after.incident.due_at == running.incident.due_at


def test_a_silence_does_not_stop_what_is_under_way() -> None:
    loud = one(message(fires=50), suppressors=NOTHING)
    moved = replace(loud, incident=replace(loud.incident, status=S.AWAITING_APPROVAL, due_at=at(90)))
    after = one(message(fires=50), suppressors=Suppressors(silences=(silence(),)), known=moved)
    assert (after.incident.hold, after.incident.due_at, after.decisions[0].reason) == (None, at(90), Reason.SUPPRESSED)


def test_a_resolve_is_never_suppressed() -> None:
    first = one(message(fires=50), suppressors=NOTHING)
    second = one(message(fires=50, ended=60), suppressors=SHOP, known=first)
    assert (second.decisions[0].reason, second.incident.status) == (Reason.RESOLVED, S.RESOLVED)


def test_of_several_ends_the_earliest_wakes_and_the_latest_is_told() -> None:
    suppressors = Suppressors(
        windows=(window("pod=a", ends=90), window("pod=a", ends=100, id="MW-4"), window("pod=b", ends=80))
    )
    outcome = one(message(fires=50, pod="a"), message(fires=50, pod="b"), suppressors=suppressors)
    assert "MW-4" in outcome.decisions[0].sentence and "MW-3" in outcome.decisions[1].sentence
    assert outcome.incident.due_at == at(80)


def test_a_window_that_has_not_begun_or_was_ended_suppresses_nothing() -> None:
    for suppressors in (
        Suppressors(windows=(window(starts=61),)),
        Suppressors(windows=(window(ended_at=at(59)),)),
        Suppressors(silences=(silence(ends=60),)),
    ):
        assert one(message(fires=50), suppressors=suppressors).decisions[0].reason is Reason.OPENED


def inhibiting(suppressors: Suppressors, *sources: object) -> Suppressors:
    known = FiringSources(suppressors.rules)
    known.notice(sources)  # type: ignore[arg-type]
    return replace(suppressors, sources=known.by_key)


def test_a_graver_alert_about_the_same_thing_inhibits_by_default() -> None:
    suppressors = inhibiting(Suppressors(rules=DEFAULT_RULES), message(fires=40, severity="critical", pod="a"))
    found = suppressors.suppression(message(fires=50, pod="a"), at(60))
    assert found is not None and found.until is None
    assert found.sentence == "suppressed while HighLatency fires (a critical alert about the same thing)"
    assert suppressors.suppression(message(fires=50, pod="b"), at(60)) is None
    assert suppressors.suppression(message(fires=50, pod="a", name="Other"), at(60)) is None
    assert suppressors.suppression(message(fires=50, pod="a", severity="critical"), at(60)) is None


def test_a_source_that_is_over_inhibits_nothing() -> None:
    suppressors = inhibiting(Suppressors(rules=DEFAULT_RULES), message(fires=40, ended=55, severity="critical"))
    assert suppressors.suppression(message(fires=50), at(60)) is None


def test_alerts_that_both_sides_match_do_not_inhibit_each_other() -> None:
    rules = (rule("namespace=shop", "namespace=shop"),)
    both, other = message(fires=40, pod="a"), message(fires=40, pod="b")
    assert inhibiting(Suppressors(rules=rules), both, other).suppression(both, at(60)) is None
    rules = (rule("severity=~critical|warning", "severity=warning"),)
    only_source = message(fires=40, severity="critical")
    suppressors = inhibiting(Suppressors(rules=rules), both, other, only_source)
    found = suppressors.suppression(both, at(60))
    assert found is not None and found.cause == only_source.fingerprint


def test_a_label_that_neither_has_is_equal() -> None:
    suppressors = inhibiting(
        Suppressors(rules=(rule("severity=critical", "severity=warning", "zone"),)),
        message(fires=0, severity="critical"),
    )
    assert suppressors.suppression(message(fires=50), at(60)) is not None
    assert suppressors.suppression(message(fires=50, zone="a"), at(60)) is None


def held(kind: HoldKind, until: float | None, **changes: object) -> Incident:
    hold = Hold(kind, at(50), None if until is None else at(until), "ana")
    values: dict[str, object] = {"status": S.OPEN, "due_at": at(60), "hold": hold, "firing": 1}
    return Incident(
        "INC-1", "t", severity=Severity.WARNING, namespace="shop", service="", group_key=GROUP, opened_at=at(40),
        updated_at=at(40), **values | changes,  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.mark.parametrize("status", [S.OPEN, S.INVESTIGATING, S.AWAITING_APPROVAL, S.ESCALATED])
def test_a_muted_incident_is_due_never_and_a_snoozed_one_when_its_time_comes(status: S) -> None:
    assert review(held(HoldKind.MUTED, None, status=status), {}, NOTHING, at(60))[0].due_at is None
    assert review(held(HoldKind.SNOOZED, 90, status=status), {}, NOTHING, at(60))[0].due_at == at(90)


@pytest.mark.parametrize("status", [S.MITIGATING, S.VERIFYING])
def test_an_action_under_way_is_seen_through(status: S) -> None:
    assert review(held(HoldKind.MUTED, None, status=status), {}, NOTHING, at(60))[0].due_at == at(60)


def test_a_snooze_that_is_over_takes_the_incident_up_again() -> None:
    after, text = review(held(HoldKind.SNOOZED, 60), {}, NOTHING, at(60))
    assert (after.hold, after.due_at, after.run) == (None, at(60), 1)
    assert text == "The snooze by ana is over; 1 of its alerts fire"
    anew, _ = review(held(HoldKind.SNOOZED, 60, status=S.ESCALATED), {}, NOTHING, at(60))
    assert anew.run == 2
    over, _ = review(held(HoldKind.SNOOZED, 60, status=S.RESOLVED, due_at=None), {}, NOTHING, at(60))
    assert (over.hold, over.due_at) == (None, None)
