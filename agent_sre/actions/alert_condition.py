"""The alert's own condition, asked again: the expression of the rule that fired, and whether it still holds.

The expression comes from the back end's list of rules, or else from the link that Prometheus puts into its alerts.
The result holds a series for everything that matches the rule, so only series that could be this very alert count:
those of which no label contradicts the alert's. A label that the alert lost on its way contradicts nothing, so a
doubtful series counts as still firing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from agent_sre.domain.alert import Alert
from agent_sre.domain.alert_rule import expression_in_link
from agent_sre.domain.telemetry import Series


def expression_of(alert: Alert, rules: Sequence[Mapping[str, Any]]) -> str:
    """The alert's PromQL expression, or "" where nobody says."""
    for rule in rules:
        labels = rule.get("labels") or {}
        if rule.get("name") == alert.name and all(alert.labels.get(key) == value for key, value in labels.items()):
            return str(rule.get("query") or "")
    return expression_in_link(alert.generator_url)


def still_firing(alert: Alert, result: Sequence[Series]) -> tuple[Series, ...]:
    """The series of the expression's result that may be this alert."""
    return tuple(series for series in result if not _contradicts(series.labels, alert.labels))


def _contradicts(series: Mapping[str, str], alert: Mapping[str, str]) -> bool:
    # The rule sets alertname and may overwrite severity, so those of the series say nothing.
    own = {key: value for key, value in series.items() if key not in ("__name__", "alertname", "severity")}
    return any(key in alert and alert[key] != value for key, value in own.items())
