"""Edges of the call graph from several sources: merged to the same in any order, grouping and number of times."""

import random

from hypothesis import given, strategies as st

from agent_sre.analysis.call_graph import TRUST, CallEdge, Source, merged, told
from agent_sre.domain.finding import Fact

names = st.sampled_from(["front", "basket", "ledger"])
facts = st.builds(Fact, st.sampled_from(["a", "b"]), st.sampled_from(["o/1", "o/2"]), st.sampled_from(["x", "y", "z"]))
edges = st.lists(st.builds(told, names, names, st.sampled_from(Source), facts), max_size=25)


@given(edges, st.randoms(use_true_random=False))
def test_order_does_not_matter(found: list[CallEdge], chance: random.Random) -> None:
    shuffled = [*found]
    chance.shuffle(shuffled)
    assert merged(shuffled) == merged(found)


@given(edges)
def test_merging_again_or_telling_twice_changes_nothing(found: list[CallEdge]) -> None:
    once = merged(found)
    assert merged(once) == once
    assert merged([*found, *found]) == once


@given(edges, edges)
def test_parts_may_be_merged_first(left: list[CallEdge], right: list[CallEdge]) -> None:
    assert merged([*merged(left), *merged(right)]) == merged([*left, *right])


@given(edges)
def test_every_call_is_there_once_with_every_kind_of_source_that_told_of_it(found: list[CallEdge]) -> None:
    once = merged(found)
    assert [(edge.caller, edge.callee) for edge in once] == sorted({(edge.caller, edge.callee) for edge in found})
    for edge in once:
        kinds = {item.sources[0] for item in found if (item.caller, item.callee) == (edge.caller, edge.callee)}
        assert set(edge.sources) == kinds
        assert len(edge.sources) == len(kinds)
        assert {witness.fact for witness in edge.witnesses} <= {item.witnesses[0].fact for item in found}


@given(edges.filter(bool), st.builds(told, names, names, st.sampled_from(Source), facts))
def test_another_kind_of_source_never_lessens_trust(found: list[CallEdge], more: CallEdge) -> None:
    before = {(edge.caller, edge.callee): edge.trust for edge in merged(found)}
    after = {(edge.caller, edge.callee): edge.trust for edge in merged([*found, more])}
    assert all(after[call] >= trust - 1e-12 for call, trust in before.items())
    assert all(min(TRUST.values()) - 1e-9 <= trust < 1.0 for trust in after.values())
