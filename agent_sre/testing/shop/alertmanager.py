"""The shop's Alertmanager: evaluates one rule against the shop's metrics and posts what the real one would post."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import httpx

from agent_sre.domain.alert import fingerprint_of
from agent_sre.domain.instant import format_instant
from agent_sre.ports.clock import Clock
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
GROUP_KEY = '{}:{alertname="CheckoutErrorRateHigh", namespace="shop"}'
_NEVER = "0001-01-01T00:00:00Z"


def payload(status: str, starts_at: datetime, ends_at: datetime | None) -> dict[str, Any]:
    """An Alertmanager webhook payload, version 4."""
    annotations = {
        "summary": "More than 5 % of checkout requests fail.",
        "description": "Orders are being lost.",
    }
    alert = {
        "status": status,
        "labels": dict(LABELS),
        "annotations": annotations,
        "startsAt": format_instant(starts_at),
        "endsAt": format_instant(ends_at) if ends_at else _NEVER,
        "generatorURL": "http://prometheus.shop.example/graph?" + urlencode({"g0.expr": EXPRESSION, "g0.tab": "1"}),
        "fingerprint": fingerprint_of(LABELS),
    }
    return {
        "version": "4",
        "groupKey": GROUP_KEY,
        "truncatedAlerts": 0,
        "status": status,
        "receiver": "agent-sre",
        "groupLabels": {"alertname": LABELS["alertname"], "namespace": NAMESPACE},
        "commonLabels": dict(LABELS),
        "commonAnnotations": annotations,
        "externalURL": "http://alertmanager.shop.example",
        "alerts": [alert],
    }


def rules() -> tuple[dict[str, Any], ...]:
    """The shop's one alerting rule, as ``/api/v1/rules`` lists it."""
    rule = {
        "type": "alerting",
        "name": LABELS["alertname"],
        "query": EXPRESSION,
        "duration": 0,
        "labels": {"severity": LABELS["severity"], "namespace": NAMESPACE, "deployment": LABELS["deployment"]},
        "annotations": {"summary": "More than 5 % of checkout requests fail."},
        "health": "ok",
    }
    return (rule,)


class ShopAlertmanager:
    """Posts firing once the rule holds, resolved once it no longer does."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: datetime | None = None

    def alerts(self) -> tuple[dict[str, Any], ...]:
        """What fires now, as ``/api/v1/alerts`` lists it."""
        if self._since is None:
            return ()
        return ({"labels": dict(LABELS), "state": "firing", "activeAt": format_instant(self._since), "value": "1"},)

    async def look(self, metrics: MetricsReader, webhook: str) -> str | None:
        """Evaluate the rule; "firing" or "resolved" where that was posted now, else None."""
        now = self._clock.now()
        answer = await metrics.query(EXPRESSION, now)
        if answer.series and self._since is None:
            self._since = now.astimezone(UTC)
            await self._post(webhook, payload("firing", self._since, None))
            return "firing"
        if not answer.series and self._since is not None:
            since, self._since = self._since, None
            await self._post(webhook, payload("resolved", since, now))
            return "resolved"
        return None

    async def _post(self, webhook: str, body: Mapping[str, Any]) -> None:
        async with httpx.AsyncClient(timeout=10.0, trust_env=False) as client:
            answer = await client.post(webhook, json=body)
            answer.raise_for_status()
