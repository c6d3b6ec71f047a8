"""The functions and aggregations of the PromQL subset, as tables from name to implementation.

Semantics follow Prometheus 3: ranges are open on the left, ``rate`` extrapolates to the ends of the range but not
below zero, comparisons with NaN are false. A function gets evaluated arguments and the evaluation time.
"""

import math
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from agent_sre.adapters.metrics_snapshot.vector import Range, Ranges, Sample, Value, Vector, key_of
from agent_sre.domain.errors import PermanentError

_EXTRAPOLATION = 1.1
Implementation = Callable[[Sequence[Value], float], Value]


@dataclass(frozen=True, slots=True)
class Function:
    """How many arguments a function takes, at least and at most, and what it does."""

    arity: tuple[int, int]
    apply: Implementation


def vector_of(value: Value, what: str) -> Vector:
    """The value as an instant vector. Raises PermanentError naming the function it was meant for."""
    if isinstance(value, list) and all(isinstance(item, Sample) for item in value):
        return [item for item in value if isinstance(item, Sample)]
    raise PermanentError(f"{what} expects an instant vector")


def scalar_of(value: Value, what: str) -> float:
    """The value as a number. Raises PermanentError naming the function it was meant for."""
    if isinstance(value, float):
        return value
    raise PermanentError(f"{what} expects a number")


def _ranges_of(value: Value, what: str) -> Ranges:
    if isinstance(value, list) and all(isinstance(item, Range) for item in value):
        return [item for item in value if isinstance(item, Range)]
    raise PermanentError(f"{what} expects a range such as metric[5m]")


def _text_of(value: Value, what: str) -> str:
    if isinstance(value, str):
        return value
    raise PermanentError(f"{what} expects a string")


def _extrapolated(span: Range, *, counter: bool, per_second: bool) -> float | None:
    """Prometheus' extrapolatedRate: the change over the samples, stretched to the range's ends where they are near."""
    times, values = span.times, span.values
    if len(times) < 2:
        return None
    change = values[-1] - values[0]
    if counter:
        change += sum(before for before, after in pairwise(values) if after < before)
    sampled = times[-1] - times[0]
    average = sampled / (len(times) - 1)
    to_start, to_end = times[0] - span.start, span.end - times[-1]
    if to_start >= average * _EXTRAPOLATION:
        to_start = average / 2
    if counter and change > 0 and values[0] >= 0:
        to_start = min(to_start, sampled * (values[0] / change))
    if to_end >= average * _EXTRAPOLATION:
        to_end = average / 2
    result = change * (sampled + to_start + to_end) / sampled
    return result / (span.end - span.start) if per_second else result


def _instant(span: Range, *, per_second: bool) -> float | None:
    if len(span.times) < 2:
        return None
    before, after = span.values[-2], span.values[-1]
    if not per_second:
        return after - before
    return (after if after < before else after - before) / (span.times[-1] - span.times[-2])


def _line(span: Range) -> tuple[float, float] | None:
    """Slope and value at the range's end of the least-squares line; None with fewer than two samples."""
    count = len(span.times)
    if count < 2:
        return None
    shifted = [time - span.end for time in span.times]
    mean_x, mean_y = sum(shifted) / count, sum(span.values) / count
    spread = sum((x - mean_x) ** 2 for x in shifted)
    if spread == 0:
        return None
    slope = sum((x - mean_x) * (y - mean_y) for x, y in zip(shifted, span.values, strict=True)) / spread
    return slope, mean_y - slope * mean_x


def _deriv(span: Range) -> float | None:
    line = _line(span)
    return None if line is None else line[0]


def _steps(span: Range, counts: Callable[[float, float], bool]) -> float:
    return float(sum(counts(before, after) for before, after in pairwise(span.values)))


