"""Numbers as people write them, and steps that are round."""

import math

import pytest
from hypothesis import given, strategies as st

from agent_sre.report.units import format_value, nice_step


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.31, "ratio", "31 %"),
        (0.004, "ratio", "0.4 %"),
        (31.0, "percent", "31 %"),
        (0.25, "seconds", "250 ms"),
        (0.0205, "cores", "20.5m"),
        (1.5, "cores", "1.5 cores"),
        (2.4, "seconds", "2.4 s"),
        (2400.0, "milliseconds", "2.4 s"),
        (180.0, "milliseconds", "180 ms"),
        (128 * 2**20, "bytes", "128 MiB"),
        (1536.0, "bytes_per_second", "1.5 KiB/s"),
        (12_000.0, "per_second", "12k/s"),
        (0.0, "number", "0"),
        (-0.0, "number", "0"),
        (math.nan, "number", "NaN"),
        (math.inf, "bytes", "∞"),
        (-math.inf, "seconds", "-∞"),
    ],
)
def test_values_are_written_with_their_unit(value: float, unit: str, shown: str) -> None:
    assert format_value(value, unit) == shown


@given(st.floats(1e-200, 1e200), st.integers(2, 10), st.sampled_from(["number", "bytes", "seconds"]))
def test_a_step_covers_the_span_in_about_as_many_steps(span: float, wanted: int, unit: str) -> None:
    step = nice_step(span, wanted, unit)
    assert step >= span / wanted * 0.99
    assert step <= max(span / wanted * 10.01, 1.0 if unit == "bytes" else 0.0)


@given(st.floats(1e-6, 1e12))
def test_neighbouring_ticks_read_differently(span: float) -> None:
    step = nice_step(span, 4)
    shown = [format_value(step * index, "number", step) for index in range(5)]
    assert len(set(shown)) == len(shown)
