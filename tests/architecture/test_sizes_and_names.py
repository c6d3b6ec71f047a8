"""Files, functions and protocols stay small enough to read in one go, and say in their name what they are about.

These are alarms, not style: where one rings, redesign. Cyclomatic complexity is ruff's C901.
"""

import ast

from tests.architecture.source_tree import PRODUCT, Source

FILE_LINES = 350
FUNCTION_LINES = 50
PROTOCOL_METHODS = 6
VAGUE_NAMES = {"utils", "common", "helpers", "types", "models", "manager", "base"}


def test_no_file_is_longer_than_350_lines() -> None:
    lengths = {source.name: len(source.text.splitlines()) for source in PRODUCT}
    assert {name: lines for name, lines in lengths.items() if lines > FILE_LINES} == {}


def test_no_function_is_longer_than_50_lines() -> None:
    long = [
        f"{source.at(function)} {function.name} has {lines} lines"
        for source in PRODUCT
        for function in source.functions()
        if (lines := (function.end_lineno or function.lineno) - function.lineno + 1) > FUNCTION_LINES
    ]
    assert long == []


def test_no_port_has_more_than_6_methods() -> None:
    wide = [
        f"{source.at(protocol)} {protocol.name} has {methods} methods"
        for source in PRODUCT
        if source.name.startswith("agent_sre/ports/")
        for protocol in _protocols(source)
        if (methods := _methods(protocol)) > PROTOCOL_METHODS
    ]
    assert wide == []


def test_no_module_has_a_name_that_could_hold_anything() -> None:
    vague = [source.name for source in PRODUCT if VAGUE_NAMES & {source.path.stem.strip("_"), source.path.parent.name}]
    assert vague == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [source.name for source in PRODUCT if not ast.get_docstring(source.tree)]
    assert silent == []


def _protocols(source: Source) -> list[ast.ClassDef]:
    classes = (node for node in ast.walk(source.tree) if isinstance(node, ast.ClassDef))
    return [node for node in classes if any("Protocol" in ast.unparse(parent) for parent in node.bases)]


def _methods(protocol: ast.ClassDef) -> int:
    return sum(isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef) for member in protocol.body)
