"""What suppresses alerts at the moment, for the pipeline; and the incidents that wait for its end.

Windows are read from the store each time, so that one that another process adds or ends is in force at once. Held
incidents are looked at again when their time comes (``due_at``), and all of them whenever what suppresses has become
less: a window that was ended, a silence that expired early, a graver alert that is over. So no incident depends on a
further message. Called by the worker, through the composition root.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from agent_sre.domain.alert import Alert
from agent_sre.domain.approval import ApprovalState
from agent_sre.domain.errors import TemporaryError
from agent_sre.domain.hold import HoldKind
from agent_sre.domain.incident import ACTING, Incident, IncidentStatus
from agent_sre.domain.maintenance import MaintenanceWindow
from agent_sre.domain.suppression import InhibitRule
from agent_sre.domain.timeline import Entry
from agent_sre.ingest.hold import review
from agent_sre.ingest.matchers import usable
from agent_sre.ingest.suppressors import Suppressors
from agent_sre.ports.clock import Clock
from agent_sre.ports.health import Check
from agent_sre.ports.store import ApprovalStore, IncidentStore
from agent_sre.ports.suppression import HeldIncidents, MaintenanceStore
from agent_sre.service.firing_sources import FiringSources
from agent_sre.service.silence_cache import SilenceCache

_ATTEMPTS = 5
_KNOWN_INCIDENTS = 1_000
_MOST_HELD = 10_000

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Site:
    """What the site's file says: windows besides the stored ones, and the inhibition rules in force."""

    windows: tuple[MaintenanceWindow, ...] = ()
    rules: tuple[InhibitRule, ...] = ()


class Suppressions:
    """One per process. ``silences`` is None where no Alertmanager is configured."""

    def __init__(
        self,
        *,
        maintenance: MaintenanceStore,
        incidents: IncidentStore,
        held: HeldIncidents,
        approvals: ApprovalStore,
        clock: Clock,
        site: Site,
        silences: SilenceCache | None = None,
    ) -> None:
        self._maintenance = maintenance
        self._incidents = incidents
        self._held = held
        self._approvals = approvals
        self._clock = clock
        self._site = site
        self._silences = silences
        self._sources = FiringSources(site.rules)
        self._remembered = False
        self._seen: object = None

    async def gather(self, alerts: Sequence[Alert] = ()) -> Suppressors:
        """What suppresses now, once these messages are known. Raises TemporaryError where the store is down."""
        if not self._remembered and self._site.rules:
            await self._remember()
        self._sources.notice(alerts)
        stored = await self._maintenance.current(self._clock.now())
        silences = await self._silences.current() if self._silences else ()
        windows = tuple(window for window in (*self._site.windows, *stored) if usable(window.matchers))
        return Suppressors(windows, silences, self._site.rules, self._sources.by_key)

    async def look_again(self) -> int:
        """Review all held incidents where less may be suppressed than at the last call; how many were taken up."""
        facts = await self.gather()
        seen = (facts.windows, facts.silences, self._sources.lost)
        if seen == self._seen:
            return 0
        taken_up = 0
        for incident in await self._held.held(_MOST_HELD):
            if incident.hold is not None and incident.hold.kind is HoldKind.SUPPRESSED:
                taken_up += await self._review(incident.id, facts)
        self._seen = seen
        return taken_up

    async def may_carry_on(self, incident_id: str) -> bool:
        """Whether an incident that is due is to be carried on now; if not, it is put off until its hold may end."""
        return await self._review(incident_id, await self.gather())

    def checks(self) -> tuple[Check, ...]:
        """For ``/readyz``: an Alertmanager that does not answer is a gap, and no reason to take no alerts."""
        return (self._silences.check(),) if self._silences else ()

    async def close(self) -> None:
        """Close what was opened."""
        if self._silences:
            await self._silences.close()

    async def _review(self, incident_id: str, facts: Suppressors) -> bool:
        for attempt in range(_ATTEMPTS):
            incident = await self._incidents.get(incident_id)
            if incident is None or (incident.hold is None and incident.status is not IncidentStatus.OPEN):
                return True
            if await self._decided(incident):
                return True
            now = self._clock.now()
            words = {alert.fingerprint: alert for alert in await self._incidents.alerts(incident_id)}
            after, text = review(incident, words, facts, now)
            entries = [Entry(incident_id, now, "note", text)] if text else []
            try:
                if after != incident:
                    await self._incidents.fold(after, (), entries)
                return after.hold is None or after.status in ACTING or not after.active
            except TemporaryError:
                if attempt == _ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _decided(self, incident: Incident) -> bool:
        """Whether a person approved an action of it: a decision about this incident, made in spite of a mute."""
        if incident.status is not IncidentStatus.AWAITING_APPROVAL:
            return False
        return any(item.state is ApprovalState.APPROVED for item in await self._approvals.of_incident(incident.id))

    async def _remember(self) -> None:
        """The firing alerts of active incidents, as an earlier process knew them."""
        for incident in await self._incidents.newest(_KNOWN_INCIDENTS):
            if incident.firing:
                self._sources.notice(await self._incidents.alerts(incident.id))
        self._remembered = True
