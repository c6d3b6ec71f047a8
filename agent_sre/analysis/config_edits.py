"""ConfigMaps that somebody edited just before the trouble began, read from who changed which field when.

The API server notes the time of the last write by each manager. An edit that rolled the pods shows as a rollout too;
one that did not, because the program reads its files anew, shows nowhere else. Time alone convicts nobody: the map must
be used by a workload in trouble, and what it holds should be what the first errors speak of. An edit after the onset is
somebody's attempt to help.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import exp

from agent_sre.analysis.casefile import CaseFile, K8sObject, Seen
from agent_sre.analysis.departures import alerted, incident_start
from agent_sre.analysis.evidence_words import incident_words, words_of
from agent_sre.analysis.kubernetes.cluster import cluster_of
from agent_sre.analysis.kubernetes.excerpts import fact
from agent_sre.analysis.kubernetes.reading import Path, instant, items, mapping, name_of, namespace_of, text
from agent_sre.analysis.kubernetes.workload import Workload
from agent_sre.analysis.log_entries import troubles
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.instant import format_instant

_LOOKBACK = timedelta(hours=6)
_SLACK = timedelta(minutes=2)
_FADES = 10 * 60.0
_CREATED = timedelta(minutes=1)
_ONCE = 1.5
"""How many shared words make it unlikely that they are shared by chance."""


def config_edits(case: CaseFile) -> Iterator[Finding]:
    """One finding for each edited map and each workload in trouble that uses it."""
    start = datetime.fromtimestamp(incident_start(case), UTC)
    troubled = alerted(case) | {item.workload for item in troubles(case) if item.severity >= 3}
    for seen in case.objects("ConfigMap"):
        edit = _last_edit(seen.value)
        if edit is None or not case.now - _LOOKBACK <= edit[1] <= start + _SLACK:
            continue
        for workload in cluster_of(case).in_scope():
            used = namespace_of(seen.value) == workload.ref.namespace and _uses(workload, name_of(seen.value))
            if used and (workload.ref.name in troubled or workload.broken):
                yield _finding(case, seen, edit, workload, (start - edit[1]).total_seconds())


def _last_edit(config: K8sObject) -> tuple[Path, datetime] | None:
    """The newest write that is later than the map itself: the path of its time, and the time."""
    made = instant(config, "metadata", "creationTimestamp")
    found: list[tuple[datetime, Path]] = []
    for place, _ in enumerate(items(config, "metadata", "managedFields")):
        path: Path = ("metadata", "managedFields", place, "time")
        moment = instant(config, *path)
        if moment is not None and (made is None or moment > made + _CREATED):
            found.append((moment, path))
    return (max(found)[1], max(found)[0]) if found else None


def _uses(workload: Workload, name: str) -> bool:
    """Whether the workload's pods take settings from the map: as a volume, an environment or single variables."""
    pod = workload.pod_spec
    sources = [item for volume in items(pod, "volumes") for item in (volume, *items(volume, "projected", "sources"))]
    volumes = [text(item, "configMap", "name") for item in sources]
    containers = [*items(pod, "containers"), *items(pod, "initContainers")]
    taken = [text(entry, "configMapRef", "name") for item in containers for entry in items(item, "envFrom")]
    variables = [entry for item in containers for entry in items(item, "env")]
    taken += [text(entry, "valueFrom", "configMapKeyRef", "name") for entry in variables]
    return name in {*volumes, *taken}


def _finding(
    case: CaseFile, seen: Seen[K8sObject], edit: tuple[Path, datetime], workload: Workload, ago: float
) -> Finding:
    path, moment = edit
    name = name_of(seen.value)
    held = words_of("\n".join(f"{key}: {value}" for key, value in mapping(seen.value, "data").items()))
    common = sorted(held & set(incident_words(case)))
    fit = 1.0 - exp(-len(common) / _ONCE)
    near = exp(-max(ago, 0.0) / _FADES)
    words = f"ConfigMap {name} was last edited before the first bad sample"
    facts: list[Fact] = [fact(words, seen, ("metadata", "name"), path, time=moment)]
    if common:
        data = mapping(seen.value, "data")
        keys = [key for key, value in data.items() if words_of(f"{key}: {value}") & set(common)]
        words = "The incident's first errors speak of what it sets"
        facts.append(fact(words, seen, *(("data", key) for key in keys[:2])))
    return Finding(
        analyzer="config_edits",
        fault="bad_config_change",
        object=workload.ref,
        strength=round((0.15 + 0.2 * near) + 0.5 * fit * (0.5 + 0.5 * near), 3),
        statement=f"ConfigMap {name}, which {workload.ref} uses, was edited just before the trouble began.",
        facts=tuple(facts),
        change=f"{workload.ref.namespace}/configmap/{name}@{format_instant(moment)}",
        onset=moment,
        distinguish=f"kubectl -n {workload.ref.namespace} get configmap {name} -o yaml --show-managed-fields",
    )
