"""What an investigation of a snapshot loads: no web server, database, cluster client or model client."""

import json
import subprocess
import sys
from pathlib import Path

from tests.unit.adapters.snapshot_files import write_snapshot

FOREIGN = {
    "aiohttp", "aiosqlite", "alembic", "jinja2", "kubernetes", "langchain_openai", "mako", "openai",
    "prometheus_client", "slack_bolt", "slack_sdk", "sqlalchemy", "starlette", "structlog", "uvicorn",
}  # fmt: skip


def test_a_snapshot_is_answered_without_what_only_a_service_needs(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom agent_sre.cli import cli\n"
        "try:\n    cli(['investigate', '--json', '--snapshot', sys.argv[1]])\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        "import json\nprint(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})), file=sys.stderr)"
    )
    command = [sys.executable, "-c", script, str(write_snapshot(tmp_path))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stderr.splitlines()[-1]))
    assert json.loads(done.stdout)["incident"] == "case-1"
    assert "langgraph" in loaded
    assert loaded & FOREIGN == set()
