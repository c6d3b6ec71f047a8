"""A pattern that is tried only on lines with certain words must need one of them: generated matches are the proof."""

import re

import pytest
from hypothesis import given, strategies as st

from agent_sre.analysis import clients, data_stores, lookups, process_limits, queues, rights

_PATTERNS = [
    (data_stores._DENIED, data_stores._DENIED_HOLDS),
    (data_stores._NO_SERVER, data_stores._NO_SERVER_HOLDS),
    (rights._REFUSED, rights._REFUSED_HOLDS),
    (lookups._FAILED, lookups._FAILED_HOLDS),
    (queues._AGAIN, queues._AGAIN_HOLDS),
    (clients._NAMED, clients._NAMED_HOLDS),
    *((kind.pattern, process_limits._HOLDS) for kind in process_limits._KINDS),
]


@pytest.mark.parametrize(("pattern", "holds"), _PATTERNS)
@given(data=st.data())
def test_what_matches_holds_one_of_the_words(
    pattern: re.Pattern[str], holds: tuple[str, ...], data: st.DataObject
) -> None:
    text = data.draw(st.from_regex(pattern, alphabet=st.characters(codec="ascii")))
    assert any(part in text.lower() for part in holds)
