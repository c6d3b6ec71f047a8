"""Reads runbooks from files into domain values.

A runbook is a Markdown file with YAML front matter. A folder is read one level deep, ``*.md`` by name, READMEs left
out. Shipped runbooks come first; a site's runbook with the same id takes a shipped one's place. The digest of the
file's bytes goes with each, so that what was used can be told later. A runbook that cannot be read stops the loading
with its file, line and fix: half a library at 3 a.m. is worse than a refused start. Not here: checks that need the
catalogue of actions or the vocabulary of faults (``check``).
"""

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from agent_sre.domain.errors import PermanentError
from agent_sre.domain.runbook import ActionTemplate, DiagnosticStep, Match, Runbook
from agent_sre.runbooks.front_matter import MAX_BYTES, FrontMatter, read_front_matter
from agent_sre.runbooks.problem import Problem
from agent_sre.runbooks.schema import ActionFields, DiagnosticFields, MatchFields, RunbookFields

_PACKAGE = Path(__file__).parent.parent
_MAX_SHOWN = 5
_REMEMBERED = 256
"""Runbooks that are parsed once for as long as their files' bytes stay the same: a library is read for each case."""
_MODELS: dict[str, type[BaseModel]] = {"matches": MatchFields, "diagnostics": DiagnosticFields, "actions": ActionFields}


def builtin_folder() -> Path:
    """Where the shipped runbooks are: inside an installed package, or beside it in a checkout."""
    inside = _PACKAGE / "_runbooks"
    return inside if inside.is_dir() else _PACKAGE.parent / "runbooks"


def runbook_files(paths: Iterable[Path]) -> tuple[Path, ...]:
    """The files meant by paths to files and folders. Raises PermanentError where a path does not exist."""
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += sorted(item for item in path.glob("*.md") if item.name != "README.md")
        elif path.is_file():
            files.append(path)
        else:
            raise PermanentError(f"{path}: there is no such file or folder of runbooks; correct the path")
    return tuple(files)


def load_runbooks(paths: Iterable[Path]) -> tuple[Runbook, ...]:
    """All runbooks of the files and folders, by id; of the same id the last counts.

    Raises PermanentError that lists the first problems with file, line and fix.
    """
    found: dict[str, Runbook] = {}
    problems: list[Problem] = []
    for file in runbook_files(paths):
        read = read_runbook(file)
        if isinstance(read, tuple):
            problems += read
        else:
            found[read.id] = read
    if problems:
        more = f"\n... and {len(problems) - _MAX_SHOWN} more" if len(problems) > _MAX_SHOWN else ""
        raise PermanentError("\n".join(str(item) for item in problems[:_MAX_SHOWN]) + more)
    return tuple(found[name] for name in sorted(found))


def read_runbook(file: Path) -> Runbook | tuple[Problem, ...]:
    """One runbook, or what is wrong with its form."""
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        return (Problem(str(file), 1, f"the file cannot be read: {error.strerror}", "correct its path or permissions"),)
    return _parsed(file, content)


@lru_cache(maxsize=_REMEMBERED)
def _parsed(file: Path, content: bytes) -> Runbook | tuple[Problem, ...]:
    front = read_front_matter(str(file), content)
    if isinstance(front, Problem):
        return (front,)
    try:
        fields = RunbookFields.model_validate(front.data)
    except ValidationError as error:
        return tuple(_problem(file, front, item) for item in error.errors(include_url=False))
    return _runbook(file, fields, front, hashlib.sha256(content).hexdigest())


def _runbook(file: Path, fields: RunbookFields, front: FrontMatter, digest: str) -> Runbook:
    return Runbook(
        id=fields.id,
        title=fields.title,
        summary=fields.summary,
        matches=Match(tuple(fields.matches.faults), dict(fields.matches.labels) or None),
        diagnostics=tuple(
            DiagnosticStep(item.title, item.source, item.query.strip(), item.expect) for item in fields.diagnostics
        ),
        actions=tuple(
            ActionTemplate(item.action, dict(item.parameters), tuple(item.when), item.expected, item.verify, item.undo)
            for item in fields.actions
        ),
        links=tuple(fields.links),
        body=front.body,
        path=str(file),
        digest=digest,
    )


def _problem(file: Path, front: FrontMatter, error: ErrorDetails) -> Problem:
    """A validation error in the author's words."""
    # Of a union, pydantic appends which member it tried; that is no part of the file.
    path = tuple(part for part in error["loc"] if part not in ("str", "int", "bool"))
    name = ".".join(str(part) for part in path)
    line = front.line_of(path)
    if error["type"] == "missing":
        return Problem(str(file), line, f"{name} is missing", f"add `{path[-1]}: ...`")
    if error["type"] == "extra_forbidden":
        model = _MODELS[str(path[0])] if len(path) > 1 else RunbookFields
        known = ", ".join(model.model_fields)
        return Problem(str(file), line, f"{name} is no field of a runbook", f"remove it, or use one of: {known}")
    shown = repr(error["input"])
    shown = shown if len(shown) <= 80 else shown[:79] + "…"
    return Problem(str(file), line, f"{name} is {shown}", error["msg"][0].lower() + error["msg"][1:])
