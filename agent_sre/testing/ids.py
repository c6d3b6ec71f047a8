"""Identifiers that a test can predict."""


class SequentialIds:
    """``INC-1``, ``INC-2``, ``APR-1``: numbered from 1 for each prefix."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def new(self, prefix: str) -> str:
        """The prefix's next id."""
        self._last[prefix] = self._last.get(prefix, 0) + 1
        return f"{prefix}-{self._last[prefix]}"
