"""Wrong input at the command line: one clear line, the right exit status, nothing lost."""

import json
import os
import shutil
import signal
import subprocess
import tarfile
import time
from pathlib import Path

import httpx
import pytest

from tests.e2e.processes import ROOT, agent_sre, free_port, running

NOW = "2026-01-05T12:00:00Z"


def run(*arguments: str, cwd: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AGENT_SRE_")}
    return subprocess.run(
        agent_sre(*arguments),
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**clean, "PYTHONPATH": str(ROOT), **(env or {})},
        timeout=60,
        check=False,
    )


def write_snapshot(folder: Path, **files: str) -> Path:
    folder.mkdir()
    window = f"window: {{start: 2026-01-05T11:00:00Z, end: {NOW}}}"
    header = f"version: 1\nid: s1\nnow: {NOW}\n{window}\nnamespaces: [shop]\n"
    alert = {
        "status": "firing",
        "labels": {"alertname": "X", "namespace": "shop"},
        "annotations": {},
        "startsAt": NOW,
        "endsAt": "0001-01-01T00:00:00Z",
    }
    content = {"snapshot.yaml": header + "description: test\n"}
    content["alerts.json"] = json.dumps({"version": "4", "status": "firing", "alerts": [alert]})
    for name, text in {**content, **{key.replace("__", "."): value for key, value in files.items()}}.items():
        (folder / name).write_text(text)
    return folder


def test_a_snapshot_with_nothing_but_an_alert_is_inconclusive_and_says_what_was_not_seen(tmp_path: Path) -> None:
    folder = write_snapshot(tmp_path / "s")
    done = run("investigate", "--snapshot", str(folder), "--json", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    assert (answer["schema"], answer["status"], answer["incident"]) == (1, "inconclusive", "s1")
    assert {"cluster", "metrics"} <= {gap["source"] for gap in answer["gaps"]} or len(answer["gaps"]) >= 5
    readable = run("investigate", "--snapshot", str(folder), cwd=tmp_path)
    assert readable.returncode == 0
    assert "inconclusive" in readable.stdout.lower()


def test_an_archive_gives_the_same_answer_as_its_folder(tmp_path: Path) -> None:
    folder = write_snapshot(tmp_path / "s")
    with tarfile.open(tmp_path / "s.tar.gz", "w:gz") as archive:
        archive.add(folder, arcname="s")
    answers = []
    for path in (folder, tmp_path / "s.tar.gz"):
        done = run("investigate", "--snapshot", str(path), "--json", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        del answer["seconds"]
        answers.append(answer)
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("break_it", "named"),
    [
        (shutil.rmtree, "s"),
        (lambda folder: (folder / "snapshot.yaml").unlink(), "snapshot.yaml"),
        (lambda folder: (folder / "snapshot.yaml").write_text("version: 2\n"), "version"),
        (lambda folder: (folder / "snapshot.yaml").write_text(": : ["), "snapshot.yaml"),
        (lambda folder: (folder / "alerts.json").write_text('{"version": "4", "alerts": "x"}'), "alerts"),
        (lambda folder: (folder / "alerts.json").write_bytes(b"\xff\xfe"), "alerts.json"),
        (lambda folder: (folder / "kubernetes.json").write_text("[1"), "kubernetes.json"),
        (lambda folder: (folder / "metrics.om").write_text("a b c d\n"), "metrics.om"),
    ],
)
def test_an_unreadable_snapshot_is_named_in_one_line(tmp_path: Path, break_it: object, named: str) -> None:
    folder = write_snapshot(tmp_path / "s")
    break_it(folder)  # type: ignore[operator]
    done = run("investigate", "--snapshot", str(folder), "--json", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.strip().splitlines()) == 1
    assert named in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_settings_name_the_variable(tmp_path: Path) -> None:
    done = run("serve", cwd=tmp_path, env={"AGENT_SRE_PORT": "eighty"})
    assert done.returncode == 2
    assert "AGENT_SRE_PORT" in done.stderr
    done = run("serve", "--host", "::", cwd=tmp_path)
    assert done.returncode == 2
    assert "AGENT_SRE_CONSOLE_TOKEN" in done.stderr


def test_an_unknown_command_is_usage(tmp_path: Path) -> None:
    assert run("explode", cwd=tmp_path).returncode == 2


@pytest.fixture
def quiet(tmp_path: Path) -> dict[str, str]:
    return {"AGENT_SRE_KUBERNETES": "off", "AGENT_SRE_DATA_DIR": str(tmp_path / "data")}


def test_a_second_service_on_one_database_or_port_is_refused_by_name(tmp_path: Path, quiet: dict[str, str]) -> None:
    port = free_port()
    ready = f"http://127.0.0.1:{port}/readyz"
    with running(agent_sre("serve", "--port", str(port)), tmp_path / "log", ready, env=quiet, cwd=tmp_path) as first:
        taken = run("serve", "--port", str(port), cwd=tmp_path, env={**quiet, "AGENT_SRE_DATA_DIR": "other"})
        assert (taken.returncode, str(port) in taken.stderr) == (2, True), taken.stderr
        locked = run("serve", "--port", "0", cwd=tmp_path, env=quiet)
        assert (locked.returncode, str(first.child.pid) in locked.stderr) == (2, True), locked.stderr


def test_ctrl_c_ends_the_service_at_once_and_cleanly(tmp_path: Path, quiet: dict[str, str]) -> None:
    port, log = free_port(), tmp_path / "log"
    ready = f"http://127.0.0.1:{port}/readyz"
    with (
        running(agent_sre("serve", "--port", str(port)), log, ready, env=quiet, cwd=tmp_path) as process,
        # A live view is open, as in a browser: it must not keep the service from ending.
        httpx.stream("GET", f"http://127.0.0.1:{port}/stream", timeout=20) as view,
    ):
        assert view.status_code == 200
        started = time.monotonic()
        process.child.send_signal(signal.SIGINT)
        assert process.child.wait(20) == 0, log.read_text()
        assert time.monotonic() - started < 15
    assert "Traceback" not in log.read_text()


def test_doctor_names_what_does_not_answer_and_the_fix(tmp_path: Path, quiet: dict[str, str]) -> None:
    dead = f"http://127.0.0.1:{free_port()}"
    done = run("doctor", cwd=tmp_path, env={**quiet, "AGENT_SRE_PROMETHEUS_URL": dead})
    assert done.returncode == 1
    assert dead in done.stdout
    assert "fix:" in done.stdout
    assert run("doctor", cwd=tmp_path, env=quiet).returncode == 0
