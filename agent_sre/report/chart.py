"""Time series as a standalone, accessible SVG, drawn without a plotting library.

A chart is read at 3 a.m. on a phone: it says in words what it shows (title and description for screen readers),
writes round ticks with units and UTC times, keeps gaps as gaps (absent is not zero) and tells lines apart by dash as
well as by colour. All colour is ``currentColor`` or a presentation attribute with a class, so a page's style sheet may
theme it and a strict content security policy has nothing to block. Pure: the same input gives the same bytes.

Not here: which series are worth drawing (``chart_choice``). Called by ``service`` and by the postmortem.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median
from xml.sax.saxutils import escape, quoteattr

from agent_sre.domain.reference import Window
from agent_sre.domain.visible import one_line
from agent_sre.report.axis import LARGEST, Axis, time_axis, value_axis
from agent_sre.report.units import format_value

# Mid tones with at least 3:1 against white and against near-black; told apart by dash too.
_PALETTE = (
    ("#2f6fdb", ""),
    ("#c2571a", "7 3"),
    ("#2a8a5f", "2 3"),
    ("#8e5bd0", "9 3 2 3"),
    ("#b8447e", "5 5"),
    ("#7d7a2b", "1 4"),
)
MAX_LINES = len(_PALETTE)
_MARK_COLOURS = {"change": "#8e5bd0", "onset": "#c2571a", "alert": "#cc3344", "action": "#2a8a5f"}
_RIGHT, _PLOT, _ROW = 12.0, 132.0, 14.0


@dataclass(frozen=True, slots=True)
class Line:
    """One line: what it is called in the legend, seconds since the epoch (UTC), and values in the chart's unit."""

    label: str
    times: Sequence[float]
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment worth a vertical line. ``kind``: onset, change, alert or action."""

    time: datetime
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn. ``unit`` as in the signal catalogue; lines beyond MAX_LINES are counted, not drawn. ``metric`` is
    the metric's own name where the title says what it means instead."""

    title: str
    unit: str
    lines: tuple[Line, ...]
    window: Window
    marks: tuple[Mark, ...] = ()
    metric: str = ""


@dataclass(frozen=True, slots=True)
class _Drawable:
    """A line's finite samples inside the window, split where samples are missing."""

    label: str
    runs: tuple[tuple[tuple[float, float], ...], ...]
    dropped: int

    @property
    def values(self) -> list[float]:
        return [value for run in self.runs for _, value in run]


def draw(chart: Chart, *, uid: str = "chart", width: int = 460) -> str:
    """The chart as one ``<svg>`` element. ``uid`` must be unique within a page: it names the title and description."""
    lines = tuple(_drawable(line, chart.window) for line in chart.lines[:MAX_LINES])
    marks = sorted((mark for mark in chart.marks if chart.window.contains(mark.time)), key=lambda mark: mark.time)
    values = [item for line in lines for item in line.values]
    left = _room_for_labels(value_axis(values, chart.unit, 0, 1))
    time = time_axis(chart.window, left, width - _RIGHT)
    rows, placed = _place_marks(marks, time, width)
    top = 8.0 + rows * _ROW
    value = value_axis(values, chart.unit, top + _PLOT, top)
    legend_top = top + _PLOT + 38
    height = legend_top + _ROW * len(lines) - 4
    body = [
        *_grid(time, value, width),
        *_marks(placed, top),
        *_lines(lines, time, value),
        *_legend(lines, left, legend_top),
    ]
    if not any(line.runs for line in lines):
        middle = (left + width - _RIGHT) / 2
        body.append(_text(middle, top + _PLOT / 2, "no samples in this window", "middle", "chart-empty"))
    ids = quoteattr(f"{uid}-title {uid}-desc")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" aria-labelledby={ids} '
        f'viewBox="0 0 {width} {height:.0f}" width="{width}" height="{height:.0f}" '
        'font-family="system-ui, sans-serif" font-size="11.5" fill="none">'
        f"<title id={quoteattr(f'{uid}-title')}>{escape(one_line(chart.title))}</title>"
        f"<desc id={quoteattr(f'{uid}-desc')}>{escape(describe(chart))}</desc>{''.join(body)}</svg>"
    )


def describe(chart: Chart) -> str:
    """The chart in words: window, each line's range and last value, the marks, and what could not be drawn."""
    start, end = chart.window.start, chart.window.end
    metric = f" ({one_line(chart.metric)})" if chart.metric else ""
    parts = [f"{one_line(chart.title)}{metric}, {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC."]
    parts += ranges(chart)
    parts += [
        f"{one_line(mark.kind)} at {mark.time:%H:%M:%S} UTC: {one_line(mark.text).rstrip('.')}."
        for mark in chart.marks
        if chart.window.contains(mark.time)
    ]
    return " ".join(parts)


def ranges(chart: Chart) -> list[str]:
    """Each line's range and last value as a sentence, and what could not be drawn."""
    parts = []
    for line in chart.lines[:MAX_LINES]:
        item = _drawable(line, chart.window)
        values = item.values
        if values:
            low, high, last = (format_value(number, chart.unit) for number in (min(values), max(values), values[-1]))
            parts.append(f"{one_line(item.label)}: from {low} to {high}, last {last}.")
        else:
            parts.append(f"{one_line(item.label)}: no samples in this window.")
        if item.dropped:
            parts.append(f"{item.dropped} samples are not numbers and are drawn as gaps.")
    if len(chart.lines) > MAX_LINES:
        parts.append(f"{len(chart.lines) - MAX_LINES} further lines are not drawn.")
    return parts


def _room_for_labels(axis: Axis) -> float:
    """Pixels left of the plot that the value axis' labels need."""
    return max(44.0, 12.0 + 6.6 * max(len(label) for _, label in axis.ticks))


