"""Tests use the shipped fakes through the ports; replacing product code in place would test the replacement.

The contract tests may, since they check adapters against clients that cannot be handed a fake.
"""

import ast
from collections.abc import Iterator

from tests.architecture.source_tree import PACKAGE, TESTS, Source, dotted, imported

PATCHERS = ("unittest.mock.patch", "mock.patch", "pytest_mock")
CHECKED = [source for source in TESTS if not source.name.startswith("tests/contract/")]


def test_no_test_patches() -> None:
    patching = [
        f"{source.at(node)} uses {name}"
        for source in CHECKED
        for node, name in _uses(source)
        if name.startswith(PATCHERS) or name.startswith("mocker.")
    ]
    assert patching == [], "hand the code a fake from agent_sre.testing instead"


def test_no_test_replaces_an_attribute_of_the_product() -> None:
    replaced = [
        source.at(node)
        for source in CHECKED
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
        and dotted(node.func) == "monkeypatch.setattr"
        and not (node.args and _is_foreign(node.args[0], source))
    ]
    assert replaced == [], "monkeypatch.setattr is for other people's modules; hand the product a fake instead"


def _uses(source: Source) -> Iterator[tuple[ast.AST, str]]:
    yield from imported(source.tree)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute):
            yield node, dotted(node)


def _is_foreign(target: ast.expr, source: Source) -> bool:
    """Whether ``target`` is certainly not ours: a string or a name imported from another package."""
    if isinstance(target, ast.Constant):
        return not str(target.value).startswith(PACKAGE)
    root = dotted(target).split(".")[0]
    origins = {_bound(node, name): name for node, name in imported(source.tree)}
    return root in origins and origins[root].split(".")[0] not in {PACKAGE, "tests"}


def _bound(node: ast.stmt, name: str) -> str:
    """The local name that an import gives to ``name``."""
    aliases = getattr(node, "names", [])
    renamed = {alias.name: alias.asname for alias in aliases if alias.asname}
    if isinstance(node, ast.ImportFrom):
        last = name.rpartition(".")[2]
        return renamed.get(last, last)
    return renamed.get(name, name.partition(".")[0])
