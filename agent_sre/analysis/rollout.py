"""Rollouts: what changed in a workload just before the trouble began, read from its generations.

Every generation keeps its template (a Deployment's in a ReplicaSet, a StatefulSet's and a DaemonSet's in a
ControllerRevision), so a rollout can be described exactly: image, environment, resources, probes, command. It is
guilty as far as time, place and symptom agree: it came shortly before the onset, the trouble is at this workload, and
its own signals or pods turned bad. A rollout after the onset is somebody's attempt to help. Changes recorded
elsewhere (``changes.json``, a deploy system) are ``changes``' business; where one is the same event, its id is used.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from agent_sre.analysis.casefile import CaseFile, K8sObject, Seen
from agent_sre.analysis.change_content import Content, content_of
from agent_sre.analysis.departures import Departure, alerted, departures, incident_start, number
from agent_sre.analysis.diffs import read
from agent_sre.analysis.kubernetes.cluster import Cluster, cluster_of
from agent_sre.analysis.kubernetes.excerpts import event_fact, event_time, fact, message
from agent_sre.analysis.kubernetes.pods import Pod
from agent_sre.analysis.kubernetes.reading import Path, dig, instant, items, mapping, name_of, text
from agent_sre.analysis.kubernetes.workload import Workload, revision_path
from agent_sre.analysis.signals import measured
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.instant import format_instant
from agent_sre.domain.telemetry import Change

_ANALYZER = "rollout"
_LOOKBACK = timedelta(hours=6)
_SOON, _LATER = timedelta(minutes=20), timedelta(minutes=90)
_SLACK = timedelta(minutes=2)
"""An onset is dated by samples a scrape apart, so it may seem to precede its cause by a little."""
_WORSE_UP = frozenset({"errors", "latency", "client_latency", "saturation", "restarts", "memory", "cpu", "throttling"})
_WATCHED = _WORSE_UP | {"availability"}
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_PARTS = ("image", "env", "envFrom", "resources", *_PROBES, "command", "args", "ports", "volumeMounts")
_TOLD = frozenset({"env", "args", "command", "resources", "image"})
_TELLING = 0.8
"""The weight of a word that only one change can have: a setting or value that this rollout touched."""
_HASHES = ("checksum", "hash", "configmap", "config-version")


@dataclass(frozen=True, slots=True, eq=False)
class Rollout:
    """A change from one generation to the next. ``moment`` is when the newer began to run; ``paths`` what differs.

    ``template`` is where either has its pod template.
    """

    workload: Workload
    before: Seen[K8sObject]
    after: Seen[K8sObject]
    moment: datetime
    scaled: Seen[K8sObject] | None
    template: Path
    paths: tuple[Path, ...]

    @property
    def revision(self) -> str:
        """The newer generation's revision."""
        return text(self.after.value, *revision_path(self.after.value)) or name_of(self.after.value)

    @property
    def pods(self) -> list[Pod]:
        """The pods of the newer generation; of one that is known by its revision only, all that may be."""
        return self.workload.pods_of(self.after) or list(self.workload.current_pods)

    @property
    def what(self) -> str:
        """The kinds of fields that differ, as words."""
        kinds = [str(path[-1]) for path in self.paths]
        return ", ".join(dict.fromkeys(kinds)) or "nothing visible"


def rollouts(cluster: Cluster, now: datetime) -> Iterator[Rollout]:
    """The latest rollout of each workload, where it began within the six hours before ``now``."""
    for workload in cluster.in_scope():
        if len(workload.generations) < 2:
            continue
        (after, template), (before, _) = workload.generations[:2]
        scaled = _scaling(cluster, workload)
        moment = _began(workload, before, after, scaled)
        if moment is None or not now - _LOOKBACK <= moment <= now:
            continue
        paths = tuple(_differences(before.value, after.value, template))
        yield Rollout(workload, before, after, moment, scaled, template, paths)


def change_of(case: CaseFile, rollout: Rollout) -> str:
    """The id of the recorded deploy that this rollout is, else one made of workload and revision."""
    ref = rollout.workload.ref
    for seen in case.changes:
        near = abs(seen.value.time - rollout.moment) <= timedelta(minutes=10)
        if near and seen.value.kind == "deploy" and ref.name in re.split(r"[/\s]+", seen.value.target):
            return seen.value.id
    return f"{ref.namespace}/{ref.name}@{rollout.revision}"