def _drawable(line: Line, window: Window) -> _Drawable:
    low, high = window.start.timestamp(), window.end.timestamp()
    inside = sorted(
        ((t, v) for t, v in zip(line.times, line.values, strict=False) if low <= t <= high), key=lambda point: point[0]
    )
    steps = [later[0] - earlier[0] for earlier, later in pairwise(inside) if later[0] > earlier[0]]
    longest = 3 * median(steps) if steps else math.inf
    runs: list[list[tuple[float, float]]] = []
    dropped, previous = 0, math.nan
    for time, value in inside:
        if not abs(value) <= LARGEST:  # NaN too: a hole even where its neighbours are close
            dropped, previous = dropped + 1, math.nan
            continue
        if not time - previous <= longest:
            runs.append([])
        runs[-1].append((time, value))
        previous = time
    return _Drawable(line.label, tuple(tuple(run) for run in runs), dropped)


def _thin(points: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """At most four points a pixel column: first, lowest, highest, last. Peaks survive."""
    column: list[tuple[float, float]] = []
    for point in points:
        if column and int(point[0]) != int(column[0][0]):
            yield from _extremes(column)
            column = []
        column.append(point)
    yield from _extremes(column)


def _extremes(column: Sequence[tuple[float, float]]) -> Iterable[tuple[float, float]]:
    if len(column) <= 4:
        return column
    keep = {0, len(column) - 1}
    keep.add(min(range(len(column)), key=lambda index: column[index][1]))
    keep.add(max(range(len(column)), key=lambda index: column[index][1]))
    return [column[index] for index in sorted(keep)]


def _lines(lines: Sequence[_Drawable], time: Axis, value: Axis) -> Iterator[str]:
    for index, line in enumerate(lines):
        colour, dash = _PALETTE[index]
        path: list[str] = []
        dots: list[tuple[float, float]] = []
        for run in line.runs:
            points = list(_thin([(time.at(t), value.at(v)) for t, v in run]))
            if len(points) == 1:
                dots.append(points[0])
                continue
            path.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points))
        style = f'class="chart-line chart-s{index}" stroke="{colour}" stroke-width="1.6" stroke-linejoin="round"'
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        if path:
            yield f'<path {style}{dashed} d="{"".join(path)}"/>'
        for x, y in dots:
            yield f'<circle class="chart-dot chart-s{index}" stroke="{colour}" cx="{x:.1f}" cy="{y:.1f}" r="1.8"/>'


def _grid(time: Axis, value: Axis, width: float) -> Iterator[str]:
    right = width - _RIGHT
    for mark, label in value.ticks:
        y = value.at(mark)
        yield (
            f'<line class="chart-grid" stroke="currentColor" stroke-opacity="0.14" '
            f'x1="{time.start:.1f}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
        )
        yield _text(time.start - 7, y + 4, label, "end")
    base = value.start
    for mark, label in time.ticks:
        x = time.at(mark)
        yield (
            f'<line class="chart-tick" stroke="currentColor" stroke-opacity="0.5" '
            f'x1="{x:.1f}" x2="{x:.1f}" y1="{base:.1f}" y2="{base + 4:.1f}"/>'
        )
        if time.start + 12 <= x <= right - 34:
            yield _text(x, base + 16, label, "middle")
    yield _text(right, base + 16, "UTC", "end")


def _place_marks(marks: Sequence[Mark], time: Axis, width: float) -> tuple[int, list[tuple[Mark, float, int, str]]]:
    """Marks with x, row of the label and side: no two labels in a row overlap."""
    ends: list[float] = []
    placed = []
    for mark in marks:
        x = time.at(mark.time.timestamp())
        needed = 5.8 * len(mark.kind) + 8
        anchor = "start" if x + needed < width - _RIGHT else "end"
        begin = x if anchor == "start" else x - needed
        row = next((index for index, end in enumerate(ends) if end <= begin), len(ends))
        if row == len(ends):
            ends.append(0.0)
        ends[row] = begin + needed
        placed.append((mark, x, row, anchor))
    return len(ends), placed


def _marks(placed: Iterable[tuple[Mark, float, int, str]], top: float) -> Iterator[str]:
    for mark, x, row, anchor in placed:
        colour = _MARK_COLOURS.get(mark.kind, "currentColor")
        y = 11 + row * _ROW
        offset = 4 if anchor == "start" else -4
        label = f"{one_line(mark.kind)}, {mark.time:%H:%M:%S} UTC: {one_line(mark.text)}"
        yield (
            f'<g class="chart-mark chart-mark-{_word(mark.kind)}"><title>{escape(label)}</title>'
            f'<line stroke="{colour}" stroke-width="1.2" stroke-dasharray="3 2" '
            f'x1="{x:.1f}" x2="{x:.1f}" y1="{y - 8:.1f}" y2="{top + _PLOT:.1f}"/>'
            f"{_text(x + offset, y, mark.kind, anchor)}</g>"
        )


def _legend(lines: Sequence[_Drawable], left: float, top: float) -> Iterator[str]:
    for index, line in enumerate(lines):
        colour, dash = _PALETTE[index]
        y = top + index * _ROW - 4
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        yield (
            f'<line class="chart-line chart-s{index}" stroke="{colour}" stroke-width="2"{dashed} '
            f'x1="{left:.1f}" x2="{left + 26:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
        )
        yield _text(left + 33, y + 4, one_line(line.label, 58), "start", "chart-legend")


def _text(x: float, y: float, text: str, anchor: str, kind: str = "chart-text") -> str:
    return (
        f'<text class="{kind}" fill="currentColor" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
        f"{escape(one_line(text))}</text>"
    )


def _word(text: str) -> str:
    return "".join(letter for letter in text if letter.isascii() and letter.isalnum()) or "other"
