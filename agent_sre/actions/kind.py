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

from agent_sre.actions.rollout_health import Health, rollout_health
from agent_sre.domain.action import Operation, Reach, Risk
from agent_sre.domain.merge_patch import apply_merge_patch, same
from agent_sre.domain.reference import ObjectRef
from agent_sre.ports.cluster import READ_KINDS

Value = str | int | bool
Parameters = Mapping[str, Value]
Resource = tuple[str, str]
Related = Mapping[str, tuple[Mapping[str, Any], ...]]


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
    OUT_OF_BOUNDS = "out_of_bounds"
    NOT_ONE = "not_one"
    NOT_KNOWN = "not_known"
    NOT_REPLACED = "not_replaced"
    KEPT_BY_ANOTHER = "kept_by_another"
    HOLDS_SECRET = "holds_secret"  # noqa: S105 - a reason


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing is proposed, why, and in ``sentence`` what would change that."""

    reason: RefusalReason
    sentence: str


class ParameterType(StrEnum):
    """``object`` is the thing acted upon: only evidence can fill it, so a runbook may write nothing but ``$object``."""

    OBJECT = "object"
    INTEGER = "integer"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; the bounds are for integers and inclusive, ``choices`` and ``pattern`` (of the whole) for texts.

    ``placeholders`` a runbook may write for the value; ``build`` puts in what they stand for.
    """

    name: str
    type: ParameterType
    meaning: str
    minimum: int = 0
    maximum: int = 0
    placeholders: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class Right:
    """One RBAC rule an action needs; ``writes`` says that it belongs to the executor's account, not the reader's."""

    verb: str
    group: str
    resource: str
    writes: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read for a kind: the target, other objects by kind, what owns the target, nearest first, and when (UTC).

    ``asked`` is the workload at fault where the target was found from it.
    """

    target: Mapping[str, Any]
    related: Related
    now: datetime
    owners: tuple[Mapping[str, Any], ...] = ()
    asked: Mapping[str, Any] | None = None

    @property
    def ref(self) -> ObjectRef:
        """The target's reference."""
        return ref_of(self.target)


def ref_of(item: Mapping[str, Any]) -> ObjectRef:
    """An API object's reference."""
    return ObjectRef(item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"])


def plural(kind: str) -> Resource:
    """API group and resource of a kind."""
    version, name = READ_KINDS[kind]
    return version.rpartition("/")[0], name


def reads(*kinds: str, verb: str = "get") -> tuple[Right, ...]:
    """What the reader's account needs of these kinds."""
    return tuple(Right(verb, *plural(kind)) for kind in kinds)


def writes(kind: str, verb: str, below: str = "") -> tuple[Right, ...]:
    """What the executor's account needs to change objects of this kind."""
    group, name = plural(kind)
    return (Right(verb, group, f"{name}/{below}" if below else name, writes=True),)


@dataclass(frozen=True, slots=True)
class Draft:
    """An action computed to the last byte. ``undo_parameters`` name the action that takes it back, None where none.

    ``patch`` is a whole object where the operation creates one, and empty where it deletes. ``workload`` is whose pods
    feel it, where that is neither the target nor its outermost owner.
    """

    parameters: Parameters
    patch: Mapping[str, Any]
    preview: str
    undo: str
    undo_action: str = ""
    undo_parameters: Parameters | None = None
    reach: Reach = field(default_factory=Reach)
    workload: ObjectRef | None = None


class Binding(StrEnum):
    """What an approval holds for: this version of the target, or whatever asks for the same.

    The status of a Node, an autoscaler, a Pod or a workload in trouble is rewritten all the time, and with it the
    version; what it asks for (``spec`` and the like, and its uid) is not.
    """

    VERSION = "version"
    CONTENT = "content"


def secret_refusal(ref: ObjectRef, what: str) -> Refusal:
    """A change that would have to be stored with something that looks like a secret in it."""
    sentence = f"{what} of {ref} holds what looks like a secret, which is stored nowhere; change it by hand"
    return Refusal(RefusalReason.HOLDS_SECRET, sentence)


Locate = Callable[[Mapping[str, Any], Related], Mapping[str, Any] | Refusal]
"""From the workload at fault to the one object that is acted upon, or why there is not exactly one."""


@dataclass(frozen=True, slots=True)
class ActionKind:
    """One entry of the catalogue. ``reads`` are the kinds that ``build`` wants listed in the target's namespace.

    ``locate`` is given where the target may be another object than the one at fault or what owns that; ``health``
    says of the changed object, or of the workload that feels it, whether it is well.
    """

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
    operation: Operation = Operation.PATCH
    binds: Binding = Binding.VERSION
    locate: Locate | None = None
    health: Callable[[Mapping[str, Any]], Health] = rollout_health

    def applied(self, target: Mapping[str, Any], patch: Mapping[str, Any]) -> bool:
        """Whether what the object asks for already is as the patch wants it.

        Metadata does not count: annotations are rewritten by controllers and GitOps tools without the change being
        undone.
        """
        wanted = {key: value for key, value in patch.items() if key != "metadata"}
        return same(apply_merge_patch(target, wanted), target)
