"""GitHub and GitLab over real sockets, written from their public REST documents: recorded protocols, not the programs.

Both serve one repository: a branch's commits with times, messages and files. They page as the real ones do, GitHub with
a ``Link`` header whose URLs lead to another host, so that whoever follows them is found out. Either knows what a path
filter, an unknown revision and a missing token come to; rate limits are played as faults of ``http``.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from aiohttp import web

from agent_sre.domain.instant import format_instant, parse_instant
from agent_sre.testing.recorded_server import Recorded, Request

ELSEWHERE = "http://elsewhere.invalid"
GITHUB_FILES = 300
"""GitHub's files of a commit on one page."""
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Stored:
    """One commit of the branch."""

    sha: str
    time: datetime
    message: str
    author: str


@dataclass(slots=True)
class _Host(ABC):
    """``commits`` are oldest first, ``files`` their paths and patches by commit; ``token`` is who may read.

    The files of ``hidden`` commits are refused.
    """

    project: str = "acme/cart"
    commits: Sequence[Stored] = ()
    files: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    token: str = ""
    hidden: frozenset[str] = frozenset()
    page_size: int = 100
    http: Recorded = field(init=False)

    def __post_init__(self) -> None:
        self.http = Recorded(self._answer)

    async def _answer(self, request: Request) -> web.Response:
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.json_response({"message": "Bad credentials"}, status=401)
        if any(sha in request.path for sha in self.hidden):
            return web.json_response({"message": "Resource not accessible by this token"}, status=403)
        return self._found(request)

    @abstractmethod
    def _found(self, request: Request) -> web.Response:
        """The host's own answer to a request that may be answered."""

    def _listed(self, fields: Mapping[str, str]) -> list[Stored]:
        """Commits of a window and a path, the newest first."""
        since, until, path = parse_instant(fields["since"]), parse_instant(fields["until"]), fields.get("path", "")
        inside = [commit for commit in self.commits if since <= commit.time <= until]
        kept = [one for one in inside if any(name.startswith(path) for name in self.files.get(one.sha, {"": ""}))]
        return kept[::-1]

    def _between(self, old: str, new: str) -> list[Stored] | None:
        """Commits after one and up to another, oldest first; None where either is unknown."""
        places = [
            next((place for place, one in enumerate(self.commits) if one.sha.startswith(sha)), None)
            for sha in (old, new)
        ]
        first, last = places
        return None if first is None or last is None else list(self.commits[first + 1 : last + 1])

    def _page(self, found: list[_Item], fields: Mapping[str, str], usual: int = 30) -> tuple[list[_Item], int]:
        """One page, ``usual`` long where no other length is asked for, and the number of the next, 0 for none."""
        size, number = min(int(fields.get("per_page", usual)), max(self.page_size, usual)), int(fields.get("page", "1"))
        return found[(number - 1) * size : number * size], number + 1 if number * size < len(found) else 0


class GitHubServer(_Host):
    """``GET /repos/{owner}/{repo}/commits``, ``/commits/{sha}`` and ``/compare/{base}...{head}``."""

    def _found(self, request: Request) -> web.Response:
        root, _, rest = request.path.partition(f"/repos/{self.project}/")
        if root or not rest:
            return web.json_response({"message": "Not Found"}, status=404)
        if rest == "commits":
            page, following = self._page(self._listed(request.fields), request.fields)
            return self._linked([self._shown(one) for one in page], request, following)
        if rest.startswith("compare/"):
            found = self._between(*rest.removeprefix("compare/").split("..."))
            if found is None:
                return web.json_response({"message": "Not Found"}, status=404)
            page, following = self._page(found, request.fields)
            shown = {"status": "ahead", "total_commits": len(found), "commits": [self._shown(one) for one in page]}
            return self._linked(shown, request, following)
        sha = rest.removeprefix("commits/")
        files = [{"filename": name, "patch": patch} for name, patch in self.files.get(sha, {}).items()]
        shown_files, following = self._page(files, request.fields, GITHUB_FILES)
        return self._linked({"sha": sha, "files": shown_files}, request, following)

    def _linked(self, document: object, request: Request, following: int) -> web.Response:
        headers = {"X-RateLimit-Remaining": "4999"}
        if following:
            headers["Link"] = f'<{ELSEWHERE}{request.path}?per_page=100&page={following}>; rel="next"'
        return web.json_response(document, headers=headers)

    def _shown(self, one: Stored) -> dict[str, object]:
        who = {"name": one.author, "email": "x@example.com", "date": format_instant(one.time)}
        return {"sha": one.sha, "commit": {"author": who, "committer": who, "message": one.message}}


class GitLabServer(_Host):
    """``GET /projects/:id/repository/commits``, ``/commits/:sha/diff`` and ``/compare``."""

    def _found(self, request: Request) -> web.Response:
        # The test server gives paths decoded: the project's one segment shows as several.
        root, _, rest = request.path.partition(f"/projects/{self.project}/repository/")
        if root or not rest:
            return web.json_response({"message": "404 Project Not Found"}, status=404)
        if rest == "commits":
            page, following = self._page(self._listed(request.fields), request.fields)
            headers = {"X-Next-Page": str(following or "")}
            return web.json_response([self._shown(one) for one in page], headers=headers)
        if rest == "compare":
            found = self._between(request.fields["from"], request.fields["to"])
            if found is None:
                return web.json_response({"message": "404 Ref Not Found"}, status=404)
            shown = {"commits": [self._shown(one) for one in found], "diffs": [], "compare_timeout": False}
            return web.json_response(shown)
        sha = rest.removeprefix("commits/").removesuffix("/diff")
        files = [{"old_path": name, "new_path": name, "diff": text} for name, text in self.files.get(sha, {}).items()]
        shown_files, following = self._page(files, request.fields)
        return web.json_response(shown_files, headers={"X-Next-Page": str(following or "")})

    def _shown(self, one: Stored) -> dict[str, object]:
        title = one.message.partition("\n")[0]
        who = {"author_name": one.author, "committed_date": format_instant(one.time)}
        return {"id": one.sha, "short_id": one.sha[:8], "title": title, "message": one.message, **who}
