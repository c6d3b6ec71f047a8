"""Merge patches: the examples of RFC 7396, and a difference applied to its origin gives its aim, whatever the JSON."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from agent_sre.domain.merge_patch import apply_merge_patch, merge_patch_between, reverse_merge_patch, same

# Inside objects no null: a Kubernetes object has none, and a merge patch cannot write one. Inside lists anything goes.
LEAF = st.one_of(st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=6))
KEY = st.sampled_from(["a", "b", "c", "metadata", "labels", "x/y.z", ""])
VALUE: st.SearchStrategy[Any] = st.recursive(
    LEAF,
    lambda inner: st.one_of(st.lists(st.one_of(inner, st.none()), max_size=3), st.dictionaries(KEY, inner, max_size=4)),
    max_leaves=6,
)
OBJECT = st.dictionaries(KEY, VALUE, max_size=4)

# Whether a property holds must not depend on how busy the machine is; pytest-timeout bounds the time.
ANY_SPEED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

# RFC 7396, appendix A: target, patch, result.
RFC_EXAMPLES = [
    ('{"a":"b"}', '{"a":"c"}', '{"a":"c"}'),
    ('{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'),
    ('{"a":"b"}', '{"a":null}', "{}"),
    ('{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'),
    ('{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'),
    ('{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'),
    ('{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'),
    ('{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'),
    ('["a","b"]', '["c","d"]', '["c","d"]'),
    ('{"a":"b"}', '["c"]', '["c"]'),
    ('{"a":"foo"}', "null", "null"),
    ('{"a":"foo"}', '"bar"', '"bar"'),
    ('{"e":null}', '{"a":1}', '{"e":null,"a":1}'),
    ("[1,2]", '{"a":"b","c":null}', '{"a":"b"}'),
    ("{}", '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'),
]


@pytest.mark.parametrize(("target", "patch", "result"), RFC_EXAMPLES)
def test_examples_of_the_rfc(target: str, patch: str, result: str) -> None:
    assert apply_merge_patch(json.loads(target), json.loads(patch)) == json.loads(result)


@ANY_SPEED
@given(OBJECT, OBJECT)
def test_the_difference_leads_from_one_to_the_other(before: dict[str, Any], after: dict[str, Any]) -> None:
    patch = merge_patch_between(before, after)
    assert same(apply_merge_patch(before, patch), after)


@ANY_SPEED
@given(OBJECT, OBJECT)
def test_applying_the_difference_again_changes_nothing(before: dict[str, Any], after: dict[str, Any]) -> None:
    patch = merge_patch_between(before, after)
    assert same(apply_merge_patch(after, patch), after)


@ANY_SPEED
@given(OBJECT)
def test_no_difference_is_an_empty_patch(value: dict[str, Any]) -> None:
    assert merge_patch_between(value, json.loads(json.dumps(value))) == {}


@ANY_SPEED
@given(OBJECT, OBJECT)
def test_neither_side_is_changed(before: dict[str, Any], after: dict[str, Any]) -> None:
    copies = json.dumps([before, after])
    apply_merge_patch(before, merge_patch_between(before, after))
    assert json.dumps([before, after]) == copies


def test_a_null_in_the_aim_is_named() -> None:
    with pytest.raises(ValueError, match=r"spec\.replicas is null"):
        merge_patch_between({"spec": {"replicas": 1}}, {"spec": {"replicas": None}})


def test_true_is_not_one() -> None:
    assert merge_patch_between({"a": 1}, {"a": True}) == {"a": True}


PATCH: st.SearchStrategy[Any] = st.dictionaries(
    KEY, st.one_of(st.none(), VALUE, st.dictionaries(KEY, st.one_of(st.none(), VALUE), max_size=3)), max_size=4
)


@ANY_SPEED
@given(OBJECT, PATCH)
def test_what_a_patch_took_is_given_back_and_nothing_else_is_said(
    target: dict[str, Any], patch: dict[str, Any]
) -> None:
    back = reverse_merge_patch(target, patch)
    assert same(apply_merge_patch(apply_merge_patch(target, patch), back), target)
    assert back.keys() <= patch.keys()
