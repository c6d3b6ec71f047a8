"""Logs from Grafana Loki, asked in LogQL over its HTTP API.

Loki counts and filters on its side but cannot sample: an answer is the head of its time range, up to a limit. So where
there are more lines than wanted, the window is cut into slices, each slice gives its share of the lines, and only heads
of slices are read. Containers are listed from the index, which knows chunks and not lines: one may be listed that has
no line in the window.
"""

from agent_sre.adapters.logs_loki.language import FIELDS
from agent_sre.adapters.logs_loki.probe import LokiProbe
from agent_sre.adapters.logs_loki.reader import Loki

__all__ = ["FIELDS", "Loki", "LokiProbe"]
