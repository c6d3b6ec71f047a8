"""An even sample of a stream of unknown length, in bounded memory.

Log stores can hold more lines than anybody may read at once. The head or the tail of them would show one moment of the
incident; every n-th line shows all of it, so that is what every log adapter keeps, and it counts the rest.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class EvenSample(Generic[T]):
    """Keeps every n-th item, doubling n whenever too many items or bytes are held.

    ``weigh`` gives an item's bytes. At most ``size`` items are given in the end, and at most twice as many and
    ``max_bytes`` (of which the last item alone may be more) are held meanwhile.
    """

    def __init__(self, size: int, weigh: Callable[[T], int], max_bytes: int) -> None:
        self._size = max(size, 1)
        self._weigh = weigh
        self._max_bytes = max_bytes
        self._held: list[T] = []
        self._bytes = 0
        self._stride = 1
        self.seen = 0
        """How many items were added."""

    @property
    def wanted(self) -> bool:
        """Whether the next item has a chance to be kept; one that has not need not be made, only passed by."""
        return self.seen % self._stride == 0

    def pass_by(self) -> None:
        """Count the next item without looking at it."""
        self.seen += 1

    def add(self, item: T) -> None:
        """Take the next item."""
        if self.seen % self._stride == 0:
            if len(self._held) == 2 * self._size:
                self._thin()
            if self.seen % self._stride == 0:
                self._held.append(item)
                self._bytes += self._weigh(item)
                while self._bytes > self._max_bytes and len(self._held) > 1:
                    self._thin()
        self.seen += 1

    def kept(self) -> list[T]:
        """At most ``size`` items, evenly spread, first and last of the held ones included, in the order of adding."""
        held, size = self._held, self._size
        if len(held) <= size:
            return held
        last = len(held) - 1
        return [held[round(index * last / max(size - 1, 1))] for index in range(size)]

    @property
    def left_out(self) -> int:
        """How many of the items seen are not among those kept."""
        return self.seen - min(len(self._held), self._size)

    def _thin(self) -> None:
        del self._held[1::2]
        self._stride *= 2
        self._bytes = sum(map(self._weigh, self._held))
