"""The doctor's look at Loki: reach and version, tenant, and the labels of recent streams."""

from datetime import UTC, datetime, timedelta

from agent_sre.adapters.logs_loki.language import nanoseconds
from agent_sre.adapters.logs_loki.reader import Loki
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.outbound import Call
from agent_sre.ports.health import Check, CheckState

_SUBJECT = "logs (Loki)"
_RECENT = timedelta(hours=1)


class LokiProbe:
    """Checks with a reader of its own, which is closed afterwards. A failure is a Check, never an exception."""

    def __init__(self, logs: Loki, tenant: str = "") -> None:
        self._logs = logs
        self._tenant = f"tenant {tenant}" if tenant else "no tenant"

    async def check(self) -> tuple[Check, ...]:
        """One look: what is wrong first, else what is there."""
        try:
            return (await self._look(),)
        except TemporaryError as error:
            return (Check(_SUBJECT, CheckState.FAILED, str(error), "start it, or correct AGENT_SRE_LOGS_URL"),)
        except PermanentError as error:
            fix = "correct the AGENT_SRE_LOGS_* settings; 'no org id' asks for AGENT_SRE_LOGS_TENANT"
            return (Check(_SUBJECT, CheckState.FAILED, str(error), fix),)
        finally:
            await self._logs.close()

    async def _look(self) -> Check:
        now, names = datetime.now(UTC), self._logs.fields
        span = {"start": str(nanoseconds(now - _RECENT)), "end": str(nanoseconds(now))}
        told = await self._logs.exchange.document(Call("GET", "loki/api/v1/labels", params=span))
        if not isinstance(told, dict) or told.get("status") != "success":
            raise PermanentError(f"{self._logs.exchange.endpoint} is no Loki: labels answered {str(told)[:200]!r}")
        labels = sorted(str(label) for label in told.get("data") or ())
        reach = f"{self._logs.exchange.endpoint.shown} answers, {self._tenant}{await self._version()}"
        if not labels:
            fix = "check what ships logs to it, and AGENT_SRE_LOGS_TENANT"
            return Check(_SUBJECT, CheckState.WARNING, f"{reach}, but has no stream of the last hour", fix)
        missing = [label for label in (names.namespace, names.pod, names.container) if label not in labels]
        if missing:
            fix = f"name the labels in AGENT_SRE_LOGS_FIELDS; those of the last hour: {', '.join(labels[:40])}"
            detail = f"{reach}, but no stream of the last hour has the label {' or '.join(missing)}"
            return Check(_SUBJECT, CheckState.WARNING, detail, fix)
        return Check(_SUBJECT, CheckState.OK, f"{reach}; streams of the last hour have namespace, pod and container")

    async def _version(self) -> str:
        """The version, where Loki tells it: a gateway in front may not let the question through."""
        try:
            told = await self._logs.exchange.document(Call("GET", "loki/api/v1/status/buildinfo"))
        except PermanentError:
            return ", version not told"
        version = told.get("version") if isinstance(told, dict) else ""
        return f", version {version}" if version else ", version not told"
