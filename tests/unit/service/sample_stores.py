"""Stores in memory with sample incidents in them."""

from agent_sre.adapters.store_memory import MemoryStore
from agent_sre.domain.incident import IncidentStatus
from agent_sre.service.read_incident import Stores
from agent_sre.testing.sample_incident import SampleIncident, sample_incident, store_sample


def stores_of(store: MemoryStore) -> Stores:
    """What the console and questions read, of one store."""
    return Stores(store.incidents, store.cases, store.approvals, store.effects, store.journal, store.placements)


async def put(store: MemoryStore, sample: SampleIncident) -> None:
    """Store a sample."""
    await store_sample(
        sample,
        inbox=store.inbox,
        incidents=store.incidents,
        cases=store.cases,
        approvals=store.approvals,
        effects=store.effects,
        journal=store.journal,
    )


async def filled(status: IncidentStatus = IncidentStatus.AWAITING_APPROVAL) -> tuple[MemoryStore, SampleIncident]:
    """A store with one sample incident in the given state."""
    store, sample = MemoryStore(), sample_incident(status)
    await put(store, sample)
    return store, sample
