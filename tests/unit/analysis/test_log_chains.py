"""Pointers in logs, followed over hops to where trouble begins; and who is at fault when a store is."""

import time
from datetime import timedelta

import pytest

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.grounding import stands
from agent_sre.analysis.log_chains import Chains
from agent_sre.analysis.log_entries import rate_rise, statements, troubles
from agent_sre.analysis.log_errors import log_findings
from agent_sre.domain.evidence import Observation
from agent_sre.domain.finding import Finding
from agent_sre.domain.telemetry import LogLine, LogSource, LogStream
from tests.scenarios.builders import NOW, Shop, front
from tests.scenarios.telemetry_case import FAULT, NAMESPACE, Incident


def incident(*lines: tuple[str, str], calls: tuple[tuple[str, str], ...] = ()) -> CaseFile:
    found = Incident().alert("ErrorRateHigh", "gate", "gate fails").calls(*calls)
    for workload, text in lines:
        found.logs(workload, "INFO all is well", *range(-50, 0, 5)).logs(workload, text, *range(8))
    return found.case()


def best(case: CaseFile) -> Finding:
    return max(log_findings(case), key=lambda item: item.strength)


def test_a_chain_is_followed_over_three_hops() -> None:
    case = incident(
        ("gate", "ERROR POST http://basil:8080/order returned 503"),
        (
            "basil",
            "ERROR rpc error: code = Unavailable desc = connection error: dial tcp mint:9090: connection refused",
        ),
        ("mint", "ERROR timeout calling thyme after 3000 ms"),
        ("thyme", "panic: runtime error: index out of range [3] with length 3"),
        calls=(("gate", "basil"), ("basil", "mint"), ("mint", "thyme")),
    )
    assert Chains(case, troubles(case)).leading_to("thyme") == ("basil", "gate", "mint")
    found = best(case)
    assert (found.fault, found.object.name) == ("unhandled_exception", "thyme")
    assert {ref.name for ref in found.explains} == {"gate", "basil", "mint"}
    assert all(stands(fact, case) for item in log_findings(case) for fact in item.facts)


def test_pointers_in_a_circle_end() -> None:
    case = incident(("basil", "ERROR call to mint failed"), ("mint", "ERROR call to basil failed"))
    assert Chains(case, troubles(case)).leading_to("mint") == ("basil",)


def test_a_service_named_like_a_word_is_no_pointer_in_a_sentence() -> None:
    case = incident(("gate", "ERROR could not place the order"), ("order", "ERROR boom"))
    assert Chains(case, troubles(case)).targets == {}


def test_an_address_leads_to_the_workload_behind_it() -> None:
    shop = Shop(front())
    shop.find("Service", "ledger")["spec"]["clusterIP"] = "10.96.0.7"
    shop.log("basket", "ERROR dial tcp 10.96.0.7:5432: connect: connection refused")
    case = shop.case()
    assert Chains(case, troubles(case)).targets == {"basket": frozenset({"ledger"})}


@pytest.mark.parametrize(
    ("logger", "message"),
    [("basil", "ERROR: pq: sorry, too many clients already"), ("mint-db", "FATAL:  sorry, too many clients already")],
)
def test_a_store_s_fault_is_the_store_s_whoever_logs_it(logger: str, message: str) -> None:
    found = best(incident((logger, message), calls=(("basil", "mint-db"), ("basil", "thyme"))))
    assert (found.fault, found.object.name) == ("db_connection_exhaustion", "mint-db")


def test_a_certificate_is_expired_at_the_one_that_was_called() -> None:
    case = incident(
        ("basil", "ERROR Post https://mint:8443/leaf: x509: certificate has expired"), ("gate", "ERROR boom")
    )
    assert best(case).object.name == "basil"
    case = incident(
        ("basil", "ERROR Post https://mint:8443/leaf: x509: certificate has expired"), calls=(("basil", "mint"),)
    )
    assert best(case).object.name == "mint"


def test_of_two_stores_the_one_the_message_speaks_of() -> None:
    case = incident(
        ("basil", "ERROR redis: READONLY You can't write against a read only replica."),
        calls=(("basil", "redis-leaf"), ("basil", "postgres-leaf")),
    )
    assert best(case).object.name == "redis-leaf"


def test_a_provider_that_several_call_is_an_outage_even_if_seldom_called() -> None:
    line = "ERROR POST https://api.pots.example/v2 returned 503"
    found = Incident().alert("ErrorRateHigh", "gate", "gate fails")
    for workload in ("basil", "mint"):
        found.logs(workload, "INFO all is well", *range(-50, 0, 5)).logs(workload, line, 1, 2)
    assert {item.strength for item in log_findings(found.case())} == {0.74}


def test_a_rate_is_compared_as_counts_are() -> None:
    assert rate_rise(0, 3600, 1, 600) < 3
    assert rate_rise(6, 3600, 2, 600) < 3
    assert rate_rise(6, 3600, 30, 600) > 3
    assert rate_rise(6000, 3600, 1000, 600) == pytest.approx(0, abs=0.1)


def test_traces_of_one_place_are_one_statement_and_of_two_are_two() -> None:
    def trace(method: str) -> str:
        return f"ERROR order failed\nKeyError: 'a'\n\tat shop.Leaf.{method}(Leaf.java:7)"

    case = incident(("basil", trace("pick")), ("basil", trace("sow")), ("basil", trace("pick")))
    found = [item for item in statements(case) if item.trace is not None]
    assert sorted((item.trace.frame, item.since) for item in found if item.trace) == [
        ("shop.Leaf.pick", 16),
        ("shop.Leaf.sow", 8),
    ]


def test_a_workload_that_said_nothing_before_says_nothing_about_what_is_new() -> None:
    case = Incident().alert("ErrorRateHigh", "basil", "x").logs("basil", "ERROR too many open files", *range(8)).case()
    (found,) = statements(case)
    assert not found.timed
    assert found.fact("x").excerpt.endswith("too many open files")


@pytest.mark.parametrize(
    "text",
    [
        "x" * 10_000_000,
        "a." * 20_000 + "Error",
        " at " * 10_000,
        "\n" * 20_000 + "Error",
        "ERROR \x00\x1b[31m\ud800\U000e0041" * 500,
        "{" * 5_000 + '"level":"error"' + "}" * 5_000,
        '="' * 8_000,
        "Caused by: " * 3_000,
        "Traceback (most recent call last):\n" * 1_000,
    ],
)
def test_hostile_lines_cost_little(text: str) -> None:
    lines = tuple(LogLine(FAULT + timedelta(seconds=place), text) for place in range(3))
    stream = LogStream(LogSource(NAMESPACE, "basil", "app"), (*lines, LogLine(None, f"\t{text}")))
    observation = Observation("logs/1", "logs", "kubernetes", "logs", NOW, streams=(stream,))
    usual = Incident().alert("ErrorRateHigh", "basil", "x").case()
    case = CaseFile(
        now=usual.now, window=usual.window, namespaces=usual.namespaces, alerts=usual.alerts, observations=[observation]
    )
    started = time.process_time()
    list(log_findings(case))
    assert time.process_time() - started < 2.0
    assert 1 <= sum(item.before + item.since for item in statements(case)) <= 4
