"""SNS's certificates: fetched once over HTTPS, kept, and asked for again only so often.

Whoever knows a topic's ARN can make us look for certificates that do not exist, at Amazon. That stays few: one request
at a time, a wrong path is remembered for ten minutes, and beyond a number per ten minutes none is fetched at all; those
in use are kept and need no fetching.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable

from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.outbound import Call, Endpoint, Exchange
from agent_sre.outbound.exchange import bounded

MAX_BYTES = 64 * 1024
_KEPT = 64
_MOST_FETCHES = 20
_PERIOD = 600.0

Fetch = Callable[[str, str], Awaitable[bytes]]
"""Gets the bytes at a host and path. Raises PermanentError where there are none, TemporaryError where that may pass."""


async def fetch_over_https(host: str, path: str) -> bytes:
    """GET without redirects, of at most ``MAX_BYTES``, with the system's trust."""
    exchange = Exchange(
        Endpoint("Amazon SNS", "AGENT_SRE_CLOUDWATCH", f"https://{host}", timeout_seconds=5, parallel=1)
    )
    try:
        return await exchange.read(Call("GET", path), lambda parts: bounded(parts, MAX_BYTES))
    finally:
        await exchange.close()


class Certificates:
    """Certificates by host and path, in PEM."""

    def __init__(self, fetch: Fetch = fetch_over_https, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._monotonic = monotonic
        self._kept: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._absent: dict[tuple[str, str], float] = {}
        self._fetched: deque[float] = deque()
        self._one_at_a_time = asyncio.Lock()

    async def get(self, host: str, path: str) -> bytes | None:
        """The certificate, None where there is none. Raises TemporaryError where it cannot be had at the moment."""
        key = (host, path)
        async with self._one_at_a_time:
            if key not in self._kept:
                if key in self._absent and self._monotonic() - self._absent[key] < _PERIOD:
                    return None
                self._count()
                try:
                    self._kept[key] = await self._fetch(host, path)
                except PermanentError:
                    self._absent[key] = self._monotonic()
                    return None
                if len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]

    def _count(self) -> None:
        now = self._monotonic()
        while self._fetched and now - self._fetched[0] >= _PERIOD:
            self._fetched.popleft()
        self._absent = {key: at for key, at in self._absent.items() if now - at < _PERIOD}
        if len(self._fetched) >= _MOST_FETCHES:
            wait = _PERIOD - (now - self._fetched[0])
            raise TemporaryError(
                f"{_MOST_FETCHES} certificates of SNS were fetched within {_PERIOD:.0f} s; wait", retry_after=wait
            )
        self._fetched.append(now)
