"""Suppressors for tests of suppression: windows, silences and rules around noon of 5 January 2026."""

from typing import Any

from agent_sre.domain.maintenance import MaintenanceWindow
from agent_sre.domain.suppression import InhibitRule, Silence
from agent_sre.ingest.matchers import parse_matcher
from tests.unit.alerts import at


def window(*matchers: str, starts: float = 0, ends: float | None = 120, **changes: Any) -> MaintenanceWindow:
    """A maintenance window; times in minutes past noon."""
    values: dict[str, Any] = {
        "id": "MW-3",
        "matchers": tuple(map(parse_matcher, matchers or ("namespace=shop",))),
        "starts_at": at(starts),
        "ends_at": None if ends is None else at(ends),
        "author": "ana",
        "comment": "db upgrade",
        "created_at": at(-10),
    }
    return MaintenanceWindow(**values | changes)


def silence(*matchers: str, starts: float = 0, ends: float = 120) -> Silence:
    """A silence of an Alertmanager."""
    parsed = tuple(map(parse_matcher, matchers or ("namespace=shop",)))
    return Silence("5f2c", parsed, at(starts), at(ends), "ben", "known noise")


def rule(source: str, target: str, *equal: str) -> InhibitRule:
    """A rule with one matcher on each side."""
    return InhibitRule((parse_matcher(source),), (parse_matcher(target),), equal)
