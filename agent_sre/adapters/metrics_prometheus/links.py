"""Where a person looks at a query: Grafana's Explore where that is configured, else the product's own page.

Mimir and Cortex have no page of their own. The address comes from the settings alone; the expression, which may have
come with an alert, is a value in it.
"""

import math
from dataclasses import dataclass
from urllib.parse import urlencode

from agent_sre.adapters.metrics_prometheus.flavour import Flavour
from agent_sre.domain.reference import Window
from agent_sre.outbound.grafana import explore_link

_LONGEST = 8_000
"""Longer addresses are cut by browsers and proxies; no link is better than half of one."""


@dataclass(frozen=True, slots=True)
class MetricsLinks:
    """``page`` is where people reach the product itself; ``grafana`` and ``source`` a Grafana and its data source."""

    page: str = ""
    grafana: str = ""
    source: str = ""
    flavour: Flavour | None = None

    def to(self, expression: str, window: Window) -> str:
        """The link, or "" where there is no page to link to."""
        if self.grafana and self.source:
            link = explore_link(self.grafana, ("prometheus", self.source), {"expr": expression, "range": True}, window)
        elif not self.page or self.flavour in (Flavour.MIMIR, Flavour.CORTEX):
            return ""
        else:
            link = self._own_page(expression, window)
        return link if len(link) <= _LONGEST else ""

    def _own_page(self, expression: str, window: Window) -> str:
        seconds = max(math.ceil(window.length.total_seconds()), 60)
        vmui = self.flavour is Flavour.VICTORIAMETRICS
        end = f"{window.end:%Y-%m-%dT%H:%M:%S}" if vmui else f"{window.end:%Y-%m-%d %H:%M:%S}"
        fields = {"g0.expr": expression, "g0.range_input": f"{seconds}s", "g0.end_input": end, "g0.tab": "0"}
        return f"{self.page.rstrip('/')}/{'vmui/#/' if vmui else 'graph'}?{urlencode(fields)}"
