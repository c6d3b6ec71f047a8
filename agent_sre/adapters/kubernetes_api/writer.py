"""``KubernetesWriter``: the ClusterWriter over an API server, with a connection and an account of its own.

Nothing is ever sent twice here: after a lost answer it is unknown whether a change was made, and only the executor,
which reads the world back, may decide to try again. One thing is out of our hands: the HTTP library repeats a DELETE
once when the connection is cut under it. It names the uid, so that the second cannot hit anything but the same object.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent_sre.adapters.kubernetes_api.connection import (
    Access,
    Connection,
    Refused,
    Unsent,
    UnusableAnswer,
    about,
    path_of,
)
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.reference import ObjectRef
from agent_sre.ports.cluster import unwritable

FIELD_MANAGER = "agent-sre"
_MERGE_PATCH = "application/merge-patch+json"


@dataclass(frozen=True, slots=True)
class _Sending:
    """One change under way: what is asked of which object, for the words of its errors."""

    verb: str
    ref: ObjectRef
    dry_run: bool

    @property
    def what(self) -> str:
        return about(self.verb, self.ref.kind, self.ref.namespace, self.ref.name)

    def unknown(self, why: str, retry_after: float | None = None) -> TemporaryError:
        """The error after a request that may have been carried out."""
        end = "it was a dry run" if self.dry_run else f"whether it was applied is unknown: read {self.ref} back"
        return TemporaryError(f"{why}; {end}", retry_after=retry_after)

    def permit(self, patch: Mapping[str, Any] | None = None) -> None:
        """PermanentError for what is never sent."""
        if why := unwritable(self.verb, self.ref.kind, patch):
            raise PermanentError(f"{self.ref}: {why}")


class KubernetesWriter:
    """Changes bound to the object as it was seen, recorded under our field manager."""

    def __init__(self, access: Access) -> None:
        self._connection = Connection(access)

    async def patch(
        self, ref: ObjectRef, patch: Mapping[str, Any], *, resource_version: str, dry_run: bool = False
    ) -> Mapping[str, Any]:
        """Apply the patch if the object still has this version."""
        sending = _Sending("patch", ref, dry_run)
        sending.permit(patch)
        if not resource_version:
            raise PermanentError(f"a patch of {ref} needs the resourceVersion it was made for")
        metadata = {**(patch.get("metadata") or {}), "resourceVersion": resource_version}
        body = {**patch, "metadata": metadata}
        try:
            return await self._send(sending, "PATCH", _path(ref), body, _MERGE_PATCH)
        except _Conflict as conflict:
            raise PermanentError(
                f"conflict: {ref} has changed since it was read: resourceVersion is {await self._version(ref)}, "
                f"the precondition names {resource_version!r}; read it again ({conflict})"
            ) from None

    async def create(self, manifest: Mapping[str, Any], *, dry_run: bool = False) -> Mapping[str, Any]:
        """Create the object if its name is free."""
        meta = manifest["metadata"]
        ref = ObjectRef(str(manifest["kind"]), str(meta.get("namespace", "")), str(meta["name"]))
        sending = _Sending("create", ref, dry_run)
        sending.permit()
        _path(ref)  # refuses a name that is none before anything is sent
        try:
            return await self._send(sending, "POST", path_of(ref.kind, ref.namespace), manifest)
        except _Conflict as conflict:
            raise PermanentError(f"conflict: {ref} exists already; read it ({conflict})") from None

    async def delete(self, ref: ObjectRef, *, uid: str, dry_run: bool = False) -> None:
        """Delete the object if it still has this uid."""
        # With a body, an API server looks for dryRun there and not in the query.
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background", **_only(uid, dry_run)}
        await self._remove(_Sending("delete", ref, dry_run), "DELETE", "", uid, body)

    async def evict(self, ref: ObjectRef, *, uid: str, dry_run: bool = False) -> None:
        """Delete the Pod if it still has this uid and its disruption budget allows."""
        metadata = {"name": ref.name, "namespace": ref.namespace}
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata}
        body |= {"deleteOptions": _only(uid, dry_run)}
        await self._remove(_Sending("evict", ref, dry_run), "POST", "/eviction", uid, body)

    async def close(self) -> None:
        """Close the connections."""
        await self._connection.close()

    async def _remove(self, sending: _Sending, method: str, below: str, uid: str, body: Mapping[str, Any]) -> None:
        sending.permit()
        if not uid:
            raise PermanentError(f"to {sending.verb} {sending.ref} needs the uid it was seen with")
        try:
            await self._send(sending, method, _path(sending.ref) + below, body)
        except _Conflict as conflict:
            raise PermanentError(
                f"conflict: {sending.ref} is not the object that was seen, which had uid {uid}; read it ({conflict})"
            ) from None

    async def _send(
        self,
        sending: _Sending,
        method: str,
        path: str,
        body: Mapping[str, Any],
        content_type: str = "application/json",
    ) -> Mapping[str, Any]:
        """One request. Raises _Conflict for 409."""
        query = [] if method == "DELETE" else [("dryRun", "All")] if sending.dry_run else []
        if sending.verb in ("patch", "create"):
            query.insert(0, ("fieldManager", FIELD_MANAGER))
        try:
            return await self._connection.json(
                method, path, sending.what, query=query, body=body, content_type=content_type
            )
        except Refused as refused:
            raise self._refusal(refused, sending) from None
        except Unsent as error:
            raise TemporaryError(f"{error}; nothing was sent", retry_after=error.retry_after) from None
        except (TemporaryError, UnusableAnswer) as error:
            raise sending.unknown(str(error)) from None

    def _refusal(self, refused: Refused, sending: _Sending) -> Exception:
        """What an answer that is no success means for a change."""
        error = refused.error(sending.what)
        if refused.status == 409:
            return _Conflict(str(refused))
        if refused.status == 404:
            return PermanentError(f"{sending.ref} no longer exists; read the cluster again ({refused})")
        # Of those, only 429 says that nothing was begun; a 504 may come from a proxy while the server goes on.
        if isinstance(error, TemporaryError) and refused.status != 429:
            return sending.unknown(str(error), error.retry_after)
        return error

    async def _version(self, ref: ObjectRef) -> str:
        """The object's version now, for the message only: the writer's account may not be allowed to read it."""
        what = about("get", ref.kind, ref.namespace, ref.name)
        try:
            document = await self._connection.json("GET", _path(ref), what)
        except (Refused, TemporaryError, PermanentError):
            return "another one"
        return str((document.get("metadata") or {}).get("resourceVersion", "another one"))


class _Conflict(Exception):
    """409, before it is known what it means to the caller; never leaves this file."""


def _path(ref: ObjectRef) -> str:
    return path_of(ref.kind, ref.namespace, ref.name)


def _only(uid: str, dry_run: bool) -> dict[str, Any]:
    """Options of a deletion: of this very object, and perhaps not at all."""
    return {"preconditions": {"uid": uid}, **({"dryRun": ["All"]} if dry_run else {})}
