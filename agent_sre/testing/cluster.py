"""A cluster in memory that behaves like an API server where it matters to a caller.

Objects are API JSON. ``uid``, ``resourceVersion`` and ``generation`` follow the server's rules: every change gets a new
version, only a changed ``spec`` a new generation, a patch that changes nothing neither; ``status`` cannot be patched
through the main resource. The failures that callers must survive can be played: a missing right, a server that is down,
an answer lost after the effect. Every call is recorded in ``calls``, and in ``effects`` what really changed something.
A deleted Pod stays for its grace time, marked, until somebody (``drop``) takes it away.

Controllers are not simulated here; ``on_patch`` lets a test (or the demo's shop) react to a change, with ``update``,
``add`` and ``drop`` as the controller's own writes.
"""

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from agent_sre.domain.errors import AgentSreError, PermanentError, TemporaryError
from agent_sre.domain.field_selector import selects
from agent_sre.domain.merge_patch import apply_merge_patch, same
from agent_sre.domain.reference import ObjectRef
from agent_sre.ports.cluster import CLUSTER_SCOPED, NAMES_ONLY, NEVER_READ, READ_KINDS, NotOffered, unwritable
from agent_sre.testing.pod_eviction import leave

OnPatch = Callable[[Mapping[str, Any], Mapping[str, Any]], None]
_SERVER_OWNED = ("uid", "resourceVersion", "generation", "creationTimestamp", "name", "namespace")


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it came in, whatever came of it. ``namespace`` is "" for all, ``name`` "" for a list."""

    verb: str
    kind: str
    namespace: str
    name: str = ""
    dry_run: bool = False
    resource_version: str = ""
    patch: Mapping[str, Any] | None = None
    uid: str = ""


Calls = list[Call]
Failures = dict[str, list[AgentSreError]]


class FakeCluster:
    """ClusterReader and ClusterWriter over a dict. ``on_patch(before, after)`` runs after each effective patch."""

    def __init__(self, objects: Iterable[Mapping[str, Any]] = (), *, on_patch: OnPatch | None = None) -> None:
        self.calls: Calls = []
        self.effects: list[Call] = []
        self.on_patch = on_patch
        self._objects: dict[ObjectRef, dict[str, Any]] = {}
        self._version = 1000
        self._forbidden: set[tuple[str, str, str]] = set()
        self._failures: Failures = {}
        self._lost_answers = 0
        for item in objects:
            self.add(item)

    # ------------------------------------------------------------------------------------------------- the ports

    async def list(self, kind: str, namespace: str, fields: str = "") -> tuple[Mapping[str, Any], ...]:
        """All objects of a kind, by namespace and name."""
        self._enter(Call("list", kind, namespace))
        chosen = [ref for ref in self._objects if ref.kind == kind and namespace in ("", ref.namespace)]
        found = (self._objects[ref] for ref in sorted(chosen))
        return tuple(deepcopy(item) for item in found if selects(fields, item))

    async def get(self, ref: ObjectRef) -> Mapping[str, Any] | None:
        """One object, or None."""
        self._enter(Call("get", ref.kind, ref.namespace, ref.name))
        return self.peek(ref)

    async def patch(
        self, ref: ObjectRef, patch: Mapping[str, Any], *, resource_version: str, dry_run: bool = False
    ) -> Mapping[str, Any]:
        """Apply a merge patch where the version still is the one named."""
        call = Call("patch", ref.kind, ref.namespace, ref.name, dry_run, resource_version, deepcopy(dict(patch)))
        self._permit("patch", ref, patch)
        self._enter(call)
        before = self._present(ref)
        current = str(before["metadata"]["resourceVersion"])
        if resource_version != current:
            raise PermanentError(
                f"conflict: {ref} has changed since it was read: resourceVersion is {current}, "
                f"the precondition names {resource_version!r}; read it again"
            )
        after = self._admit(ref, before, apply_merge_patch(before, patch))
        if dry_run:
            return after
        if not same(before, after):
            after["metadata"]["resourceVersion"] = self._next_version()
            self._objects[ref] = after
            self.effects.append(call)
            if self.on_patch is not None:
                self.on_patch(deepcopy(before), deepcopy(after))
        self._answer(ref)
        return deepcopy(after)

    async def create(self, manifest: Mapping[str, Any], *, dry_run: bool = False) -> Mapping[str, Any]:
        """Create an object where its name is free."""
        ref = ref_of(manifest)
        call = Call("create", ref.kind, ref.namespace, ref.name, dry_run, patch=deepcopy(dict(manifest)))
        self._permit("create", ref)
        self._enter(call)
        if ref in self._objects:
            raise PermanentError(f'conflict: {_resource(ref.kind)} "{ref.name}" exists already')
        if dry_run:
            return deepcopy(dict(manifest))
        self.add(manifest)
        self.effects.append(call)
        self._answer(ref)
        return deepcopy(self._objects[ref])

    async def delete(self, ref: ObjectRef, *, uid: str, dry_run: bool = False) -> None:
        """Delete the object with this uid; a Pod is only marked."""
        await self._remove(Call("delete", ref.kind, ref.namespace, ref.name, dry_run, uid=uid))

    async def evict(self, ref: ObjectRef, *, uid: str, dry_run: bool = False) -> None:
        """Delete the Pod with this uid where its disruption budget allows."""
        await self._remove(Call("evict", ref.kind, ref.namespace, ref.name, dry_run, uid=uid))

    async def _remove(self, call: Call) -> None:
        ref = ObjectRef(call.kind, call.namespace, call.name)
        self._permit(call.verb, ref)
        self._enter(call)
        found = self._present(ref)
        if found["metadata"]["uid"] != call.uid:
            uid = found["metadata"]["uid"]
            raise PermanentError(f"conflict: the UID in the precondition ({call.uid}) is not that of {ref} ({uid})")
        budgets = [item for other, item in self._objects.items() if other.kind == "PodDisruptionBudget"]
        payer = leave(found, budgets) if call.verb == "evict" else None
        if call.dry_run:
            return
        if payer is not None:
            left = payer["status"]["disruptionsAllowed"] - 1
            self.update(ref_of(payer), {"status": {"disruptionsAllowed": left}})
        if ref.kind != "Pod":
            self.drop(ref)
            self.effects.append(call)
        elif "deletionTimestamp" not in found["metadata"]:
            self.update(ref, {"metadata": {"deletionTimestamp": "2026-01-05T12:00:30Z"}})
            self.effects.append(call)
        self._answer(ref)

    # ------------------------------------------------------------- the test's hands, and simulated controllers'

    def add(self, item: Mapping[str, Any]) -> ObjectRef:
        """Create an object (or replace one), completing the metadata a server would set."""
        ref = ref_of(item)
        stored = deepcopy(dict(item))
        stored.setdefault("apiVersion", READ_KINDS[ref.kind][0])
        metadata = stored["metadata"] = dict(stored["metadata"])
        metadata.setdefault("uid", str(uuid5(NAMESPACE_DNS, str(ref))))
        metadata.setdefault("generation", 1)
        metadata["resourceVersion"] = self._next_version()
        self._objects[ref] = stored
        return ref

    def update(self, ref: ObjectRef, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        """A controller's write: a merge patch without precondition that may change ``status``; not recorded."""
        before = self._objects[ref]
        after = apply_merge_patch(before, changes)
        if not same(before.get("spec"), after.get("spec")):
            after["metadata"]["generation"] = before["metadata"]["generation"] + 1
        after["metadata"]["resourceVersion"] = self._next_version()
        self._objects[ref] = after
        return deepcopy(after)

    def drop(self, ref: ObjectRef) -> None:
        """Remove an object; KeyError where there is none."""
        del self._objects[ref]

    def peek(self, ref: ObjectRef) -> dict[str, Any] | None:
        """The object as it is now, without a recorded call."""
        return deepcopy(self._objects.get(ref))

    def everything(self) -> dict[ObjectRef, dict[str, Any]]:
        """All objects as they are now, without a recorded call."""
        return deepcopy(self._objects)

    def forbid(self, verb: str, kind: str, namespace: str = "") -> None:
        """Answer 403 to ``verb`` on ``kind`` from now on; ``namespace`` "" means everywhere."""
        self._forbidden.add((verb, kind, namespace))

    def fail(self, verb: str, *errors: AgentSreError) -> None:
        """Raise these errors, one per call, at the next calls of ``verb`` (patch, or its ``dry-run``): no effect."""
        self._failures.setdefault(verb, []).extend(errors)

    def lose_answers(self, count: int = 1) -> None:
        """Carry out the next changes, then raise TemporaryError as if the connection had been cut."""
        self._lost_answers += count

    @property
    def patches(self) -> tuple[Call, ...]:
        """Recorded patch calls that were no dry runs."""
        return tuple(call for call in self.calls if call.verb == "patch" and not call.dry_run)

    # ---------------------------------------------------------------------------------------------- server's rules

    def _enter(self, call: Call) -> None:
        """Record, then fail as planned, then check kind and right."""
        self.calls.append(call)
        planned = self._failures.get("dry-run" if call.dry_run else call.verb)
        if planned:
            raise planned.pop(0)
        if call.kind in NAMES_ONLY:
            raise NotOffered(NEVER_READ)
        if call.kind not in READ_KINDS:
            raise PermanentError(f"kind {call.kind!r} is not one that may be read; it is not in READ_KINDS")
        rights = {(call.verb, call.kind, ""), (call.verb, call.kind, call.namespace)}
        if rights & self._forbidden:
            raise PermanentError(_forbidden_text(call))

    def _permit(self, verb: str, ref: ObjectRef, patch: Mapping[str, Any] | None = None) -> None:
        if why := unwritable(verb, ref.kind, patch):
            raise PermanentError(f"{ref}: {why}")

    def _present(self, ref: ObjectRef) -> dict[str, Any]:
        found = self._objects.get(ref)
        if found is None:
            raise PermanentError(f'{_resource(ref.kind)} "{ref.name}" not found in namespace "{ref.namespace}"')
        return found

    def _answer(self, ref: ObjectRef) -> None:
        """The answer after an effect, which may be lost."""
        if self._lost_answers:
            self._lost_answers -= 1
            raise TemporaryError(
                f"the connection was cut while {ref} was being changed; whether it was applied is unknown"
            )

    def _admit(self, ref: ObjectRef, before: Mapping[str, Any], after: dict[str, Any]) -> dict[str, Any]:
        """What the server keeps of a patched object; PermanentError for what it refuses."""
        for field in _SERVER_OWNED:
            old, new = before["metadata"].get(field), after.get("metadata", {}).get(field)
            if old != new:
                raise PermanentError(f"{ref} is invalid: metadata.{field}: {new!r}: field is immutable")
        after.pop("status", None)
        if "status" in before:
            after["status"] = deepcopy(before["status"])
        _complete(ref.kind, after.get("spec") or {})
        if before.get("immutable") and not same(before.get("data"), after.get("data")):
            raise PermanentError(f"{ref} is invalid: data: field is immutable when `immutable` is set")
        if not same(before.get("spec"), after.get("spec")):
            _check_workload(ref, before, after)
            after["metadata"]["generation"] = before["metadata"]["generation"] + 1
        return after

    def _next_version(self) -> str:
        self._version += 1
        return str(self._version)


