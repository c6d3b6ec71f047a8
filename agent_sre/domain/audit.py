"""The audit log: append-only, each row chained to the one before by its hash.

A row that is edited, deleted or moved breaks the chain at that row; a cut tail is seen against a published head.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agent_sre.domain.errors import PermanentError
from agent_sre.domain.instant import format_instant, parse_instant

GENESIS = "0" * 64
_HEAD = re.compile(r"(?:([1-9][0-9]{0,17}):)?([0-9a-fA-F]{64})")


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


@dataclass(frozen=True, slots=True)
class Head:
    """A row published where nobody can change it back: in a backup, a ticket, a chat. ``sequence`` 0: not known."""

    sequence: int
    digest: str

    def __str__(self) -> str:
        """``57:9f86d0...``, the form that is published."""
        return f"{self.sequence}:{self.digest}"

    @classmethod
    def parse(cls, text: str) -> "Head":
        """A head in its published form, or a bare digest. Raises PermanentError for anything else."""
        found = _HEAD.fullmatch(text.strip())
        if found is None:
            raise PermanentError(f"{text[:80]!r} is no published head; give it as SEQUENCE:DIGEST or as the digest")
        return cls(int(found[1] or 0), found[2].lower())


class ChainCheck:
    """Goes along the log row by row, so that its length is no matter, and keeps the first thing that is wrong.

    A log that grew since its head was published still holds that row; one whose tail was cut does not, whatever was
    written after the cut.
    """

    def __init__(self, head: Head | None = None) -> None:
        self.rows = 0
        self.last = GENESIS
        self._problem: str | None = None
        self._head = head
        self._head_seen = head is None or head.digest == GENESIS

    def add(self, row: AuditRow) -> None:
        """The next row, by sequence."""
        self._problem = self._problem or self._wrong(row)
        self.rows, self.last = self.rows + 1, row.digest

    def first_problem(self) -> str | None:
        """None when the chain holds to its end, else a sentence that names the first bad row."""
        if self._problem or self._head is None or self._head_seen:
            return self._problem
        published = f"row {self._head.sequence}" if self._head.sequence else "another row"
        missing = f"row {self.rows + 1} is missing: " if self._head.sequence else ""
        return f"{missing}the log ends at row {self.rows}, but the published head is {published}: the tail was cut"

    def _wrong(self, row: AuditRow) -> str | None:
        expected = self.rows + 1
        if row.sequence != expected:
            return f"row {expected} is missing: the next stored row is {row.sequence}"
        if row.previous != self.last:
            return f"row {row.sequence} does not follow row {row.sequence - 1}: its link to the row before was changed"
        own = digest_of(row.sequence, row.time, row.actor, row.verb, row.subject, row.detail, row.previous)
        if own != row.digest:
            return f"row {row.sequence} was changed: its content does not match its digest"
        if self._head is not None and self._head.sequence == row.sequence and self._head.digest != row.digest:
            return f"row {row.sequence} is not the published head: the log was cut before it and written anew"
        self._head_seen = self._head_seen or (self._head is not None and self._head.digest == row.digest)
        return None


def first_bad_row(rows: Iterable[AuditRow], head: str | None = None) -> str | None:
    """What ``ChainCheck`` finds in these rows. ``head`` as ``Head.parse`` takes it."""
    check = ChainCheck(Head.parse(head) if head is not None else None)
    for row in rows:
        check.add(row)
    return check.first_problem()


def to_plain(row: AuditRow) -> dict[str, Any]:
    """The row as JSON: one line of an export."""
    return {
        "sequence": row.sequence,
        "time": format_instant(row.time),
        "actor": row.actor,
        "verb": row.verb,
        "subject": row.subject,
        "detail": dict(row.detail),
        "previous": row.previous,
        "digest": row.digest,
    }


def from_plain(plain: object) -> AuditRow:
    """Inverse of ``to_plain``. Raises ValueError where it is no row: a field is missing or of another type."""
    if not isinstance(plain, Mapping):
        raise ValueError("it is no object")
    texts = [plain.get(name) for name in ("time", "actor", "verb", "subject", "previous", "digest")]
    sequence, detail = plain.get("sequence"), plain.get("detail")
    if type(sequence) is not int or not isinstance(detail, Mapping) or not all(isinstance(item, str) for item in texts):
        raise ValueError("a field is missing or is not of its type")
    time, actor, verb, subject, previous, digest = (str(item) for item in texts)
    return AuditRow(sequence, parse_instant(time), actor, verb, subject, dict(detail), previous, digest)
