"""A circuit breaker: a back end that keeps failing is left alone for a while.

Without it every collector of every incident would wait for the same silent server, and the server, perhaps only
overloaded, would get more of what broke it. While the circuit is open, what would have been asked is an evidence gap
that names the last failure.
"""

import time
from collections.abc import Callable

from agent_sre.domain.errors import TemporaryError

FAILURES = 5
OPEN_SECONDS = 30.0


class Breaker:
    """Opens after ``failures`` failures in a row, for ``seconds``; then one request is let through to try."""

    def __init__(
        self,
        failures: int = FAILURES,
        seconds: float = OPEN_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._failures = failures
        self._seconds = seconds
        self._monotonic = monotonic
        self._in_a_row = 0
        self._until = 0.0
        self._last = ""

    def check(self, name: str) -> None:
        """Raises TemporaryError, saying since when and until when, where the back end is not to be asked now."""
        if self._in_a_row < self._failures:
            return
        left = self._until - self._monotonic()
        if left > 0:
            raise TemporaryError(
                f"{name} was not asked: its last {self._in_a_row} requests failed, the last one with: {self._last}; "
                f"it is asked again in {left:.0f} s",
                retry_after=left,
            )
        # One request goes through; the others wait for what comes of it.
        self._until = self._monotonic() + self._seconds

    def failed(self, reason: str) -> None:
        """A request failed in a way that may pass."""
        self._in_a_row += 1
        self._last = reason
        self._until = self._monotonic() + self._seconds

    def answered(self) -> None:
        """The back end answered, be it with a refusal."""
        self._in_a_row = 0
