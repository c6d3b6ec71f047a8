"""The condition each alert stands for: its own expression, its rule, and what is active now.

The expression comes with the alert (``g0.expr`` of the generator URL) or from the rule of the same name. It is only
ever sent as a query: an alert's payload is data.
"""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

from agent_sre.domain.alert import Alert
from agent_sre.evidence.metrics_signals import METRICS_FIX, step_of
from agent_sre.evidence.reading import Reading, capped, not_there
from agent_sre.evidence.scope import Collected, Readers, Scope
from agent_sre.ports.metrics import MetricsReader

NAME = "alert_conditions"
_MAX_EXPRESSIONS = 20
_MAX_LENGTH = 5_000
Plain = Mapping[str, Any]


async def collect(scope: Scope, readers: Readers) -> Collected:
    """The rules of the firing alerts, then each distinct expression over the window."""
    metrics = readers.metrics
    if metrics is None:
        return not_there("metrics", "conditions of the alerts", METRICS_FIX)
    reading = Reading(NAME, "metrics", scope)
    names = sorted({alert.name for alert in scope.alerts})
    own = {alert.name: expression for alert in scope.alerts if (expression := expression_of(alert))}
    rules = await _rules(reading, metrics, names, own)
    wanted = {**{str(rule.get("name")): str(rule.get("query", "")) for rule in rules}, **own}
    for name in names:
        if not wanted.get(name):
            reading.gap(
                f"condition of alert {name}",
                "neither the alert (g0.expr in its generator URL) nor a rule of its name carries an expression",
                "let Prometheus send the alert, or name the rule as the alert",
            )
    expressions, left_out = capped(sorted({text for text in wanted.values() if text}), _MAX_EXPRESSIONS, "expressions")
    for what in left_out:
        reading.gap("conditions of the alerts", what)
    await _evaluate(reading, metrics, expressions)
    return reading.done()


async def _rules(
    reading: Reading, metrics: MetricsReader, names: Sequence[str], own: Mapping[str, str]
) -> tuple[Plain, ...]:
    """Rules and active alerts of these names. That a source has no rules matters only where it leaves us without."""
    quiet = reading if any(name not in own for name in names) else Reading(NAME, "metrics", reading.scope)
    rules, active = await asyncio.gather(
        quiet.look("alerting rules", metrics.rules), quiet.look("active alerts", metrics.alerts)
    )
    kept = tuple(rule for rule in rules or () if rule.get("name") in names)
    if rules is not None:
        reading.observe("GET /api/v1/rules?type=alert", rules=kept, window=None)
    if active is not None:
        matching = [alert for alert in active if (alert.get("labels") or {}).get("alertname") in names]
        as_rules = tuple(
            {"name": name, "type": "alerting", "alerts": found}
            for name in names
            if (found := [alert for alert in matching if alert["labels"]["alertname"] == name])
        )
        reading.observe("GET /api/v1/alerts", rules=as_rules, window=None)
    return kept


async def _evaluate(reading: Reading, metrics: MetricsReader, expressions: Sequence[str]) -> None:
    scope, step = reading.scope, step_of(reading.scope)
    answers = await asyncio.gather(
        *(
            reading.look(f"condition {text[:120]}", partial(metrics.query_range, text, scope.window, step))
            for text in expressions
        )
    )
    for text, answer in zip(expressions, answers, strict=True):
        if answer is not None:
            series, left_out = capped(answer.series, scope.limits.series_per_metric, "series")
            reading.observe(text, series=series, left_out=(*left_out, *answer.warnings))


def expression_of(alert: Alert) -> str:
    """The PromQL expression in the generator URL, or ""."""
    try:
        found = parse_qs(urlsplit(alert.generator_url).query, max_num_fields=50).get("g0.expr", [""])
    except ValueError:
        return ""
    return found[0] if len(found[0]) <= _MAX_LENGTH else ""
