"""The condition each alert stands for: its own expression, its rule, and what is active now.

The expression comes with the alert (its link, see ``domain.alert_rule``) or from the rule of the same name. It is only
ever sent as a query: an alert's payload is data. Of the rule its threshold and ``for`` are read too: a condition that
must hold for two hours began two hours before the alert, which may be before the window of the investigation.

The ids of what is observed do not depend on what was answered: the expressions in their order, rules, active alerts. So
what ``look_early`` saw when the alert came in is replaced by what the investigation sees, or kept by it.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from agent_sre.domain.alert import Alert, AlertStatus
from agent_sre.domain.alert_rule import comparison_in, expression_in_link
from agent_sre.domain.evidence import Observation
from agent_sre.domain.reference import Window
from agent_sre.evidence.metrics_signals import METRICS_FIX, step_of
from agent_sre.evidence.reading import Reading, capped, not_there
from agent_sre.evidence.scope import Collected, Readers, Scope
from agent_sre.ports.metrics import MetricsReader

NAME = "alert_conditions"
_MAX_EXPRESSIONS = 20
_LONGEST_FOR = timedelta(days=1)
_FRESH = timedelta(seconds=5)
"""How long before the window's end an early look may have ended to be as good as one that is made now."""
_BEFORE = 1.25
"""How much more than its ``for`` of a condition is looked at, to see it begin."""
Plain = Mapping[str, Any]


async def collect(scope: Scope, readers: Readers) -> Collected:
    """The rules of the firing alerts, then each distinct expression over the window."""
    metrics = readers.metrics
    if metrics is None:
        return not_there("metrics", "conditions of the alerts", METRICS_FIX)
    reading = Reading(NAME, "metrics", scope)
    names = sorted({alert.name for alert in scope.alerts})
    own = {alert.name: text for alert in scope.alerts if (text := expression_in_link(alert.generator_url))}
    rules, active = await _rules(reading, metrics, names, own)
    wanted = _wanted(scope.alerts, rules or ())
    for name in names:
        if not wanted.get(name):
            reading.gap(
                f"condition of alert {name}",
                "neither the alert (the expression in its generator URL) nor a rule of its name carries an expression",
                "let Prometheus send the alert, or name the rule as the alert",
            )
    distinct = sorted({text for texts in wanted.values() for text in texts})
    expressions, left_out = capped(distinct, _MAX_EXPRESSIONS, "expressions")
    for what in left_out:
        reading.gap("conditions of the alerts", what)
    if rules is not None:
        reading.observe("GET /api/v1/rules?type=alert", number=len(expressions) + 1, rules=rules, window=None)
    if active is not None:
        reading.observe("GET /api/v1/alerts", number=len(expressions) + 2, rules=active, window=None)
    await _evaluate(reading, metrics, expressions, _window(scope, rules or ()))
    return reading.done()


async def look_early(scope: Scope, readers: Readers) -> Collected:
    """The first expression that the alerts themselves carry, over the scope's window; nothing where they carry none."""
    own = sorted({text for alert in scope.alerts if (text := expression_in_link(alert.generator_url))})
    if readers.metrics is None or not own:
        return Collected()
    reading = Reading(NAME, "metrics", scope)
    await _evaluate(reading, readers.metrics, own[:1], scope.window)
    return reading.done()


def _wanted(alerts: Sequence[Alert], rules: Sequence[Plain]) -> dict[str, set[str]]:
    """The expressions to evaluate by the alerts' names: each alert's own, else those of the rules that fit it best."""
    found: dict[str, set[str]] = {}
    for alert in alerts:
        own = expression_in_link(alert.generator_url)
        named = [rule for rule in rules if rule.get("name") == alert.name and rule.get("query")]
        fitting = [rule for rule in named if _fits(rule.get("labels") or {}, alert)] or named
        texts = {own} if own else {str(rule["query"]) for rule in fitting}
        found.setdefault(alert.name, set()).update(texts)
    return found


def _fits(labels: Mapping[str, Any], alert: Alert) -> bool:
    """Whether the alert has the labels that the rule sets; one that is made from a template may have any value."""
    return all(alert.labels.get(key) == value or "{{" in str(value) for key, value in labels.items())


def _window(scope: Scope, rules: Iterable[Plain]) -> Window:
    """The window, begun so early that the longest ``for`` of a firing rule lies in it; a day before it at most."""
    held = max((_for(rule) for rule in rules), default=timedelta(0))
    began = [alert.starts_at for alert in scope.alerts if alert.status is AlertStatus.FIRING]
    earliest = min(began, default=scope.window.end) - held * _BEFORE
    return Window(max(min(scope.window.start, earliest), scope.window.start - _LONGEST_FOR), scope.window.end)


def _for(rule: Plain) -> timedelta:
    """How long the condition must hold before the rule fires."""
    seconds = rule.get("duration")
    usable = isinstance(seconds, int | float) and 0 <= seconds <= _LONGEST_FOR.total_seconds()
    return timedelta(seconds=float(seconds)) if usable and seconds else timedelta(0)


def _with_condition(rule: Plain) -> Plain:
    """The rule as the source gives it, and what its expression compares with, where that is a number."""
    told = comparison_in(str(rule.get("query") or ""))
    if told is None:
        return rule
    return {**rule, "condition": {"operator": told.operator, "threshold": told.threshold}}


async def _rules(
    reading: Reading, metrics: MetricsReader, names: Sequence[str], own: Mapping[str, str]
) -> tuple[tuple[Plain, ...] | None, tuple[Plain, ...] | None]:
    """Rules and active alerts of these names, the latter by name; None where they were refused.

    That a source has no rules matters only where it leaves us without an expression.
    """
    quiet = reading if any(name not in own for name in names) else Reading(NAME, "metrics", reading.scope)
    rules, active = await asyncio.gather(
        quiet.look("alerting rules", metrics.rules), quiet.look("active alerts", metrics.alerts)
    )
    kept = None if rules is None else tuple(_with_condition(rule) for rule in rules if rule.get("name") in names)
    if active is None:
        return kept, None
    matching = [alert for alert in active if (alert.get("labels") or {}).get("alertname") in names]
    as_rules = tuple(
        {"name": name, "type": "alerting", "alerts": found}
        for name in names
        if (found := [alert for alert in matching if alert["labels"]["alertname"] == name])
    )
    return kept, as_rules


async def _evaluate(reading: Reading, metrics: MetricsReader, expressions: Sequence[str], window: Window) -> None:
    scope, step = reading.scope, step_of(reading.scope)
    seen = {item.query: item for item in scope.early if _is_as_good(item, window)}
    missing = [text for text in expressions if text not in seen]
    answers = await asyncio.gather(
        *(reading.look(f"condition {text[:120]}", partial(metrics.query_range, text, window, step)) for text in missing)
    )
    answered = dict(zip(missing, answers, strict=True))
    for number, text in enumerate(expressions, 1):
        answer = answered.get(text)
        if text in seen:
            reading.take_over(seen[text], number)
        elif answer is not None:
            series, left_out = capped(answer.series, scope.limits.series_per_metric, "series")
            notes = (*left_out, *answer.warnings)
            reading.observe(text, number=number, series=series, left_out=notes, window=window, link=answer.link)


def _is_as_good(early: Observation, window: Window) -> bool:
    """Whether an early look covers the window, but for its last seconds, and left nothing out."""
    seen = early.window
    return seen is not None and not early.left_out and seen.start <= window.start and window.end - seen.end <= _FRESH
