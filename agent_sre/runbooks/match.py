"""Which runbooks apply to a cause, best first.

A runbook that names the fault type comes before one that only fits the alert's labels; among those, one that names
fewer fault types is more specific. Patterns are written by operators, not taken from telemetry, and must match a
whole label.
"""

import re
from collections.abc import Mapping, Sequence

from agent_sre.domain.runbook import Runbook

RE_PREFIX = "re:"


def matching(runbooks: Sequence[Runbook], fault: str, labels: Mapping[str, str]) -> tuple[Runbook, ...]:
    """The runbooks for a fault type or for an alert's labels; an empty fault matches by labels only."""
    by_fault = [item for item in runbooks if fault and fault in item.matches.faults]
    by_fault.sort(key=lambda item: (len(item.matches.faults), item.id))
    by_label = [item for item in runbooks if item not in by_fault and _fits(item.matches.labels, labels)]
    by_label.sort(key=lambda item: (-len(item.matches.labels or {}), item.id))
    return (*by_fault, *by_label)


def _fits(patterns: Mapping[str, str] | None, labels: Mapping[str, str]) -> bool:
    if not patterns:
        return False
    return all(name in labels and _matches(pattern, labels[name]) for name, pattern in patterns.items())


def _matches(pattern: str, value: str) -> bool:
    if pattern.startswith(RE_PREFIX):
        return re.fullmatch(pattern.removeprefix(RE_PREFIX), value) is not None
    return pattern == value
