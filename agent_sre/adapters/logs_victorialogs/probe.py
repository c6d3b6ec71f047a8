"""The doctor's look at VictoriaLogs: reach and version, login, recent lines, and how their fields are named."""

from datetime import UTC, datetime, timedelta

from agent_sre.adapters.logs_victorialogs.language import literal, window_filter
from agent_sre.adapters.logs_victorialogs.reader import Row, VictoriaLogs
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.reference import Window
from agent_sre.outbound import Call
from agent_sre.ports.health import Check, CheckState

_SUBJECT = "logs (VictoriaLogs)"
_RECENT = timedelta(hours=1)


class VictoriaLogsProbe:
    """Checks with a reader of its own, which is closed afterwards. A failure is a Check, never an exception."""

    def __init__(self, logs: VictoriaLogs, tenant: str = "") -> None:
        self._logs = logs
        self._tenant = tenant or "0:0"

    async def check(self) -> tuple[Check, ...]:
        """One look: what is wrong first, else what is there."""
        try:
            return await self._checks()
        except TemporaryError as error:
            return (Check(_SUBJECT, CheckState.FAILED, str(error), "start it, or correct AGENT_SRE_LOGS_URL"),)
        except PermanentError as error:
            return (Check(_SUBJECT, CheckState.FAILED, str(error), "correct the AGENT_SRE_LOGS_* settings"),)
        finally:
            await self._logs.close()

    async def _checks(self) -> tuple[Check, ...]:
        names = self._logs.fields
        now = datetime.now(UTC)
        recent = window_filter(Window(now - _RECENT, now))
        named = f"{literal(names.namespace)}:* {literal(names.pod)}:*"
        query = f"{recent} | stats count() as lines, count() if ({named}) as named"
        found: dict[str, int] = {}

        def take(row: Row) -> None:
            found.update(lines=int(row["lines"]), named=int(row["named"]))

        await self._logs.ask(query, take)
        reach = f"{self._logs.exchange.endpoint.shown} answers queries of tenant {self._tenant}{await self._version()}"
        if not found.get("lines"):
            fix = "check what ships logs to it, and AGENT_SRE_LOGS_TENANT"
            return (Check(_SUBJECT, CheckState.WARNING, f"{reach}, but has no line of the last hour", fix),)
        if not found.get("named"):
            fix = f"name the fields in AGENT_SRE_LOGS_FIELDS; those of the last hour: {await self._field_names(recent)}"
            detail = f"{reach}, but no line of the last hour has {names.namespace} and {names.pod}"
            return (Check(_SUBJECT, CheckState.WARNING, detail, fix),)
        return (Check(_SUBJECT, CheckState.OK, f"{reach}; {found['lines']} lines in the last hour"),)

    async def _version(self) -> str:
        """The version, where the server tells it: a build of one's own does not."""
        try:
            told = await self._logs.exchange.document(Call("GET", "select/buildinfo"))
        except PermanentError:
            return ""
        data = told.get("data") if isinstance(told, dict) else None
        version = data.get("version") if isinstance(data, dict) else ""
        return f", version {version}" if version else ", version not told"

    async def _field_names(self, recent: str) -> str:
        call = Call("POST", "select/logsql/field_names", form={"query": recent})
        told = await self._logs.exchange.document(call)
        values = told.get("values", []) if isinstance(told, dict) else []
        return ", ".join(sorted(str(item.get("value")) for item in values)[:40])
