"""The timeline tells cause before effect, cites what it derives, and repeats nothing."""

from dataclasses import replace
from datetime import timedelta

from agent_sre.domain.incident import IncidentStatus
from agent_sre.domain.timeline import Entry
from agent_sre.domain.verdict import Moment
from agent_sre.report.timeline import merge
from agent_sre.testing.sample_incident import NOW, SampleIncident, sample_incident


def merged(sample: SampleIncident, stored: tuple[Entry, ...] | None = None) -> tuple[Entry, ...]:
    return merge(
        sample.incident.id,
        sample.entries if stored is None else stored,
        sample.alerts,
        sample.verdict,
    )


def test_the_story_is_in_order_with_the_kinds_the_observations_say() -> None:
    kinds = [entry.kind for entry in merged(sample_incident())]
    assert kinds[:6] == ["change", "error", "onset", "onset", "event", "alert"]
    times = [entry.time for entry in merged(sample_incident())]
    assert times == sorted(times)


def test_the_story_is_told_with_its_evidence() -> None:
    entries = {entry.evidence: entry for entry in merged(sample_incident()) if entry.evidence}
    assert entries[("E1",)].text == "The error ratio of checkout rose from 0.4 % to 31 %"
    assert entries[("E2",)].text == "deploy of checkout: 2.14.3 to 2.15.0: pooled payment client"
    assert entries[("E2",)].actor == "mira"
    assert ("E5",) not in entries, "E5 has no time of its own"


def test_an_alert_that_was_told_is_not_told_again() -> None:
    sample = sample_incident(IncidentStatus.OPEN)
    assert [entry.kind for entry in merged(sample)] == ["alert"]
    untold = merged(sample, stored=())
    assert [(entry.kind, entry.time) for entry in untold] == [("alert", sample.alerts[0].starts_at)]


def test_a_resolved_alert_says_when() -> None:
    sample = sample_incident(IncidentStatus.RESOLVED)
    resolved = [entry for entry in merged(sample) if "resolved" in entry.text and entry.kind == "alert"]
    assert [entry.time for entry in resolved] == [sample.alerts[0].ends_at]


def test_at_the_same_moment_a_change_comes_before_the_alert() -> None:
    sample = sample_incident(IncidentStatus.OPEN)
    change = Entry(sample.incident.id, sample.alerts[0].starts_at, "change", "flag on", sequence=9)
    assert [entry.kind for entry in merged(sample, stored=(change,))] == ["change", "alert"]


def test_what_the_product_said_of_an_alert_cites_the_alert() -> None:
    sample = sample_incident(IncidentStatus.RESOLVED)
    assert sample.verdict is not None
    name = sample.alerts[0].name
    fires = Moment(sample.alerts[0].starts_at, "alert", f"{name} fires: 31 % of requests fail", ("E7",))
    told = merge("x", sample.entries, sample.alerts, replace(sample.verdict, story=(*sample.verdict.story, fires)))
    of_it = [item for item in told if item.kind == "alert"]
    assert len(of_it) == 2 and {item.evidence for item in of_it} == {("E7",)}, of_it


def test_the_same_entry_twice_is_shown_once() -> None:
    sample = sample_incident()
    entry = Entry(sample.incident.id, NOW - timedelta(hours=2), "note", "written twice")
    twice = merged(sample, stored=(entry, replace(entry, sequence=2)))
    assert [item.text for item in twice].count("written twice") == 1
