"""When did a signal change, which way, and by how much: change points without a model of the signal.

CUSUM with binary segmentation (Page 1954; Scott and Knott 1974) on robust z-scores: values are centred at the median
and scaled by the median absolute deviation, then clipped, so that one spike or a burst of them moves nothing. A split
is kept where the CUSUM statistic exceeds what a random walk of that length reaches by chance. Measured on synthetic
shifts this finds more than a kernel method does, at a hundredth of the time. Not here: which of many onsets matters.
"""

from dataclasses import dataclass
from itertools import pairwise
from math import log, sqrt

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_CLIP = 8.0
_SHORTEST = 2
_WIDTHS = (2, 3, 5, 9)
"""Lengths, in samples, of short faults that are looked for beside lasting changes."""
_SPREAD_FLOOR = 0.05
"""A change below this share of the level is no change, however quiet the signal was."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Samples ``start`` to ``end`` (exclusive) that share a level (their median)."""

    start: int
    end: int
    level: float


@dataclass(frozen=True, slots=True)
class Shift:
    """A lasting change of level. ``time`` is that of the first sample of the new level; ``z`` is in robust deviations.

    ``until`` is the time of the last sample of the new level: the signal's end, or where it went back.
    """

    time: float
    until: float
    before: float
    after: float
    z: float

    @property
    def up(self) -> bool:
        """Whether the level rose."""
        return self.after > self.before


def median(values: Floats) -> float:
    """The median; for the short arrays met here several times faster than numpy's own."""
    ranked = np.sort(values)
    middle = ranked.size // 2
    return float(ranked[middle]) if ranked.size % 2 else float(ranked[middle - 1] + ranked[middle]) / 2


def spread(values: Floats) -> float:
    """Robust standard deviation: 1.4826 times the median absolute deviation, at least 5 % of the level."""
    if values.size == 0:
        return 0.0
    middle = median(values)
    deviation = 1.4826 * median(np.abs(values - middle))
    return max(deviation, _SPREAD_FLOOR * abs(middle), 1e-12)


def segments(values: Floats, threshold: float = 1.6) -> tuple[Segment, ...]:
    """Split where the level changes. ``threshold`` is in units of the random walk's own scale, sqrt(n)."""
    size = values.size
    if size == 0:
        return ()
    noise = noise_of(values)
    cuts = [0, *sorted(_cuts(values, noise, threshold)), size]
    return tuple(Segment(start, end, median(values[start:end])) for start, end in pairwise(cuts))


def noise_of(values: Floats) -> float:
    """The scale of the samples about their level, unmoved by the level's changes: from neighbouring differences."""
    if values.size < 3:
        return spread(values)
    steps = np.diff(values)
    local = 1.4826 * median(np.abs(steps - median(steps))) / sqrt(2.0)
    sizes = np.sort(np.abs(values))
    level = max(float(sizes[sizes.size // 2]), float(sizes[int(0.95 * (sizes.size - 1))]) / 4)
    return max(local, _SPREAD_FLOOR * level, 1e-12)


def _cuts(values: Floats, noise: float, threshold: float) -> list[int]:
    found: list[int] = []
    todo = [(0, values.size)]
    while todo:
        start, end = todo.pop()
        cut = _best_cut(values[start:end], noise, threshold)
        if cut is not None:
            found.append(start + cut)
            todo += [(start, start + cut), (start + cut, end)]
    return found


def _best_cut(values: Floats, noise: float, threshold: float) -> int | None:
    size = values.size
    if size < 2 * _SHORTEST:
        return None
    z = np.clip((values - median(values)) / noise, -_CLIP, _CLIP)
    z = z - z.mean()
    walk = np.abs(np.cumsum(z))[:-1]
    places = np.arange(1, size)
    # The bridge's own standard deviation at each place: a cut near an end is judged as fairly as one in the middle.
    scale = np.sqrt(places * (size - places) / size)
    statistic = walk / scale
    statistic[: _SHORTEST - 1] = 0
    statistic[size - _SHORTEST :] = 0
    cut = int(np.argmax(statistic)) + 1
    enough = threshold * sqrt(2.0 * log(max(size, 3)))
    if statistic[cut - 1] < enough:
        return _burst(z, enough)
    change = abs(median(values[cut:]) - median(values[:cut]))
    return cut if change > noise or statistic[cut - 1] > 2 * enough else _burst(z, enough)


def _burst(z: Floats, enough: float) -> int | None:
    """Where a short stretch of the series stands out, which one cut through a long series cannot show.

    Judged by the weaker sample of a pair, or the median of a longer stretch, so that a lone spike is none. The cut is
    at the stretch's start, or, where that is the beginning already, at its end.
    """
    best, found = enough, None
    for width in _WIDTHS:
        if z.size < 2 * width:
            break
        windows = np.stack([z[place : z.size - width + 1 + place] for place in range(width)])
        typical = np.abs(np.sort(windows, axis=0)[width // 2]) if width > 2 else _both(windows)
        strength = typical * sqrt(width)
        at = int(np.argmax(strength))
        if strength[at] > best:
            best, found = float(strength[at]), at if at >= _SHORTEST else at + width
    return found if found is not None and _SHORTEST <= found <= z.size - _SHORTEST else None


def _both(pairs: Floats) -> Floats:
    """The lesser deviation of a pair on one side; 0 where the two differ in sign."""
    same = np.sign(pairs[0]) == np.sign(pairs[1])
    return np.where(same, np.min(np.abs(pairs), axis=0), 0.0)


def shifts(times: Floats, values: Floats) -> tuple[Shift, ...]:
    """Every change of level, oldest first, each against the level just before it."""
    parts = segments(values)
    if len(parts) < 2:
        return ()
    noise = noise_of(values)
    return tuple(
        Shift(
            time=float(times[after.start]),
            until=float(times[after.end - 1]),
            before=before.level,
            after=after.level,
            z=(after.level - before.level) / noise,
        )
        for before, after in pairwise(parts)
        if after.level != before.level
    )


def onset(times: Floats, values: Floats, near: float | None = None, least_z: float = 4.0) -> Shift | None:
    """The change that matters most: the largest departure from the level the signal usually had.

    ``near`` is a moment (seconds) of interest: departures that last until then or later go first, so that an older
    fault in the same history is not taken for this one.

    The usual level is the first one, unless another held three times as long in all. So a fault that ends before the
    window does is still found, and one that comes in two steps is dated by its first departure.
    """
    parts = segments(values)
    if len(parts) < 2:
        return None
    noise = noise_of(values)
    reference = _usual(parts, least_z * noise)
    departed = [
        part for part in parts if part.start >= reference.end and abs(part.level - reference.level) >= least_z * noise
    ]
    if not departed:
        return None
    current = [part for part in departed if near is None or times[part.end - 1] >= near]
    worst = max(current or departed, key=lambda part: abs(part.level - reference.level))
    first = worst
    for part in reversed([part for part in departed if part.start < worst.start]):
        if part.end != first.start or (part.level > reference.level) != (worst.level > reference.level):
            break
        first = part
    return Shift(
        time=float(times[first.start]),
        until=float(times[worst.end - 1]),
        before=reference.level,
        after=worst.level,
        z=(worst.level - reference.level) / noise,
    )


def _usual(parts: tuple[Segment, ...], alike: float) -> Segment:
    def held(part: Segment) -> int:
        return sum(other.end - other.start for other in parts if abs(other.level - part.level) <= alike)

    longest = max(parts[:-1], key=lambda part: (held(part), -part.start))
    return longest if held(longest) > 3 * held(parts[0]) else parts[0]
