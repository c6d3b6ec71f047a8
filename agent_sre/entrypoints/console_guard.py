"""Stands before every address of the console: the Host check, the login, and refusals and failures as answers.

A handler only says what it shows; what happens to a stranger, a rebound name, a database that is away or a page that is
out of date is decided here, once. Pages get HTML, ``/api/`` gets JSON.
"""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.entrypoints.console_auth import Gate, Session
from agent_sre.entrypoints.console_request import Refused, own_address, read_form
from agent_sre.entrypoints.console_view import Pages, secured

Handler = Callable[[Request], Awaitable[Response]]


class Guard:
    """One per console; what it learns of a request is kept in the request."""

    def __init__(self, gate: Gate, pages: Pages) -> None:
        self.gate = gate
        self.pages = pages

    def page(self, handler: Handler) -> Handler:
        """The handler for those who are logged in (everyone, where the console is open)."""
        return self._wrapped(handler, public=False)

    def public(self, handler: Handler) -> Handler:
        """The handler for everyone."""
        return self._wrapped(handler, public=True)

    def session(self, request: Request) -> Session | None:
        """The request's session; where the console is open one is made, for the forms' tokens."""
        if not hasattr(request.state, "session"):
            found = self.gate.session(request)
            request.state.session = found or (self.gate.new_session(self.gate.operator) if self.gate.open else None)
        session: Session | None = request.state.session
        return session

    async def form(self, request: Request) -> tuple[dict[str, str], Session]:
        """The fields of a form of ours. Raises Refused for a wrong origin or CSRF token."""
        form = await read_form(request)
        if not self.gate.origin_allowed(request):
            raise Refused(HTTPStatus.FORBIDDEN, "This form was not sent from a page of this console. Nothing was done.")
        session = self.gate.session(request)
        if session is None or not self.gate.csrf_matches(session, form.get("csrf", "")):
            raise Refused(
                HTTPStatus.FORBIDDEN, "This page is out of date. Nothing was done: go back, reload it and try again."
            )
        return form, session

    def render(
        self, request: Request, template: str, context: dict[str, object], status: int = HTTPStatus.OK
    ) -> Response:
        """A page; a session that was made for it is sent along."""
        response = self.pages.render(template, self._context(request, context), status)
        session = self.session(request)
        if session is not None and self.gate.session(request) is None:
            self.gate.remember(request, response, session)
        return response

    def _wrapped(self, handler: Handler, *, public: bool) -> Handler:
        async def endpoint(request: Request) -> Response:
            try:
                self._check_host(request)
                if not public and not self._known(request):
                    return self._ask_to_log_in(request)
                return secured(await handler(request))
            except Refused as refusal:
                return self._error(request, refusal.status, str(refusal), refusal.retry_after)
            except TemporaryError as error:
                return self._error(request, HTTPStatus.SERVICE_UNAVAILABLE, str(error), 5)
            except PermanentError as error:
                return self._error(request, HTTPStatus.INTERNAL_SERVER_ERROR, str(error))

        return endpoint

    def _check_host(self, request: Request) -> None:
        if not self.gate.host_allowed(request):
            raise Refused(
                HTTPStatus.MISDIRECTED_REQUEST,
                f"This console does not answer to the name {request.headers.get('host', '')!r}. "
                "If the name is yours, add it to AGENT_SRE_ALLOWED_HOSTS.",
            )

    def _known(self, request: Request) -> bool:
        return self.gate.open or self.session(request) is not None or self.gate.bearer_matches(request)

    def _ask_to_log_in(self, request: Request) -> Response:
        if _wants_json(request) or request.method != "GET" or request.url.path.endswith("/stream"):
            return self._error(request, HTTPStatus.UNAUTHORIZED, "Log in first; your session may have expired.")
        address = own_address(request)
        if request.headers.get("sec-fetch-site") == "cross-site":
            # A link from a chat: the strict cookie did not come along. A reload from a page of ours brings it.
            return self.render(request, "again.html.j2", {"target": address}, HTTPStatus.UNAUTHORIZED)
        return secured(RedirectResponse(f"/login?{urlencode({'next': address})}", HTTPStatus.SEE_OTHER))

    def _context(self, request: Request, context: dict[str, object]) -> dict[str, object]:
        session = self.session(request)
        return {
            "now": self.gate.now(),
            "who": session.name if session and not self.gate.open else "",
            "csrf": self.gate.csrf_token(session) if session else "",
            "stream": "",
            "revision": "",
            **context,
        }

    def _error(self, request: Request, status: HTTPStatus, message: str, retry_after: float | None = None) -> Response:
        if _wants_json(request):
            response: Response = secured(JSONResponse({"error": message}, int(status)))
        else:
            context: dict[str, object] = {"status": int(status), "phrase": status.phrase, "message": message}
            response = self.pages.render("error.html.j2", self._context(request, context), int(status))
        if retry_after is not None:
            response.headers["Retry-After"] = str(max(1, round(retry_after)))
        if status is HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = 'Bearer realm="agent_sre"'
        return response


def _wants_json(request: Request) -> bool:
    return request.url.path.startswith("/api/")
