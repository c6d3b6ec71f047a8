"""From a runbook's template and a grounded hypothesis to one exact proposal, or a refusal with its reason.

The only inputs are the runbook (written by people, checked), the hypothesis (whose object was seen in evidence) and
the cluster as it is now. The object acted upon is the hypothesis's own, or the workload that owns it. Not here:
whether policy allows it, and asking for approval (the graph's proposing node).
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from agent_sre.actions.binding import content_of
from agent_sre.actions.catalogue import ACTIONS, offer_problems
from agent_sre.actions.kind import ActionKind, Binding, Draft, Parameters, Refusal, RefusalReason, Seen, ref_of
from agent_sre.actions.parameters import OBJECT, value_problems
from agent_sre.actions.preview import holds_secret, stored_form
from agent_sre.domain.action import Operation, Proposal
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.hypothesis import Hypothesis
from agent_sre.domain.merge_patch import reverse_merge_patch
from agent_sre.domain.reference import ObjectRef
from agent_sre.domain.runbook import ActionTemplate, Runbook
from agent_sre.ports.cluster import CLUSTER_SCOPED, READ_KINDS, ClusterReader

__all__ = ["Refusal", "propose"]

_MAX_OWNERS = 3  # Pod, ReplicaSet, Deployment; or Pod, Job, CronJob
_PLACEHOLDER = re.compile(r"\$(?:object(?:\.(?:kind|name|namespace))?|previous_revision)(?![\w.]*\w)")


async def propose(
    template: ActionTemplate,
    runbook: Runbook,
    hypothesis: Hypothesis,
    reader: ClusterReader,
    *,
    incident_id: str,
    proposal_id: str,
    now: datetime,
) -> Proposal | Refusal:
    """Read what the action needs and compute it. ``now`` (UTC) is the proposal's time; some patches carry it.

    Raises TemporaryError where the cluster cannot be read just now.
    """
    if not hypothesis.evidence:
        sentence = f"hypothesis {hypothesis.rank} ({hypothesis.fault}) cites no evidence, so nothing follows from it"
        return Refusal(RefusalReason.NO_EVIDENCE, sentence)
    kind = ACTIONS.get(template.action)
    problems = offer_problems(template.action, template.parameters)
    if kind is None:
        return Refusal(RefusalReason.UNKNOWN_ACTION, f"runbook {runbook.id}: {problems[0]}")
    if problems:
        return Refusal(RefusalReason.INVALID_PARAMETERS, f"runbook {runbook.id}: {'; '.join(problems)}")
    try:
        seen = await _look(kind, hypothesis.object, reader, now)
    except PermanentError as error:
        return Refusal(RefusalReason.NOT_READABLE, f"{kind.name} needs to see {hypothesis.object}: {error}")
    if isinstance(seen, Refusal):
        return seen
    draft = kind.build(seen, _with_object(template.parameters, seen.ref))
    if isinstance(draft, Refusal):
        return draft
    if problems := value_problems(kind, draft.parameters):
        return Refusal(RefusalReason.INVALID_PARAMETERS, f"runbook {runbook.id}: {'; '.join(problems)}")
    return _proposal(proposal_id, incident_id, (template, runbook), hypothesis, kind, seen, draft)


async def _look(kind: ActionKind, ref: ObjectRef, reader: ClusterReader, now: datetime) -> Seen | Refusal:
    """The target, climbed to from what it owns or found from its workload, and the objects that the kind reads."""
    climbed = await _climb(kind, ref, reader)
    if isinstance(climbed, Refusal):
        return climbed
    last = climbed[-1]
    namespace = last["metadata"].get("namespace", "")
    places = {name: "" if name in CLUSTER_SCOPED else namespace for name in kind.reads}
    related = {name: await reader.list(name, place) for name, place in places.items()}
    target: Mapping[str, Any] | Refusal = last
    if last["kind"] not in kind.targets and kind.locate is not None:
        target = kind.locate(last, related)
    if isinstance(target, Refusal):
        return target
    owners = await _owners(target, reader)
    return Seen(target=target, related=related, now=now, owners=owners, asked=None if target is last else last)


async def _climb(kind: ActionKind, ref: ObjectRef, reader: ClusterReader) -> list[Mapping[str, Any]] | Refusal:
    """The object and what owns it, up to the first that the kind acts on, or the outermost if it finds from there."""
    current: ObjectRef | None = ref
    found: list[Mapping[str, Any]] = []
    while current is not None and current.kind in READ_KINDS and len(found) < _MAX_OWNERS:
        item = await reader.get(current)
        if item is None:
            return Refusal(RefusalReason.NOT_FOUND, f"{current} does not exist (any more), so it cannot be changed")
        found.append(item)
        if current.kind in kind.targets:
            return found
        current = _owner(item)
    if found and kind.locate is not None:
        return found
    wanted = " or ".join(kind.targets)
    return Refusal(RefusalReason.WRONG_KIND, f"{kind.name} acts on a {wanted}; {ref} is none and is owned by none")


async def _owners(target: Mapping[str, Any], reader: ClusterReader) -> tuple[Mapping[str, Any], ...]:
    """What owns the target, nearest first, as far as it is of a kind that is read."""
    found: list[Mapping[str, Any]] = []
    current = _owner(target)
    while current is not None and current.kind in READ_KINDS and len(found) < _MAX_OWNERS:
        item = await reader.get(current)
        if item is None:
            break
        found.append(item)
        current = _owner(item)
    return tuple(found)


def _owner(item: Mapping[str, Any]) -> ObjectRef | None:
    meta = item["metadata"]
    for owner in meta.get("ownerReferences") or []:
        if owner.get("controller"):
            return ObjectRef(str(owner["kind"]), str(meta.get("namespace", "")), str(owner["name"]))
    return None


def _with_object(parameters: Parameters, ref: ObjectRef) -> Parameters:
    return {name: str(ref) if value == OBJECT else value for name, value in parameters.items()}


def _proposal(
    proposal_id: str,
    incident_id: str,
    source: tuple[ActionTemplate, Runbook],
    hypothesis: Hypothesis,
    kind: ActionKind,
    seen: Seen,
    draft: Draft,
) -> Proposal:
    template, runbook = source
    meta = seen.target["metadata"]
    return Proposal(
        id=proposal_id,
        incident_id=incident_id,
        runbook=runbook.id,
        runbook_digest=runbook.digest,
        action=kind.name,
        target=seen.ref,
        parameters=draft.parameters,
        patch=draft.patch,
        resource_version=str(meta.get("resourceVersion", "")),
        risk=kind.risk,
        preview=draft.preview,
        expected=_filled(template.expected, seen.ref, draft) or kind.expected,
        verify=_filled(template.verify, seen.ref, draft) or kind.verify,
        undo=_undo(_filled(template.undo, seen.ref, draft), draft),
        hypothesis=hypothesis.rank,
        operation=kind.operation,
        uid=str(meta.get("uid", "")),
        content=content_of(seen.target) if kind.binds is Binding.CONTENT else "",
        before=_before(kind, seen, draft),
        workload=draft.workload or _felt_by(seen),
        labels=_labels(seen),
        reach=draft.reach,
    )


def _felt_by(seen: Seen) -> ObjectRef | None:
    """The outermost owner, else the workload that the target was found from."""
    felt = seen.owners[-1] if seen.owners else seen.asked
    return ref_of(felt) if felt is not None else None


def _before(kind: ActionKind, seen: Seen, draft: Draft) -> Mapping[str, object]:
    """What puts it back: a merge patch, or for a Job that is deleted the whole of it, for a Pod nothing."""
    if kind.operation is Operation.PATCH:
        return reverse_merge_patch(seen.target, draft.patch)
    if kind.operation is Operation.CREATE:
        return {}
    whole = stored_form(seen.target)
    return {} if seen.ref.kind == "Pod" or holds_secret(whole) else whole


def _labels(seen: Seen) -> tuple[str, ...]:
    items = [item for item in (seen.target, *seen.owners, seen.asked) if item is not None]
    every = {f"{key}={value}" for item in items for key, value in (item["metadata"].get("labels") or {}).items()}
    return tuple(sorted(every))


def _undo(from_runbook: str, draft: Draft) -> str:
    """The runbook's words, then exactly how: as an action with its parameters where there is one."""
    how = ""
    if draft.undo_parameters is not None:
        listed = ", ".join(f"{name}={value}" for name, value in draft.undo_parameters.items())
        how = f"By action: {draft.undo_action} with {listed}."
    return " ".join(part for part in (from_runbook or draft.undo, how) if part)


def _filled(text: str, ref: ObjectRef, draft: Draft) -> str:
    """A runbook's sentence with its placeholders replaced."""
    values = {
        "$object": str(ref),
        "$object.kind": ref.kind,
        "$object.name": ref.name,
        "$object.namespace": ref.namespace,
        "$previous_revision": str(draft.parameters.get("to_revision", "the previous revision")),
    }
    return _PLACEHOLDER.sub(lambda match: values[match[0]], text)
