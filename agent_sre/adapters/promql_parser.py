"""PromQL read by ``promql-parser``, the parser of Prometheus' grammar that its makers keep (docs/decisions/0003).

Only what the guard asks for is taken out of the tree. Two things are known of the library and kept away from: it is
native code, so a text is bounded in length and nesting before it sees it; and an ``@`` before 1970 makes it panic when
its time is read, so the time is taken from the printed form.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from agent_sre.domain.errors import PermanentError
from agent_sre.domain.promql import Expression, LabelMatch, Selection, Shift, Subquery

MAX_LENGTH = 2_000
MAX_NESTING = 50
_OPERATORS = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}
_AT = re.compile(r"@ (\d{1,12}\.\d+)(?:\s+offset \S+)?\s*$")


class PackagedPromqlParser:
    """PromqlParser over the package, which is imported when it is first needed."""

    def parse(self, text: str) -> Expression:
        """Bounded first, then parsed; what the package's own types cannot hold is refused too."""
        _bounded(text)
        import promql_parser

        try:
            tree = promql_parser.parse(text)
        except (ValueError, OverflowError) as error:
            reason = " ".join(str(error).split())[:300]
            raise PermanentError(f"not understood as PromQL: {reason}; the expression was {text[:200]!r}") from None
        selections, nodes = [], 0
        for node, around in _walk(tree):
            nodes += 1
            if type(node).__name__ in ("VectorSelector", "MatrixSelector"):
                selections.append(_selection(node, around))
        return Expression(text, tuple(selections), nodes)


def _bounded(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise PermanentError(f"the expression has {len(text)} characters; at most {MAX_LENGTH} are read: ask for less")
    depth = deepest = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    if deepest > MAX_NESTING:
        raise PermanentError(f"the expression is nested {deepest} deep; at most {MAX_NESTING} are read: simplify it")


Around = tuple[Subquery, ...]


def _walk(tree: Any) -> Iterator[tuple[Any, Around]]:
    """Every node with the subqueries around it; by hand, because the package's own walk leaves out parameters."""
    waiting: list[tuple[Any, Around]] = [(tree, ())]
    while waiting:
        node, around = waiting.pop()
        yield node, around
        kind = type(node).__name__
        if kind == "SubqueryExpr":
            around = (*around, Subquery(node.range or timedelta(0), node.step, _shift(node)))
        waiting.extend((child, around) for child in _children(kind, node))


def _children(kind: str, node: Any) -> list[Any]:
    match kind:
        case "VectorSelector" | "MatrixSelector" | "NumberLiteral" | "StringLiteral":
            return []
        case "AggregateExpr":
            return [node.expr] + ([node.param] if node.param is not None else [])
        case "Call":
            return list(node.args)
        case "BinaryExpr":
            return [node.lhs, node.rhs]
        case "ParenExpr" | "UnaryExpr" | "SubqueryExpr":
            return [node.expr]
        case _:
            raise PermanentError(f"{kind} is a part of PromQL that is not known here; write the expression without it")


def _selection(node: Any, around: Around) -> Selection:
    vector = node.vector_selector if type(node).__name__ == "MatrixSelector" else node
    matchers = vector.matchers
    sets = [list(matchers.matchers), *matchers.or_matchers] if matchers.matchers else list(matchers.or_matchers)
    alternatives = tuple(tuple(_match(item) for item in of) for of in sets)
    reach = node.range if node is not vector else timedelta(0)
    return Selection(vector.name or "", alternatives, reach, _shift(vector), around)


def _match(item: Any) -> LabelMatch:
    return LabelMatch(item.name, _OPERATORS[str(item.op).rpartition(".")[2]], item.value)


def _shift(node: Any) -> Shift:
    offset = node.offset or timedelta(0)
    if node.at is None or str(node.at.type).rpartition(".")[2] != "At":
        return Shift(offset)
    printed = _AT.search(node.prettify())
    if printed is None:
        raise PermanentError("the time after @ is not understood; give seconds since 1970, start() or end()")
    try:
        return Shift(offset, datetime.fromtimestamp(float(printed[1]), UTC))
    except (ValueError, OverflowError, OSError):
        raise PermanentError(
            f"@ {printed[1]} is no time of ours; give seconds since 1970 before the year 9999"
        ) from None
