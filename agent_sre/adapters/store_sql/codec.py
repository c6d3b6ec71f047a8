"""Domain values to JSON text and back.

orjson writes dataclasses, enums and instants as they are; pydantic reads them back, checked against the dataclass's
own annotations, so that a stored row that was tampered with or comes from another version is refused with its name and
never half understood. What could not be read back (a lone surrogate, NaN where a number must be) is refused before it
is stored: one unreadable row in the inbox would stop every alert behind it. Observations are large and are built by
hand instead, then compressed.
"""

import zlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from agent_sre.domain.alert import Alert
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.evidence import Observation
from agent_sre.domain.incident import Incident

T = TypeVar("T")
_LEVEL = 1
"""zlib's fastest: level 6 saves a tenth more of typical telemetry and takes three times as long."""


_ADAPTERS: dict[type, TypeAdapter[Any]] = {}
"""Built at first use: building all of them would cost every start."""


def _adapter(kind: type) -> TypeAdapter[Any]:
    adapter = _ADAPTERS.get(kind)
    if adapter is None:
        adapter = _ADAPTERS[kind] = TypeAdapter(kind)
    return adapter


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _dumps(value: object, what: str) -> bytes:
    try:
        return orjson.dumps(value, default=_plain, option=orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC)
    except TypeError as error:  # orjson.JSONEncodeError is one
        raise PermanentError(f"{what} cannot be stored: {error}; clean it first") from error


def encode(value: object) -> str:
    """JSON text of a small domain value; PermanentError for one that could not be read back."""
    what = f"{type(value).__name__} {getattr(value, 'id', '')}".strip()
    data = _dumps(value, what)
    try:
        _adapter(type(value)).validate_json(data)
    except ValidationError as error:
        raise PermanentError(f"{what} cannot be stored: {_first(error)}; set a value of that type") from error
    return data.decode()


def encode_alert(alert: Alert) -> str:
    """The same text as ``encode`` gives. An alert has nothing but texts, instants and a number, so that it can be read
    back where its labels are texts; checking just that takes a fifth of the time, and storms are made of alerts."""
    told = {*map(type, alert.labels), *map(type, alert.labels.values())}
    told |= {*map(type, alert.annotations), *map(type, alert.annotations.values())}
    if told - {str}:
        return encode(alert)
    return _dumps(alert, "Alert").decode()


def decode(kind: type[T], text: str) -> T:
    """Inverse of ``encode``; PermanentError, naming the field, for text that is not such a value."""
    try:
        value: T = _adapter(kind).validate_json(text)
        return value
    except ValidationError as error:
        raise PermanentError(
            f"a stored {kind.__name__} cannot be read: {_first(error)}; it was changed by hand or by another version"
        ) from error


@lru_cache(maxsize=2_048)
def decode_incident(text: str) -> Incident:
    """As ``decode``. All that are active are read with each batch of alerts, and few of them have changed."""
    return decode(Incident, text)


@lru_cache(maxsize=2_048)
def decode_alert(text: str) -> Alert:
    """As ``decode``. An alert is read when it is taken from the inbox, and again when its incident takes it over."""
    return decode(Alert, text)


def _first(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(str(part) for part in problem["loc"])
    return f"{place or 'the text'}: {problem['msg']} (met {problem['input']!r:.80})"


def encode_detail(detail: Mapping[str, str]) -> str:
    """JSON text of an audit row's detail."""
    return _dumps(dict(detail), "audit detail").decode()


def decode_detail(text: str) -> dict[str, str]:
    """Inverse of ``encode_detail``. What was tampered with reads as what it says now, for verification to see."""
    try:
        loaded = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {"unreadable": text}
    return loaded if isinstance(loaded, dict) else {"unreadable": text}


def encode_observation(item: Observation) -> bytes:
    """Compressed JSON of an observation; PermanentError where its content has no JSON form."""
    return zlib.compress(_dumps(item.to_plain(), f"observation {item.id!r}"), _LEVEL)


def decode_observation(data: bytes) -> Observation:
    """Inverse of ``encode_observation``; PermanentError for damaged bytes."""
    try:
        return Observation.from_plain(orjson.loads(zlib.decompress(data)))
    except (zlib.error, orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise PermanentError(
            f"a stored observation cannot be read ({error!r}): it was changed by hand or by another version"
        ) from error
