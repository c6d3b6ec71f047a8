"""What ``agent-sre doctor`` looks at: the service's own ground first, then each configured dependency."""

from __future__ import annotations

import tempfile
from pathlib import Path

from agent_sre.actions.catalogue import ACTIONS
from agent_sre.bootstrap.live import signals
from agent_sre.bootstrap.log_store import log_store_probe
from agent_sre.bootstrap.metrics import metrics_probes
from agent_sre.bootstrap.running import database_url, webhook_auth
from agent_sre.bootstrap.snapshot import runbooks
from agent_sre.bootstrap.tools import tool_probes
from agent_sre.bootstrap.trace_store import trace_store_probe
from agent_sre.domain.errors import AgentSreError
from agent_sre.ports.health import Check, CheckState, Probe
from agent_sre.settings import PREFIX, Settings, readable_namespaces

WEBHOOKS = (("alertmanager", "alerts", CheckState.FAILED), ("changes", "changes", CheckState.SKIPPED))


async def examine(settings: Settings) -> tuple[Check, ...]:
    """All checks, in the order in which a person would mend what is wrong."""
    checks = [_data_dir(settings), await _database(settings), _runbooks(settings), _signals(settings)]
    checks += [*(_webhook(settings, *webhook) for webhook in WEBHOOKS), _console(settings)]
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


async def _database(settings: Settings) -> Check:
    from agent_sre.adapters.store_sql import open_store

    url = database_url(settings)
    if not _exists(url):
        return Check("database", CheckState.OK, "none yet; it is made at the first start")
    try:
        store = await open_store(url)
        try:
            newest = await store.incidents.newest(1)
        finally:
            await store.close()
    except AgentSreError as error:
        return Check("database", CheckState.FAILED, str(error), "see the message; a damaged file must be restored")
    latest = f", newest incident {newest[0].id}" if newest else ", no incidents yet"
    return Check("database", CheckState.OK, f"{url} answers{latest}")


def _exists(url: str) -> bool:
    return Path(url.removeprefix("sqlite:///")).exists()


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


def _webhook(settings: Settings, source: str, what: str, without: CheckState) -> Check:
    """``without``: how bad it is that no secret is set, so that everything is refused."""
    subject, name = f"webhook {source}", f"{PREFIX}{source.upper()}_TOKEN"
    auth = webhook_auth(settings)[source]
    if auth.bearer:
        return Check(subject, CheckState.OK, "needs its bearer token")
    if settings.loopback:
        return Check(subject, CheckState.OK, "open, reachable from this machine only")
    if auth.open_without_secret:
        return Check(subject, CheckState.WARNING, f"accepts anybody's {what}, as configured", f"set {name}")
    fix = f"set {name} and send it from the source"
    return Check(subject, without, f"no secret is configured, so all {what} are refused", fix)


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
    if settings.kubernetes != "off":
        from agent_sre.adapters.kubernetes_api import KubernetesProbe, KubernetesWriterProbe, Reach

        looked_at = settings.listed(settings.namespaces) or ("",)
        place = settings.kubernetes_context
        access, reach = (settings.kubernetes, settings.kubeconfig, place), Reach(readable_namespaces(settings))
        probes.append(KubernetesProbe(*access, looked_at, reach, settings.helm_secrets))
        if settings.actions_mode == "approve":
            own = settings.actions_kubeconfig
            place = "" if own else place
            namespaces = settings.listed(settings.actions_namespaces)
            kinds = tuple(sorted({kind for action in ACTIONS.values() for kind in action.targets}))
            probes.append(
                KubernetesWriterProbe(
                    settings.kubernetes, own or settings.kubeconfig, place, namespaces=namespaces, kinds=kinds
                )
            )
    return probes