def quantile(fraction: float, values: Sequence[float]) -> float:
    """The quantile of values by linear interpolation, as Prometheus computes it."""
    if not values or math.isnan(fraction):
        return math.nan
    if fraction < 0 or fraction > 1:
        return math.copysign(math.inf, fraction)
    ordered = sorted(values, key=lambda value: (not math.isnan(value), value))
    rank = fraction * (len(ordered) - 1)
    low, high = math.floor(rank), min(math.floor(rank) + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (rank - low)


def largest(values: Sequence[float]) -> float:
    """The maximum; NaN only where there is nothing else."""
    return max((value for value in values if not math.isnan(value)), default=math.nan)


def smallest(values: Sequence[float]) -> float:
    """The minimum; NaN only where there is nothing else."""
    return min((value for value in values if not math.isnan(value)), default=math.nan)


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean."""
    return math.fsum(values) / len(values) if all(map(math.isfinite, values)) else sum(values) / len(values)


def _over_time(name: str, compute: Callable[[Range], float | None], *, keeps_name: bool = False) -> Function:
    def apply(arguments: Sequence[Value], _at: float) -> Value:
        found = []
        for span in _ranges_of(arguments[0], name):
            value = compute(span)
            if value is not None:
                found.append(Sample(span.name if keeps_name else "", span.labels, value))
        return found

    return Function((1, 1), apply)


def _mapped(name: str, compute: Callable[[float], float]) -> Function:
    def apply(arguments: Sequence[Value], _at: float) -> Value:
        return [Sample("", item.labels, compute(item.value)) for item in vector_of(arguments[0], name)]

    return Function((1, 1), apply)


def _guarded(compute: Callable[[float], float]) -> Callable[[float], float]:
    """IEEE answers where Python's math raises."""

    def safe(value: float) -> float:
        if value == 0 and compute in {math.log, math.log2, math.log10}:
            return -math.inf
        try:
            return compute(value)
        except ValueError:
            return math.nan
        except OverflowError:
            return math.inf

    return safe


def _clamp(arguments: Sequence[Value], _at: float) -> Value:
    low, high = scalar_of(arguments[1], "clamp"), scalar_of(arguments[2], "clamp")
    found = vector_of(arguments[0], "clamp")
    return [] if low > high else [Sample("", item.labels, max(low, min(high, item.value))) for item in found]


def _bounded(name: str, choose: Callable[[float, float], float]) -> Function:
    def apply(arguments: Sequence[Value], _at: float) -> Value:
        bound = scalar_of(arguments[1], name)
        return [Sample("", item.labels, choose(item.value, bound)) for item in vector_of(arguments[0], name)]

    return Function((2, 2), apply)


def _round(arguments: Sequence[Value], _at: float) -> Value:
    inverse = 1.0 / (scalar_of(arguments[1], "round") if len(arguments) > 1 else 1.0)
    found = vector_of(arguments[0], "round")
    return [Sample("", item.labels, math.floor(item.value * inverse + 0.5) / inverse) for item in found]


def _histogram_quantile(arguments: Sequence[Value], _at: float) -> Value:
    fraction = scalar_of(arguments[0], "histogram_quantile")
    groups: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = defaultdict(list)
    for item in vector_of(arguments[1], "histogram_quantile"):
        try:
            bound = float(item.labels.get("le", ""))
        except ValueError:
            continue
        rest = {name: value for name, value in item.labels.items() if name != "le"}
        groups[key_of(rest)].append((bound, item.value))
    return [Sample("", dict(key), bucket_quantile(fraction, sorted(rows))) for key, rows in groups.items()]


def bucket_quantile(fraction: float, buckets: Sequence[tuple[float, float]]) -> float:
    """The quantile from cumulative (upper bound, count) pairs in ascending order, interpolated inside a bucket."""
    if math.isnan(fraction) or len(buckets) < 2 or buckets[-1][0] != math.inf or buckets[-1][1] == 0:
        return math.nan
    if fraction < 0 or fraction > 1:
        return math.copysign(math.inf, fraction)
    counts: list[float] = []
    for _, count in buckets:
        counts.append(max(count, counts[-1]) if counts else count)
    rank = fraction * counts[-1]
    index = next((place for place, count in enumerate(counts[:-1]) if count >= rank), len(counts) - 1)
    if index == len(counts) - 1:
        return buckets[-2][0]
    upper = buckets[index][0]
    if index == 0 and upper <= 0:
        return upper
    lower, below = (buckets[index - 1][0], counts[index - 1]) if index else (0.0, 0.0)
    inside = counts[index] - below
    return upper if inside == 0 else lower + (upper - lower) * ((rank - below) / inside)


def _label_replace(arguments: Sequence[Value], _at: float) -> Value:
    name = "label_replace"
    target, replacement, source, pattern = (_text_of(item, name) for item in arguments[1:])
    matcher = compile_pattern(pattern)
    template = re.sub(r"\$\{?(\w+)\}?", r"\\g<\1>", replacement.replace("\\", r"\\"))
    found = []
    for item in vector_of(arguments[0], name):
        match = matcher.fullmatch(item.labels.get(source, ""))
        labels = dict(item.labels)
        if match is not None:
            labels[target] = _expanded(match, template)
            labels = {key: value for key, value in labels.items() if value}
        found.append(Sample(item.name, labels, item.value))
    return found


def _expanded(match: "re.Match[str]", template: str) -> str:
    try:
        return match.expand(template)
    except (re.error, IndexError) as error:
        raise PermanentError(f"label_replace: the replacement {template!r} does not fit the pattern: {error}") from None


def compile_pattern(pattern: str) -> "re.Pattern[str]":
    """A label pattern, to be matched in full. Raises PermanentError where it is wrong or could run away.

    Python's engine backtracks, so what RE2 takes in linear time may take for ever here: repeated groups, and more than
    three open repeats in one alternative, are refused. Patterns of real matchers and alerts have neither.
    """
    open_repeats = max(len(re.findall(r"(?<!\\)[*+]|,\}", branch)) for branch in pattern.split("|"))
    if len(pattern) > 4000 or re.search(r"(?<!\\)\)[*+{]", pattern) or open_repeats > 3:
        raise PermanentError(f"the pattern {pattern[:60]!r} repeats too much to be matched safely; simplify it")
    try:
        return re.compile(pattern, re.DOTALL)
    except (re.error, OverflowError, RecursionError) as error:
        raise PermanentError(f"the pattern {pattern[:60]!r} is not valid: {error}") from None


def _absent(arguments: Sequence[Value], _at: float) -> Value:
    return [] if arguments[0] else [Sample("", {}, 1.0)]


def _scalar(arguments: Sequence[Value], _at: float) -> Value:
    found = vector_of(arguments[0], "scalar")
    return found[0].value if len(found) == 1 else math.nan


def _predict_linear(arguments: Sequence[Value], _at: float) -> Value:
    ahead = scalar_of(arguments[1], "predict_linear")
    lines = ((span, _line(span)) for span in _ranges_of(arguments[0], "predict_linear"))
    return [Sample("", span.labels, line[1] + line[0] * ahead) for span, line in lines if line]


FUNCTIONS: dict[str, Function] = {
    "rate": _over_time("rate", lambda span: _extrapolated(span, counter=True, per_second=True)),
    "increase": _over_time("increase", lambda span: _extrapolated(span, counter=True, per_second=False)),
    "delta": _over_time("delta", lambda span: _extrapolated(span, counter=False, per_second=False)),
    "irate": _over_time("irate", lambda span: _instant(span, per_second=True)),
    "idelta": _over_time("idelta", lambda span: _instant(span, per_second=False)),
    "deriv": _over_time("deriv", _deriv),
    "avg_over_time": _over_time("avg_over_time", lambda span: mean(span.values)),
    "sum_over_time": _over_time("sum_over_time", lambda span: float(sum(span.values))),
    "min_over_time": _over_time("min_over_time", lambda span: smallest(span.values)),
    "max_over_time": _over_time("max_over_time", lambda span: largest(span.values)),
    "count_over_time": _over_time("count_over_time", lambda span: float(len(span.values))),
    "last_over_time": _over_time("last_over_time", lambda span: span.values[-1], keeps_name=True),
    "present_over_time": _over_time("present_over_time", lambda span: 1.0),
    "changes": _over_time("changes", lambda span: _steps(span, lambda a, b: a != b and not (a != a and b != b))),
    "resets": _over_time("resets", lambda span: _steps(span, lambda a, b: b < a)),
    "abs": _mapped("abs", abs),
    "ceil": _mapped("ceil", lambda value: float(math.ceil(value)) if math.isfinite(value) else value),
    "floor": _mapped("floor", lambda value: float(math.floor(value)) if math.isfinite(value) else value),
    "exp": _mapped("exp", _guarded(math.exp)),
    "sqrt": _mapped("sqrt", _guarded(math.sqrt)),
    "ln": _mapped("ln", _guarded(math.log)),
    "log2": _mapped("log2", _guarded(math.log2)),
    "log10": _mapped("log10", _guarded(math.log10)),
    "clamp": Function((3, 3), _clamp),
    "clamp_min": _bounded("clamp_min", max),
    "clamp_max": _bounded("clamp_max", min),
    "round": Function((1, 2), _round),
    "histogram_quantile": Function((2, 2), _histogram_quantile),
    "label_replace": Function((5, 5), _label_replace),
    "absent": Function((1, 1), _absent),
    "predict_linear": Function((2, 2), _predict_linear),
    "scalar": Function((1, 1), _scalar),
    "vector": Function((1, 1), lambda arguments, _at: [Sample("", {}, scalar_of(arguments[0], "vector"))]),
    "time": Function((0, 0), lambda _arguments, at: at),
}

AGGREGATIONS: dict[str, Callable[[Sequence[float]], float]] = {
    "sum": lambda values: float(sum(values)),
    "avg": mean,
    "min": smallest,
    "max": largest,
    "count": lambda values: float(len(values)),
    "group": lambda values: 1.0,
    "stddev": lambda values: math.sqrt(sum((value - mean(values)) ** 2 for value in values) / len(values)),
}
"""Aggregations of a group's values to one."""

PARAMETRIC = frozenset({"topk", "bottomk", "quantile"})
"""Aggregations that take a number first; the evaluator knows them by name."""
