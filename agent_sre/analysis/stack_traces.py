"""Stack traces: put together from the lines they were printed on, and told apart by where they were thrown.

``kubectl logs --timestamps`` stamps every line, so a trace arrives as dozens of entries; ``joined`` makes one of them
again. Two traces are the same trouble when the innermost exception and the innermost frame of the program's own code
are equal: frames of runtimes, frameworks and libraries are where exceptions pass, not where they come from. Java and
Kotlin, Python, Go, Node, .NET, Ruby and Rust are known by the forms of their frames.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from agent_sre.domain.telemetry import LogLine

_CONTINUES = re.compile(
    r"\s+(?:at |in |from |File \"|\.\.\. \d+ |\S+\.(?:go|rs|c|py|rb):\d+|\^|\d+: |raise |return |\w+\()"
    r"|\t|Caused by: |Traceback \(most recent|goroutine \d+ \[|created by |During handling of|The above exception was"
    r"|--- End of |stack backtrace:|\[signal |note: run with"
    r"|(?:[a-z_][\w$]*\.)+[A-Z]\w*(?:Exception|Error|Fault)\b"
    r"|[\w./*()-]+\.[\w.*()-]+\((?:0x[0-9a-f]+|\.\.\.|\{|\)).*$"
)
_PYTHON_LAST = re.compile(
    r"(?:[\w.]+\.)?[A-Z]\w*(?:Error|Exception|Exit|Interrupt|Warning|Timeout|NotFound)\b:?|[\w.]+: "
)
_LONGEST_PAUSE = timedelta(seconds=2)
_MOST_LINES = 200
_LINE_READ, _ENTRY_READ = 300, 32_768
"""Characters looked at, of a line and of an entry: text is hostile, and expressions backtrack."""


def joined(lines: Sequence[LogLine]) -> Sequence[LogLine]:
    """The entries with the lines of a stack trace put to the entry they belong to; the same object where none are."""
    if not any(line.text[:1] in " \t" for line in lines):  # every kind of trace has indented lines
        return lines
    found: list[LogLine] = []
    parts: list[str] = []
    changed, python = False, False
    for line in lines:
        text = line.text
        follows = found and _close(found[-1], line) and len(parts) < _MOST_LINES
        if follows and ((python and _ends_python(text)) or _CONTINUES.match(text[:_LINE_READ])):
            if not parts:
                parts = [found[-1].text]
            parts.append(text)
            changed = True
            python = text.startswith("Traceback (most") or (python and text[:1] in " \t")
            continue
        if parts:
            found[-1] = LogLine(found[-1].time, "\n".join(parts))
            parts = []
        found.append(line)
        python = "Traceback (most" in text[-60:]
    if parts:
        found[-1] = LogLine(found[-1].time, "\n".join(parts))
    return found if changed else lines


def _close(before: LogLine, line: LogLine) -> bool:
    if before.time is None or line.time is None:
        return before.time is line.time
    return line.time - before.time <= _LONGEST_PAUSE


def _ends_python(text: str) -> bool:
    return text[:1] in " \t" or _PYTHON_LAST.match(text) is not None


_EXCEPTION = re.compile(
    r"^(?:.{0,200}?\s)??(?:Caused by: |Exception in thread \"[^\"]*\" |Unhandled exception\. |---> |Uncaught )?"
    r"(?P<name>(?:[a-zA-Z_][\w$]*(?:\.|::))*[A-Z]\w*(?:Exception|Error|Fault|Panic|Timeout|NotFound|Exit)"
    r"(?: \[[A-Z_]+\])?)(?:: (?P<text>.*)|\s*)$",
    re.MULTILINE,
)
_THROWN = ("Exception", "Error", "Fault", "Panic", "Timeout", "NotFound", "Exit", "panic")
_GO_PANIC = re.compile(r"\bpanic: (?P<text>.+)")
_RUST_PANIC = re.compile(r"thread '[^']*' panicked at (?P<text>.+)")
_FRAME = re.compile(
    r"^[ \t]+at (?P<call>[\w.$<>/\[\]`+ ]+)\s?\((?P<file>[^)]*)\)"  # Java, Node, .NET without source
    r"|^[ \t]+at (?P<net>[\w.<>`+\[\], ]+\([^)]*\))(?: in (?P<netfile>\S+):line (?P<netline>\d+))?"
    r"|^[ \t]+at (?P<node>(?:file://)?/?[\w./@-]+:\d+:\d+)"
    r"|^[ \t]+File \"(?P<python>[^\"]+)\", line (?P<line>\d+), in (?P<def>\S+)"
    r"|^[ \t]+(?:from )?(?P<ruby>[\w./-]+\.rb:\d+):in [`'](?P<method>[^']+)'"
    r"|^(?P<go>[\w./*()-]+\.[\w.*()-]+)\((?:0x|\.\.\.|\{|\)).*\n[ \t]+(?P<gofile>\S+\.go):(?P<goline>\d+)",
    re.MULTILINE,
)
_FOREIGN = re.compile(
    r"^(?:java|javax|jdk|sun|jakarta|kotlin|kotlinx|scala|akka|reactor|groovy)\.|^(?:org\.(?:springframework|apache|hibernate"
    r"|eclipse|jboss|postgresql|mongodb|elasticsearch|glassfish|junit)|com\.(?:zaxxer|mysql|fasterxml|google|sun|amazonaws"
    r"|netflix|microsoft)|io\.(?:netty|grpc|lettuce|vertx|micrometer|opentelemetry)|redis\.clients)\."
    r"|^(?:System|Microsoft|Npgsql|StackExchange|Grpc|MySql|MongoDB|Polly)\.|site-packages|dist-packages|/lib/python"
    r"|<frozen|node_modules|node:|internal/|/gems/|/lib/ruby|/usr/local/go/|/go/pkg/mod/|/vendor/|^(?:runtime|panic|net/http"
    r"|testing)\b|^<anonymous>"
)


@dataclass(frozen=True, slots=True)
class Trace:
    """Where an exception came from: its name, its message and the innermost frame of own code ("" where unknown)."""

    name: str
    text: str
    frame: str

    def __str__(self) -> str:
        """``name: text``, at most 200 characters."""
        return f"{self.name}: {self.text}".rstrip(": ")[:200]


def trace_of(entry: str) -> Trace | None:
    """The innermost exception that an entry names, and where it was thrown; None where it names none."""
    entry = entry[:_ENTRY_READ]
    if not any(word in entry for word in _THROWN):
        return None
    found = [(match["name"], match["text"] or "", match.start()) for match in _EXCEPTION.finditer(entry)]
    panic = _GO_PANIC.search(entry) or _RUST_PANIC.search(entry)
    if panic and not found:
        return Trace("panic", panic["text"].strip(), _own(entry, panic.start()))
    if not found:
        return None
    name, text, start = found[-1]
    return Trace(name, text.strip(), _own(entry, start))


def exception(entry: str) -> str:
    """The innermost exception that an entry names, with its message; "" where there is none."""
    found = trace_of(entry)
    return str(found) if found else ""


def _own(entry: str, start: int) -> str:
    """The innermost frame of own code: after the exception in most languages, before it in Python."""
    python = [match for match in _FRAME.finditer(entry, 0, start) if match["python"]]
    frames = list(reversed(python)) or list(_FRAME.finditer(entry, start))
    shown = [_shown(match) for match in frames]
    return next((frame for match, frame in zip(frames, shown, strict=True) if not _is_foreign(match)), "")


def _is_foreign(match: re.Match[str]) -> bool:
    parts: Iterable[str | None] = match.group("call", "file", "net", "node", "python", "ruby", "go", "gofile")
    return any(_FOREIGN.search(part) for part in parts if part)


def _shown(match: re.Match[str]) -> str:
    if match["python"]:
        return f"{match['python'].rsplit('/', 1)[-1]}:{match['def']}"
    if match["ruby"]:
        return f"{match['ruby'].rsplit('/', 1)[-1].partition(':')[0]}:{match['method']}"
    if match["go"]:
        return match["go"].rsplit("/", 1)[-1]
    return (match["call"] or (match["net"] or "").partition("(")[0] or match["node"] or "").strip()
