"""The telemetry behind ``sample_incident``: computed series, log lines, a change, and the facts read from them.

Every number in a fact is a number of the series, so that a page can be checked against its charts.
"""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta

from agent_sre.domain.evidence import Evidence, Observation
from agent_sre.domain.finding import Fact
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Change, LogLine, LogSource, LogStream, Series
from agent_sre.domain.verdict import Moment


def sample_observations(now: datetime) -> tuple[Observation, ...]:
    """What the collectors brought back: two metrics, logs, a pod with its events, changes."""
    window = Window(now - timedelta(minutes=60), now)
    deployed = now - timedelta(minutes=10)
    return (
        Observation(
            "metrics/1",
            "metrics",
            "prometheus",
            "sum by (workload) (workload:request_errors:ratio_rate1m)",
            now,
            window,
            series=tuple(_error_ratio(window, name) for name in ("checkout", "cart", "payments")),
            link="http://prometheus.example/graph?g0.expr=workload%3Arequest_errors%3Aratio_rate1m",
        ),
        Observation(
            "metrics/2",
            "metrics",
            "prometheus",
            'workload:request_duration_milliseconds:p95{namespace="shop"}',
            now,
            window,
            series=tuple(_latency(window, name) for name in ("checkout", "payments")),
        ),
        Observation(
            "logs/1", "logs", "kubernetes logs", "shop/checkout-7d9f-x2x/app", now, window, streams=(_logs(now),)
        ),
        Observation(
            "kubernetes/1",
            "kubernetes",
            "kubernetes",
            "GET /api/v1/namespaces/shop/events kind=Event",
            now,
            objects=({"kind": "Event", "apiVersion": "v1", "metadata": {"name": "e1", "namespace": "shop"}},),
        ),
        Observation(
            "changes/1",
            "changes",
            "changes",
            "changes in shop",
            now,
            window,
            changes=(
                Change("dep-40", now - timedelta(minutes=52), "config", "cart", "raise log level", "jonas"),
                Change("dep-42", deployed, "deploy", "checkout", "2.14.3 to 2.15.0: pooled payment client", "mira"),
            ),
        ),
    )


def sample_evidence(now: datetime) -> Iterator[Evidence]:
    """What is cited: E1 to E6, one for each fact."""
    window = Window(now - timedelta(minutes=60), now)
    for number, (fact, source, query) in enumerate(sample_facts(now), 1):
        seen_in = window if fact.observation.startswith(("metrics", "logs")) else None
        link = "http://prometheus.example/graph" if source == "prometheus" else ""
        yield Evidence(f"E{number}", fact.observation, source, query, fact.excerpt, fact.time, seen_in, link)


def sample_story(now: datetime) -> tuple[Moment, ...]:
    """What happened, as the facts with a time tell it."""
    kinds = {"metrics/1": "onset", "metrics/2": "onset", "logs/1": "error", "kubernetes/1": "event"}
    moments = [
        Moment(fact.time, kinds[fact.observation], fact.text, (f"E{number}",), source)
        for number, (fact, source, _) in enumerate(sample_facts(now), 1)
        if fact.time is not None and fact.observation in kinds
    ]
    deployed = "deploy of checkout: 2.14.3 to 2.15.0: pooled payment client"
    moments.append(Moment(now - timedelta(minutes=10), "change", deployed, ("E2",), "mira"))
    return tuple(sorted(moments, key=lambda item: item.time))


def sample_facts(now: datetime) -> tuple[tuple[Fact, str, str], ...]:
    """Each fact with its source and exact query."""
    onset = now - timedelta(minutes=8, seconds=50)
    return tuple(
        (Fact(text, observation, excerpt, None if after is None else onset + timedelta(seconds=after)), source, query)
        for text, observation, excerpt, after, source, query in _SEEN
    )


def _error_ratio(window: Window, workload: str) -> Series:
    onset = window.end.timestamp() - 8 * 60 - 50

    def value(time: float) -> float:
        calm = 0.004 + 0.002 * math.sin(time / 97) ** 2
        return calm if workload != "checkout" or time < onset else min(0.31, calm + (time - onset) / 90 * 0.31)

    points = [(time, value(time)) for time in _times(window)]
    if workload == "cart":  # a scrape that failed for six minutes: a gap, not zeros
        points = [point for point in points if not onset - 1500 < point[0] < onset - 1140]
    return Series.of(
        "workload:request_errors:ratio_rate1m", {"namespace": "shop", "workload": workload}, points, "gauge"
    )


def _latency(window: Window, workload: str) -> Series:
    onset = window.end.timestamp() - 8 * 60 - 20

    def value(time: float) -> float:
        if workload == "payments":
            return 42 + 3 * math.sin(time / 131)
        calm = 180 + 22 * math.sin(time / 61)
        return calm if time < onset else min(2400.0, calm + (time - onset) / 120 * 2200)

    labels = {"namespace": "shop", "workload": workload}
    points = [(time, value(time)) for time in _times(window)]
    return Series.of("workload:request_duration_milliseconds:p95", labels, points, "gauge")


def _times(window: Window) -> list[float]:
    return [window.start.timestamp() + 15 * index for index in range(int(window.length.total_seconds() // 15) + 1)]


def _logs(now: datetime) -> LogStream:
    texts = (
        "INFO  checkout 2.15.0 listening on :8080",
        "ERROR payments client: pool size 'auto' is not a number, falling back to 0 connections",
        "ERROR POST /checkout 500 no connection available",
        "ERROR POST /checkout 500 no connection available",
        "FATAL payments client: giving up after 5 attempts",
    )
    start = now - timedelta(minutes=9, seconds=10)
    lines = tuple(LogLine(start + timedelta(seconds=20 * index), text) for index, text in enumerate(texts))
    return LogStream(LogSource("shop", "checkout-7d9f-x2x", "app"), lines, left_out=12)


_RATIO = "sum by (workload) (workload:request_errors:ratio_rate1m)"
_P95 = 'workload:request_duration_milliseconds:p95{namespace="shop"}'
_SEEN: tuple[tuple[str, str, str, int | None, str, str], ...] = (
    (
        "The error ratio of checkout rose from 0.4 % to 31 %",
        "metrics/1",
        'workload:request_errors:ratio_rate1m{workload="checkout"} 0.004 -> 0.31',
        0,
        "prometheus",
        _RATIO,
    ),
    (
        "checkout was deployed 70 s before the onset",
        "changes/1",
        "dep-42 deploy checkout 2.14.3 to 2.15.0: pooled payment client (mira)",
        -70,
        "changes",
        "changes in shop",
    ),
    (
        "Pods of revision 42 log pool errors from their first minute on",
        "logs/1",
        "ERROR payments client: pool size 'auto' is not a number, falling back to 0 connections",
        -20,
        "kubernetes logs",
        "shop/checkout-7d9f-x2x/app",
    ),
    (
        "The kubelet restarted a checkout container",
        "kubernetes/1",
        "Warning BackOff pod/checkout-7d9f-x2x: Back-off restarting failed container app",
        65,
        "kubernetes",
        "GET /api/v1/namespaces/shop/events kind=Event",
    ),
    (
        "payments itself answers as before",
        "metrics/2",
        'workload:request_duration_milliseconds:p95{workload="payments"} 42 -> 43',
        None,
        "prometheus",
        _P95,
    ),
    (
        "Requests of checkout take longer",
        "metrics/2",
        'workload:request_duration_milliseconds:p95{workload="checkout"} 180 -> 2400',
        30,
        "prometheus",
        _P95,
    ),
)
"""Fact, observation, excerpt, seconds after the onset, source, query."""
