"""A part of an OpenMetrics text, whose lines are found, compared and converted to numbers many at a time.

Series have hundreds of samples, one line after the other, so a file of millions of lines is few selectors repeated.
Nothing here makes an object of a line: numpy says where lines begin and end, copies what stands at the same place of
many lines at once to compare it, and lays the values of many lines side by side for a JSON parser to read at once.
"""

import re
from array import array
from collections.abc import Sequence
from struct import pack
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import orjson

Positions: TypeAlias = npt.NDArray[np.int64]

Run: TypeAlias = tuple[int, int, int]
"""Lines of one selector: the first, the one after the last, and how many bytes stand before each one's value."""

ROOM = 64
"""Bytes of a value; lines with longer ones are read one by one."""
_OF_NUMBERS = b"0123456789.eE+-"
"""All bytes of plain numbers; what is made of them, JSON parsers and Prometheus read alike, but for a minus zero."""
_MINUS_ZERO = re.compile(rb"-0(?:,|\Z)")
"""JSON parsers take it for the integer."""
_NEWLINE, _TAB, _SPACE = b"\n\t "


class Block:
    """Whole lines, each with its end; lines are named by their number in the block, from 0."""

    def __init__(self, buffer: bytearray, size: int) -> None:
        """The first ``size`` bytes of a buffer, which goes on for at least ``ROOM`` more; what stands there is the
        reader's affair, and so is that the buffer is not changed while the block is in use."""
        self._text = buffer
        self._codes = np.frombuffer(buffer, np.uint8, size)
        self._ends: Positions = np.flatnonzero(self._codes == _NEWLINE)
        self._starts: Positions = np.concatenate(([0], self._ends[:-1] + 1))

    def __len__(self) -> int:
        return len(self._ends)

    def line(self, at: int) -> bytes:
        """One line without its end."""
        return bytes(self._text[self._starts[at] : self._ends[at]])

    def alike(self, at: int, prefix: bytes, guess: int) -> int:
        """The line after those that begin with ``prefix`` from ``at`` on, which does; probably there are ``guess``."""
        end = at + 1
        if not self._begins(end, prefix):
            return end
        likely = min(at + guess, len(self))
        if self._rows(self._starts[at:likely], len(prefix)).tobytes() == prefix * (likely - at):
            end = max(end, likely)
        some = 16
        while self._begins(end, prefix):
            rows = self._rows(self._starts[end : end + some], len(prefix))
            same = (rows.view(np.uint8).reshape(len(rows), -1) == np.frombuffer(prefix, np.uint8)).all(axis=1)
            end += len(same) if same.all() else int(same.argmin())
            some *= 4
        return end

    def _begins(self, at: int, prefix: bytes) -> bool:
        return at < len(self) and self._text.startswith(prefix, int(self._starts[at]))

    def _rows(self, at: Positions, width: int) -> npt.NDArray[np.void]:
        """As many bytes from each of some positions on; from near the block's end those at its very end."""
        last = len(self._text) - width
        every: npt.NDArray[np.void] = np.ndarray((last + 1,), f"V{width}", self._text, strides=(1,))
        return every[np.minimum(at, last)]

    def samples(self, runs: Sequence[Run]) -> tuple[bytes, bytes] | None:
        """The values of all lines of some runs as doubles, and the times as they are written, all equally wide.

        None where a value is no plain number or the times are of different widths, so that a run alone or a line alone
        must be looked at. Whether the times are numbers is not looked at: series share them, so few are to be read.
        """
        at = np.concatenate([self._starts[first:after] + width for first, after, width in runs])
        ends = np.concatenate([self._ends[first:after] for first, after, _ in runs])
        wide = int(ends[0]) - 1 - self._text.find(b" ", int(at[0]), int(ends[0]))
        sizes = ends - wide - 1 - at
        width = int(sizes.max()) + 1
        if wide < 1 or width > ROOM or sizes.min() < 1 or (self._codes[at + sizes] != _SPACE).any():
            return None
        table = self._rows(at, width).view(np.uint8).reshape(len(at), width)
        np.putmask(table, np.arange(width, dtype=np.uint8) > sizes.astype(np.uint8)[:, None], _TAB)
        text = table.tobytes()
        minus_zero = b"-" in text and b"-0 " in text  # which JSON parsers take for the integer
        if minus_zero or text.translate(None, _OF_NUMBERS + b"\t") != b" " * len(at):
            return None
        try:
            found: list[Any] = orjson.loads(b"[%b]" % text.replace(b" ", b",").rstrip(b",\t"))
        except orjson.JSONDecodeError:
            return None  # such as 5. and .5, which are numbers all the same
        # By way of struct: thrice as fast as an array from the list.
        return pack(f"{len(found)}d", *found), self._rows(ends - wide, wide).tobytes()


def pair(text: bytes) -> list[bytes]:
    """Value and time. Raises ValueError where there is anything else."""
    words = text.split(b" ")
    if len(words) != 2:
        raise ValueError(text[:80])
    return words


def numbers(words: Sequence[bytes]) -> "array[float]":
    """All of them as numbers. Raises ValueError where one is anything else."""
    joined = b",".join(words)
    if joined.translate(None, _OF_NUMBERS) == b"," * (len(words) - 1) and not _MINUS_ZERO.search(joined):
        try:
            return array("d", orjson.loads(b"[%b]" % joined))
        except orjson.JSONDecodeError:
            pass  # such as 5. and .5, which are numbers all the same
    if b"_" in joined or not joined.isascii():  # float() would take 1_000 and other scripts' digits
        raise ValueError(joined[:80])
    return array("d", map(float, words))
