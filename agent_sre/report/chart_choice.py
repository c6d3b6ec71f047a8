"""Which of the stored series are worth a chart: those that the leading hypotheses' evidence came from.

A run may hold thousands of series. Shown are the metrics that were cited, the lines of the objects that are spoken
about, counters as rates, with marks for the change, the onset, the alert and the action. Called by ``service``; drawing
is ``chart``'s. Pure.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from agent_sre.domain.evidence import Evidence, Observation
from agent_sre.domain.reference import Window
from agent_sre.domain.signal import Signal
from agent_sre.domain.telemetry import Series
from agent_sre.domain.verdict import Verdict
from agent_sre.report.chart import MAX_LINES, Chart, Line, Mark

MAX_CHARTS = 6
MAX_UNCITED = 4
_TELLING = (
    "workload",
    "destination_workload",
    "service",
    "destination_service_name",
    "deployment",
    "pod",
    "container",
    "node",
    "instance",
    "code",
    "response_code",
    "status",
    "quantile",
)
_CALLER = ("source_", "caller", "client")
_FELT = ("latency", "errors", "availability", "traffic", "saturation", "cpu", "memory", "restarts")
_SHOWN_HYPOTHESES = 3


@dataclass(frozen=True, slots=True)
class Chosen:
    """A chart and where its data came from; ``evidence`` are the ids it illustrates."""

    chart: Chart
    observation: Observation
    evidence: tuple[str, ...]


def choose(
    verdict: Verdict | None,
    observations: Mapping[str, Observation],
    subjects: Sequence[str],
    marks: Sequence[Mark],
    signals: Sequence[Signal] = (),
) -> tuple[Chosen, ...]:
    """Up to MAX_CHARTS charts, best first. ``subjects`` are the names spoken about, the most important first."""
    chosen: dict[str, Chosen] = {}
    for item, observation in _cited(verdict, observations):
        for name, group in _by_name(observation.series).items():
            if name in chosen or not _shows(name, item):
                continue
            picked = pick_lines(group, subjects, item.excerpt)
            chart = chart_of(name, picked, window_of(observation, picked), marks, signals)
            chosen[name] = Chosen(chart, observation, _citing(verdict, observation, name))
            if len(chosen) == MAX_CHARTS:
                return tuple(chosen.values())
    return tuple(chosen.values()) or _uncited(observations, subjects, marks, signals)


def _uncited(
    observations: Mapping[str, Observation], subjects: Sequence[str], marks: Sequence[Mark], signals: Sequence[Signal]
) -> tuple[Chosen, ...]:
    """Where nothing cites a series: the subjects' own, what users feel first, for a person who has to look on."""
    meanings = {signal.metric: signal.meaning for signal in reversed(signals)}
    ours = [
        (seen, item)
        for seen in observations.values()
        for item in seen.series
        if meanings.get(item.name) in _FELT and any(is_about(item, name) for name in subjects if name)
    ]
    ours.sort(key=lambda pair: (_FELT.index(meanings[pair[1].name]), pair[1].name))
    chosen: dict[str, Chosen] = {}
    for observation, item in ours:
        if item.name not in chosen and len(chosen) < MAX_UNCITED:
            picked = pick_lines([other for _, other in ours if other.name == item.name], subjects)
            chart = chart_of(item.name, picked, window_of(observation, picked), marks, signals)
            chosen[item.name] = Chosen(chart, observation, ())
    return tuple(chosen.values())


def chart_of(
    name: str, series: Sequence[Series], window: Window, marks: Sequence[Mark], signals: Sequence[Signal] = ()
) -> Chart:
    """A chart of series of one metric; counters become rates per second."""
    signal = next((item for item in signals if item.metric == name), None)
    counter = is_counter(series[0]) if series else False
    unit = unit_of(name, counter, signal)
    common = dict(set.intersection(*(set(item.labels.items()) for item in series))) if series else {}
    meaning = signal.meaning.replace("_", " ") if signal and signal.meaning != "other" else ""
    head = "CPU" if meaning == "cpu" else meaning.capitalize() or name
    where = next((common[key] for key in _TELLING if common.get(key)), "")
    head += " per second" if counter and not meaning else ""
    title = f"{head} · {where}" if where else head
    lines = []
    for item, label in zip(series, _labels(series, common), strict=True):
        times, values = rate(item) if counter else (item.times, item.values)
        lines.append(Line(label, times, values))
    return Chart(title, unit, tuple(lines), window, tuple(marks), metric=name if meaning else "")


def is_counter(series: Series) -> bool:
    """Declared a counter, or named like one where nothing is declared."""
    return series.kind == "counter" or (not series.kind and series.name.endswith(("_total", "_count", "_sum")))


