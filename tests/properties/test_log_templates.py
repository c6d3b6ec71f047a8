"""Template mining: each line has one template, its own text leads back to it, and variables do not split it."""

import string

from hypothesis import given, settings, strategies as st

from agent_sre.analysis.log_templates import MARK, Miner, mask, mine

WORDS = st.sampled_from(
    ("user", "order", "leaf", "failed", "opened", "closed", "to", "from", "at", "after", "retry", "miss")
)
VALUES = st.one_of(
    st.integers(0, 10**9).map(str),
    st.ip_addresses(v=4).map(str),
    st.uuids().map(str),
    st.integers(1, 5000).map(lambda number: f"{number}ms"),
)
LINES = st.lists(st.one_of(WORDS, VALUES), min_size=1, max_size=12).map(" ".join)


@settings(max_examples=150, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=30))
def test_every_line_belongs_to_exactly_one_template(lines: list[str]) -> None:
    numbers = sorted(number for template in mine(lines) for number in template.lines)
    assert numbers == list(range(len(lines)))


@settings(max_examples=150, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=30))
def test_a_template_s_own_text_is_of_that_template(lines: list[str]) -> None:
    miner = Miner()
    for line in lines:
        miner.add(line)
    for template in list(miner.templates):
        assert miner.add(template.text) is template


@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS, min_size=2, max_size=8), st.lists(VALUES, min_size=2, max_size=2, unique=True))
def test_lines_that_differ_in_a_value_share_a_template(words: list[str], values: list[str]) -> None:
    lines = [" ".join([*words, value]) for value in values]
    assert len(mine(lines)) == 1


@settings(max_examples=150, deadline=None)
@given(LINES)
def test_masking_twice_changes_nothing_more(line: str) -> None:
    assert mask(mask(line)) == mask(line)


@settings(max_examples=100, deadline=None)
@given(st.text(string.printable, max_size=300))
def test_any_text_is_taken(text: str) -> None:
    template = Miner().add(text)
    assert template.lines == [0]


def test_words_stay_and_values_go() -> None:
    masked = mask("GET /leaf/17 from 10.0.0.7:8080 took 12.5ms id=3f2504e0-4f89-41d3-9a0c-0305e82c3301")
    assert masked == f"GET /leaf/{MARK} from {MARK} took {MARK} id={MARK}"
