"""The doctor's look at Jaeger: reach, dialect and version, and whether any service has spans."""

import re
from collections.abc import AsyncIterator

from agent_sre.adapters.traces_jaeger.reader import Jaeger
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.outbound import Call
from agent_sre.outbound.exchange import bounded
from agent_sre.ports.health import Check, CheckState

_SUBJECT = "traces (Jaeger)"
_VERSION = re.compile(rb'JAEGER_VERSION\s*=\s*\{[^}]*"gitVersion"\s*:\s*"([^"]*)"')
_PAGE = 1024 * 1024


class JaegerProbe:
    """Checks with a reader of its own, which is closed afterwards. A failure is a Check, never an exception."""

    def __init__(self, traces: Jaeger, tenant: str = "") -> None:
        self._traces = traces
        self._tenant = f", tenant {tenant}" if tenant else ""

    async def check(self) -> tuple[Check, ...]:
        """One look: what is wrong first, else what is there."""
        try:
            return (await self._look(),)
        except TemporaryError as error:
            return (Check(_SUBJECT, CheckState.FAILED, str(error), "start it, or correct AGENT_SRE_TRACES_URL"),)
        except PermanentError as error:
            return (Check(_SUBJECT, CheckState.FAILED, str(error), "correct the AGENT_SRE_TRACES_* settings"),)
        finally:
            await self._traces.close()

    async def _look(self) -> Check:
        services = await self._traces.api.services()
        dialect = (
            "its third API only, which cannot search for failed spans" if self._traces.api.third else "its JSON API"
        )
        reach = f"{self._traces.exchange.endpoint.shown} answers{self._tenant}{await self._version()}, {dialect}"
        if not services:
            return Check(_SUBJECT, CheckState.WARNING, f"{reach}, but knows no service", "check what sends spans to it")
        return Check(_SUBJECT, CheckState.OK, f"{reach}; {len(services)} services have spans")

    async def _version(self) -> str:
        """The version, which only the page of the user interface tells; a gateway in front may not let it through."""

        async def page(parts: AsyncIterator[bytes]) -> bytes:
            return await bounded(parts, _PAGE)

        try:
            found = _VERSION.search(await self._traces.exchange.read(Call("GET", ""), page))
        except (PermanentError, TemporaryError):
            return ", version not told"
        return f", version {found[1].decode(errors='replace')}" if found and found[1] else ", version not told"
