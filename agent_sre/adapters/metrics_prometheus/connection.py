"""Prometheus' API over the exchange that all adapters share: where it is, its envelope of status, data and warnings."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from agent_sre.domain.errors import PermanentError
from agent_sre.outbound import Call, Endpoint, Exchange

_EXCERPT = 300
_PARALLEL = 8


@dataclass(frozen=True, slots=True)
class PrometheusOptions:
    """Where Prometheus is and how to log in. Secrets are kept out of ``repr``; ``timeout_seconds`` is per request."""

    url: str
    bearer: str = field(default="", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    ca_file: str = ""
    timeout_seconds: float = 10.0
    max_bytes: int = 64 * 1024 * 1024

    @property
    def endpoint(self) -> Endpoint:
        """The same as every adapter's exchange takes it."""
        return Endpoint(
            name="Prometheus",
            settings="AGENT_SRE_PROMETHEUS",
            url=self.url,
            bearer=self.bearer,
            username=self.username,
            password=self.password,
            headers=self.headers,
            ca_file=self.ca_file,
            timeout_seconds=self.timeout_seconds,
            parallel=_PARALLEL,
        )

    @property
    def shown(self) -> str:
        """The URL without a user and password, for messages."""
        return self.endpoint.shown

    def all_headers(self) -> dict[str, str]:
        """The site's headers, and the bearer token where there is one."""
        return self.endpoint.all_headers()


@dataclass(frozen=True, slots=True)
class Reply:
    """The ``data`` of a successful answer, and what the back end warned of."""

    data: Any
    warnings: tuple[str, ...]


class Connection:
    """Requests to one Prometheus."""

    def __init__(self, options: PrometheusOptions, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self.options = options
        self._exchange = Exchange(options.endpoint, sleep, words=_words)

    async def ask(self, method: str, path: str, fields: Mapping[str, str] | None = None) -> Reply:
        """One API call, tried up to three times where that may help."""
        given = fields or {}
        form, params = (given, {}) if method == "POST" else (None, given)
        call = Call(method, f"api/v1/{path}", params=params, form=form)
        document = await self._exchange.document(call, self.options.max_bytes)
        if not isinstance(document, dict) or document.get("status") != "success":
            shown = str(document)[:_EXCERPT]
            raise PermanentError(
                f"Prometheus at {self.options.shown} is not a Prometheus API: {path} answered {shown!r}; "
                f"check AGENT_SRE_PROMETHEUS_URL (the part before /api/v1)"
            )
        notes = [*(document.get("warnings") or ()), *(document.get("infos") or ())]
        return Reply(document.get("data"), tuple(str(note) for note in notes))

    async def close(self) -> None:
        """Close the connections."""
        await self._exchange.close()


def _words(content: bytes) -> str:
    """Prometheus' own message, or what something else said in its place."""
    try:
        document = orjson.loads(content)
        return f"{document.get('errorType', 'error')}: {document['error']}"
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError):
        return content[:_EXCERPT].decode(errors="replace")
