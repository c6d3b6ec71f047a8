"""What a kind of action is: a name, typed parameters, the rights it needs, and pure functions that compute it.

A kind computes; it never calls anything. ``build`` is given the objects that ``propose`` read and answers with the
exact merge patch and what a person should see of it, or with a refusal. So a kind is tested without a cluster, and
what is approved is what is done. One kind per file, listed in ``catalogue``. Not here: whether it is allowed
(``policy``) and carrying it out (``executor``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from agent_sre.domain.action import Risk
from agent_sre.domain.merge_patch import apply_merge_patch, same
from agent_sre.domain.reference import ObjectRef

Value = str | int | bool
Parameters = Mapping[str, Value]


class RefusalReason(StrEnum):
    """Why nothing is proposed."""

    NO_EVIDENCE = "no_evidence"
    UNKNOWN_ACTION = "unknown_action"
    INVALID_PARAMETERS = "invalid_parameters"
    NOT_FOUND = "not_found"
    WRONG_KIND = "wrong_kind"
    NOT_READABLE = "not_readable"
    PAUSED = "paused"
    NO_EARLIER_REVISION = "no_earlier_revision"
    NOTHING_TO_CHANGE = "nothing_to_change"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing is proposed, why, and in ``sentence`` what would change that."""

    reason: RefusalReason
    sentence: str


class ParameterType(StrEnum):
    """``object`` is the thing acted upon: only evidence can fill it, so a runbook may write nothing but ``$object``."""

    OBJECT = "object"
    INTEGER = "integer"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; the bounds are for integers and inclusive. ``placeholders`` a runbook may write for the value."""

    name: str
    type: ParameterType
    meaning: str
    minimum: int = 0
    maximum: int = 0
    placeholders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Right:
    """One RBAC rule an action needs; ``writes`` says that it belongs to the executor's account, not the reader's."""

    verb: str
    group: str
    resource: str
    writes: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read for a kind: the target, other objects of its namespace by kind, and when (UTC)."""

    target: Mapping[str, Any]
    related: Mapping[str, tuple[Mapping[str, Any], ...]]
    now: datetime

    @property
    def ref(self) -> ObjectRef:
        """The target's reference."""
        meta = self.target["metadata"]
        return ObjectRef(self.target["kind"], meta.get("namespace", ""), meta["name"])


@dataclass(frozen=True, slots=True)
class Draft:
    """An action computed to the last byte. ``undo_parameters`` name the action that takes it back, None where none."""

    parameters: Parameters
    patch: Mapping[str, Any]
    preview: str
    undo: str
    undo_action: str = ""
    undo_parameters: Parameters | None = None


@dataclass(frozen=True, slots=True)
class ActionKind:
    """One entry of the catalogue. ``reads`` are the kinds that ``build`` wants listed in the target's namespace."""

    name: str
    summary: str
    risk: Risk
    targets: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    rights: tuple[Right, ...]
    expected: str
    verify: str
    build: Callable[[Seen, Parameters], Draft | Refusal]
    reads: tuple[str, ...] = field(default=())

    def applied(self, target: Mapping[str, Any], patch: Mapping[str, Any]) -> bool:
        """Whether the object's specification already is as the patch wants it.

        Only ``spec`` counts: annotations are rewritten by controllers and GitOps tools without the change being undone.
        """
        wanted = patch.get("spec", {})
        return same(apply_merge_patch(target.get("spec"), wanted), target.get("spec"))
