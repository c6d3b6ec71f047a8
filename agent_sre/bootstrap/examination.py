"""What ``agent-sre doctor`` looks at: the service's own ground first, then each configured dependency."""

from __future__ import annotations

import tempfile

from agent_sre.adapters.clock_system import SystemClock
from agent_sre.bootstrap.acting import acting_rights
from agent_sre.bootstrap.database import database_url
from agent_sre.bootstrap.live import open_topology, signals
from agent_sre.bootstrap.log_store import log_store_probe
from agent_sre.bootstrap.metrics import metrics_probes
from agent_sre.bootstrap.repositories import repository_probes
from agent_sre.bootstrap.snapshot import runbooks
from agent_sre.bootstrap.suppression import silence_probes, site
from agent_sre.bootstrap.tools import tool_probes
from agent_sre.bootstrap.trace_store import trace_store_probe
from agent_sre.bootstrap.webhook_doors import CHANGES, doors
from agent_sre.bootstrap.writeback import writeback_check
from agent_sre.domain.errors import AgentSreError, PermanentError
from agent_sre.entrypoints.webhook_door import Door
from agent_sre.ports.health import Check, CheckState, Probe
from agent_sre.settings import PREFIX, Settings, readable_namespaces


async def examine(settings: Settings) -> tuple[Check, ...]:
    """All checks, in the order in which a person would mend what is wrong."""
    checks = [_data_dir(settings), *await _database(settings), _runbooks(settings), _signals(settings)]
    checks += [*_topology(settings), *_suppression(settings)]
    checks += [*_webhooks(settings), _console(settings), writeback_check(settings)]
    for probe in await _probes(settings):
        checks += await probe.check()
    if not settings.prometheus_url and not settings.prometheus_instances:
        fix = f"set {PREFIX}PROMETHEUS_URL; without it metrics are an evidence gap"
        checks.append(Check("prometheus", CheckState.SKIPPED, "not configured", fix))
    if settings.logs_backend == "none":
        fix = f"set {PREFIX}LOGS_BACKEND; without it only lines that the containers' runtime still has are seen"
        checks.append(Check("log store", CheckState.SKIPPED, "not configured", fix))
    if settings.traces_backend == "none":
        fix = f"set {PREFIX}TRACES_BACKEND; without it traces are an evidence gap"
        checks.append(Check("trace store", CheckState.SKIPPED, "not configured", fix))
    return tuple(checks)


def _data_dir(settings: Settings) -> Check:
    folder = settings.data_dir.resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        fix = f"make it writable for this user, or set {PREFIX}DATA_DIR"
        return Check("data folder", CheckState.FAILED, f"{folder}: {error.strerror}", fix)
    return Check("data folder", CheckState.OK, f"{folder} is writable")


async def _database(settings: Settings) -> list[Check]:
    from agent_sre.adapters.store_sql import DatabaseProbe

    try:
        return list(await DatabaseProbe(database_url(settings)).check())
    except AgentSreError as error:
        return [Check("database", CheckState.FAILED, str(error), f"correct {PREFIX}DATABASE_URL")]


def _runbooks(settings: Settings) -> Check:
    try:
        count = len(runbooks(settings))
    except AgentSreError as error:
        return Check("runbooks", CheckState.FAILED, str(error), "agent-sre runbooks check names file, line and fix")
    return Check("runbooks", CheckState.OK, f"{count} loaded")


def _signals(settings: Settings) -> Check:
    try:
        count = len(signals(settings))
    except AgentSreError as error:
        return Check("signal catalogue", CheckState.FAILED, str(error), f"correct {PREFIX}SIGNALS_FILE")
    return Check("signal catalogue", CheckState.OK, f"{count} metrics known")


def _topology(settings: Settings) -> list[Check]:
    """The site's file of calls, where one is named."""
    try:
        found = open_topology(settings)
    except AgentSreError as error:
        return [Check("topology file", CheckState.FAILED, str(error), f"correct {PREFIX}TOPOLOGY_FILE")]
    return [Check("topology file", CheckState.OK, f"{settings.topology_file} can be read")] if found else []


def _suppression(settings: Settings) -> list[Check]:
    """The site's file of windows and rules, where one is named."""
    try:
        found = site(settings)
    except AgentSreError as error:
        return [Check("suppression file", CheckState.FAILED, str(error), f"correct {PREFIX}SUPPRESSION_FILE")]
    told = f"{settings.suppression_file}: {len(found.windows)} windows, {len(found.rules)} inhibition rules"
    return [Check("suppression file", CheckState.OK, told)] if settings.suppression_file else []


def _webhooks(settings: Settings) -> list[Check]:
    """One line for each webhook that somebody uses; one for all the others, which are closed."""
    try:
        found = doors(settings, SystemClock())
    except PermanentError as error:
        return [Check("webhooks", CheckState.FAILED, str(error), "correct the setting named")]
    checks = [
        _webhook(f"webhook {name}", door) for name, door in found.items() if door.guarded or not settings.loopback
    ]
    used = [check for check in checks if check.state is not CheckState.SKIPPED]
    closed = ", ".join(name for name, door in found.items() if door.closed)
    if settings.loopback:
        unguarded = ", ".join(name for name, door in found.items() if not (door.guarded or door.closed))
        used.append(Check("other webhooks", CheckState.OK, f"open, reachable from this machine only: {unguarded}"))
    elif all(door.closed for name, door in found.items() if name != CHANGES):
        fix = f"set {found['alertmanager'].setting}, or what another source needs (docs/alerts.md)"
        used.append(Check("webhooks", CheckState.FAILED, "no source has a secret, so all alerts are refused", fix))
    if closed:
        fix = "set what a source needs to use it (docs/alerts.md)"
        used.append(Check("closed webhooks", CheckState.SKIPPED, closed, fix))
    return used


def _webhook(subject: str, door: Door) -> Check:
    if door.closed:
        return Check(subject, CheckState.SKIPPED, "closed", f"set {door.setting}")
    if not door.guarded:
        return Check(subject, CheckState.WARNING, "accepts anybody's messages, as configured", f"set {door.setting}")
    needs = "a signature" if door.signature else "its secret" if door.auth.secret else ""
    needs = " and ".join(filter(None, (needs, "its key in the path" if door.route_key else "")))
    return Check(subject, CheckState.OK, f"needs {needs}")


def _console(settings: Settings) -> Check:
    if settings.console_token.get_secret_value():
        return Check("console", CheckState.OK, "login with the token")
    return Check("console", CheckState.OK, "open, reachable from this machine only")


async def _probes(settings: Settings) -> list[Probe]:
    probes = metrics_probes(settings)
    log_store = log_store_probe(settings)
    trace_store = trace_store_probe(settings)
    probes += [probe for probe in (log_store, trace_store) if probe is not None]
    probes += tool_probes(settings)
    probes += repository_probes(settings)
    probes += silence_probes(settings)
    if settings.kubernetes != "off":
        from agent_sre.adapters.kubernetes_api import KubernetesProbe, KubernetesWriterProbe, Reach

        looked_at = settings.listed(settings.namespaces) or ("",)
        place = settings.kubernetes_context
        access, reach = (settings.kubernetes, settings.kubeconfig, place), Reach(readable_namespaces(settings))
        probes.append(KubernetesProbe(*access, looked_at, reach, settings.helm_secrets))
        if settings.actions_mode == "approve":
            own = settings.actions_kubeconfig
            place = "" if own else place
            config = own or settings.kubeconfig
            probes.append(KubernetesWriterProbe(settings.kubernetes, config, place, rights=acting_rights(settings)))
    return probes
