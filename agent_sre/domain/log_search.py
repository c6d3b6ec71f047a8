"""A question to the logs, with one meaning whatever store answers it.

Every store has a query language of its own, and each understands words, case and levels a little differently. So the
meaning is defined here, as regular expressions that Python's ``re`` and RE2 (LogsQL, LogQL) read alike, and that a
reader without a query language applies itself. A store that can only come near (Elasticsearch compares analysed words)
narrows with what it has and lets ``LogSearch.admits`` decide about each line that it brings back.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from agent_sre.domain.errors import PermanentError
from agent_sre.domain.log_sample import EvenSample
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import LogLine, LogSource, LogStream, Series

MAX_TEXT = 1_000
MAX_STEPS = 2_000
MAX_SAMPLE_BYTES = 16 * 1024 * 1024
"""Bytes of text in one answer, whatever the number of lines."""
_SAFE = "[0-9bcdf-hj-np-tv-xz]"
"""What Kubernetes makes random suffixes of."""
_HASH = f"[0-9a-f]{{6,10}}|{_SAFE}{{8,10}}"
_META = re.compile(r"[\\.+*?()|\[\]{}^$]")


class Level(StrEnum):
    """How bad a line says it is; a search for one finds it and everything worse."""

    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"

    @property
    def words(self) -> tuple[str, ...]:
        """Names of this level and of all worse ones, lower case, as programs print them or shippers label them."""
        names = {
            Level.WARNING: ("warn", "warning"),
            Level.ERROR: ("err", "error", "severe"),
            Level.CRITICAL: ("crit", "critical", "fatal", "panic", "emerg", "emergency"),
        }
        levels = list(Level)
        return tuple(word for level in levels[levels.index(self) :] for word in names[level])


@dataclass(frozen=True)
class LogSearch:
    """Lines of a namespace in a window. An empty field does not narrow.

    ``workload`` is the name of what owns the pods, told by the usual forms of pods' names.
    ``text`` is found wherever it stands in a line as whole words, upper and lower case alike. ``level`` admits lines
    whose level field, or text where there is none, names that level or a worse one.
    """

    namespace: str
    window: Window
    workload: str = ""
    text: str = ""
    level: Level | None = None

    def __post_init__(self) -> None:
        """Refuse text that no store could be asked for."""
        if len(self.text) > MAX_TEXT:
            raise PermanentError(f"the text to search for has {len(self.text)} characters; at most {MAX_TEXT}")
        for value in (self.text, self.namespace, self.workload):
            if any("\ud800" <= letter <= "\udfff" or letter == "\0" for letter in value):
                raise PermanentError(f"{value!r} cannot be searched for: it is no Unicode text")

    @property
    def text_pattern(self) -> str:
        """``text`` as a regular expression for ``re`` (ASCII) and RE2; "" where there is none."""
        if not self.text:
            return ""
        before = r"(?:^|\W)" if re.match(r"\w", self.text, re.ASCII) else ""
        after = r"(?:\W|$)" if re.search(r"\w\Z", self.text, re.ASCII) else ""
        return f"(?i){before}{quoted(self.text)}{after}"

    @property
    def level_pattern(self) -> str:
        """A line that names the level or a worse one, as a regular expression; "" where there is none."""
        return rf"(?i)(?:^|\W)(?:{'|'.join(self.level.words)})(?:\W|$)" if self.level else ""

    @property
    def pod_pattern(self) -> str:
        """Names of the workload's pods, whole, as a regular expression that Lucene reads too; "" for all."""
        if not self.workload:
            return ""
        name = re.sub(r"[^a-zA-Z0-9]", r"\\\g<0>", self.workload)
        return f"{name}(-({_HASH})-[0-9a-z]{{5}}|-[0-9]{{1,4}}|-{_SAFE}{{5}})?"

    def has(self, source: LogSource) -> bool:
        """Whether a source is one of those searched."""
        return source.namespace == self.namespace and (
            not self.workload or re.fullmatch(self.pod_pattern, source.pod) is not None
        )

    def admits(self, line: LogLine, level: str = "") -> bool:
        """Whether a line is one of those searched for; one without a time counts as inside. ``level`` is its field."""
        if line.time is not None and not self.window.contains(line.time):
            return False
        if self._text is not None and not self._text.search(line.text):
            return False
        if self._level is None or self.level is None:
            return True
        return level.lower() in self.level.words if level else bool(self._level.search(line.text))

    @cached_property
    def _text(self) -> re.Pattern[str] | None:
        return re.compile(self.text_pattern, re.ASCII) if self.text else None

    @cached_property
    def _level(self) -> re.Pattern[str] | None:
        return re.compile(self.level_pattern, re.ASCII) if self.level else None


