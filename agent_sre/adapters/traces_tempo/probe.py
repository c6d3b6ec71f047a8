"""The doctor's look at Tempo: reach and version, tenant, and the services of the last hour."""

from datetime import UTC, datetime, timedelta

from agent_sre.adapters.traces_tempo.reader import Tempo
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.reference import Window
from agent_sre.outbound import Call
from agent_sre.ports.health import Check, CheckState

_SUBJECT = "traces (Tempo)"
_RECENT = timedelta(hours=1)


class TempoProbe:
    """Checks with a reader of its own, which is closed afterwards. A failure is a Check, never an exception."""

    def __init__(self, traces: Tempo, tenant: str = "") -> None:
        self._traces = traces
        self._tenant = f"tenant {tenant}" if tenant else "no tenant"

    async def check(self) -> tuple[Check, ...]:
        """One look: what is wrong first, else what is there."""
        try:
            return (await self._look(),)
        except TemporaryError as error:
            return (Check(_SUBJECT, CheckState.FAILED, str(error), "start it, or correct AGENT_SRE_TRACES_URL"),)
        except PermanentError as error:
            fix = "correct the AGENT_SRE_TRACES_* settings; 'no org id' asks for AGENT_SRE_TRACES_TENANT"
            return (Check(_SUBJECT, CheckState.FAILED, str(error), fix),)
        finally:
            await self._traces.close()

    async def _look(self) -> Check:
        now = datetime.now(UTC)
        services = await self._traces.services((), Window(now - _RECENT, now))
        reach = f"{self._traces.exchange.endpoint.shown} answers, {self._tenant}{await self._version()}"
        if not services:
            fix = "check what sends spans to it, and AGENT_SRE_TRACES_TENANT"
            return Check(_SUBJECT, CheckState.WARNING, f"{reach}, but has no span of the last hour", fix)
        return Check(_SUBJECT, CheckState.OK, f"{reach}; {len(services)} services have spans of the last hour")

    async def _version(self) -> str:
        """The version, where Tempo tells it: a gateway in front may not let the question through."""
        try:
            told = await self._traces.exchange.document(Call("GET", "api/status/buildinfo"))
        except (PermanentError, TemporaryError):
            return ", version not told"
        version = told.get("version") if isinstance(told, dict) else ""
        return f", version {version}" if version else ", version not told"
