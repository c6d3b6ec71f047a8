"""The core depends on nothing: the domain on the standard library and its own earlier files, the ports on the domain.

The order of an incident's life is ``ORDER`` in agent_sre/domain/__init__.py; import-linter holds the layers above.
"""

import ast
import sys

import pytest

from tests.architecture.source_tree import PRODUCT, ROOT, Source, imported

DOMAIN = "agent_sre.domain"
PORTS = "agent_sre.ports"
DOMAIN_FILES = [source for source in PRODUCT if source.name.startswith("agent_sre/domain/")]
PORT_FILES = [source for source in PRODUCT if source.name.startswith("agent_sre/ports/")]


def test_order_names_every_file_of_the_domain_once() -> None:
    files = [source.path.stem for source in DOMAIN_FILES if source.path.stem != "__init__"]
    assert sorted(_order()) == sorted(files)


@pytest.mark.parametrize("source", DOMAIN_FILES, ids=lambda source: source.name)
def test_domain_imports_only_the_standard_library_and_earlier_domain(source: Source) -> None:
    order = _order()
    position = order.index(source.path.stem) if source.path.stem in order else len(order)
    earlier = {f"{DOMAIN}.{name}" for name in order[:position]}
    wrong = [
        f"{source.at(node)} imports {name}"
        for node, name in imported(source.tree)
        if not _standard(name) and not any(name == module or name.startswith(f"{module}.") for module in earlier)
    ]
    assert wrong == []


@pytest.mark.parametrize("source", PORT_FILES, ids=lambda source: source.name)
def test_ports_import_only_the_standard_library_and_the_domain(source: Source) -> None:
    wrong = [
        f"{source.at(node)} imports {name}"
        for node, name in imported(source.tree)
        if not _standard(name) and not name.startswith((f"{DOMAIN}.", f"{PORTS}."))
    ]
    assert wrong == []


def _standard(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names


def _order() -> tuple[str, ...]:
    tree = Source(ROOT / "agent_sre/domain/__init__.py").tree
    for node in tree.body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["ORDER"]:
            return tuple(ast.literal_eval(node.value))
        if isinstance(node, ast.AnnAssign) and node.value is not None and ast.unparse(node.target) == "ORDER":
            return tuple(ast.literal_eval(node.value))
    pytest.fail("agent_sre/domain/__init__.py has no ORDER: a tuple of its file names, in the order they may import")
