"""The tree can be cloned anywhere: no machine's paths, no package index, and locks that fit what is declared."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.architecture.source_tree import ROOT, text_files

# Put together from parts, so that this file keeps its own rule.
MACHINE_PATH = re.compile(
    r"(?<![\w.~$})*-])/(?:" + "|".join(["work", "root", "tmp/bash" + "_jobs"]) + r")(?:/|(?=[\s\"'`]))"
)
PACKAGE_INDEX = re.compile(
    "|".join(["python" + "hosted", r"\bpypi" + r"\.", "--(?:extra-)?index" + "-url[ =]", "--find" + "-links"])
)


def test_no_file_names_a_machine_path() -> None:
    assert _lines_with(MACHINE_PATH) == []


def test_no_file_names_a_package_index() -> None:
    assert _lines_with(PACKAGE_INDEX) == []


@pytest.mark.parametrize(
    ("lock", "extras", "groups"),
    [
        ("build.lock", False, ["build"]),
        ("runtime.lock", None, []),
        ("server.lock", True, []),
        ("dev.lock", True, ["dev", "build"]),
    ],
)
def test_lock_fits_what_is_declared(lock: str, extras: bool | None, groups: list[str]) -> None:
    """``extras``: True for all, None for none, False for not even the dependencies."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [name for group in groups for name in project["dependency-groups"][group]]
    if extras is not False:
        wanted += project["project"]["dependencies"]
    if extras:
        wanted += [name for extra in project["project"]["optional-dependencies"].values() for name in extra]
    locked = _locked(ROOT / "requirements" / lock)
    unmet = [
        str(requirement)
        for requirement in map(Requirement, wanted)
        if not locked.get(_normal(requirement.name))
        or not all(requirement.specifier.contains(version) for version in locked[_normal(requirement.name)])
    ]
    assert unmet == [], f"requirements/{lock} is behind pyproject.toml; run: make lock"


def _lines_with(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()[:120]}"
        for name, text in text_files()
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]


def _locked(lock: Path) -> dict[str, list[str]]:
    versions: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==([^\s;\\]+)", lock.read_text(encoding="utf-8"), re.M):
        versions.setdefault(_normal(name), []).append(version)
    return versions


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
