"""What suppresses alerts at a moment, handed to the pipeline: maintenance windows, silences, inhibition.

A pure value: who reads the windows and silences, and who knows which alerts fire, is ``service.suppressions``' part.
Inhibition is Alertmanager's: a firing alert that a rule's source matchers match suppresses each that its target
matchers match and that has the same values in the labels named; an alert that both sides match is not suppressed by
another such one, hence never by itself. Whether the source is itself silenced does not matter.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from agent_sre.domain.alert import Alert
from agent_sre.domain.instant import format_instant
from agent_sre.domain.maintenance import MaintenanceWindow
from agent_sre.domain.matcher import Matcher, Operator
from agent_sre.domain.suppression import InhibitRule, Silence, Suppression, Suppressor
from agent_sre.domain.visible import one_line
from agent_sre.ingest.matchers import all_match

SAME_THING = (
    *("alertname", "cluster", "namespace", "service", "deployment", "statefulset", "daemonset", "workload", "app"),
    *("pod", "container", "node", "instance", "job", "host"),
)
"""Labels that say what an alert is about."""
DEFAULT_RULES = (
    InhibitRule(
        source=(Matcher("severity", Operator.EQUAL, "critical"),),
        target=(Matcher("severity", Operator.MATCHES, "warning|info"),),
        equal=SAME_THING,
        name="a critical alert about the same thing",
    ),
)
"""One rule fires at two thresholds: only the graver one is acted upon."""
_COMMENT = 80


@dataclass(frozen=True, slots=True)
class Suppressors:
    """``sources`` holds, by a rule's number and the values of its equal labels, the firing alerts that its source side
    matches, by source and fingerprint."""

    windows: tuple[MaintenanceWindow, ...] = ()
    silences: tuple[Silence, ...] = ()
    rules: tuple[InhibitRule, ...] = ()
    sources: Mapping[tuple[int, tuple[str, ...]], Mapping[tuple[str, str], Alert]] = field(default_factory=dict)

    def suppression(self, alert: Alert, now: datetime) -> Suppression | None:
        """Why an alert is suppressed at ``now`` (UTC), None where it is not. Maintenance is told before a silence."""
        return self._by_window(alert, now) or self._by_silence(alert, now) or self._by_rule(alert)

    def _by_window(self, alert: Alert, now: datetime) -> Suppression | None:
        found = None
        for window in self.windows:
            until = window.until(now)
            if (
                until is not None
                and all_match(window.matchers, alert.labels)
                and (found is None or _later(until, found.until))
            ):
                what = f"maintenance window {window.id}{_quoted(window.comment)}"
                text = _sentence(what, until, window.author)
                found = Suppression(Suppressor.MAINTENANCE, window.id, text, until)
        return found

    def _by_silence(self, alert: Alert, now: datetime) -> Suppression | None:
        found = None
        for silence in self.silences:
            if not silence.active(now) or not all_match(silence.matchers, alert.labels):
                continue
            if found is None or _later(silence.ends_at, found.until):
                what = f"Alertmanager's silence {one_line(silence.id, 40)}{_quoted(silence.comment)}"
                text = _sentence(what, silence.ends_at, silence.author)
                found = Suppression(Suppressor.SILENCE, silence.id, text, silence.ends_at)
        return found

    def _by_rule(self, alert: Alert) -> Suppression | None:
        for number, rule in enumerate(self.rules):
            if not all_match(rule.target, alert.labels):
                continue
            both = all_match(rule.source, alert.labels)
            for source in self.sources.get((number, equal_labels(rule, alert)), {}).values():
                if not (both and all_match(rule.target, source.labels)):
                    why = f" ({rule.name})" if rule.name else ""
                    text = f"suppressed while {one_line(source.name, 80)} fires{why}"
                    return Suppression(Suppressor.INHIBITION, source.fingerprint, text, None)
        return None


NOTHING = Suppressors()
"""Nothing is suppressed."""


def equal_labels(rule: InhibitRule, alert: Alert) -> tuple[str, ...]:
    """The alert's values of the labels that must be equal."""
    return tuple(alert.labels.get(label, "") for label in rule.equal)


def _later(until: datetime, known: datetime | None) -> bool:
    return known is not None and until > known


def _quoted(comment: str) -> str:
    return f" '{one_line(comment, _COMMENT)}'" if comment.strip() else ""


def _sentence(what: str, until: datetime | None, author: str) -> str:
    end = f" until {format_instant(until)}" if until else ""
    who = f" by {one_line(author, 60)}" if author.strip() else ""
    return f"suppressed by {what}{end}{who}"
