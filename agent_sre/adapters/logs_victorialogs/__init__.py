"""Logs from VictoriaLogs, asked in LogsQL over its HTTP API.

Everything is narrowed on the server: filters, counts per container, and, where there are more lines than wanted, a
random sample of them in the order of their time. The answer is read row by row, so its size does not matter. A cluster
answers an error where one of its nodes is missing, and that is how it should be here: a silent half is worse.
"""

from agent_sre.adapters.logs_victorialogs.language import FIELDS
from agent_sre.adapters.logs_victorialogs.probe import VictoriaLogsProbe
from agent_sre.adapters.logs_victorialogs.reader import VictoriaLogs, tenant_headers

__all__ = ["FIELDS", "VictoriaLogs", "VictoriaLogsProbe", "tenant_headers"]
