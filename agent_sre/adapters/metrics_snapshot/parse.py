"""A Pratt parser for the PromQL subset.

Expressions come from alert payloads, so they are hostile input: length and nesting are bounded, and what is not part
of the subset (subqueries, ``@``, unknown functions) is a PermanentError that names the construct and its place.
"""

import re
from typing import NoReturn, cast

from agent_sre.adapters.metrics_snapshot.functions import AGGREGATIONS, FUNCTIONS, PARAMETRIC
from agent_sre.adapters.metrics_snapshot.syntax import (
    Aggregation,
    Binary,
    Call,
    Matcher,
    Matching,
    MatchOperator,
    Negation,
    Node,
    Number,
    Selector,
    Text,
)
from agent_sre.domain.errors import PermanentError

MAX_LENGTH = 20_000
MAX_DEPTH = 60
MAX_OPERATORS = 200
_TOKEN = re.compile(
    r"(?P<space>(?:\s|\#[^\n]*)+)"
    r"|(?P<duration>(?:\d+(?:ms|[smhdwy]))+(?![a-zA-Z0-9_]))"
    r"|(?P<number>0x[0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)"
    r"|(?P<text>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`)"
    r"|(?P<sign>==|!=|=~|!~|>=|<=|[-+*/%^=<>(){}\[\],:@])",
    re.DOTALL,
)
_DURATION_PART = re.compile(r"(\d+)(ms|[smhdwy])")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}
_POWER = {"or": 1, "and": 2, "unless": 2}
_POWER |= dict.fromkeys(("==", "!=", ">", "<", ">=", "<="), 3)
_POWER |= {"+": 4, "-": 4, "*": 5, "/": 5, "%": 5, "atan2": 5, "^": 7}
_UNARY_POWER = 6
_COMPARISONS = {"==", "!=", ">", "<", ">=", "<="}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_END = ("end", "", -1)


def parse(expression: str) -> Node:
    """The syntax tree. Raises PermanentError naming the construct that is wrong or not supported."""
    if len(expression) > MAX_LENGTH:
        raise PermanentError(f"the expression has {len(expression)} characters; at most {MAX_LENGTH} are evaluated")
    parser = _Parser(expression)
    node = parser.expression(0)
    parser.expect_end()
    return node


