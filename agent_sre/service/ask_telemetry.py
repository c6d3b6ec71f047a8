"""The two questions that show telemetry: a metric as a chart, and log lines. Both from stored observations only.

Called by ``ask``. Not here: live queries; what was not collected is said to be so.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from agent_sre.domain.evidence import Observation
from agent_sre.domain.hypothesis import Hypothesis
from agent_sre.domain.instant import format_instant
from agent_sre.domain.telemetry import LogLine, LogStream, Series
from agent_sre.report.chart import describe, draw, ranges
from agent_sre.report.chart_choice import chart_of, is_about, pick_lines, window_of
from agent_sre.service.answer_value import Answer, Line
from agent_sre.service.read_incident import ChartView, IncidentView, Stores, marks_of

MAX_LOG_LINES = 60
_MAX_CHARTS = 3
# What people say, and the words in metric names that mean it where the signal catalogue has no row.
_SYNONYMS = {
    "latency": ("latency", "duration", "response_time"),
    "errors": ("error", "5xx", "failed", "failures"),
    "traffic": ("requests", "rps", "qps"),
    "cpu": ("cpu",),
    "memory": ("memory", "working_set"),
    "throttling": ("throttl",),
    "restarts": ("restart",),
    "network": ("network",),
    "disk": ("disk", "filesystem", "_fs_"),
    "saturation": ("saturation", "queue", "pool"),
    "availability": ("availab", "ready", "up"),
}
_SAME = {"error": "errors", "requests": "traffic", "rps": "traffic", "mem": "memory", "restart": "restarts"}

Found = tuple[Observation, Series]


def show_metric(match: "re.Match[str]", asked: str, view: IncidentView, stores: Stores) -> Answer:
    """Charts of a metric, by its name or by what it means, of one service or of the incident's."""
    what = match["what"].lower()
    name = match["name"] or ""
    subjects = [name] if name else [item.object.name for item in _hypotheses(view)] + [view.incident.service]
    found = _series(view, what, stores)
    if name:
        found = [item for item in found if is_about(item[1], name)]
    if not found:
        of = f" of {name}" if name else ""
        return Answer(asked, f"No stored series shows {what}{of}.", _what_there_is(view))
    groups: dict[str, list[Found]] = {}
    for item in found:
        groups.setdefault(item[1].name, []).append(item)
    effects = tuple(view.effects.values())
    marks = marks_of(view.timeline, effects, view.verdict)
    charts, said = [], []
    for index, (metric, items) in enumerate(list(groups.items())[:_MAX_CHARTS], 1):
        observation = items[0][0]
        lines = pick_lines([series for _, series in items], subjects)
        chart = chart_of(metric, lines, window_of(observation, lines), marks, stores.signals)
        svg = draw(chart, uid=f"answer-{index}")
        cited = _citing(view, observation.id)
        charts.append(
            ChartView(
                chart.title,
                chart.metric,
                svg,
                describe(chart),
                observation.source,
                observation.query,
                cited,
                observation.link,
            )
        )
        said += [Line(f"{chart.title}: {text}", cited) for text in ranges(chart)]
    heading = f"{len(found)} series of {len(groups)} metrics."
    if len(groups) > _MAX_CHARTS:
        said.append(Line(f"not shown: {', '.join(list(groups)[_MAX_CHARTS:])}"))
    return Answer(asked, heading, tuple(said), tuple(charts))


def show_logs(match: "re.Match[str]", asked: str, view: IncidentView, stores: Stores) -> Answer:
    """The newest stored log lines of a service, pod or container, from a UTC time on where one is given."""
    name = match["name"]
    streams = [
        (item, seen) for seen in view.observations.values() for item in seen.streams if _is_stream_of(item, name)
    ]
    if not streams:
        known = sorted({stream.source.pod for seen in view.observations.values() for stream in seen.streams})
        said = Line(f"logs are stored of: {', '.join(known[:20])}") if known else Line("no logs are stored at all")
        return Answer(asked, f"No stored logs of {name}.", (said,))
    since = _since(match["since"], view) if match["since"] else None
    if match["since"] and since is None:
        return Answer(asked, f"{match['since']} is not a time of day; write HH:MM in UTC, such as 12:05.")
    lines = [(line, stream, seen) for stream, seen in streams for line in stream.lines if _at_or_after(line, since)]
    lines.sort(key=lambda item: item[0].time.timestamp() if item[0].time else 0.0)
    left_out = sum(stream.left_out for stream, _ in streams)
    shown = lines[-MAX_LOG_LINES:]
    from_time = f" since {format_instant(since)}" if since else ""
    heading = f"{len(lines)} stored lines of {name}{from_time}, the newest {len(shown)} shown."
    if left_out:
        heading += f" {left_out} more were sampled away when they were read."
    answer = [
        Line(f"{_clock(line)} {stream.source.pod}: {line.text}", _citing_line(view, seen.id, line), quote=True)
        for line, stream, seen in shown
    ]
    return Answer(asked, heading, tuple(answer))


def _hypotheses(view: IncidentView) -> Sequence[Hypothesis]:
    return view.verdict.hypotheses[:3] if view.verdict else ()


def _series(view: IncidentView, what: str, stores: Stores) -> list[Found]:
    meaning = _SAME.get(what, what).replace(" ", "_")
    metrics = {signal.metric for signal in stores.signals if signal.meaning == meaning}
    words = _SYNONYMS.get(meaning, (what.replace(" ", "_"),))

    def wanted(name: str) -> bool:
        return name.lower() == what or name in metrics or any(word in name.lower() for word in words)

    return [(seen, item) for seen in view.observations.values() for item in seen.series if wanted(item.name)]


def _what_there_is(view: IncidentView) -> tuple[Line, ...]:
    names = sorted({item.name for seen in view.observations.values() for item in seen.series})
    if not names:
        return (Line("no series are stored: see what could not be looked at"),)
    return (Line(f"stored metrics: {', '.join(names[:30])}{', ...' if len(names) > 30 else ''}"),)


def _is_stream_of(stream: LogStream, name: str) -> bool:
    source = stream.source
    return name in {source.pod, source.container} or source.pod.startswith(f"{name}-")


def _since(text: str, view: IncidentView) -> datetime | None:
    """The last time of day like this at or before the newest observation."""
    hour, minute = (int(part) for part in text.split(":"))
    if hour > 23 or minute > 59:
        return None
    end = max((item.observed_at for item in view.observations.values()), default=view.incident.updated_at)
    found = end.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return found if found <= end else found - timedelta(days=1)


def _at_or_after(line: LogLine, since: datetime | None) -> bool:
    return since is None or (line.time is not None and line.time >= since)


def _clock(line: LogLine) -> str:
    return f"{line.time:%H:%M:%S}" if line.time else "--:--:--"


def _citing(view: IncidentView, observation: str) -> tuple[str, ...]:
    return tuple(item.id for item in view.evidence.values() if item.observation == observation)


def _citing_line(view: IncidentView, observation: str, line: LogLine) -> tuple[str, ...]:
    first: Iterable[str] = (
        item.id
        for item in view.evidence.values()
        if item.observation == observation and item.excerpt and line.text and line.text in item.excerpt
    )
    return tuple(first)
