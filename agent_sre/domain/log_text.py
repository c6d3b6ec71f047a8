"""Log text as container runtimes and journals print it, made into entries.

Each line may begin with an RFC 3339 time and a space, as ``kubectl logs --timestamps`` prints it; a line without one
belongs to the entry before it. Text is hostile: a line is cut at ``MAX_LINE`` bytes, terminal codes and binary are
removed, and of more entries than wanted an even sample is kept while reading, so that memory is bounded by the answer,
whatever the size of the log. Most blocks of a log are nothing but stamped lines of printable ASCII, which one
expression takes apart; line by line goes what is not. Called by every log adapter; where the bytes come from is theirs
to know.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from operator import le
from typing import IO

from agent_sre.domain.instant import parse_instant
from agent_sre.domain.log_sample import EvenSample
from agent_sre.domain.log_search import MAX_SAMPLE_BYTES
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import LogLine, LogSource, LogStream

MAX_LINE = 16 * 1024
_MAX_ENTRY = 64 * 1024
_BLOCK = 256 * 1024
_STAMP = re.compile(rb"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,12})?(?:[Zz]|[+-]\d\d:?\d\d))(?: |$)")
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufffd]+")
_CUT = b" [line cut]"
_PRINTABLE = bytes(range(0x20, 0x7F)) + b"\n"
_STAMPED = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z) (.*)$", re.MULTILINE)
_Entry = tuple[datetime | None, list[bytes] | str]
"""Time and lines of an entry before anybody has asked for its text, or its text where that is plain."""


def read_log(source: LogSource, file: IO[bytes], window: Window, max_lines: int) -> LogStream:
    """At most ``max_lines`` entries inside the window (those without a time count as inside), oldest first."""
    sample: EvenSample[LogLine] = EvenSample(max_lines, lambda line: len(line.text), MAX_SAMPLE_BYTES)
    start, end = window.start, window.end
    for entry in _raw_entries(file):
        time = entry[0]
        if time is None or start <= time <= end:
            # Of a large log nearly all is passed by: its text is never made.
            if sample.wanted:
                sample.add(_line(entry))
            else:
                sample.pass_by()
    return LogStream(source, tuple(_in_order(sample.kept())), sample.left_out)


def entries(file: IO[bytes]) -> Iterator[LogLine]:
    """Lines joined with the continuation lines that follow them; a line before the first time stands alone."""
    return map(_line, _raw_entries(file))


def _line(entry: _Entry) -> LogLine:
    time, parts = entry
    if isinstance(parts, str):
        return LogLine(time, parts)
    return LogLine(time, "\n".join([clean(part.decode(errors="replace")) for part in parts]))


def _raw_entries(file: IO[bytes]) -> Iterator[_Entry]:
    time: datetime | None = None
    parts: list[bytes] = []
    length = 0
    for lines in _blocks(file):
        plain = _plain(lines)
        if plain:
            if parts:
                yield time, parts
            yield from plain[:-1]
            time, parts = None, []
        for line in lines[-1:] if plain else lines:  # the next block may continue the last one
            stamp, text = _stamped(line)
            if stamp is None and time is not None:
                if length + len(text) <= _MAX_ENTRY:
                    parts.append(text)
                    length += len(text)
                continue
            if parts:
                yield time, parts
            time, parts, length = stamp, [text], len(text)
    if parts:
        yield time, parts


def _plain(lines: Sequence[bytes]) -> list[tuple[datetime, str]]:
    """The entries of lines that all have a time and are printable ASCII; none where one is not so."""
    text = b"\n".join(lines)
    if text.translate(None, _PRINTABLE):
        return []
    found = _STAMPED.findall(text.decode("ascii"))
    try:
        return [(datetime.fromisoformat(stamp), said) for stamp, said in found] if len(found) == len(lines) else []
    except ValueError:
        return []


def _blocks(file: IO[bytes]) -> Iterator[list[bytes]]:
    """Lines that are not blank, many at a time, cut at ``MAX_LINE``; of a longer one no more than that is ever held
    with a block."""
    left = b""
    while block := file.read(_BLOCK):
        text = left + block
        lines = text.split(b"\n")
        left = lines.pop()[: MAX_LINE + 1]  # one byte too many, so that it is known to be cut
        if b"\r" in text or max(map(len, lines), default=0) > MAX_LINE:
            lines = list(map(_bounded, lines))
        yield [line for line in lines if line and not line.isspace()]
    if last := _bounded(left):
        yield [last]


def _bounded(line: bytes) -> bytes:
    line = b"" if line.isspace() else line.rstrip(b"\r")
    return line if len(line) <= MAX_LINE else line[:MAX_LINE] + _CUT


def _stamped(line: bytes) -> tuple[datetime | None, bytes]:
    """The line's time, where it begins with one, and what follows."""
    end = line.find(b" ", 20, 32)
    try:
        if end > 0 and line[end - 1 : end] == b"Z" and line[10:11] == b"T" and line[16:17] == b":":
            return datetime.fromisoformat(line[:end].decode("ascii")), line[end + 1 :]  # nearly all lines, fast
        match = _STAMP.match(line)
        return (parse_instant(match[1].decode()), line[match.end() :]) if match else (None, line)
    except ValueError:
        return None, line


def clean(text: str) -> str:
    """Without terminal codes; runs of binary as one mark."""
    if text.isprintable():
        return text
    return _CONTROL.sub("�", _ANSI.sub("", text))


def _in_order(lines: list[LogLine]) -> list[LogLine]:
    """Oldest first; a line without a time keeps its place behind the one before it."""
    times = [line.time for line in lines if line.time is not None]
    if len(times) == len(lines) and all(map(le, times, times[1:])):
        return lines
    latest: datetime | None = None
    keyed: list[tuple[datetime | None, LogLine]] = []
    for line in lines:
        latest = line.time or latest
        keyed.append((latest, line))
    undated = [line for time, line in keyed if time is None]
    dated = [(time, line) for time, line in keyed if time is not None]
    return undated + [line for _, line in sorted(dated, key=lambda pair: pair[0])]
