"""One alert as a source sent it, translated: what fires, with which labels, since when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

_FNV_OFFSET = 14695981039346656037
_FNV_PRIME = 1099511628211
_SEPARATOR = b"\xff"
_SKEW = timedelta(hours=1)
"""How far ahead of ours a source's clock is believed to be; what claims to come from later than that does not."""


class AlertStatus(StrEnum):
    """Whether the source says that the condition holds now."""

    FIRING = "firing"
    RESOLVED = "resolved"


class AlertClass(StrEnum):
    """What an alert's firing means: that its condition holds, or only that nobody can tell."""

    CONDITION = "condition"
    NO_DATA = "no data"
    """The source could not evaluate its rule: a blind spot, not an outage."""


class Severity(StrEnum):
    """How bad, from the alert's ``severity`` label; a word we do not know is ``warning``."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"

    @classmethod
    def from_label(cls, text: str) -> "Severity":
        """Map the words sites use (page, sev1, P1, error, ...) to ours."""
        word = text.strip().lower()
        if word in {"critical", "crit", "page", "emergency", "fatal", "sev0", "sev1", "p0", "p1", "disaster", "high"}:
            return cls.CRITICAL
        if word in {"info", "information", "informational", "none", "sev4", "sev5", "p4", "p5", "low", "debug"}:
            return cls.INFO
        return cls.WARNING

    @property
    def rank(self) -> int:
        """0 for info up to 2 for critical, to compare by."""
        return (Severity.INFO, Severity.WARNING, Severity.CRITICAL).index(self)


def fingerprint_of(labels: Mapping[str, str]) -> str:
    """The alert's identity: 64-bit FNV-1a over the sorted labels, 16 hex digits.

    Same algorithm as Prometheus' ``model.LabelSet.Fingerprint``, so ours equals Alertmanager's own where it sends one,
    and an alert without one gets the same.
    """
    digest = _FNV_OFFSET
    for name in sorted(labels):
        for part in (name.encode("utf-8", "surrogatepass"), labels[name].encode("utf-8", "surrogatepass")):
            for byte in part + _SEPARATOR:
                digest = ((digest ^ byte) * _FNV_PRIME) & 0xFFFFFFFFFFFFFFFF
    return f"{digest:016x}"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert. Times are UTC; ``ends_at`` is None while it fires."""

    fingerprint: str
    status: AlertStatus
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime | None
    received_at: datetime
    source: str
    receiver: str = ""
    group_key: str = ""
    generator_url: str = ""
    external_url: str = ""
    truncated: int = field(default=0)
    """How many further alerts of the group the source left out of its message."""
    alert_class: AlertClass = AlertClass.CONDITION
    message_id: str = ""
    """The source's own id of this message, "" where it has none; the same id again is the same message."""
    valid_until: datetime | None = None
    """Until when its source vouches for it while it fires, where it says so. UTC."""
    lapsed: bool = False
    """Nobody said that it is over: we stopped believing that it fires, at ``ends_at``, because no word came."""

    @property
    def name(self) -> str:
        """The ``alertname`` label, or "alert" where a source has none."""
        return self.labels.get("alertname", "alert")

    @property
    def speaks_of(self) -> datetime:
        """The moment this message tells about: the start while it fires, the end once it is resolved. UTC."""
        moment = self.starts_at if self.status is AlertStatus.FIRING else self.ends_at or self.received_at
        return moment if moment <= self.received_at + _SKEW else self.received_at

    def overrides(self, other: "Alert") -> bool:
        """Whether this is the later word on the same alert, in whatever order the two messages arrived.

        A resolve outranks a start of the same moment; a repetition overrides what it repeats. That an alert lapsed is
        no word of its source's: whatever is received after that overrides it.
        """
        if other.lapsed or self.lapsed:
            return self.received_at >= other.received_at
        ours = (self.speaks_of, self.status is AlertStatus.RESOLVED)
        return ours >= (other.speaks_of, other.status is AlertStatus.RESOLVED)

    @property
    def severity(self) -> Severity:
        """From the ``severity`` (or ``priority``) label."""
        return Severity.from_label(self.labels.get("severity") or self.labels.get("priority") or "")

    @property
    def namespace(self) -> str:
        """The Kubernetes namespace the labels name, or ""."""
        return self.labels.get("namespace") or self.labels.get("kubernetes_namespace") or ""

    @property
    def service(self) -> str:
        """The workload or service the labels name, or "": the most specific of the usual labels."""
        for label in ("deployment", "statefulset", "daemonset", "workload", "service", "app", "job_name", "job"):
            if self.labels.get(label):
                return self.labels[label]
        return ""

    @property
    def summary(self) -> str:
        """One line a person can read; it says so where the source only lacks data."""
        text = self.annotations.get("summary") or self.annotations.get("description") or self.name
        blind = "No data: " if self.alert_class is AlertClass.NO_DATA else ""
        return blind + " ".join(text.split())
