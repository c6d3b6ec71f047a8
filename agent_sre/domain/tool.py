"""What a language model may be given to look further with: a tool, and what it answered.

A tool of somebody else's server is described by that server, so its description is as hostile as any telemetry: cut and
cleaned where it is read, and never a reason to trust. Which tools are offered is the operator's list alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Tool:
    """``parameters`` is the JSON Schema of its arguments, as the server gives it."""

    server: str
    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RefusedTool:
    """A tool that is not offered, or a name on the list that the server does not have, and why."""

    server: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class ToolList:
    """What a server has, sorted into what may be used and what may not. ``version`` is what the server calls itself."""

    offered: tuple[Tool, ...]
    refused: tuple[RefusedTool, ...]
    version: str = ""


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """The text of an answer, cut to a bound; ``failed`` where the tool says so; ``left_out`` names what is missing."""

    text: str
    failed: bool = False
    left_out: tuple[str, ...] = ()
