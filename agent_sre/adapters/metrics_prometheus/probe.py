"""The doctor's look at Prometheus: reach and version, login, samples, and whether its targets are up."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from agent_sre.adapters.metrics_prometheus.connection import PrometheusOptions
from agent_sre.adapters.metrics_prometheus.reader import PrometheusMetrics
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.ports.health import Check, CheckState

_SUBJECT = "metrics (Prometheus)"


class PrometheusProbe:
    """Checks with a reader of its own, which is closed afterwards. A failure is a Check, never an exception."""

    def __init__(self, metrics: PrometheusMetrics) -> None:
        self._metrics = metrics
        self._connection = metrics.connection

    async def check(self) -> tuple[Check, ...]:
        """Reach and login first; targets only where that went well."""
        try:
            return await self._checks()
        finally:
            await self._metrics.close()

    async def _checks(self) -> tuple[Check, ...]:
        try:
            version = await self._version()
            answer = await self._metrics.query("count(up)", datetime.now(UTC))
        except TemporaryError as error:
            fix = "start it, or correct AGENT_SRE_PROMETHEUS_URL"
            return (Check(_SUBJECT, CheckState.FAILED, str(error), fix),)
        except PermanentError as error:
            return (Check(_SUBJECT, CheckState.FAILED, str(error), "correct the AGENT_SRE_PROMETHEUS_* settings"),)
        reach = Check(_SUBJECT, CheckState.OK, f"{self._connection.options.shown} answers queries{version}")
        if not answer.series:
            reach = Check(_SUBJECT, CheckState.WARNING, "answers, but has no samples of 'up'", "check what it scrapes")
        return (reach, await self._targets())

    async def _version(self) -> str:
        """The version, where the back end tells it: not all that speak the API do."""
        try:
            reply = await self._connection.ask("GET", "status/buildinfo")
        except PermanentError:
            return ""
        version = reply.data.get("version") if isinstance(reply.data, dict) else None
        return f", version {version}" if version else ""

    async def _targets(self) -> Check:
        subject = f"{_SUBJECT} targets"
        # The client library is synchronous and imports for a while; one read in a thread is what it is good for.
        try:
            timeout = self._connection.options.timeout_seconds
            found = await asyncio.wait_for(asyncio.to_thread(_active_targets, self._connection.options), timeout + 2)
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
