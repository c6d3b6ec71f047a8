"""PagerDuty, Opsgenie and Grafana OnCall over real sockets, as their public API documents describe them.

Recorded protocols, not the products: each knows its login, the calls that an acknowledgement and a resolution need,
what may be repeated, and how it says no.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from aiohttp import web

from agent_sre.testing.recorded_server import Recorded, Request

ALLOWED = {"acknowledged": {"triggered", "acknowledged"}, "resolved": {"triggered", "acknowledged"}}
"""PagerDuty: the states from which one may be reached; a resolved incident stays it."""


@dataclass(slots=True)
class PagerDutyServer:
    """``incidents`` are states by id, ``dedup`` by deduplication key; ``token`` and ``routing_key`` let in."""

    incidents: dict[str, str] = field(default_factory=dict)
    dedup: dict[str, str] = field(default_factory=dict)
    token: str = "pd-token"  # noqa: S105  a double's
    routing_key: str = "pd-routing-key"
    user: str = "oncall@example.com"
    http: Recorded = field(init=False)

    def __post_init__(self) -> None:
        self.http = Recorded(self._answer)

    async def _answer(self, request: Request) -> web.Response:
        if request.path == "/v2/enqueue" and request.method == "POST":
            return self._enqueue(json.loads(request.body))
        if request.headers.get("Authorization") != f"Token token={self.token}":
            return _json({"error": {"message": "Unauthorized", "code": 2006}}, 401)
        if request.method != "PUT" or not request.path.startswith("/incidents/"):
            return _json({"error": {"message": "Not Found", "code": 2100}}, 404)
        if request.headers.get("From") != self.user:
            return _error(400, "Invalid Input Provided", "Requester User Not Found")
        incident_id = unquote(request.path.removeprefix("/incidents/"))
        wanted = json.loads(request.body)["incident"]
        if incident_id not in self.incidents:
            return _json({"error": {"message": "Incident Not Found", "code": 2100}}, 404)
        if wanted["type"] not in {"incident", "incident_reference"} or wanted["status"] not in ALLOWED:
            return _error(400, "Invalid Input Provided", "Status is invalid")
        if self.incidents[incident_id] not in ALLOWED[wanted["status"]]:
            return _error(400, "Invalid Input Provided", "Incident Already Resolved")
        self.incidents[incident_id] = wanted["status"]
        return _json({"incident": {"id": incident_id, "type": "incident", "status": wanted["status"]}})

    def _enqueue(self, event: Mapping[str, str]) -> web.Response:
        if event.get("routing_key") != self.routing_key:
            errors = ["Invalid routing key"]
            return _json({"status": "invalid event", "message": "Event object is invalid", "errors": errors}, 400)
        if event["event_action"] in {"acknowledge", "resolve"} and event["dedup_key"] in self.dedup:
            self.dedup[event["dedup_key"]] = event["event_action"]
        return _json({"status": "success", "message": "Event processed", "dedup_key": event["dedup_key"]}, 202)


@dataclass(slots=True)
class OpsgenieServer:
    """``alerts`` are the actions done, by id or alias. With the key every request is taken; it is done later."""

    alerts: dict[str, list[str]] = field(default_factory=dict)
    key: str = "og-key"
    http: Recorded = field(init=False)

    def __post_init__(self) -> None:
        self.http = Recorded(self._answer)

    async def _answer(self, request: Request) -> web.Response:
        if request.headers.get("Authorization") != f"GenieKey {self.key}":
            return _json({"message": "Key format is not valid!", "took": 0.0, "requestId": "r-1"}, 422)
        prefix, _, rest = request.path.partition("/v2/alerts/")
        identity, _, action = rest.rpartition("/")
        known = {"acknowledge", "unacknowledge", "close"}
        if prefix or request.method != "POST" or action not in known:
            return _json({"message": "Not found", "took": 0.0, "requestId": "r-1"}, 404)
        if request.fields.get("identifierType") not in {"id", "alias"}:
            return _json({"message": "Identifier type is invalid", "took": 0.0, "requestId": "r-1"}, 422)
        if identity in self.alerts:
            self.alerts[identity].append(action)
        return _json({"result": "Request will be processed", "took": 0.1, "requestId": "r-1"}, 202)


@dataclass(slots=True)
class OnCallServer:
    """``groups`` are states by id."""

    groups: dict[str, str] = field(default_factory=dict)
    token: str = "oncall-token"  # noqa: S105  a double's
    http: Recorded = field(init=False)

    def __post_init__(self) -> None:
        self.http = Recorded(self._answer)

    async def _answer(self, request: Request) -> web.Response:
        if request.headers.get("Authorization") != self.token:
            return _json({"detail": "Invalid token."}, 403)
        states = {"acknowledge": "acknowledged", "unacknowledge": "firing", "resolve": "resolved"}
        prefix, _, rest = request.path.partition("/api/v1/alert_groups/")
        group, _, action = rest.partition("/")
        if prefix or request.method != "POST" or group not in self.groups or action not in states:
            return _json({"detail": "Not found."}, 404)
        self.groups[group] = states[action]
        return web.Response(status=200)


def _json(document: Mapping[str, object], status: int = 200) -> web.Response:
    return web.json_response(document, status=status)


def _error(status: int, message: str, *errors: str) -> web.Response:
    return _json({"error": {"message": message, "code": 2001, "errors": list(errors)}}, status)
