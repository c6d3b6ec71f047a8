"""The call graph: what each kind of source tells, in which direction, what is followed, and what a verdict cites."""

from dataclasses import replace
from typing import Any

import pytest

from agent_sre.analysis.call_graph import CallEdge, Source
from agent_sre.analysis.calls import calls
from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.engine import analyze
from agent_sre.analysis.grounding import stands
from agent_sre.analysis.judge import judge
from agent_sre.domain.evidence import Observation
from agent_sre.domain.signal import default_signals
from agent_sre.domain.telemetry import Series, Span
from tests.scenarios.builders import NOW, Shop
from tests.scenarios.telemetry_case import Incident


def graph(case: CaseFile) -> dict[str, tuple[Source, ...]]:
    """All edges, each with who tells of it. Every witness stands."""
    found = calls(case).edges.values()
    assert all(stands(witness.fact, case) for edge in found for witness in edge.witnesses)
    return {f"{edge.caller} > {edge.callee}": edge.sources for edge in found}


def spans(*found: Span) -> CaseFile:
    case = Incident().case()
    case.observations["traces/1"] = Observation("traces/1", "traces", "traces", "any", NOW, spans=found)
    return case


def span(identity: str, parent: str, service: str, kind: str = "", **attributes: str) -> Span:
    told = {"span.kind": kind} if kind else {}
    return Span("t", identity, parent, service, "op", 0.0, 1.0, False, {**told, **attributes})


def series(name: str, **labels: str) -> CaseFile:
    case = Incident().case()
    case.signals = default_signals()
    points = [(NOW.timestamp() - 60 * n, float(100 - n)) for n in range(10, -1, -1)]
    held = (Series.of(name, labels, points, "counter"),)
    case.observations["metrics/1"] = Observation("metrics/1", "metrics", "metrics", name, NOW, series=held)
    return case


def test_a_span_and_its_parent_of_another_service_are_a_call() -> None:
    case = spans(span("1", "", "front"), span("2", "1", "front", "client"), span("3", "2", "basket", "server"))
    assert graph(case) == {"front > basket": (Source.TRACES,)}
    assert calls(case).callees == {"front": ("basket",)}


def test_a_client_span_that_nobody_answered_names_its_peer() -> None:
    case = spans(
        span("1", "", "basket", "client", **{"peer.service": "store"}),
        span("2", "", "basket", "client", **{"server.address": "front.shop.svc:80"}),
        span("3", "", "basket", "client", **{"server.address": "api.example.org"}),
        span("4", "", "basket", "server", **{"peer.service": "proxy"}),
        span("5", "", "front"),
    )
    assert graph(case) == {"basket > front": (Source.PEERS,), "basket > store": (Source.PEERS,)}


@pytest.mark.parametrize(
    ("metric", "labels", "edge", "source"),
    [
        ("istio_requests_total", {"source_workload": "front", "destination_workload": "basket"},
         "front > basket", Source.MESH),
        ("istio_requests_total", {"source_workload": "unknown", "destination_workload": "basket"}, "", Source.MESH),
        ("response_total", {"direction": "outbound", "deployment": "front", "dst_deployment": "basket"},
         "front > basket", Source.MESH),
        ("response_total", {"direction": "outbound", "statefulset": "ledger", "dst_service": "store.data:6379"},
         "ledger > store", Source.MESH),
        ("response_total", {"direction": "inbound", "deployment": "front", "dst_deployment": "basket"},
         "", Source.MESH),
        ("traces_service_graph_request_total", {"client": "front", "server": "basket"},
         "front > basket", Source.SERVICE_GRAPH),
        ("traces_service_graph_request_total",
         {"client": "user", "server": "front", "connection_type": "virtual_node"}, "", Source.SERVICE_GRAPH),
    ],
)  # fmt: skip
def test_metrics_that_name_both_sides(metric: str, labels: dict[str, str], edge: str, source: Source) -> None:
    assert graph(series(metric, **labels)) == ({edge: (source,)} if edge else {})


