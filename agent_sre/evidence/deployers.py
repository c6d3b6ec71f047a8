"""What Argo CD and Flux deploy, and when they did: their objects' own history as changes.

An Argo CD Application keeps its last syncs (``status.history``) and the latest operation; a Flux HelmRelease its last
releases; a Kustomization the revision it applied last; an Argo Rollout whether its update was called off. Each is one
Change, aimed at the workloads that the object says it manages, and carries the revision, so that commits can be put to
the deploy that brought them. Not here: whether a failed one is the cause (``analysis.gitops``).
"""

from collections.abc import Iterable, Iterator, Sequence

from agent_sre.domain.telemetry import Change
from agent_sre.domain.visible import one_line
from agent_sre.evidence.object_fields import Object, entries, name_of, namespace_of, part, time_of

_WORKLOADS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "Rollout", "CronJob", "Job"})
_NAMED = 20
_SHORT = 12


def deploys_to(item: Object, namespaces: Sequence[str]) -> bool:
    """Whether an Application, a Kustomization or a HelmRelease puts anything into one of these namespaces."""
    spec, status = part(item, "spec"), part(item, "status")
    aims = {part(spec, "destination").get("namespace"), spec.get("targetNamespace")}
    aims |= {entry.get("namespace") for entry in entries(status, "resources")}
    aims |= {str(entry.get("id")).partition("_")[0] for entry in entries(part(status, "inventory"), "entries")}
    return bool(aims & set(namespaces))


def deployments(items: Iterable[Object]) -> tuple[Change, ...]:
    """What the objects tell of their own past, oldest first."""
    tellers = {
        "Application": _application,
        "Kustomization": _kustomization,
        "HelmRelease": _helm_release,
        "Rollout": _rollout,
    }
    found = [change for item in items for change in tellers.get(str(item.get("kind")), _nothing)(item)]
    return tuple(sorted(found, key=lambda change: (change.time, change.id)))


def _application(item: Object) -> Iterator[Change]:
    status, name = part(item, "status"), name_of(item)
    managed = [entry for entry in entries(status, "resources") if entry.get("kind") in _WORKLOADS]
    target = _target((str(entry.get("name")) for entry in managed), name)
    for entry in entries(status, "history"):
        time = time_of(entry.get("deployedAt"))
        if time is not None:
            words = f"Argo CD synced {name} to {_revision(entry)} of {_source(entry)}"
            author = str(part(entry, "initiatedBy").get("username") or "")
            yield Change(
                f"argocd/{namespace_of(item)}/{name}@{_revision(entry)}", time, "deploy", target, words, author
            )
    operation = part(status, "operationState")
    time = time_of(operation.get("finishedAt") or operation.get("startedAt"))
    if operation.get("phase") in {"Failed", "Error"} and time is not None:
        aim = _revision(part(operation, "syncResult")) or _revision(part(operation, "operation", "sync"))
        words = f"Argo CD failed to sync {name} to {aim}: {one_line(str(operation.get('message') or ''), 300)}"
        yield Change(f"argocd/{namespace_of(item)}/{name}@{aim}-failed", time, "deploy", target, words)


def _kustomization(item: Object) -> Iterator[Change]:
    status, name = part(item, "status"), name_of(item)
    inventory = [str(entry.get("id")).split("_") for entry in entries(part(status, "inventory"), "entries")]
    target = _target((parts[1] for parts in inventory if len(parts) == 4 and parts[3] in _WORKLOADS), name)
    ready = _condition(status, "Ready")
    time = time_of(ready.get("lastTransitionTime"))
    if time is None:
        return
    if ready.get("status") == "True":
        applied = _flux_revision(str(status.get("lastAppliedRevision") or ""))
        yield Change(
            f"flux/{namespace_of(item)}/{name}@{applied}", time, "deploy", target, f"Flux applied {applied} by {name}"
        )
    elif ready.get("status") == "False":
        aim = _flux_revision(str(status.get("lastAttemptedRevision") or ""))
        why = one_line(f"{ready.get('reason')}: {ready.get('message')}", 300)
        words = f"Flux failed to apply {aim} by {name}: {why}"
        yield Change(f"flux/{namespace_of(item)}/{name}@{aim}-failed", time, "deploy", target, words)


def _helm_release(item: Object) -> Iterator[Change]:
    releases = entries(part(item, "status"), "history")
    for place, entry in enumerate(releases):
        time = time_of(entry.get("lastDeployed") or entry.get("firstDeployed"))
        if time is None:
            continue
        chart = f"{entry.get('chartName')}-{entry.get('chartVersion')}"
        before = f" (before: {releases[place + 1].get('chartVersion')})" if place + 1 < len(releases) else ""
        name, space = str(entry.get("name") or name_of(item)), str(entry.get("namespace") or namespace_of(item))
        version = entry.get("version")
        words = f"Helm release {name} revision {version}, chart {chart}{before}: {entry.get('status')}, by Flux"
        yield Change(f"helm/{space}/{name}@v{version}", time, "deploy", name, one_line(words, 300))


def _rollout(item: Object) -> Iterator[Change]:
    status, name = part(item, "status"), name_of(item)
    time = time_of(status.get("abortedAt"))
    if status.get("abort") is True and time is not None:
        revision = str(part(item, "metadata", "annotations").get("rollout.argoproj.io/revision") or "")
        why = one_line(str(status.get("message") or ""), 300)
        words = f"Argo Rollouts called off revision {revision} of {name}: {why}"
        yield Change(f"{namespace_of(item)}/{name}@{revision}-aborted", time, "deploy", name, words)


def _nothing(_item: Object) -> Iterator[Change]:
    return iter(())


def _revision(entry: Object) -> str:
    """The revision of a sync, short where it is a commit's; of an Application with several sources all of them."""
    every = entry.get("revisions") if isinstance(entry.get("revisions"), list) else [entry.get("revision")]
    return " ".join(str(one)[:_SHORT] for one in every or () if one)


def _flux_revision(revision: str) -> str:
    """``main@sha1:4f3c...`` as ``main@4f3c...``: what a person compares with a commit."""
    branch, at, digest = revision.rpartition("@")
    return f"{branch}{at}{digest.rpartition(':')[2][:_SHORT]}"


def _source(entry: Object) -> str:
    sources = entries(entry, "sources") or [part(entry, "source")]
    shown = [f"{one.get('repoURL', '')} {one.get('path') or one.get('chart') or ''}".strip() for one in sources]
    return one_line(", ".join(shown), 200)


def _target(names: Iterable[str], otherwise: str) -> str:
    return " ".join(sorted(set(names))[:_NAMED]) or otherwise


def _condition(status: Object, kind: str) -> Object:
    return next((entry for entry in entries(status, "conditions") if entry.get("type") == kind), {})
