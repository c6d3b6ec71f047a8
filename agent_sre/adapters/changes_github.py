"""Commits from GitHub's REST API, github.com or a GitHub Enterprise Server: lists, single commits, comparisons.

Pages follow the ``Link`` header, by the page's number only: a URL that an answer names is never asked. GitHub says that
a rate limit is reached with 403 as well as with 429, and tells the two sorts of 403 apart by ``X-RateLimit-Remaining``,
``Retry-After`` or its words; such a refusal may pass, a missing right will not.
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
from agent_sre.outbound.exchange import Refused

URL = "https://api.github.com"
PER_PAGE = 100
_NEXT = re.compile(r'<[^>]*[?&]page=(\d+)[^>]*>;\s*rel="next"')
_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_EMPTY = 409


def github_commits(endpoint: Endpoint, repository: Repository, now: Callable[[], float] = time.time) -> Commits:
    """The reader of one repository. ``now`` is the clock against which GitHub's reset times are read."""
    return Commits(repository, GitHub(endpoint, repository, now), str(endpoint))


class GitHub:
    """CommitHost over the REST API."""

    def __init__(self, endpoint: Endpoint, repository: Repository, now: Callable[[], float] = time.time) -> None:
        def limited(status: int, headers: Mapping[str, str], words: str) -> float | None:
            used_up = headers.get("X-RateLimit-Remaining") == "0" or "Retry-After" in headers
            if status == 429 or (status == 403 and (used_up or "rate limit" in words.lower())):
                return wait_of(headers, "X-RateLimit-Reset", now)
            return None

        self._exchange = Exchange(endpoint, limited=limited)
        self._repository = repository
        self._root = f"repos/{quote(repository.project, safe='/')}"

    async def page(self, window: Window, number: int) -> tuple[Sequence[Commit], bool]:
        """One page of the commits; an empty repository has none."""
        fields = {"since": format_instant(window.start), "until": format_instant(window.end)}
        fields |= {"per_page": str(PER_PAGE), "page": str(number)}
        fields |= {"sha": self._repository.branch} if self._repository.branch else {}
        fields |= {"path": self._repository.path} if self._repository.path else {}
        try:
            document, more = await self._get("commits", fields)
        except Refused as error:
            if error.status == _EMPTY:
                return (), False
            raise
        return self._commits(document), more

    async def edits(self, sha: str, number: int) -> tuple[Sequence[Edit], bool]:
        """One page of a commit's files; GitHub gives 300 at a time and at most 3,000."""
        document, more = await self._get(f"commits/{quote(sha, safe='')}", {"page": str(number)} if number > 1 else {})
        with self._exchange.well_formed():
            found = [Edit(str(one["filename"]), str(one.get("patch") or "")) for one in document.get("files") or ()]
        return found, more

    async def compare(self, old: str, new: str, number: int) -> tuple[Sequence[Commit], bool]:
        """One page of the commits that ``new`` has and ``old`` has not."""
        path = f"compare/{quote(old, safe='')}...{quote(new, safe='')}"
        document, more = await self._get(path, {"per_page": str(PER_PAGE), "page": str(number)})
        with self._exchange.well_formed():
            listed = document["commits"]
        return self._commits(listed), more

    async def close(self) -> None:
        """Close the connections."""
        await self._exchange.close()

    async def _get(self, path: str, fields: Mapping[str, str]) -> tuple[Any, bool]:
        seen: dict[str, str] = {}
        call = Call("GET", f"{self._root}/{path}", params=fields, headers=_HEADERS)
        document = await self._exchange.document(call, heed=lambda headers: seen.update(link=headers.get("Link", "")))
        return document, _NEXT.search(seen.get("link", "")) is not None

    def _commits(self, document: Any) -> list[Commit]:
        with self._exchange.well_formed():
            return [
                Commit(
                    sha=str(one["sha"]),
                    time=parse_instant(one["commit"]["committer"]["date"]),
                    message=str(one["commit"]["message"]),
                    author=str(one["commit"]["author"]["name"]),
                )
                for one in document
            ]
