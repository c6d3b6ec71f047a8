"""A log is redacted as the one text that its lines make, whichever of its lines a secret begins and ends in."""

from datetime import UTC, datetime

from hypothesis import example, given, strategies as st

from agent_sre.domain.evidence import Observation
from agent_sre.domain.telemetry import LogLine, LogSource, LogStream
from agent_sre.evidence.redaction import Redactor

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = "-----BEGIN RSA PRIVATE KEY-----"
PARTS = st.sampled_from(
    [
        "plain",
        "İΣ",
        KEY,
        "-----END RSA PRIVATE KEY-----",
        "AbC123",
        "DB_PASSWORD=hunter2x",
        '"token":',
        "API_KEY=",
        "postgres://app:pw1@db",
        "4111 1111 1111 1111",
        "bob@example.com",
        "Authorization: Basic",
        "[redacted:value:ab12]",
        "\n",
        "",
    ]
)
LINES = st.lists(st.lists(PARTS, max_size=4).map(" ".join), max_size=8)


@given(LINES)
@example([KEY, "AbC123", ""])
@example([f"{KEY}\nAbC123", "plain", "DB_PASSWORD=hunter2x"])
def test_a_streams_lines_are_the_rows_of_its_redacted_text(lines: list[str]) -> None:
    stream = LogStream(LogSource("shop", "cart", "app"), tuple(LogLine(NOW, line) for line in lines))
    item = Observation("x/1", "x", "x", "all", NOW, streams=(stream,))
    kept = Redactor(b"key").observation(item).streams[0].lines
    assert [line.text.count("\n") for line in kept] == [line.count("\n") for line in lines]
    assert "\n".join(line.text for line in kept) == Redactor(b"key").text("\n".join(lines))
