"""How long until it is full: a slope that odd samples do not move, and silence where a line says nothing."""

import numpy as np
import pytest

from agent_sre.analysis.filling import full_in, theil_sen
from agent_sre.analysis.grounding import stands
from agent_sre.analysis.performance import memory_leak
from tests.scenarios.telemetry_case import NAMESPACE, Incident

_POD = {"namespace": NAMESPACE, "pod": "mint-5d8f7c9b6-x2x4z", "container": "app"}


def test_the_slope_is_not_moved_by_odd_samples() -> None:
    times = np.arange(40) * 60.0
    values = 5.0 * times
    values[7:12] = 1e9
    assert theil_sen(times, values) == pytest.approx(5.0, rel=0.05)
    assert theil_sen(times[:1], values[:1]) == 0.0
    assert theil_sen(np.zeros(3), np.arange(3.0)) == 0.0


@pytest.mark.parametrize(
    ("room", "per_second", "words"),
    [
        (600.0, 1.0, "full in about 10 minutes"),
        (1.0, 1.0, "full within 2 minutes"),
        (600.0, 0.0, ""),
        (600.0, -1.0, ""),
        (-5.0, 1.0, ""),
        (1e9, 1.0, ""),
    ],
)
def test_it_is_said_only_where_a_line_says_something(room: float, per_second: float, words: str) -> None:
    assert full_in(room, per_second) == words


@pytest.mark.parametrize(("limit", "soon"), [(1000e6, "full in about 36 minutes"), (None, "")])
def test_a_leak_says_when_its_limit_is_reached(limit: float | None, soon: str) -> None:
    incident = Incident().alert("LatencyHigh", "mint").ramp("container_memory_working_set_bytes", 200e6, 730e6, **_POD)
    if limit is not None:
        labels = {"namespace": NAMESPACE, "pod": _POD["pod"], "resource": "memory"}
        incident.gauge("kube_pod_container_resource_limits", limit, limit, noise=0.0, **labels)
    case = incident.case()
    (finding,) = memory_leak(case)
    (fact,) = finding.facts
    assert stands(fact, case)
    assert fact.text.endswith(soon) if soon else "full in" not in fact.text
