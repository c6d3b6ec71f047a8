"""The two kinds of failure, and nothing else.

A caller needs to know one thing of a failure: is it worth trying again? ``TemporaryError`` says yes (a back end is
down, a limit is hit), ``PermanentError`` says no (a value is wrong, a right is missing). The message of either names
the value that was met and the fix, because it is read by a person at 3 a.m. or becomes an evidence gap.
"""


class AgentSreError(Exception):
    """Base of the product's own errors; never raised itself."""


class TemporaryError(AgentSreError):
    """Worth trying again, not before ``retry_after`` seconds where the other side said so."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class PermanentError(AgentSreError):
    """Trying again changes nothing; the message says what would."""
