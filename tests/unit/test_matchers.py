"""Matchers read and applied as Alertmanager documents them."""

import pytest

from agent_sre.domain.errors import PermanentError
from agent_sre.domain.matcher import Matcher, Operator
from agent_sre.ingest.matchers import matches, parse_matcher, parse_matchers


@pytest.mark.parametrize(
    ("text", "matcher"),
    [
        ("severity=critical", Matcher("severity", Operator.EQUAL, "critical")),
        (' severity = "critical" ', Matcher("severity", Operator.EQUAL, "critical")),
        ('pod=~"a|b.*"', Matcher("pod", Operator.MATCHES, "a|b.*")),
        ("pod!~a=b", Matcher("pod", Operator.NOT_MATCHES, "a=b")),
        ('team!=""', Matcher("team", Operator.NOT_EQUAL, "")),
        ("team=", Matcher("team", Operator.EQUAL, "")),
        (r'path="a\"b\\c\nd"', Matcher("path", Operator.EQUAL, 'a"b\\c\nd')),
        (r'pod=~"a\.b"', Matcher("pod", Operator.MATCHES, r"a\.b")),
        ("k8s.namespace.name=shop", Matcher("k8s.namespace.name", Operator.EQUAL, "shop")),
    ],
)
def test_a_matcher_is_read(text: str, matcher: Matcher) -> None:
    assert parse_matcher(text) == matcher
    assert parse_matcher(str(matcher)) == matcher


@pytest.mark.parametrize(
    "text",
    ["", "severity", "=x", "1a=b", 'a="b', 'a=b"c', 'a="b"c"', 'a="b\\"', "a=~(", "a=~(?=b)", "a=~" + "b" * 1001],
)
def test_what_is_no_matcher_is_refused_with_a_fix(text: str) -> None:
    with pytest.raises(PermanentError, match=r"write it as|RE2|at most"):
        parse_matcher(text)


@pytest.mark.parametrize(
    ("text", "labels", "expected"),
    [
        ("a=b", {"a": "b"}, True),
        ("a=b", {"a": "bb"}, False),
        ("a=~b", {"a": "bb"}, False),
        ("a=~b.*", {"a": "bb"}, True),
        ("a=~b.*", {"a": "b\nb"}, False),
        ("a=~b|c", {"a": "bc"}, False),
        ("a!~b.*", {"a": "c"}, True),
        ("a=", {}, True),
        ("a!=x", {}, True),
        ("a=~.*", {}, True),
        ("a=~.+", {}, False),
        ("a!~.+", {}, True),
        ("a=~(?i)B", {"a": "b"}, True),
    ],
)
def test_a_label_that_is_missing_is_empty_and_patterns_match_the_whole_value(
    text: str, labels: dict[str, str], expected: bool
) -> None:
    assert matches(parse_matcher(text), labels) is expected


def test_a_pattern_that_would_take_a_backtracking_engine_for_ever_ends() -> None:
    # It would not come back before the test's time limit.
    assert not matches(parse_matcher("a=~(a+)+$"), {"a": "a" * 4000 + "b"})


@pytest.mark.parametrize("texts", [[], ["a=~.*"], ["a=", "b!=x"]])
def test_matchers_that_would_match_every_alert_are_refused(texts: list[str]) -> None:
    with pytest.raises(PermanentError, match="every alert"):
        parse_matchers(texts)
