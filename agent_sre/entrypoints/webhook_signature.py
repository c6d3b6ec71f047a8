"""Signatures over a webhook's raw body: HMAC-SHA256 in hexadecimal, as PagerDuty, Sentry, Grafana and Slack make them.

The bytes that arrived are what was signed: a body that was decoded and encoded again may differ. PagerDuty sends one
``v1=`` signature for each secret while one is being replaced, so any of them may be the right one. Grafana may sign a
timestamp too, in a header that the operator names in its contact point; only then is a replay told by its age.
PagerDuty and Sentry sign no time; there a repeated message is known by its id, or by saying nothing new.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Protocol

import orjson
import structlog
from starlette.datastructures import Headers

from agent_sre.entrypoints.webhook_auth import Admission
from agent_sre.ports.proof import MessageProof

TOLERANCE = timedelta(minutes=5)
"""How far a signed time may be from ours, either way."""
_MOST_SIGNATURES = 20

log = structlog.get_logger()


class Signature(Protocol):
    """Proves that a body comes from its source."""

    async def check(self, headers: Headers, body: bytes) -> Admission:
        """ADMITTED, UNSIGNED, FORGED or STALE. Raises TemporaryError where that cannot be told at the moment."""
        ...


@dataclass(frozen=True, slots=True)
class PagerDutySignature:
    """``X-PagerDuty-Signature: v1=HEX,v1=HEX``."""

    secret: str = field(repr=False)

    async def check(self, headers: Headers, body: bytes) -> Admission:
        """Any of the ``v1=`` signatures may match."""
        given = [part.strip() for part in headers.get("x-pagerduty-signature", "").split(",")]
        signatures = [part.removeprefix("v1=") for part in given if part.startswith("v1=")][:_MOST_SIGNATURES]
        if not signatures:
            return Admission.UNSIGNED
        # All are compared, so that the time taken does not tell which one was right.
        right = [_matches(self.secret, body, signature) for signature in signatures]
        return Admission.ADMITTED if any(right) else Admission.FORGED


@dataclass(frozen=True, slots=True)
class SentrySignature:
    """``Sentry-Hook-Signature: HEX``."""

    secret: str = field(repr=False)

    async def check(self, headers: Headers, body: bytes) -> Admission:
        """The signature of the body."""
        return _judged(self.secret, body, headers.get("sentry-hook-signature", ""))


@dataclass(frozen=True, slots=True)
class GrafanaSignature:
    """``X-Grafana-Alerting-Signature: HEX`` of the body, or of ``TIME:BODY`` where ``timestamp_header`` is set."""

    secret: str = field(repr=False)
    timestamp_header: str
    now: Callable[[], datetime]

    async def check(self, headers: Headers, body: bytes) -> Admission:
        """The signature, and the age of the time it covers."""
        given = headers.get("x-grafana-alerting-signature", "")
        if not self.timestamp_header:
            return _judged(self.secret, body, given)
        stamp = headers.get(self.timestamp_header, "")
        judged = _judged(self.secret, f"{stamp}:".encode() + body, given)
        if judged is Admission.ADMITTED and not is_recent(stamp, self.now()):
            return Admission.STALE
        return judged


@dataclass(frozen=True, slots=True)
class SlackSignature:
    """``X-Slack-Signature: v0=HEX`` of ``v0:TIME:BODY``, and the workspace (team) of a message among ``teams``.

    The body is read only once it is proven. Slack's question whether this is its address names no workspace.
    """

    secret: str = field(repr=False)
    teams: frozenset[str]
    now: Callable[[], datetime]

    async def check(self, headers: Headers, body: bytes) -> Admission:
        """The signature, its age, and whose message it is."""
        stamp, given = headers.get("x-slack-request-timestamp", ""), headers.get("x-slack-signature", "").strip()
        if not given.startswith("v0="):
            return Admission.UNSIGNED
        judged = _judged(self.secret, f"v0:{stamp}:".encode("utf-8", "surrogateescape") + body, given[3:])
        if judged is not Admission.ADMITTED:
            return judged
        if not is_recent(stamp, self.now()):
            return Admission.STALE
        return Admission.ADMITTED if self._is_ours(body) else Admission.FOREIGN

    def _is_ours(self, body: bytes) -> bool:
        try:
            envelope = orjson.loads(body)
        except orjson.JSONDecodeError:
            return True  # not readable: refused and kept by whoever reads it
        if not isinstance(envelope, dict) or envelope.get("type") == "url_verification":
            return True
        return envelope.get("team_id") in self.teams


@dataclass(frozen=True, slots=True)
class SignedMessage:
    """A message that carries its signature in itself, checked by an adapter that knows the source's keys."""

    proof: MessageProof

    async def check(self, headers: Headers, body: bytes) -> Admission:
        """What is wrong is logged: whoever forges messages need not be told."""
        problem = await self.proof.check(body)
        if problem:
            log.warning("a message is not proven", why=problem)
        return Admission.FORGED if problem else Admission.ADMITTED


def is_recent(stamp: str, now: datetime) -> bool:
    """Whether seconds since 1970 are within the tolerance."""
    if not (stamp.isascii() and stamp.isdecimal() and len(stamp) <= 12):
        return False
    return abs(now.timestamp() - int(stamp)) <= TOLERANCE.total_seconds()


def _judged(secret: str, body: bytes, given: str) -> Admission:
    if not given.strip():
        return Admission.UNSIGNED
    return Admission.ADMITTED if _matches(secret, body, given.strip()) else Admission.FORGED


def _matches(secret: str, body: bytes, given: str) -> bool:
    expected = hmac.new(secret.encode(), body, sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), given.lower().encode("utf-8", "surrogateescape"))
