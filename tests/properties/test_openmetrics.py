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


@given(st.text(alphabet='ax{}="\\ ,#1.eE+-N\n', max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse_openmetrics(io.BytesIO(text.encode()), "m", 1.0)
    except PermanentError as error:
        assert str(error).startswith("m: line ")
