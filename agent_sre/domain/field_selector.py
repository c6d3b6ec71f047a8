"""Kubernetes field selectors: which objects of a listing a server leaves out. For the sources that are no server.

``involvedObject.kind!=Pod,type=Warning``: parts joined by a comma, each a path, ``=`` or ``!=``, and a value. An absent
field is the empty text, as it is to a server.
"""

import re
from collections.abc import Mapping
from typing import Any

_PART = re.compile(r"([\w.]+)(!=|==?)(.*)")


def selects(selector: str, item: Mapping[str, Any]) -> bool:
    """Whether the selector keeps the object; an empty one keeps all. ValueError for what is no selector."""
    return all(_holds(part, item) for part in selector.split(",") if part)


def _holds(part: str, item: Mapping[str, Any]) -> bool:
    match = _PART.fullmatch(part)
    if match is None:
        raise ValueError(f"{part!r} is no field selector; write path=value or path!=value")
    value: Any = item
    for step in match[1].split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return (("" if value is None else str(value)) == match[3]) is (match[2] != "!=")
