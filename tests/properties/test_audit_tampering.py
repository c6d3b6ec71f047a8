"""Whatever somebody does to the audit log or to a copy of it: the first row that is not as it was is named."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings, strategies as st

from agent_sre.bootstrap import verify_audit_file
from agent_sre.domain.audit import AuditRow, Head, chain, first_bad_row, from_plain, to_plain

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
WORDS = st.lists(st.tuples(TEXT, TEXT, TEXT, st.dictionaries(TEXT, TEXT, max_size=3)), min_size=1, max_size=9)
_Edit = Callable[[AuditRow], AuditRow]
EDITS: dict[str, _Edit] = {
    "time": lambda row: replace(row, time=row.time + timedelta(seconds=1)),
    "actor": lambda row: replace(row, actor=row.actor + "x"),
    "verb": lambda row: replace(row, verb="x" + row.verb),
    "subject": lambda row: replace(row, subject=row.subject + " "),
    "detail": lambda row: replace(row, detail={**row.detail, "and": "more"}),
    "digest": lambda row: replace(row, digest="f" * 64),
}


def log_of(words: list[tuple[str, str, str, dict[str, str]]]) -> list[AuditRow]:
    log: list[AuditRow] = []
    for number, (actor, verb, subject, detail) in enumerate(words):
        log.append(chain(log[-1] if log else None, NOON + timedelta(seconds=number), actor, verb, subject, detail))
    return log


def head_of(log: list[AuditRow]) -> str:
    return str(Head(log[-1].sequence, log[-1].digest))


@given(WORDS, st.sampled_from(sorted(EDITS)), st.data())
def test_an_edited_row_is_named(
    words: list[tuple[str, str, str, dict[str, str]]], field: str, data: st.DataObject
) -> None:
    log = log_of(words)
    at = data.draw(st.integers(0, len(log) - 1))
    log[at] = EDITS[field](log[at])
    assert str(first_bad_row(log)).startswith(f"row {at + 1} was changed")


@given(WORDS, st.data())
def test_a_row_written_anew_with_its_own_digest_shows_at_the_row_after_it_or_at_the_head(
    words: list[tuple[str, str, str, dict[str, str]]], data: st.DataObject
) -> None:
    log = log_of(words)
    head = head_of(log)
    at = data.draw(st.integers(0, len(log) - 1))
    row = log[at]
    log[at] = chain(log[at - 1] if at else None, row.time, "mallory", row.verb, row.subject + "x", row.detail)
    found = str(first_bad_row(log, head))
    assert found.startswith(
        f"row {at + 2} does not follow" if at + 1 < len(log) else f"row {at + 1} is not the published"
    )


@given(WORDS, st.data())
def test_a_deleted_row_is_named_and_so_is_a_row_out_of_place(
    words: list[tuple[str, str, str, dict[str, str]]], data: st.DataObject
) -> None:
    log = log_of(words)
    head = head_of(log)
    at = data.draw(st.integers(0, len(log) - 1))
    assert str(first_bad_row(log[:at] + log[at + 1 :], head)).startswith(f"row {at + 1} is missing")
    to = data.draw(st.integers(0, len(log) - 1).filter(lambda place: place != at or len(log) == 1))
    moved = log[:at] + log[at + 1 :]
    moved.insert(to, log[at])
    wrong = min(at, to) + 1
    assert len(log) == 1 or str(first_bad_row(moved)).startswith(f"row {wrong} is missing")


@given(WORDS, st.integers(0, 8), st.booleans())
def test_a_cut_tail_is_caught_by_the_published_head_also_when_rows_were_written_after_it(
    words: list[tuple[str, str, str, dict[str, str]]], kept: int, rewritten: bool
) -> None:
    log = log_of(words)
    head, kept = head_of(log), min(kept, len(log) - 1)
    cut = log[:kept]
    assert str(first_bad_row(cut, head)) == (
        f"row {kept + 1} is missing: the log ends at row {kept}, but the published head is row {len(log)}: "
        "the tail was cut"
    )
    assert "the tail was cut" in str(first_bad_row(cut, log[-1].digest)), "a bare digest is a head too"
    while rewritten and len(cut) < len(log):
        cut.append(chain(cut[-1] if cut else None, NOON, "mallory", "nothing.happened", "", {}))
    if rewritten:
        assert str(first_bad_row(cut, head)).startswith(f"row {len(log)} is not the published head")


@given(WORDS, WORDS)
def test_a_log_that_grew_still_holds_its_head(
    words: list[tuple[str, str, str, dict[str, str]]], more: list[tuple[str, str, str, dict[str, str]]]
) -> None:
    log = log_of(words + more)
    assert first_bad_row(log, head_of(log[: len(words)])) is None
    assert first_bad_row(log, log[len(words) - 1].digest) is None


@settings(deadline=None)
@given(WORDS, st.data())
def test_a_copy_is_the_log_and_every_changed_line_of_it_is_seen(
    tmp_path_factory: pytest.TempPathFactory, words: list[tuple[str, str, str, dict[str, str]]], data: st.DataObject
) -> None:
    log = log_of(words)
    lines = [json.dumps(to_plain(row)) for row in log]
    assert [from_plain(json.loads(line)) for line in lines] == log
    file = tmp_path_factory.getbasetemp() / "copy.jsonl"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    head = Head.parse(head_of(log))
    assert verify_audit_file(file, head).first_problem() is None
    at = data.draw(st.integers(0, len(log) - 1))
    changed = {**json.loads(lines[at]), data.draw(st.sampled_from(["actor", "verb", "subject"])): "\N{BOMB}mallory"}
    file.write_text("\n".join([*lines[:at], json.dumps(changed), *lines[at + 1 :]]) + "\n", encoding="utf-8")
    assert str(verify_audit_file(file, head).first_problem()).startswith(f"row {at + 1} was changed")
