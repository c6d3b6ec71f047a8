"""The lines that the conformance suite of the log port is run on, as text and as rows of a store."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from agent_sre.domain.instant import parse_instant
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import LogSource

WINDOW = Window(datetime(2026, 3, 1, 11, 30, tzinfo=UTC), datetime(2026, 3, 1, 12, 0, tzinfo=UTC))
NOW = WINDOW.end
TALKING = LogSource("shop", "web-7d9f8c6b5-x2x4z", "app")
SIDECAR = LogSource("shop", "web-7d9f8c6b5-x2x4z", "proxy")
MANY = LogSource("shop", "cart-1", "app")
AILING = LogSource("shop", "api-0", "app")
ELSEWHERE = LogSource("bank", "web-7d9f8c6b5-abcde", "app")
SOURCES = (AILING, MANY, TALKING, SIDECAR)
LOGS = {
    TALKING: (
        "2026-03-01T11:29:59.999Z too early\n"
        "2026-03-01T11:30:00Z first\n"
        "2026-03-01T11:40:00.123456789Z GET /orders?id=7&\"quoted\" \\back it's `tick` {brace} [1] | stats #x 100%\n"
        "2026-03-01T11:42:00Z \x1b[31mred\x1b[0m grün 雪\n"
        "2026-03-01T12:00:00Z last\n"
        "2026-03-01T12:00:00.001Z too late\n"
    ),
    SIDECAR: "2026-03-01T11:41:00Z upstream connect error\n",
    MANY: "".join(f"2026-03-01T11:{30 + n // 60:02d}:{n % 60:02d}Z line {n}\n" for n in range(600)),
    AILING: (
        "2026-03-01T11:50:00Z all good\n"
        "2026-03-01T11:50:10Z WARN slow answer\n"
        "2026-03-01T11:50:20Z level=error msg=\"cannot connect\"\n"
        "2026-03-01T11:50:30Z terror is no level\n"
        "2026-03-01T11:51:05Z Fatal: gone\n"
    ),
    ELSEWHERE: "2026-03-01T11:45:00Z error of another namespace\n",
}  # fmt: skip


class Row(NamedTuple):
    """One line as a shipper sends it."""

    source: LogSource
    time: str
    text: str

    @property
    def nanoseconds(self) -> int:
        """Since the epoch, the digits beyond microseconds included."""
        fraction = re.search(r"\.(\d+)", self.time)
        whole = int(parse_instant(re.sub(r"\.\d+", "", self.time)).timestamp())
        return whole * 10**9 + int((fraction[1] if fraction else "0").ljust(9, "0"))


def rows() -> Iterator[Row]:
    for source, text in LOGS.items():
        for line in text.splitlines():
            time, _, message = line.partition(" ")
            yield Row(source, time, message)