class _Parser:
    def __init__(self, expression: str) -> None:
        self.source = expression
        self.tokens = self._tokens()
        self.at = 0
        self.depth = 0
        self.operators = 0

    def _tokens(self) -> list[tuple[str, str, int]]:
        tokens, at = [], 0
        while at < len(self.source):
            match = _TOKEN.match(self.source, at)
            if match is None:
                raise PermanentError(f"PromQL {_excerpt(self.source)}: cannot read {self.source[at : at + 20]!r}")
            if match.lastgroup != "space":
                tokens.append((str(match.lastgroup), match[0], at))
            at = match.end()
        return [*tokens, _END]

    def peek(self) -> str:
        return self.tokens[self.at][1]

    def next(self) -> tuple[str, str]:
        kind, text, _ = self.tokens[self.at]
        if kind != "end":
            self.at += 1
        return kind, text

    def take(self, text: str) -> bool:
        """Whether the next token is this one, which is then consumed; keywords in any case."""
        if self.tokens[self.at][0] in {"sign", "name"} and self.peek().lower() == text:
            self.at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.take(text):
            self.refuse(f"expected {text!r}, found {(self.peek() or 'the end')!r}")

    def expect_end(self) -> None:
        if self.tokens[self.at][0] != "end":
            self.refuse(f"unexpected {self.peek()!r}")

    def refuse(self, what: str) -> NoReturn:
        raise PermanentError(f"PromQL {_excerpt(self.source)}: {what}")

    def unsupported(self, construct: str) -> NoReturn:
        self.refuse(f"{construct} is not evaluated on a snapshot; query a live Prometheus for it")

    def expression(self, power: int) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.refuse(f"nested deeper than {MAX_DEPTH}")
        left = self.unary()
        while (operator := self.peek().lower()) in _POWER and _POWER[operator] > power:
            self.next()
            left = self.binary(operator, left)
        self.depth -= 1
        return left

    def binary(self, operator: str, left: Node) -> Node:
        # A chain of operators is as deep a tree as parentheses make, and evaluation recurses.
        self.operators += 1
        if self.operators > MAX_OPERATORS:
            self.refuse(f"more than {MAX_OPERATORS} operators")
        as_bool = self.take("bool")
        if as_bool and operator not in _COMPARISONS:
            self.refuse(f"bool after {operator!r}")
        if operator == "atan2":
            self.unsupported("atan2")
        matching = self.matching()
        # "^" binds to the right, the others to the left.
        right = self.expression(_POWER[operator] - (1 if operator == "^" else 0))
        return Binary(operator, left, right, as_bool, matching)

    def matching(self) -> Matching:
        on = self.take("on")
        if not on and not self.take("ignoring"):
            return Matching()
        labels = self.labels()
        for side in ("left", "right"):
            if self.take(f"group_{side}"):
                include = self.labels() if self.peek() == "(" else ()
                return Matching(labels, on, "left" if side == "left" else "right", include)
        return Matching(labels, on)

    def unary(self) -> Node:
        if self.take("-"):
            return Negation(self.expression(_UNARY_POWER))
        if self.take("+"):
            return self.expression(_UNARY_POWER)
        node = self.primary()
        if self.peek() == "[":
            node = self.ranged(node)
        if self.take("offset"):
            node = self.shifted(node)
        if self.peek() == "@":
            self.unsupported("the @ modifier")
        return node

    def primary(self) -> Node:
        if self.peek() == "{":
            return Selector(self.matchers())
        kind, text = self.next()
        if text == "(":
            node = self.expression(0)
            self.expect(")")
            return node
        if kind == "number":
            return Number(float(int(text, 16)) if text.startswith("0x") else float(text))
        if kind == "text":
            return Text(_unquote(text))
        if kind == "name":
            return self.named(text)
        self.refuse(f"expected an expression, found {(text or 'the end')!r}")

    def named(self, name: str) -> Node:
        lower = name.lower()
        if lower in {"inf", "nan"}:
            return Number(float(lower))
        if (lower in AGGREGATIONS or lower in PARAMETRIC) and self.peek().lower() in {"(", "by", "without"}:
            return self.aggregation(lower)
        if self.peek() == "(":
            if name not in FUNCTIONS:
                self.unsupported(f"function {name!r}")
            return Call(name, self.arguments(FUNCTIONS[name].arity, name))
        rest = self.matchers() if self.peek() == "{" else ()
        return Selector((Matcher("__name__", "=", name), *rest))

    def arguments(self, arity: tuple[int, int], name: str) -> tuple[Node, ...]:
        self.expect("(")
        found: list[Node] = []
        while not self.take(")"):
            found.append(self.expression(0))
            if self.peek() != ")":
                self.expect(",")
        if not arity[0] <= len(found) <= arity[1]:
            self.refuse(f"{name} takes {arity[0]} to {arity[1]} arguments, found {len(found)}")
        return tuple(found)

    def aggregation(self, operator: str) -> Node:
        grouping = self.grouping()
        arity = 2 if operator in PARAMETRIC else 1
        arguments = self.arguments((arity, arity), operator)
        without, labels = grouping or self.grouping() or (False, ())
        return Aggregation(operator, arguments[-1], labels, without, arguments[0] if arity == 2 else None)

    def grouping(self) -> tuple[bool, tuple[str, ...]] | None:
        if self.take("by"):
            return False, self.labels()
        return (True, self.labels()) if self.take("without") else None

    def labels(self) -> tuple[str, ...]:
        self.expect("(")
        found: list[str] = []
        while not self.take(")"):
            kind, text = self.next()
            if kind != "name":
                self.refuse(f"expected a label name, found {(text or 'the end')!r}")
            found.append(text)
            if self.peek() != ")":
                self.expect(",")
        return tuple(found)

    def matchers(self) -> tuple[Matcher, ...]:
        self.expect("{")
        found: list[Matcher] = []
        while not self.take("}"):
            (kind, label), (_, operator), (value_kind, value) = self.next(), self.next(), self.next()
            if kind != "name" or operator not in {"=", "!=", "=~", "!~"} or value_kind != "text":
                self.refuse(f'expected label="value" in braces, found {(label + operator + value)!r}')
            found.append(Matcher(label, cast(MatchOperator, operator), _unquote(value)))
            if self.peek() != "}":
                self.expect(",")
        return tuple(found)

    def ranged(self, node: Node) -> Node:
        self.expect("[")
        window = self.duration()
        if self.peek().startswith(":"):
            self.unsupported("a subquery")
        self.expect("]")
        if not isinstance(node, Selector) or node.window is not None:
            self.refuse("a range in brackets belongs to a plain selector")
        return Selector(node.matchers, window)

    def shifted(self, node: Node) -> Node:
        sign = -1.0 if self.take("-") else 1.0
        if not isinstance(node, Selector):
            self.refuse("offset belongs to a plain selector")
        return Selector(node.matchers, node.window, sign * self.duration())

    def duration(self) -> float:
        kind, text = self.next()
        if kind != "duration":
            self.refuse(f"expected a duration such as 5m, found {(text or 'the end')!r}")
        return sum(int(count) * _SECONDS[unit] for count, unit in _DURATION_PART.findall(text))


def _unquote(text: str) -> str:
    if text[0] == "`":
        return text[1:-1]
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), text[1:-1], flags=re.DOTALL)


def _excerpt(source: str) -> str:
    flat = " ".join(source.split())
    return repr(flat if len(flat) <= 120 else f"{flat[:117]}...")
