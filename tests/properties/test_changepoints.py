"""Change points: shifts are found where they are, and noise alone has none."""

import numpy as np
from hypothesis import given, settings, strategies as st

from agent_sre.analysis.changepoints import onset, segments, shifts

SEEDS = st.integers(0, 10_000)


def noise(seed: int, size: int) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return np.random.default_rng(seed).normal(100.0, 1.0, size)


@settings(max_examples=80, deadline=None)
@given(seed=SEEDS, size=st.integers(40, 240), place=st.floats(0.2, 0.85), up=st.booleans())
def test_a_shift_is_dated_to_within_two_samples(seed: int, size: int, place: float, up: bool) -> None:
    values, cut = noise(seed, size), int(place * size)
    values[cut:] += 40.0 if up else -40.0
    found = onset(np.arange(size, dtype=float), values)
    assert found is not None
    assert abs(found.time - cut) <= 2
    assert found.up is up


@settings(max_examples=80, deadline=None)
@given(seed=SEEDS, size=st.integers(10, 240))
def test_noise_has_no_onset(seed: int, size: int) -> None:
    assert onset(np.arange(size, dtype=float), noise(seed, size)) is None


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, length=st.integers(4, 12))
def test_a_fault_that_came_and_went_is_still_found(seed: int, length: int) -> None:
    values = noise(seed, 120)
    values[80 : 80 + length] += 60.0
    found = onset(np.arange(120, dtype=float), values)
    assert found is not None
    assert abs(found.time - 80) <= 2
    assert abs(found.until - (79 + length)) <= 2


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS)
def test_of_two_faults_the_one_near_the_moment_of_interest_is_meant(seed: int) -> None:
    values = noise(seed, 160)
    values[30:45] += 90.0
    values[140:] += 50.0
    found = onset(np.arange(160, dtype=float), values, near=155.0)
    assert found is not None
    assert abs(found.time - 140) <= 2


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, factor=st.floats(1e-3, 1e3))
def test_the_unit_does_not_matter(seed: int, factor: float) -> None:
    values = noise(seed, 100)
    values[60:] += 40.0
    times = np.arange(100, dtype=float)
    first, second = onset(times, values), onset(times, values * factor)
    assert first is not None
    assert second is not None
    assert first.time == second.time


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=0, max_size=80))
def test_segments_cover_every_sample_once(samples: list[float]) -> None:
    parts = segments(np.array(samples, dtype=float))
    assert [index for part in parts for index in range(part.start, part.end)] == list(range(len(samples)))


@settings(max_examples=60, deadline=None)
@given(st.floats(-1e6, 1e6), st.integers(1, 80))
def test_a_constant_never_shifts(value: float, size: int) -> None:
    assert shifts(np.arange(size, dtype=float), np.full(size, value)) == ()
