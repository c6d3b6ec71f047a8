"""``agent-sre tools`` against a real MCP server: what a person sees, and the exit status."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.mcp_servers import Wiki, serving


async def run(folder: Path, url: str, *words: str) -> "subprocess.CompletedProcess[str]":
    servers = json.dumps([{"name": "wiki", "url": f"{url}/mcp", "tools": ["search", "wipe", "failing"]}])
    environment = {"PATH": "", "AGENT_SRE_MCP_SERVERS": servers, "PYTHONPATH": ":".join(filter(None, sys.path))}
    command = [sys.executable, "-m", "agent_sre", "tools", *words]
    return await asyncio.to_thread(
        subprocess.run, command, cwd=folder, env=environment, capture_output=True, text=True, timeout=50, check=False
    )


async def test_tools_are_listed_called_and_refused(tmp_path: Path) -> None:
    async with serving(Wiki().server.streamable_http_app()) as url:
        listed = await run(tmp_path, url, "list", "wiki")
        called = await run(tmp_path, url, "call", "wiki", "search", '{"query": "checkout"}')
        refused = await run(tmp_path, url, "call", "wiki", "wipe")
        failed = await run(tmp_path, url, "call", "wiki", "failing")
    assert listed.returncode == 0
    assert "offered  search: Search pages." in listed.stdout
    assert "refused  wipe: listed, but the server says that it changes things" in listed.stdout
    assert called.returncode == 0
    assert called.stdout.startswith("found checkout: password=[redacted:")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "'wipe' is not offered" in refused.stderr
    assert failed.returncode == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["list", "wikki"], "no MCP server is named 'wikki'; configured: wiki"),
        (["call", "wiki", "search", "checkout"], "is no JSON"),
        (["call", "wiki", "search", "[1]"], "is no JSON object"),
        (["list", "wiki"], "cannot be reached"),
    ],
)
async def test_what_is_wrong_is_said(tmp_path: Path, words: list[str], said: str) -> None:
    done = await run(tmp_path, "http://127.0.0.1:1", *words)
    assert done.returncode == 2
    assert said in done.stderr
