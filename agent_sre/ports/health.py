"""What ``agent-sre doctor`` and ``/readyz`` ask of each dependency."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class CheckState(StrEnum):
    """``skipped`` is for what is not configured: said, not failed."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor: what was checked, how it went, and the fix where it did not."""

    subject: str
    state: CheckState
    detail: str
    fix: str = ""


class Probe(Protocol):
    """Looks at one dependency: reach, authentication, rights."""

    async def check(self) -> tuple[Check, ...]:
        """The checks' results; a failure is a Check, never an exception."""
        ...
