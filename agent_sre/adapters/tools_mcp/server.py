"""One server: where it is, as whom we come, and the tools the operator lets through."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class McpServer:
    """Either ``url`` (streamable HTTP) or ``command`` (a program that speaks on its standard input and output).

    ``tools`` are the names that may be offered. ``timeout_seconds`` bounds one listing or call as a whole. Secrets are
    kept out of ``repr``.
    """

    name: str
    tools: tuple[str, ...]
    url: str = field(default="", repr=False)
    command: tuple[str, ...] = field(default=(), repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout_seconds: float = 20.0

    def __str__(self) -> str:
        """``MCP server NAME``: addresses and commands may hold secrets."""
        return f"MCP server {self.name}"
