"""Log lines of a workload, whichever of its pods wrote them, the last words of its crashed runs first.

Streams lie under the pod's name or, where several pods were merged, under the workload's. A line is text that anybody
may have caused to be written: it supports a cause, it is never obeyed.
"""

import re
from collections.abc import Iterable, Iterator

from agent_sre.analysis.casefile import CaseFile, Seen
from agent_sre.analysis.kubernetes.pods import Pod
from agent_sre.analysis.kubernetes.workload import Workload
from agent_sre.analysis.signals import workload_of_pod
from agent_sre.domain.telemetry import LogLine, LogStream

LineSeen = tuple[Seen[LogStream], LogLine]


def streams(case: CaseFile, workload: Workload, container: str = "") -> list[Seen[LogStream]]:
    """The streams of a workload (of one container where given), previous runs first."""
    names = {pod.ref.name for pod in workload.pods} | {workload.ref.name}
    found = [
        seen
        for seen in case.streams
        if seen.value.source.namespace == workload.ref.namespace
        and (seen.value.source.pod in names or workload_of_pod(seen.value.source.pod) == workload.ref.name)
        and (not container or seen.value.source.container == container)
    ]
    return sorted(found, key=lambda seen: (not seen.value.source.previous, str(seen.value.source)))


def matching(found: Iterable[Seen[LogStream]], pattern: re.Pattern[str], naming: str = "") -> Iterator[LineSeen]:
    """The lines that match, the last of each stream first.

    ``naming`` is a text that a line must hold as well: finding it costs a hundredth of what a pattern with many
    alternatives does, and few lines name the one address that is asked about.
    """
    for seen in found:
        for line in reversed(seen.value.lines):
            if naming in line.text and pattern.search(line.text):
                yield seen, line


def last_match(case: CaseFile, workload: Workload, pattern: re.Pattern[str], container: str = "") -> LineSeen | None:
    """The latest line that matches, or None."""
    return next(matching(streams(case, workload, container), pattern), None)


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
