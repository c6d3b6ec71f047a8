"""Several metric stores as one, over real sockets: what is merged, what is told apart, what is missing."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest

from agent_sre.adapters.metrics_merged import MergedMetrics
from agent_sre.adapters.metrics_prometheus import PrometheusMetrics, PrometheusOptions
from agent_sre.adapters.metrics_snapshot import SnapshotMetrics
from agent_sre.domain.alert import Alert, AlertStatus
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.signal import Signal
from agent_sre.domain.telemetry import Series
from agent_sre.evidence.catalogue import COLLECTORS
from agent_sre.evidence.run import run_collector
from agent_sre.evidence.scope import Limits, Readers, Scope
from agent_sre.testing.prometheus_server import Fault, PrometheusServer
from tests.contract.telemetry_values import NOW, WINDOW

STEP = timedelta(minutes=1)


def gauge(name: str, level: float, **labels: str) -> Series:
    start = WINDOW.start.timestamp()
    return Series.of(name, labels, [(start + 15 * n, level) for n in range(121)])


class Stores:
    """Servers by name, and one reader over them."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self.servers: dict[str, PrometheusServer] = {}

    async def merged(self, given: dict[str, Sequence[Series]], **options: Any) -> MergedMetrics:
        readers = {}
        for name, series in given.items():
            rules = {"name": "High", "query": "up > 1", "duration": 60.0, "labels": {}, "type": "alerting"}
            twin = SnapshotMetrics(
                lambda held=tuple(series): held, lambda: NOW, rules=lambda rule=rules: (rule,), alerts=lambda: ()
            )
            server = await self._stack.enter_async_context(PrometheusServer(twin).running())
            reader = PrometheusMetrics(PrometheusOptions(server.url, name=name, **{"timeout_seconds": 5, **options}))
            self._stack.push_async_callback(reader.close)
            self.servers[name], readers[name] = server, reader
        return MergedMetrics(readers)


@pytest.fixture
async def stores() -> AsyncIterator[Stores]:
    async with AsyncExitStack() as stack:
        yield Stores(stack)


def shown(series: Sequence[Series]) -> list[str]:
    return sorted(str(item) for item in series)


async def test_series_of_all_are_there_and_unlabelled_where_they_differ(stores: Stores) -> None:
    merged = await stores.merged({"eu": [gauge("up", 1, pod="a")], "us": [gauge("up", 1, pod="b"), gauge("only", 2)]})
    answer = await merged.query("up", NOW)
    assert shown(answer.series) == ['up{pod="a"}', 'up{pod="b"}']
    assert (answer.warnings, answer.missing) == ((), ())
    assert await merged.metric_names(WINDOW) == {"up", "only"}


async def test_series_of_one_name_and_labels_say_where_they_come_from(stores: Stores) -> None:
    merged = await stores.merged(
        {"eu": [gauge("up", 1, pod="a"), gauge("up", 1, pod="c")], "us": [gauge("up", 0, pod="a")]}
    )
    answer = await merged.query("up", NOW)
    assert shown(answer.series) == ['up{metrics_source="eu",pod="a"}', 'up{metrics_source="us",pod="a"}', 'up{pod="c"}']


async def test_what_thanos_repeats_with_more_labels_is_kept_once(stores: Stores) -> None:
    inner = [gauge("up", 1, pod="a"), gauge("up", 1, pod="b")]
    outer = [
        gauge("up", 1, pod="a", cluster="eu"),
        gauge("up", 1, pod="b", cluster="eu"),
        gauge("up", 1, pod="a", cluster="us"),
    ]
    merged = await stores.merged({"prometheus": inner, "thanos": outer})
    answer = await merged.query_range("up", WINDOW, STEP)
    assert shown(answer.series) == [
        'up{cluster="eu",pod="a"}',
        'up{cluster="eu",pod="b"}',
        'up{cluster="us",pod="a"}',
    ]


async def test_equal_series_are_one(stores: Stores) -> None:
    merged = await stores.merged({"a": [gauge("up", 1)], "b": [gauge("up", 1)], "c": [gauge("up", 1)]})
    assert shown((await merged.query_range("up", WINDOW, STEP)).series) == ["up"]
    assert len(await merged.rules()) == 1


async def test_one_that_fails_is_named_and_the_others_answer(stores: Stores) -> None:
    merged = await stores.merged({"eu": [gauge("up", 1)], "us": [gauge("up", 1)]})
    refused = '{"status":"error","errorType":"execution","error":"query processing would load too many samples"}'
    stores.servers["us"].faults = [Fault(422, refused)]
    answer = await merged.query("up", NOW)
    assert shown(answer.series) == ["up"]
    (missing,) = answer.missing
    assert missing.startswith("metrics instance 'us' is missing: ")
    assert "too many samples" in missing
    stores.servers["us"].faults = [Fault(403, "no")]
    assert "refused the credentials" in (await merged.rules()).missing[0]


