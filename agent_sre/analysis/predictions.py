"""What each kind of cause predicts besides what it was found by, and what became of these predictions.

A hypothesis is worth what it forbids. Each fault type, or else its family, has a few predictions: things that must be
so if it is the cause, and that some rival says nothing of or contradicts. A prediction that fails is a fact against the
cause and lowers it; one that could not be looked at names a gap. Where two causes are close, the cheapest query is the
one for something that the first predicts, the second does not, and nobody has seen yet. Rows are what operators know;
a row is only right where the thing predicted shows in any cluster that has this fault, however it came about.
"""

import re
from dataclasses import dataclass, replace

from agent_sre.analysis import checks
from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.checks import Check, Outcome, State
from agent_sre.domain.fault import fault_types
from agent_sre.domain.finding import Fact, Finding

_GET = "kubectl -n {namespace} get pods -o wide | grep {name}"
_DESCRIBE = "kubectl -n {namespace} describe pods | grep -A6 'Last State'"
_RATE = 'sum by (response_code) (rate(istio_requests_total{{destination_workload="{name}"}}[5m]))'
_P95 = (
    "histogram_quantile(0.95, sum by (le) (rate("
    'istio_request_duration_milliseconds_bucket{{destination_workload="{name}"}}[5m])))'
)
_CPU = 'sum by (pod) (rate(container_cpu_usage_seconds_total{{namespace="{namespace}",pod=~"{name}-.*"}}[5m]))'
_MEMORY = 'container_memory_working_set_bytes{{namespace="{namespace}",pod=~"{name}-.*"}}'
_THROTTLED = (
    'sum by (pod) (rate(container_cpu_cfs_throttled_periods_total{{namespace="{namespace}",pod=~"{name}-.*"}}[5m]))'
)
_NODE = "kubectl describe node {name}"
_DROPPED = 'rate(container_network_receive_packets_dropped_total{{namespace="{namespace}",pod=~"{name}-.*"}}[5m])'


def _logs(words: str) -> str:
    return "kubectl -n {namespace} logs deploy/{name} --since=30m | grep -iE '" + words + "'"


_NO_NAME = r"no such host|name resolution|could not resolve|unknown host|getaddrinfo|NXDOMAIN|lookup .* on"
_NO_LINK = r"refused|unreachable|reset|timed? ?out|deadline|unavailable|broken pipe|EOF|no route"
_LATE = r"time.?d? ?out|deadline|exceeded|cancel"
_ERROR = r"error|exception|panic|fatal|traceback|fail|critical|severe"

