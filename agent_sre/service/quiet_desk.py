"""Where people say that something is expected or that they look after it: one desk for console, API and commands."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent_sre.domain.errors import PermanentError
from agent_sre.domain.incident import Incident
from agent_sre.domain.maintenance import MaintenanceWindow
from agent_sre.ports.clock import Clock, Ids
from agent_sre.ports.store import ApprovalStore, IncidentStore, Journal
from agent_sre.ports.suppression import MaintenanceStore
from agent_sre.service.look_after import Said, Wish, look_after
from agent_sre.service.maintenance import (
    WindowWords,
    add_window,
    duration,
    end_window,
    moment,
    window_to_plain,
)

LISTED = 100
_WORDS = frozenset({"matchers", "start", "end", "for", "weekly", "comment", "by"})


@dataclass(frozen=True, slots=True)
class QuietDesk:
    """The ports it works with."""

    incidents: IncidentStore
    approvals: ApprovalStore
    journal: Journal
    maintenance: MaintenanceStore
    clock: Clock
    ids: Ids

    async def say(self, incident_id: str, wish: str, fields: Mapping[str, str], by: str) -> tuple[Incident | None, str]:
        """A word about an incident; ``fields``: until or for, and reason. Raises PermanentError as ``look_after``."""
        if wish not in set(Wish):
            raise PermanentError(f"{wish!r} is not one of {', '.join(Wish)}")
        until = None
        if Wish(wish) is Wish.SNOOZE:
            given, lasts = fields.get("until", "").strip(), fields.get("for", "").strip()
            until = moment(given) if given else self.clock.now().replace(microsecond=0) + duration(lasts)
        said = Said(Wish(wish), by, until, fields.get("reason", ""))
        return await look_after(
            incident_id,
            said,
            incidents=self.incidents,
            approvals=self.approvals,
            journal=self.journal,
            clock=self.clock,
        )

    async def add(self, fields: Mapping[str, object], by: str) -> MaintenanceWindow:
        """A maintenance window of these words. Raises PermanentError naming the word and the fix."""
        unknown = sorted(set(fields) - _WORDS)
        matchers = fields.get("matchers")
        if unknown or not isinstance(matchers, list | tuple) or not all(isinstance(one, str) for one in matchers):
            what = f"{unknown[0]!r} is unknown" if unknown else "matchers must be a list of texts"
            raise PermanentError(f"{what}; a window has {', '.join(sorted(_WORDS))}")
        told = {name: str(fields.get(name) or "") for name in ("end", "weekly", "comment")}
        words = WindowWords(
            matchers, start=str(fields.get("start") or "now"), lasts=str(fields.get("for") or ""), **told
        )
        return await add_window(words, by, store=self.maintenance, journal=self.journal, clock=self.clock, ids=self.ids)

    async def end(self, window_id: str, by: str) -> MaintenanceWindow | None:
        """End a window now; None where there is none of that id."""
        return await end_window(window_id, by, store=self.maintenance, journal=self.journal, clock=self.clock)

    async def windows(self) -> list[dict[str, Any]]:
        """The newest windows, for people and scripts."""
        now = self.clock.now()
        return [window_to_plain(window, now) for window in await self.maintenance.newest(LISTED)]

    def plain(self, window: MaintenanceWindow) -> dict[str, Any]:
        """One window, for people and scripts."""
        return window_to_plain(window, self.clock.now())
