"""Whatever JSON a source posts: alerts or a refusal that says why, nothing else, in bounded time."""

import copy
import time
from typing import Any

import orjson
import pytest
from hypothesis import given, settings, strategies as st

from agent_sre.adapters.store_sql.codec import decode, encode
from agent_sre.domain.alert import Alert, AlertStatus
from agent_sre.ingest.decode import decode_form, mended
from agent_sre.ingest.payload import PayloadError
from agent_sre.service.alert_sources import SOURCES
from tests.unit.alerts import NOON
from tests.unit.recorded_payloads import document, shapes

TEXT = st.text(max_size=12) | st.sampled_from(
    ["$ALERT_ID", "{EVENT.ID}", "\0", "�", "1e309", "9" * 20, "0001-01-01T00:00:00Z"]
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value in a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, item in inner for found in places(item, (*path, key)))]


def changed(value: Any, path: tuple[Any, ...], to: Any) -> Any:
    if not path:
        return to
    made = copy.deepcopy(value)
    target = made
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = to
    return made


def check(source: str, payload: object) -> None:
    try:
        reading = SOURCES[source].parse(payload, NOON)
    except PayloadError as error:
        assert error.problem
        assert error.fix
        return
    for alert in reading.alerts:
        assert len(alert.fingerprint) == 16
        assert (alert.ends_at is None) == (alert.status is AlertStatus.FIRING)
        assert decode(Alert, encode(alert)) == alert, "it can be stored and read back"


@pytest.mark.parametrize("source", SOURCES)
@given(JSON)
def test_any_document_is_read_or_refused(source: str, payload: object) -> None:
    check(source, payload)


@given(st.sampled_from(shapes()), st.data())
@settings(max_examples=600)
def test_a_recorded_payload_with_anything_anywhere_is_read_or_refused(
    shape: tuple[str, str], data: st.DataObject
) -> None:
    payload = document(*shape)
    check(shape[0], changed(payload, data.draw(st.sampled_from(places(payload))), data.draw(JSON)))


@given(st.binary(max_size=40), st.sampled_from(["a=", "payload=", "{", "a=1&"]))
def test_any_form_is_read_or_refused(body: bytes, start: str) -> None:
    try:
        decode_form(start.encode() + body)
    except PayloadError as error:
        assert error.problem


@given(st.binary(max_size=40))
def test_what_is_mended_is_utf_8_and_mended_once(body: bytes) -> None:
    once = mended(body)
    once.decode()
    assert mended(once) == once


@pytest.mark.parametrize("source", SOURCES)
def test_a_huge_payload_is_read_in_bounded_time(source: str) -> None:
    """Every list and object of a recorded payload with thousands of further entries, every text of 100 kB."""
    payload = document(source, "firing")
    for path in places(payload):
        found = payload
        for key in path:
            found = found[key]
        if isinstance(found, dict):
            to: Any = {**found, **{f"k{number}": "v" for number in range(5_000)}}
        elif isinstance(found, list):
            to = found * 1_000
        else:
            to = "x{$[" * 25_000 if isinstance(found, str) else found
        huge = changed(payload, path, to)
        started = time.perf_counter()
        check(source, huge)
        assert time.perf_counter() - started < 2.0, path
        orjson.dumps(huge)