RESTARTED = Check("its containers were restarted", checks.pods(checks.restarted, "was restarted"), _GET)
OOM_END = Check(
    "its last run was killed for lack of memory",
    checks.pods(checks.killed_for_memory, "was killed for memory"),
    _DESCRIBE,
)
WAITING = Check("a container waits to start", checks.pods(checks.waits, "waits to start"), _GET)
PENDING = Check("no node has taken a pod of it", checks.pods(checks.unscheduled, "has no node"), _GET)
NOT_READY = Check("a pod of it is not ready", checks.pods(checks.not_ready, "is not ready"), _GET)
SHORT = Check(
    "it has fewer pods than it wants",
    checks.short_of_pods,
    "kubectl -n {namespace} get rs -o wide | grep {name}",
)
SERVING = Check(
    "its Service has addresses that serve",
    checks.addresses(True),
    "kubectl -n {namespace} get endpoints {name} -o yaml",
)
DESERTED = Check(
    "its Service has no address that serves",
    checks.addresses(False),
    "kubectl -n {namespace} get endpoints {name} -o yaml",
)
NO_NAME = Check(
    "its log speaks of a name that does not resolve",
    checks.speaks(_NO_NAME),
    _logs("no such host|resolve"),
)
NO_LINK = Check(
    "its callers' logs speak of connections that fail",
    checks.speaks(_NO_LINK, callers=True),
    _logs("refused|timeout|unavailable"),
)
LATE = Check("its log speaks of deadlines", checks.speaks(_LATE), _logs("timeout|deadline"))
ERRORS = Check("its log began to report errors", checks.speaks(_ERROR), _logs("error|exception|panic"))
FAILING = Check("more of its requests fail", checks.failing, _RATE)
SLOWER = Check("its requests take longer", checks.level("latency", least=1.1), _P95)
BUSIER = Check("it uses more CPU", checks.level("cpu"), _CPU)
NOT_BUSIER = Check("its CPU does not rise", checks.level("cpu", up=False), _CPU)
THROTTLED = Check("it is throttled more", checks.level("throttling", least=1.1), _THROTTLED)
MORE_MEMORY = Check("its memory rises", checks.level("memory", least=1.1), _MEMORY)
MORE_TRAFFIC = Check("it gets more requests", checks.level("traffic"), _RATE)
USUAL_TRAFFIC = Check("it gets no more requests than usual", checks.level("traffic", up=False, least=1.8), _RATE)
SUFFERING = Check("who calls it is slower or fails", checks.suffering, _P95)
POLICY = Check(
    "a NetworkPolicy selects its pods", checks.policy_selects, "kubectl -n {namespace} get networkpolicy -o yaml"
)
NODE_DOWN = Check("the node is not ready", checks.node_condition("Ready", "not True"), _NODE)
NODE_UP = Check("the node reports that it is ready", checks.node_condition("Ready", "True"), _NODE)
MEMORY_PRESSURE, DISK_PRESSURE, PID_PRESSURE = (
    Check(f"the node reports {kind}", checks.node_condition(kind, "True"), _NODE)
    for kind in ("MemoryPressure", "DiskPressure", "PIDPressure")
)
ON_NODE = Check(
    "pods on the node do not serve",
    checks.on_node_suffer,
    "kubectl get pods -A -o wide --field-selector spec.nodeName={name}",
)
DROPS = Check("packets are dropped", checks.level("network", least=1.1), _DROPPED)

_FAMILY: dict[str, tuple[Check, ...]] = {
    "admission": (SHORT,),
    "scheduling": (PENDING,),
    "startup": (NOT_READY,),
    "service_routing": (NO_LINK, SUFFERING),
    "data_stores": (ERRORS, SUFFERING),
    "performance": (SLOWER, SUFFERING),
    "infrastructure": (ON_NODE,),
    "change": (FAILING, SLOWER, ERRORS),
}
_TABLE: dict[str, tuple[Check, ...]] = {
    "rbac_forbidden": (),  # a program without a right may crash, or go on with what it knew
    "oom_killed": (OOM_END, MORE_MEMORY),
    "memory_leak": (MORE_MEMORY, OOM_END),
    "crash_on_start": (RESTARTED, NOT_READY, ERRORS),
    "config_invalid": (NOT_READY, ERRORS),
    "incorrect_command": (NOT_READY,),
    "incorrect_image_reference": (WAITING, NOT_READY),
    "missing_secret_binding": (WAITING, NOT_READY),
    "missing_config_map": (WAITING, NOT_READY),
    "unhandled_exception": (ERRORS, FAILING),
    "deadlock": (SLOWER, NOT_BUSIER),
    "liveness_probe_incorrect_protocol": (RESTARTED,),
    "liveness_probe_incorrect_port": (RESTARTED,),
    "liveness_probe_incorrect_timing": (RESTARTED,),
    "readiness_probe_incorrect_protocol": (NOT_READY, DESERTED),
    "readiness_probe_incorrect_port": (NOT_READY, DESERTED),
    "startup_probe_too_short": (RESTARTED, NOT_READY),
    "deployment_zero_replicas": (DESERTED, NO_LINK),
    "service_selector_mismatch": (DESERTED, NO_LINK),
    "service_port_mapping_mismatch": (NO_LINK, SUFFERING),
    "service_protocol_mismatch": (SERVING, NO_LINK),
    "service_env_var_address_mismatch": (NO_LINK,),
    "service_dns_resolution_failure": (NO_NAME,),
    "network_policy_denied": (SERVING, POLICY, NO_LINK),
    "pod_cpu_overload": (BUSIER, SLOWER, SUFFERING),
    "pod_cpu_throttled": (THROTTLED, SLOWER, SUFFERING),
    "pod_network_delay": (NOT_BUSIER, SUFFERING),
    "pod_network_loss": (DROPS, SUFFERING),
    "n_plus_one_queries": (SLOWER, USUAL_TRAFFIC),
    "timeout_too_short": (LATE, FAILING),
    "traffic_surge": (MORE_TRAFFIC,),
    "client_abuse": (MORE_TRAFFIC,),
    "upstream_provider_outage": (FAILING, NOT_BUSIER, USUAL_TRAFFIC),
    "node_not_ready": (NODE_DOWN, ON_NODE),
    "kubelet_unavailable": (NODE_DOWN,),
    "containerd_unavailable": (ON_NODE,),
    "kube_proxy_unavailable": (NODE_UP,),
    "node_memory_pressure": (MEMORY_PRESSURE,),
    "node_disk_pressure": (DISK_PRESSURE,),
    "node_pid_pressure": (PID_PRESSURE,),
    "node_network_delay": (NODE_UP,),
}
_PLAIN = re.compile(r"[A-Za-z0-9_.:/-]*")
"""Names that mean nothing to a shell or to PromQL but themselves."""
_ANY_IS_ENOUGH = frozenset({"change"})
"""Families whose predictions are alternatives: a bad change shows as failures, or slowness, or errors in the log."""


