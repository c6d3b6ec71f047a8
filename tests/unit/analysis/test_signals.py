"""Series become meanings; counters become rates that resets and gaps do not spoil."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.signals import about, measured, per_second, rate, resample, workload_of_pod
from agent_sre.domain.evidence import Observation
from agent_sre.domain.reference import Window
from agent_sre.domain.signal import LABELS, MEANINGS, Signal, default_signals
from agent_sre.domain.telemetry import Series

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def case_of(*series: Series, signals: tuple[Signal, ...] = ()) -> CaseFile:
    return CaseFile(
        now=NOW,
        window=Window(NOW - timedelta(hours=1), NOW),
        namespaces=["garden"],
        alerts=[],
        observations=[Observation("metrics/1", "metrics", "metrics", "all", NOW, series=series)],
        signals=(*signals, *default_signals()),
    )


def test_every_row_of_the_catalogue_uses_known_words_and_is_there_once() -> None:
    rows = default_signals()
    assert len({row.metric for row in rows}) == len(rows)
    assert {row.meaning for row in rows} <= set(MEANINGS)
    assert {ours for row in rows for ours in row.labels.values()} <= set(LABELS)


def test_a_counter_is_read_as_its_increase_per_second() -> None:
    times, values = rate(np.array([0.0, 10.0, 20.0]), np.array([5.0, 25.0, 55.0]))
    assert times.tolist() == [10.0, 20.0]
    assert values.tolist() == [2.0, 3.0]


def test_a_reset_counts_from_zero() -> None:
    assert rate(np.array([0.0, 10.0, 20.0]), np.array([100.0, 120.0, 30.0]))[1].tolist() == [2.0, 3.0]


def test_over_a_gap_there_is_no_rate() -> None:
    times, _ = rate(np.array([0.0, 10.0, 20.0, 600.0, 610.0]), np.array([0.0, 10.0, 20.0, 30.0, 40.0]))
    assert times.tolist() == [10.0, 20.0, 610.0]


def test_samples_that_are_no_numbers_are_left_out() -> None:
    case = case_of(
        Series.of("probe_success", {"target": "basil:80"}, [(0, 1.0), (10, float("nan")), (20, 0.0)], "gauge")
    )
    (item,) = measured(case)
    assert item.values.tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("pod", "workload"),
    [
        ("basil-5d8f7c9b6-x2x4z", "basil"),
        ("leaf-store-0", "leaf-store"),
        ("node-agent-x7k2p", "node-agent"),
        ("basil", "basil"),
    ],
)
def test_a_pod_belongs_to_its_workload(pod: str, workload: str) -> None:
    assert workload_of_pod(pod) == workload


def test_a_histogram_gives_its_mean_and_its_count() -> None:
    name, labels = "http_request_duration_seconds", {"namespace": "garden", "job": "basil"}
    case = case_of(
        Series.of(f"{name}_sum", labels, [(0, 0.0), (10, 5.0), (20, 25.0)], "histogram"),
        Series.of(f"{name}_count", labels, [(0, 0.0), (10, 10.0), (20, 20.0)], "histogram"),
    )
    (latency,) = about(case, "latency")
    (traffic,) = about(case, "traffic")
    assert latency.values.tolist() == [0.5, 2.0]
    assert traffic.values.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(("code", "role"), [("200", ""), ("404", ""), ("503", "errors"), ("0", "errors")])
def test_requests_with_a_server_error_are_errors(code: str, role: str) -> None:
    labels = {"destination_workload": "basil", "destination_workload_namespace": "garden", "response_code": code}
    case = case_of(Series.of("istio_requests_total", labels, [(0, 0.0), (10, 10.0)], "counter"))
    assert [item.role for item in about(case, "traffic")] == [role]


def test_the_site_s_own_row_comes_before_the_default() -> None:
    own = Signal("node_load1", "other", "number", {"instance": "node"})
    case = case_of(Series.of("node_load1", {"instance": "n1"}, [(0, 1.0), (10, 1.0)], "gauge"), signals=(own,))
    assert [item.meaning for item in measured(case)] == ["other"]


def test_a_port_is_no_part_of_a_node_s_name() -> None:
    case = case_of(Series.of("node_load1", {"instance": "n1:9100"}, [(0, 1.0), (10, 1.0)], "gauge"))
    assert [item.entity.name for item in measured(case)] == ["n1"]


def test_a_metric_that_nobody_knows_is_not_guessed_at() -> None:
    assert measured(case_of(Series.of("leaves_total", {"namespace": "garden"}, [(0, 1.0)], "counter"))) == ()


@pytest.mark.parametrize(
    ("unit", "factor"), [("per_second", 1.0), ("per_minute", 1 / 60), ("count_per_5_minutes", 1 / 300), ("number", 1.0)]
)
def test_units_of_counts(unit: str, factor: float) -> None:
    assert per_second(unit) == pytest.approx(factor)


def test_resampling_does_not_reach_over_gaps_or_before_the_start() -> None:
    values = resample(np.array([0.0, 10.0, 20.0]), np.array([1.0, 2.0, 3.0]), np.array([-5.0, 12.0, 25.0, 500.0]))
    assert np.isnan(values[[0, 3]]).all()
    assert values[[1, 2]].tolist() == [2.0, 3.0]


def test_an_exporter_beside_its_store_is_told_by_its_pod() -> None:
    labels = {"namespace": "garden", "pod": "leaf-store-0"}
    case = case_of(Series.of("mysql_slave_status_seconds_behind_master", labels, [(0, 1.0), (10, 2.0)], "gauge"))
    assert [item.entity.name for item in measured(case)] == ["leaf-store"]
