"""The stores of metrics that the settings name: one reader over all of them, and the doctor's look at each."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Protocol

from agent_sre.domain.errors import PermanentError
from agent_sre.ports.health import Probe
from agent_sre.ports.metrics import MetricsReader
from agent_sre.settings import PREFIX, Settings
from agent_sre.settings.items import Flavour, MetricsInstance

if TYPE_CHECKING:
    from agent_sre.adapters.metrics_prometheus import Flavour as _Flavour, PrometheusMetrics, PrometheusOptions


class OpenMetrics(Protocol):
    """What is read, and how it is let go."""

    @property
    def reader(self) -> MetricsReader:
        """One reader, however many stores there are."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


class Stores:
    """The readers by instance name."""

    def __init__(self, readers: dict[str, PrometheusMetrics]) -> None:
        self.readers = readers

    @property
    def reader(self) -> MetricsReader:
        """The only one as it is; several as one."""
        if len(self.readers) == 1:
            return next(iter(self.readers.values()))
        from agent_sre.adapters.metrics_merged import MergedMetrics

        return MergedMetrics(self.readers)

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.gather(*(reader.close() for reader in self.readers.values()))


def open_metrics(settings: Settings) -> OpenMetrics | None:
    """All stores that are configured; None where none is. Raises PermanentError for a name that is taken."""
    named = _options(settings)
    if not named:
        return None
    from agent_sre.adapters.metrics_prometheus import PrometheusMetrics

    return Stores({name: PrometheusMetrics(options) for name, options in named.items()})


def metrics_probes(settings: Settings) -> list[Probe]:
    """What looks at each store for the doctor."""
    named = _options(settings)
    if not named:
        return []
    from agent_sre.adapters.metrics_prometheus import PrometheusMetrics, PrometheusProbe

    return [PrometheusProbe(PrometheusMetrics(options)) for options in named.values()]


def _options(settings: Settings) -> dict[str, PrometheusOptions]:
    """By name, in the order of the settings."""
    found = {settings.prometheus_name: _main(settings)} if settings.prometheus_url else {}
    for item in settings.prometheus_instances:
        if item.name in found:
            raise PermanentError(
                f"{PREFIX}PROMETHEUS_INSTANCES has {item.name!r} twice, or it is the name of the main instance "
                f"({PREFIX}PROMETHEUS_NAME); give each a name of its own"
            )
        found[item.name] = _further(settings, item)
    return found


def _main(settings: Settings) -> PrometheusOptions:
    from agent_sre.adapters.metrics_prometheus import MetricsLinks, PrometheusOptions

    return PrometheusOptions(
        url=settings.prometheus_url,
        bearer=settings.prometheus_token.get_secret_value(),
        bearer_file=settings.prometheus_token_file,
        username=settings.prometheus_username,
        password=settings.prometheus_password.get_secret_value(),
        headers=settings.prometheus_headers,
        ca_file=settings.prometheus_ca_file,
        cert_file=settings.prometheus_cert_file,
        key_file=settings.prometheus_key_file,
        timeout_seconds=settings.prometheus_timeout,
        max_series=settings.prometheus_max_series,
        name=settings.prometheus_name if settings.prometheus_instances else "",
        flavour=_flavour(settings.prometheus_flavour),
        links=MetricsLinks(
            page=_public(settings.prometheus_ui_url or settings.prometheus_url),
            grafana=settings.grafana_url,
            source=settings.grafana_source,
            flavour=_flavour(settings.prometheus_flavour),
        ),
    )


def _further(settings: Settings, item: MetricsInstance) -> PrometheusOptions:
    from agent_sre.adapters.metrics_prometheus import MetricsLinks, PrometheusOptions

    return PrometheusOptions(
        url=item.url,
        bearer=item.token.get_secret_value(),
        bearer_file=item.token_file,
        username=item.username,
        password=item.password.get_secret_value(),
        headers={name: value.get_secret_value() for name, value in item.headers.items()},
        ca_file=item.ca_file,
        cert_file=item.cert_file,
        key_file=item.key_file,
        timeout_seconds=item.timeout,
        max_series=settings.prometheus_max_series,
        name=item.name,
        settings=f"{PREFIX}PROMETHEUS_INSTANCES[{item.name}]",
        flavour=_flavour(item.flavour),
        links=MetricsLinks(
            page=_public(item.ui_url or item.url),
            grafana=settings.grafana_url,
            source=item.grafana_source,
            flavour=_flavour(item.flavour),
        ),
    )


def _public(url: str) -> str:
    """Without a user and password, which an address may hold."""
    return re.sub(r"//[^/@]*@", "//", url)


def _flavour(word: Flavour) -> _Flavour | None:
    from agent_sre.adapters.metrics_prometheus import Flavour as Product

    return None if word == "auto" else Product(word)