def rate(series: Series) -> tuple["array[float]", "array[float]"]:
    """Increase per second between neighbouring samples; after a reset the new value is the increase."""
    times, values = array("d"), array("d")
    for index in range(1, len(series.times)):
        passed = series.times[index] - series.times[index - 1]
        if passed <= 0:
            continue
        grown = series.values[index] - series.values[index - 1]
        times.append(series.times[index])
        values.append((series.values[index] if grown < 0 else grown) / passed)
    return times, values


def unit_of(name: str, counter: bool, signal: Signal | None = None) -> str:
    """The unit of what is drawn: the catalogue's, else read from the metric's name."""
    if counter:
        return (
            "bytes_per_second" if "bytes" in name else "cores" if "cpu" in name and "seconds" in name else "per_second"
        )
    if signal is not None:
        return signal.unit
    endings = (("milliseconds", "milliseconds"), ("_seconds", "seconds"), ("bytes", "bytes"), ("ratio", "ratio"))
    found = (unit for word, unit in (*endings, ("percent", "percent"), ("utilisation", "ratio")) if word in name)
    return next(found, "number")


def pick_lines(group: Sequence[Series], subjects: Sequence[str], excerpt: str = "") -> tuple[Series, ...]:
    """At most MAX_LINES series: those the excerpt names, then the subjects' in order, then the largest."""

    def priority(series: Series) -> tuple[int, float]:
        if str(series) in excerpt:
            return -1, 0.0
        about = (index for index, name in enumerate(subjects) if is_about(series, name))
        peak = max((abs(value) for value in series.values if value == value), default=0.0)
        return next(about, len(subjects)), -peak

    ranked = sorted(group, key=priority)
    ours = [item for item in ranked if priority(item)[0] < len(subjects)]
    return tuple((ours or ranked)[:MAX_LINES])


def window_of(observation: Observation, series: Iterable[Series]) -> Window:
    """What the query looked at, else the span of the samples."""
    if observation.window is not None:
        return observation.window
    ends = [time for item in series if item.times for time in (item.times[0], item.times[-1])]
    if not ends:
        return Window(observation.observed_at, observation.observed_at)
    return Window(datetime.fromtimestamp(min(ends), UTC), datetime.fromtimestamp(max(ends), UTC))


def _cited(verdict: Verdict | None, observations: Mapping[str, Observation]) -> Iterator[tuple[Evidence, Observation]]:
    if verdict is None:
        return
    by_id = verdict.evidence_by_id()
    cited = [key for item in verdict.hypotheses[:_SHOWN_HYPOTHESES] for key in (*item.evidence, *item.against)]
    cited += [*verdict.impact.evidence, *(key for item in verdict.ruled_out for key in item.evidence)]
    for key in dict.fromkeys(cited):
        item = by_id.get(key)
        observation = observations.get(item.observation) if item else None
        if item is not None and observation is not None and observation.series:
            yield item, observation


def _shows(name: str, item: Evidence) -> bool:
    return not name or name in item.excerpt or name in item.query


def _citing(verdict: Verdict | None, observation: Observation, name: str) -> tuple[str, ...]:
    items = verdict.evidence if verdict else ()
    return tuple(item.id for item in items if item.observation == observation.id and _shows(name, item))


def _by_name(series: Iterable[Series]) -> dict[str, list[Series]]:
    groups: dict[str, list[Series]] = {}
    for item in series:
        groups.setdefault(item.name, []).append(item)
    return groups


def is_about(series: Series, name: str) -> bool:
    """Whether a label names the object or one of its pods; as the caller of another does not count."""
    return any(
        value == name or value.startswith(f"{name}-")
        for key, value in series.labels.items()
        if not key.startswith(_CALLER)
    )


def _labels(series: Sequence[Series], common: Mapping[str, str]) -> list[str]:
    """What tells the lines apart, in as few labels as will do; well-known ones by their value alone."""
    left = sorted({key for item in series for key in item.labels if key not in common}, key=_label_rank)
    if not left:
        labels = series[0].labels if series else {}
        shown = next((labels[key] for key in _TELLING if labels.get(key)), "")
        return [shown or item.name or "value" for item in series]
    used: list[str] = []

    def told(names: Sequence[str]) -> int:
        return len({tuple(item.labels.get(key, "") for key in names) for item in series})

    while left and told(used) < len(series):
        best = max(left, key=lambda key: told([*used, key]))
        left.remove(best)
        used.append(best)
    used.sort(key=_label_rank)
    return [" ".join(_part(key, item.labels[key]) for key in used if key in item.labels) for item in series]


def _part(key: str, value: str) -> str:
    return value if key in _TELLING else f"{key}={value}"


def _label_rank(name: str) -> tuple[int, str]:
    return (_TELLING.index(name) if name in _TELLING else len(_TELLING), name)
