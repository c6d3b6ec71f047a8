"""``KubernetesCluster``: the ClusterReader over an API server."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from agent_sre.adapters.kubernetes_api.connection import Connection, Query, Refused, about, path_of
from agent_sre.adapters.kubernetes_api.reach import Reach
from agent_sre.adapters.kubernetes_api.retrying import Retrying
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.reference import ObjectRef
from agent_sre.ports.cluster import ADD_ONS, OLDER_VERSIONS, READ_KINDS

PAGE = 500
MAX_OBJECTS = 50_000
_REMEMBERED = 60.0
"""Seconds for which it is believed which APIs a cluster has: an add-on is asked for in each namespace."""
_GONE = 410
_UNKNOWN = 404


class KubernetesCluster:
    """Lists in pages, and tries again what may pass. Objects come with ``kind`` and ``apiVersion`` set.

    ``managedFields``, who set which field, is dropped: it is half of many objects. Only a ConfigMap keeps it: the time
    of its last write shows nowhere else.
    """

    def __init__(
        self,
        connection: Connection,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        page: int = PAGE,
        reach: Reach | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.connection = connection
        self.reach = reach or Reach()
        self.retrying = Retrying(sleep, 2 * connection.access.timeout)
        self._page = page
        self._monotonic = monotonic
        self._apis: dict[str, tuple[float, Mapping[str, Any]]] = {}

    async def list(self, kind: str, namespace: str, fields: str = "") -> tuple[Mapping[str, Any], ...]:
        """All objects of a kind; a listing that expires between two pages is begun again once."""
        path, what = path_of(kind, namespace), about("list", kind, namespace)
        self.reach.check(kind, namespace)
        try:
            try:
                return await self._pages(kind, path, what, fields)
            except Refused as refused:
                if refused.status != _GONE:
                    raise
            return await self._pages(kind, path, what, fields)
        except Refused as refused:
            if refused.status == _UNKNOWN and kind in ADD_ONS:
                return await self._of_add_on(kind, namespace, fields, refused)
            raise _unlisted(refused, kind, what) from None

    async def get(self, ref: ObjectRef) -> Mapping[str, Any] | None:
        """One object, or None."""
        path, what = path_of(ref.kind, ref.namespace, ref.name), about("get", ref.kind, ref.namespace, ref.name)
        self.reach.check(ref.kind, ref.namespace, ref.name)
        try:
            document = await self._ask(path, what)
        except Refused as refused:
            if refused.status == 404:
                return None
            raise refused.error(what) from None
        return _whole(ref.kind, document)

    async def close(self) -> None:
        """Close the connections."""
        await self.connection.close()

    async def _of_add_on(
        self, kind: str, namespace: str, fields: str, refused: Refused
    ) -> tuple[Mapping[str, Any], ...]:
        """Objects by an older version of the add-on; none where it is not installed, which is no gap.

        Raises PermanentError, naming the versions, where the cluster has only such as we do not read.
        """
        served, what = await self._served(kind), about("list", kind, namespace)
        group = READ_KINDS[kind][0].partition("/")[0]
        older = [f"{group}/{version}" for version in OLDER_VERSIONS.get(kind, ())]
        api = next((version for version in older if version in served), "")
        if not served:
            return ()
        if not api:
            raise _unlisted(refused, kind, f"{what}; served: {', '.join(served)}")
        try:
            return await self._pages(kind, path_of(kind, namespace, api=api), what, fields)
        except Refused as again:
            raise _unlisted(again, kind, what) from None

    async def _served(self, kind: str) -> tuple[str, ...]:
        """The versions of the add-on's API that have the kind."""
        version, plural = READ_KINDS[kind]
        group = version.partition("/")[0]
        document = await self._discovered(f"/apis/{group}", f"get the API group {group}")
        found: tuple[str, ...] = ()
        for entry in document.get("versions") or ():
            api = str(entry.get("groupVersion") or "")
            resources = (await self._discovered(f"/apis/{api}", f"get the API {api}")).get("resources") or ()
            if any(item.get("name") == plural for item in resources):
                found += (api,)
        return found

    async def _discovered(self, path: str, what: str) -> Mapping[str, Any]:
        """What the server says of an API; nothing where it has none such. Asked at most once a minute."""
        asked, document = self._apis.get(path, (float("-inf"), {}))
        if self._monotonic() - asked < _REMEMBERED:
            return document
        try:
            document = await self._ask(path, what)
        except Refused as refused:
            if refused.status != _UNKNOWN:
                raise refused.error(what) from None
            document = {}
        self._apis[path] = self._monotonic(), document
        return document

    async def _pages(self, kind: str, path: str, what: str, fields: str) -> tuple[Mapping[str, Any], ...]:
        found: list[Mapping[str, Any]] = []
        token = ""
        while True:
            query = [("limit", str(self._page)), *([("fieldSelector", fields)] if fields else [])]
            query += [("continue", token)] if token else []
            document = await self._ask(path, what, query)
            items = document.get("items")
            if not isinstance(items, list):
                raise PermanentError(f"Kubernetes' answer to {what} is no list")
            found.extend(_whole(kind, item) for item in items)
            if len(found) > MAX_OBJECTS:
                raise PermanentError(f"{what}: more than {MAX_OBJECTS} objects; name fewer namespaces")
            token = str((document.get("metadata") or {}).get("continue") or "")
            if not token:
                return tuple(found)

    async def _ask(self, path: str, what: str, query: Query = ()) -> dict[str, Any]:
        """One GET, tried again where that may help. Raises Refused for the rest."""
        return await self.retrying(what, partial(self.connection.json, "GET", path, what, query=query))


def _unlisted(refused: Refused, kind: str, what: str) -> TemporaryError | PermanentError:
    """Why there is no listing."""
    if refused.status == _GONE:
        return TemporaryError(f"Kubernetes let the listing expire twice before its end ({what}): {refused}")
    if refused.status == _UNKNOWN:
        version = READ_KINDS[kind][0]
        return PermanentError(f"this cluster does not serve {kind} in {version} ({what}: 404): {refused}; upgrade it")
    return refused.error(what)


def _whole(kind: str, item: Any) -> Mapping[str, Any]:
    """The object with its kind and version, which servers leave out of the items of a list."""
    if not isinstance(item, dict):
        raise PermanentError(f"Kubernetes listed something that is no object of kind {kind}")
    metadata = item.get("metadata")
    if not isinstance(metadata, dict):
        raise PermanentError(f"Kubernetes sent an object of kind {kind} without metadata")
    if kind != "ConfigMap":
        metadata.pop("managedFields", None)
    return {**item, "kind": kind, "apiVersion": item.get("apiVersion") or READ_KINDS[kind][0]}
