"""Any domain value, built from the annotations of its dataclass, so that a new field is tested without a word here."""

import dataclasses
import types
from array import array
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import LogLine, Series

TEXT = st.text(max_size=12)
"""Any Unicode text that has an encoding: lone surrogates are a test of their own."""
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
WHOLE = st.integers(-(2**63), 2**63 - 1)
TIMES = st.datetimes(timezones=st.just(UTC))
# Log times travel as seconds in a double: exact to the microsecond within these years.
_FROM, _TO = datetime(1970, 1, 1), datetime(2200, 1, 1)  # noqa: DTZ001 - hypothesis adds the zone
LOG_TIMES = st.datetimes(_FROM, _TO, timezones=st.just(UTC))
SAMPLES = st.lists(st.floats(), max_size=3).map(lambda values: array("d", values))
JSON = st.recursive(
    st.none() | st.booleans() | WHOLE | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)

PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: WHOLE,
    float: NUMBERS,
    bool: st.booleans(),
    datetime: TIMES,
    object: JSON,
    Any: JSON,
    types.NoneType: st.none(),
    Window: st.tuples(TIMES, TIMES).map(lambda pair: Window(min(pair), max(pair))),
    Series: st.builds(Series, TEXT, st.dictionaries(TEXT, TEXT, max_size=3), SAMPLES, SAMPLES, TEXT),
    LogLine: st.builds(LogLine, st.none() | LOG_TIMES, TEXT),
}


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    """A strategy for an annotation of the domain."""
    if hint in PLAIN:
        return PLAIN[hint]
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return st.one_of(*(values_of(argument) for argument in arguments))
    if origin is tuple:
        return st.lists(values_of(arguments[0]), max_size=2).map(tuple)
    if origin is Mapping:
        return st.dictionaries(values_of(arguments[0]), values_of(arguments[1]), max_size=3)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(hint)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        hints = get_type_hints(hint)
        return st.builds(hint, **{field.name: values_of(hints[field.name]) for field in dataclasses.fields(hint)})
    raise TypeError(f"no strategy for {hint!r}: add one to PLAIN")
