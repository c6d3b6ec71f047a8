"""OpenMetrics text as snapshots hold it: what is read, and what is refused with its line."""

import io
import math

import pytest

from agent_sre.adapters.snapshot_directory.openmetrics import parse_openmetrics
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.telemetry import Series

NOW = 1000.0


def parse(text: str, now: float = NOW) -> tuple[Series, ...]:
    return parse_openmetrics(io.BytesIO(text.encode()), "metrics.om", now).series


def test_series_with_labels_kinds_and_samples() -> None:
    text = (
        "# HELP http_requests Requests.\n"
        "# TYPE http_requests counter\n"
        'http_requests_total{code="200",app="a"} 1 10\n'
        'http_requests_total{code="200",app="a"} 2.5e3 20.25\n'
        'http_requests_total{code="500",app="a"} 0 20\n'
        "# TYPE temperature gauge\n"
        "temperature -3 10\n"
        "untyped 1 10\n"
        "# EOF\n"
    )
    found = {str(series): (list(series.times), list(series.values), series.kind) for series in parse(text)}
    assert found == {
        'http_requests_total{app="a",code="200"}': ([10.0, 20.25], [1.0, 2500.0], "counter"),
        'http_requests_total{app="a",code="500"}': ([20.0], [0.0], "counter"),
        "temperature": ([10.0], [-3.0], "gauge"),
        "untyped": ([10.0], [1.0], ""),
    }


def test_special_values() -> None:
    (series,) = parse("x NaN 1\nx +Inf 2\nx -Inf 3\n# EOF\n")
    assert math.isnan(series.values[0])
    assert list(series.values[1:]) == [math.inf, -math.inf]


def test_label_values_with_escapes_braces_spaces_and_hashes() -> None:
    (series,) = parse('x{a="say \\"hi\\"\\n",b="C:\\\\dir",c="} 1 2 # {",d=""} 7 3\n# EOF\n')
    assert series.labels == {"a": 'say "hi"\n', "b": "C:\\dir", "c": "} 1 2 # {", "d": ""}
    assert (list(series.times), list(series.values)) == ([3.0], [7.0])


def test_interleaved_series_and_labels_in_another_order_are_one_series() -> None:
    first, second = parse('x{a="1",b="2"} 1 1\ny 1 1\nx{b="2",a="1"} 2 2\ny 2 2\n# EOF\n')
    assert (first.name, list(first.values)) == ("x", [1.0, 2.0])
    assert (second.name, list(second.values)) == ("y", [1.0, 2.0])


def test_exemplars_are_dropped() -> None:
    (series,) = parse('h_bucket{le="1"} 3 5 # {trace_id="a b"} 0.67 4.9\nh_bucket{le="1"} 4 6\n# EOF\n')
    assert (list(series.times), list(series.values)) == ([5.0, 6.0], [3.0, 4.0])


def test_unordered_and_repeated_times_end_ordered_with_the_last_sample_of_a_moment() -> None:
    (series,) = parse("x 3 30\nx 1 10\nx 2 20\nx 9 10\n# EOF\n")
    assert (list(series.times), list(series.values)) == ([10.0, 20.0, 30.0], [9.0, 2.0, 3.0])


def test_nothing_after_now() -> None:
    (series,) = parse("x 1 10\nx 2 1000\nx 3 1000.001\ny 1 2000\n# EOF\n")
    assert list(series.times) == [10.0, 1000.0]


