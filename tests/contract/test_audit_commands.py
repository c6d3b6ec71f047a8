"""``agent-sre audit`` over a real database: what it prints, what it writes, and with which status it ends."""

import asyncio
import contextlib
import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agent_sre.adapters.store_sql import open_store
from agent_sre.cli.audit import audit
from agent_sre.domain.audit import Head
from agent_sre.domain.errors import PermanentError
from tests.contract.store_values import after

ROWS = 5


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database with five audit rows, where the commands look for it."""
    monkeypatch.setenv("AGENT_SRE_DATA_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "agent_sre.sqlite"

    async def fill() -> None:
        store = await open_store(f"sqlite:///{file}")
        for number in range(1, ROWS + 1):
            await store.journal.audit(after(number), "ann", "approval.decided", f"APR-{number}", {"n": "\N{BOMB}"})
        await store.close()

    asyncio.run(fill())
    return file


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(audit, arguments)
    if isinstance(result.exception, PermanentError):
        raise result.exception
    return result


def by_hand(database: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(statement)


def head() -> str:
    result = run("verify")
    assert result.exit_code == 0
    assert result.output.startswith(f"{ROWS} rows, chain intact; head {ROWS}:")
    return result.output.split()[-1]


def test_an_intact_log_prints_the_head_that_proves_it_later(database: Path) -> None:
    published = head()
    assert run("verify", "--head", published).exit_code == 0
    assert run("verify", "--head", published.partition(":")[2]).exit_code == 0


@pytest.mark.parametrize(
    ("tampering", "complaint"),
    [
        ("UPDATE audit SET actor = 'mallory' WHERE sequence = 3", "row 3 was changed"),
        ("DELETE FROM audit WHERE sequence = 3", "row 3 is missing"),
        ("UPDATE audit SET sequence = 9 WHERE sequence = 1", "row 1 is missing"),
        ("DELETE FROM audit WHERE sequence >= 4", "row 4 is missing: the log ends at row 3"),
        ("DELETE FROM audit", "row 1 is missing: the log ends at row 0"),
    ],
)
def test_tampering_names_the_first_bad_row_and_ends_with_1(database: Path, tampering: str, complaint: str) -> None:
    published = head()
    by_hand(database, tampering)
    result = run("verify", "--head", published)
    assert result.exit_code == 1
    assert complaint in result.output


def test_a_copy_is_json_lines_that_verify_like_the_log_itself(database: Path, tmp_path: Path) -> None:
    published = head()
    copy = tmp_path / "audit.jsonl"
    assert run("export", "--out", str(copy)).exit_code == 0
    lines = copy.read_text(encoding="ascii").splitlines()
    assert [json.loads(line)["sequence"] for line in lines] == [1, 2, 3, 4, 5]
    assert json.loads(lines[4])["detail"] == {"n": "\N{BOMB}"}
    assert run("verify", "--file", str(copy), "--head", published).exit_code == 0
    copy.write_text("\n".join(lines[:4]) + "\n")
    cut = run("verify", "--file", str(copy), "--head", published)
    assert (cut.exit_code, "row 5 is missing" in cut.output) == (1, True)
    copy.write_text("\n".join([lines[0], "nothing", *lines[2:]]))
    with pytest.raises(PermanentError, match=r"audit\.jsonl:2: this line is no audit row"):
        run("verify", "--file", str(copy))


def test_a_copy_can_be_continued_and_is_never_written_over(database: Path, tmp_path: Path) -> None:
    copy = tmp_path / "audit.jsonl"
    assert run("export", "--after", "3", "--out", str(copy)).output == f"head {head()}\n"
    assert [json.loads(line)["sequence"] for line in copy.read_text().splitlines()] == [4, 5]
    again = run("export", "--out", str(copy))
    assert (again.exit_code, "is there already" in again.output) == (2, True)
    assert run("export", "--after", "5").output == "no rows after 5\n"


def test_what_is_no_head_and_a_missing_database_are_refused(database: Path) -> None:
    with pytest.raises(PermanentError, match="no published head"):
        run("verify", "--head", "57")
    database.unlink()
    for command in ("verify", "export"):
        with pytest.raises(PermanentError, match="there is no database"):
            run(command)


@pytest.mark.parametrize("text", ["", "x", "0:" + "a" * 64, "1:" + "a" * 63, "1:" + "g" * 64])
def test_heads_are_read_strictly(text: str) -> None:
    with pytest.raises(PermanentError, match="published head"):
        Head.parse(text)
