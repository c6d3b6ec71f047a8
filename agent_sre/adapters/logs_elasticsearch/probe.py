"""The doctor's look at Elasticsearch or OpenSearch: reach and version, the right to read, fields, and recent lines."""

from datetime import UTC, datetime, timedelta

from agent_sre.adapters.logs_elasticsearch.language import Query
from agent_sre.adapters.logs_elasticsearch.reader import Elasticsearch
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.instant import format_instant
from agent_sre.outbound import Call
from agent_sre.ports.health import Check, CheckState

_RECENT = timedelta(hours=1)
_HOUR_MS = 3_600_000


class ElasticsearchProbe:
    """Checks with a reader of its own, which is closed afterwards. A failure is a Check, never an exception."""

    def __init__(self, logs: Elasticsearch) -> None:
        self._logs = logs
        self._subject = f"logs ({logs.exchange.endpoint.name})"

    async def check(self) -> tuple[Check, ...]:
        """One look: what is wrong first, else what is there."""
        try:
            return (await self._look(),)
        except TemporaryError as error:
            return (Check(self._subject, CheckState.FAILED, str(error), "start it, or correct AGENT_SRE_LOGS_URL"),)
        except PermanentError as error:
            fix = "correct the AGENT_SRE_LOGS_* settings; the account needs read on the indices of AGENT_SRE_LOGS_INDEX"
            return (Check(self._subject, CheckState.FAILED, str(error), fix),)
        finally:
            await self._logs.close()

    async def _look(self) -> Check:
        terms, names = await self._logs.terms(), self._logs.fields
        since = format_instant(datetime.now(UTC) - _RECENT)
        recent: Query = {
            "bool": {"filter": [{"range": {names.time: {"gte": since}}}, {"exists": {"field": terms.pod}}]}
        }
        found = sum((await self._logs.api().histogram(recent, names.time, _HOUR_MS)).values())
        endpoint = self._logs.exchange.endpoint
        reach = f"{endpoint.shown} may be read, index {self._logs.index!r}{await self._version()}"
        if not found:
            fix = "check what ships logs to it, AGENT_SRE_LOGS_INDEX, and the field of the time"
            return Check(self._subject, CheckState.WARNING, f"{reach}, but has no line of a pod of the last hour", fix)
        return Check(self._subject, CheckState.OK, f"{reach}; {found} lines of pods in the last hour")

    async def _version(self) -> str:
        """Version and kind, where the account may ask: reading needs no right on the cluster."""
        try:
            told = await self._logs.exchange.document(Call("GET", ""))
        except PermanentError:
            return ", version not told to this account"
        version = told.get("version") if isinstance(told, dict) else None
        if not isinstance(version, dict):
            return ", version not told"
        return f", {version.get('distribution', 'elasticsearch')} {version.get('number', '?')}"
