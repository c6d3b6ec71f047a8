"""The audit log: append-only, each row chained to the one before by its hash.

A row that is edited, deleted or moved breaks the chain at that row; a cut tail is seen against a published head.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from agent_sre.domain.instant import format_instant

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Who did what to what, when (UTC). ``digest`` covers every other field and ``previous``."""

    sequence: int
    time: datetime
    actor: str
    verb: str
    subject: str
    detail: Mapping[str, str]
    previous: str
    digest: str


def digest_of(
    sequence: int, time: datetime, actor: str, verb: str, subject: str, detail: Mapping[str, str], previous: str
) -> str:
    """SHA-256 over the canonical JSON of the row's fields."""
    fields = [sequence, format_instant(time), actor, verb, subject, dict(detail), previous]
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def chain(
    last: AuditRow | None, time: datetime, actor: str, verb: str, subject: str, detail: Mapping[str, str]
) -> AuditRow:
    """The row that follows ``last`` (None for the first)."""
    # What people and other systems are called may hold a NUL, which PostgreSQL's text cannot: shown, not refused.
    actor, verb, subject = (text.replace("\0", "\N{REPLACEMENT CHARACTER}") for text in (actor, verb, subject))
    sequence = last.sequence + 1 if last else 1
    previous = last.digest if last else GENESIS
    digest = digest_of(sequence, time, actor, verb, subject, detail, previous)
    return AuditRow(sequence, time, actor, verb, subject, detail, previous, digest)


def first_bad_row(rows: Iterable[AuditRow], head: str | None = None) -> str | None:
    """None when the chain holds, else a sentence that names the first bad row. ``head`` is a published last digest."""
    previous, expected = GENESIS, 1
    for row in rows:
        if row.sequence != expected:
            return f"row {expected} is missing: the next stored row is {row.sequence}"
        if row.previous != previous:
            return f"row {row.sequence} does not follow row {row.sequence - 1}: its link to the row before was changed"
        own = digest_of(row.sequence, row.time, row.actor, row.verb, row.subject, row.detail, row.previous)
        if own != row.digest:
            return f"row {row.sequence} was changed: its content does not match its digest"
        previous, expected = row.digest, expected + 1
    if head is not None and head != previous:
        return (
            f"the log ends at row {expected - 1}, but the published head is another row: the tail was cut or replaced"
        )
    return None
