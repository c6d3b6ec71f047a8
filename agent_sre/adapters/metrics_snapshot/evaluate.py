"""Evaluating a syntax tree at one moment."""

from collections import defaultdict

from agent_sre.adapters.metrics_snapshot.functions import AGGREGATIONS, FUNCTIONS, quantile, scalar_of, vector_of
from agent_sre.adapters.metrics_snapshot.operators import combine
from agent_sre.adapters.metrics_snapshot.select import Index
from agent_sre.adapters.metrics_snapshot.syntax import (
    Aggregation,
    Binary,
    Call,
    Matching,
    Negation,
    Node,
    Number,
    Selector,
    Text,
)
from agent_sre.adapters.metrics_snapshot.vector import LabelKey, Sample, Value, Vector, keep, key_of
from agent_sre.domain.errors import PermanentError


def evaluate(node: Node, index: Index, at: float) -> Value:
    """The value at ``at`` (seconds since the epoch). Raises PermanentError where the operands do not fit."""
    match node:
        case Number():
            return node.value
        case Text():
            return node.value
        case Selector():
            return index.instant(node, at) if node.window is None else index.range(node, at)
        case Negation():
            body = evaluate(node.body, index, at)
            return combine("*", -1.0, body, as_bool=False, matching=Matching())
        case Binary():
            left, right = evaluate(node.left, index, at), evaluate(node.right, index, at)
            return combine(node.operator, left, right, as_bool=node.as_bool, matching=node.matching)
        case Aggregation():
            return _aggregate(node, index, at)
        case Call():
            return _call(node, index, at)


def _call(node: Call, index: Index, at: float) -> Value:
    value = FUNCTIONS[node.function].apply([evaluate(item, index, at) for item in node.arguments], at)
    argument = node.arguments[0] if node.arguments else None
    if node.function == "absent" and value and isinstance(argument, Selector):
        equal = {
            item.label: item.value for item in argument.matchers if item.operator == "=" and item.label != "__name__"
        }
        return [Sample("", equal, 1.0)]
    return value


def _aggregate(node: Aggregation, index: Index, at: float) -> Vector:
    groups: dict[LabelKey, Vector] = defaultdict(list)
    for item in vector_of(evaluate(node.body, index, at), node.operator):
        groups[key_of(keep(item.labels, node.labels, without=node.without))].append(item)
    if node.parameter is None:
        reduce = AGGREGATIONS[node.operator]
        return [Sample("", dict(key), reduce([item.value for item in items])) for key, items in groups.items()]
    parameter = scalar_of(evaluate(node.parameter, index, at), node.operator)
    if node.operator == "quantile":
        values = ((key, [item.value for item in items]) for key, items in groups.items())
        return [Sample("", dict(key), quantile(parameter, found)) for key, found in values]
    return _extremes(node.operator, parameter, list(groups.values()))


def _extremes(operator: str, parameter: float, groups: list[Vector]) -> Vector:
    """topk and bottomk keep their elements whole; NaN comes last."""
    if not parameter < 1e9:
        raise PermanentError(f"{operator}: {parameter} is not a number of series")
    sign = -1.0 if operator == "topk" else 1.0
    chosen: Vector = []
    for items in groups:
        ordered = sorted(items, key=lambda item: (item.value != item.value, sign * item.value))
        chosen.extend(ordered[: max(int(parameter), 0)])
    return chosen