def quoted(text: str) -> str:
    """The text as a regular expression that matches exactly it, for ``re`` and RE2."""
    return _META.sub(r"\\\g<0>", text)


class FoundLines:
    """Collects lines of many sources, oldest first per source, into streams: an even sample of all of them together."""

    def __init__(self, max_lines: int, max_bytes: int = MAX_SAMPLE_BYTES) -> None:
        self._limits = max_lines, max_bytes
        self.clear()

    def clear(self) -> None:
        """Forget everything: an answer that broke off is read again from its start."""
        self._sample: EvenSample[tuple[LogSource, LogLine]] = EvenSample(self._limits[0], _weight, self._limits[1])
        self._seen: dict[LogSource, int] = {}

    def passed_by(self) -> bool:
        """Whether the next line would not be kept anyhow, and has now been counted; for those who have ``totals``."""
        if self._sample.wanted:
            return False
        self._sample.pass_by()
        return True

    def add(self, source: LogSource, line: LogLine) -> None:
        """Take the next line."""
        self._seen[source] = self._seen.get(source, 0) + 1
        self._sample.add((source, line))

    def streams(self, totals: Mapping[LogSource, int] | None = None) -> tuple[LogStream, ...]:
        """What was kept, by source. ``totals`` says how many lines there are, where not all of them were added."""
        lines: dict[LogSource, list[LogLine]] = {source: [] for source in (*(totals or ()), *self._seen)}
        for source, line in self._sample.kept():
            lines[source].append(line)
        count = {source: max(self._seen.get(source, 0), (totals or {}).get(source, 0)) for source in lines}
        found = (LogStream(source, tuple(kept), count[source] - len(kept)) for source, kept in lines.items())
        return tuple(sorted(found, key=lambda stream: str(stream.source)))


def _weight(found: tuple[LogSource, LogLine]) -> int:
    return len(found[1].text)


def step_starts(window: Window, step: float) -> list[float]:
    """The starts of the steps that a window touches, aligned to multiples of ``step`` seconds since the epoch.

    Raises PermanentError where there would be more than ``MAX_STEPS``.
    """
    first, last = int(window.start.timestamp() // step), int(window.end.timestamp() // step)
    if last - first >= MAX_STEPS:
        raise PermanentError(f"{window} has {last - first + 1} steps of {step:g} s; at most {MAX_STEPS}")
    return [number * step for number in range(first, last + 1)]


def counted(search: LogSearch, step: float, counts: Mapping[float, int]) -> Series:
    """Lines per step as a series named ``log_lines``; ``counts`` by a step's start, steps without lines are zero."""
    labels = {"namespace": search.namespace}
    labels |= {"workload": search.workload} if search.workload else {}
    labels |= {"level": str(search.level)} if search.level else {}
    points = [(start, float(counts.get(start, 0))) for start in step_starts(search.window, step)]
    return Series.of("log_lines", labels, points, "gauge")


def tally(search: LogSearch, step: float, lines: Iterable[LogLine]) -> dict[float, int]:
    """Lines that the search admits, by the start of their step. A line without a time belongs to no step."""
    counts: dict[float, int] = {}
    for line in lines:
        if line.time is not None and search.admits(line):
            start = line.time.timestamp() // step * step
            counts[start] = counts.get(start, 0) + 1
    return counts
