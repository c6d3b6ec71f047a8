"""Causes that nobody in the cluster brought about; a change at the same time is not blamed for them."""

from tests.scenarios.telemetry_case import Incident


def surge() -> Incident:
    incident = Incident().calls(("gate", "basil"), ("basil", "mint")).alert("LatencyHigh", "gate", "gate is slow")
    for name in ("gate", "basil", "mint"):
        incident.requests(name, 40, 260).latency(name, 30, 900).cpu(name, 0.1, 0.9)
    return incident


def test_more_requests_at_the_entry_are_a_surge() -> None:
    assert surge().cause() == ("traffic_surge", "gate")


def test_a_deploy_during_a_surge_is_not_blamed() -> None:
    incident = surge().change("c-1", -1, "deploy", "gate", "deploy gate")
    assert incident.verdict().hypotheses[0].change is None


def test_more_calls_to_a_callee_alone_are_its_caller_s_doing() -> None:
    incident = Incident().calls(("gate", "basil"), ("basil", "mint")).alert("LatencyHigh", "basil", "basil is slow")
    incident.requests("gate", 10, 10).requests("basil", 10, 10).requests("mint", 10, 140)
    incident.latency("gate", 40, 800).latency("basil", 30, 760).latency("mint", 5, 6)
    faults = [(item.fault, item.object.name) for item in incident.verdict().hypotheses]
    assert ("n_plus_one_queries", "basil") in faults


def test_retries_against_a_failing_callee() -> None:
    incident = Incident().calls(("gate", "basil"), ("basil", "mint")).alert("ErrorRateHigh", "basil", "basil fails")
    incident.requests("gate", 10, 10).requests("basil", 10, 10).requests("mint", 10, 20)
    incident.requests("mint", 0.01, 60, status="503").latency("basil", 30, 700)
    faults = {item.fault for item in incident.verdict().hypotheses}
    assert faults & {"retry_storm", "unhandled_exception"}


def test_a_provider_that_fails() -> None:
    incident = Incident().calls(("gate", "basil")).alert("ErrorRateHigh", "basil", "basil fails")
    incident.requests("basil", 20, 6).requests("basil", 0.02, 14, status="502")
    line = "ERROR POST https://api.pots.example/v2/orders returned 503 upstream.host=api.pots.example"
    incident.logs("basil", line, *[n / 3 for n in range(20)])
    assert incident.cause() == ("upstream_provider_outage", "basil")
    assert incident.verdict().hypotheses[0].change is None


def test_a_host_inside_the_cluster_is_no_provider() -> None:
    incident = Incident().alert("ErrorRateHigh", "basil", "basil fails")
    incident.logs("basil", "ERROR GET http://mint.garden.svc.cluster.local/leaf returned 503", *range(8))
    assert all(item.fault != "upstream_provider_outage" for item in incident.verdict().hypotheses)


def test_nothing_odd_is_no_answer() -> None:
    incident = Incident().calls(("gate", "basil")).alert("LatencyHigh", "gate", "gate is slow")
    incident.latency("gate", 40, 40).latency("basil", 9, 9).cpu("basil", 0.1, 0.1).requests("gate", 10, 10)
    verdict = incident.verdict()
    assert verdict.status == "inconclusive"
    assert {item.fault for item in verdict.hypotheses} <= {"no_fault_found"}
