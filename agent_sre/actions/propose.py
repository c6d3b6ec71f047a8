"""From a runbook's template and a grounded hypothesis to one exact proposal, or a refusal with its reason.

The only inputs are the runbook (written by people, checked), the hypothesis (whose object was seen in evidence) and
the cluster as it is now. The object acted upon is the hypothesis's own, or the workload that owns it. Not here:
whether policy allows it, and asking for approval (the graph's proposing node).
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from agent_sre.actions.catalogue import ACTIONS, offer_problems
from agent_sre.actions.kind import ActionKind, Draft, Parameters, Refusal, RefusalReason, Seen
from agent_sre.actions.parameters import OBJECT, value_problems
from agent_sre.domain.action import Proposal
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.hypothesis import Hypothesis
from agent_sre.domain.reference import ObjectRef
from agent_sre.domain.runbook import ActionTemplate, Runbook
from agent_sre.ports.cluster import READ_KINDS, ClusterReader

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
    """The target, climbed to from what it owns, and the further objects that the kind reads."""
    target = await _target(kind, ref, reader)
    if isinstance(target, Refusal):
        return target
    namespace = target["metadata"].get("namespace", "")
    related = {name: await reader.list(name, namespace) for name in kind.reads}
    return Seen(target=target, related=related, now=now)


async def _target(kind: ActionKind, ref: ObjectRef, reader: ClusterReader) -> Mapping[str, Any] | Refusal:
    current: ObjectRef | None = ref
    for _ in range(_MAX_OWNERS):
        if current is None or current.kind not in READ_KINDS:
            break
        found = await reader.get(current)
        if found is None:
            return Refusal(RefusalReason.NOT_FOUND, f"{current} does not exist (any more), so it cannot be changed")
        if current.kind in kind.targets:
            return found
        current = _owner(found)
    wanted = " or ".join(kind.targets)
    return Refusal(RefusalReason.WRONG_KIND, f"{kind.name} acts on a {wanted}; {ref} is none and is owned by none")


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
    return Proposal(
        id=proposal_id,
        incident_id=incident_id,
        runbook=runbook.id,
        runbook_digest=runbook.digest,
        action=kind.name,
        target=seen.ref,
        parameters=draft.parameters,
        patch=draft.patch,
        resource_version=str(seen.target["metadata"].get("resourceVersion", "")),
        risk=kind.risk,
        preview=draft.preview,
        expected=_filled(template.expected, seen.ref, draft) or kind.expected,
        verify=_filled(template.verify, seen.ref, draft) or kind.verify,
        undo=_undo(_filled(template.undo, seen.ref, draft), draft),
        hypothesis=hypothesis.rank,
    )


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
