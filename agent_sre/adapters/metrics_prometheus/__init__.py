"""Metrics from Prometheus and what speaks its API (Thanos, Mimir, VictoriaMetrics, managed services).

Queries go over httpx: prometheus-api-client rounds times to whole seconds, drops the back end's warnings, and blocks.
Where none of that matters, in the doctor's look at targets, that client is used, in a thread (``probe``). Nothing here
asks for ``/-/healthy``: Mimir and Thanos do not have it, and a proxy may answer it for a dead back end.
"""

from agent_sre.adapters.metrics_prometheus.connection import PrometheusOptions
from agent_sre.adapters.metrics_prometheus.flavour import Flavour
from agent_sre.adapters.metrics_prometheus.links import MetricsLinks
from agent_sre.adapters.metrics_prometheus.probe import PrometheusProbe
from agent_sre.adapters.metrics_prometheus.reader import PrometheusMetrics

__all__ = ["Flavour", "MetricsLinks", "PrometheusMetrics", "PrometheusOptions", "PrometheusProbe"]
