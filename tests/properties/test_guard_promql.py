"""Whatever the guard lets pass is within its bounds, and no text, however odd, does anything but pass or be refused.

The bounds are checked on the text itself, by patterns of this test's own, not on what the parser made of it.
"""

import re
from datetime import UTC, datetime, timedelta

from hypothesis import example, given, settings, strategies as st

from agent_sre.adapters.promql_parser import MAX_LENGTH, PackagedPromqlParser
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.reference import Window
from agent_sre.service.guard_promql import PromqlBounds, check

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PARSER = PackagedPromqlParser()
BOUNDS = PromqlBounds()
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800, "y": 31_536_000}
STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
DURATION = re.compile(r"(\d+)(ms|[smhdwy])")
RANGE = re.compile(r"\[([0-9a-z]+)\]")
SUBQUERY = re.compile(r"\[([0-9a-z]+):([0-9a-z]*)\]")
OFFSET = re.compile(r"offset -?([0-9a-z]+)")
AT = re.compile(r"@ (-?[0-9.]+)")
BARE = re.compile(r"(?:^|[^\w:])\{([^}]*)\}")


def seconds(text: str) -> float:
    return sum(int(number) * UNITS[unit] for number, unit in DURATION.findall(text))


durations = st.builds(
    "{}{}".format, st.one_of(st.integers(1, 60), st.integers(1, 100_000)), st.sampled_from(["s", "m", "h", "d", "w"])
)
moments = st.one_of(st.integers(-10, 10), st.integers(1_770_000_000, 1_775_000_000), st.integers(0, 10**12))
matchers = st.builds(
    '{}{}"{}"'.format,
    st.sampled_from(["job", "__name__", "pod"]),
    st.sampled_from(["=", "!=", "=~", "!~"]),
    st.sampled_from(["", "a", ".+", "x|y", "[5y:1s]"]),
)
labels = st.lists(matchers, max_size=3).map(lambda items: "{" + ",".join(items) + "}")
selectors = st.one_of(
    st.sampled_from(["up", "x_total"]), labels, st.builds("{}{}".format, st.sampled_from(["up", "x_total"]), labels)
)


def moved(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        inner,
        st.builds("{} offset {}{}".format, inner, st.sampled_from(["", "-"]), durations),
        st.builds("{} @ {}".format, inner, moments),
    )


ranges = moved(st.builds("{}[{}]".format, selectors, durations))


def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    subqueries = moved(st.builds("({})[{}:{}]".format, inner, durations, st.one_of(st.just(""), durations)))
    return st.one_of(
        st.builds("max_over_time({})".format, subqueries),
        st.builds("sum by (pod) ({})".format, inner),
        st.builds("topk(scalar({}), {})".format, inner, inner),
        st.builds("({}) / on (pod) ({})".format, inner, inner),
        st.builds("-({})".format, inner),
    )


expressions = st.recursive(
    st.one_of(moved(selectors), st.builds("rate({})".format, ranges), st.just("1")), larger, max_leaves=6
)
windows = st.builds(
    lambda ago, length: Window(NOW - timedelta(seconds=ago + length), NOW - timedelta(seconds=ago)),
    st.one_of(st.just(0), st.integers(0, 3_000_000)),
    st.one_of(st.integers(0, 90_000), st.just(3_600)),
)
steps = st.one_of(st.just(60.0), st.floats(-1, 100_000, allow_nan=False)).map(lambda value: timedelta(seconds=value))


@settings(max_examples=400, deadline=None)
@given(expressions, windows, steps)
@example("up @ 253402300800", Window(NOW - timedelta(hours=1), NOW), timedelta(seconds=60))
def test_what_passes_is_within_the_bounds(text: str, window: Window, step: timedelta) -> None:
    try:
        estimate = check(PARSER.parse(text), window, step, NOW)
    except PermanentError as error:
        assert str(error)
        return
    assert window.length <= BOUNDS.window
    assert step >= BOUNDS.least_step
    assert window.length / step <= BOUNDS.points
    assert estimate.points <= BOUNDS.cost
    plain = STRING.sub('""', text)
    assert all(seconds(length) <= BOUNDS.range.total_seconds() for length in RANGE.findall(plain))
    for reach, inner in SUBQUERY.findall(plain):
        assert seconds(reach) <= BOUNDS.subquery.total_seconds()
        assert seconds(reach) / (seconds(inner) or 5) <= BOUNDS.subquery_points
    assert all(seconds(length) <= BOUNDS.offset.total_seconds() for length in OFFSET.findall(plain))
    oldest = (NOW - BOUNDS.age).timestamp()
    assert all(oldest <= float(moment) <= NOW.timestamp() + 5 for moment in AT.findall(plain))
    assert len(re.findall(r"up|x_total|(?<![\w:])\{", plain)) <= BOUNDS.selectors
    for inside in BARE.findall(text):
        assert re.search(r'(?<![!=])="[^"]+"', inside)


PIECES = [
    "up",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    '"',
    "'",
    "`",
    "=",
    "=~",
    "!",
    "@",
    "offset",
    "-",
    "5m",
    "9" * 25,
    "y",
    ":",
]
PIECES += [
    "\0",
    "\ud800",
    "\u202e",
    "\U000e0041",
    "rate",
    "sum",
    "by",
    "topk",
    "1e999",
    "0x",
    "\\",
    "#",
    "\n",
    ",",
    "==",
    "start()",
]


@settings(max_examples=800, deadline=None)
@given(st.one_of(st.text(max_size=200), st.lists(st.sampled_from(PIECES), max_size=40).map("".join)))
def test_no_text_raises_anything_but_our_refusal(text: str) -> None:
    try:
        check(PARSER.parse(text), Window(NOW - timedelta(hours=1), NOW), timedelta(minutes=1), NOW)
    except PermanentError as error:
        assert 0 < len(str(error)) < 2_000


@given(st.sampled_from(["(", "-", "abs(", "{", "[", "up or ", "sum(", "!", "1+", '"']), st.integers(1, 3 * MAX_LENGTH))
@settings(max_examples=60, deadline=None)
def test_no_repetition_is_too_much_for_the_parser(piece: str, times: int) -> None:
    test_no_text_raises_anything_but_our_refusal.hypothesis.inner_test(piece * times)  # type: ignore[attr-defined]
