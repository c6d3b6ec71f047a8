"""Arithmetic, comparison and set operators between numbers and vectors, with Prometheus' label matching."""

import math
from collections.abc import Callable
from typing import Literal

from agent_sre.adapters.metrics_snapshot.syntax import Matching
from agent_sre.adapters.metrics_snapshot.vector import LabelKey, Sample, Value, Vector, keep, key_of
from agent_sre.domain.errors import PermanentError

_SETS = {"and", "or", "unless"}


def _divide(left: float, right: float) -> float:
    if right == 0:
        return math.nan if left == 0 or math.isnan(left) else math.copysign(math.inf, left) * math.copysign(1, right)
    return left / right


def _modulo(left: float, right: float) -> float:
    return math.nan if right == 0 or math.isinf(left) else math.fmod(left, right)


def _power(left: float, right: float) -> float:
    try:
        return math.pow(left, right)
    except OverflowError:
        return math.inf
    except ValueError:
        return math.nan


ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": _divide,
    "%": _modulo,
    "^": _power,
}
COMPARISON: dict[str, Callable[[float, float], bool]] = {
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    ">": lambda left, right: left > right,
    "<": lambda left, right: left < right,
    ">=": lambda left, right: left >= right,
    "<=": lambda left, right: left <= right,
}


def combine(operator: str, left: Value, right: Value, *, as_bool: bool, matching: Matching) -> Value:
    """Apply a binary operator. Raises PermanentError where the operands do not fit it."""
    if isinstance(left, str) or isinstance(right, str):
        raise PermanentError(f"{operator!r} does not apply to strings")
    if isinstance(left, float) and isinstance(right, float):
        return _numbers(operator, left, right, as_bool=as_bool)
    if operator in _SETS:
        return _sets(operator, _samples(left, operator), _samples(right, operator), matching)
    if isinstance(right, float):
        found = _samples(left, operator)
        return [out for item in found if (out := _applied(operator, item, item.value, right, as_bool)) is not None]
    if isinstance(left, float):
        found = _samples(right, operator)
        return [out for item in found if (out := _applied(operator, item, left, item.value, as_bool)) is not None]
    return _matched(operator, _samples(left, operator), _samples(right, operator), as_bool, matching)


def _samples(value: Value, operator: str) -> Vector:
    if isinstance(value, list) and all(isinstance(item, Sample) for item in value):
        return [item for item in value if isinstance(item, Sample)]
    raise PermanentError(f"{operator!r} needs instant vectors or numbers on both sides")


def _numbers(operator: str, left: float, right: float, *, as_bool: bool) -> float:
    if operator in ARITHMETIC:
        return ARITHMETIC[operator](left, right)
    if operator in _SETS or not as_bool:
        raise PermanentError(f"{operator!r} between two numbers needs the bool modifier")
    return float(COMPARISON[operator](left, right))


def _applied(operator: str, item: Sample, left: float, right: float, as_bool: bool) -> Sample | None:
    """One element after the operator; None where a comparison drops it."""
    if operator in ARITHMETIC:
        return Sample("", item.labels, ARITHMETIC[operator](left, right))
    holds = COMPARISON[operator](left, right)
    if as_bool:
        return Sample("", item.labels, float(holds))
    return item if holds else None


def _key(item: Sample, matching: Matching) -> LabelKey:
    return key_of(keep(item.labels, matching.labels, without=not matching.on))


def _sets(operator: str, left: Vector, right: Vector, matching: Matching) -> Vector:
    rights = {_key(item, matching) for item in right}
    if operator == "and":
        return [item for item in left if _key(item, matching) in rights]
    if operator == "unless":
        return [item for item in left if _key(item, matching) not in rights]
    lefts = {_key(item, matching) for item in left}
    return left + [item for item in right if _key(item, matching) not in lefts]


def _matched(operator: str, left: Vector, right: Vector, as_bool: bool, matching: Matching) -> Vector:
    """Vector to vector: each element of the "many" side (one-to-one: the left) with its one partner."""
    many, one = (right, left) if matching.many == "right" else (left, right)
    partners = _unique(one, matching, "left" if matching.many == "right" else "right", operator)
    if not matching.many:
        _unique(many, matching, "left", operator)
    found = []
    for item in many:
        partner = partners.get(_key(item, matching))
        if partner is None:
            continue
        first, second = (partner, item) if matching.many == "right" else (item, partner)
        out = _applied(operator, item, first.value, second.value, as_bool)
        if out is not None:
            drops_name = operator in ARITHMETIC or as_bool or (matching.on and not matching.many)
            found.append(Sample("" if drops_name else item.name, _labels(item, partner, matching), out.value))
    return found


def _unique(
    items: Vector, matching: Matching, group: Literal["left", "right"], operator: str
) -> dict[LabelKey, Sample]:
    found: dict[LabelKey, Sample] = {}
    for item in items:
        key = _key(item, matching)
        if key in found:
            shown = dict(key) or "no labels"
            raise PermanentError(f"{operator!r}: several series match on {shown}; add on(...) or group_{group}")
        found[key] = item
    return found


def _labels(item: Sample, partner: Sample, matching: Matching) -> dict[str, str]:
    if not matching.many:
        return keep(item.labels, matching.labels, without=not matching.on)
    labels = dict(item.labels)
    for name in matching.include:
        labels.pop(name, None)
        if partner.labels.get(name):
            labels[name] = partner.labels[name]
    return labels
