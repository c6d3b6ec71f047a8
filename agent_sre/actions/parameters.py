"""Checks parameters against an action's declaration: in a runbook's template, and again when they are filled.

Unknown, missing, mistyped and out-of-range values are refused here and nowhere else, with words that a runbook's
author can act on. A reference to the object acted upon is never a literal: it is ``$object`` and filled from
evidence.
"""

import re
from collections.abc import Callable, Mapping

from agent_sre.actions.kind import ActionKind, Parameter, Parameters, ParameterType

OBJECT = "$object"
PREVIOUS_REVISION = "$previous_revision"
PREVIOUS_REPLICAS = "$previous_replicas"
HALF_MORE = "$half_more"
UNCHANGED = "$unchanged"
CONTAINER = "$container"
PREVIOUS_IMAGE = "$previous_image"
CHANGED_KEY = "$changed_key"

NAME = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,251}[A-Za-z0-9])?"
"""A name or key as Kubernetes has them."""

_Check = Callable[[Parameter, object], str]


def template_problems(kind: ActionKind, parameters: Mapping[str, object]) -> tuple[str, ...]:
    """What is wrong with parameters as a runbook writes them; empty where nothing is."""
    return (*_name_problems(kind, parameters), *_each(kind, parameters, _template_problem))


def value_problems(kind: ActionKind, parameters: Parameters) -> tuple[str, ...]:
    """What is wrong with parameters when everything is filled in; empty where nothing is."""
    return (*_name_problems(kind, parameters), *_each(kind, parameters, _value_problem))


def _each(kind: ActionKind, parameters: Mapping[str, object], check: _Check) -> list[str]:
    found = (check(item, parameters[item.name]) for item in kind.parameters if item.name in parameters)
    return [problem for problem in found if problem]


def _name_problems(kind: ActionKind, parameters: Mapping[str, object]) -> list[str]:
    names = [item.name for item in kind.parameters]
    known = ", ".join(names) or "none"
    unknown = [f"{kind.name} has no parameter {name!r}; it has: {known}" for name in parameters if name not in names]
    missing = [f"{kind.name} needs the parameter {name!r}" for name in names if name not in parameters]
    return unknown + missing


def _template_problem(item: Parameter, value: object) -> str:
    if item.type is ParameterType.OBJECT:
        return "" if value == OBJECT else f"{item.name} is {value!r}; write {OBJECT}, which only evidence can fill"
    if isinstance(value, str) and value.startswith("$"):
        if value in item.placeholders:
            return ""
        allowed = ", ".join(item.placeholders) or "none"
        return f"{item.name} is {value!r}, which is no placeholder for it; there are: {allowed}"
    return _value_problem(item, value)


def _value_problem(item: Parameter, value: object) -> str:
    if item.type is ParameterType.OBJECT:
        return (
            "" if isinstance(value, str) and value and "$" not in value else f"{item.name} is {value!r}, not an object"
        )
    if item.type is ParameterType.TEXT:
        return _text_problem(item, value)
    if isinstance(value, bool) or not isinstance(value, int):
        return f"{item.name} is {value!r}; write a whole number from {item.minimum} to {item.maximum}"
    if not item.minimum <= value <= item.maximum:
        return f"{item.name} is {value}; it must be from {item.minimum} to {item.maximum}"
    return ""


def _text_problem(item: Parameter, value: object) -> str:
    if item.choices:
        return "" if value in item.choices else f"{item.name} is {value!r}; write one of {', '.join(item.choices)}"
    if isinstance(value, str) and re.fullmatch(item.pattern or NAME, value):
        return ""
    return f"{item.name} is {value!r:.80}; write a text of the form {item.pattern or NAME}"
