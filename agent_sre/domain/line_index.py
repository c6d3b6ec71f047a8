"""Which lines of a log hold a text, without looking at each of them.

Analyzers ask a log for messages that hardly any log has: a refused log-in, a failing lookup, a lock. A pattern costs
microseconds on each of a hundred thousand lines, and there are dozens of patterns; but each needs one of a few plain
texts to match at all, and a log has few different words. So the words of a log are listed once, most questions are
answered by that list, and the others by one search through the log as a whole that gives the few lines a pattern must
be tried on.
"""

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterable
from functools import cached_property, lru_cache
from itertools import accumulate

_LETTERS = re.compile("[a-z]+")
_ONLY_LETTERS = bytes(byte if chr(byte).isalpha() and byte < 128 else 32 for byte in range(256))


class LineIndex:
    """The lines in lower case, as one text."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = list(lines)
        joined = "\n".join(self._lines)
        self._text = joined.lower()
        if len(self._text) != len(joined):  # a few letters of other scripts grow when lowered
            self._lines = [line.lower() for line in self._lines]

    @property
    def text(self) -> str:
        """All lines in lower case, with a line break between two of them."""
        return self._text

    @cached_property
    def _starts(self) -> "array[int]":
        """Where each line begins in the text, and where one after the last would."""
        return array("q", accumulate((len(line) + 1 for line in self._lines), initial=0))

    @cached_property
    def _words(self) -> bytes:
        """Every run of ASCII letters that occurs, once."""
        letters = self._text.encode("utf-8", "surrogatepass").translate(_ONLY_LETTERS)
        return b" ".join(set(letters.split()))

    def holds(self, part: str) -> bool:
        """Whether any line holds the part, which is in lower case."""
        return self._known(part) and part in self._text

    def holding(self, parts: Iterable[str]) -> list[int]:
        """Numbers of the lines, from 0 and ascending, that hold at least one of the parts, which are in lower case."""
        found: set[int] = set()
        for part in parts:
            if self._known(part):
                found.update(self._lines_with(part))
        return sorted(found)

    def _known(self, part: str) -> bool:
        """Whether its words occur, at least as parts of others; most questions end here."""
        return all(word in self._words for word in _words_of(part))

    def _lines_with(self, part: str) -> Iterable[int]:
        at = self._text.find(part)
        while at >= 0:
            number = bisect_right(self._starts, at) - 1
            yield number
            at = self._text.find(part, self._starts[number + 1])


@lru_cache(maxsize=4096)
def _words_of(part: str) -> tuple[bytes, ...]:
    return tuple(word.encode() for word in _LETTERS.findall(part))
