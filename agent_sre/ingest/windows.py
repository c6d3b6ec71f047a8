"""How long and how many: the bounds of the intake's decisions, each a setting with a default that docs explain."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agent_sre.domain.alert import Alert

DEFAULT_LAPSE_MINUTES: Mapping[str, float] = {
    # Both repeat a firing alert every four hours unless told otherwise.
    "alertmanager": 300.0,
    "grafana": 300.0,
    # Whoever posts these decides how often; a day without a word is long for any of them.
    "generic": 1440.0,
    "cloudevents": 1440.0,
}
"""Minutes by source; the others send each change of state once, so their silence says nothing."""


@dataclass(frozen=True, slots=True)
class Windows:
    """``reopen``: how long after its end an incident is reopened. ``correlation``: how far alerts may be apart.

    A storm is ``storm_incidents`` opened within ``storm``; of them ``storm_alike`` must share what is gathered by. An
    alert that was over ``flaps`` times within ``flap`` is flapping. ``lapse`` is by source, 0 for never.
    """

    reopen: timedelta = timedelta(hours=1)
    correlation: timedelta = timedelta(minutes=30)
    storm: timedelta = timedelta(minutes=5)
    storm_incidents: int = 20
    storm_alike: int = 5
    flap: timedelta = timedelta(minutes=30)
    flaps: int = 3
    lapse: Mapping[str, timedelta] = field(
        default_factory=lambda: {name: timedelta(minutes=value) for name, value in DEFAULT_LAPSE_MINUTES.items()}
    )

    def expires_at(self, alert: Alert) -> datetime | None:
        """When a firing alert counts as over without a further word; None for never."""
        if alert.valid_until is not None and alert.valid_until > alert.received_at:
            return alert.valid_until
        after = self.lapse.get(alert.source)
        return alert.received_at + after if after else None
