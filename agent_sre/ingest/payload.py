"""What is wrong with a payload, in words its sender can act on.

Every parser of an alert source raises ``PayloadError``; the service keeps the body in quarantine and the entry point
turns it into an answer. Values met are shown on one line, cut short, with hidden characters written out: they come from
outside and end up on screens. Not here: what the answer's status code is.
"""

from agent_sre.domain.errors import PermanentError
from agent_sre.domain.visible import one_line

_SHOWN = 80


class PayloadError(PermanentError):
    """A payload that cannot be read: what is wrong, and what to change at the sender."""

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(f"{problem}; {fix}")
        self.problem = problem
        self.fix = fix


class PayloadTooLarge(PayloadError):
    """A payload that was not looked at because of its size."""


def shown(value: object) -> str:
    """A decoded JSON value as an error message may show it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return f"an object with {len(value)} keys"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, str):
        return f'"{one_line(value[: _SHOWN * 2], _SHOWN)}"'
    return one_line(str(value), _SHOWN)
