"""One HTTP exchange with a back end: sent, bounded in time and bytes, and its failures told apart.

Worth another try is only what may be different then: refused connections, silence, 429 and 5xx. A query that cannot be
understood, missing credentials, a redirect, or an answer that is not the API's are not. The body is handed on piece by
piece, so that an adapter decides how much of it is ever held.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
import orjson
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    stop_after_delay,
    wait_exponential_jitter,
)

from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.outbound.breaker import Breaker
from agent_sre.outbound.endpoint import Endpoint

T = TypeVar("T")
MAX_BYTES = 32 * 1024 * 1024
_TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504})
_ATTEMPTS = 3
_LONGEST_WAIT = 5.0
_EXCERPT = 300
_MESSAGE = 1_000
_ERROR_BYTES = 64 * 1024


class Refused(PermanentError):
    """The back end said no; ``status`` is how."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Absent(Refused):
    """The back end does not have what was asked for (404)."""


class RateLimited(TemporaryError):
    """The back end serves us no more for a while; not asked again by itself, the caller decides."""


class TooLong(PermanentError):
    """The answer has more bytes than may be read; asking for less may help."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request: ``form`` is sent as a form, ``document`` as JSON; both empty: no body."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = None
    document: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Exchange:
    """Requests to one back end. The client is made on first use, in the loop that uses it.

    ``words`` makes the back end's own message out of an error's body. ``limited`` says for how many seconds a refusal
    (status, headers, those words) is a rate limit's, None where it is none: some say it with a 403.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        breaker: Breaker | None = None,
        words: Callable[[bytes], str] = lambda content: content[:_EXCERPT].decode(errors="replace"),
        limited: Callable[[int, Mapping[str, str], str], float | None] = lambda status, headers, words: None,
    ) -> None:
        self.endpoint = endpoint
        self._words = words
        self._limited = limited
        self._sleep = sleep
        self._breaker = breaker or Breaker()
        self._slots = asyncio.Semaphore(endpoint.parallel)
        self._client: httpx.AsyncClient | None = None

    async def document(
        self, call: Call, max_bytes: int = MAX_BYTES, heed: Callable[[Mapping[str, str]], None] = lambda headers: None
    ) -> Any:
        """The JSON answer of a call; ``heed`` is shown its headers.

        Raises PermanentError where it is no JSON, TooLong beyond ``max_bytes``.
        """

        async def whole(parts: AsyncIterator[bytes]) -> bytes:
            return await bounded(parts, max_bytes)

        content = await self.read(call, whole, heed)
        try:
            return orjson.loads(content)
        except orjson.JSONDecodeError:
            raise self.foreign(call, content) from None

    async def read(
        self,
        call: Call,
        take: Callable[[AsyncIterator[bytes]], Awaitable[T]],
        heed: Callable[[Mapping[str, str]], None] = lambda headers: None,
    ) -> T:
        """What ``take`` makes of a successful answer's body; called again from the start where a try is repeated.

        Raises TemporaryError for what may pass, after up to three tries within the endpoint's time; PermanentError for
        what will not.
        """
        self._breaker.check(str(self.endpoint))
        retrying = AsyncRetrying(
            retry=retry_if_exception(lambda error: isinstance(error, TemporaryError) and not _is_limit(error)),
            stop=stop_after_attempt(_ATTEMPTS) | stop_after_delay(self.endpoint.timeout_seconds),
            wait=_wait,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            async for attempt in retrying:
                with attempt:
                    found = await self._once(call, take, heed)
                    self._breaker.answered()
                    return found
        except TemporaryError as error:
            self._breaker.failed(str(error))
            raise
        except PermanentError:
            self._breaker.answered()
            raise
        raise AssertionError("tenacity either returns or raises")  # pragma: no cover

    @contextmanager
    def well_formed(self) -> Iterator[None]:
        """Around the reading of an answer's parts: one that is missing or of another kind is a PermanentError."""
        try:
            yield
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            raise PermanentError(
                f"{self.endpoint} answered what is not well formed ({type(error).__name__}: {error}); "
                f"check {self.endpoint.settings}_URL, and that it is {self.endpoint.name}"
            ) from None

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _once(
        self,
        call: Call,
        take: Callable[[AsyncIterator[bytes]], Awaitable[T]],
        heed: Callable[[Mapping[str, str]], None],
    ) -> T:
        where, seconds = str(self.endpoint), self.endpoint.timeout_seconds
        client = self._opened()
        try:
            async with self._slots, asyncio.timeout(seconds), _sent(client, call) as response:
                if response.is_success:
                    heed(response.headers)
                    return await take(response.aiter_bytes())
                raise self._refusal(call, response, await _beginning(response))
        except (TimeoutError, httpx.TimeoutException):
            raise TemporaryError(f"{where} gave no complete answer to {call.path} within {seconds:g} s") from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise PermanentError(f"{self.endpoint.settings}_URL={self.endpoint.shown} is no URL: {error}") from None
        except httpx.RequestError as error:
            raise TemporaryError(f"{where} cannot be reached: {str(error) or type(error).__name__}") from None

    def _opened(self) -> httpx.AsyncClient:
        """The client; making it reads certificates, which is no time of the back end's."""
        if self._client is None:
            self._client = self.endpoint.client()
        return self._client

    def _refusal(self, call: Call, response: httpx.Response, content: bytes) -> TemporaryError | PermanentError:
        """The error of an answer with a status that says no; the back end's own words are kept."""
        where, status, prefix = str(self.endpoint), response.status_code, self.endpoint.settings
        text = " ".join(self._words(content)[:_MESSAGE].split()) or response.reason_phrase
        wait = self._limited(status, response.headers, text)
        if wait is not None:
            return RateLimited(f"{where} limits our rate ({status}), for {wait:.0f} s more: {text}", retry_after=wait)
        if status in {401, 403}:
            fix = f"check {prefix}_{', _'.join(self.endpoint.login)}, and that they may read"
            return PermanentError(f"{where} refused the credentials for {call.path} ({status}): {text}; {fix}")
        if status in _TEMPORARY:
            return TemporaryError(f"{where} answered {status}: {text}", retry_after=_retry_after(response))
        if response.is_redirect:
            aim = response.headers.get("location", "")
            fix = f"set {prefix}_URL to where the API itself is"
            return PermanentError(f"{where} redirects to {aim[:_EXCERPT]}, which is not followed; {fix}")
        if status == httpx.codes.NOT_FOUND:
            fix = f"check {prefix}_URL, and that it is {self.endpoint.name}"
            return Absent(f"{where} has no {call.path} (404): {text}; {fix}", status)
        return Refused(f"{where} refused the request ({status}): {text}", status)

    def foreign(self, call: Call, content: bytes) -> PermanentError:
        """The error of an answer that is not the API's: a proxy's page, another service."""
        text = " ".join(content[:_EXCERPT].decode(errors="replace").split())
        return PermanentError(
            f"{self.endpoint} is not what it should be: {call.path} answered {text!r}; "
            f"check {self.endpoint.settings}_URL"
        )


def _is_limit(error: BaseException) -> bool:
    return isinstance(error, RateLimited)


def _sent(client: httpx.AsyncClient, call: Call) -> AbstractAsyncContextManager[httpx.Response]:
    headers = dict(call.headers)
    content = None
    if call.document is not None:
        content = orjson.dumps(call.document)
        headers["Content-Type"] = "application/json"
    return client.stream(
        call.method,
        call.path,
        params=dict(call.params),
        headers=headers,
        data=dict(call.form) if call.form is not None else None,
        content=content,
    )


async def bounded(parts: AsyncIterator[bytes], max_bytes: int) -> bytes:
    """The body, unpacked, as far as it is allowed to be long; raises TooLong beyond."""
    found, size = [], 0
    async for part in parts:
        size += len(part)
        if size > max_bytes:
            raise TooLong(f"the answer is longer than {max_bytes // 1024**2} MB; narrow the search or the window")
        found.append(part)
    return b"".join(found)


async def _beginning(response: httpx.Response) -> bytes:
    """The first bytes of an error's body."""
    content = b""
    async for part in response.aiter_bytes():
        content += part
        if len(content) >= _ERROR_BYTES:
            break
    return content


def _wait(state: RetryCallState) -> float:
    """As long as the other side asked for, within reason; else a growing, jittered moment."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, TemporaryError) else None
    if asked is not None:
        return min(max(asked, 0.0), _LONGEST_WAIT)
    return wait_exponential_jitter(multiplier=0.2, max=2.0, jitter=0.2)(state)


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds of a Retry-After header; its date form is rare and not worth a clock."""
    try:
        return float(response.headers.get("retry-after", ""))
    except ValueError:
        return None
