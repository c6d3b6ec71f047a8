"""Settings: what an operator writes is understood or named."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent_sre.domain.errors import PermanentError
from agent_sre.settings import Settings, example, load_settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith("AGENT_SRE_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_the_shipped_example_lists_every_setting_with_its_default() -> None:
    assert (ROOT / ".env.example").read_text("utf-8") == example()
    for name in Settings.model_fields:
        assert f"# AGENT_SRE_{name.upper()}=" in example()


def test_the_example_with_every_line_enabled_is_valid_and_changes_nothing(tmp_path: Path) -> None:
    lines = [line.removeprefix("# ") if line.startswith("# AGENT_SRE_") else line for line in example().splitlines()]
    (tmp_path / ".env").write_text("\n".join(lines))
    assert load_settings() == Settings(_env_file=None)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AGENT_SRE_PORT", "eighty"),
        ("AGENT_SRE_PORT", "70000"),
        ("AGENT_SRE_KUBERNETES", "maybe"),
        ("AGENT_SRE_ACTIONS_MODE", "yolo"),
        ("AGENT_SRE_PROMETHEUS_HEADERS", "[1]"),
    ],
)
def test_a_bad_value_is_named_with_its_variable(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(PermanentError, match=name):
        load_settings()


def test_a_variable_that_does_not_exist_in_env_file_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("AGENT_SRE_PROMETEUS_URL=http://x\n")
    with pytest.raises(PermanentError, match="AGENT_SRE_PROMETEUS_URL"):
        load_settings()


def test_a_secret_is_never_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT_SRE_CONSOLE_TOKEN", "hunter2-hunter2")
    assert "hunter2" not in repr(load_settings())


@pytest.mark.parametrize(
    "entry",
    [
        '{"name": "wiki", "token": "hunter2"}',
        '{"name": "wiki", "url": "https://hunter2@wiki", "command": ["hunter2"]}',
        '{"name": "Wiki hunter2", "url": "https://wiki"}',
        '{"name": "wiki", "url": "https://wiki", "headers": {"X-Key": ["hunter2"]}}',
        '{"name": "wiki", "url": "https://wiki", "tokn": "hunter2"}',
    ],
)
def test_a_server_that_is_wrong_is_named_without_its_secrets(monkeypatch: pytest.MonkeyPatch, entry: str) -> None:
    monkeypatch.setenv("AGENT_SRE_MCP_SERVERS", f"[{entry}]")
    with pytest.raises(PermanentError, match="AGENT_SRE_MCP_SERVERS_0") as caught:
        load_settings()
    assert "hunter2" not in str(caught.value)


def test_listening_beyond_loopback_needs_a_token() -> None:
    with pytest.raises(PermanentError, match="CONSOLE_TOKEN"):
        load_settings(host="192.0.2.7")
    assert load_settings(host="192.0.2.7", console_token="t" * 32).host == "192.0.2.7"


def test_acting_needs_named_namespaces() -> None:
    with pytest.raises(PermanentError, match="ACTIONS_NAMESPACES"):
        load_settings(actions_mode="approve")


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nsys.argv=['agent-sre','--help']\nfrom agent_sre.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "heavy={'langgraph','langchain_openai','langchain_core','kubernetes','slack_bolt','numpy','sqlalchemy',"
        "'starlette','pydantic','httpx','alembic'}\nprint(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stderr.strip() == "[]"
    for command in ("serve", "demo", "investigate", "doctor", "runbooks", "eval", "audit", "settings"):
        assert command in done.stdout
