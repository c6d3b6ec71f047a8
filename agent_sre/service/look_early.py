"""At acceptance: begin to look at what an alert is about, beside the commit of the alert itself.

Called with alerts whose source has proven itself, redacted as they will be stored. What is asked is what the
investigation would ask (``evidence.alert_conditions``) of the back end that is configured, over the window that its
triage would choose at this moment; an alert's payload gives the expression and never an address. How few of these
there are, and what becomes of the answers, is ``evidence.early_looks``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from agent_sre.domain.alert import Alert, AlertStatus
from agent_sre.domain.reference import Window
from agent_sre.evidence import alert_conditions
from agent_sre.evidence.budget import Budget
from agent_sre.evidence.catalogue import Collector
from agent_sre.evidence.early_looks import EarlyLooks, Seen
from agent_sre.evidence.run import run_collector
from agent_sre.evidence.scope import Limits, Readers, Scope
from agent_sre.ingest.group import group_key_of
from agent_sre.ports.metrics import MetricsReader

_LONGEST = timedelta(hours=6)
"""How long ago the alert may have begun: a look over days is an investigation's."""
_SECONDS = 2.0
"""What a look may take; who has the same question waits no longer for it."""
_SERIES = 100
"""What is kept of an answer, since answers wait in memory; one with more is asked for again in full."""
_ALERTS = 20
"""Of one message, how many are looked at for an expression."""


@dataclass(frozen=True, slots=True)
class LookEarly:
    """Begins looks. ``lookback`` is how long before an alert's start an investigation looks at."""

    looks: EarlyLooks
    metrics: MetricsReader
    limits: Limits
    lookback: timedelta

    def __call__(self, alerts: Sequence[Alert]) -> None:
        """Begin one for the group of the first alert that fires, where there may be one. Returns at once."""
        first = next((alert for alert in alerts if alert.status is AlertStatus.FIRING), None)
        if first is None:
            return
        group_key = group_key_of(first)
        if not self.looks.may_begin(group_key):
            return
        own = [item for item in alerts[:_ALERTS] if item.generator_url and group_key_of(item) == group_key]
        firing = [item for item in own if item.status is AlertStatus.FIRING]
        since = min((item.starts_at for item in firing), default=first.received_at)
        if not firing or first.received_at - since > _LONGEST:
            return

        async def ask() -> Seen:
            now = first.received_at
            window = Window(min(since, now) - self.lookback, now)
            series = min(_SERIES, self.limits.series_per_metric)
            limits = replace(self.limits, timeout_seconds=_SECONDS, series_per_metric=series)
            scope = Scope("", 0, now, window, (), tuple(firing), limits, budget=Budget(limits.per_backend))
            collector = Collector(alert_conditions.NAME, alert_conditions.look_early)
            return (await run_collector(collector, scope, Readers(metrics=self.metrics))).observations

        self.looks.begin(group_key, first.received_at, ask)
