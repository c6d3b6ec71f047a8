"""When an incident whose investigation failed is tried again.

Twice as long after each failure in a row: soon where the failure is said to pass, later where it is not. Counted in
this process only; after a restart an incident is simply tried again.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(slots=True)
class Backoff:
    """Failures in a row, by incident."""

    temporary: timedelta = timedelta(seconds=2)
    most_temporary: timedelta = timedelta(minutes=5)
    unforeseen: timedelta = timedelta(seconds=30)
    most_unforeseen: timedelta = timedelta(hours=1)
    _failures: Counter[str] = field(default_factory=Counter)

    def failed(self, incident_id: str, *, temporary: bool, at_least: float = 0.0) -> timedelta:
        """Count a failure and return how long to wait, no less than ``at_least`` seconds."""
        doublings = min(self._failures[incident_id], 20)
        self._failures[incident_id] += 1
        first, most = (self.temporary, self.most_temporary) if temporary else (self.unforeseen, self.most_unforeseen)
        return max(min(first * (1 << doublings), most), timedelta(seconds=at_least))

    def succeeded(self, incident_id: str) -> None:
        """Forget the incident's failures."""
        self._failures.pop(incident_id, None)
