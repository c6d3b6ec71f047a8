"""The start of an incident, and how far signals left their usual level."""

from dataclasses import replace

import pytest

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.departures import departure, incident_start, is_dated, number
from agent_sre.analysis.grounding import unsupported
from agent_sre.analysis.signals import about
from tests.scenarios.telemetry_case import FAULT, LATENCY, NAMESPACE, Incident

START = FAULT.timestamp()


def test_the_incident_is_dated_by_the_alerted_workload_and_not_by_its_alert() -> None:
    case = Incident().alert("LatencyHigh", "basil").latency("basil", 10, 200).case()
    assert abs(incident_start(case) - START) <= 60


def test_without_any_sign_the_alert_dates_it() -> None:
    case = Incident().alert("LatencyHigh", "basil").latency("basil", 10, 10).case()
    assert 0 <= case.alerts[0].starts_at.timestamp() - incident_start(case) <= 300


def test_an_alert_half_an_hour_late_is_dated_by_the_plain_shift_that_still_holds() -> None:
    incident = Incident().alert("LatencyHigh", "basil")
    case = incident.gauge(LATENCY, 10, 200, at=-35, namespace=NAMESPACE, workload="basil").case()
    assert abs(incident_start(case) - (START - 35 * 60)) <= 60
    assert is_dated(case)


def test_a_shift_of_the_last_minutes_goes_before_an_older_one() -> None:
    incident = Incident().alert("LatencyHigh", "basil").latency("basil", 10, 200)
    case = incident.gauge(LATENCY, 10, 400, at=-40, namespace=NAMESPACE, workload="basil", pod="b").case()
    assert abs(incident_start(case) - START) <= 60


def test_an_alert_alone_dates_no_incident() -> None:
    assert not is_dated(Incident().alert("LatencyHigh", "basil").latency("basil", 10, 10).case())


def test_getting_better_dates_nothing() -> None:
    case = Incident().alert("LatencyHigh", "basil").latency("basil", 200, 10).case()
    assert abs(incident_start(case) - case.alerts[0].starts_at.timestamp()) <= 300


def test_a_departure_has_both_levels_and_its_excerpt_shows_every_number_said() -> None:
    case = Incident().alert("LatencyHigh", "basil").latency("basil", 10, 200).case()
    (item,) = about(case, "latency")
    moved = departure(case, item)
    assert moved is not None
    assert moved.strong
    assert moved.before == pytest.approx(10, rel=0.05)
    assert moved.after == pytest.approx(200, rel=0.05)
    fact = moved.fact(f"p95 went from {number(moved.before)} to {number(moved.after)} ms")
    assert unsupported(fact.text, fact.excerpt) == ()
    assert fact.observation in case.observations


def test_a_lone_spike_is_no_departure() -> None:
    incident = Incident().alert("LatencyHigh", "basil").latency("basil", 10, 10)
    case = incident.case()
    (item,) = about(case, "latency")
    item.values[-4] = 500.0
    moved = departure(case, item)
    assert moved is not None
    assert not moved.strong


def test_what_happens_every_few_minutes_is_not_strong() -> None:
    incident = (
        Incident()
        .alert("LatencyHigh", "basil")
        .gauge("workload:request_duration_milliseconds:p95", 10, 60, namespace=NAMESPACE, workload="basil")
    )
    case = incident.case()
    (item,) = about(case, "latency")
    item.values[5:50:6] = 60.0
    item.values[6:50:6] = 60.0
    moved = departure(case, item)
    assert moved is not None
    assert moved.rarity > 0.1
    assert not moved.strong


@pytest.mark.parametrize(
    ("value", "text"), [(0.5, "0.5"), (1234567.0, "1234567"), (12.3456, "12.35"), (0.0, "0"), (1e-7, "1e-07")]
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert number(value) == text


def nameless(case: CaseFile) -> CaseFile:
    """The case with an alert about nobody, which fires when the trouble is minutes old."""
    labels = {"alertname": "Vague", "namespace": NAMESPACE}
    alerts = [replace(alert, labels=labels, starts_at=case.now) for alert in case.alerts]
    return CaseFile(
        now=case.now,
        window=case.window,
        namespaces=case.namespaces,
        alerts=alerts,
        observations=list(case.observations.values()),
        signals=case.signals,
    )


def test_one_plain_signal_dates_an_incident_whose_alert_names_nobody() -> None:
    case = nameless(Incident().alert("Vague", "").latency("basil", 10, 200).latency("mint", 10, 10).case())
    assert abs(incident_start(case) - START) <= 60


def test_one_odd_signal_does_not() -> None:
    case = nameless(Incident().alert("Vague", "").latency("basil", 10, 13).latency("mint", 10, 10).case())
    assert incident_start(case) > START + 240
