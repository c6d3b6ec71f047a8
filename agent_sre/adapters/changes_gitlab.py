"""Commits from GitLab's REST API (version 4), gitlab.com or self-managed: lists, diffs of commits, comparisons.

A project is named by its path, URL-encoded as one segment. Pages follow the ``Link`` header or, where it
is left out, ``X-Next-Page``; a URL that an answer names is never asked. A comparison comes whole, without pages.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from agent_sre.domain.instant import format_instant, parse_instant
from agent_sre.domain.reference import Window
from agent_sre.domain.repository import Repository
from agent_sre.outbound import Call, Endpoint, Exchange
from agent_sre.outbound.commits import Commit, Commits, Edit, wait_of

URL = "https://gitlab.com/api/v4"
PER_PAGE = 100
_NEXT = re.compile(r'rel="next"')


def gitlab_commits(endpoint: Endpoint, repository: Repository, now: Callable[[], float] = time.time) -> Commits:
    """The reader of one project. ``now`` is the clock against which GitLab's reset times are read."""
    return Commits(repository, GitLab(endpoint, repository, now), str(endpoint))


class GitLab:
    """CommitHost over the REST API."""

    def __init__(self, endpoint: Endpoint, repository: Repository, now: Callable[[], float] = time.time) -> None:
        def limited(status: int, headers: Mapping[str, str], _words: str) -> float | None:
            return wait_of(headers, "RateLimit-Reset", now) if status == 429 else None

        self._exchange = Exchange(endpoint, limited=limited)
        self._repository = repository
        self._root = f"projects/{quote(repository.project, safe='')}/repository"

    async def page(self, window: Window, number: int) -> tuple[Sequence[Commit], bool]:
        """One page of the commits."""
        fields = {"since": format_instant(window.start), "until": format_instant(window.end)}
        fields |= {"per_page": str(PER_PAGE), "page": str(number)}
        fields |= {"ref_name": self._repository.branch} if self._repository.branch else {}
        fields |= {"path": self._repository.path} if self._repository.path else {}
        document, more = await self._get("commits", fields)
        return self._commits(document), more

    async def edits(self, sha: str, number: int) -> tuple[Sequence[Edit], bool]:
        """One page of a commit's files."""
        fields = {"per_page": str(PER_PAGE), "page": str(number)}
        document, more = await self._get(f"commits/{quote(sha, safe='')}/diff", fields)
        with self._exchange.well_formed():
            return [Edit(str(one["new_path"]), str(one.get("diff") or "")) for one in document], more

    async def compare(self, old: str, new: str, number: int) -> tuple[Sequence[Commit], bool]:
        """The commits that ``new`` has and ``old`` has not, all on the first page."""
        document, _ = await self._get("compare", {"from": old, "to": new})
        with self._exchange.well_formed():
            listed = document["commits"]
        return self._commits(listed), False

    async def close(self) -> None:
        """Close the connections."""
        await self._exchange.close()

    async def _get(self, path: str, fields: Mapping[str, str]) -> tuple[Any, bool]:
        seen: dict[str, str] = {}

        def heed(headers: Mapping[str, str]) -> None:
            seen.update(link=headers.get("Link", ""), next=headers.get("X-Next-Page", ""))

        document = await self._exchange.document(Call("GET", f"{self._root}/{path}", params=fields), heed=heed)
        return document, bool(_NEXT.search(seen.get("link", "")) or seen.get("next"))

    def _commits(self, document: Any) -> list[Commit]:
        with self._exchange.well_formed():
            return [
                Commit(
                    sha=str(one["id"]),
                    time=parse_instant(one["committed_date"]),
                    message=str(one.get("message") or one["title"]),
                    author=str(one["author_name"]),
                )
                for one in document
            ]
