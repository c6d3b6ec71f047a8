"""The kill switch: read again immediately before every effect, so it works on what was approved long ago."""

from typing import Protocol


class KillSwitch(Protocol):
    """Whether anything may be changed at this moment."""

    async def engaged(self) -> str:
        """Why nothing may be changed now, as a sentence; "" where it may. What cannot be read counts as engaged."""
        ...
