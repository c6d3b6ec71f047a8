"""A PromQL expression as far as its cost goes: what it selects, how far back it looks, how often it evaluates."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class LabelMatch:
    """One matcher of a selector; ``operator`` is one of = != =~ !~."""

    label: str
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class Shift:
    """How a selector or subquery is moved in time: ``offset`` back (negative: ahead), ``at`` to a moment (UTC)."""

    offset: timedelta = timedelta(0)
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Subquery:
    """``[reach:step]`` around a selector; ``step`` is None where the back end's own is taken."""

    reach: timedelta
    step: timedelta | None
    shift: Shift = Shift()


@dataclass(frozen=True, slots=True)
class Selection:
    """One selector, its range (zero for an instant selector), and the subqueries around it, the outermost first.

    ``alternatives`` are the sets of matchers of which one must hold; nearly always there is one set.
    """

    metric: str
    alternatives: tuple[tuple[LabelMatch, ...], ...]
    range: timedelta = timedelta(0)
    shift: Shift = Shift()
    subqueries: tuple[Subquery, ...] = ()

    def __str__(self) -> str:
        """``name{label="value"}``, as a person would write it, without range and shift."""
        sets = (",".join(f'{item.label}{item.operator}"{item.value}"' for item in of) for of in self.alternatives)
        inner = " or ".join(text for text in sets if text)
        return f"{self.metric}{{{inner}}}" if inner or not self.metric else self.metric


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that was understood. ``nodes`` counts the parts of its syntax tree."""

    text: str
    selections: tuple[Selection, ...]
    nodes: int
