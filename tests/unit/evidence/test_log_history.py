"""What the log store adds to the runtime's logs: exactly what the runtime did not have."""

import io
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from agent_sre.adapters.logs_snapshot import SnapshotLogs
from agent_sre.domain.errors import TemporaryError
from agent_sre.domain.evidence import Observation
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import LogSource
from agent_sre.evidence.scope import Collected, Readers
from agent_sre.ports.logs import LogAnswer, LogReader
from tests.unit.evidence.worlds import NOW, WINDOW, Refusing, alert, run, scope

POD = LogSource("shop", "api-0", "app")
PREVIOUS = replace(POD, previous=True)
GONE = LogSource("shop", "api-6d4cf56db6-zzzzz", "app")


class Store(SnapshotLogs):
    """A store: answers name their query, and what it was asked for is kept."""

    def __init__(self, texts: Mapping[LogSource, str]) -> None:
        super().__init__({source: partial(io.BytesIO, text.encode()) for source, text in texts.items()}, NOW)
        self.asked: list[tuple[LogSource, Window]] = []

    async def read(self, source: LogSource, window: Window, max_lines: int) -> LogAnswer:
        self.asked.append((source, window))
        answer = await super().read(source, window, max_lines)
        return replace(answer, query=f"stored {source}", link="https://logs.example.org/q")


def runtime(texts: Mapping[LogSource, str]) -> LogReader:
    return SnapshotLogs({source: partial(io.BytesIO, text.encode()) for source, text in texts.items()}, NOW)


def lines(first: int, last: int, fraction: str = "") -> str:
    """A line every second; ``first`` and ``last`` are seconds after the window's start."""
    seconds = (WINDOW.start + timedelta(seconds=n) for n in range(first, last + 1))
    return "".join(f"{at:%Y-%m-%dT%H:%M:%S}{fraction}Z second {at:%H:%M:%S}\n" for at in seconds)


def streams(found: Collected) -> list[Observation]:
    """Observations of lines; those of counts are another matter."""
    return [item for item in found.observations if item.streams]


def texts(found: Collected) -> list[str]:
    return [line.text for item in found.observations for stream in item.streams for line in stream.lines]


async def test_what_was_rotated_away_comes_from_the_store_and_nothing_twice() -> None:
    # The runtime has the last ten minutes of a run that began earlier; the store keeps milliseconds, the runtime more.
    store = Store({POD: lines(0, 1795, ".123")})
    logs = runtime({PREVIOUS: lines(900, 1000, ".123456789"), POD: lines(1200, 1795, ".123456789")})
    found = await run("pod_logs", scope(), Readers(logs=logs, log_store=store))
    assert sorted(texts(found)) == sorted(set(texts(found)))
    assert len(texts(found)) == 1796
    sources = [item.query.split()[0] for item in streams(found)]
    assert sources == ["GET", "GET", "stored", "stored"]
    assert {item.link for item in streams(found)[2:]} == {"https://logs.example.org/q"}
    before, between = (item.window for item in streams(found)[2:])
    assert before is not None and between is not None
    assert (before.start, before.end < between.start) == (WINDOW.start, True)


async def test_one_whole_run_needs_no_store() -> None:
    store = Store({POD: lines(0, 60)})
    found = await run("pod_logs", scope(), Readers(logs=runtime({POD: lines(30, 60)}), log_store=store))
    assert store.asked == []
    assert len(streams(found)) == 1


async def test_pods_that_are_gone_come_from_the_store_whole() -> None:
    store = Store({GONE: lines(0, 60)})
    found = await run("pod_logs", scope(), Readers(logs=runtime({POD: lines(30, 60)}), log_store=store))
    assert store.asked == [(GONE, WINDOW)]
    assert [item.streams[0].source for item in streams(found)] == [POD, GONE]


async def test_without_a_cluster_the_store_is_read_alone() -> None:
    found = await run("pod_logs", scope(), Readers(log_store=Store({POD: lines(0, 60)})))
    assert [item.query for item in streams(found)] == ["stored shop/api-0/app"]
    assert found.gaps == ()


@pytest.mark.parametrize("logs", [Refusing(TemporaryError("API down")), None])
async def test_where_the_runtime_refuses_the_store_is_read_and_the_refusal_said(logs: LogReader | None) -> None:
    found = await run("pod_logs", scope(), Readers(logs=logs, log_store=Store({POD: lines(0, 60)})))
    assert len(texts(found)) == 61
    assert [gap.reason for gap in found.gaps] == (["API down"] if logs else [])


async def test_a_store_that_refuses_is_a_gap_and_the_runtime_is_kept() -> None:
    refusing = Refusing(TemporaryError("VictoriaLogs at http://logs answered 503: overloaded"))
    logs = runtime({POD: lines(0, 60)})
    found = await run("pod_logs", scope(), Readers(logs=logs, log_store=refusing))  # type: ignore[arg-type]
    assert len(texts(found)) == 61
    (gap,) = found.gaps
    assert "503" in gap.reason
    assert "AGENT_SRE_LOGS" in gap.fix


async def test_of_many_gone_replicas_a_few_are_read_and_the_rest_said() -> None:
    gone = {LogSource("shop", f"web-6d4cf56db6-abcd{n}", "app"): lines(0, 3) for n in range(6)}
    found = await run("pod_logs", scope(), Readers(logs=runtime({}), log_store=Store(gone)))
    assert len(streams(found)) == 3
    assert "3 more containers" in found.gaps[0].what


async def test_journals_come_from_the_store_where_the_runtime_has_none() -> None:
    unit = LogSource("@nodes", "worker-1", "kubelet.service")
    text = f"{datetime(2026, 3, 1, 11, 59, tzinfo=UTC):%Y-%m-%dT%H:%M:%SZ} PLEG is not healthy\n"
    found = await run("node_journals", scope(), Readers(logs=runtime({}), log_store=Store({unit: text})))
    assert texts(found) == ["PLEG is not healthy"]
    assert found.observations[0].query == "journalctl --unit kubelet.service on node worker-1"


async def test_errors_are_counted_over_time_for_the_workloads_that_alerts_name() -> None:
    error = f"{NOW - timedelta(minutes=10):%Y-%m-%dT%H:%M:%SZ} level=error lost\n"
    other = LogSource("shop", "web-0", "app")
    store = Store({POD: lines(0, 60) + error * 3, other: error})
    found = await run("pod_logs", scope(alert(pod="api-0")), Readers(logs=runtime({}), log_store=store))
    (counts,) = [item for item in found.observations if item.series]
    (series,) = counts.series
    assert dict(series.labels) == {"namespace": "shop", "workload": "api", "level": "error"}
    assert {time: value for time, value in zip(series.times, series.values, strict=True) if value} == {
        (NOW - timedelta(minutes=10)).timestamp(): 3.0
    }
    everything = await run("pod_logs", scope(alert()), Readers(logs=runtime({}), log_store=store))
    assert [sum(item.series[0].values) for item in everything.observations if item.series] == [4.0]