@dataclass(frozen=True, slots=True)
class Tested:
    """A prediction of one finding, and what became of it."""

    check: Check
    outcome: Outcome


def predicted(fault: str) -> tuple[Check, ...]:
    """What a fault type predicts, by its own row, else by its family's."""
    known = fault_types().get(fault)
    if fault in _TABLE:
        return _TABLE[fault]
    return _FAMILY.get(known.family, ()) if known else ()


def test(case: CaseFile, finding: Finding) -> tuple[Tested, ...]:
    """Look for everything that a finding predicts. Of alternatives one that holds excuses those that fail."""
    tested = tuple(Tested(check, check.look(case, finding.object)) for check in predicted(finding.fault))
    known = fault_types().get(finding.fault)
    alternatives = known is not None and known.family in _ANY_IS_ENOUGH
    if alternatives and any(item.outcome.state is State.HOLDS for item in tested):
        return tuple(item for item in tested if item.outcome.state is not State.FAILS)
    return tested


def failed(tested: tuple[Tested, ...]) -> tuple[Fact, ...]:
    """What speaks against a cause because it was to be expected otherwise."""
    return tuple(
        replace(fact, text=f"{fact.text}, where {item.check.says} was to be expected")
        for item in tested
        if item.outcome.state is State.FAILS
        for fact in item.outcome.facts[:1]
    )


def settling(first: Finding, second: Finding | None, tested: tuple[Tested, ...]) -> str:
    """The query that tells the first from the second: for what the first alone predicts, best what nobody saw yet.

    What follows ``#``, a comment to a shell and to PromQL alike, says which answer speaks for which cause. People paste
    what stands here: names come from telemetry, so one that could be more than a name gets words instead of a command.
    """
    named = (first.object.namespace, first.object.name, *((second.object.name,) if second is not None else ()))
    if not all(_PLAIN.fullmatch(name) for name in named):
        return first.distinguish
    theirs = {check.says for check in predicted(second.fault)} if second is not None else set()
    same_object = second is not None and second.object == first.object
    telling = [item for item in tested if not (same_object and item.check.says in theirs)]
    ranked = sorted(telling or tested, key=lambda item: item.outcome.state is not State.UNSEEN)
    for item in ranked:
        query = item.check.query.format(namespace=first.object.namespace, name=first.object.name)
        expected = f"{item.check.says} if it is {first.fault} at {first.object.name}"
        rival = f"; not so if it is {second.fault} at {second.object.name}" if second is not None else ""
        return f"{query}  # {expected}{rival}"
    return first.distinguish
