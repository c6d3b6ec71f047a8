"""The shop's Alertmanager: evaluates one rule against the shop's metrics and posts what the real one would post."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import httpx

from agent_sre.domain.alert import fingerprint_of
from agent_sre.domain.instant import format_instant
from agent_sre.ports.metrics import MetricsReader
from agent_sre.testing.shop.rule import EXPRESSION, LABELS, ShopRule
from agent_sre.testing.shop.traffic import NAMESPACE

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


class ShopAlertmanager:
    """Posts firing once the rule holds, resolved once it no longer does."""

    def __init__(self, rule: ShopRule) -> None:
        self._rule = rule
        self._posted: datetime | None = None

    async def look(self, metrics: MetricsReader, webhook: str, now: datetime) -> str | None:
        """Evaluate the rule; "firing" or "resolved" where that was posted now, else None."""
        await self._rule.look(metrics, now)
        since = self._rule.since
        if since is not None and self._posted is None:
            await self._post(webhook, payload("firing", since, None))
            self._posted = since
            return "firing"
        if since is None and self._posted is not None:
            await self._post(webhook, payload("resolved", self._posted, now))
            self._posted = None
            return "resolved"
        return None

    async def _post(self, webhook: str, body: Mapping[str, Any]) -> None:
        async with httpx.AsyncClient(timeout=10.0, trust_env=False) as client:
            answer = await client.post(webhook, json=body)
            answer.raise_for_status()
