"""Template mining: each line has one template, its own text leads back to it, and variables do not split it."""

import random
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


def grouped(lines: list[str]) -> set[frozenset[str]]:
    return {frozenset(lines[number] for number in template.lines) for template in mine(lines)}


@settings(max_examples=150, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=30))
def test_every_line_belongs_to_exactly_one_template(lines: list[str]) -> None:
    numbers = sorted(number for template in mine(lines) for number in template.lines)
    assert numbers == list(range(len(lines)))


@settings(max_examples=150, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=30))
def test_a_template_s_own_text_is_of_that_template(lines: list[str]) -> None:
    found = mine(lines)
    again = mine([*lines, *(template.text for template in found)])
    own = [template.lines for template in found]
    assert [template.lines for template in again] == [
        [*numbers, len(lines) + place] for place, numbers in enumerate(own)
    ]


@settings(max_examples=150, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_the_order_of_the_lines_does_not_matter(lines: list[str], chance: random.Random) -> None:
    shuffled = list(lines)
    chance.shuffle(shuffled)
    assert grouped(shuffled) == grouped(lines)


@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS, min_size=2, max_size=8), st.lists(VALUES, min_size=2, max_size=2, unique=True))
def test_lines_that_differ_in_a_value_share_a_template(words: list[str], values: list[str]) -> None:
    lines = [" ".join([*words, value]) for value in values]
    assert len(mine(lines)) == 1


@settings(max_examples=150, deadline=None)
@given(LINES)
def test_masking_twice_changes_nothing_more(line: str) -> None:
    assert mask(mask(line)) == mask(line)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(string.printable + "äß漢\ud800\x00", max_size=300), min_size=1, max_size=5))
def test_any_text_is_taken(lines: list[str]) -> None:
    assert sorted(number for template in mine(lines) for number in template.lines) == list(range(len(lines)))


@settings(max_examples=50, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=30))
def test_one_by_one_and_all_at_once_are_the_same(lines: list[str]) -> None:
    single, whole = Miner(), Miner()
    assert [single.add(line) for line in lines] == whole.add_all(lines)
    assert single.templates() == whole.templates()


def test_words_stay_and_values_go() -> None:
    masked = mask("GET /leaf/17 from 10.0.0.7:8080 took 12.5ms id=3f2504e0-4f89-41d3-9a0c-0305e82c3301")
    assert masked == f"GET {MARK} from {MARK} took {MARK} id={MARK}"


def test_a_few_words_tell_statements_apart_and_many_are_a_variable() -> None:
    doors = [f"session {word} for user {name}" for word in ("opened", "closed") for name in string.ascii_lowercase]
    assert {template.text for template in mine(doors)} == {
        f"session opened for user {MARK}",
        f"session closed for user {MARK}",
    }


def test_keys_and_switches_tell_statements_apart_and_values_do_not() -> None:
    lines = [f"cache hit={hit} owner={name}" for hit in ("true", "false") for name in ("ann", "bo", "cy")]
    assert {template.text for template in mine(lines)} == {
        f"cache hit=true {MARK}",
        f"cache hit=false {MARK}",
    }


def test_a_list_is_one_value_however_long() -> None:
    lines = [f"rejoined nodes {' '.join(f'kn{place}' for place in range(size))}" for size in (1, 3, 40)]
    assert [template.text for template in mine(lines)] == [f"rejoined nodes kn{MARK}"]
