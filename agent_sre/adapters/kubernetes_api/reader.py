"""``KubernetesCluster``: the ClusterReader over an API server."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from agent_sre.adapters.kubernetes_api.connection import Connection, Query, Refused, about, path_of
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.reference import ObjectRef
from agent_sre.ports.cluster import READ_KINDS

PAGE = 500
MAX_OBJECTS = 50_000
_ATTEMPTS = 3
_LONGEST_WAIT = 5.0
_GONE = 410


class KubernetesCluster:
    """Lists in pages, and tries again what may pass. Objects come with ``kind`` and ``apiVersion`` set."""

    def __init__(
        self, connection: Connection, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep, page: int = PAGE
    ) -> None:
        self.connection = connection
        self._sleep = sleep
        self._page = page

    async def list(self, kind: str, namespace: str) -> tuple[Mapping[str, Any], ...]:
        """All objects of a kind; a listing that expires between two pages is begun again once."""
        try:
            return await self._pages(kind, namespace)
        except Refused as refused:
            if refused.status != _GONE:
                raise refused.error(about("list", kind, namespace)) from None
        try:
            return await self._pages(kind, namespace)
        except Refused as refused:
            raise refused.error(about("list", kind, namespace)) from None

    async def get(self, ref: ObjectRef) -> Mapping[str, Any] | None:
        """One object, or None."""
        what = about("get", ref.kind, ref.namespace, ref.name)
        try:
            document = await self._ask(path_of(ref.kind, ref.namespace, ref.name), what)
        except Refused as refused:
            if refused.status == 404:
                return None
            raise refused.error(what) from None
        return _whole(ref.kind, document)

    async def close(self) -> None:
        """Close the connections."""
        await self.connection.close()

    async def _pages(self, kind: str, namespace: str) -> tuple[Mapping[str, Any], ...]:
        path, what = path_of(kind, namespace), about("list", kind, namespace)
        found: list[Mapping[str, Any]] = []
        token = ""
        while True:
            query = [("limit", str(self._page)), *([("continue", token)] if token else [])]
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
        """One GET, tried up to three times where that may help. Raises Refused for the rest."""
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(TemporaryError),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=_wait,
            sleep=self._sleep,
            reraise=True,
        )
        async for attempt in retrying:
            with attempt:
                try:
                    return await self.connection.json("GET", path, what, query=query)
                except Refused as refused:
                    error = refused.error(what)
                    if isinstance(error, TemporaryError):
                        raise error from None
                    raise
        raise AssertionError("tenacity either returns or raises")  # pragma: no cover


def _wait(state: RetryCallState) -> float:
    """As long as the server asked for, within reason; else a growing, jittered moment."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, TemporaryError) else None
    if asked is not None:
        return min(max(asked, 0.0), _LONGEST_WAIT)
    return wait_exponential_jitter(multiplier=0.2, max=2.0, jitter=0.2)(state)


def _whole(kind: str, item: Any) -> Mapping[str, Any]:
    """The object with its kind and version, which servers leave out of the items of a list."""
    if not isinstance(item, dict):
        raise PermanentError(f"Kubernetes listed something that is no object of kind {kind}")
    return {**item, "kind": kind, "apiVersion": item.get("apiVersion") or READ_KINDS[kind][0]}