def ref_of(item: Mapping[str, Any]) -> ObjectRef:
    """The reference of an API object."""
    kind, metadata = str(item["kind"]), item["metadata"]
    return ObjectRef(kind, "" if kind in CLUSTER_SCOPED else str(metadata["namespace"]), str(metadata["name"]))


def _resource(kind: str) -> str:
    """``deployments.apps``, or ``pods`` for the core group."""
    api_version, plural = READ_KINDS[kind]
    group = api_version.rpartition("/")[0]
    return f"{plural}.{group}" if group else plural


def _forbidden_text(call: Call) -> str:
    api_version, plural = READ_KINDS[call.kind]
    group = api_version.rpartition("/")[0]
    named = f' "{call.name}"' if call.name else ""
    place = f'in the namespace "{call.namespace}"' if call.namespace else "at the cluster scope"
    return (
        f'{_resource(call.kind)}{named} is forbidden: User "system:serviceaccount:agent-sre:agent-sre" '
        f'cannot {call.verb} resource "{plural}" in API group "{group}" {place}; '
        f"grant {call.verb} on {_resource(call.kind)} to it"
    )


def _complete(kind: str, spec: dict[str, Any]) -> None:
    """Some switches are left out by a server while they are off, and one is filled in."""
    for owner, field in (("Deployment", "paused"), ("Node", "unschedulable")):
        if kind == owner and spec.get(field) is False:
            del spec[field]
    if kind == "CronJob":
        spec.setdefault("suspend", False)


def _check_workload(ref: ObjectRef, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """The two rules that a wrong patch of a Deployment runs into first."""
    spec = after.get("spec") or {}
    if ref.kind != "Deployment":
        return
    if not same(before["spec"].get("selector"), spec.get("selector")):
        raise PermanentError(f"{ref} is invalid: spec.selector: field is immutable")
    wanted = (spec.get("selector") or {}).get("matchLabels", {})
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    if not wanted.items() <= labels.items():
        raise PermanentError(
            f"{ref} is invalid: spec.template.metadata.labels: {labels!r}: `selector` does not match template `labels`"
        )
