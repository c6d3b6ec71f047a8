"""Changes, edges and spans of a snapshot, as the ports give them."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st

from agent_sre.adapters.context_snapshot import SnapshotChanges, SnapshotTraces
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Change, Span

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


async def test_spans_in_the_window_of_the_namespaces_or_of_none() -> None:
    spans = [span("a", 1), span("b", 1, ago=3600), span("c", 1, namespace="bank"), span("d", 1, namespace="")]
    found = await SnapshotTraces(spans).spans(("shop",), WINDOW, 10)
    assert [item.trace_id for item in found] == ["a", "d"]
    everywhere = await SnapshotTraces(spans).spans((), WINDOW, 10)
    assert [item.trace_id for item in everywhere] == ["a", "c", "d"]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=30), st.integers(1, 80))
async def test_of_too_many_spans_whole_traces_are_kept(sizes: list[int], limit: int) -> None:
    spans = [span(f"t{trace}", n, ago=600 - trace) for trace, size in enumerate(sizes) for n in range(size)]
    found = await SnapshotTraces(spans).spans(("shop",), WINDOW, limit)
    assert len(found) <= max(limit, 0) or len(spans) <= limit
    kept = {item.trace_id for item in found}
    whole = all(sum(item.trace_id == trace for item in found) == sizes[int(trace[1:])] for trace in kept)
    assert whole or min(sizes) > limit
    assert found
