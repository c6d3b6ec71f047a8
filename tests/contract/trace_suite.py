"""What every TraceReader does, whatever is behind it. Modules with a ``traces`` fixture import all of this."""

from collections import Counter, defaultdict
from datetime import timedelta
from typing import Any

import pytest

from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Span
from agent_sre.domain.trace_search import TraceSearch
from agent_sre.ports.context import TraceReader
from tests.contract.trace_values import FAILED, REFUSED, REQUESTS, SLOW, START, WINDOW, request, spans

__all__ = [
    "search",
    "test_a_failed_span_of_another_service_is_no_error_of_this_one",
    "test_a_name_is_never_part_of_the_query",
    "test_a_small_window_gives_all_of_its_traces_whole",
    "test_a_span_keeps_who_what_when_and_why",
    "test_failed_traces_of_a_service",
    "test_nothing_is_found_of_an_unknown_service",
    "test_of_too_many_traces_whole_ones_are_given_spread_over_the_window",
    "test_services_are_named",
    "test_slow_traces_of_a_service",
    "test_spans_of_other_namespaces_are_not_given",
    "test_without_a_service_all_of_them_are_looked_at",
    "traces_by_id",
]
MINUTE = Window(WINDOW.start, WINDOW.start + timedelta(minutes=1))


def search(**fields: Any) -> TraceSearch:
    return TraceSearch(**{"window": WINDOW, "namespaces": ("shop",), **fields})


def traces_by_id(found: tuple[Span, ...]) -> dict[int, list[Span]]:
    """The spans by the number of their request."""
    traces: dict[int, list[Span]] = defaultdict(list)
    for span in found:
        traces[int(span.trace_id, 16) - 1].append(span)
    return traces


async def test_services_are_named(traces: TraceReader) -> None:
    found = await traces.services(("shop",), WINDOW)
    assert {"basket", "front"} <= set(found)
    assert list(found) == sorted(found)


async def test_a_small_window_gives_all_of_its_traces_whole(traces: TraceReader) -> None:
    answer = await traces.search(search(window=MINUTE, service="basket"), 1_000)
    found = traces_by_id(answer.spans)
    assert sorted(found) == [0, 1, 2, 3, 4, 5]
    assert {tuple(sorted(span.service for span in trace)) for trace in found.values()} == {("basket", "front", "store")}
    assert not answer.more
    assert "basket" in answer.query


async def test_a_span_keeps_who_what_when_and_why(traces: TraceReader) -> None:
    answer = await traces.search(search(service="basket", errors=True), 1_000)
    (span,) = [span for span in traces_by_id(answer.spans)[100] if span.service == "basket"]
    expected = request(100, START + 5 + 1000)[1]
    assert (span.trace_id, span.span_id, span.parent_id) == (expected.trace_id, expected.span_id, expected.parent_id)
    assert (span.name, span.error) == ("Add", True)
    assert span.start == pytest.approx(expected.start, abs=1e-5)
    assert span.end == pytest.approx(expected.end, abs=1e-5)
    assert {name: span.attributes[name] for name in expected.attributes} == dict(expected.attributes)
    assert span.attributes["status.message"] == REFUSED


async def test_failed_traces_of_a_service(traces: TraceReader) -> None:
    answer = await traces.search(search(service="basket", errors=True), 1_000)
    assert set(traces_by_id(answer.spans)) == FAILED


async def test_a_failed_span_of_another_service_is_no_error_of_this_one(traces: TraceReader) -> None:
    assert (await traces.search(search(service="front", errors=True), 1_000)).spans == ()


async def test_slow_traces_of_a_service(traces: TraceReader) -> None:
    answer = await traces.search(search(service="front", at_least=1.0), 1_000)
    assert set(traces_by_id(answer.spans)) == SLOW


async def test_spans_of_other_namespaces_are_not_given(traces: TraceReader) -> None:
    answer = await traces.search(search(window=MINUTE, service="basket"), 1_000)
    assert Counter(span.attributes.get("k8s.namespace.name", "") for span in answer.spans) == {"shop": 12, "": 6}
    everywhere = await traces.search(search(window=MINUTE, namespaces=(), service="basket"), 1_000)
    assert sum(span.service == "bank" for span in everywhere.spans) == 6


async def test_without_a_service_all_of_them_are_looked_at(traces: TraceReader) -> None:
    answer = await traces.search(search(window=MINUTE), 1_000)
    assert sorted(traces_by_id(answer.spans)) == [0, 1, 2, 3, 4, 5]


async def test_of_too_many_traces_whole_ones_are_given_spread_over_the_window(traces: TraceReader) -> None:
    answer = await traces.search(search(service="basket"), 90)
    found = traces_by_id(answer.spans)
    assert 20 <= len(found) <= 30
    assert all(len(trace) == 3 for trace in found.values())
    sixths = Counter(number * 6 // REQUESTS for number in found)
    assert set(sixths) == set(range(6))
    assert max(sixths.values()) <= 8
    assert answer.more
    assert answer.notes


async def test_nothing_is_found_of_an_unknown_service(traces: TraceReader) -> None:
    answer = await traces.search(search(service="nobody"), 1_000)
    assert (answer.spans, answer.more) == ((), False)


async def test_a_name_is_never_part_of_the_query(traces: TraceReader) -> None:
    for name in ('basket" || true', "basket&service=front", 'x" } || { resource.service.name = "basket', "a\nb\\"):
        answer = await traces.search(search(service=name, namespaces=('shop" || "',)), 1_000)
        assert answer.spans == ()


def test_the_suite_has_traces_outside_of_its_window() -> None:
    assert len(spans()) == 4 * (REQUESTS + 2)
