"""One approved change, as the cluster is asked for it and as it is recognised afterwards.

Four operations, each with a precondition that makes two sendings one effect, and a way to tell from the world whether
it took place. A patch names the version it was computed against and carries our mark. What is created has a name that
follows from the proposal, and our mark. A deletion or an eviction names the uid: it is done when that very object is
gone or going, whoever has the name now.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from agent_sre.actions.binding import content_of
from agent_sre.actions.catalogue import ACTIONS
from agent_sre.actions.marks import EFFECT
from agent_sre.domain.action import Operation, Proposal
from agent_sre.domain.reference import ObjectRef
from agent_sre.ports.cluster import ClusterReader, ClusterWriter


class Sight(StrEnum):
    """What reading the world back shows."""

    DONE = "done"
    AS_APPROVED = "as_approved"
    CHANGED = "changed"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen, and the target's version then ("" where there is none)."""

    sight: Sight
    version: str = ""


async def look(proposal: Proposal, effect_id: str, reader: ClusterReader, *, sent: bool) -> Look:
    """Read the world. ``sent``: the change may have reached the server already. Raises what the reader raises."""
    if proposal.operation is Operation.CREATE:
        made = await reader.get(created(proposal))
        if made is not None:
            return Look(Sight.DONE if _marked(made, effect_id) else Sight.CHANGED)
    found = await reader.get(proposal.target)
    if proposal.operation in (Operation.DELETE, Operation.EVICT):
        gone = found is None or found["metadata"].get("uid") != proposal.uid
        if gone or (found or {})["metadata"].get("deletionTimestamp"):
            return Look(Sight.DONE if sent else Sight.MISSING if gone else Sight.CHANGED)
    if found is None:
        return Look(Sight.MISSING)
    if proposal.operation is Operation.PATCH and _patched(found, proposal, effect_id, sent=sent):
        return Look(Sight.DONE)
    version = str(found["metadata"].get("resourceVersion", ""))
    return Look(Sight.AS_APPROVED if _as_approved(found, proposal, version) else Sight.CHANGED, version)


async def send(proposal: Proposal, effect_id: str, version: str, writer: ClusterWriter, *, dry_run: bool) -> str:
    """Ask for the change; what came of it, in words. ``version`` is the target's, as it was just seen."""
    target = proposal.target
    if proposal.operation is Operation.DELETE:
        await writer.delete(target, uid=proposal.uid, dry_run=dry_run)
        return f"Deleted: {target} with uid {proposal.uid}."
    if proposal.operation is Operation.EVICT:
        await writer.evict(target, uid=proposal.uid, dry_run=dry_run)
        return f"Evicted: {target} with uid {proposal.uid}."
    marked = _stamped(proposal.patch, effect_id)
    if proposal.operation is Operation.CREATE:
        await writer.create(marked, dry_run=dry_run)
        return f"Created: {created(proposal)}."
    after = await writer.patch(target, marked, resource_version=version, dry_run=dry_run)
    shown = str(after.get("metadata", {}).get("resourceVersion", "unknown"))
    return f"Applied to resourceVersion {version}; it is {shown} now."


def created(proposal: Proposal) -> ObjectRef:
    """The object that a proposal would create."""
    meta: Any = proposal.patch["metadata"]
    return ObjectRef(str(proposal.patch["kind"]), str(meta.get("namespace", "")), str(meta["name"]))


def _patched(found: Mapping[str, Any], proposal: Proposal, effect_id: str, *, sent: bool) -> bool:
    kind = ACTIONS.get(proposal.action)
    return _marked(found, effect_id) or (sent and kind is not None and kind.applied(found, proposal.patch))


def _as_approved(found: Mapping[str, Any], proposal: Proposal, version: str) -> bool:
    if proposal.content:
        return content_of(found) == proposal.content
    return version == proposal.resource_version


def _marked(found: Mapping[str, Any], effect_id: str) -> bool:
    return (found["metadata"].get("annotations") or {}).get(EFFECT) == effect_id


def _stamped(patch: Mapping[str, object], effect_id: str) -> Mapping[str, Any]:
    """The patch with the effect's id; merged by hand, since applying one patch to another drops the nulls of both."""
    meta = patch.get("metadata")
    meta = meta if isinstance(meta, Mapping) else {}
    return {**patch, "metadata": {**meta, "annotations": {**(meta.get("annotations") or {}), EFFECT: effect_id}}}
