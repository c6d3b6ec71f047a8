"""Where alerts went, and putting them elsewhere: merge, split, and "why was I not called?", as pages and as JSON.

The pages' forms post and redirect; scripts send JSON with the token, as for decisions. What may be regrouped, and what
that does, is the service's.
"""

from collections.abc import Collection
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from agent_sre.domain.incident import Incident
from agent_sre.domain.visible import one_line
from agent_sre.entrypoints.console_deps import ConsoleDeps
from agent_sre.entrypoints.console_guard import Guard
from agent_sre.entrypoints.console_json import authorize, json_response, read_object
from agent_sre.entrypoints.console_request import Refused
from agent_sre.entrypoints.console_stream import LIST
from agent_sre.service.incident_json import placement_to_plain
from agent_sre.service.regroup_incidents import RegroupRefused, merge_incidents, split_incident

_PREFIX = "alert-"
_MOST = 100


class ConsoleRegroup:
    """The handlers. One per process; holds no state of a request."""

    def __init__(self, deps: ConsoleDeps, guard: Guard) -> None:
        self._deps = deps
        self._guard = guard

    def routes(self) -> list[BaseRoute]:
        """All of them."""
        page, public = self._guard.page, self._guard.public
        return [
            Route("/alerts", page(self.alerts_page), methods=["GET"]),
            Route("/incidents/{incident_id}/merge", page(self.merge_form), methods=["POST"]),
            Route("/incidents/{incident_id}/split", page(self.split_form), methods=["POST"]),
            Route("/api/alerts", page(self.alerts), methods=["GET"]),
            Route("/api/incidents/{incident_id}/merge", public(self.merge), methods=["POST"]),
            Route("/api/incidents/{incident_id}/split", public(self.split), methods=["POST"]),
        ]

    async def alerts_page(self, request: Request) -> Response:
        """Where alerts of the name or fingerprint in ``?q=`` went, and why."""
        asked = request.query_params.get("q", "").strip()[:500]
        found = await self._deps.stores.placements.of_alert(asked, _MOST) if asked else ()
        return self._guard.render(request, "alerts.html.j2", {"asked": one_line(asked), "found": found, "most": _MOST})

    async def alerts(self, request: Request) -> Response:
        """As the page, as JSON."""
        asked = request.query_params.get("q", "").strip()[:500]
        if not asked:
            raise Refused(HTTPStatus.BAD_REQUEST, "Ask for an alert's name or fingerprint: /api/alerts?q=...")
        found = await self._deps.stores.placements.of_alert(asked, _MOST)
        return json_response({"asked": asked, "alerts": [placement_to_plain(item) for item in found]})

    async def merge_form(self, request: Request) -> Response:
        """The page's form: this incident goes into the one named."""
        form, session = await self._guard.form(request)
        target = form.get("into", "").strip()
        incident = await self._merge(request, target, session.name, form.get("reason", ""))
        return RedirectResponse(f"/incidents/{incident.id}", HTTPStatus.SEE_OTHER)

    async def split_form(self, request: Request) -> Response:
        """The page's form: the alerts that are ticked go to an incident of their own."""
        form, session = await self._guard.form(request)
        ticked = [name.removeprefix(_PREFIX) for name in form if name.startswith(_PREFIX)]
        incident = await self._split(request, ticked, session.name, form.get("reason", ""))
        return RedirectResponse(f"/incidents/{incident.id}", HTTPStatus.SEE_OTHER)

    async def merge(self, request: Request) -> Response:
        """``{"into": ..., "reason": ..., "by": ...}``; 409: it changed nothing."""
        authorize(self._guard.gate, request)
        body = await read_object(request)
        by = str(body.get("by") or self._guard.gate.operator)
        incident = await self._merge(request, str(body.get("into") or ""), by, str(body.get("reason") or ""))
        return json_response({"incident": incident.id, "alerts_firing": incident.firing})

    async def split(self, request: Request) -> Response:
        """``{"fingerprints": [...], "reason": ..., "by": ...}``; 409: it changed nothing."""
        authorize(self._guard.gate, request)
        body = await read_object(request)
        named = body.get("fingerprints")
        if not isinstance(named, list) or not all(isinstance(item, str) for item in named):
            raise Refused(HTTPStatus.BAD_REQUEST, "fingerprints must be a list of texts.")
        by = str(body.get("by") or self._guard.gate.operator)
        incident = await self._split(request, named, by, str(body.get("reason") or ""))
        return json_response({"incident": incident.id, "alerts_firing": incident.firing})

    async def _merge(self, request: Request, into: str, by: str, reason: str) -> Incident:
        source = request.path_params["incident_id"]
        try:
            incident = await merge_incidents(source, into, by=by, reason=reason, ports=self._deps.regroup)
        except RegroupRefused as refused:
            raise Refused(HTTPStatus.CONFLICT, f"{refused}. Nothing was done.") from None
        self._tell(source, incident.id)
        return incident

    async def _split(self, request: Request, fingerprints: Collection[str], by: str, reason: str) -> Incident:
        source = request.path_params["incident_id"]
        try:
            incident = await split_incident(source, fingerprints, by=by, reason=reason, ports=self._deps.regroup)
        except RegroupRefused as refused:
            raise Refused(HTTPStatus.CONFLICT, f"{refused}. Nothing was done.") from None
        self._tell(source, incident.id)
        return incident

    def _tell(self, *incident_ids: str) -> None:
        for incident_id in (*incident_ids, LIST):
            self._deps.signal.notify(incident_id)
        self._deps.on_decision(incident_ids[0])
