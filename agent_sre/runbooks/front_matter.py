"""Splits a runbook into front matter and body, and reads the YAML with the line of every value.

Runbooks also come from sites' own folders, so the YAML is read with care: only plain data, no aliases (which can grow
a small file into a huge value), no key twice (of which YAML silently keeps the last), bounded in size and depth. Not
here: which fields there are (``schema``).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from agent_sre.runbooks.problem import Problem

MAX_BYTES = 64 * 1024
_MAX_DEPTH = 8
_FENCE = "---"
# libyaml's loader is ten times as fast, and loading the runbooks is part of the time to an answer. It recurses without
# a limit of its own, so nothing is composed before the events have shown the depth.
_Loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """``data`` as plain values; ``lines`` gives the line in the file of each path into it; ``body_line`` the body's."""

    data: dict[str, Any]
    lines: dict[Path, int]
    body: str
    body_line: int

    def line_of(self, path: Path) -> int:
        """The line of a value, or of the nearest thing around it that is there."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


class _Refused(Exception):
    """A problem met while walking the YAML tree."""

    def __init__(self, line: int, what: str, fix: str) -> None:
        super().__init__(what)
        self.line, self.what, self.fix = line, what, fix


def read_front_matter(file: str, content: bytes) -> FrontMatter | Problem:
    """Split and parse; a Problem where that cannot be done at all."""
    try:
        return _read(content)
    except _Refused as refused:
        return Problem(file, refused.line, refused.what, refused.fix)


def _read(content: bytes) -> FrontMatter:
    if len(content) > MAX_BYTES:
        raise _Refused(1, f"the file has {len(content)} bytes", f"shorten it to {MAX_BYTES} bytes")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _Refused(line, f"byte {error.start} is not UTF-8", "save the file as UTF-8") from None
    rows = text.replace("\r\n", "\n").split("\n")
    if rows[0].rstrip() != _FENCE:
        raise _Refused(1, f"the file begins with {rows[0][:40]!r}", f"begin it with a line {_FENCE} and front matter")
    end = next((index for index, row in enumerate(rows[1:], 1) if row.rstrip() == _FENCE), None)
    if end is None:
        raise _Refused(1, "the front matter does not end", f"end it with a line {_FENCE}")
    data, lines = _parse("\n".join(rows[1:end]))
    return FrontMatter(data, lines, "\n".join(rows[end + 1 :]).strip() + "\n", end + 2)


def _parse(text: str) -> tuple[dict[str, Any], dict[Path, int]]:
    lines: dict[Path, int] = {}
    try:
        _refuse_aliases(text)
        loader = _Loader(text)
        root = loader.get_single_node()
        if not isinstance(root, yaml.MappingNode):
            raise _Refused(2, "the front matter is no list of fields", "write it as `field: value` lines")
        data = {key: _value(loader, node, (key,), lines) for key, node in _pairs(root, (), lines)}
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 2
        raise _Refused(line, f"the YAML cannot be read: {error.problem or error.context}", "correct it") from None
    except yaml.YAMLError as error:
        raise _Refused(2, f"the YAML cannot be read: {error}", "correct it") from None
    except ValueError as error:
        raise _Refused(2, f"a value cannot be read: {error}", "write it in quotes") from None
    return data, lines


def _refuse_aliases(text: str) -> None:
    """Before anything is built: depth and aliases, event by event."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent):
            raise _Refused(_line(event), f"*{event.anchor} is an alias", "write the value out")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise _Refused(_line(event), f"values are nested deeper than {_MAX_DEPTH}", "flatten them")


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 2 if event.start_mark else 2


def _pairs(node: yaml.MappingNode, path: Path, lines: dict[Path, int]) -> Iterator[tuple[str, yaml.Node]]:
    seen: set[str] = set()
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 2
        key = key_node.value
        if not isinstance(key, str):
            raise _Refused(line, "a field's name is not text", "write it as `field: value`")
        if key in seen:
            raise _Refused(line, f"{key!r} is there twice", "remove one of them")
        seen.add(key)
        lines[(*path, key)] = line
        yield key, value_node


def _value(loader: yaml.SafeLoader | yaml.CSafeLoader, node: yaml.Node, path: Path, lines: dict[Path, int]) -> Any:
    lines.setdefault(path, node.start_mark.line + 2)
    if isinstance(node, yaml.MappingNode):
        return {key: _value(loader, item, (*path, key), lines) for key, item in _pairs(node, path, lines)}
    if isinstance(node, yaml.SequenceNode):
        return [_value(loader, item, (*path, index), lines) for index, item in enumerate(node.value)]
    return loader.construct_object(node)
