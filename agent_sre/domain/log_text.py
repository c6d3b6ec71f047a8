"""Log text as container runtimes and journals print it, made into entries.

Each line may begin with an RFC 3339 time and a space, as ``kubectl logs --timestamps`` prints it; a line without one
belongs to the entry before it. Text is hostile: a line is cut at ``MAX_LINE`` bytes, terminal codes and binary are
removed, and of more entries than wanted an even sample is kept while reading, so that memory is bounded by the answer,
whatever the size of the log. Called by every log adapter; where the bytes come from is theirs to know.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import IO

from agent_sre.domain.instant import parse_instant
from agent_sre.domain.log_sample import EvenSample
from agent_sre.domain.log_search import MAX_SAMPLE_BYTES
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import LogLine, LogSource, LogStream

MAX_LINE = 16 * 1024
_MAX_ENTRY = 64 * 1024
_STAMP = re.compile(r"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,12})?(?:[Zz]|[+-]\d\d:?\d\d))(?: |$)")
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufffd]+")


def read_log(source: LogSource, file: IO[bytes], window: Window, max_lines: int) -> LogStream:
    """At most ``max_lines`` entries inside the window (those without a time count as inside), oldest first."""
    sample: EvenSample[LogLine] = EvenSample(max_lines, lambda line: len(line.text), MAX_SAMPLE_BYTES)
    for entry in entries(file):
        if entry.time is None or window.contains(entry.time):
            sample.add(entry)
    return LogStream(source, tuple(_in_order(sample.kept())), sample.left_out)


def entries(file: IO[bytes]) -> Iterator[LogLine]:
    """Lines joined with the continuation lines that follow them; a line before the first time stands alone."""
    time: datetime | None = None
    parts: list[str] = []
    length = 0
    for line in _lines(file):
        stamp, text = _stamped(line)
        if stamp is None and time is not None:
            if length + len(text) <= _MAX_ENTRY:
                parts.append(text)
                length += len(text)
            continue
        if parts:
            yield LogLine(time, "\n".join(parts))
        time, parts, length = stamp, [text], len(text)
    if parts:
        yield LogLine(time, "\n".join(parts))


def _lines(file: IO[bytes]) -> Iterator[str]:
    while raw := file.readline(MAX_LINE):
        cut, rest = "", raw
        while rest and not rest.endswith(b"\n"):
            rest = file.readline(MAX_LINE)
            cut = " [line cut]" if rest.strip() else cut
        if raw.strip():
            yield raw.rstrip(b"\r\n").decode(errors="replace") + cut


def _stamped(line: str) -> tuple[datetime | None, str]:
    match = _STAMP.match(line)
    if match is None:
        return None, clean(line)
    try:
        return parse_instant(match[1]), clean(line[match.end() :])
    except ValueError:
        return None, clean(line)


def clean(text: str) -> str:
    """Without terminal codes; runs of binary as one mark."""
    if text.isprintable():
        return text
    return _CONTROL.sub("�", _ANSI.sub("", text))


def _in_order(lines: list[LogLine]) -> list[LogLine]:
    """Oldest first; a line without a time keeps its place behind the one before it."""
    latest: datetime | None = None
    keyed: list[tuple[datetime | None, LogLine]] = []
    for line in lines:
        latest = line.time or latest
        keyed.append((latest, line))
    undated = [line for time, line in keyed if time is None]
    dated = [(time, line) for time, line in keyed if time is not None]
    return undated + [line for _, line in sorted(dated, key=lambda pair: pair[0])]
