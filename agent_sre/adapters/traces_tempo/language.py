"""TraceQL: searches as one span filter. Whatever an alert or a person wrote ends up inside a string literal.

All conditions stand in one pair of braces, so that one span has to fit them all. Literals are double-quoted with Go's
escapes, of which those of JSON are a part. A missing attribute cannot be asked for in every version; where the
namespace's name finds nothing, the reader asks once more without it.
"""

import json

from agent_sre.domain.trace_search import NAMESPACE, TraceSearch

SERVICE = "resource.service.name"


def filter_of(search: TraceSearch, *, in_namespaces: bool) -> str:
    """The spans that a search admits; ``in_namespaces`` leaves out those that don't say where they ran."""
    parts = [f"{SERVICE} = {_literal(search.service)}"] if search.service else []
    parts += [places(search.namespaces)] if in_namespaces and search.namespaces else []
    parts += ["status = error"] if search.errors else []
    parts += [f"duration >= {max(round(search.at_least * 1e6), 1)}us"] if search.at_least else []
    return "{ " + " && ".join(parts) + " }" if parts else "{ }"


def places(namespaces: tuple[str, ...]) -> str:
    """The condition that a span ran in one of the namespaces."""
    equal = [f"resource.{NAMESPACE} = {_literal(name)}" for name in namespaces]
    return equal[0] if len(equal) == 1 else f"({' || '.join(equal)})"


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
