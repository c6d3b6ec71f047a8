"""What people and machines changed, from a day before the window: a change may smoulder before it burns.

Three kinds of sources: what was reported to us, further sources that are configured (a repository's host, Helm's own
record), and the cluster itself, whose objects keep their history. Each is looked at by itself, so that one that fails
is a gap and the others are still there. What two of them tell is kept once.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Change
from agent_sre.evidence.deployers import deployments, deploys_to
from agent_sre.evidence.helm_history import helm_changes
from agent_sre.evidence.reading import Reading, capped, not_there
from agent_sre.evidence.scope import Collected, Readers, Scope
from agent_sre.ports.cluster import DEPLOYERS, ClusterReader
from agent_sre.ports.context import ChangeReader

NAME = "changes"
LOOKBACK = timedelta(days=1)
_OWNERS = ("Deployment", "StatefulSet", "DaemonSet", "Rollout")
_GENERATIONS = ("ReplicaSet", "ControllerRevision")
_TOGETHER = timedelta(minutes=10)
_REPORTED = "changes of the namespaces and repositories"
_HELM = "labels of Helm's charts over the generations of workloads (ReplicaSets, ControllerRevisions)"
_DEPLOYERS = "status of what deploys: Argo CD Applications, Argo Rollouts, Flux Kustomizations and HelmReleases"
_FIX = "configure a source of changes, or add changes.json"
Key = tuple[str, str, str]


async def collect(scope: Scope, readers: Readers) -> Collected:
    """One observation per source; the newest are kept where there are too many."""
    window = Window(scope.window.start - LOOKBACK, scope.window.end)
    reading = Reading(NAME, "changes", scope)
    sources: dict[str, ChangeReader] = {_REPORTED: readers.changes} if readers.changes is not None else {}
    sources |= readers.change_sources
    reads = [reading.look(name, partial(one.changes, scope.namespaces, window)) for name, one in sources.items()]
    looking = asyncio.create_task(_told_by_objects(scope, readers.cluster, window))
    answers, (deployed, upgrades) = await asyncio.gather(*reads), await looking
    known: dict[Key, Change] = {}
    for name, found in zip(sources, answers, strict=True):
        if found is not None:
            _observe(reading, name, _new([_joined(item, upgrades) for item in found], known), window)
    deployed = _new([_joined(item, upgrades) for item in deployed], known)
    if deployed:
        _observe(reading, _DEPLOYERS, deployed, window)
    recorded = list(known.values())
    fresh = _new([item for item in upgrades if not any(_same_upgrade(item, one) for one in recorded)], known)
    if fresh:
        _observe(reading, _HELM, fresh, window)
    absent = not_there("changes", "deploys, commits and flags", _FIX) if not sources else Collected()
    done = reading.done()
    return Collected(done.observations, (*absent.gaps, *done.gaps))


async def _told_by_objects(
    scope: Scope, cluster: ClusterReader | None, window: Window
) -> tuple[list[Change], list[Change]]:
    """What the cluster's objects tell of their past: by who deployed them, and by the labels of Helm's charts.

    Where they cannot be listed, ``kubernetes_objects``, which lists the same, says so.
    """
    if cluster is None:
        return [], []
    found: dict[str, list[Mapping[str, Any]]] = {kind: [] for kind in (*_OWNERS, *_GENERATIONS, *sorted(DEPLOYERS))}
    places = [(kind, space) for space in scope.namespaces for kind in found]
    elsewhere = [space for space in scope.gitops_namespaces if space not in scope.namespaces]
    places += [(kind, space) for space in elsewhere for kind in sorted(DEPLOYERS)]
    listing = Reading(NAME, "kubernetes", scope)  # its gaps are those of kubernetes_objects, and stay there
    reads = [listing.look(kind, partial(cluster.list, kind, space)) for kind, space in places]
    for (kind, space), listed in zip(places, await asyncio.gather(*reads), strict=True):
        ours = space in scope.namespaces
        found[kind] += [item for item in listed or () if ours or deploys_to(item, scope.namespaces)]
    upgrades = helm_changes(
        [item for kind in _GENERATIONS for item in found[kind]], [item for kind in _OWNERS for item in found[kind]]
    )
    deployed = deployments(item for kind in (*sorted(DEPLOYERS), "Rollout") for item in found[kind])
    return _within(deployed, window), _within(upgrades, window)


def _within(found: Iterable[Change], window: Window) -> list[Change]:
    return [item for item in found if window.start <= item.time <= window.end]


def _new(found: Iterable[Change], known: dict[Key, Change]) -> list[Change]:
    """Those that no source before told; remembered in ``known``."""
    fresh: dict[Key, Change] = {}
    for item in found:
        key = item.id, item.kind, item.target
        if key not in known:
            fresh.setdefault(key, item)
    known |= fresh
    return list(fresh.values())


def _joined(change: Change, upgrades: Iterable[Change]) -> Change:
    """A release as Helm's record tells it, with the versions and workloads that the cluster's objects show."""
    shown = next((item for item in upgrades if _same_upgrade(item, change)), None)
    if shown is None or change is shown:
        return change
    return replace(change, target=shown.target, summary=f"{change.summary}; {shown.summary}")


def _same_upgrade(one: Change, other: Change) -> bool:
    return _release(one) == _release(other) != "" and abs(one.time - other.time) <= _TOGETHER


def _release(change: Change) -> str:
    """``helm/<namespace>/<name>`` of a change that is a release's, else ""."""
    return change.id.partition("@")[0] if change.id.startswith("helm/") else ""


def _observe(reading: Reading, query: str, found: list[Change], window: Window) -> None:
    newest, left_out = capped(found[::-1], reading.scope.limits.changes, "changes (the oldest)")
    reading.observe(query, changes=newest[::-1], left_out=left_out, window=window)
