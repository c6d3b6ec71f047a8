"""Several sources of changes as one: what was reported to us, what repositories tell, what a demo's shop tells."""

import asyncio
from collections.abc import Sequence

from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Change
from agent_sre.ports.context import ChangeReader


class MergedChanges:
    """ChangeReader over others; what two of them tell (same id, kind and target) is kept once, the first's word."""

    def __init__(self, readers: Sequence[ChangeReader]) -> None:
        self._readers = readers

    async def changes(self, namespaces: tuple[str, ...], window: Window) -> tuple[Change, ...]:
        """All of them, oldest first. Raises what any of them raises: a source left out silently would be a lie."""
        found = await asyncio.gather(*(reader.changes(namespaces, window) for reader in self._readers))
        known: dict[tuple[str, str, str], Change] = {}
        for item in (change for changes in found for change in changes):
            known.setdefault((item.id, item.kind, item.target), item)
        return tuple(sorted(known.values(), key=lambda item: item.time))
