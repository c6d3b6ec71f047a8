"""What a source told of one alert, on its way to being ours; and the outcome of reading one message.

Every source but Alertmanager and Grafana has an id of its own for an alert, which its firing and its resolved message
share; labels are what it says about it. So the fingerprint is made of source and id. Times that are missing are filled
with the moment of receipt, never guessed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from agent_sre.domain.alert import Alert, AlertClass, AlertStatus, Severity, fingerprint_of
from agent_sre.ingest.fields import text
from agent_sre.ingest.labels import MAX_LABELS, labels_of


@dataclass(frozen=True, slots=True)
class Reading:
    """What one message held: alerts, or in ``ignored`` why it holds none, naming what was met.

    ``to_do`` is what an operator must do about it, for the log; it may hold a one-time token. ``place`` is where it was
    said, for sources of which only some places are believed; ``challenge`` what a sender wants to hear back.
    """

    alerts: tuple[Alert, ...] = ()
    ignored: str = ""
    to_do: str = ""
    place: str = ""
    challenge: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One alert in its source's words. ``identity`` is shared by its firing and its resolved message.

    ``severity`` is a word that ``Severity.from_label`` knows; ``group`` what the source itself groups by, "" for
    nothing; ``message_id`` the message's own id, where the source repeats a message under the same one.
    """

    identity: str
    firing: bool
    name: str
    severity: str = ""
    labels: Mapping[str, object] = field(default_factory=dict)
    annotations: Mapping[str, object] = field(default_factory=dict)
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    group: str = ""
    url: str = ""
    external_url: str = ""
    no_data: bool = False
    message_id: str = ""

    def alert(self, source: str, received_at: datetime) -> Alert:
        """The alert, received at a moment in UTC. Raises PayloadError for labels that cannot be kept."""
        ends_at = None if self.firing else self.ends_at or received_at
        named: dict[str, object] = {"alertname": self.name or "alert"}
        if self.severity:
            named["severity"] = Severity.from_label(self.severity).value
        others = {name: value for name, value in self.labels.items() if name not in named}
        labels, left_out = labels_of({**named, **others})
        annotations = {text(name): said for name, value in self.annotations.items() if (said := text(value))}
        if left_out:
            annotations["left_out"] = f"{left_out} labels beyond {MAX_LABELS}"
        return Alert(
            fingerprint=fingerprint_of({"source": source, "id": self.identity}),
            status=AlertStatus.FIRING if self.firing else AlertStatus.RESOLVED,
            labels=labels,
            annotations=dict(list(annotations.items())[:MAX_LABELS]),
            starts_at=self.starts_at or ends_at or received_at,
            ends_at=ends_at,
            received_at=received_at,
            source=source,
            group_key=text(self.group),
            generator_url=text(self.url),
            external_url=text(self.external_url),
            alert_class=AlertClass.NO_DATA if self.no_data else AlertClass.CONDITION,
            message_id=text(self.message_id),
        )
