"""The incident console: what is known about each incident, and the place to approve or reject an action.

Server-rendered; every form posts and redirects, so it works without JavaScript, from a phone, over a slow tunnel. The
script only fetches the same page again when something changed. The console is the stand-in for a chat and the evidence
view behind a chat's links. It decides nothing: reading, deciding and answering are the service's.

``bootstrap`` calls ``console_routes`` and appends the routes after all others: the last one answers 404 for any path.
"""

from functools import partial
from http import HTTPStatus
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from agent_sre.domain.approval import Decision
from agent_sre.entrypoints.console_api import LIST_LIMIT, ConsoleApi
from agent_sre.entrypoints.console_auth import Gate
from agent_sre.entrypoints.console_deps import Attempt, ConsoleDeps, attempt_decision
from agent_sre.entrypoints.console_guard import Guard
from agent_sre.entrypoints.console_quiet import QuietConsole
from agent_sre.entrypoints.console_regroup import ConsoleRegroup
from agent_sre.entrypoints.console_request import Refused, local_path, read_form
from agent_sre.entrypoints.console_stream import LIST, stream_response
from agent_sre.entrypoints.console_view import Pages
from agent_sre.service.ask import MAX_QUESTION, answer, examples
from agent_sre.service.decide_approval import explain
from agent_sre.service.read_incident import list_incidents, list_revision, read_incident, read_revision


