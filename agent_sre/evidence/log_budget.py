"""All logs of a run within one number of bytes, however many streams there are.

A reader bounds each stream, but two hundred bounded streams can still be gigabytes. So what has been read is weighed as
it comes, and while it is too much the heaviest stream loses every second line: each stays an even sample of its window,
small streams stay whole, and what went is counted with the rest that was left out.
"""

from collections.abc import Hashable
from dataclasses import replace
from typing import Generic, TypeVar

from agent_sre.domain.telemetry import LogLine, LogStream
from agent_sre.ports.logs import LogAnswer

K = TypeVar("K", bound=Hashable)


class LogBudget(Generic[K]):
    """Answers by key, together at most ``max_bytes`` of text but for one line of each."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._answers: dict[K, LogAnswer] = {}
        self._bytes: dict[K, int] = {}

    def add(self, key: K, answer: LogAnswer) -> None:
        """Keep an answer, and make room for it."""
        self._answers[key] = answer
        self._bytes[key] = _weight(answer)
        while sum(self._bytes.values()) > self._max_bytes and self._thin(max(self._bytes, key=self._bytes.__getitem__)):
            pass

    def get(self, key: K) -> LogAnswer | None:
        """What is left of an answer; None where there was none."""
        return self._answers.get(key)

    def _thin(self, key: K) -> bool:
        answer = self._answers[key]
        if all(len(stream.lines) < 2 for stream in answer.streams):
            return False
        self._answers[key] = replace(answer, streams=tuple(map(_halved, answer.streams)))
        self._bytes[key] = _weight(self._answers[key])
        return True


def _halved(stream: LogStream) -> LogStream:
    kept = stream.lines[::2]
    return replace(stream, lines=kept, left_out=stream.left_out + len(stream.lines) - len(kept))


def _weight(answer: LogAnswer) -> int:
    return sum(_size(line) for stream in answer.streams for line in stream.lines)


def _size(line: LogLine) -> int:
    return len(line.text) + 100  # the objects around a short text weigh more than it does
