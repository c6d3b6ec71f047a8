"""No hidden or direction-changing character reaches a reader, and honest text is left alone."""

import unicodedata

import pytest
from hypothesis import given, strategies as st

from agent_sre.domain.visible import one_line, visible

DANGEROUS = ["\u202e", "\u2066", "\u200f", "\u200b", "\ufeff", "\x1b", "\x00", "\x9b", "\u2028", "\U000e0041", "\ud800"]


@pytest.mark.parametrize("character", DANGEROUS, ids=lambda text: f"U+{ord(text):04X}")
def test_dangerous_characters_are_spelled_out(character: str) -> None:
    assert visible(f"a{character}b") == f"a<U+{ord(character):04X}>b"


@pytest.mark.parametrize("text", ["Grüße", "日本語", "سلام", "👩‍🚒 on call", "می‌خواهم", "tab\tand\nline"])
def test_honest_text_is_left_alone(text: str) -> None:
    assert visible(text) == text


def test_a_joiner_beside_ascii_only_hides() -> None:
    assert visible("check\u200dout") == "check<U+200D>out"


@given(st.text(st.characters()))
def test_what_comes_out_can_be_encoded_and_has_no_controls(text: str) -> None:
    shown = visible(text)
    shown.encode("utf-8")
    kinds = {unicodedata.category(letter) for letter in shown if letter not in "\n\t\u200c\u200d"}
    assert not kinds & {"Cc", "Cs"}
    assert visible(shown) == shown


@given(st.text(st.characters(), max_size=300), st.integers(1, 50))
def test_one_line_is_one_line_within_its_limit(text: str, limit: int) -> None:
    short = one_line(text, limit)
    assert len(short) <= limit and "\n" not in short
