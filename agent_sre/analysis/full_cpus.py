"""Whether a workload's CPU explains by itself that it is slow: full, many times as busy, or one pod that spins alone.

A CPU that rises somewhat makes nothing much slower: requests wait only where it is nearly full, or where the work grew
so much that it must be. Then the CPU is the mechanism, and a change that happened to come before is no more than
possible. The same holds where one pod of several is busy and the others do the same work as ever: a change of the
workload changes all its pods. Called by ``ranking``, which weighs changes against what began after them.
"""

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.departures import Departure
from agent_sre.analysis.kubernetes.cluster import cluster_of
from agent_sre.analysis.kubernetes.reading import dig, quantity
from agent_sre.analysis.profiles import Profile, profiles
from agent_sre.analysis.resources import busier
from agent_sre.domain.finding import Finding

_FULL = 0.9
_MANY_TIMES = 4.0
_FEW = 0.5
"""A share of the pods below which what they do is not what the workload does."""


def explains_itself(case: CaseFile, trouble: Finding) -> bool:
    """Whether a finding of a busy CPU needs no change to explain what is seen; False for any other fault."""
    profile = profiles(case).get(trouble.object.name) if trouble.fault == "pod_cpu_overload" else None
    moved = busier(profile) if profile is not None else None
    if profile is None or moved is None:
        return False
    limit = cpu_limit(case, profile)
    full = limit is not None and moved.signal.unit == "cores" and moved.after >= _FULL * limit
    return full or moved.ratio >= _MANY_TIMES or _in_few_pods(profile)


def cpu_limit(case: CaseFile, profile: Profile) -> float | None:
    """Cores that one pod of a workload may use, by its metrics, else by its template; None where nothing limits it."""
    told = [item for item in profile.signals.get("limit", []) if item.labels.get("resource") == "cpu"]
    tops = [float(item.values[-1]) for item in told if item.values.size]
    for workload in cluster_of(case).workloads.values():
        if not tops and workload.ref.name == profile.entity.name:
            found = [quantity(dig(item.spec, "resources", "limits", "cpu")) for item in workload.containers]
            tops = [top for top in found if top]
    return max(tops, default=None)


def _in_few_pods(profile: Profile) -> bool:
    """Whether several pods are measured and fewer than half of them are busier than usual."""
    by_pod: dict[str, bool] = {}
    for moved in profile.departures.get("cpu", ()):
        pod = moved.signal.labels.get("pod", "")
        by_pod[pod] = by_pod.get(pod, False) or _rose(moved)
    return len(by_pod) > 1 and 0 < sum(by_pod.values()) < _FEW * len(by_pod)


def _rose(moved: Departure) -> bool:
    return moved.strong and moved.z > 0 and moved.ratio >= 1.5
