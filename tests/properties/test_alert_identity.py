"""Fingerprints and instants: the same thing said in another way stays the same thing."""

import random
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st

from agent_sre.domain.alert import fingerprint_of
from agent_sre.domain.instant import format_instant, is_zero_time, parse_instant

LABELS = st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=8), max_size=6)


@given(LABELS, st.randoms())
def test_the_order_of_labels_does_not_matter(labels: dict[str, str], shuffle: random.Random) -> None:
    names = list(labels)
    shuffle.shuffle(names)
    assert fingerprint_of({name: labels[name] for name in names}) == fingerprint_of(labels)


@given(LABELS, LABELS)
def test_different_labels_differ(one: dict[str, str], other: dict[str, str]) -> None:
    assert (fingerprint_of(one) == fingerprint_of(other)) == (one == other)


def test_the_empty_set_is_the_fnv_offset() -> None:
    assert fingerprint_of({}) == "cbf29ce484222325"


@given(
    st.datetimes(datetime.fromisoformat("1971-01-01"), datetime.fromisoformat("2200-01-01")),
    st.integers(-14 * 60, 14 * 60),
    st.sampled_from(["T", "t", " "]),
)
def test_any_offset_is_the_same_instant(naive: datetime, minutes: int, separator: str) -> None:
    local = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    text = local.isoformat(timespec="microseconds").replace("T", separator)
    assert parse_instant(text) == local
    assert parse_instant(text).tzinfo is UTC
    assert parse_instant(format_instant(local)) == local


def test_nanoseconds_are_cut_and_the_zero_time_is_known() -> None:
    assert parse_instant("2026-11-23T10:00:00.123456789+02:00") == datetime(2026, 11, 23, 8, 0, 0, 123456, UTC)
    assert is_zero_time(parse_instant("0001-01-01T00:00:00Z"))


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "1767329647"])
def test_what_is_no_time_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        parse_instant(text)
