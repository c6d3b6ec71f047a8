"""Traces from Jaeger, or what speaks its query API (VictoriaTraces, Quickwit), over HTTP.

Jaeger gives the newest traces of a service up to a limit and can neither sample nor count. So the window is cut into
parts of equal length, each of which gives its share. Two dialects are spoken: the JSON API of its user interface, which
can search for failed spans, and the third API, in OTLP, which newer versions alone may serve and which cannot.
"""

from agent_sre.adapters.traces_jaeger.probe import JaegerProbe
from agent_sre.adapters.traces_jaeger.reader import Jaeger

__all__ = ["Jaeger", "JaegerProbe"]
