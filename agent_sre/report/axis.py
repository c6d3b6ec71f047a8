"""The two axes of a chart: where values and instants fall in pixels, and which round ones are written beside them.

Called by ``chart``. Not here: drawing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from agent_sre.domain.reference import Window
from agent_sre.report.units import format_value, nice_step

LARGEST = 1e300
"""Values beyond this cannot be scaled without overflow and are drawn as gaps, as infinity is."""

_TIME_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_FLAT = 1e-9


@dataclass(frozen=True, slots=True)
class Axis:
    """A linear axis from ``low`` to ``high`` over the pixels ``start`` to ``end``, with labelled ticks."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[tuple[float, str], ...]

    def at(self, value: float) -> float:
        """The pixel of a value."""
        span = self.high - self.low
        return self.start + (value - self.low) / span * (self.end - self.start) if span else self.start


def value_axis(values: Sequence[float], unit: str, start: float, end: float) -> Axis:
    """The axis for finite values (none: 0 to 1). From zero, unless all lie in a narrow band far from it."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    magnitude = max(abs(low), abs(high))
    if high - low <= magnitude * _FLAT or high - low < 1e-290:
        pad = magnitude * 0.5 if magnitude > 1e-290 else 1.0
        low, high = (low - pad if low < 0 else 0.0), high + pad
    elif low >= 0 and (high - low) > high * 0.1:
        low = 0.0
    elif high <= 0 and (high - low) > -low * 0.1:
        high = 0.0
    step = nice_step(high - low, 4, unit)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    stride = max(1, (last - first) // 8)
    marks = [index * step for index in range(first, last + 1, stride)]
    ticks = tuple((mark, format_value(mark, unit, step * stride)) for mark in marks)
    return Axis(first * step, last * step, start, end, ticks)


def time_axis(window: Window, start: float, end: float, wanted: int = 5) -> Axis:
    """The axis for a window, in seconds since the epoch; ticks on round UTC times, with dates where days change."""
    low, high = window.start.timestamp(), window.end.timestamp()
    if high <= low:
        low, high = low - 30, high + 30
    raw = (high - low) / wanted
    step = next((float(item) for item in _TIME_STEPS if item >= raw), math.ceil(raw / 86400) * 86400.0)
    marks = [index * step for index in range(math.ceil(low / step), math.floor(high / step) + 1)]
    texts = _time_texts(marks, step)
    return Axis(low, high, start, end, tuple(zip(marks, texts, strict=True)))


def _time_texts(marks: Sequence[float], step: float) -> list[str]:
    texts: list[str] = []
    day: object = None
    for mark in marks:
        instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=mark)
        clock = instant.strftime("%H:%M:%S" if step < 60 else "%H:%M")
        new_day = day is not None and instant.date() != day
        texts.append(instant.strftime("%d %b") if step >= 86400 or new_day else clock)
        day = instant.date()
    return texts
