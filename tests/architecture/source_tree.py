"""The product's source as syntax trees, so that rules are checked without importing what they judge."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = "agent_sre"

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One Python file; ``name`` is its path from the root of the repository."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, filename=self.name)

    def functions(self) -> Iterator[FunctionNode]:
        return (node for node in ast.walk(self.tree) if isinstance(node, FunctionNode))

    def at(self, node: ast.AST) -> str:
        return f"{self.name}:{getattr(node, 'lineno', 1)}"


def sources(folder: str) -> list[Source]:
    return [Source(path) for path in sorted((ROOT / folder).rglob("*.py"))]


PRODUCT = sources(PACKAGE)
TESTS = sources("tests")


def imported(tree: ast.AST) -> Iterator[tuple[ast.stmt, str]]:
    """Every import under ``tree`` as the full dotted name of what it binds, TYPE_CHECKING blocks included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node, alias.name
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            for alias in node.names:
                yield node, f"{module}.{alias.name}"


def dotted(node: ast.AST) -> str:
    """``a.b.c`` for a chain of attributes on a name, and an empty string for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        owner = dotted(node.value)
        return f"{owner}.{node.attr}" if owner else ""
    return ""


def text_files() -> Iterator[tuple[str, str]]:
    """Name and text of every file that is, or is about to be, committed; files that are not UTF-8 are skipped."""
    for name in _tracked():
        path = ROOT / name
        if not path.is_file():
            continue
        try:
            yield name, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def _tracked() -> list[str]:
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode == 0:
        return [name for name in listing.stdout.split("\0") if name]
    # An unpacked archive has no git: everything outside hidden folders was shipped.
    files = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return [path.as_posix() for path in files if not any(part.startswith(".") for part in path.parts)]