def test_addresses_in_templates_and_config_maps_lead_to_the_workload_behind_the_service() -> None:
    shop = Shop()
    shop.edges = []
    shop.add("v1", "ConfigMap", "ledger-settings", data={"BACKUP": "front", "note": "# http://basket/"})
    shop.change("Deployment", "ledger", lambda found: _container(found).update(
        envFrom=[{"configMapRef": {"name": "ledger-settings"}}]))  # fmt: skip
    found = graph(shop.case())
    assert found["front > basket"] == (Source.CONFIGURATION,)
    assert found["ledger > front"] == (Source.CONFIG_MAPS,)
    assert "ledger > basket" not in found


def test_routes_into_the_cluster_are_told_and_not_followed() -> None:
    shop = Shop()
    backend = {"service": {"name": "front", "port": {"number": 80}}}
    rules = [{"http": {"paths": [{"path": "/", "backend": backend}]}}]
    shop.add("networking.k8s.io/v1", "Ingress", "web", spec={"rules": rules})
    shop.add("gateway.networking.k8s.io/v1", "HTTPRoute", "api", spec={
        "parentRefs": [{"name": "edge"}], "rules": [{"backendRefs": [{"name": "basket", "port": 80}]}]})  # fmt: skip
    case = shop.case()
    found = graph(case)
    assert found["Ingress web > front"] == (Source.ROUTES,)
    assert found["Gateway edge > basket"] == (Source.ROUTES,)
    assert calls(case).roots() == {"front"}


def test_what_a_policy_allows_is_a_further_witness_and_never_followed_alone() -> None:
    shop = Shop()
    peer = {"podSelector": {"matchLabels": {"app": "front"}}}
    for name in ("basket", "ledger"):
        selector = {"matchLabels": {"app": name}}
        shop.add("networking.k8s.io/v1", "NetworkPolicy", f"to-{name}", spec={
            "podSelector": selector, "policyTypes": ["Ingress"], "ingress": [{"from": [peer]}]})  # fmt: skip
    case = shop.case()
    found = graph(case)
    assert found["front > basket"][0] is Source.GIVEN
    assert found["front > basket"][-1] is Source.POLICIES
    assert found["front > ledger"] == (Source.POLICIES,)
    assert "ledger" not in calls(case).callees["front"]


def test_configured_calls_are_followed_where_nothing_of_their_caller_was_seen() -> None:
    shop = Shop()
    shop.edges = []
    assert calls(shop.case()).callees == {"basket": ("ledger",), "front": ("basket",)}
    seen = Shop()
    seen.edges = [replace(seen.edges[0], callee="elsewhere")]
    graph_ = calls(seen.case())
    assert graph_.callees["front"] == ("elsewhere",)
    assert graph_.edges["front", "basket"].trust == pytest.approx(0.6)


def test_trust_grows_with_every_kind_of_source_and_an_edge_says_them() -> None:
    edge: CallEdge = calls(Shop().case()).edges["front", "basket"]
    assert str(edge) == "front calls basket (the given topology, workload configuration)"
    assert edge.trust == pytest.approx(1 - 0.1 * 0.4)


def test_a_way_is_the_shortest_one() -> None:
    case = Incident().calls(("a", "b"), ("b", "c"), ("c", "d"), ("a", "c"), ("d", "a")).case()
    found = calls(case)
    assert [(edge.caller, edge.callee) for edge in found.way({"a"}, "d")] == [("a", "c"), ("c", "d")]
    assert found.way({"d"}, "d") == ()
    assert found.way({"nobody"}, "d") == ()


def test_a_verdict_cites_the_calls_between_the_alert_and_the_cause() -> None:
    incident = Incident().alert("LatencyHigh", "gate", "gate is slow").calls(("gate", "basil"), ("basil", "mint"))
    incident.latency("gate", 100, 900).latency("basil", 80, 880).latency("mint", 20, 820)
    verdict = judge(incident.case(), analyze(incident.case()))
    first = verdict.hypotheses[0]
    assert first.object.name == "mint"
    cited = {verdict.evidence_by_id()[key].excerpt for key in first.evidence}
    assert {"gate calls basil, says given", "basil calls mint, says given"} <= cited


def _container(workload: Any) -> Any:
    return workload["spec"]["template"]["spec"]["containers"][0]
