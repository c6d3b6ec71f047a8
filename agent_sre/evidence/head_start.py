"""The head start of quick collectors: the others begin when the first of them has stored what it saw, or soon anyway.

All collectors of a run begin together and share one interpreter: the one small answer that a person would look at
first waits behind lists of a thousand pods. A tenth of a second of patience turns that round. It is bounded, because
the quick question may be put to a back end that does not answer.
"""

import asyncio
from collections import OrderedDict

SECONDS = 0.1
_REMEMBERED = 1_000


class HeadStarts:
    """Of the runs that this process carries on."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._by_run: OrderedDict[tuple[str, int], asyncio.Event] = OrderedDict()

    async def wait(self, incident_id: str, run: int) -> None:
        """Until something quick of this run is stored, at most so long."""
        try:
            async with asyncio.timeout(self._seconds):
                await self._event(incident_id, run).wait()
        except TimeoutError:
            return

    def done(self, incident_id: str, run: int) -> None:
        """Something quick of this run is stored."""
        self._event(incident_id, run).set()

    def _event(self, incident_id: str, run: int) -> asyncio.Event:
        event = self._by_run.setdefault((incident_id, run), asyncio.Event())
        while len(self._by_run) > _REMEMBERED:
            self._by_run.popitem(last=False)
        return event
