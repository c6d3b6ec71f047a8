"""The console's JSON for scripts: what the pages show, and deciding an approval with the token.

Thin on purpose. Reading takes a session or the bearer token; deciding takes the bearer token only, or, where the
console is open on loopback, a JSON body: a page from elsewhere cannot send one without asking first.
"""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from agent_sre.domain.approval import Decision
from agent_sre.entrypoints.console_deps import Attempt, ConsoleDeps, attempt_decision
from agent_sre.entrypoints.console_guard import Guard
from agent_sre.entrypoints.console_json import authorize, json_response, read_object
from agent_sre.entrypoints.console_request import Refused
from agent_sre.service.decide_approval import explain
from agent_sre.service.incident_json import incident_to_plain, row_to_plain
from agent_sre.service.read_incident import list_incidents, read_incident

LIST_LIMIT = 50
_STATUS = {
    Decision.APPROVED: HTTPStatus.OK,
    Decision.REJECTED: HTTPStatus.OK,
    Decision.UNKNOWN: HTTPStatus.NOT_FOUND,
}


class ConsoleApi:
    """The handlers of ``/api/``."""

    def __init__(self, deps: ConsoleDeps, guard: Guard) -> None:
        self._deps = deps
        self._guard = guard

    def routes(self) -> list[BaseRoute]:
        """All of them."""
        page, public = self._guard.page, self._guard.public
        return [
            Route("/api/incidents", page(self.incidents), methods=["GET"]),
            Route("/api/incidents/{incident_id}", page(self.incident), methods=["GET"]),
            Route("/api/approvals/{approval_id}", public(self.decide), methods=["POST"]),
        ]

    async def incidents(self, request: Request) -> Response:
        """The newest incidents."""
        rows = await list_incidents(self._deps.stores, LIST_LIMIT)
        return json_response({"incidents": [row_to_plain(row) for row in rows]})

    async def incident(self, request: Request) -> Response:
        """One incident: where it stands and, once there is one, the answer."""
        incident_id = request.path_params["incident_id"]
        view = await read_incident(incident_id, self._deps.stores)
        if view is None:
            raise Refused(HTTPStatus.NOT_FOUND, f"There is no incident {incident_id}.")
        return json_response(incident_to_plain(view))

    async def decide(self, request: Request) -> Response:
        """``{"decision": "approve" | "reject", "digest": ..., "reason": ..., "by": ...}``; 409: it changed nothing."""
        authorize(self._guard.gate, request)
        body = await read_object(request)
        choice = body.get("decision")
        if choice not in {"approve", "reject"}:
            raise Refused(HTTPStatus.BAD_REQUEST, f"decision must be approve or reject, not {choice!r}.")
        words = {name: str(body.get(name) or "") for name in ("by", "digest", "reason")}
        attempt = Attempt(
            request.path_params["approval_id"],
            choice == "approve",
            words["by"] or self._guard.gate.operator,
            words["digest"],
            words["reason"],
        )
        decision, approval = await attempt_decision(self._deps, attempt)
        plain = {
            "decision": str(decision),
            "because": explain(decision, approval),
            "incident": approval.incident_id if approval else None,
            "decided_by": approval.decided_by if approval else None,
        }
        return json_response(plain, _STATUS.get(decision, HTTPStatus.CONFLICT))