def analyze_rollout(case: CaseFile) -> Iterator[Finding]:
    """One finding for each recent rollout of a workload, as guilty as time, place and symptom make it."""
    cluster = cluster_of(case)
    for rollout in rollouts(cluster, case.now):
        if rollout.paths:
            yield _judged(case, rollout)


def _judged(case: CaseFile, rollout: Rollout) -> Finding:
    ref = rollout.workload.ref
    edit = as_change(rollout)
    content = content_of(case, edit, dict.fromkeys(read(edit).words, _TELLING))
    facts, against = [_difference(rollout)], []
    facts += [event_fact(rollout.scaled)] if rollout.scaled is not None else []
    turned = _turned(case, ref.name)
    facts += [_turn_fact(item) for item in turned[:3]]
    onset = _onset(case, rollout, turned)
    late = onset is not None and onset < rollout.moment - _SLACK
    if late and onset is not None:
        against.append(_too_late(rollout))
    broken = [pod for pod in rollout.pods if not pod.ready and not pod.done]
    facts += [
        fact(f"{pod.ref} of the new generation is not ready", pod.seen, ("status", "phase")) for pod in broken[:2]
    ]
    facts += _fitting(rollout, content) if not late else []
    statement = (
        f"{ref} was rolled out as revision {rollout.revision} at {format_instant(rollout.moment)[11:16]} UTC,"
        f" changing {rollout.what}, and the trouble began after it."
    )
    return Finding(
        analyzer=_ANALYZER,
        fault="bad_deploy",
        object=ref,
        strength=_strength(case, rollout, onset, bool(turned), bool(broken), content.value),
        statement=statement,
        facts=tuple(facts),
        against=tuple(against),
        change=change_of(case, rollout),
        onset=rollout.moment,
        distinguish=f"compare pods of revision {rollout.revision} with the one before: errors and latency by version",
    )


def _strength(
    case: CaseFile, rollout: Rollout, onset: datetime | None, turned: bool, broken: bool, fit: float
) -> float:
    if onset is not None and onset < rollout.moment - _SLACK:
        return 0.15
    lag = (onset or case.now) - rollout.moment
    time = 1.0 if lag <= _SOON else 0.5 if lag <= _LATER else 0.1
    here = rollout.workload.ref.name in alerted(case)
    place = 1.0 if (turned or broken) and here else 0.85 if turned or broken else 0.6 if here else 0.0
    known = 0.1 + 0.8 * time * place
    # What differs and what the logs say agree: no coincidence.
    return round(known + (0.95 - known) * 0.6 * fit * time * (place > 0), 3)


def as_change(rollout: Rollout) -> Change:
    """The difference of the two generations as a recorded change, with what was and what is as lines of a diff."""
    old_containers = {
        text(item, "name"): item for item in items(rollout.before.value, *rollout.template, "spec", "containers")
    }
    lines: list[str] = []
    for path in rollout.paths:
        if path[-1] not in _TOLD or "containers" not in path:
            continue
        holder = mapping(rollout.after.value, *path[:-1])
        old = old_containers.get(text(holder, "name"), {})
        before, after = _settings(old.get(path[-1])), _settings(holder.get(path[-1]))
        lines += [f"-{line}" for line in before if line not in after]
        lines += [f"+{line}" for line in after if line not in before]
    return Change(rollout.revision, rollout.moment, "deploy", rollout.workload.ref.name, "", "", "\n".join(lines))


def _settings(value: Any) -> list[str]:
    """A part of a container as lines of ``name: value``."""
    if isinstance(value, list):
        pairs = [item for item in value if isinstance(item, Mapping)]
        named = [f"{text(item, 'name')}: {item.get('value', item.get('valueFrom', ''))}" for item in pairs]
        return named if pairs else [str(item) for item in value]
    if isinstance(value, Mapping):
        return [f"{key}: {inner}" for key, inner in sorted(value.items())]
    return [] if value is None else [str(value)]


def _fitting(rollout: Rollout, content: Content) -> list[Fact]:
    """That what differs is of a kind, or names things, of which the incident's first errors speak."""
    if not content.risks or not content.fits:
        return []
    paths = [path for path in rollout.paths if path[-1] in _TOLD][:3]
    words = f"It has an edit that fits what is seen: {', '.join(content.risks)}"
    return [fact(words, rollout.after, *paths, time=rollout.moment)] if paths else []


