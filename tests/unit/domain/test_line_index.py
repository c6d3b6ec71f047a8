"""Which lines of a log hold a text."""

import string

from hypothesis import given, strategies as st

from agent_sre.domain.line_index import LineIndex

_LINES = st.lists(st.text(alphabet="aAbB9_ (\n"))
_PARTS = st.lists(st.text(alphabet="abAB9_ (", min_size=1, max_size=4).map(str.lower))


@given(_LINES, _PARTS)
def test_exactly_the_lines_that_hold_a_part_are_found(lines: list[str], parts: list[str]) -> None:
    wanted = [number for number, line in enumerate(lines) if any(part in line.lower() for part in parts)]
    assert LineIndex(lines).holding(parts) == wanted


def test_letters_that_grow_when_lowered_move_no_other_line() -> None:
    index = LineIndex(["İİİİ first", "second", "ÅNGSTRÖM third"])
    assert index.holding(["second"]) == [1]
    assert index.holding(["third", "first"]) == [0, 2]


def test_an_index_of_no_lines_finds_nothing() -> None:
    assert LineIndex([]).holding(list(string.ascii_lowercase)) == []
