"""``agent-sre tools``: what a model may call on MCP servers, and what it would be told."""

import asyncio
import json
import sys
from typing import Any

import click
from rich.console import Console
from rich.markup import escape

from agent_sre.settings import load_settings


@click.group()
def tools() -> None:
    """The tools of MCP servers (AGENT_SRE_MCP_SERVERS, see docs/mcp.md)."""


@tools.command("list")
@click.argument("server")
def list_command(server: str) -> None:
    """List the tools of SERVER: those that are offered, and the others with the reason.

    Exit status 2 where the server is unknown, cannot be reached or refuses.
    """
    from agent_sre.bootstrap.tools import list_tools

    found = asyncio.run(list_tools(load_settings(), server))
    console = Console(highlight=False, soft_wrap=True)
    for item in found.offered:
        console.print(f"[green]offered[/]  {escape(item.name)}: {escape(item.description)}")
    for refused in found.refused:
        console.print(f"[dim]refused[/]  {escape(refused.name)}: {escape(refused.reason)}")


@tools.command("call")
@click.argument("server")
@click.argument("tool")
@click.argument("arguments", default="{}")
def call_command(server: str, tool: str, arguments: str) -> None:
    """Call TOOL of SERVER with ARGUMENTS (a JSON object) and print the answer as a model would get it.

    The answer is bounded and redacted. Exit status 1 where the tool says that it failed.
    """
    from agent_sre.bootstrap.tools import call_tool

    answer = asyncio.run(call_tool(load_settings(), server, tool, _object(arguments)))
    click.echo(answer.text)
    for left_out in answer.left_out:
        click.echo(f"left out: {left_out}", err=True)
    if answer.failed:
        sys.exit(1)


def _object(text: str) -> dict[str, Any]:
    try:
        loaded = json.loads(text)
    except ValueError as error:
        raise click.UsageError(f"ARGUMENTS={text!r} is no JSON: {error}") from None
    if not isinstance(loaded, dict):
        raise click.UsageError(f'ARGUMENTS={text!r} is no JSON object, such as {{"query": "checkout"}}')
    return loaded
