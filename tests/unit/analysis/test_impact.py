"""Who is hit and how badly: shares of requests, routes, budgets; every figure of the summary in what is cited."""

from dataclasses import replace

import pytest

from agent_sre.analysis.access_lines import request_of
from agent_sre.analysis.engine import analyze
from agent_sre.analysis.error_budget import objectives
from agent_sre.analysis.grounding import stands, unsupported
from agent_sre.analysis.judge import judge
from agent_sre.analysis.request_share import hits, route_hits
from agent_sre.domain.evidence import Observation
from agent_sre.domain.verdict import Verdict
from tests.scenarios.telemetry_case import FAULT, NAMESPACE, Incident

METRIC = "http_requests_total"


def by_route(incident: Incident, route: str, good: tuple[float, float], bad: tuple[float, float]) -> Incident:
    """Requests a second of one route of mint, good and bad, before and since."""
    labels = {"namespace": NAMESPACE, "service": "mint", "http_route": route}
    return incident.counter(METRIC, *good, code="200", **labels).counter(METRIC, *bad, code="503", **labels)


def grounded(verdict: Verdict) -> None:
    """No figure of the summary is missing from the excerpts that it cites."""
    cited = verdict.evidence_by_id()
    shown = "\n".join(cited[key].excerpt for key in verdict.impact.evidence)
    assert unsupported(verdict.impact.summary, shown) == ()


def failing_shop() -> Incident:
    incident = Incident().alert("ErrorRateHigh", "mint", "mint fails")
    by_route(incident, "/pay", (10, 7), (0, 3))
    return by_route(incident, "/list", (10, 10), (0, 0))


def test_the_share_that_fails_is_of_all_requests_and_the_route_of_its_own() -> None:
    case = failing_shop().case()
    (whole,) = hits(case, ["mint"])
    (route,) = route_hits(case, ["mint"])
    assert whole.failing == pytest.approx(0.15, abs=0.01)
    assert (route.route, route.failing) == ("/pay", pytest.approx(0.3, abs=0.02))
    assert stands(whole.fact, case)
    assert stands(route.fact, case)
    assert whole.fact.time is not None
    assert abs((whole.fact.time - FAULT).total_seconds()) <= 60


def test_an_availability_is_read_as_what_it_leaves() -> None:
    incident = Incident().alert("AvailabilityLow", "mint").signal("mint_up", "availability", "percent", app="workload")
    case = incident.gauge("mint_up", 99.9, 80, noise=0.0001, app="mint").case()
    (hit,) = hits(case, ["mint"])
    assert hit.failing == pytest.approx(0.2, abs=0.01)


def test_slow_requests_are_told_as_their_level_and_healthy_ones_not_at_all() -> None:
    case = Incident().alert("LatencyHigh", "mint").latency("mint", 20, 300).latency("basil", 20, 20).case()
    (hit,) = hits(case, ["mint", "basil", "nobody"])
    assert (hit.service, hit.failing) == ("mint", None)
    assert stands(hit.fact, case)


def test_a_slow_route_is_told_by_its_histogram() -> None:
    incident = Incident().alert("LatencyHigh", "mint")
    name = "http_server_request_duration_seconds"
    for route, now in (("/pay", 4.0), ("/list", 0.2)):
        labels = {"service_name": "mint", "namespace": NAMESPACE, "http_route": route}
        incident.counter(f"{name}_count", 2, 2, **labels).counter(f"{name}_sum", 0.2, now, **labels)
    case = incident.case()
    assert [hit.route for hit in route_hits(case, ["mint"])] == ["/pay"]


def test_the_impact_names_routes_shares_and_the_onset_before_the_alert() -> None:
    verdict = failing_shop().verdict()
    impact = verdict.impact
    assert impact.routes == ("/pay",)
    assert impact.failing == pytest.approx(0.15, abs=0.01)
    assert impact.burn is None
    assert "Routes hit: /pay." in impact.summary
    assert impact.since < "2026-03-04T12:02:00Z"
    grounded(verdict)


@pytest.mark.parametrize(
    ("labels", "query", "share"),
    [
        ({"objective": "99.9"}, "", 0.999),
        ({"slo_target": "0.99"}, "", 0.99),
        ({"slo": "checkout-availability"}, "", None),
        ({}, 'slo:sli_error:ratio_rate5m{slo="x"} > (14.4 * 0.001)', 0.999),
        ({}, "job:errors:ratio_rate1h > 14.4 * (1 - 0.995)", 0.995),
        ({}, "rate(errors[5m]) > 0.05", None),
    ],
)
def test_an_objective_is_read_and_never_guessed(labels: dict[str, str], query: str, share: float | None) -> None:
    case = failing_shop().case()
    alert = replace(case.alerts[0], labels={**case.alerts[0].labels, **labels})
    case.alerts = (alert,)
    rule = {"name": alert.name, "query": query}
    case.observations["rules/1"] = Observation("rules/1", "rules", "rules", "rules", case.now, rules=(rule,))
    assert [item.share for item in objectives(case)] == ([share] if share else [])
    verdict = judge(case, analyze(case))
    assert (verdict.impact.burn is None) == (share is None)
    if share is not None:
        assert verdict.impact.burn == pytest.approx(0.15 / (1 - share), rel=0.05)
        assert "burns" in verdict.impact.summary
    grounded(verdict)


@pytest.mark.parametrize(
    ("line", "request_"),
    [
        ('10.0.0.1 - - [x] "GET /orders/8127?full=1 HTTP/1.1" 502 12', ("/orders/:id", 502)),
        ('{"level":"info","path":"/pay","status":503,"ms":12}', ("/pay", 503)),
        ("level=info http.route=/pay http.response.status_code=200", ("/pay", 200)),
        ("read /etc/config, exit code=255", None),
        ("no request at all", None),
    ],
)
def test_an_access_line_tells_route_and_status(line: str, request_: tuple[str, int] | None) -> None:
    assert request_of(line) == request_


def test_access_lines_name_the_route_where_no_metric_does() -> None:
    incident = Incident().alert("ErrorRateHigh", "mint", "mint fails")
    incident.logs("mint", '1.2.3.4 "GET /pay HTTP/1.1" 502 0', *[minute / 2 for minute in range(1, 9)])
    incident.logs("mint", '1.2.3.4 "GET /list HTTP/1.1" 200 0', *[minute / 2 for minute in range(-9, 9)])
    verdict = incident.verdict()
    assert verdict.impact.routes == ("/pay",)
    grounded(verdict)
