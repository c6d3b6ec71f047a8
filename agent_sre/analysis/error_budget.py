"""How fast an error budget burns, where an objective is known: from the alert's own words, or from its rule.

Burn rate is the share of failed requests over the share that the objective allows: 1 spends the budget exactly by the
end of its window, 14.4 spends two percent of a month's in an hour (Google's SRE Workbook, "Alerting on SLOs"). The
objective is believed where a label or an annotation says it, else read off the rule: ``> (14.4 * 0.001)`` or
``14.4 * (1 - 0.999)``, as Sloth, Pyrra and the Kubernetes mixins write it. Where the period of the objective is
written too, the burn rate says how long a whole budget lasts. What nobody wrote is not guessed.
"""

import re
from dataclasses import dataclass

from agent_sre.analysis.casefile import CaseFile
from agent_sre.domain.alert import Alert, AlertStatus

_KEYS = ("objective", "slo_objective", "slo_target", "sloth_objective", "slo")
_PERIOD_KEYS = ("slo_period", "slo_window", "slo_time_window", "error_budget_period", "error_budget_window", "period")
_PERIOD = re.compile(r"\s*(\d+)\s*(d|w|days?|weeks?)\s*")
_DAY = 24 * 60.0
_NUMBER = re.compile(r"\s*(\d+(?:\.\d+)?)\s*%?\s*")
_LESS = re.compile(r"\*\s*\(?\s*1\s*-\s*(0?\.\d+)")
_BUDGET = re.compile(r"[<>]=?\s*\(?\s*\d+(?:\.\d+)?\s*\*\s*\(?\s*(0?\.\d+)")


@dataclass(frozen=True, slots=True)
class Objective:
    """The share of requests (0..1) that is to succeed, of which workload ("" for any), and who says so; ``period`` is
    what it is counted over, in minutes and as written, None where that is not written."""

    share: float
    service: str
    source: str
    period: tuple[float, str] | None = None

    def burn(self, failing: float) -> float:
        """How many times as fast as allowed the budget is spent while this share (0..1) of requests fails."""
        return failing / (1.0 - self.share)

    def lasts(self, burn: float) -> float | None:
        """Minutes in which a whole period's budget is spent at this burn rate; None where the period is not known."""
        return self.period[0] / burn if self.period is not None and burn > 0 else None


def objectives(case: CaseFile) -> tuple[Objective, ...]:
    """The objectives that the firing alerts or their rules name."""
    found = (_objective(case, alert) for alert in case.alerts if alert.status is AlertStatus.FIRING)
    return tuple(dict.fromkeys(item for item in found if item is not None))


def _objective(case: CaseFile, alert: Alert) -> Objective | None:
    period = _period(alert)
    for key in _KEYS:
        share = _stated(alert.labels.get(key) or alert.annotations.get(key) or "")
        if share is not None:
            return Objective(share, alert.service, f"alert {alert.name}", period)
    for observation in case.observations.values():
        for rule in observation.rules:
            share = _of_rule(str(rule.get("query") or rule.get("expr") or ""))
            if rule.get("name") == alert.name and share is not None:
                return Objective(share, alert.service, f"rule {alert.name}", period)
    return None


def _period(alert: Alert) -> tuple[float, str] | None:
    for key in _PERIOD_KEYS:
        match = _PERIOD.fullmatch(alert.labels.get(key) or alert.annotations.get(key) or "")
        if match is not None:
            return int(match[1]) * _DAY * (7 if match[2].startswith("w") else 1), match[0].strip()
    return None


def _stated(text: str) -> float | None:
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    value = float(match[1])
    return _sensible(value if value < 1 else value / 100)


def _of_rule(query: str) -> float | None:
    less, budget = _LESS.search(query), _BUDGET.search(query)
    if less is not None:
        return _sensible(float(less[1]))
    return _sensible(1.0 - float(budget[1])) if budget is not None else None


def _sensible(share: float) -> float | None:
    """The share where it can be an objective: at least half of the requests and not all."""
    return round(share, 9) if 0.5 <= share < 0.9999999 else None
