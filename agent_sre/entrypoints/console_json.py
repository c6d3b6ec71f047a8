"""JSON of the console's API: who may send it, what is read, what is answered."""

import json
from http import HTTPStatus

import orjson
from starlette.requests import Request
from starlette.responses import Response

from agent_sre.entrypoints.console_auth import Gate
from agent_sre.entrypoints.console_request import Refused, content_type, read_body


def authorize(gate: Gate, request: Request) -> None:
    """Raises Refused for a request that may not change anything: no bearer token, another origin, another type."""
    if not gate.open and not gate.bearer_matches(request):
        raise Refused(HTTPStatus.UNAUTHORIZED, "Send the console's token as Authorization: Bearer.")
    if not gate.origin_allowed(request, needed=False):
        raise Refused(HTTPStatus.FORBIDDEN, "Sent from a page of another origin. Nothing was done.")
    if content_type(request) != "application/json":
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send application/json.")


async def read_object(request: Request) -> dict[str, object]:
    """The body, which must be a JSON object. Raises Refused."""
    try:
        body = orjson.loads(await read_body(request))
    except orjson.JSONDecodeError as error:
        raise Refused(HTTPStatus.BAD_REQUEST, f"The body is not JSON: {error}.") from None
    if not isinstance(body, dict):
        raise Refused(HTTPStatus.BAD_REQUEST, f"The body must be a JSON object, not {type(body).__name__}.")
    return body


def json_response(plain: object, status: int = HTTPStatus.OK) -> Response:
    """The answer."""
    # The standard library's, because it escapes the lone surrogates that telemetry may hold; orjson refuses them.
    return Response(json.dumps(plain), int(status), media_type="application/json")
