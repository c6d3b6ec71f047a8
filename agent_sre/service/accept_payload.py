"""Take a payload in: read it, commit what it says, and only then let the sender be told that it arrived.

A payload that cannot be read is refused for good (its sender would only repeat it) and kept in quarantine, cut short,
so that an operator can see what was lost. A store that is down is not the payload's fault: TemporaryError passes
through, and the sender tries again. What a payload means is the caller's part: ``accept_alerts``, ``accept_changes``.
Nothing here knows HTTP.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from agent_sre.domain.errors import PermanentError
from agent_sre.evidence.redaction import Redactor
from agent_sre.ingest.decode import MAX_BYTES, decode, decode_form
from agent_sre.ingest.payload import PayloadError, PayloadTooLarge
from agent_sre.ports.clock import Clock
from agent_sre.ports.store import AlertInbox, Quarantined

QUARANTINE_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a sender posted: its body, whether that is a form instead of JSON, and what a header says it is about."""

    source: str
    body: bytes
    form: bool = False
    resource: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What was committed: how many alerts or changes, and how many more the sender says it left out.

    ``ignored`` says why a message, or a part of it, is neither; ``to_do`` what an operator must do, for the log alone.
    ``challenge`` is what the sender wants to hear back instead.
    """

    items: int
    truncated: int = 0
    ignored: str = ""
    to_do: str = ""
    challenge: str = ""


Take = Callable[[object, datetime], Awaitable[Accepted]]
"""Parses a decoded payload received at a moment (UTC) and commits what is in it. Raises PayloadError."""


class Refusal(StrEnum):
    """Why a payload was refused."""

    UNREADABLE = "unreadable"
    TOO_LARGE = "too_large"


class RefusedPayload(PermanentError):
    """A payload that was not accepted: why, what exactly is wrong, and what the sender can change."""

    def __init__(self, refusal: Refusal, problem: str, fix: str) -> None:
        super().__init__(f"{problem}; {fix}")
        self.refusal = refusal
        self.problem = problem
        self.fix = fix


async def accept_payload(
    delivery: Delivery,
    take: Take,
    *,
    inbox: AlertInbox,
    clock: Clock,
    redactor: Redactor,
    max_bytes: int = MAX_BYTES,
) -> Accepted:
    """Commit what the payload says; when this returns it is durable.

    Raises RefusedPayload for what cannot be read (after quarantining it), TemporaryError where the store is down.
    """
    received_at, body = clock.now(), delivery.body
    try:
        read = decode_form if delivery.form else decode
        return await take(read(body, max_bytes=max_bytes), received_at)
    except PayloadError as error:
        kind = Refusal.TOO_LARGE if isinstance(error, PayloadTooLarge) else Refusal.UNREADABLE
        problem, fix = error.problem, error.fix
    except PermanentError as error:
        kind, problem, fix = Refusal.UNREADABLE, f"the payload cannot be stored: {error}", "correct the values named"
    # An exception that is kept in a variable and raised is a cycle that would hold the body until a garbage collection.
    problem, kept = redactor.text(problem), redactor.body(body[:QUARANTINE_BYTES])
    await inbox.quarantine(Quarantined(delivery.source, received_at, f"{problem}; {fix}", kept, len(body)))
    raise RefusedPayload(kind, problem, fix)
