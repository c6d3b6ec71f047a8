"""What the kernels of nodes say in their journals about killing for memory.

The kernel kills inside one memory cgroup (a container at its limit; the cgroup's path carries the pod's uid) or, where
the whole node has run out, anywhere. The runtime reports only the first process of a container as OOMKilled: a child
that is killed shows here and nowhere else.
"""

import re
from collections.abc import Iterator

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.kubernetes.logs import LineSeen
from agent_sre.analysis.kubernetes.pods import Pod
from agent_sre.analysis.kubernetes.reading import text

JOURNALS = "@nodes"
_KILL = re.compile(r"oom-kill:|Memory cgroup out of memory|Killed process \d+")
_WHOLE_NODE = re.compile(
    r"CONSTRAINT_NONE|global_oom|^Out of memory: Killed process|kernel: Out of memory: Killed process"
)


def journal(case: CaseFile, node: str) -> Iterator[LineSeen]:
    """The lines of all units of a node, unit by unit."""
    for seen in case.streams:
        if seen.value.source.namespace == JOURNALS and seen.value.source.pod == node:
            yield from ((seen, line) for line in seen.value.lines)


def kernel_kill(case: CaseFile, pod: Pod) -> LineSeen | None:
    """The kernel's line about a kill in this pod's own cgroup, or None."""
    uid = text(pod.seen.value, "metadata", "uid")
    if not uid or not pod.node:
        return None
    forms = (uid, uid.replace("-", "_"))
    for seen, line in journal(case, pod.node):
        if _KILL.search(line.text) and any(form in line.text for form in forms):
            return seen, line
    return None


def node_out_of_memory(case: CaseFile, node: str) -> LineSeen | None:
    """The kernel's line about a kill for want of memory on the whole node, or None."""
    return next((item for item in journal(case, node) if _WHOLE_NODE.search(item[1].text)), None)
