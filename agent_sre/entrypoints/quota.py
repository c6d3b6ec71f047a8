"""How many requests one source may send: a token bucket.

One source that has gone wild must not take the store's time from all the others. Who is over is told when to come back.
SNS and the scripts of docs/alerts.md do; Alertmanager and Grafana send what was refused again with the next interval of
its group. Others (Datadog) repeat only after a 5xx, so the default is far above what one source sends in a real storm.
"""

import time
from collections.abc import Callable


class Quota:
    """``burst`` requests at once, ``rate`` per second in the long run; a rate of 0 is any number."""

    def __init__(self, rate: float, burst: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = burst
        self._monotonic = monotonic
        self._left = float(burst)
        self.refused = 0
        """How many requests were over the quota, ever."""
        self._at = monotonic()

    def take(self) -> float:
        """Count one request: 0.0 where it may come in, else the seconds until one may."""
        if not self._rate:
            return 0.0
        now = self._monotonic()
        self._left = min(self._left + (now - self._at) * self._rate, self._burst)
        self._at = now
        if self._left < 1:
            self.refused += 1
            return (1 - self._left) / self._rate
        self._left -= 1
        return 0.0
