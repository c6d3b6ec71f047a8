"""What folding and tending work with, from settings, store and world."""

from __future__ import annotations

from datetime import timedelta

from agent_sre.adapters.store_sql import SqlStore
from agent_sre.domain.errors import PermanentError
from agent_sre.ingest.windows import DEFAULT_LAPSE_MINUTES, Windows
from agent_sre.ports.clock import Clock, Ids
from agent_sre.ports.context import TopologyReader
from agent_sre.service.alert_sources import SOURCES
from agent_sre.service.fold_alerts import FoldPorts
from agent_sre.service.regroup_incidents import RegroupPorts
from agent_sre.service.tend_incidents import TendPorts
from agent_sre.settings import PREFIX, Settings


def windows(settings: Settings) -> Windows:
    """The bounds that the settings give. Raises PermanentError for a source that is none, or a time below nothing."""
    for source, minutes in settings.lapse_minutes.items():
        if source not in SOURCES or minutes < 0:
            raise PermanentError(
                f"{PREFIX}LAPSE_MINUTES has {source}={minutes:g}: give minutes of 0 or more for a source of"
                f" {', '.join(sorted(SOURCES))}"
            )
    lapse = {**DEFAULT_LAPSE_MINUTES, **settings.lapse_minutes}
    return Windows(
        reopen=timedelta(seconds=settings.reopen_seconds),
        correlation=timedelta(seconds=settings.correlation_seconds),
        storm=timedelta(seconds=settings.storm_seconds),
        storm_incidents=settings.storm_incidents,
        flap=timedelta(seconds=settings.flap_seconds),
        flaps=(settings.flap_changes + 1) // 2,
        lapse={source: timedelta(minutes=minutes) for source, minutes in lapse.items() if minutes},
    )


def fold_ports(
    settings: Settings,
    store: SqlStore,
    clock: Clock,
    ids: Ids,
    topology: TopologyReader | None,
) -> FoldPorts:
    """For ``fold_alerts``."""
    return FoldPorts(
        inbox=store.inbox,
        incidents=store.incidents,
        intake=store.intake,
        approvals=store.approvals,
        journal=store.journal,
        clock=clock,
        ids=ids,
        topology=topology,
        changes=store.changes,
        windows=windows(settings),
    )


def tend_ports(store: SqlStore, clock: Clock) -> TendPorts:
    """For ``tend_incidents``."""
    return TendPorts(store.incidents, store.placements, store.approvals, store.journal, clock)


def regroup_ports(store: SqlStore, clock: Clock, ids: Ids) -> RegroupPorts:
    """For merges and splits."""
    return RegroupPorts(store.incidents, store.intake, store.placements, store.approvals, store.journal, clock, ids)
