"""The repositories that the site names in a file: whose commits are read, by which host's API, for which workloads."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.reference import Window
from agent_sre.domain.repository import Repository
from agent_sre.ports.health import Check, CheckState, Probe
from agent_sre.settings import PREFIX, Settings

if TYPE_CHECKING:
    from agent_sre.outbound.commits import Commits

_SETTING = f"{PREFIX}REPOSITORIES_FILE"
_PLAIN = ("branch", "path", "namespace", "workload")
_KEYS = frozenset({"host", "repository", "url", "token", "token_file", "ca_file", *_PLAIN})
_HOSTS = ("github", "gitlab")


def open_repositories(settings: Settings) -> tuple[tuple[Repository, Commits], ...]:
    """A reader for each entry; nothing is sent yet. Raises PermanentError naming the entry and what is wrong."""
    if not settings.repositories_file:
        return ()
    from agent_sre.adapters.snapshot_directory.documents import load_yaml

    file = Path(settings.repositories_file)
    document = load_yaml(_read(file, _SETTING), str(file))  # YAML contains JSON
    entries = document.get("repositories") if isinstance(document, Mapping) else None
    if not isinstance(entries, list):
        raise PermanentError(f"{_SETTING}={file}: no list 'repositories' at the top")
    return tuple(_opened(f"{file}: repositories[{place}]", entry) for place, entry in enumerate(entries))


def repository_probes(settings: Settings) -> list[Probe]:
    """What looks at each of them for the doctor."""
    return [RepositoryProbe(commits) for _, commits in open_repositories(settings)]


class RepositoryProbe:
    """Asks for the commits of the last hour, with a reader of its own, which is closed afterwards."""

    def __init__(self, commits: Commits) -> None:
        self._commits = commits

    async def check(self) -> tuple[Check, ...]:
        """One line; a failure is a Check, never an exception."""
        subject = f"repository {self._commits.repository}"
        now = datetime.now(UTC)
        try:
            await self._commits.changes((self._commits.repository.namespace,), Window(now - timedelta(hours=1), now))
        except TemporaryError as error:
            return (Check(subject, CheckState.WARNING, str(error), "try again later, or use a token of its own"),)
        except PermanentError as error:
            return (Check(subject, CheckState.FAILED, str(error), f"correct the entry in {_SETTING}"),)
        finally:
            await self._commits.close()
        return (Check(subject, CheckState.OK, f"{self._commits.name} answers, and its commits may be read"),)


def _opened(place: str, entry: Any) -> tuple[Repository, Commits]:
    from agent_sre.adapters import changes_github, changes_gitlab
    from agent_sre.outbound import Endpoint

    fields = _checked(place, entry)
    repository = Repository(fields["repository"].strip("/"), *(fields.get(key, "") for key in _PLAIN))
    github = fields["host"] == "github"
    token = fields.get("token") or (_read(Path(fields["token_file"]), place).decode() if "token_file" in fields else "")
    endpoint = Endpoint(
        name="GitHub" if github else "GitLab",
        settings=f"{_SETTING} ({repository.project})",
        url=fields.get("url") or (changes_github.URL if github else changes_gitlab.URL),
        bearer=token.strip(),
        ca_file=fields.get("ca_file", ""),
        login=("token",),
    )
    make = changes_github.github_commits if github else changes_gitlab.gitlab_commits
    return repository, make(endpoint, repository)


def _checked(place: str, entry: Any) -> dict[str, str]:
    """The entry's fields. Raises PermanentError for what is unknown, missing or no text; a token is not repeated."""
    if not isinstance(entry, Mapping):
        raise PermanentError(f"{place} is no mapping; give host, repository and token_file")
    unknown = sorted(str(key) for key in entry if key not in _KEYS)
    if unknown:
        raise PermanentError(f"{place} has {', '.join(unknown)}; its keys are {', '.join(sorted(_KEYS))}")
    fields = {str(key): value for key, value in entry.items() if value is not None}
    wrong = sorted(key for key, value in fields.items() if not isinstance(value, str))
    if wrong:
        raise PermanentError(f"{place}: {', '.join(wrong)} must be text; put it in quotes")
    if fields.get("host") not in _HOSTS:
        raise PermanentError(f"{place}: host is {fields.get('host')!r}; use one of {', '.join(_HOSTS)}")
    if "/" not in fields.get("repository", "").strip("/"):
        raise PermanentError(f"{place}: repository is {fields.get('repository')!r}; name it as owner/name")
    return fields


def _read(file: Path, place: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise PermanentError(f"{place}: {file}: {error.strerror}; name a readable file") from None
