"""The shop's one alerting rule as Prometheus would list it: whether it fires, and since when.

``ShopAlertmanager`` posts what follows from the rule; this is what ``/api/v1/rules`` and ``/api/v1/alerts`` say of it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from agent_sre.domain.instant import format_instant
from agent_sre.ports.metrics import MetricsReader
from agent_sre.testing.shop.traffic import NAMESPACE

EXPRESSION = (
    'sum(rate(istio_requests_total{destination_workload="checkout",response_code=~"5.."}[20s]))'
    ' / sum(rate(istio_requests_total{destination_workload="checkout"}[20s])) > 0.05'
)
LABELS: Mapping[str, str] = {
    "alertname": "CheckoutErrorRateHigh",
    "severity": "critical",
    "namespace": NAMESPACE,
    "deployment": "checkout",
}
Listed = tuple[Mapping[str, Any], ...]


class ShopRule:
    """Evaluated whenever ``look`` is called; both lists tell of the last look."""

    def __init__(self) -> None:
        self.since: datetime | None = None
        """When it began to hold, UTC; None while it does not."""
        self._value = 0.0

    async def look(self, metrics: MetricsReader, now: datetime) -> None:
        """Evaluate the rule."""
        answer = await metrics.query(EXPRESSION, now)
        if not answer.series:
            self.since = None
            return
        self.since = self.since or now
        self._value = answer.series[0].values[-1]

    def rules(self) -> Listed:
        """The rule with its state."""
        name, labels = LABELS["alertname"], {key: value for key, value in LABELS.items() if key != "alertname"}
        rule = {
            "type": "alerting",
            "name": name,
            "query": EXPRESSION,
            "duration": 0.0,
            "labels": labels,
            "annotations": {},
            "alerts": list(self.active()),
            "health": "ok",
            "state": "firing" if self.since else "inactive",
        }
        return (rule,)

    def active(self) -> Listed:
        """The alert, while the rule holds."""
        if self.since is None:
            return ()
        active_at = format_instant(self.since)
        return ({"labels": dict(LABELS), "state": "firing", "activeAt": active_at, "value": f"{self._value:e}"},)
