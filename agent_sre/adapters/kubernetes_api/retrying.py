"""Reads that are tried again where that may help: three times, within a time, no sooner than the server asked for.

Used for reads only. A patch is never sent twice here (see ``writer``).
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_exponential_jitter,
)

from agent_sre.adapters.kubernetes_api.connection import Refused
from agent_sre.domain.errors import TemporaryError

T = TypeVar("T")
ATTEMPTS = 3
LONGEST_WAIT = 5.0


class Retrying:
    """``sleep`` waits; after ``seconds`` no further attempt is begun."""

    def __init__(self, sleep: Callable[[float], Awaitable[None]], seconds: float) -> None:
        self._sleep = sleep
        self._seconds = seconds

    async def __call__(self, what: str, read: Callable[[], Awaitable[T]]) -> T:
        """What ``read`` gives. Raises TemporaryError of the last attempt, Refused for a no that will stay."""
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(TemporaryError),
            stop=stop_after_attempt(ATTEMPTS) | stop_after_delay(self._seconds),
            wait=_wait,
            sleep=self._sleep,
            reraise=True,
        )
        async for attempt in retrying:
            with attempt:
                try:
                    return await read()
                except Refused as refused:
                    error = refused.error(what)
                    if isinstance(error, TemporaryError):
                        raise error from None
                    raise
        raise AssertionError("tenacity either returns or raises")  # pragma: no cover


def _wait(state: RetryCallState) -> float:
    """As long as the server asked for, within reason; else a growing, jittered moment."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, TemporaryError) else None
    if asked is not None:
        return min(max(asked, 0.0), LONGEST_WAIT)
    return wait_exponential_jitter(multiplier=0.2, max=2.0, jitter=0.2)(state)
