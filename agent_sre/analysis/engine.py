"""The deterministic engine: every analyzer over one case file.

``ANALYZERS`` is the whole of it, in the order of the families; an analyzer is a pure function from the case to
findings, one line here. Nothing is ranked here (``judge``). Called by the graph's analyzing node.
"""

from collections.abc import Callable, Iterable

from agent_sre.analysis.admission import analyze_admission
from agent_sre.analysis.autoscalers import autoscalers_limited
from agent_sre.analysis.batch import analyze_batch
from agent_sre.analysis.batch_jobs import batch_job_contention
from agent_sre.analysis.caches import cache_stampede
from agent_sre.analysis.callers import analyze_callers
from agent_sre.analysis.calls_per_request import calls_per_request
from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.changes import change_findings
from agent_sre.analysis.clients import client_abuse
from agent_sre.analysis.clock_skew import clock_skew
from agent_sre.analysis.config_edits import config_edits
from agent_sre.analysis.control_plane import analyze_control_plane
from agent_sre.analysis.cut_short import cut_short
from agent_sre.analysis.data_stores import analyze_data_stores
from agent_sre.analysis.databases import (
    connections_used_up,
    disk_full_told,
    slow_statements,
    statement_spans,
    store_signals,
    transactions_left_open,
    volumes_full,
)
from agent_sre.analysis.gateways import analyze_gateways
from agent_sre.analysis.gitops import analyze_gitops
from agent_sre.analysis.heartbeats import analyze_heartbeats
from agent_sre.analysis.infrastructure import analyze_infrastructure
from agent_sre.analysis.ingress import analyze_ingresses
from agent_sre.analysis.log_errors import log_findings
from agent_sre.analysis.lookups import analyze_lookups
from agent_sre.analysis.mesh import analyze_mesh
from agent_sre.analysis.network import network_delay, packet_loss
from agent_sre.analysis.node_network import node_network_delay
from agent_sre.analysis.node_trouble import analyze_node_trouble
from agent_sre.analysis.nothing_wrong import no_fault_found
from agent_sre.analysis.observability import alert_rule_edited, alert_rule_wrong, no_data, scrape_target_down
from agent_sre.analysis.origin import origins
from agent_sre.analysis.outside import provider_outage, traffic_surge
from agent_sre.analysis.performance import hpa_at_max, memory_leak, noisy_neighbor
from agent_sre.analysis.policies import analyze_policies
from agent_sre.analysis.probes import analyze_probes
from agent_sre.analysis.process_limits import analyze_process_limits
from agent_sre.analysis.queues import poison_message, queue_backlog
from agent_sre.analysis.rights import analyze_rights
from agent_sre.analysis.rollout import analyze_rollout
from agent_sre.analysis.routes import analyze_routes
from agent_sre.analysis.routing import analyze_routing
from agent_sre.analysis.runtime import analyze_runtime
from agent_sre.analysis.scheduling import analyze_scheduling
from agent_sre.analysis.short_deadlines import short_deadlines
from agent_sre.analysis.startup import analyze_startup
from agent_sre.analysis.told_by_alerts import told_by_alerts
from agent_sre.analysis.trace_times import slow_operations
from agent_sre.analysis.traces import trace_findings
from agent_sre.analysis.volumes import analyze_volumes
from agent_sre.analysis.zones import analyze_zones
from agent_sre.domain.finding import Finding

Analyzer = Callable[[CaseFile], Iterable[Finding]]

ANALYZERS: tuple[Analyzer, ...] = (
    analyze_admission,
    analyze_rights,
    analyze_scheduling,
    analyze_volumes,
    analyze_startup,
    analyze_runtime,
    analyze_process_limits,
    analyze_batch,
    analyze_probes,
    analyze_routing,
    analyze_callers,
    analyze_policies,
    analyze_gateways,
    analyze_ingresses,
    analyze_routes,
    analyze_mesh,
    analyze_lookups,
    analyze_data_stores,
    store_signals,
    connections_used_up,
    transactions_left_open,
    slow_statements,
    statement_spans,
    disk_full_told,
    volumes_full,
    cache_stampede,
    queue_backlog,
    poison_message,
    analyze_infrastructure,
    analyze_node_trouble,
    analyze_heartbeats,
    analyze_zones,
    analyze_control_plane,
    clock_skew,
    analyze_rollout,
    analyze_gitops,
    config_edits,
    memory_leak,
    hpa_at_max,
    autoscalers_limited,
    noisy_neighbor,
    network_delay,
    packet_loss,
    node_network_delay,
    told_by_alerts,
    origins,
    cut_short,
    short_deadlines,
    trace_findings,
    slow_operations,
    log_findings,
    traffic_surge,
    calls_per_request,
    provider_outage,
    client_abuse,
    batch_job_contention,
    alert_rule_wrong,
    alert_rule_edited,
    scrape_target_down,
    no_data,
    no_fault_found,
    change_findings,
)


def analyze(case: CaseFile) -> tuple[Finding, ...]:
    """All findings, in the order of the analyzers; the same case gives the same findings."""
    return tuple(finding for analyzer in ANALYZERS for finding in analyzer(case))