class Console:
    """The pages' handlers. One per process; holds no state of a request."""

    def __init__(self, deps: ConsoleDeps, guard: Guard) -> None:
        self._deps = deps
        self._guard = guard
        self._gate = guard.gate

    async def incidents(self, request: Request) -> Response:
        """The list."""
        stores = self._deps.stores
        context: dict[str, object] = {
            "revision": await list_revision(stores, LIST_LIMIT),
            "rows": await list_incidents(stores, LIST_LIMIT),
            "stream": "/stream",
            "desk": self._deps.desk is not None,
            "base_url": str(request.base_url).rstrip("/"),
        }
        return self._guard.render(request, "incidents.html.j2", context)

    async def incident(self, request: Request) -> Response:
        """One incident, with the answer to ``?ask=`` and what came of a decision in ``?decision=&approval=``."""
        incident_id = request.path_params["incident_id"]
        view = await read_incident(incident_id, self._deps.stores)
        if view is None:
            raise Refused(HTTPStatus.NOT_FOUND, f"There is no incident {incident_id}.")
        question = request.query_params.get("ask", "")[:MAX_QUESTION]
        context: dict[str, object] = {
            "view": view,
            "answer": await answer(question, view, self._deps.stores, self._deps.live) if question.strip() else None,
            "examples": examples(view),
            "desk": self._deps.desk is not None,
            "notice": await self._notice(request),
            "revision": view.revision,
            "stream": f"/incidents/{view.incident.id}/stream",
        }
        return self._guard.render(request, "incident.html.j2", context)

    async def decide(self, request: Request) -> Response:
        """A press on approve or reject: answered with a redirect to the incident, which says what came of it."""
        form, session = await self._guard.form(request)
        choice = form.get("decision", "")
        if choice not in {"approve", "reject"}:
            raise Refused(HTTPStatus.BAD_REQUEST, f"decision must be approve or reject, not {choice!r}.")
        attempt = Attempt(
            request.path_params["approval_id"],
            choice == "approve",
            session.name,
            form.get("digest", ""),
            form.get("reason", ""),
        )
        decision, approval = await attempt_decision(self._deps, attempt)
        if approval is None:
            raise Refused(HTTPStatus.NOT_FOUND, explain(decision, None))
        query = urlencode({"decision": str(decision), "approval": approval.id})
        return RedirectResponse(f"/incidents/{approval.incident_id}?{query}#notice", HTTPStatus.SEE_OTHER)

    async def stream(self, request: Request) -> Response:
        """Changes of one incident, or of the list."""
        signal, stores = self._deps.signal, self._deps.stores
        if signal.full or signal.closed:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "Too many live views are open; this one reloads instead.", 30)
        incident_id = request.path_params.get("incident_id")
        if incident_id is None:
            return stream_response(signal, LIST, partial(list_revision, stores, LIST_LIMIT), self._deps.pace)
        if await stores.incidents.get(incident_id) is None:
            raise Refused(HTTPStatus.NOT_FOUND, f"There is no incident {incident_id}.")
        return stream_response(signal, incident_id, partial(read_revision, incident_id, stores), self._deps.pace)

    async def login_page(self, request: Request) -> Response:
        """The form; straight on where nobody needs to log in."""
        if self._gate.open or self._gate.session(request) is not None:
            return RedirectResponse("/", HTTPStatus.SEE_OTHER)
        target = local_path(request.query_params.get("next", "/"))
        return self._guard.render(request, "login.html.j2", {"next": target, "problem": "", "name": ""})

    async def login(self, request: Request) -> Response:
        """Check the token; every failure counts against the address it came from."""
        if not self._gate.origin_allowed(request):
            raise Refused(HTTPStatus.FORBIDDEN, "This form was not sent from a page of this console.")
        form = await read_form(request)
        name, target = form.get("name", "").strip(), local_path(form.get("next", "/"))
        right = self._token_is_right(request, form.get("token", ""))
        if not right or not name:
            problem = "Please give your name: it is recorded with what you decide." if right else "Wrong token."
            context: dict[str, object] = {"next": target, "problem": problem, "name": name[:80]}
            return self._guard.render(request, "login.html.j2", context, HTTPStatus.UNAUTHORIZED)
        response = RedirectResponse(target, HTTPStatus.SEE_OTHER)
        self._gate.remember(request, response, self._gate.new_session(name))
        return response

    async def logout(self, request: Request) -> Response:
        """End the session in this browser."""
        await self._guard.form(request)
        response = RedirectResponse("/login", HTTPStatus.SEE_OTHER)
        self._gate.forget(request, response)
        return response

    async def static(self, request: Request) -> Response:
        """A file of the console. Its address carries its version, so it may be kept."""
        file = self._guard.pages.static.get(request.path_params["name"])
        if file is None:
            raise Refused(HTTPStatus.NOT_FOUND, "There is no such file.")
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        return Response(file.body, media_type=file.media_type, headers=headers)

    async def not_found(self, request: Request) -> Response:
        """Any other address."""
        raise Refused(HTTPStatus.NOT_FOUND, f"There is nothing at {request.url.path}.")

    def _token_is_right(self, request: Request, token: str) -> bool:
        address = request.client.host if request.client else "unknown"
        now = self._gate.now().timestamp()
        wait = self._gate.throttle.wait(address, now)
        if wait > 0:
            raise Refused(HTTPStatus.TOO_MANY_REQUESTS, "Too many failed logins; try again in a minute.", wait)
        right = self._gate.token_matches(token)
        if not right:
            self._gate.throttle.failed(address, now)
        return right

    async def _notice(self, request: Request) -> tuple[str, str] | None:
        """What came of the decision the page was redirected from: (kind, sentence). Our words, never the URL's."""
        word = request.query_params.get("decision", "")
        approval = await self._deps.stores.approvals.get(request.query_params.get("approval", ""))
        if approval is None or word not in {str(item) for item in Decision}:
            return None
        decision = Decision(word)
        if decision not in (Decision.APPROVED, Decision.REJECTED):
            return "refused", explain(decision, approval)
        # A link that only claims a decision is not believed.
        return ("done", explain(decision, approval)) if str(approval.state) == word else None


def console_routes(deps: ConsoleDeps) -> list[BaseRoute]:
    """The console's routes, in the order in which they must be matched; append them after all others.

    Raises PermanentError where the console would be open beyond loopback.
    """
    guard = Guard(Gate(deps.access, deps.clock), Pages())
    console = Console(deps, guard)
    return [
        Route("/", guard.page(console.incidents), methods=["GET"]),
        Route("/stream", guard.page(console.stream), methods=["GET"]),
        Route("/incidents/{incident_id}", guard.page(console.incident), methods=["GET"]),
        Route("/incidents/{incident_id}/stream", guard.page(console.stream), methods=["GET"]),
        Route("/approvals/{approval_id}", guard.page(console.decide), methods=["POST"]),
        Route("/login", guard.public(console.login_page), methods=["GET"]),
        Route("/login", guard.public(console.login), methods=["POST"]),
        Route("/logout", guard.page(console.logout), methods=["POST"]),
        Route("/static/{name}", guard.public(console.static), methods=["GET"]),
        *ConsoleApi(deps, guard).routes(),
        *ConsoleRegroup(deps, guard).routes(),
        *(QuietConsole(deps, deps.desk, guard).routes() if deps.desk else ()),
        Route("/{path:path}", guard.public(console.not_found), methods=["GET"]),
    ]
