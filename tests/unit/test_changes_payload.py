"""``POST /webhooks/changes``: one change, many, and CloudEvents; what is tolerated, what is refused."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st

from agent_sre.domain.instant import format_instant
from agent_sre.domain.telemetry import Change
from agent_sre.ingest.changes import KINDS, MOST, parse
from agent_sre.ingest.payload import PayloadError
from tests.unit.alerts import NOON

FULL = {
    "id": "4f2a",
    "time": "2026-01-05T13:55:00+02:00",
    "kind": "deploy",
    "target": "shop/basket",
    "summary": "basket 1.4.3",
    "author": "kim",
    "diff": "-image: basket:1.4.2\n+image: basket:1.4.3",
}
EVENT = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "/flags",
    "type": "com.example.flag.changed",
    "subject": "new-cart",
}


def one(payload: object) -> Change:
    (found,) = parse(payload, NOON)
    return found


def test_one_change_has_its_fields() -> None:
    found = one(FULL)
    assert (found.id, found.kind, found.target, found.summary) == ("4f2a", "deploy", "shop/basket", "basket 1.4.3")
    assert format_instant(found.time) == "2026-01-05T11:55:00Z"
    assert (found.author, found.diff) == ("kim", FULL["diff"])


def test_many_keep_their_order() -> None:
    found = parse({"changes": [FULL, {"summary": "second"}]}, NOON)
    assert [item.summary for item in found] == ["basket 1.4.3", "second"]


def test_what_is_missing_has_a_value_that_stays_the_same() -> None:
    first, again, other = one({"summary": "a"}), one({"summary": "a"}), one({"summary": "b"})
    assert (first.time, first.kind) == (NOON, "other")
    assert first.id == again.id != other.id


@pytest.mark.parametrize("data", [{"summary": "on for all"}, {"summary": "on for all", "kind": "feature_flag"}])
def test_a_cloud_event_lends_what_its_data_leaves_out(data: dict[str, str]) -> None:
    found = one({**EVENT, "time": "2026-01-05T11:00:00Z", "data": data})
    assert (found.id, found.kind, found.target, found.summary) == ("e-1", "feature_flag", "new-cart", "on for all")
    assert found.time == NOON - timedelta(hours=1)


def test_a_batch_of_events() -> None:
    assert len(parse([{**EVENT, "data": FULL}, {**EVENT, "id": "e-2", "data": {}}], NOON)) == 2


def test_an_event_without_data_is_told_by_its_type() -> None:
    assert one(EVENT).summary == "com.example.flag.changed"


def test_a_long_diff_is_cut_and_says_so() -> None:
    found = one({"summary": "s", "diff": "x" * 30_000})
    assert (len(found.diff), found.diff[-1]) == (20_000, "…")


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        (None, "the payload is null, not an object"),
        ({"changes": "all"}, 'changes is "all", not a list'),
        ({"changes": [7]}, r"changes\[0\] is 7, not an object"),
        ({}, "the change has no summary"),
        ({"summary": 4}, "summary of the change is 4"),
        ({"summary": "a\0b"}, "not text without NUL"),
        ({"summary": "s", "kind": "rollback"}, 'has kind "rollback"; use one of deploy'),
        ({"summary": "s", "time": "yesterday"}, 'time of the change is "yesterday"'),
        ({"summary": "s", "time": 1767614400}, "time of the change is 1767614400"),
        ({"summary": "s", "time": "2026-01-05T13:00:00Z"}, "later than now"),
        ({**EVENT, "specversion": "0.3"}, 'specversion "0.3"; send CloudEvents of version 1.0'),
        ({**EVENT, "data": "text"}, 'data of the event is "text", not an object'),
        ([{}], r"\[0\] has specversion null"),
        ({"changes": [FULL] * (MOST + 1)}, "holds 1001 changes, the limit is 1000"),
    ],
)
def test_what_cannot_be_read_is_named(payload: object, told: str) -> None:
    with pytest.raises(PayloadError, match=told):
        parse(payload, NOON)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
names = st.sampled_from([*FULL, "changes", "specversion", "data", "type", "subject"])


@given(st.dictionaries(names, values | st.just([FULL]) | st.just("1.0")) | values)
def test_anything_is_read_or_refused(payload: Any) -> None:
    try:
        found = parse(payload, NOON)
    except PayloadError:
        return
    assert all(item.id and item.summary and item.kind in KINDS for item in found)
