"""Pages and JSON for maintenance windows and for what a person says about an incident: look after, mute, snooze.

As with approvals: forms post with a session and its CSRF token and are answered with a redirect; the JSON takes the
bearer token. What is said is the service's to judge and to record.
"""

from http import HTTPStatus
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from agent_sre.domain.errors import PermanentError
from agent_sre.entrypoints.console_deps import ConsoleDeps
from agent_sre.entrypoints.console_guard import Guard
from agent_sre.entrypoints.console_json import authorize, json_response, read_object
from agent_sre.entrypoints.console_request import Refused
from agent_sre.entrypoints.console_stream import LIST
from agent_sre.service.incident_json import incident_fields
from agent_sre.service.quiet_desk import QuietDesk


class QuietConsole:
    """The handlers; one per console that has a desk."""

    def __init__(self, deps: ConsoleDeps, desk: QuietDesk, guard: Guard) -> None:
        self._deps = deps
        self._desk = desk
        self._guard = guard

    def routes(self) -> list[BaseRoute]:
        """All of them."""
        page, public = self._guard.page, self._guard.public
        return [
            Route("/maintenance", page(self.page), methods=["GET"]),
            Route("/maintenance", page(self.add_form), methods=["POST"]),
            Route("/maintenance/{window_id}/end", page(self.end_form), methods=["POST"]),
            Route("/incidents/{incident_id}/look-after", page(self.say_form), methods=["POST"]),
            Route("/api/maintenance", page(self.windows), methods=["GET"]),
            Route("/api/maintenance", public(self.add), methods=["POST"]),
            Route("/api/maintenance/{window_id}/end", public(self.end), methods=["POST"]),
            Route("/api/incidents/{incident_id}/{wish}", public(self.say), methods=["POST"]),
        ]

    async def page(self, request: Request) -> Response:
        """The windows, and the form for a new one."""
        context: dict[str, object] = {"windows": await self._desk.windows()}
        return self._guard.render(request, "maintenance.html.j2", context)

    async def add_form(self, request: Request) -> Response:
        """A new window from the form: one matcher a line."""
        form, session = await self._guard.form(request)
        fields: dict[str, object] = {name: form.get(name, "") for name in ("start", "end", "for", "weekly", "comment")}
        fields["matchers"] = [line for line in form.get("matchers", "").splitlines() if line.strip()]
        try:
            await self._desk.add(fields, session.name)
        except PermanentError as error:
            raise Refused(HTTPStatus.BAD_REQUEST, str(error)) from None
        self._changed()
        return RedirectResponse("/maintenance", HTTPStatus.SEE_OTHER)

    async def end_form(self, request: Request) -> Response:
        """End a window now."""
        _, session = await self._guard.form(request)
        await self._end(request, session.name)
        return RedirectResponse("/maintenance", HTTPStatus.SEE_OTHER)

    async def say_form(self, request: Request) -> Response:
        """A press on one of an incident's buttons."""
        form, session = await self._guard.form(request)
        incident_id = request.path_params["incident_id"]
        await self._say(incident_id, form.get("wish", ""), form, session.name)
        return RedirectResponse(f"/incidents/{quote(incident_id)}?{urlencode({'said': form.get('wish', '')})}", 303)

    async def windows(self, request: Request) -> Response:
        """The newest windows."""
        return json_response({"windows": await self._desk.windows()})

    async def add(self, request: Request) -> Response:
        """``{"matchers": [...], "start": "now", "for": "2h", "comment": ..., "by": ...}``, or end, or weekly."""
        authorize(self._guard.gate, request)
        body = await read_object(request)
        try:
            window = await self._desk.add(body, str(body.get("by") or self._guard.gate.operator))
        except PermanentError as error:
            raise Refused(HTTPStatus.BAD_REQUEST, str(error)) from None
        self._changed()
        return json_response(self._desk.plain(window), HTTPStatus.CREATED)

    async def end(self, request: Request) -> Response:
        """End a window now; ``{"by": ...}``."""
        authorize(self._guard.gate, request)
        body = await read_object(request)
        return json_response(await self._end(request, str(body.get("by") or self._guard.gate.operator)))

    async def say(self, request: Request) -> Response:
        """``{"until": ..., "for": "2h", "reason": ..., "by": ...}`` to acknowledge, mute, snooze, unmute, resolve."""
        authorize(self._guard.gate, request)
        body = await read_object(request)
        fields = {name: str(body.get(name) or "") for name in ("until", "for", "reason")}
        by = str(body.get("by") or self._guard.gate.operator)
        return json_response(
            await self._say(request.path_params["incident_id"], request.path_params["wish"], fields, by)
        )

    async def _say(self, incident_id: str, wish: str, fields: dict[str, str], by: str) -> dict[str, object]:
        try:
            incident, text = await self._desk.say(incident_id, wish, fields, by)
        except PermanentError as error:
            raise Refused(HTTPStatus.CONFLICT, str(error)) from None
        if incident is None:
            raise Refused(HTTPStatus.NOT_FOUND, f"There is no incident {incident_id}.")
        self._deps.signal.notify(incident_id)
        self._deps.on_decision(incident_id)
        return {"because": text, **incident_fields(incident)}

    async def _end(self, request: Request, by: str) -> dict[str, object]:
        window_id = request.path_params["window_id"]
        window = await self._desk.end(window_id, by)
        if window is None:
            raise Refused(HTTPStatus.NOT_FOUND, f"There is no maintenance window {window_id}.")
        self._changed()
        return self._desk.plain(window)

    def _changed(self) -> None:
        self._deps.signal.notify(LIST)
        self._deps.on_decision("")
