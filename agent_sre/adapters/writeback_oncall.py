"""Grafana OnCall and what speaks its API: POST /api/v1/alert_groups/{id}/acknowledge, /unacknowledge and /resolve.

Alert groups reach us by an outgoing webhook in our generic JSON (docs/alerts.md), whose sender and id say which group
it is. Newer servers in Grafana Cloud want a bearer token and the stack's URL in a header; both are settings.
"""

from collections.abc import Sequence
from urllib.parse import quote

from agent_sre.domain.alert import Alert
from agent_sre.domain.writeback import Verb, Writeback
from agent_sre.outbound import Call, Endpoint, Exchange
from agent_sre.outbound.exchange import bounded

SENDER = "grafana-oncall"
_ACTION = {Verb.ACKNOWLEDGE: "acknowledge", Verb.UNACKNOWLEDGE: "unacknowledge", Verb.RESOLVE: "resolve"}
_ANSWER_BYTES = 1024 * 1024


def oncall_endpoint(url: str, token: str, grafana_url: str, settings: str, timeout: float) -> Endpoint:
    """The API with its token as it stands, or as a bearer token where the stack is named (Grafana Cloud)."""
    login = (
        {"Authorization": f"Bearer {token}", "X-Grafana-URL": grafana_url} if grafana_url else {"Authorization": token}
    )
    return Endpoint("Grafana OnCall", settings, url, headers=login, timeout_seconds=timeout, login=("API_TOKEN",))


class OnCallGroups:
    """SourceWriter."""

    name = "Grafana OnCall"

    def __init__(self, endpoint: Endpoint) -> None:
        self._exchange = Exchange(endpoint)

    def covers(self, alert: Alert) -> bool:
        """Alerts in our generic JSON that OnCall sent."""
        return alert.source == "generic" and alert.labels.get("sender") == SENDER

    async def write(self, item: Writeback, alerts: Sequence[Alert]) -> str:
        """Acknowledge, take that back, or resolve each alert group."""
        action = _ACTION.get(item.verb)
        if action is None:
            return ""
        groups = sorted({alert.group_key.removeprefix(f"{SENDER}/") for alert in alerts})
        for group in groups:
            call = Call("POST", f"api/v1/alert_groups/{quote(group, safe='')}/{action}")
            # 200 with or without a body.
            await self._exchange.read(call, lambda parts: bounded(parts, _ANSWER_BYTES))
        return f"{action} sent for alert group{'s' if len(groups) > 1 else ''} {', '.join(groups)}"

    async def close(self) -> None:
        """Close the connections."""
        await self._exchange.close()
