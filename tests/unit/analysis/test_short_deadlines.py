"""A deadline is too short where the callee takes no longer than ever and its caller gives up before that."""

import pytest

from agent_sre.analysis.deadlines import spoken
from agent_sre.analysis.short_deadlines import short_deadlines
from agent_sre.domain.finding import Finding
from tests.scenarios.telemetry_case import Incident

GAVE_UP = "ERROR basil: context deadline exceeded after 200ms (Client.Timeout exceeded while awaiting headers)"
EVERY = tuple(n / 4 for n in range(1, 28))


def gate_calls_basil(usual: float, now: float, line: str = GAVE_UP) -> Incident:
    """gate fails its calls to basil, whose p95 is given in milliseconds."""
    incident = Incident().calls(("gate", "basil"), ("gate", "mint")).alert("ErrorRateHigh", "gate", "gate fails")
    incident.requests("gate", 20, 10).requests("gate", 0.02, 10, status="504").latency("basil", usual, now)
    return incident.logs("gate", "INFO served", *range(-50, 0, 5)).logs("gate", line, *EVERY)


def found(incident: Incident) -> list[Finding]:
    return list(short_deadlines(incident.case()))


def test_the_caller_is_named_where_the_callee_takes_as_long_as_ever() -> None:
    (item,) = found(gate_calls_basil(310, 316))
    assert (item.fault, item.object.name) == ("timeout_too_short", "gate")
    assert any("316" in fact.text or "usually" in fact.text for fact in item.facts)


@pytest.mark.parametrize(("usual", "now"), [(310, 3100), (40, 42)], ids=["callee became slow", "callee is quick"])
def test_a_slow_callee_or_a_quick_one_is_another_cause(usual: float, now: float) -> None:
    assert found(gate_calls_basil(usual, now)) == []


@pytest.mark.parametrize(
    "line",
    [
        "ERROR basil: dial tcp 10.0.0.9:8080: i/o timeout after 200ms",
        "ERROR basil: connection timed out after 200ms",
        "ERROR basil: lookup basil: timed out after 200ms",
        "ERROR calling basil: unable to acquire connection, timed out after 200ms",
    ],
)
def test_time_outs_before_the_request_are_none_of_an_answer(line: str) -> None:
    assert found(gate_calls_basil(310, 316, line)) == []


def test_the_change_that_lowered_it_is_named_and_says_more_than_that_there_was_a_change() -> None:
    incident = gate_calls_basil(310, 316)
    incident.change("c-9", -1, "deploy", "gate", "gate 8", "-  basil_timeout_ms: 4000\n+  basil_timeout_ms: 200")
    first = incident.verdict().hypotheses[0]
    assert (first.fault, first.object.name, first.change) == ("timeout_too_short", "gate", "c-9")


def test_a_lowered_limit_and_answers_of_504_are_enough_without_a_log() -> None:
    incident = gate_calls_basil(310, 316, "INFO served")
    incident.change("c-9", -1, "config", "gate", "gate: BASIL_TIMEOUT_MS 4000 -> 200")
    assert [(item.object.name, item.change) for item in found(incident)] == [("gate", "c-9")]


def test_a_limit_that_is_lowered_where_nobody_gives_up_proves_nothing() -> None:
    incident = Incident().calls(("gate", "basil")).alert("LatencyHigh", "gate", "gate is slow")
    incident.requests("gate", 20, 20).latency("gate", 400, 2000).latency("basil", 310, 316)
    incident.change("c-9", -1, "config", "gate", "gate: BASIL_TIMEOUT_MS 4000 -> 200")
    assert found(incident) == []


def test_spans_that_all_end_at_once_while_the_callee_works_on() -> None:
    incident = Incident().calls(("gate", "basil")).alert("ErrorRateHigh", "gate", "gate fails")
    for step in range(-40, 16):
        ended, error = (0.5, "deadline") if step > 0 else (0.74, "")
        incident.span("gate", "basil.Get", step / 2, (f"t{step}", "a", ""), error, seconds=ended)
        incident.span("basil", "Get", step / 2, (f"t{step}", "b", "a"), seconds=0.72)
    (item,) = found(incident)
    assert item.object.name == "gate"
    assert "500 ms" in item.facts[0].text


def test_the_callee_s_own_request_lines_tell_its_time() -> None:
    line = "ERROR basil: ReadTimeout: HTTPConnectionPool(host='basil', port=80): Read timed out. (read timeout=0.3)"
    incident = Incident().alert("ErrorRateHigh", "gate", "gate fails").logs("gate", line, *EVERY)
    incident.logs("basil", "INFO POST /search 200 in 480 ms", *range(-50, 0))
    incident.logs("basil", "INFO POST /search 200 in 495 ms", *EVERY)
    assert [item.object.name for item in found(incident)] == ["gate"]


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("io.grpc.StatusRuntimeException: DEADLINE_EXCEEDED: deadline exceeded after 0.499s. [remote_addr=x]", 0.499),
        ("AxiosError: timeout of 3000ms exceeded", 3.0),
        ("The request was canceled due to the configured HttpClient.Timeout of 0.3 seconds elapsing.", 0.3),
        ("Read timed out. (read timeout=0.3)", 0.3),
        ("context deadline exceeded deadline_ms=150 elapsed_ms=151", 0.15),
        ("Did not observe any item or terminal signal within 2000ms in 'map'", 2.0),
        ("rpc error: code = DeadlineExceeded desc = context deadline exceeded, deadline 500ms", 0.5),
        ("request timeout=5000 exceeded", 5.0),
        ("upstream timed out (110: Operation timed out) while reading response header from upstream", None),
        ("timed out calling http://basil:8080/v1", None),
        ("timed out after 3 attempts", None),
        ("i/o timeout reading from 10.0.3.4:8080", None),
    ],
)
def test_what_libraries_say_of_their_deadline(said: str, seconds: float | None) -> None:
    assert spoken(said) == (pytest.approx(seconds) if seconds else None)
