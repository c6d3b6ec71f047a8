"""PagerDuty, told by its REST API v2 (PUT /incidents/{id}) or by its Events API v2 (POST /v2/enqueue).

REST wants an API token and the e-mail address of a user who counts as the author (``From``); it takes an incident's id,
which its webhooks name. The Events API wants the routing key of the integration that made the incident and its
deduplication key. Both may be called again: an incident that is acknowledged or resolved stays it.
"""

from collections.abc import Sequence
from urllib.parse import quote

import orjson

from agent_sre.domain.alert import Alert
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.writeback import Verb, Writeback
from agent_sre.outbound import Call, Endpoint, Exchange
from agent_sre.outbound.exchange import Refused

URL = "https://api.pagerduty.com"
EVENTS_URL = "https://events.pagerduty.com"
_STATUS = {Verb.ACKNOWLEDGE: "acknowledged", Verb.RESOLVE: "resolved"}
_ACTION = {Verb.ACKNOWLEDGE: "acknowledge", Verb.RESOLVE: "resolve"}
_HEADERS = {"Accept": "application/vnd.pagerduty+json;version=2"}
_DONE = "already resolved"


def rest_endpoint(url: str, token: str, settings: str, timeout: float) -> Endpoint:
    """The REST API with its token in the form that it wants."""
    headers = {"Authorization": f"Token token={token}"}
    return Endpoint("PagerDuty", settings, url or URL, headers=headers, timeout_seconds=timeout, login=("API_TOKEN",))


class PagerDutyIncidents:
    """SourceWriter over the REST API; ``author`` is the e-mail address of a PagerDuty user."""

    name = "PagerDuty"

    def __init__(self, endpoint: Endpoint, author: str) -> None:
        self._exchange = Exchange(endpoint, words=_words)
        self._author = author

    def covers(self, alert: Alert) -> bool:
        """Alerts of PagerDuty's own webhook."""
        return alert.source == "pagerduty"

    async def write(self, item: Writeback, alerts: Sequence[Alert]) -> str:
        """Acknowledge or resolve each incident; PagerDuty's API has no way back."""
        status = _STATUS.get(item.verb)
        if status is None:
            return ""
        ids = sorted({alert.group_key for alert in alerts})
        for incident_id in ids:
            document = {"incident": {"type": "incident_reference", "status": status}}
            headers = {**_HEADERS, "From": self._author}
            call = Call("PUT", f"incidents/{quote(incident_id, safe='')}", document=document, headers=headers)
            try:
                await self._exchange.document(call)
            except Refused as error:
                if _DONE not in str(error).lower():
                    raise
        return f"{status} {', '.join(ids)}"

    async def close(self) -> None:
        """Close the connections."""
        await self._exchange.close()


class PagerDutyEvents:
    """SourceWriter over the Events API, for a site that has a routing key only."""

    name = "PagerDuty"

    def __init__(self, endpoint: Endpoint, routing_key: str) -> None:
        self._exchange = Exchange(endpoint, words=_words)
        self._routing_key = routing_key

    def covers(self, alert: Alert) -> bool:
        """Alerts of PagerDuty's own webhook."""
        return alert.source == "pagerduty"

    async def write(self, item: Writeback, alerts: Sequence[Alert]) -> str:
        """Acknowledge or resolve by the deduplication key."""
        action = _ACTION.get(item.verb)
        if action is None:
            return ""
        keys = sorted({key for alert in alerts if (key := alert.annotations.get("incident_key"))})
        if not keys:
            raise PermanentError(
                "the incident has no incident_key, which the Events API needs; set an API token and a From address"
            )
        for key in keys:
            document = {"routing_key": self._routing_key, "event_action": action, "dedup_key": key}
            await self._exchange.document(Call("POST", "v2/enqueue", document=document))
        return f"{action} sent for {len(keys)} incident{'s' if len(keys) > 1 else ''}"

    async def close(self) -> None:
        """Close the connections."""
        await self._exchange.close()


def _words(content: bytes) -> str:
    """PagerDuty's own words: a message and the errors below it."""
    try:
        document = orjson.loads(content)
        error = document.get("error") or {"message": document.get("message", ""), "errors": document.get("errors", [])}
        return ": ".join([str(error.get("message", "")), *map(str, error.get("errors") or ())])
    except (orjson.JSONDecodeError, AttributeError, TypeError):
        return content[:300].decode(errors="replace")
