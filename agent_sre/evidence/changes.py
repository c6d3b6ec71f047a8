"""What people and machines changed, from a day before the window: a change may smoulder before it burns.

Three kinds of sources: what was reported to us, further sources that are configured (a repository's host, Helm's own
record), and the cluster itself, whose objects keep their history. Each is looked at by itself, so that one that fails
is a gap and the others are still there. What two of them tell is kept once.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Change
from agent_sre.evidence.carried_commits import Step, carried, steps_of
from agent_sre.evidence.deployers import deployments, deploys_to
from agent_sre.evidence.helm_history import helm_changes
from agent_sre.evidence.reading import Reading, capped, not_there
from agent_sre.evidence.scope import Collected, Readers, Scope
from agent_sre.ports.cluster import DEPLOYERS, ClusterReader
from agent_sre.ports.context import ChangeReader

NAME = "changes"
LOOKBACK = timedelta(days=1)
OWNERS = ("Deployment", "StatefulSet", "DaemonSet", "Rollout")
GENERATIONS = ("ReplicaSet", "ControllerRevision")
_TOGETHER = timedelta(minutes=10)
_REPORTED = "changes of the namespaces and repositories"
_HELM = "labels of Helm's charts over the generations of workloads (ReplicaSets, ControllerRevisions)"
_DEPLOYERS = "status of what deploys: Argo CD Applications, Argo Rollouts, Flux Kustomizations and HelmReleases"
_ROLLED_OUT = "commits that images and pod templates name, over the generations of workloads"
_BETWEEN = "commits between the revisions that deploys went from and to"
_FIX = "configure a source of changes, or add changes.json"
Key = tuple[str, str, str]


async def collect(scope: Scope, readers: Readers) -> Collected:
    """One observation per source; the newest are kept where there are too many."""
    window = Window(scope.window.start - LOOKBACK, scope.window.end)
    reading = Reading(NAME, "changes", scope)
    sources: dict[str, ChangeReader] = {_REPORTED: readers.changes} if readers.changes is not None else {}
    sources |= readers.change_sources
    sources |= {f"commits of {repository}": reader for repository, reader in readers.repositories}
    reads = [reading.look(name, partial(one.changes, scope.namespaces, window)) for name, one in sources.items()]
    looking = asyncio.create_task(_told_by_objects(scope, readers.cluster, window))
    answers, told = await asyncio.gather(*reads), await looking
    rollouts, commits = await carried(reading, told.steps, readers.repositories, window)
    carriers = {item.id: item.carried_by for item in commits}
    known: dict[Key, Change] = {}
    for name, found in zip(sources, answers, strict=True):
        if found is not None:
            _observe(reading, name, _new((_joined(item, told.upgrades, carriers) for item in found), known), window)
    deployed = [_joined(item, told.upgrades, {}) for item in told.deployed]
    upgrades = [
        item for item in told.upgrades if not any(_same_upgrade(item, one) for one in (*known.values(), *deployed))
    ]
    for query, derived in ((_DEPLOYERS, deployed), (_HELM, upgrades), (_ROLLED_OUT, rollouts), (_BETWEEN, commits)):
        fresh = _new(derived, known)
        if fresh:
            _observe(reading, query, fresh, window)
    absent = not_there("changes", "deploys, commits and flags", _FIX) if not sources else Collected()
    done = reading.done()
    return Collected(done.observations, (*absent.gaps, *done.gaps))


@dataclass(frozen=True, slots=True)
class _Told:
    """What the cluster's objects tell of their past."""

    deployed: tuple[Change, ...] = ()
    upgrades: tuple[Change, ...] = ()
    steps: tuple[Step, ...] = ()


async def _told_by_objects(scope: Scope, cluster: ClusterReader | None, window: Window) -> _Told:
    """Who deployed them, from which Helm chart to which, from which commit to which.

    Where they cannot be listed, ``kubernetes_objects``, which lists the same, says so.
    """
    if cluster is None:
        return _Told()
    found: dict[str, list[Mapping[str, Any]]] = {kind: [] for kind in (*OWNERS, *GENERATIONS, *sorted(DEPLOYERS))}
    places = [(kind, space) for space in scope.namespaces for kind in found]
    elsewhere = [space for space in scope.gitops_namespaces if space not in scope.namespaces]
    places += [(kind, space) for space in elsewhere for kind in sorted(DEPLOYERS)]
    listing = Reading(NAME, "kubernetes", scope)  # its gaps are those of kubernetes_objects, and stay there
    reads = [listing.look(kind, partial(cluster.list, kind, space)) for kind, space in places]
    for (kind, space), listed in zip(places, await asyncio.gather(*reads), strict=True):
        ours = space in scope.namespaces
        found[kind] += [item for item in listed or () if ours or deploys_to(item, scope.namespaces)]
    generations = [item for kind in GENERATIONS for item in found[kind]]
    upgrades = helm_changes(generations, [item for kind in OWNERS for item in found[kind]])
    deployed = deployments(item for kind in (*sorted(DEPLOYERS), "Rollout") for item in found[kind])
    steps = steps_of(generations, found["Application"])
    return _Told(_within(deployed, window), _within(upgrades, window), tuple(steps))


def _within(found: Iterable[Change], window: Window) -> tuple[Change, ...]:
    return tuple(item for item in found if window.start <= item.time <= window.end)


def _new(found: Iterable[Change], known: dict[Key, Change]) -> list[Change]:
    """Those that no source before told; remembered in ``known``."""
    fresh: dict[Key, Change] = {}
    for item in found:
        key = item.id, item.kind, item.target
        if key not in known:
            fresh.setdefault(key, item)
    known |= fresh
    return list(fresh.values())


def _joined(change: Change, upgrades: Iterable[Change], carriers: Mapping[str, str]) -> Change:
    """What a source tells, with what the cluster's objects show of it.

    Of a release in Helm's record that is the versions and workloads, of a commit the deploy that brought it.
    """
    if change.kind == "commit" and change.id in carriers:
        return replace(change, carried_by=carriers[change.id])
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
