"""The difference a person approves, one field per line, as paths: ``spec.template.spec.containers[app].image``.

A YAML difference of a pod template shows indentation and moved lists; an approver needs the fields. Items of lists
that have a name are addressed by it. Values are untrusted text: made visible, cut, and hidden where the field's name
or the value itself looks like a secret, because the preview travels to chats. The exact patch is what is applied;
this is only what is read.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from agent_sre.domain.visible import one_line

_MAX_LINES = 200
_MAX_VALUE = 300
_SECRET_NAME = re.compile(
    r"(?i)passw|pwd|secret|token|api_?-?key|private_?-?key|credential|connection_?string|dsn\b|auth"
)
_SECRET_VALUE = re.compile(
    r"(?i)(?:passw(?:or)?d|pwd|secret|token|api_?-?key)\W{0,3}[=: ]\s*\S"
    r"|://[^/\s:@]*:[^/\s@]+@|-----BEGIN|\beyJ[\w-]{8}|\bAKIA[0-9A-Z]{16}"
)
_FREE_TEXT = re.compile(r"\.value$|\]$|\.(?:annotations|labels)\.")
"""Fields in which people write what they like; an image or a port named like a secret is none."""


def difference(before: Mapping[str, Any], after: Mapping[str, Any], before_title: str, after_title: str) -> str:
    """``---``/``+++`` headers, then a ``-`` and a ``+`` line for each field that differs, in the order of paths."""
    old, new = dict(_flat(before, "")), dict(_flat(after, ""))
    lines: list[str] = []
    for path in sorted(old.keys() | new.keys()):
        if old.get(path) != new.get(path):
            lines += [f"{sign} {_line(path, side[path])}" for sign, side in (("-", old), ("+", new)) if path in side]
    left_out = len(lines) - _MAX_LINES
    if left_out > 0:
        lines = [*lines[:_MAX_LINES], f"... and {left_out} more lines"]
    return "\n".join([f"--- {one_line(before_title)}", f"+++ {one_line(after_title)}", *lines])


def holds_secret(value: Mapping[str, Any]) -> bool:
    """Whether any field or value looks like a secret: then it may be stored nowhere, not even in an exact patch."""
    return any(_hidden(path, text) for path, text in _flat(value, ""))


def stored_form(item: Mapping[str, Any]) -> dict[str, Any]:
    """An object as it is kept for being created again: without its status and what a server writes of its fields."""
    meta = {key: value for key, value in item["metadata"].items() if key not in ("managedFields", "annotations")}
    return {**{key: value for key, value in item.items() if key != "status"}, "metadata": meta}


def names_secret(name: str) -> bool:
    """Whether a field of this name would hold a secret."""
    return bool(_SECRET_NAME.search(name))


def _flat(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Leaves as (path, JSON text); empty objects and lists are leaves."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _flat(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value:
        names = [item.get("name") if isinstance(item, Mapping) else None for item in value]
        named = all(isinstance(name, str) for name in names) and len(set(names)) == len(names)
        for index, item in enumerate(value):
            yield from _flat(item, f"{path}[{names[index] if named else index}]")
    else:
        yield path, json.dumps(value, ensure_ascii=False, default=str)


def _line(path: str, text: str) -> str:
    return f"{one_line(path, _MAX_VALUE)}: {'(hidden)' if _hidden(path, text) else one_line(text, _MAX_VALUE)}"


def _hidden(path: str, text: str) -> bool:
    named = _FREE_TEXT.search(path) and _SECRET_NAME.search(path)
    return text not in ("{}", "[]", "null") and bool(named or _SECRET_VALUE.search(text))
