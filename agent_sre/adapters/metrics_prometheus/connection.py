"""One HTTP exchange with a Prometheus API: sent, bounded, decoded, and its failures told apart.

Worth another try are only what may be different then: refused connections, silence, 429 and 5xx. An expression that
cannot be evaluated, missing credentials, or an answer that is not Prometheus' are not.
"""

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from agent_sre.domain.errors import PermanentError, TemporaryError

_TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504})
_ATTEMPTS = 3
_LONGEST_WAIT = 5.0
_EXCERPT = 300
_CREDENTIALS_FIX = "check AGENT_SRE_PROMETHEUS_TOKEN, _USERNAME, _PASSWORD and _HEADERS"


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
    def shown(self) -> str:
        """The URL without a user and password, for messages."""
        return re.sub(r"//[^/@]*@", "//", self.url)

    def all_headers(self) -> dict[str, str]:
        """The site's headers, and the bearer token where there is one."""
        bearer = {"Authorization": f"Bearer {self.bearer}"} if self.bearer else {}
        return {"Accept": "application/json", **self.headers, **bearer}


@dataclass(frozen=True, slots=True)
class Reply:
    """The ``data`` of a successful answer, and what the back end warned of."""

    data: Any
    warnings: tuple[str, ...]


class Connection:
    """Requests to one Prometheus. The client is made on first use, in the loop that uses it."""

    def __init__(self, options: PrometheusOptions, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self.options = options
        self._sleep = sleep
        self._client: httpx.AsyncClient | None = None

    async def ask(self, method: str, path: str, fields: Mapping[str, str] | None = None) -> Reply:
        """One API call, tried up to three times where that may help."""
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(TemporaryError),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=_wait,
            sleep=self._sleep,
            reraise=True,
        )
        async for attempt in retrying:
            with attempt:
                return await self._once(method, path, fields or {})
        raise AssertionError("tenacity either returns or raises")  # pragma: no cover

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _once(self, method: str, path: str, fields: Mapping[str, str]) -> Reply:
        where = f"Prometheus at {self.options.shown}"
        body = {"data": dict(fields)} if method == "POST" else {"params": dict(fields)}
        try:
            async with self._opened().stream(method, f"api/v1/{path}", **body) as response:  # type: ignore[arg-type]
                content = await self._bounded(response)
        except httpx.TimeoutException:
            raise TemporaryError(
                f"{where} gave no answer to {path} within {self.options.timeout_seconds:g} s"
            ) from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise PermanentError(f"AGENT_SRE_PROMETHEUS_URL={self.options.shown} is no URL: {error}") from None
        except httpx.RequestError as error:
            raise TemporaryError(f"{where} cannot be reached: {str(error) or type(error).__name__}") from None
        return _reply(where, path, response, content)

    async def _bounded(self, response: httpx.Response) -> bytes:
        """The body, unpacked, as far as it is allowed to be long."""
        parts, size = [], 0
        async for part in response.aiter_bytes():
            size += len(part)
            if size > self.options.max_bytes:
                limit = self.options.max_bytes // 1024**2
                raise PermanentError(f"the answer is longer than {limit} MB; narrow the selector or the window")
            parts.append(part)
        return b"".join(parts)

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            end = self.options
            if not end.url.startswith(("http://", "https://")):
                raise PermanentError(f"AGENT_SRE_PROMETHEUS_URL={end.shown} must begin with http:// or https://")
            self._client = httpx.AsyncClient(
                base_url=end.url.rstrip("/") + "/",
                headers=end.all_headers(),
                auth=httpx.BasicAuth(end.username, end.password) if end.username else None,
                timeout=end.timeout_seconds,
                verify=_trust(end.ca_file),
            )
        return self._client


def _trust(ca_file: str) -> ssl.SSLContext | bool:
    if not ca_file:
        return True
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise PermanentError(f"AGENT_SRE_PROMETHEUS_CA_FILE={ca_file!r} cannot be used: {error}") from None


def _wait(state: RetryCallState) -> float:
    """As long as the other side asked for, within reason; else a growing, jittered moment."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, TemporaryError) else None
    if asked is not None:
        return min(max(asked, 0.0), _LONGEST_WAIT)
    return wait_exponential_jitter(multiplier=0.2, max=2.0, jitter=0.2)(state)


def _reply(where: str, path: str, response: httpx.Response, content: bytes) -> Reply:
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict) or "status" not in document:
        raise _foreign(where, path, response, content)
    if document["status"] != "success":
        raise _refusal(where, response, f"{document.get('errorType', 'error')}: {document.get('error', '')}")
    notes = [*(document.get("warnings") or ()), *(document.get("infos") or ())]
    return Reply(document.get("data"), tuple(str(note) for note in notes))


def _refusal(where: str, response: httpx.Response, message: str) -> TemporaryError | PermanentError:
    """The error of an answer with a status that says no; Prometheus' own message is kept."""
    status = response.status_code
    if status in {401, 403}:
        return PermanentError(f"{where} refused the credentials ({status}): {message}; {_CREDENTIALS_FIX}")
    if status in _TEMPORARY:
        return TemporaryError(f"{where} answered {status}: {message}", retry_after=_retry_after(response))
    return PermanentError(f"{where} refused the request ({status}): {message}")


def _foreign(where: str, path: str, response: httpx.Response, content: bytes) -> TemporaryError | PermanentError:
    """The error of an answer that is not of Prometheus' API: a proxy's page, another service, a wrong path."""
    text = " ".join(content[:_EXCERPT].decode(errors="replace").split()) or response.reason_phrase
    if response.status_code in _TEMPORARY or response.status_code in {401, 403}:
        return _refusal(where, response, text)
    return PermanentError(
        f"{where} is not a Prometheus API: {path} answered {response.status_code} with {text!r}; "
        f"check AGENT_SRE_PROMETHEUS_URL (the part before /api/v1)"
    )


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds of a Retry-After header; its date form is rare and not worth a clock."""
    try:
        return float(response.headers.get("retry-after", ""))
    except ValueError:
        return None
