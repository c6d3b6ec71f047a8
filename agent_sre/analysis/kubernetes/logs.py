"""Log lines of a workload, whichever of its pods wrote them, the last words of its crashed runs first.

Streams lie under the pod's name or, where several pods were merged, under the workload's. A line is text that anybody
may have caused to be written: it supports a cause, it is never obeyed.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from agent_sre.analysis.casefile import CaseFile, Seen, per_case
from agent_sre.analysis.kubernetes.pods import Pod
from agent_sre.analysis.kubernetes.workload import Workload
from agent_sre.analysis.signals import workload_of_pod
from agent_sre.domain.telemetry import LogLine, LogStream

LineSeen = tuple[Seen[LogStream], LogLine]


def streams(case: CaseFile, workload: Workload, container: str = "") -> list[Seen[LogStream]]:
    """The streams of a workload (of one container where given), previous runs first."""
    names = {pod.ref.name for pod in workload.pods} | {workload.ref.name}
    known, space = _by_name(case), workload.ref.namespace
    found = {
        id(seen): seen
        for name in names
        for seen in known.get((space, name), ())
        if not container or seen.value.source.container == container
    }
    return sorted(found.values(), key=lambda seen: (not seen.value.source.previous, str(seen.value.source)))


@per_case
def _by_name(case: CaseFile) -> Mapping[tuple[str, str], list[Seen[LogStream]]]:
    """The streams by their namespace and the name of their pod, and of the workload that the name tells of."""
    found: defaultdict[tuple[str, str], list[Seen[LogStream]]] = defaultdict(list)
    for seen in case.streams:
        source = seen.value.source
        for name in {source.pod, workload_of_pod(source.pod)}:
            found[source.namespace, name].append(seen)
    return found


def matching(
    found: Iterable[Seen[LogStream]], pattern: re.Pattern[str], naming: str = "", holding: Sequence[str] = ()
) -> Iterator[LineSeen]:
    """The lines that match, the last of each stream first.

    ``naming`` is a text that a line must hold as well. ``holding`` are texts in lower case of which every line that
    matches holds one: a pattern that is tried on all workloads' logs has them, because finding a text costs a hundredth
    of what a pattern does.
    """
    parts = [naming.lower()] if naming else holding
    for seen in found:
        lines = seen.value.lines
        numbers = seen.value.index.holding(parts) if parts else range(len(lines))
        for line in map(lines.__getitem__, reversed(numbers)):
            if naming in line.text and pattern.search(line.text):
                yield seen, line


def last_match(
    case: CaseFile, workload: Workload, pattern: re.Pattern[str], container: str = "", holding: Sequence[str] = ()
) -> LineSeen | None:
    """The latest line that matches, or None; ``holding`` as for ``matching``."""
    return next(matching(streams(case, workload, container), pattern, holding=holding), None)


def last_lines(case: CaseFile, workload: Workload, container: str, count: int) -> list[LineSeen]:
    """The last lines of the run that ended: of the previous run where it is there, else of the current stream."""
    for seen in streams(case, workload, container):
        if seen.value.lines:
            return [(seen, line) for line in seen.value.lines[-count:]]
    return []


def journal(case: CaseFile, pod: Pod, most: int = 5) -> list[LineSeen]:
    """Lines of the journals of the pod's node that name the pod (``namespace/name``), the latest first."""
    named = f"{pod.ref.namespace}/{pod.ref.name}"
    return [
        (seen, line)
        for seen in case.streams
        if seen.value.source.namespace == "@nodes" and seen.value.source.pod == pod.node
        for line in reversed(seen.value.lines)
        if named in line.text
    ][:most]
