"""The one question that leaves the store: a PromQL expression, asked of the metrics store now.

"query sum(rate(http_requests_total[5m])) over 2h". What a person types is as hostile as anything else, so it goes
through ``guard_promql``, and what comes back through the redactor, like all evidence. The answer is shown and not
stored: it is nobody's evidence, and the verdict stays what it was.
"""

import re
from dataclasses import dataclass, field
from datetime import timedelta

from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.evidence import Observation
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Series
from agent_sre.domain.visible import one_line
from agent_sre.evidence.redaction import Redaction
from agent_sre.ports.clock import Clock
from agent_sre.report.chart import describe, draw, ranges
from agent_sre.report.chart_choice import chart_of, pick_lines
from agent_sre.service.answer_value import Answer, Line
from agent_sre.service.guard_promql import GuardedMetrics
from agent_sre.service.read_incident import ChartView, IncidentView, Stores

FORM = re.compile(
    r"(?:query|promql)(?:\s*:\s*|\s+)(?P<expression>\S.*?)(?:\s+over\s+(?P<count>\d{1,4})(?P<unit>[smhd]))?",
    re.IGNORECASE,
)
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_POINTS = 240
_LEAST_STEP = 5
_MAX_CHARTS = 3
_MAX_NOTES = 10


@dataclass(frozen=True, slots=True)
class LiveMetrics:
    """The guarded way to a metrics store, and what else an answer from it needs."""

    metrics: GuardedMetrics
    clock: Clock
    redaction: Redaction = field(default_factory=Redaction, repr=False)


async def show_live(
    match: "re.Match[str]", asked: str, view: IncidentView, stores: Stores, live: LiveMetrics
) -> Answer:
    """Charts of what the expression gives over the last hour, or over what was asked for."""
    expression = match["expression"]
    seconds = int(match["count"]) * _UNITS[match["unit"].lower()] if match["count"] else _UNITS["h"]
    now = live.clock.now()
    window = Window(now - timedelta(seconds=seconds), now)
    step = timedelta(seconds=max(-(-seconds // _POINTS), _LEAST_STEP))
    try:
        answer = await live.metrics.query_range(expression, window, step, now)
    except PermanentError as error:
        return Answer(asked, f"This was not answered: {error}")
    except TemporaryError as error:
        return Answer(asked, f"The metrics store did not answer: {error}")
    raw = Observation("live/1", "live", "metrics", expression, now, window, series=answer.series, link=answer.link)
    seen = live.redaction.redactor().observation(raw)
    notes = tuple(Line(text) for text in (*answer.missing, *answer.warnings)[:_MAX_NOTES])
    span = f"{match['count']}{match['unit']}" if match["count"] else "1h"
    if not seen.series:
        heading = f"Nothing matches over the last {span}. That is not the same as zero."
        return Answer(asked, heading, notes)
    charts, said = _charts(seen, window, view, stores)
    return Answer(asked, f"{len(seen.series)} series over the last {span}, asked now.", (*said, *notes), charts)


def _charts(
    seen: Observation, window: Window, view: IncidentView, stores: Stores
) -> tuple[tuple[ChartView, ...], list[Line]]:
    groups: dict[str, list[Series]] = {}
    for series in seen.series:
        groups.setdefault(series.name, []).append(series)
    charts, said = [], []
    for index, (name, group) in enumerate(list(groups.items())[:_MAX_CHARTS], 1):
        lines = pick_lines(group, [view.incident.service])
        chart = chart_of(name or one_line(seen.query, 60), lines, window, (), stores.signals)
        svg = draw(chart, uid=f"live-{index}")
        words = describe(chart)
        charts.append(ChartView(chart.title, chart.metric, svg, words, seen.source, seen.query, (), seen.link))
        said += [Line(f"{chart.title}: {text}") for text in ranges(chart)]
    if len(groups) > _MAX_CHARTS:
        said.append(Line(f"not shown: {', '.join(list(groups)[_MAX_CHARTS:])[:300]}"))
    return tuple(charts), said
