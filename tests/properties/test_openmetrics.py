"""Whatever series there are, their OpenMetrics text reads back as the same series."""

import io

from hypothesis import given, strategies as st

from agent_sre.adapters.snapshot_directory.openmetrics import parse_openmetrics
from agent_sre.domain.errors import PermanentError

names = st.from_regex(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,8}", fullmatch=True)
labels = st.dictionaries(
    st.from_regex(r"[a-z_]{1,4}", fullmatch=True),
    st.text(max_size=12).filter(lambda text: "\r" not in text),
    max_size=3,
)
values = st.floats(allow_nan=False)
series = st.lists(st.tuples(names, labels, st.dictionaries(st.integers(0, 10**9), values, min_size=1)), max_size=6)


def escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


@given(series)
def test_round_trip(items: list[tuple[str, dict[str, str], dict[int, float]]]) -> None:
    wanted: dict[tuple[str, tuple[tuple[str, str], ...]], dict[float, float]] = {}
    lines = []
    for name, pairs, points in items:
        inner = ",".join(f'{key}="{escaped(value)}"' for key, value in pairs.items())
        for time, value in points.items():
            lines.append(f"{name}{{{inner}}} {value} {time}" if inner else f"{name} {value} {time}")
            wanted.setdefault((name, tuple(sorted(pairs.items()))), {})[float(time)] = value
    text = "\n".join([*lines, "# EOF", ""])
    found = {
        (item.name, tuple(sorted(item.labels.items()))): dict(zip(item.times, item.values, strict=True))
        for item in parse_openmetrics(io.BytesIO(text.encode()), "m", 10.0**10).series
    }
    assert found == wanted
    assert all(list(item) == sorted(item) for item in found.values())


words = st.sampled_from(["0", "-0", "-0.0", "1", "2.5", "1e3", ".5", "5.", "+1", "NaN", "+Inf", "1_0", "x", "", "1 2"])
scrape = st.lists(st.integers(8, 12), min_size=1, max_size=4, unique=True).map(sorted)


@given(st.lists(st.tuples(st.sampled_from(["a", "ab", "a_b"]), scrape, words), max_size=8))
def test_a_run_at_the_times_of_the_one_before_is_read_as_by_itself(runs: list[tuple[str, list[int], str]]) -> None:
    """Each run between others gives what it gives alone, where one line differs as where none does."""
    texts = [
        [f"{name}{place} {word if row == 0 else row} {time}" for row, time in enumerate(times)]
        for place, (name, times, word) in enumerate(runs)
    ]
    alone = [_read(lines) for lines in texts]
    together = _read([line for lines in texts for line in lines])
    assert together == (
        None if None in alone else {key: held for found in alone for key, held in (found or {}).items()}
    )


def _read(lines: list[str]) -> dict[str, list[str]] | None:
    """Samples by name, NaN and -0 told apart by their texts; None where the text is refused."""
    try:
        found = parse_openmetrics(io.BytesIO("\n".join([*lines, "# EOF"]).encode()), "m", 100.0).series
    except PermanentError:
        return None
    return {item.name: [*map(repr, item.times), *map(repr, item.values)] for item in found}


numbers = st.sampled_from(["0", "-0", "7", "2.5", "1e3", ".5", "5.", "+1", "-12.75", "NaN", "12345678901234567890"])
moments = st.sampled_from(["5", "6.5", "7.25", "08", "9", "10", "11.125", "12", "1e1"])
rows = st.lists(st.tuples(st.sampled_from(["a", "ab", 'a{x="1"}', 'a{x="10"}']), numbers, moments), max_size=30)


@given(rows)
def test_every_line_gives_its_own_two_numbers(drawn: list[tuple[str, str, str]]) -> None:
    """However wide values and times are written, and whichever of a selector's lines stand together."""
    wanted: dict[str, dict[float, str]] = {}
    for selector, value, moment in drawn:
        wanted.setdefault(selector, {})[float(moment)] = repr(float(value))
    text = "\n".join([*(" ".join(row) for row in drawn), "# EOF"])
    found = parse_openmetrics(io.BytesIO(text.encode()), "m", 100.0).series
    read = {str(item): dict(zip(item.times, map(repr, item.values), strict=True)) for item in found}
    assert read == wanted
    assert all(list(item.times) == sorted(item.times) for item in found)


@given(st.text(alphabet='ax{}="\\ ,#1.eE+-N\n', max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse_openmetrics(io.BytesIO(text.encode()), "m", 1.0)
    except PermanentError as error:
        assert str(error).startswith("m: line ")
