"""What is looked at first. Called P1 to P5, as people on call say it."""

from enum import IntEnum


class Priority(IntEnum):
    """From the most urgent to the least."""

    P1 = 1
    P2 = 2
    P3 = 3
    P4 = 4
    P5 = 5

    def raised(self, steps: int) -> "Priority":
        """So many steps more urgent (less, where negative), within P1 to P5."""
        return Priority(min(max(self.value - steps, 1), 5))

    def __str__(self) -> str:
        """``P1``."""
        return self.name
