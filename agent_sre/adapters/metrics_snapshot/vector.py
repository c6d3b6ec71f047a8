"""Values of the PromQL subset: vectors of samples, ranges of raw samples, scalars as floats."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LabelKey = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """One element of an instant vector. ``name`` is empty once an operation has changed the meaning."""

    name: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Range:
    """The raw samples of one series in (end - window, end]; times are seconds since the epoch."""

    name: str
    labels: Mapping[str, str]
    times: Sequence[float]
    values: Sequence[float]
    start: float
    end: float


Vector = list[Sample]
Ranges = list[Range]
Value = float | str | Vector | Ranges


def key_of(labels: Mapping[str, str]) -> LabelKey:
    """Labels as something that can be compared and hashed."""
    return tuple(sorted(labels.items()))


def keep(labels: Mapping[str, str], names: tuple[str, ...], *, without: bool) -> dict[str, str]:
    """Only the named labels, or all but them; an empty label is an absent one."""
    if without:
        return {name: value for name, value in labels.items() if name not in names and value}
    return {name: labels[name] for name in names if labels.get(name)}
