"""Calls that multiply while requests do not: told by the callee, by a store's counter, by the client library."""

import pytest

from agent_sre.analysis.calls_per_request import calls_per_request
from agent_sre.testing import kubernetes_objects as k8s
from tests.scenarios.telemetry_case import NAMESPACE, Incident

QUERY = "DEBUG SELECT * FROM leaf WHERE id = 17"


def store(counter: str, queries: float, requests: float = 20, failed: float = 0.0) -> Incident:
    """gate and hall use one database; gate became slow when the database began to get this many statements."""
    incident = Incident().alert("LatencyHigh", "gate", "gate is slow").calls(("gate", "db"), ("hall", "db"))
    incident.requests("gate", 20, requests).latency("gate", 50, 900).requests("hall", 5, 5).latency("hall", 50, 51)
    if failed:
        incident.requests("gate", 0.001, failed, status="500")
    item = k8s.container("db", "registry.test/db:1", port=3306)
    incident.objects(k8s.deployment("db", NAMESPACE, template=k8s.pod_template("db", [item]), replicas=1))
    return incident.counter(counter, 70, queries, namespace=NAMESPACE, service="db")


def found(incident: Incident) -> list[tuple[str, str]]:
    return [(item.fault, item.object.name) for item in calls_per_request(incident.case())]


@pytest.mark.parametrize(
    "counter",
    [
        "mysql_global_status_queries",
        "pg_stat_database_xact_commit",
        "pg_stat_statements_calls_total",
        "redis_commands_processed_total",
        "mongodb_ss_opcounters",
    ],
)
def test_a_store_that_gets_far_more_statements_for_as_many_requests(counter: str) -> None:
    assert found(store(counter, 2400)) == [("n_plus_one_queries", "gate")]


def test_statements_that_rise_with_the_requests_are_a_surge() -> None:
    assert found(store("mysql_global_status_queries", 700, requests=190)) == []


def test_a_store_as_busy_as_ever_accuses_nobody() -> None:
    assert found(store("mysql_global_status_queries", 90)) == []


def test_a_client_that_fails_may_only_try_again() -> None:
    assert found(store("mysql_global_status_queries", 2400, failed=6)) == []


def test_of_two_slow_clients_the_one_that_repeats_a_statement() -> None:
    incident = store("mysql_global_status_queries", 2400).requests("mews", 9, 9).latency("mews", 40, 700)
    incident.calls(("gate", "db"), ("mews", "db")).logs("mews", QUERY, *(n / 20 for n in range(1, 140)))
    assert found(incident) == [("n_plus_one_queries", "mews")]


def test_the_caller_s_own_library_counts_its_calls() -> None:
    incident = Incident().alert("LatencyHigh", "gate", "gate is slow").calls(("gate", "basil"))
    incident.requests("gate", 20, 20).latency("gate", 50, 900)
    labels = {"namespace": NAMESPACE, "service_name": "gate"}
    incident.counter("http_client_request_duration_seconds_count", 20, 640, **labels)
    assert found(incident) == [("n_plus_one_queries", "gate")]


@pytest.mark.parametrize(("failed", "fault"), [(0.0, "n_plus_one_queries"), (9.0, "retry_storm")])
def test_the_callee_s_traffic_and_whether_calls_fail(failed: float, fault: str) -> None:
    incident = Incident().alert("LatencyHigh", "gate", "gate is slow").calls(("gate", "basil"))
    incident.requests("gate", 20, 20).latency("gate", 50, 900).requests("basil", 20, 400)
    if failed:
        incident.requests("gate", 0.001, failed, status="503")
    assert found(incident) == [(fault, "gate")]
