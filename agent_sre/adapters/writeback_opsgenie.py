"""Opsgenie, told by its Alert API: POST /v2/alerts/{id}/acknowledge, /unacknowledge and /close.

Its answers are 202: the request is taken and done a moment later, which is why a request about an alert that is gone is
no error here either. Calls may be repeated.
"""

from collections.abc import Sequence
from urllib.parse import quote

from agent_sre.domain.alert import Alert
from agent_sre.domain.writeback import Verb, Writeback
from agent_sre.outbound import Call, Endpoint, Exchange

URL = "https://api.opsgenie.com"
_ACTION = {Verb.ACKNOWLEDGE: "acknowledge", Verb.UNACKNOWLEDGE: "unacknowledge", Verb.RESOLVE: "close"}


def opsgenie_endpoint(url: str, key: str, settings: str, timeout: float) -> Endpoint:
    """The API with its key in the form that it wants."""
    headers = {"Authorization": f"GenieKey {key}"}
    return Endpoint("Opsgenie", settings, url or URL, headers=headers, timeout_seconds=timeout, login=("API_KEY",))


class OpsgenieAlerts:
    """SourceWriter."""

    name = "Opsgenie"

    def __init__(self, endpoint: Endpoint) -> None:
        self._exchange = Exchange(endpoint)

    def covers(self, alert: Alert) -> bool:
        """Alerts of Opsgenie's own webhook."""
        return alert.source == "opsgenie"

    async def write(self, item: Writeback, alerts: Sequence[Alert]) -> str:
        """Acknowledge, take that back, or close each alert: by its id where the webhook gave it, else by its alias."""
        action = _ACTION.get(item.verb)
        if action is None:
            return ""
        document = {"user": item.by[:100], "source": "agent_sre", "note": f"agent_sre {item.incident_id}"}
        for alert in alerts:
            given = alert.annotations.get("alert_id", "")
            identity, kind = (given, "id") if given else (alert.group_key, "alias")
            path = f"v2/alerts/{quote(identity, safe='')}/{action}"
            await self._exchange.document(Call("POST", path, params={"identifierType": kind}, document=document))
        return f"{action} sent for {len(alerts)} alert{'s' if len(alerts) > 1 else ''}"

    async def close(self) -> None:
        """Close the connections."""
        await self._exchange.close()
