"""The systems that are told what became of their alerts, as far as the settings switch them on."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from agent_sre.bootstrap.suppression import alertmanagers
from agent_sre.domain.errors import PermanentError
from agent_sre.ports.health import Check, CheckState
from agent_sre.service.write_back import WriteBack
from agent_sre.settings import PREFIX, Settings

if TYPE_CHECKING:
    from agent_sre.adapters.store_sql import SqlStore
    from agent_sre.ports.clock import Clock
    from agent_sre.ports.writeback import SourceWriter


def write_back(settings: Settings, store: SqlStore, clock: Clock) -> WriteBack:
    """The service with all writers. Raises PermanentError naming a setting that is missing."""
    return WriteBack(store.writebacks, store.incidents, store.journal, clock, writers(settings))


def writers(settings: Settings) -> tuple[SourceWriter, ...]:
    """One for each system that is switched on; nothing is sent yet."""
    found: list[SourceWriter] = []
    if settings.pagerduty_writeback:
        found.append(_pagerduty(settings))
    if settings.opsgenie_writeback:
        from agent_sre.adapters.writeback_opsgenie import OpsgenieAlerts, opsgenie_endpoint

        key = _needed(settings.opsgenie_api_key.get_secret_value(), "OPSGENIE_API_KEY", "OPSGENIE_WRITEBACK")
        where = (f"{PREFIX}OPSGENIE", settings.writeback_timeout)
        found.append(OpsgenieAlerts(opsgenie_endpoint(settings.opsgenie_url, key, *where)))
    if settings.oncall_writeback:
        from agent_sre.adapters.writeback_oncall import OnCallGroups, oncall_endpoint

        url = _needed(settings.oncall_url, "ONCALL_URL", "ONCALL_WRITEBACK")
        token = _needed(settings.oncall_api_token.get_secret_value(), "ONCALL_API_TOKEN", "ONCALL_WRITEBACK")
        where = (f"{PREFIX}ONCALL", settings.writeback_timeout)
        found.append(OnCallGroups(oncall_endpoint(url, token, settings.oncall_grafana_url, *where)))
    if settings.alertmanager_writeback:
        from agent_sre.adapters.writeback_alertmanager import AlertmanagerSilencer

        _needed(settings.alertmanager_url, "ALERTMANAGER_URL", "ALERTMANAGER_WRITEBACK")
        hours = timedelta(hours=settings.alertmanager_silence_hours)
        found.append(AlertmanagerSilencer(alertmanagers(settings), hours))
    return tuple(found)


def writeback_check(settings: Settings) -> Check:
    """One line for the doctor. Nothing is asked: none of these APIs has a call without an effect that proves it."""
    try:
        names = ", ".join(writer.name for writer in writers(settings))
    except PermanentError as error:
        return Check("write-back", CheckState.FAILED, str(error), "set it, or switch the write-back off")
    if not names:
        return Check("write-back", CheckState.SKIPPED, "off", "see docs/alerts.md")
    return Check("write-back", CheckState.OK, f"configured for {names}")


def _pagerduty(settings: Settings) -> SourceWriter:
    from agent_sre.adapters import writeback_pagerduty as pagerduty
    from agent_sre.outbound import Endpoint

    token, name, timeout = (
        settings.pagerduty_api_token.get_secret_value(),
        f"{PREFIX}PAGERDUTY",
        settings.writeback_timeout,
    )
    routing_key = settings.pagerduty_routing_key.get_secret_value()
    if not token and routing_key:
        url = settings.pagerduty_events_url or pagerduty.EVENTS_URL
        endpoint = Endpoint("PagerDuty's Events API", name, url, timeout_seconds=timeout, login=("ROUTING_KEY",))
        return pagerduty.PagerDutyEvents(endpoint, routing_key)
    token = _needed(token, "PAGERDUTY_API_TOKEN (or PAGERDUTY_ROUTING_KEY)", "PAGERDUTY_WRITEBACK")
    author = _needed(settings.pagerduty_from, "PAGERDUTY_FROM", "PAGERDUTY_WRITEBACK")
    return pagerduty.PagerDutyIncidents(pagerduty.rest_endpoint(settings.pagerduty_url, token, name, timeout), author)


def _needed(value: str, setting: str, switch: str) -> str:
    if not value:
        raise PermanentError(f"{PREFIX}{switch} is true and {PREFIX}{setting} is empty; set it")
    return value
