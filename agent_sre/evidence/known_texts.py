"""Texts that were looked at before and held no secret, so that a storm's alerts are not searched word by word.

Alerts repeat most of what they say: label values, links, the same sentence. What is new in a message is searched
together, once. Only harmless texts are kept, and only so many: those that have not been met for a while go first.
"""

from collections.abc import Iterable

_MOST = 4_096
_LONGEST = 400


class KnownTexts:
    """A set in two generations: when the young one is full it becomes the old one, which is forgotten."""

    def __init__(self) -> None:
        self._young: set[str] = set()
        self._old: set[str] = set()

    def unknown(self, texts: set[str]) -> set[str]:
        """Those that have to be looked at."""
        left = texts - self._young
        if left and self._old:
            again = left & self._old
            if again:
                self.keep(again)
                left -= again
        return left

    def keep(self, texts: Iterable[str]) -> None:
        """Remember harmless texts."""
        self._young.update(text for text in texts if len(text) <= _LONGEST)
        if len(self._young) > _MOST:
            self._old, self._young = self._young, set()
