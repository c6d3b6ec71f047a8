"""Traces from Grafana Tempo, asked in TraceQL over its HTTP API.

A search gives ids of the first traces that many machines find at once, in no order; each is then read whole by its id.
So the window is cut into parts of equal length and a bounded number of traces is read, in an order in which an early
end still leaves an even sample.
"""

from agent_sre.adapters.traces_tempo.probe import TempoProbe
from agent_sre.adapters.traces_tempo.reader import Tempo

__all__ = ["Tempo", "TempoProbe"]
