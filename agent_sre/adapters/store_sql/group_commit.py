"""Many callers, one commit.

A commit costs an fsync, whoever waits for it; so all rows that arrive while one commit is under way go into the next.
There is no timer: an idle store answers after one fsync, a busy one fills its commits by itself. Rows keep the order of
the calls. A caller is answered after the commit that holds its rows; where that fails, all its callers are told.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from agent_sre.domain.errors import PermanentError, TemporaryError

Row = tuple[str, str | None]
"""An alert's text, and the digest of its message's id."""

_MOST_ROWS = 5_000
"""No further caller is taken into a commit that has this many rows: a storm must not grow one transaction for ever."""


class GroupCommit:
    """Collects rows and hands them to ``commit``, one batch at a time."""

    def __init__(self, commit: Callable[[Sequence[Row]], Awaitable[None]]) -> None:
        self._commit = commit
        self._waiting: deque[tuple[Sequence[Row], asyncio.Future[None]]] = deque()
        self._flusher: asyncio.Task[None] | None = None

    async def add(self, rows: Sequence[Row]) -> None:
        """Return after the commit that holds the rows; raise what that commit raised."""
        if not rows:
            return
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((rows, answer))
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush(), name="inbox group commit")
        # A caller that is cancelled takes only its answer away: its rows are in a batch with those of others.
        await answer

    async def lull(self, seconds: float) -> None:
        """Wait until nothing is under way, for so long at most."""
        try:
            async with asyncio.timeout(seconds):
                await self.drain()
        except TimeoutError:
            return

    async def drain(self) -> None:
        """Wait until nothing is under way."""
        while self._flusher is not None and not self._flusher.done():
            await asyncio.wait([self._flusher])

    def _take(self) -> tuple[list[Row], list[asyncio.Future[None]]]:
        rows: list[Row] = []
        answers: list[asyncio.Future[None]] = []
        while self._waiting and (not rows or len(rows) + len(self._waiting[0][0]) <= _MOST_ROWS):
            more, answer = self._waiting.popleft()
            rows.extend(more)
            answers.append(answer)
        return rows, answers

    async def _flush(self) -> None:
        answers: list[asyncio.Future[None]] = []
        try:
            while self._waiting:
                rows, answers = self._take()
                try:
                    await self._commit(rows)
                except (TemporaryError, PermanentError) as error:
                    _refuse(answers, str(error))
                else:
                    for answer in answers:
                        if not answer.done():
                            answer.set_result(None)
        finally:
            # Reached with unanswered callers only by cancellation or a bug: nobody may wait for ever or be told "done".
            _refuse([*answers, *(answer for _, answer in self._waiting)], "the inbox stopped before it committed")
            self._waiting.clear()


def _refuse(answers: Sequence[asyncio.Future[None]], message: str) -> None:
    for answer in answers:
        if not answer.done():
            answer.set_exception(TemporaryError(message))
