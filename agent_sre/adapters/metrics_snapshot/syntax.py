"""The syntax tree of the PromQL subset. Durations are in seconds."""

from dataclasses import dataclass, field
from typing import Literal

MatchOperator = Literal["=", "!=", "=~", "!~"]


@dataclass(frozen=True, slots=True)
class Number:
    """A literal."""

    value: float


@dataclass(frozen=True, slots=True)
class Text:
    """A string literal: only an argument of a function."""

    value: str


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label; the metric's name is the label ``__name__``."""

    label: str
    operator: MatchOperator
    value: str


@dataclass(frozen=True, slots=True)
class Selector:
    """An instant selector, or a range selector where ``window`` is set."""

    matchers: tuple[Matcher, ...]
    window: float | None = None
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class Call:
    """A function applied to its arguments."""

    function: str
    arguments: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Aggregation:
    """``sum by (labels) (body)``; ``without`` inverts the labels; ``parameter`` is topk's and quantile's."""

    operator: str
    body: "Node"
    labels: tuple[str, ...] = ()
    without: bool = False
    parameter: "Node | None" = None


@dataclass(frozen=True, slots=True)
class Matching:
    """How two vectors are matched: on the labels (``on``) or on all but them; ``many`` is the side of group_*."""

    labels: tuple[str, ...] = ()
    on: bool = False
    many: Literal["", "left", "right"] = ""
    include: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands; ``as_bool`` is the ``bool`` modifier of comparisons."""

    operator: str
    left: "Node"
    right: "Node"
    as_bool: bool = False
    matching: Matching = field(default_factory=Matching)


@dataclass(frozen=True, slots=True)
class Negation:
    """Unary minus."""

    body: "Node"


Node = Number | Text | Selector | Call | Aggregation | Binary | Negation
