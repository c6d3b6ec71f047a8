"""What comes every hour is no onset, and the origin that it would have accused says so against itself."""

from math import sin

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.departures import departures
from agent_sre.analysis.grounding import stands
from agent_sre.analysis.origin import origins
from agent_sre.analysis.signals import measured
from agent_sre.domain.evidence import Observation
from agent_sre.domain.finding import Finding
from agent_sre.domain.telemetry import Series
from tests.scenarios.telemetry_case import FAULT, LATENCY, NAMESPACE, Incident

HOURS = 4


def case_of(every_hour: bool) -> CaseFile:
    """Latency of mint over four hours, high for the first minutes of each hour or only of the last."""
    case = Incident().alert("LatencyHigh", "mint").case()
    points = []
    for minute in range(-60 * HOURS, 8):
        high = minute >= 0 or (every_hour and minute % 60 < 8)
        points.append((FAULT.timestamp() + 60 * minute, (300.0 if high else 20.0) * (1 + 0.02 * sin(17.3 * minute))))
    series = Series.of(LATENCY, {"namespace": NAMESPACE, "workload": "mint"}, points, "gauge")
    seen = Observation("metrics/9", "metrics", "metrics", LATENCY, case.now, case.window, series=(series,))
    return CaseFile(
        now=case.now, window=case.window, namespaces=case.namespaces, alerts=case.alerts, signals=case.signals,
        observations=[seen],
    )  # fmt: skip


def origin_of(case: CaseFile) -> Finding:
    (finding,) = origins(case)
    return finding


def test_an_hourly_rise_is_clear_but_no_onset() -> None:
    (moved,) = departures(case_of(every_hour=True), measured(case_of(every_hour=True)))
    assert moved.clear and not moved.strong
    assert moved.recurs is not None and moved.recurs.often == "every hour"
    (new,) = departures(case_of(every_hour=False), measured(case_of(every_hour=False)))
    assert new.strong


def test_the_fact_against_says_so_and_the_origin_is_worth_less() -> None:
    case = case_of(every_hour=True)
    usual, new = origin_of(case), origin_of(case_of(every_hour=False))
    (against,) = usual.against
    assert against.text.startswith(f"{LATENCY} of mint does so every hour at this time; it went to 3")
    assert stands(against, case)
    assert new.against == () and usual.strength < new.strength