@pytest.mark.parametrize("kind", ["_bucket", "_count", "_sum", "_created"])
def test_the_parts_of_a_histogram_have_its_kind(kind: str) -> None:
    (series,) = parse(f"# TYPE h histogram\nh{kind} 1 1\n# EOF\n")
    assert series.kind == "histogram"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("x 1 1\n", 2, "no '# EOF'"),
        ("x 1 1\nx 1\n# EOF\n", 2, "no timestamp"),
        ("x 1 1\ny one 2\n# EOF\n", 2, "must be numbers"),
        ("x 1_000 1\n# EOF\n", 1, "value timestamp"),
        ("x \u0661 1\n# EOF\n", 1, "value timestamp"),
        ('x{a="1} 1 1\n# EOF\n', 1, "well-formed labels"),
        ('x{a="1",a="2"} 1 1\n# EOF\n', 1, "well-formed labels"),
        ("x{a=1} 1 1\n# EOF\n", 1, "well-formed labels"),
        ("{} 1 1\n# EOF\n", 1, "no metric name"),
        ("x 1 1 1 1\n# EOF\n", 1, "value timestamp"),
        ("x 1 1\n# EOF\ny 1 1\n", 3, "after '# EOF'"),
    ],
)
def test_what_is_wrong_is_refused_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(PermanentError, match=rf"metrics\.om: line {line}: .*{words}"):
        parse(text)


def test_bytes_that_are_no_text_are_refused_with_their_line() -> None:
    with pytest.raises(PermanentError, match=r"metrics\.om: line 2: not UTF-8"):
        parse_openmetrics(io.BytesIO(b"x 1 1\nx \xff 2\n# EOF\n"), "metrics.om", NOW)


def test_a_series_that_goes_on_over_many_blocks_is_whole() -> None:
    rows = [f'x{{pod="{name}"}} {n} {n}\n' for name in ("a" * 40, "b" * 40) for n in range(60_000)]
    first, second = parse("".join([*rows, "# EOF\n"]), 10.0**6)
    assert list(first.values) == list(second.values) == [float(n) for n in range(60_000)]
    assert list(first.times) == list(second.times) == list(first.values)


def test_numbers_that_json_writes_otherwise_are_numbers() -> None:
    (series,) = parse("x -0 1\nx .5 2\nx 5. 3\nx 1E2 4\nx +7 05\nx 123456789012345678901234567890 6\n# EOF\n")
    assert list(series.values) == [0.0, 0.5, 5.0, 100.0, 7.0, 123456789012345678901234567890.0]
    assert math.copysign(1, series.values[0]) == -1


@pytest.mark.parametrize("row", ["x 1", "x 1 2 3", "x 1,2 3", "x true 3", "x [1] 3", 'x "1" 3', "x null 3", "x {} 3"])
def test_one_odd_line_among_many_is_refused_with_its_line(row: str) -> None:
    around = ["x 1 1", "x 2 2 # {} 1 3", row, "x 4,5 6", "# EOF", ""]
    with pytest.raises(PermanentError, match=r"metrics\.om: line 3: "):
        parse("\n".join(around))


def test_a_line_without_end_is_refused() -> None:
    with pytest.raises(PermanentError, match=r"metrics\.om: line 2: longer than"):
        parse("x 1 1\n" + "y" * 3_000_000)


def test_series_of_one_scrape_share_their_times() -> None:
    first, second = parse("x 1 1\nx 2 2\ny 3 1\ny 4 2\n# EOF\n")
    assert first.times is second.times


def test_exemplars_that_name_a_trace_are_kept_and_odd_ones_do_not_make_a_text_unreadable() -> None:
    text = (
        'took_bucket{le="1"} 3 100 # {trace_id="4bf92f35",span="x"} 0.7 99.5\n'
        'took_bucket{le="5"} 4 100 # {traceID="00f0"} 2.5\n'
        'took_bucket{le="9"} 4 100 # {user="u"} 6\n'
        'took_bucket{le="9"} 5 101 # nonsense\n'
        'took_bucket{le="9"} 6 102 # {trace_id="late"} 6 5000\n'
        "# EOF\n"
    )
    found = parse_openmetrics(io.BytesIO(text.encode()), "metrics.om", 1000.0)
    assert [(item.labels["le"], item.trace_id, item.value, item.time) for item in found.exemplars] == [
        ("1", "4bf92f35", 0.7, 99.5),
        ("5", "00f0", 2.5, 100.0),
    ]
    assert [list(item.values) for item in found.series] == [[3.0], [4.0], [4.0, 5.0, 6.0]]
