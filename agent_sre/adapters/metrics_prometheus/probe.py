"""The doctor's look at Prometheus: reach, product and version, what may be read, and whether its targets are up."""

import asyncio
from collections.abc import Awaitable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from agent_sre.adapters.metrics_prometheus.connection import PrometheusOptions
from agent_sre.adapters.metrics_prometheus.flavour import Flavour, flavour_of
from agent_sre.adapters.metrics_prometheus.reader import PrometheusMetrics
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.reference import Window
from agent_sre.ports.health import Check, CheckState

_WHAT_FOR = {
    "metric names": "without them no metric of the signal catalogue is read",
    "rules": "without them an alert whose link has no expression cannot be evaluated; give the ruler's API here too",
    "active alerts": "without them only what was sent is known to fire",
}


class PrometheusProbe:
    """Checks with a reader of its own, which is closed afterwards. A failure is a Check, never an exception."""

    def __init__(self, metrics: PrometheusMetrics) -> None:
        self._metrics = metrics
        self._connection = metrics.connection
        self._options = metrics.connection.options
        self._subject = self._named(self._options.flavour or Flavour.PROMETHEUS)

    def _named(self, flavour: Flavour) -> str:
        name = f" {self._options.name}" if self._options.name else ""
        return f"metrics{name} ({flavour.product})"

    async def check(self) -> tuple[Check, ...]:
        """Reach and login first; the rest only where that went well."""
        try:
            return await self._checks()
        finally:
            await self._metrics.close()

    async def _checks(self) -> tuple[Check, ...]:
        settings = self._options.settings
        try:
            build = await self._build()
            answer = await self._metrics.query("count(up)", datetime.now(UTC))
        except TemporaryError as error:
            return (Check(self._subject, CheckState.FAILED, str(error), f"start it, or correct {settings}_URL"),)
        except PermanentError as error:
            return (Check(self._subject, CheckState.FAILED, str(error), f"correct the {settings}_* settings"),)
        return (self._reach(build, bool(answer.series)), await self._rights(), await self._targets())

    def _reach(self, build: Mapping[str, Any], samples: bool) -> Check:
        found = flavour_of(build) if build else None
        self._subject = self._named(found) if found else self._subject
        version = build.get("version")
        shown = f", {found.product} version {version}" if found and version else ", which does not tell its version"
        if found is Flavour.VICTORIAMETRICS:
            shown = f", VictoriaMetrics, which calls itself version {version}"
        detail = f"{self._options.shown} answers queries{shown}"
        told = self._options.flavour
        if told and found and told is not found:
            fix = f"set {self._options.settings}_FLAVOUR={found}, or auto"
            return Check(self._subject, CheckState.WARNING, f"{detail}, but is configured as {told.product}", fix)
        if not samples:
            fix = "check what it scrapes, and the tenant where it has tenants"
            return Check(self._subject, CheckState.WARNING, f"{detail}, but has no samples of 'up'", fix)
        return Check(self._subject, CheckState.OK, detail)

    async def _build(self) -> Mapping[str, Any]:
        """The build information, where the back end gives it: not all that speak the API do."""
        try:
            reply = await self._connection.ask("GET", "status/buildinfo")
        except PermanentError:
            return {}
        return reply.data if isinstance(reply.data, dict) else {}

    async def _rights(self) -> Check:
        """What of the API this login may read; queries were answered already."""
        now = datetime.now(UTC)
        asked: dict[str, Awaitable[object]] = {
            "metric names": self._metrics.metric_names(Window(now - timedelta(minutes=5), now)),
            "rules": self._metrics.rules(),
            "active alerts": self._metrics.alerts(),
        }
        answers = await asyncio.gather(*asked.values(), return_exceptions=True)
        lacking: dict[str, str] = {}
        for what, answer in zip(asked, answers, strict=True):
            if isinstance(answer, TemporaryError | PermanentError):
                lacking[what] = _first_line(answer)
            elif isinstance(answer, BaseException):
                raise answer
        subject = f"{self._subject} rights"
        has = ", ".join(["queries", *(what for what in asked if what not in lacking)])
        if not lacking:
            return Check(subject, CheckState.OK, f"may read {has}")
        lacks = "; ".join(f"{what}: {why}" for what, why in lacking.items())
        return Check(
            subject,
            CheckState.WARNING,
            f"may read {has}; lacks {lacks}",
            "; ".join(_WHAT_FOR[what] for what in lacking),
        )

    async def _targets(self) -> Check:
        subject = f"{self._subject} targets"
        # The client library is synchronous and imports for a while; one read in a thread is what it is good for.
        try:
            timeout = self._options.timeout_seconds
            found = await asyncio.wait_for(asyncio.to_thread(_active_targets, self._options), timeout + 2)
        except (OSError, ValueError, TimeoutError) as error:
            return Check(subject, CheckState.SKIPPED, f"this back end lists no targets: {_first_line(error)}")
        if isinstance(found, str):
            return Check(subject, CheckState.SKIPPED, f"this back end lists no targets: {found}")
        down = [target for target in found if target.get("health") != "up"]
        if not down:
            return Check(subject, CheckState.OK, f"all {len(found)} are up")
        shown = ", ".join(sorted({str(target.get("labels", {}).get("job", "?")) for target in down})[:5])
        detail = f"{len(down)} of {len(found)} are down, of jobs: {shown}"
        return Check(subject, CheckState.WARNING, detail, "see Status > Targets in Prometheus for the reason")


def _active_targets(options: PrometheusOptions) -> list[dict[str, Any]] | str:
    """The active targets, or why there are none. OSError covers what requests raises."""
    import requests
    from prometheus_api_client import PrometheusConnect
    from prometheus_api_client.exceptions import PrometheusApiClientException
    from urllib3.util.retry import Retry

    with requests.Session() as session:
        session.verify = options.ca_file or True
        session.cert = (options.cert_file, options.key_file or options.cert_file) if options.cert_file else None
        client = PrometheusConnect(
            url=options.url.rstrip("/"),
            headers=options.all_headers(),
            auth=(options.username, options.password) if options.username else None,
            session=session,
            retry=Retry(total=0),
            timeout=int(options.timeout_seconds) or 1,
        )
        try:
            return list(client.get_targets(state="active")["activeTargets"])
        except (PrometheusApiClientException, KeyError, TypeError) as error:
            return _first_line(error)


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]
