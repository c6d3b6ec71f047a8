"""What is charted is what was cited, about the objects spoken of, counters as rates."""

import pytest

from agent_sre.domain.signal import Signal
from agent_sre.domain.telemetry import Series
from agent_sre.report.chart_choice import chart_of, choose, pick_lines, rate, unit_of, window_of
from agent_sre.testing.sample_incident import NOW, sample_incident
from agent_sre.testing.sample_telemetry import sample_observations


def test_cited_series_are_charted_in_the_order_of_the_evidence() -> None:
    sample = sample_incident()
    observations = {item.id: item for item in sample.observations}
    chosen = choose(sample.verdict, observations, ["checkout", "payments"], ())
    assert [item.chart.title for item in chosen] == [
        "workload:request_errors:ratio_rate1m",
        "workload:request_duration_milliseconds:p95",
    ]
    assert [line.label for line in chosen[0].chart.lines] == ["checkout", "payments"]
    assert chosen[1].evidence == ("E5", "E6")
    assert choose(None, observations, ["checkout"], ()) == ()


def test_where_nothing_is_cited_the_subjects_felt_signals_are_shown() -> None:
    observations = {item.id: item for item in sample_incident().observations}
    signals = (
        Signal("workload:request_errors:ratio_rate1m", "errors", "ratio", {}),
        Signal("workload:request_duration_milliseconds:p95", "latency", "milliseconds", {}),
    )
    chosen = choose(None, observations, ["checkout"], (), signals)
    assert [(item.chart.title, item.chart.metric) for item in chosen] == [
        ("Latency · checkout", "workload:request_duration_milliseconds:p95"),
        ("Errors · checkout", "workload:request_errors:ratio_rate1m"),
    ]
    assert all(item.evidence == () for item in chosen)
    assert choose(None, observations, ["search", ""], (), signals) == ()


def test_a_counter_becomes_a_rate_and_a_reset_is_no_negative_rate() -> None:
    series = Series.of("http_requests_total", {}, [(0, 10), (10, 30), (20, 5), (20, 9), (30, 15)])
    times, values = rate(series)
    assert list(times) == [10, 20, 30]
    assert list(values) == [2.0, 0.5, 0.6]


def test_pods_count_as_their_workload_and_others_only_where_nothing_is_ours() -> None:
    group = [Series.of("cpu", {"pod": name}, [(0, peak)]) for name, peak in (("cart-1", 9.0), ("checkout-7d-x", 1.0))]
    assert [item.labels["pod"] for item in pick_lines(group, ["checkout"])] == ["checkout-7d-x"]
    assert [item.labels["pod"] for item in pick_lines(group, ["search"])] == ["cart-1", "checkout-7d-x"]
    assert next(item.labels["pod"] for item in pick_lines(group, ["search"], excerpt='cpu{pod="checkout-7d-x"} 1')) == (
        "checkout-7d-x"
    )


def test_a_caller_is_not_what_a_series_is_about() -> None:
    calls = [
        Series.of("istio_requests_total", {"source_workload": source, "destination_workload": target}, [(0, 1)])
        for source, target in (("checkout", "payments"), ("gateway", "checkout"))
    ]
    assert pick_lines(calls, ["checkout"]) == (calls[1],)


def test_lines_are_told_apart_by_as_few_labels_as_will_do() -> None:
    def labels(*each: dict[str, str]) -> list[str]:
        series = [Series.of("m", item, [(0, 1)]) for item in each]
        window = window_of(sample_observations(NOW)[0], series)
        return [line.label for line in chart_of("m", series, window, ()).lines]

    assert labels({"pod": "a-1", "workload": "a"}, {"pod": "b-1", "workload": "b"}) == ["a", "b"]
    assert labels({"pod": "a-1", "workload": "a"}, {"pod": "a-2", "workload": "a"}) == ["a-1", "a-2"]
    assert labels({"x": "1", "y": "1"}, {"x": "1", "y": "2"}, {"x": "2", "y": "1"}) == [
        "x=1 y=1",
        "x=1 y=2",
        "x=2 y=1",
    ]
    mesh = [
        {"destination_workload": to, "destination_service_name": to, "response_code": code, "reporter": "r"}
        for to in ("checkout", "cart")
        for code in ("200", "500")
    ]
    assert labels(*mesh) == ["checkout 200", "checkout 500", "cart 200", "cart 500"]
    assert labels({"workload": "a", "zone": "z"}) == ["a"] and labels({}) == ["m"]


@pytest.mark.parametrize(
    ("name", "counter", "unit"),
    [
        ("container_memory_working_set_bytes", False, "bytes"),
        ("container_network_receive_bytes_total", True, "bytes_per_second"),
        ("container_cpu_usage_seconds_total", True, "cores"),
        ("http_request_duration_seconds", False, "seconds"),
        ("workload:request_duration_milliseconds:p95", False, "milliseconds"),
        ("instance:node_memory_utilisation:ratio", False, "ratio"),
        ("up", False, "number"),
    ],
)
def test_units_are_read_from_names(name: str, counter: bool, unit: str) -> None:
    assert unit_of(name, counter) == unit


def test_the_signal_catalogue_names_meaning_and_unit() -> None:
    signal = Signal("odd_metric", "latency", "seconds", {})
    series = [Series.of("odd_metric", {"workload": "checkout"}, [(0, 1)])]
    chart = chart_of("odd_metric", series, window_of(sample_observations(NOW)[0], series), (), (signal,))
    assert (chart.title, chart.metric, chart.unit) == ("Latency · checkout", "odd_metric", "seconds")
