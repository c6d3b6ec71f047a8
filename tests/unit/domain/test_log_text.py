"""Log text made into entries: times, continuations, sampling, and hostile bytes."""

import io
from datetime import UTC, datetime

from hypothesis import given, strategies as st

from agent_sre.domain.log_text import MAX_LINE, read_log
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import LogSource, LogStream

SOURCE = LogSource("shop", "cart-1", "app")
WINDOW = Window(datetime(2026, 3, 1, 11, tzinfo=UTC), datetime(2026, 3, 1, 12, tzinfo=UTC))


def read(content: bytes, limit: int = 100) -> LogStream:
    return read_log(SOURCE, io.BytesIO(content), WINDOW, limit)


def texts(content: bytes, limit: int = 100) -> list[str]:
    return [line.text for line in read(content, limit).lines]


def test_lines_before_the_first_time_stand_alone_and_count_as_inside() -> None:
    stream = read(b"warming up\nimport x\n2026-03-01T11:00:00Z start\n  more\n")
    assert [(line.time is None, line.text) for line in stream.lines] == [
        (True, "warming up"),
        (True, "import x"),
        (False, "start\n  more"),
    ]


def test_a_log_without_times_keeps_its_lines() -> None:
    assert texts(b"a\nb\nc\n") == ["a", "b", "c"]


def test_continuations_go_with_the_line_they_follow() -> None:
    assert texts(b"2026-03-01T10:00:00Z before\n trace\n2026-03-01T11:00:00Z inside\n at x\n at y\n") == [
        "inside\n at x\n at y"
    ]


def test_times_of_all_forms() -> None:
    stream = read(
        b"2026-03-01T11:00:00.123456789Z a\n2026-03-01T12:30:00+01:00 b\n2026-03-01T11:45:00.5Z c\n"
        b"2026-13-01T11:45:00Z no time\n"
    )
    assert [line.text for line in stream.lines] == ["a", "b", "c\n2026-13-01T11:45:00Z no time"]
    assert stream.lines[1].time == datetime(2026, 3, 1, 11, 30, tzinfo=UTC)


def test_merged_logs_are_put_in_order() -> None:
    assert texts(b"2026-03-01T11:02:00Z b\n more\n2026-03-01T11:01:00Z a\n") == ["a", "b\n more"]


def test_a_line_of_ten_megabytes_is_cut_and_what_follows_is_read() -> None:
    long = b"2026-03-01T11:00:00Z " + b"x" * 10_000_000 + b"\n2026-03-01T11:01:00Z next\n"
    first, second = texts(long)
    assert len(first) < MAX_LINE + 100
    assert first.endswith("[line cut]")
    assert second == "next"


def test_endless_continuations_are_bounded() -> None:
    (entry,) = texts(b"2026-03-01T11:00:00Z start\n" + b"y" * 1000 + b"\n" + b"z\n" * 200_000)
    assert len(entry) < 200_000


def test_terminal_codes_and_binary_are_taken_out() -> None:
    assert texts(b"2026-03-01T11:00:00Z \x1b[31mred\x1b[0m \x1b]0;title\x07ok\n\xff\xfe\x00\x01 raw\n") == [
        "red ok\n\ufffd raw"
    ]


def test_a_last_line_without_its_end_is_whole() -> None:
    assert texts(b"2026-03-01T11:00:00Z end") == ["end"]
    assert texts(b"") == []


@given(st.integers(0, 500), st.integers(1, 60))
def test_a_sample_is_even_and_counts_what_it_left_out(lines: int, limit: int) -> None:
    content = b"".join(b"2026-03-01T11:%02d:%02dZ %d\n" % (n // 60, n % 60, n) for n in range(lines))
    stream = read(content, limit)
    numbers = [int(line.text) for line in stream.lines]
    assert len(numbers) + stream.left_out == lines
    assert len(numbers) == lines if lines <= limit else limit // 2 <= len(numbers) <= limit
    assert numbers == sorted(set(numbers))
    assert numbers[:1] == ([0] if lines else [])


@given(st.binary(max_size=300))
def test_any_bytes_are_read(content: bytes) -> None:
    stream = read(content)
    assert all("\x1b" not in line.text and "\x00" not in line.text for line in stream.lines)