def _turned(case: CaseFile, name: str) -> list[Departure]:
    """The workload's own signals that turned bad, the strongest first."""
    own = [item for item in measured(case) if item.entity.name == name and item.meaning in _WATCHED]
    bad = [
        item
        for item in departures(case, own)
        if item.strong and (item.after > item.before) == (item.signal.meaning in _WORSE_UP)
    ]
    return sorted(bad, key=lambda item: (-abs(item.z), str(item.signal.source)))


def _turn_fact(item: Departure) -> Fact:
    words = (
        f"{item.signal.meaning} of {item.signal.entity.name} went from {number(item.before)} to {number(item.after)}"
    )
    return item.fact(words)


def _onset(case: CaseFile, rollout: Rollout, turned: list[Departure]) -> datetime | None:
    if turned:
        return datetime.fromtimestamp(min(item.start for item in turned), UTC)
    alerts = [item.starts_at for item in case.alerts if rollout.workload.ref.name == item.service]
    if alerts:
        return min(alerts)
    return datetime.fromtimestamp(incident_start(case), UTC) if case.alerts else None


def _difference(rollout: Rollout) -> Fact:
    """What the newer generation has; the older one's values stand beside them in its own excerpt."""
    made = ("metadata", "creationTimestamp")
    paths: list[Path] = [revision_path(rollout.after.value), made, *rollout.paths[:6]]
    words = f"Revision {rollout.revision} differs from the one before in {rollout.what}"
    return fact(words, rollout.after, *paths, time=rollout.moment)


def _too_late(rollout: Rollout) -> Fact:
    made: Path = ("metadata", "creationTimestamp")
    words = "The trouble had begun before this revision was made"
    return fact(words, rollout.after, revision_path(rollout.after.value), made, time=rollout.moment)


def _scaling(cluster: Cluster, workload: Workload) -> Seen[K8sObject] | None:
    """The event that began to scale the current generation up."""
    if workload.current is None:
        return None
    name = name_of(workload.current.value)
    events = cluster.events(workload.ref, "ScalingReplicaSet")
    ups = [event for event in events if "caled up" in message(event.value) and name in message(event.value).split()]
    return ups[-1] if ups else None


def _began(
    workload: Workload, before: Seen[K8sObject], after: Seen[K8sObject], scaled: Seen[K8sObject] | None
) -> datetime | None:
    """When the newer generation began to run. A rollback reuses an old one, which knows only when it was first made."""
    made = instant(after.value, "metadata", "creationTimestamp")
    told = event_time(scaled.value) if scaled is not None else None
    older = instant(before.value, "metadata", "creationTimestamp")
    if told is None and made is not None and older is not None and made < older:
        started = [pod.created for pod in workload.pods_of(after) if pod.created is not None]
        told = min(started, default=None)
    return max((moment for moment in (made, told) if moment is not None), default=None)


def _differences(before: K8sObject, after: K8sObject, template: Path) -> Iterator[Path]:
    spec: Path = (*template, "spec")
    for field in ("containers", "initContainers"):
        olds = {text(item, "name"): item for item in items(before, *spec, field)}
        for place, item in enumerate(items(after, *spec, field)):
            old = olds.get(text(item, "name"), {})
            yield from (
                (*spec, field, place, part) for part in _PARTS if item.get(part) != old.get(part) and part in item
            )
            yield from ((*spec, field, place, "name") for part in _PARTS if part in old and part not in item)
    for part in (
        "serviceAccountName",
        "nodeSelector",
        "affinity",
        "tolerations",
        "volumes",
        "securityContext",
        "dnsPolicy",
    ):
        if dig(before, *spec, part) != dig(after, *spec, part) and dig(after, *spec, part) is not None:
            yield (*spec, part)
    yield from _hashes(before, after, (*template, "metadata", "annotations"))


def _hashes(before: K8sObject, after: K8sObject, base: Path) -> Iterator[Path]:
    """Annotations that carry the hash of a configuration, so that changing it rolls the pods."""
    old: Mapping[str, Any] = mapping(before, *base)
    for key, value in mapping(after, *base).items():
        if old.get(key) != value and any(word in key.lower() for word in _HASHES):
            yield (*base, key)
