"""What the console takes from a request, bounded: forms, bodies, addresses to go back to; and how it says no."""

from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from starlette.requests import ClientDisconnect, Request

MAX_BODY = 16_384
MAX_FIELDS = 500


class Refused(Exception):
    """A request is answered with a status and a sentence instead of what it asked for. Never leaves the console."""

    def __init__(self, status: HTTPStatus, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


async def read_body(request: Request) -> bytes:
    """The body of at most MAX_BODY bytes, whatever its length header says."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"At most {MAX_BODY} bytes are taken here.")
    except ClientDisconnect:
        raise Refused(HTTPStatus.BAD_REQUEST, "The request ended before its body did.") from None
    return bytes(body)


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a URL-encoded form; the last value of a repeated one."""
    kind = content_type(request)
    if kind != "application/x-www-form-urlencoded":
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Forms are sent URL-encoded, not as {kind or 'nothing'!r}.")
    try:
        fields = parse_qs((await read_body(request)).decode("utf-8", "replace"), max_num_fields=MAX_FIELDS)
    except ValueError:
        raise Refused(HTTPStatus.BAD_REQUEST, "The form has too many fields.") from None
    return {name: values[-1] for name, values in fields.items()}


def content_type(request: Request) -> str:
    """The media type without its parameters, in lower case."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def local_path(target: str) -> str:
    """The target where it is a path on this host, else "/": a login must not send anyone elsewhere."""
    parts = urlsplit(target)
    plain = target.startswith("/") and not target.startswith("//") and "\\" not in target and target.isprintable()
    return target if plain and not parts.scheme and not parts.netloc else "/"


def own_address(request: Request) -> str:
    """Path and query of the request."""
    query = f"?{request.url.query}" if request.url.query else ""
    return local_path(f"{request.url.path}{query}")
