"""What may be decoded, and what is refused before it can do harm (faults, rows 1 and 9)."""

import json
import time

import pytest
from hypothesis import given, strategies as st

from agent_sre.ingest.decode import MAX_BYTES, MAX_DEPTH, decode
from agent_sre.ingest.payload import PayloadError, PayloadTooLarge

_KEYS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_what_another_encoder_wrote_comes_back(value: object) -> None:
    assert decode(json.dumps(value).encode()) == value


@given(JSON)
def test_unescaped_text_comes_back_too(value: object) -> None:
    assert decode(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_decoded_or_refused_with_a_fix(body: bytes) -> None:
    try:
        decode(body)
    except PayloadError as error:
        assert error.problem
        assert error.fix


@given(st.text(alphabet='[]{}",:\\a1 ', max_size=60))
def test_anything_like_json_is_judged_as_the_standard_library_does(text: str) -> None:
    try:
        expected = json.loads(text)
    except ValueError:
        with pytest.raises(PayloadError):
            decode(text.encode())
        return
    try:
        assert decode(text.encode()) == expected
    except PayloadError as error:
        assert "occurs twice" in error.problem


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"alerts": [', "not valid JSON"),
        (b"", "empty"),
        (b" \n", "empty"),
        (b'{"a": NaN}', "not valid JSON"),
        (b'{"a": Infinity}', "not valid JSON"),
        (b'{"a": 1e999}', "not valid JSON"),
        (b'{"a": "\\ud800"}', "not valid JSON"),
        (b'{"a": "\xed\xa0\x80"}', "not valid JSON"),
        (b'{"a": "\xff"}', "not valid JSON"),
        (b'{"a": "\x00"}', "not valid JSON"),
        (b'{"status": "firing", "status": "resolved"}', 'the key "status" occurs twice'),
        (b'{"a": [{"b": 1, "\\u0062": 2}]}', 'the key "b" occurs twice'),
        (b'{"a\\u0000b": 1}', 'the key "a<U+0000>b" contains NUL'),
    ],
)
def test_refused_naming_what_was_met(body: bytes, says: str) -> None:
    with pytest.raises(PayloadError) as caught:
        decode(body)
    assert says in caught.value.problem


def test_depth_up_to_the_limit_is_decoded_and_beyond_it_refused() -> None:
    assert decode(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH) is not None
    with pytest.raises(PayloadError, match="nested deeper than 32 levels"):
        decode(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))


def test_brackets_in_strings_are_not_depth() -> None:
    assert decode(json.dumps({"a": '[{"' * 100}).encode()) == {"a": '[{"' * 100}


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b"[" * MAX_BYTES,
        b'"' + b'\\"' * (MAX_BYTES // 2 - 1),
        b'""' * (MAX_BYTES // 2),
        b"[]" * (MAX_BYTES // 2),
        b"[" + b"{}," * (MAX_BYTES // 3 - 1) + b"]",
    ],
    ids=["arrays", "objects", "only openings", "unclosed string", "strings", "pairs", "flat"],
)
def test_hostile_bodies_are_refused_cheaply(body: bytes) -> None:
    started = time.process_time()
    with pytest.raises(PayloadError):
        decode(body)
    assert time.process_time() - started < 2.0


def test_a_body_may_not_become_a_million_values() -> None:
    with pytest.raises(PayloadTooLarge, match="more than 400000 brackets, colons and commas"):
        decode(b"[" + b"{}," * 500_000 + b"{}]")
    assert len(decode(b"[" + b"0," * 300_000 + b"0]")) == 300_001


def test_the_size_is_looked_at_before_anything_else() -> None:
    with pytest.raises(PayloadTooLarge, match="the body has 11 bytes, the limit is 10"):
        decode(b"[" * 11, max_bytes=10)
