"""Listings that the collectors of one run share: each kind of a namespace is asked of the API server once.

Several collectors need the same objects: pods for their logs, ReplicaSets as configuration and as history. Two listings
would cost the API server twice and could disagree. So the first asks and the others wait for its answer, a refusal
included. What may pass by itself (``TemporaryError``) is not kept.

Nothing outlives the run: the registry refers to its entries weakly, and each collector holds the one that it reads
with. A single object that is read by name (``get``) is always read anew.
"""

import asyncio
from collections.abc import Mapping
from typing import Any
from weakref import WeakValueDictionary

from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.reference import ObjectRef
from agent_sre.ports.cluster import ClusterReader

_Listing = tuple[Mapping[str, Any], ...]


class ListedOnce:
    """A ClusterReader that remembers its listings. The objects are shared, so nobody may change them."""

    def __init__(self, cluster: ClusterReader) -> None:
        self._cluster = cluster
        self._listings: dict[tuple[str, str, str], asyncio.Task[_Listing | PermanentError | TemporaryError]] = {}

    async def list(self, kind: str, namespace: str, fields: str = "") -> _Listing:
        """What the first such listing gave, or gives: one that is under way is waited for."""
        key = (kind, namespace, fields)
        if key not in self._listings:
            self._listings[key] = asyncio.create_task(self._ask(*key))
        # Shielded: a collector that gives up must not take the answer away from the others.
        found = await asyncio.shield(self._listings[key])
        if isinstance(found, TemporaryError):
            self._listings.pop(key, None)
        if isinstance(found, PermanentError | TemporaryError):
            raise found
        return found

    async def get(self, ref: ObjectRef) -> Mapping[str, Any] | None:
        """One object, as it is now."""
        return await self._cluster.get(ref)

    async def _ask(self, kind: str, namespace: str, fields: str) -> _Listing | PermanentError | TemporaryError:
        """The answer; a refusal as a value, since nobody may be left to be told of it."""
        try:
            return await self._cluster.list(kind, namespace, fields)
        except (PermanentError, TemporaryError) as error:
            return error


class Listings:
    """The shared listings of the runs that are under way in this process."""

    def __init__(self) -> None:
        self._by_run: WeakValueDictionary[tuple[str, int], ListedOnce] = WeakValueDictionary()

    def of(self, incident_id: str, run: int, cluster: ClusterReader | None) -> ListedOnce | None:
        """The reader that all collectors of a run share while any of them holds it; None without a cluster."""
        if cluster is None:
            return None
        shared = self._by_run.get((incident_id, run))
        if shared is None:
            shared = self._by_run[incident_id, run] = ListedOnce(cluster)
        return shared
