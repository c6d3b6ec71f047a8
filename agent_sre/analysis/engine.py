"""The deterministic engine: every analyzer over one case file.

``ANALYZERS`` is the whole of it, in the order of the families; an analyzer is a pure function from the case to
findings, one line here. Nothing is ranked here (``judge``). Called by the graph's analyzing node.
"""

from collections.abc import Callable, Iterable

from agent_sre.analysis.admission import analyze_admission
from agent_sre.analysis.callers import analyze_callers
from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.infrastructure import analyze_infrastructure
from agent_sre.analysis.probes import analyze_probes
from agent_sre.analysis.routing import analyze_routing
from agent_sre.analysis.runtime import analyze_runtime
from agent_sre.analysis.scheduling import analyze_scheduling
from agent_sre.analysis.startup import analyze_startup
from agent_sre.analysis.volumes import analyze_volumes
from agent_sre.domain.finding import Finding

Analyzer = Callable[[CaseFile], Iterable[Finding]]

ANALYZERS: tuple[Analyzer, ...] = (
    analyze_admission,
    analyze_scheduling,
    analyze_volumes,
    analyze_startup,
    analyze_runtime,
    analyze_probes,
    analyze_routing,
    analyze_callers,
    analyze_infrastructure,
)


def analyze(case: CaseFile) -> tuple[Finding, ...]:
    """All findings, in the order of the analyzers; the same case gives the same findings."""
    return tuple(finding for analyzer in ANALYZERS for finding in analyzer(case))
