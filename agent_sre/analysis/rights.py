"""Rights: an identity that the API server will not let do what its program needs.

The refusal is in the program's own log, in the API server's words, which name the user, the verb and the resource. A
program may go on without (a router that keeps its old table), crash, or fail as a Job; the missing right is the cause
in each case, so where the workload is broken it counts for more than the exit. Rights of the controllers that create
pods are ``admission``'s.
"""

import re
from collections.abc import Iterator
from datetime import timedelta

from agent_sre.analysis.casefile import CaseFile, K8sObject, Seen
from agent_sre.analysis.kubernetes.cluster import cluster_of
from agent_sre.analysis.kubernetes.excerpts import fact, log_fact
from agent_sre.analysis.kubernetes.logs import LineSeen, last_match
from agent_sre.analysis.kubernetes.rbac import granting
from agent_sre.analysis.kubernetes.reading import text
from agent_sre.analysis.kubernetes.workload import Workload
from agent_sre.domain.finding import Fact, Finding

_REFUSED = re.compile(
    r"User \\?\"(?P<user>[^\"\\]{1,200})\\?\" cannot (?P<verb>\w+) (?:resource|path) \\?\"(?P<resource>[^\"\\]{1,120})",
    re.I,
)
_REFUSED_HOLDS = ("cannot",)
_RECENT = timedelta(hours=1)


def analyze_rights(case: CaseFile) -> Iterator[Finding]:
    """One finding for each workload whose log tells of a right that it lacks."""
    for workload in cluster_of(case).in_scope():
        found = last_match(case, workload, _REFUSED, holding=_REFUSED_HOLDS)
        if found is None or _long_ago(case, found):
            continue
        match = _REFUSED.search(found[1].text)
        if match is None:
            continue
        granted = granting(case, match["user"], match["verb"], match["resource"], workload.ref.namespace)
        failed = workload.broken or any(pod.phase == "Failed" for pod in workload.pods)
        yield Finding(
            analyzer="rights",
            fault="rbac_forbidden",
            object=workload.ref,
            strength=0.92 if failed else 0.8,
            statement=f"{workload.ref} lacks a right: it cannot {match['verb']} {match['resource']}.",
            facts=(log_fact("Its log quotes the API server's refusal", *found), *_identity(workload)),
            against=(_granted(granted),) if granted is not None else (),
            onset=found[1].time,
            distinguish=f"kubectl auth can-i {match['verb']} {match['resource']} --as={match['user']}",
        )


def _granted(binding: Seen[K8sObject]) -> Fact:
    return fact("The right is granted by now", binding, ("roleRef",), ("subjects",))


def _long_ago(case: CaseFile, found: LineSeen) -> bool:
    moment = found[1].time
    return moment is not None and moment < case.now - _RECENT


def _identity(workload: Workload) -> list[Fact]:
    """The service account that the template names, where it names one."""
    source = workload.spec_source
    if source is None or not text(source[0].value, *source[1], "serviceAccountName"):
        return []
    return [fact("The identity that its pods use", source[0], (*source[1], "serviceAccountName"))]