async def test_where_all_fail_the_error_names_each(stores: Stores) -> None:
    merged = await stores.merged({"eu": [], "us": []})
    for server in stores.servers.values():
        server.faults = [Fault(403, "no")] * 2
    with pytest.raises(PermanentError, match=r"(?s)'eu'.*'us'"):
        await merged.query("up", NOW)


async def test_where_all_fail_and_one_may_pass_it_may_pass(stores: Stores) -> None:
    merged = await stores.merged({"eu": [], "us": []}, timeout_seconds=0.1)
    stores.servers["eu"].faults = [Fault(200, delay=1)] * 3
    stores.servers["us"].faults = [Fault(403, "no")]
    with pytest.raises(TemporaryError, match=r"(?s)'eu'.*no complete answer.*'us'.*credentials"):
        await merged.query("up", NOW)


async def test_a_silent_one_is_waited_for_once_and_then_left_alone(stores: Stores) -> None:
    merged = await stores.merged({"eu": [gauge("up", 1)], "us": [gauge("up", 1)]}, timeout_seconds=0.3)
    stores.servers["us"].faults = [Fault(200, delay=5)] * 50
    names = await merged.metric_names(WINDOW)
    assert names == {"up"}
    assert "no complete answer" in names.missing[0]
    before = len(stores.servers["us"].requests)
    begun = time.monotonic()
    answers = [await merged.query("up", NOW) for _ in range(20)]
    assert time.monotonic() - begun < 2
    assert len(stores.servers["us"].requests) == before
    assert all("no complete answer" in answer.missing[0] and answer.series for answer in answers)


class Scripted(SnapshotMetrics):
    """Fails for the expressions it is told to, by a clock of the test's."""

    def __init__(self, failing: set[str]) -> None:
        super().__init__(lambda: (gauge("up", 1), gauge("heavy", 1)), lambda: NOW)
        self.failing = failing
        self.asked: list[str] = []

    async def query(self, expression: str, at: Any) -> Any:
        self.asked.append(expression)
        if expression in self.failing:
            raise TemporaryError("silence")
        return await super().query(expression, at)


async def test_one_that_rests_is_asked_again_later() -> None:
    now = [100.0]
    eu, us = Scripted(set()), Scripted({"up"})
    merged = MergedMetrics({"eu": eu, "us": us}, lambda: now[0], rest_seconds=15)
    assert (await merged.query("up", NOW)).missing
    now[0] = 110.0
    assert (await merged.query("heavy", NOW)).missing == ("metrics instance 'us' is missing: silence",)
    assert us.asked == ["up"]
    now[0] = 115.1
    us.failing = set()
    assert (await merged.query("up", NOW)).missing == ()
    assert us.asked == ["up", "up"]


async def test_an_instance_that_answers_other_questions_meanwhile_is_not_left_alone() -> None:
    now = [100.0]
    us = Scripted({"heavy"})
    merged = MergedMetrics({"eu": Scripted(set()), "us": us}, lambda: now[0])
    original = us.query

    async def slow(expression: str, at: Any) -> Any:
        if expression == "heavy":
            now[0] += 10
            await merged.query("up", at)  # another question is answered while this one takes too long
        return await original(expression, at)

    us.query = slow  # type: ignore[method-assign]
    assert (await merged.query("heavy", NOW)).missing
    assert (await merged.query("up", NOW)).missing == ()


async def test_an_investigation_has_the_evidence_of_those_that_answer(stores: Stores) -> None:
    """Row 32 of the faults, through the collectors: silence, a refused query and a partial answer at the same time."""
    series = [gauge("up", 1, pod="a"), gauge("heavy", 1)]
    merged = await stores.merged({"eu": series, "us": series}, timeout_seconds=0.3)
    stores.servers["us"].faults = [Fault(200, delay=5)] * 50
    stores.servers["eu"].warnings = ["PromQL warning: a part of the samples is missing"]
    alert = Alert("f", AlertStatus.FIRING, {"alertname": "High"}, {}, NOW, None, NOW, "test")
    scope = Scope(
        "i", 1, NOW, WINDOW, (), (alert,), Limits(timeout_seconds=10), (Signal("up", "availability", "", {}),)
    )
    found = [
        await run_collector(collector, scope, Readers(metrics=merged))
        for collector in COLLECTORS
        if collector.name in ("metrics_signals", "alert_conditions")
    ]
    observations = [item for collected in found for item in collected.observations]
    (seen,) = [item for item in observations if item.query == "up"]
    assert shown(seen.series) == ['up{pod="a"}']
    assert any("a part of the samples is missing" in text for text in seen.left_out)
    (condition,) = [item for item in observations if item.query == "up > 1"]
    assert condition.series == ()  # asked and not there, which is told apart from not asked
    gaps = [gap for collected in found for gap in collected.gaps]
    assert gaps
    assert all("metrics instance 'us' is missing" in gap.reason for gap in gaps)
