"""Where failures may be swallowed, where the environment is read, and that no import hides inside a function."""

import ast
from collections.abc import Iterator

from tests.architecture.source_tree import PACKAGE, PRODUCT, Source, dotted, imported

# The only places where an unforeseen exception ends: each keeps one failure from ending what serves the others.
LAST_RESORTS = (
    ("agent_sre/entrypoints/worker", "one bad incident must not stop the loop"),
    ("agent_sre/entrypoints/http", "an unforeseen error is answered with 500, not with a dropped connection"),
    ("agent_sre/cli", "a person gets one line that says what to do, not a traceback"),
)
SETTINGS = "agent_sre/settings/__init__.py"
# They import what one command needs when it runs, so that `--help` does not load LangGraph.
LAZY_IMPORTERS = ("agent_sre/cli", "agent_sre/bootstrap")

BROAD = {"Exception", "BaseException"}
ENVIRONMENT = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}


def test_broad_excepts_are_only_the_last_resorts() -> None:
    stray = [
        source.at(node)
        for source in PRODUCT
        for node in _broad_handlers(source)
        if not any(_is(source, place) for place, _ in LAST_RESORTS)
    ]
    assert stray == [], "name the exceptions that can happen here; what cannot be named must reach a last resort"


def test_each_last_resort_has_one_handler() -> None:
    handlers = {
        place: [source.at(node) for source in PRODUCT if _is(source, place) for node in _broad_handlers(source)]
        for place, _ in LAST_RESORTS
    }
    assert {place: found for place, found in handlers.items() if len(found) > 1} == {}


def test_only_settings_reads_the_environment() -> None:
    readers = [
        source.at(node)
        for source in PRODUCT
        if source.name != SETTINGS
        for node in ast.walk(source.tree)
        if _touches_environment(node)
    ]
    assert readers == [], f"add a field to {SETTINGS} and pass its value in"


def test_no_function_imports_the_product() -> None:
    hidden = [
        f"{source.at(node)} imports {name}"
        for source in PRODUCT
        if not any(_is(source, place) for place in LAZY_IMPORTERS)
        for function in source.functions()
        for node, name in imported(function)
        if name.split(".")[0] in {PACKAGE, ""}
    ]
    assert hidden == [], "a function-local import works around a layer; move the code or change the contract"


def test_no_module_of_the_product_is_imported_by_a_string() -> None:
    hidden = [
        source.at(node)
        for source in PRODUCT
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
        and dotted(node.func) in {"__import__", "import_module", "importlib.import_module"}
        and any(isinstance(arg, ast.Constant) and str(arg.value).startswith((PACKAGE, ".")) for arg in node.args)
    ]
    assert hidden == [], "import-linter cannot see an import by a string; write an import statement"


def _is(source: Source, place: str) -> bool:
    """Whether ``source`` is the module ``place``, or in the package of that name."""
    return source.name == f"{place}.py" or source.name.startswith(f"{place}/")


def _broad_handlers(source: Source) -> Iterator[ast.AST]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler) and (node.type is None or _names(node.type) & BROAD):
            yield node
        if (
            isinstance(node, ast.Call)
            and dotted(node.func) in {"suppress", "contextlib.suppress"}
            and any(_names(arg) & BROAD for arg in node.args)
        ):
            yield node


def _names(node: ast.AST) -> set[str]:
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    return {dotted(part).rpartition(".")[2] for part in parts}


def _touches_environment(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr in ENVIRONMENT and dotted(node.value) == "os"
    return isinstance(node, ast.ImportFrom) and node.module == "os" and bool({a.name for a in node.names} & ENVIRONMENT)
