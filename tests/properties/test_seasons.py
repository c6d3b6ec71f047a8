"""What comes at the same phase with the same size recurs, through gaps; what is new, larger or alone does not."""

import numpy as np
from hypothesis import given, settings, strategies as st

from agent_sre.analysis.seasons import recurrence
from agent_sre.analysis.signals import Floats, rate

STEP, HOUR, DAY = 60.0, 3600.0, 86_400.0
PERIODS = st.sampled_from([(HOUR, "every hour", 5, 4), (DAY, "every day", 30, 2)])


def history(seed: int, period: float, minutes: int, count: int, phase: float, high: float) -> tuple[Floats, Floats]:
    """``count`` whole periods of calm with a burst of some minutes at one phase, and now the burst has begun."""
    begin = phase * period
    times = np.arange(0.0, count * period + begin + minutes * STEP, STEP)
    values = np.random.default_rng(seed).normal(100.0, 2.0, times.size)
    inside = ((times - begin) % period < minutes * STEP) & (times >= begin)
    values[inside] += high
    return times, values


def asked(times: Floats, values: Floats, minutes: int, high: float) -> str:
    start = float(times[-1]) - (minutes - 1) * STEP
    found = recurrence(times, values, start, 100.0, 100.0 + high)
    return found.often if found is not None else ""


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 999), PERIODS, st.floats(0.3, 0.6), st.floats(50, 500), st.floats(0.0, 0.15))
def test_a_burst_at_the_same_phase_recurs_though_samples_are_missing(
    seed: int, kind: tuple[float, str, int, int], phase: float, high: float, lost: float
) -> None:
    period, often, minutes, count = kind
    times, values = history(seed, period, minutes, count, phase, high)
    kept = np.random.default_rng(seed + 1).random(times.size) >= lost
    kept[-minutes:] = True
    hole = (times > 0.75 * period) & (times < 0.95 * period)  # a back end that was away
    assert asked(times[kept & ~hole], values[kept & ~hole], minutes, high) == often


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 999), PERIODS, st.floats(0.3, 0.6), st.floats(50, 500))
def test_a_burst_that_never_came_before_or_was_half_as_large_is_new(
    seed: int, kind: tuple[float, str, int, int], phase: float, high: float
) -> None:
    period, _, minutes, count = kind
    for before in (0.0, high / 2):
        times, values = history(seed, period, minutes, count, phase, before)
        values[-minutes:] += high - before
        assert asked(times, values, minutes, high) == ""


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 999), PERIODS, st.floats(0.3, 0.6), st.floats(0.15, 0.25))
def test_a_burst_at_another_phase_is_new(
    seed: int, kind: tuple[float, str, int, int], phase: float, later: float
) -> None:
    period, _, minutes, count = kind
    times, values = history(seed, period, minutes, count, phase, 200.0)
    moved = np.roll(values, int(later * period / STEP))
    moved[-minutes:] = 300.0
    assert asked(times, moved, minutes, 200.0) == ""


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 999), st.floats(0.3, 0.6), st.lists(st.integers(10, 230), max_size=3))
def test_a_counter_that_was_reset_recurs_as_it_would_without(seed: int, phase: float, resets: list[int]) -> None:
    times, values = history(seed, HOUR, 5, 4, phase, 300.0)
    total = np.cumsum(np.maximum(values, 0.0) * STEP)
    for at in resets:
        total[at:] -= total[at]
    at, per_second = rate(times, total)
    assert asked(at, per_second, 5, 300.0) == "every hour"


def test_one_earlier_hour_is_not_enough() -> None:
    times, values = history(1, HOUR, 5, 1, 0.5, 300.0)
    assert asked(times, values, 5, 300.0) == ""
