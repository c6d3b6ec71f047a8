"""The log store that the settings name: its reader, and the doctor's look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from agent_sre.domain.errors import PermanentError
from agent_sre.ports.health import Probe
from agent_sre.ports.logs import LogReader
from agent_sre.settings import PREFIX, Settings

if TYPE_CHECKING:
    from agent_sre.adapters.logs_elasticsearch import Elasticsearch
    from agent_sre.adapters.logs_loki import Loki
    from agent_sre.adapters.logs_victorialogs import VictoriaLogs
    from agent_sre.outbound import Endpoint


class OpenLogStore(LogReader, Protocol):
    """A reader with connections to close."""

    async def close(self) -> None:
        """Close the connections."""
        ...


def open_log_store(settings: Settings) -> OpenLogStore | None:
    """The log store's adapter, or None where none is configured."""
    match settings.logs_backend:
        case "none":
            return None
        case "victorialogs":
            return _victorialogs(settings)
        case "loki":
            return _loki(settings)
        case "elasticsearch" | "opensearch":
            return _elasticsearch(settings)


def log_store_probe(settings: Settings) -> Probe | None:
    """What looks at the log store for the doctor, or None where none is configured."""
    match settings.logs_backend:
        case "none":
            return None
        case "victorialogs":
            from agent_sre.adapters.logs_victorialogs import VictoriaLogsProbe

            return VictoriaLogsProbe(_victorialogs(settings), settings.logs_tenant)
        case "loki":
            from agent_sre.adapters.logs_loki import LokiProbe

            return LokiProbe(_loki(settings), settings.logs_tenant)
        case "elasticsearch" | "opensearch":
            from agent_sre.adapters.logs_elasticsearch import ElasticsearchProbe

            return ElasticsearchProbe(_elasticsearch(settings))


def _victorialogs(settings: Settings) -> VictoriaLogs:
    from agent_sre.adapters.logs_victorialogs import FIELDS, VictoriaLogs, tenant_headers

    endpoint = _endpoint(settings, "VictoriaLogs", tenant_headers(settings.logs_tenant))
    return VictoriaLogs(endpoint, FIELDS.changed(settings.logs_fields, _FIELDS), settings.logs_ui_url)


def _loki(settings: Settings) -> Loki:
    from agent_sre.adapters.logs_loki import FIELDS, Loki

    endpoint = _endpoint(settings, "Loki", {"X-Scope-OrgID": settings.logs_tenant} if settings.logs_tenant else {})
    fields = FIELDS.changed(settings.logs_fields, _FIELDS)
    return Loki(endpoint, fields, settings.logs_ui_url, settings.logs_ui_source)


def _elasticsearch(settings: Settings) -> Elasticsearch:
    from agent_sre.adapters.logs_elasticsearch import SCHEMAS, Elasticsearch

    name = "OpenSearch" if settings.logs_backend == "opensearch" else "Elasticsearch"
    fields = SCHEMAS[settings.logs_schema].changed(settings.logs_fields, _FIELDS)
    user_interface = settings.logs_ui_url, settings.logs_ui_source
    return Elasticsearch(_endpoint(settings, name, {}), settings.logs_index, fields, user_interface)


_FIELDS = f"{PREFIX}LOGS_FIELDS"


def _endpoint(settings: Settings, name: str, tenant: dict[str, str]) -> Endpoint:
    from agent_sre.outbound import Endpoint

    if not settings.logs_url:
        raise PermanentError(
            f"{PREFIX}LOGS_BACKEND={settings.logs_backend} but {PREFIX}LOGS_URL is empty; say where it is"
        )
    return Endpoint(
        name=name,
        settings=f"{PREFIX}LOGS",
        url=settings.logs_url,
        bearer=settings.logs_token.get_secret_value(),
        api_key=settings.logs_api_key.get_secret_value(),
        username=settings.logs_username,
        password=settings.logs_password.get_secret_value(),
        headers={**settings.logs_headers, **tenant},
        ca_file=settings.logs_ca_file,
        timeout_seconds=settings.logs_timeout,
        login=("TOKEN", "API_KEY", "USERNAME", "PASSWORD", "HEADERS", "TENANT"),
    )
