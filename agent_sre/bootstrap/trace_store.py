"""The store of traces that the settings name: its reader, and the doctor's look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from agent_sre.domain.errors import PermanentError
from agent_sre.ports.context import TraceReader
from agent_sre.ports.health import Probe
from agent_sre.settings import PREFIX, Settings

if TYPE_CHECKING:
    from agent_sre.adapters.traces_jaeger import Jaeger
    from agent_sre.adapters.traces_tempo import Tempo
    from agent_sre.outbound import Endpoint


class OpenTraceStore(TraceReader, Protocol):
    """A reader with connections to close."""

    async def close(self) -> None:
        """Close the connections."""
        ...


def open_trace_store(settings: Settings) -> OpenTraceStore | None:
    """The trace store's adapter, or None where none is configured."""
    match settings.traces_backend:
        case "none":
            return None
        case "jaeger":
            return _jaeger(settings)
        case "tempo":
            return _tempo(settings)


def trace_store_probe(settings: Settings) -> Probe | None:
    """What looks at the trace store for the doctor, or None where none is configured."""
    match settings.traces_backend:
        case "none":
            return None
        case "jaeger":
            from agent_sre.adapters.traces_jaeger import JaegerProbe

            return JaegerProbe(_jaeger(settings), settings.traces_tenant)
        case "tempo":
            from agent_sre.adapters.traces_tempo import TempoProbe

            return TempoProbe(_tempo(settings), settings.traces_tenant)


def _jaeger(settings: Settings) -> Jaeger:
    from agent_sre.adapters.traces_jaeger import Jaeger

    return Jaeger(_endpoint(settings, "Jaeger", "x-tenant"), settings.traces_ui_url, settings.traces_ui_source)


def _tempo(settings: Settings) -> Tempo:
    from agent_sre.adapters.traces_tempo import Tempo

    return Tempo(_endpoint(settings, "Tempo", "X-Scope-OrgID"), settings.traces_ui_url, settings.traces_ui_source)


def _endpoint(settings: Settings, name: str, tenant_header: str) -> Endpoint:
    from agent_sre.outbound import Endpoint

    if not settings.traces_url:
        raise PermanentError(
            f"{PREFIX}TRACES_BACKEND={settings.traces_backend} but {PREFIX}TRACES_URL is empty; say where it is"
        )
    tenant = {tenant_header: settings.traces_tenant} if settings.traces_tenant else {}
    return Endpoint(
        name=name,
        settings=f"{PREFIX}TRACES",
        url=settings.traces_url,
        bearer=settings.traces_token.get_secret_value(),
        username=settings.traces_username,
        password=settings.traces_password.get_secret_value(),
        headers={**settings.traces_headers, **tenant},
        ca_file=settings.traces_ca_file,
        timeout_seconds=settings.traces_timeout,
        login=("TOKEN", "USERNAME", "PASSWORD", "HEADERS", "TENANT"),
    )
