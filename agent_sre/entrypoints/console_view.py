"""Turns values into the console's pages: the template environment, what templates may call, static files, headers.

Everything that is printed passes ``visible`` and then HTML escaping, without exception and without anybody having to
remember it; only charts, which are drawn and escaped by ``report``, are embedded as markup. The content security policy
allows nothing inline and nothing from elsewhere, so a string that slipped through could still not run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from agent_sre.domain.visible import visible

ResponseT = TypeVar("ResponseT", bound=Response)

_HERE = Path(__file__).parent
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    # same-origin, not no-referrer: under no-referrer browsers send "Origin: null" with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file of the console, read at start; ``version`` is part of its address, so it may be cached for ever."""

    body: bytes
    media_type: str
    version: str


class Pages:
    """Renders templates. Built once; holds no state of a request."""

    def __init__(self) -> None:
        self.static = {path.name: _load(path) for path in sorted((_HERE / "static").iterdir()) if path.suffix in _TYPES}
        self._environment = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=_finalize,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(
            ago=ago,
            clock=clock,
            stamp=stamp,
            iso=iso,
            day=day,
            words=in_words,
            weblink=weblink,
            drawn=Markup,  # charts only: drawn and escaped by report.chart
            difference=difference,
        )
        self._environment.globals["static"] = self._static_address

    def render(self, template: str, context: Mapping[str, object], status: int = 200) -> HTMLResponse:
        """The page, with every security header."""
        text = self._environment.get_template(template).render(context)
        return secured(HTMLResponse(text, status_code=status))

    def _static_address(self, name: str) -> str:
        return f"/static/{name}?v={self.static[name].version}"


def secured(response: ResponseT) -> ResponseT:
    """The response with every security header; one that is set already stays."""
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def ago(instant: datetime, now: datetime) -> str:
    """How long ago, or in how long, in one unit: ``6 min ago``, ``in 56 min``."""
    seconds = (now - instant).total_seconds()
    length = abs(seconds)
    if length < 10:
        return "just now"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        if length >= size:
            text = f"{length // size:.0f} {unit}"
            return f"{text} ago" if seconds > 0 else f"in {text}"
    return "just now"


def clock(instant: datetime) -> str:
    """Time of day in UTC."""
    return f"{instant.astimezone(UTC):%H:%M:%S}"


def stamp(instant: datetime, now: datetime) -> str:
    """Time of day in UTC, with the date where that is not today's."""
    same = instant.astimezone(UTC).date() == now.astimezone(UTC).date()
    return clock(instant) if same else f"{day(instant)} {clock(instant)}"


def day(instant: datetime) -> str:
    """Date in UTC."""
    return f"{instant.astimezone(UTC):%d %b %Y}"


def iso(instant: datetime) -> str:
    """RFC 3339, for ``<time datetime>``."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def in_words(name: str) -> str:
    """``rollout_undo`` as ``rollout undo``."""
    return str(name).replace("_", " ")


def weblink(link: str) -> str:
    """The link where it leads to the web, else "": links come from telemetry, and ``javascript:`` is a link too."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return ""
    return link if parts.scheme in {"http", "https"} and parts.netloc else ""


def difference(preview: str) -> list[tuple[str, str]]:
    """A preview's lines, each with what it is: ``side`` (what is compared), ``added``, ``removed`` or ``same``."""
    kinds = {"---": "side", "+++": "side", "+": "added", "-": "removed"}
    return [(kinds.get(line[:3]) or kinds.get(line[:1], "same"), line) for line in preview.splitlines()]


def _finalize(value: object) -> object:
    return visible(str(value)) if isinstance(value, str) and not isinstance(value, Markup) else value


def _load(path: Path) -> StaticFile:
    body = path.read_bytes()
    return StaticFile(body, _TYPES[path.suffix], sha256(body).hexdigest()[:12])
