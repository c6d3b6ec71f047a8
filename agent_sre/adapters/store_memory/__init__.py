"""The ports in memory, for a process that lives for one investigation, and for tests."""

from agent_sre.adapters.store_memory.store import MemoryCases, MemoryStore

__all__ = ["MemoryCases", "MemoryStore"]
