"""How long until something runs out: told with its figures where a line says it, silent where none does."""

import pytest

from agent_sre.analysis.exhaustion import running_out
from agent_sre.analysis.grounding import stands, unsupported
from agent_sre.analysis.judge import judge
from tests.scenarios.telemetry_case import NAMESPACE, Incident

_POD = {"namespace": NAMESPACE, "pod": "mint-5d8f7c9b6-x2x4z", "container": "app"}
_LIMIT = {"namespace": NAMESPACE, "pod": _POD["pod"], "resource": "memory"}


def shop() -> Incident:
    return Incident().alert("LatencyHigh", "mint")


def leaking() -> Incident:
    incident = shop().ramp("container_memory_working_set_bytes", 200e6, 730e6, **_POD)
    return incident.gauge("kube_pod_container_resource_limits", 1000e6, 1000e6, noise=0.0, **_LIMIT)


def test_a_leak_reaches_its_limit_and_the_figures_are_told() -> None:
    case = leaking().case()
    (found,) = running_out(case, ["mint"])
    assert found.minutes == pytest.approx(35, abs=2)
    assert "of 1000000000" in found.fact.text and "more a minute" in found.fact.text
    assert stands(found.fact, case)


def test_what_nobody_hit_depends_on_is_not_told() -> None:
    assert running_out(leaking().case(), ["basil"]) == []
    called = leaking().calls(("basil", "mint")).case()
    assert [item.what for item in running_out(called, ["basil"])] == ["bytes of memory of mint"]


def test_a_pool_a_disk_and_a_budget_are_each_told_and_the_soonest_comes_first() -> None:
    incident = shop().signal("pool_busy", "pool_used", "number", app="workload")
    incident.signal("pool_size", "pool_max", "number", app="workload")
    incident.ramp("pool_busy", 10, 80, app="mint").gauge("pool_size", 100, 100, noise=0.0, app="mint")
    claim = {"namespace": NAMESPACE, "persistentvolumeclaim": "data-mint-0"}
    incident.ramp("kubelet_volume_stats_available_bytes", 50e9, 10e9, **claim)
    incident.gauge("kubelet_volume_stats_capacity_bytes", 100e9, 100e9, noise=0.0, **claim)
    incident.ramp("slo:period_error_budget_remaining:ratio", 0.9, 0.3, service="mint")
    case = incident.case()
    found = running_out(case, ["mint"])
    assert [item.what for item in found] == [
        "disk of data-mint-0", "connections of its pool of mint", "error budget of mint",
    ]  # fmt: skip
    assert [item.minutes for item in found] == pytest.approx([17, 19.4, 34], abs=1.5)
    assert all(stands(item.fact, case) for item in found)


@pytest.mark.parametrize(("usual", "now"), [(200e6, 200e6), (200e6, 900e6), (900e6, 300e6)])
def test_what_is_level_jumps_or_falls_is_no_line(usual: float, now: float) -> None:
    incident = shop().gauge("container_memory_working_set_bytes", usual, now, **_POD)
    case = incident.gauge("kube_pod_container_resource_limits", 1000e6, 1000e6, noise=0.0, **_LIMIT).case()
    assert running_out(case, ["mint"]) == []


def test_impact_tells_what_runs_out_with_evidence() -> None:
    verdict = judge(leaking().case(), ())
    (ending,) = verdict.impact.running_out
    cited = verdict.evidence_by_id()
    assert ending.evidence and set(ending.evidence) <= set(verdict.impact.evidence) <= set(cited)
    shown = "\n".join(cited[key].excerpt for key in verdict.impact.evidence)
    assert ending.says in verdict.impact.summary
    assert unsupported(verdict.impact.summary, shown) == ()
