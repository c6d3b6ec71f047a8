"""The machine's clock and random source: what production injects where tests inject fakes."""

import asyncio
import secrets
from datetime import UTC, datetime

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Thirty characters that are not mistaken for one another when read aloud or typed: no 0 O, 1 I L, U V as a pair."""
_LENGTH = 6


class SystemClock:
    """Wall time, UTC."""

    def now(self) -> datetime:
        """The current instant, UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait without blocking the loop; nothing for zero or less but a turn to the others."""
        await asyncio.sleep(max(seconds, 0.0))


class RandomIds:
    """``INC-7K3QF2``: six characters, 729 million ids for each prefix; the database's key refuses a repetition."""

    def new(self, prefix: str) -> str:
        """A fresh id from the system's cryptographic source."""
        return f"{prefix}-{''.join(secrets.choice(ALPHABET) for _ in range(_LENGTH))}"
