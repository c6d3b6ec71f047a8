"""Commits of one repository as changes, whichever host has it: pages, diffs for the newest, text kept harmless.

A host's adapter says how its API is asked (``CommitHost``); what is the same for all is here. Messages, names and diffs
are written by anybody who can push, so they are data: the first line of a message, on one line, cut; a diff cut to what
a person would read. Diffs cost a request each, so only the newest commits get theirs; where one could not be read,
that is said in its place.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.reference import Window
from agent_sre.domain.repository import Repository
from agent_sre.domain.telemetry import Change
from agent_sre.domain.visible import one_line, visible
from agent_sre.outbound.exchange import Absent

MOST = 1_000
"""Commits of one answer; one more shows that there are more."""
DIFFS = 20
_DIFF = 20_000
_SUMMARY, _AUTHOR = 200, 100
_PAGES = 12
_EDIT_PAGES = 3
_PATHS = 200
_FURTHER = ", and further files"


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit as its host tells it. ``time`` is the committer's: when it came to the branch."""

    sha: str
    time: datetime
    message: str
    author: str


@dataclass(frozen=True, slots=True)
class Edit:
    """One file of a commit; ``patch`` is empty where the host leaves it out (binary, too large)."""

    path: str
    patch: str


class CommitHost(Protocol):
    """One repository at its host. Pages are counted from 1; the second of each pair says whether there is another."""

    async def page(self, window: Window, number: int) -> tuple[Sequence[Commit], bool]:
        """Commits of the window, the newest first."""
        ...

    async def edits(self, sha: str, number: int) -> tuple[Sequence[Edit], bool]:
        """One page of the files that a commit changes."""
        ...

    async def compare(self, old: str, new: str, number: int) -> tuple[Sequence[Commit], bool]:
        """Commits from ``old`` to ``new``. Absent where the repository lacks either."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


class Commits:
    """The CommitReader over a host."""

    def __init__(self, repository: Repository, host: CommitHost, name: str) -> None:
        self.repository = repository
        self.name = name
        self._host = host

    async def changes(self, namespaces: tuple[str, ...], window: Window) -> tuple[Change, ...]:
        """The window's commits, oldest first; none where the repository concerns other namespaces."""
        if not self.repository.concerns(namespaces):
            return ()
        found: list[Commit] = []
        for number in range(1, _PAGES + 1):
            page, more = await self._host.page(window, number)
            found += page
            if not more or len(found) > MOST:
                break
        return await self._changes(found)

    async def between(self, old: str, new: str) -> tuple[Change, ...]:
        """The commits that came with ``new``; only those that touch the configured path, where there is one."""
        found: list[Commit] = []
        try:
            for number in range(1, _PAGES + 1):
                page, more = await self._host.compare(old, new, number)
                found += page
                if not more or len(found) > MOST:
                    break
        except Absent:
            return ()
        # Hosts compare whole trees, so the path is looked for here.
        return await self._changes(found, self.repository.path)

    async def close(self) -> None:
        """Close the connections."""
        await self._host.close()

    async def _changes(self, found: Iterable[Commit], path: str = "") -> tuple[Change, ...]:
        """Oldest first, without those that are known not to touch the path; one whose files are not known may."""
        newest = sorted({commit.sha: commit for commit in found}.values(), key=lambda one: (one.time, one.sha))[::-1]
        seen = await asyncio.gather(*(self._diff(commit.sha, path) for commit in newest[:DIFFS]))
        by_sha = dict(zip((commit.sha for commit in newest), seen, strict=False))
        told = [(commit, *by_sha.get(commit.sha, ("", True))) for commit in newest[::-1]]
        return tuple(self._change(commit, diff) for commit, diff, touches in told if touches)

    async def _diff(self, sha: str, path: str) -> tuple[str, bool]:
        """The commit's edits as text, or what hinders to read them; and whether they may touch the path."""
        edits: list[Edit] = []
        more = True
        try:
            for number in range(1, _EDIT_PAGES + 1):
                page, more = await self._host.edits(sha, number)
                edits += page
                if not more:
                    break
        except (TemporaryError, PermanentError) as error:
            return f"[not read: {one_line(str(error), 200)}]", True
        return diff_text(edits, more), more or not edits or any(_inside(edit.path, path) for edit in edits)

    def _change(self, commit: Commit, diff: str) -> Change:
        title = next((line for line in commit.message.splitlines() if line.strip()), "(no message)")
        return Change(
            id=commit.sha,
            time=commit.time,
            kind="commit",
            target=self.repository.target,
            summary=one_line(title, _SUMMARY),
            author=one_line(commit.author, _AUTHOR),
            diff=diff,
        )


def diff_text(edits: Sequence[Edit], more: bool = False) -> str:
    """The files, then their patches, as long as a person would read. ``more``: there are files beyond these."""
    if not edits:
        return ""
    paths = [one_line(edit.path, 300) for edit in edits]
    further = _FURTHER if more or len(paths) > _PATHS else ""
    parts = [f"files: {', '.join(paths[:_PATHS])}{further}"]
    parts += [
        f"--- a/{path}\n+++ b/{path}\n{edit.patch}" for path, edit in zip(paths, edits, strict=True) if edit.patch
    ]
    text = visible("\n".join(parts))
    return text if len(text) <= _DIFF else f"{text[: _DIFF - 1]}…"


def _inside(file: str, path: str) -> bool:
    folder = path.strip("/")
    return not folder or file == folder or file.startswith(f"{folder}/")


def wait_of(headers: Mapping[str, str], reset: str, now: Callable[[], float]) -> float:
    """Seconds until a rate limit ends: as ``Retry-After`` says, else by the epoch in the ``reset`` header, else 60."""
    after = headers.get("Retry-After", "")
    if after.isdigit():
        return float(after)
    until = headers.get(reset, "")
    return max(float(until) - now(), 1.0) if until.isdigit() else 60.0
