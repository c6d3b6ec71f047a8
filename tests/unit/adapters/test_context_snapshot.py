"""Changes, edges and spans of a snapshot, as the ports give them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, strategies as st

from agent_sre.adapters.context_snapshot import SnapshotChanges, SnapshotTraces
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Change, Span
from agent_sre.domain.trace_search import TraceSearch

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WINDOW = Window(NOW - timedelta(minutes=30), NOW)


def span(trace: str, number: int, *, ago: float = 60.0, namespace: str = "shop") -> Span:
    start = NOW.timestamp() - ago
    place = {"k8s.namespace.name": namespace} if namespace else {}
    return Span(trace, f"{trace}-{number}", "", "cart", "GET", start, start + 0.5, False, place)


async def test_changes_in_the_window_oldest_first() -> None:
    hours = (0.4, 0.1, 2.0)
    reader = SnapshotChanges([Change(str(ago), NOW - timedelta(hours=ago), "deploy", "cart", "x") for ago in hours])
    assert [change.id for change in await reader.changes(("shop",), WINDOW)] == ["0.4", "0.1"]


async def found(spans: list[Span], limit: int, **wanted: Any) -> tuple[Span, ...]:
    return (await SnapshotTraces(spans).search(TraceSearch(WINDOW, **wanted), limit)).spans


async def test_spans_in_the_window_of_the_namespaces_or_of_none() -> None:
    spans = [span("a", 1), span("b", 1, ago=3600), span("c", 1, namespace="bank"), span("d", 1, namespace="")]
    assert [item.trace_id for item in await found(spans, 10, namespaces=("shop",))] == ["a", "d"]
    assert [item.trace_id for item in await found(spans, 10)] == ["a", "c", "d"]


async def test_a_client_and_a_server_that_share_an_id_are_both_kept() -> None:
    asked = span("a", 1)
    answered = replace(asked, service="ledger")
    assert len(await found([asked, answered, asked], 10)) == 2


@given(st.lists(st.integers(1, 9), min_size=1, max_size=30), st.integers(1, 80))
async def test_of_too_many_spans_whole_traces_are_kept(sizes: list[int], limit: int) -> None:
    spans = [span(f"t{trace}", n, ago=600 - trace) for trace, size in enumerate(sizes) for n in range(size)]
    answer = await SnapshotTraces(spans).search(TraceSearch(WINDOW, ("shop",)), limit)
    assert len(answer.spans) <= max(limit, 0) or len(spans) <= limit
    kept = {item.trace_id for item in answer.spans}
    whole = all(sum(item.trace_id == trace for item in answer.spans) == sizes[int(trace[1:])] for trace in kept)
    assert whole or min(sizes) > limit
    assert answer.spans
    assert answer.more == (len(answer.spans) < len(spans))
    assert not answer.more or answer.notes == (
        f"{len(spans) - len(answer.spans)} of {len(spans)} spans, sampled evenly",
    )
