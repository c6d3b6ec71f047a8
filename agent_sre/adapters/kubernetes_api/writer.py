"""``KubernetesWriter``: the ClusterWriter over an API server, with a connection and an account of its own.

Nothing is ever sent twice here: after a lost answer it is unknown whether a patch was applied, and only the executor,
which reads the world back, may decide to try again.
"""

from collections.abc import Mapping
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
from agent_sre.ports.cluster import WRITE_KINDS

FIELD_MANAGER = "agent-sre"
_MERGE_PATCH = "application/merge-patch+json"


class KubernetesWriter:
    """Merge patches with the object's version as a precondition, recorded under our field manager."""

    def __init__(self, access: Access) -> None:
        self._connection = Connection(access)

    async def patch(
        self, ref: ObjectRef, patch: Mapping[str, Any], *, resource_version: str, dry_run: bool = False
    ) -> Mapping[str, Any]:
        """Apply the patch if the object still has this version."""
        if ref.kind not in WRITE_KINDS:
            allowed = ", ".join(sorted(WRITE_KINDS))
            raise PermanentError(f"objects of kind {ref.kind} are never changed ({ref}); allowed are {allowed}")
        if not resource_version:
            raise PermanentError(f"a patch of {ref} needs the resourceVersion it was made for")
        what = about("patch", ref.kind, ref.namespace, ref.name)
        path = path_of(ref.kind, ref.namespace, ref.name)
        metadata = {**(patch.get("metadata") or {}), "resourceVersion": resource_version}
        query = [("fieldManager", FIELD_MANAGER), *([("dryRun", "All")] if dry_run else [])]
        try:
            return await self._connection.json(
                "PATCH", path, what, query=query, body={**patch, "metadata": metadata}, content_type=_MERGE_PATCH
            )
        except Refused as refused:
            raise await self._refusal(refused, ref, resource_version, dry_run=dry_run) from None
        except Unsent as error:
            raise TemporaryError(f"{error}; nothing was sent", retry_after=error.retry_after) from None
        except (TemporaryError, UnusableAnswer) as error:
            raise _unknown(str(error), ref, dry_run=dry_run) from None

    async def close(self) -> None:
        """Close the connections."""
        await self._connection.close()

    async def _refusal(
        self, refused: Refused, ref: ObjectRef, expected: str, *, dry_run: bool
    ) -> TemporaryError | PermanentError:
        """What an answer that is no success means for a patch."""
        error = refused.error(about("patch", ref.kind, ref.namespace, ref.name))
        if refused.status == 409:
            return PermanentError(
                f"conflict: {ref} has changed since it was read: resourceVersion is {await self._version(ref)}, "
                f"the precondition names {expected!r}; read it again ({refused})"
            )
        if refused.status == 404:
            return PermanentError(f"{ref} no longer exists; read the cluster again")
        # Of those, only 429 says that nothing was begun; a 504 may come from a proxy while the server goes on.
        if isinstance(error, TemporaryError) and refused.status != 429:
            return _unknown(str(error), ref, dry_run=dry_run, retry_after=error.retry_after)
        return error

    async def _version(self, ref: ObjectRef) -> str:
        """The object's version now, for the message only: the writer's account may not be allowed to read it."""
        what = about("get", ref.kind, ref.namespace, ref.name)
        try:
            document = await self._connection.json("GET", path_of(ref.kind, ref.namespace, ref.name), what)
        except (Refused, TemporaryError, PermanentError):
            return "another one"
        return str((document.get("metadata") or {}).get("resourceVersion", "another one"))


def _unknown(why: str, ref: ObjectRef, *, dry_run: bool, retry_after: float | None = None) -> TemporaryError:
    """The error after a request that may have been carried out."""
    end = "it was a dry run" if dry_run else f"whether it was applied is unknown: read {ref} back"
    return TemporaryError(f"{why}; {end}", retry_after=retry_after)
