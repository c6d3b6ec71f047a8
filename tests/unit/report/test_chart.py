"""A chart is valid markup whatever it is given, keeps gaps, and says in words what it shows."""

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

from hypothesis import given, strategies as st

from agent_sre.domain.reference import Window
from agent_sre.report.chart import MAX_LINES, Chart, Line, Mark, describe, draw

SVG = "{http://www.w3.org/2000/svg}"
START = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
HOUR = Window(START, START + timedelta(hours=1))
NAN = math.nan


def chart_of(values: Sequence[float], *, step: float = 60, unit: str = "number", marks: tuple[Mark, ...] = ()) -> Chart:
    times = [START.timestamp() + step * index for index in range(len(values))]
    return Chart("requests", unit, (Line("checkout", times, values),), HOUR, marks)


def parse(chart: Chart) -> ElementTree.Element:
    return ElementTree.fromstring(draw(chart))  # noqa: S314  our own output


def paths(chart: Chart) -> list[str]:
    return [item.attrib["d"] for item in parse(chart).iter(f"{SVG}path")]


def texts(chart: Chart) -> list[str]:
    return [item.text or "" for item in parse(chart).iter(f"{SVG}text")]


any_text = st.text(st.characters(), max_size=40)
instants = st.datetimes(datetime(1970, 1, 2), datetime(2199, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
lines = st.builds(Line, any_text, st.lists(st.floats(), max_size=30), st.lists(st.floats(), max_size=30))
units = st.sampled_from(["bytes", "seconds", "milliseconds", "ratio", "percent", "per_second", "number", "", "odd"])
windows = st.tuples(instants, st.timedeltas(timedelta(0), timedelta(days=400))).map(lambda p: Window(p[0], p[0] + p[1]))
marks = st.lists(st.builds(Mark, instants, any_text, any_text), max_size=4).map(tuple)
charts = st.builds(Chart, any_text, units, st.lists(lines, max_size=8).map(tuple), windows, marks)


@given(charts)
def test_any_input_gives_one_valid_accessible_svg(chart: Chart) -> None:
    root = parse(chart)
    assert root.tag == f"{SVG}svg"
    assert root.find(f"{SVG}title") is not None and root.find(f"{SVG}desc") is not None
    numbers = re.findall(r'(?:x|y|x1|x2|y1|y2|cx|cy|d)="([^"]*)"', draw(chart))
    assert not any(word in number for number in numbers for word in ("nan", "inf"))


@given(st.lists(st.floats(), min_size=1, max_size=60), st.integers(-(10**9), 10**9))
def test_samples_inside_the_window_stay_inside_the_plot(values: list[float], offset: int) -> None:
    chart = chart_of([value + offset for value in values])
    height = float(parse(chart).attrib["height"])
    for path in paths(chart):
        for x, y in (pair.split() for pair in re.split("[ML]", path) if pair):
            assert 0 <= float(x) <= 460 and -0.1 <= float(y) <= height


def test_a_hole_in_the_samples_breaks_the_line() -> None:
    steady = chart_of([1.0] * 20)
    assert paths(steady)[0].count("M") == 1
    times = [START.timestamp() + 60 * index for index in range(20) if not 5 < index < 12]
    holed = Chart("requests", "number", (Line("checkout", times, [1.0] * len(times)),), HOUR)
    assert paths(holed)[0].count("M") == 2


def test_nan_and_infinity_are_gaps_and_are_counted() -> None:
    chart = chart_of([1.0, 2.0, NAN, 3.0, 4.0, math.inf, 2.0, 2.0])
    assert paths(chart)[0].count("M") == 3
    assert "2 samples are not numbers" in describe(chart)
    assert "from 1 to 4, last 2" in describe(chart)


def test_a_single_sample_is_a_dot_and_none_is_said_to_be_none() -> None:
    assert len(list(parse(chart_of([3.0])).iter(f"{SVG}circle"))) == 1
    assert "no samples in this window" in texts(chart_of([]))
    assert "no samples in this window" in describe(chart_of([NAN]))


def test_a_constant_series_has_an_axis_around_it() -> None:
    ticks = [text for text in texts(chart_of([7.0] * 10)) if re.fullmatch(r"\d+", text)]
    assert "0" in ticks and any(int(tick) >= 7 for tick in ticks)


def test_ticks_are_round_with_units_and_times_are_utc() -> None:
    shown = texts(chart_of([0.0, 0.05, 0.31], unit="ratio"))
    assert {"0 %", "10 %", "20 %", "30 %", "40 %"} <= set(shown)
    assert {"12:15", "12:30", "UTC"} <= set(shown)
    assert {"256 MiB", "512 MiB"} <= set(texts(chart_of([0.0, 900 * 2**20], unit="bytes")))
    assert {"1 s", "2 s"} <= set(texts(chart_of([0.0, 2400.0], unit="milliseconds")))


def test_peaks_survive_downsampling_and_the_drawing_stays_small() -> None:
    values = [0.0] * 100_000
    values[54_321] = 1000.0
    chart = chart_of(values, step=3600 / 100_000)
    drawn = draw(chart)
    assert len(drawn) < 60_000
    highest = min(float(pair.split()[1]) for pair in re.split("[ML]", paths(chart)[0]) if pair)
    assert highest == min(highest, 10.0)


def test_marks_are_labelled_with_time_and_do_not_overlap() -> None:
    at = START + timedelta(minutes=30)
    marks = (Mark(at, "change", "deploy 42"), Mark(at + timedelta(seconds=20), "onset", "errors rise"))
    root = parse(chart_of([1.0] * 60, marks=marks))
    groups = [item for item in root.iter(f"{SVG}g") if "chart-mark" in item.attrib["class"]]
    assert [group.findtext(f"{SVG}title") for group in groups] == [
        "change, 12:30:00 UTC: deploy 42",
        "onset, 12:30:20 UTC: errors rise",
    ]
    heights = [text.attrib["y"] for group in groups for text in group.iter(f"{SVG}text")]
    assert len(set(heights)) == 2


def test_marks_outside_the_window_and_lines_beyond_the_limit_are_left_out_and_the_latter_said() -> None:
    late = Mark(START + timedelta(hours=3), "alert", "late")
    many = tuple(Line(f"pod-{index}", [START.timestamp()], [1.0]) for index in range(MAX_LINES + 2))
    chart = Chart("requests", "number", many, HOUR, (late,))
    assert "alert" not in texts(chart) and f"pod-{MAX_LINES}" not in texts(chart)
    assert "2 further lines are not drawn" in describe(chart)


def test_hostile_labels_are_escaped_and_hidden_characters_shown() -> None:
    chart = Chart("</title><script>x</script>", "number", (Line("\u202eevil\x00", [START.timestamp()], [1.0]),), HOUR)
    drawn = draw(chart)
    assert "<script" not in drawn and "&lt;script&gt;" in drawn
    assert "\u202e" not in drawn and "&lt;U+202E&gt;evil" in drawn


def test_the_same_input_gives_the_same_bytes() -> None:
    assert draw(chart_of([1.0, 2.0])) == draw(chart_of([1.0, 2.0]))
