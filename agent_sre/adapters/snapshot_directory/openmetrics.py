"""OpenMetrics text with a timestamp on every sample, parsed into ``Series`` as it streams in.

A case may hold millions of samples, and the time to read them is part of the time to an answer. The text says each
series' selector again on every line, so lines are taken run by run: the selector is read once, how far it goes on and
what stands behind it is found for all lines at once (``openmetrics_block``), and series of one scrape share the one
list of their times. Only what is unusual (selectors, exemplars, odd spaces) is parsed by hand. Memory is bounded by the
samples, not by the text. Same acceptance as ``promtool tsdb create-blocks-from openmetrics`` where it matters: every
sample needs a time, the text ends in ``# EOF``. Of exemplars those are kept that name a trace.
"""

import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BufferedIOBase
from typing import IO, NoReturn, cast

import numpy as np

from agent_sre.adapters.snapshot_directory.openmetrics_block import ROOM, Block, numbers, pair
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.telemetry import TRACE_LABELS, Exemplar, Series

MAX_LINE = 1024 * 1024
_BLOCK = 2 * 1024 * 1024
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\\n]|\\.)*)"\s*(,|(?=\}))')
_PLAIN_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="([^"\\\n]*)"')
_ESCAPE = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", '"': '"', "\\": "\\"}
_FAMILY_SUFFIXES = ("_total", "_bucket", "_count", "_sum", "_created", "_info", "_gcount", "_gsum")
_REMEMBERED = 64
"""How many different lists of times are kept to be shared: one for each scrape interval and offset at a time."""


@dataclass(slots=True)
class _Samples:
    """One series' samples, in the pieces in which its runs were read."""

    name: str
    labels: dict[str, str]
    times: list["array[float]"] = field(default_factory=list)
    values: list["array[float]"] = field(default_factory=list)


_Run = tuple[_Samples, int, int, int]
"""The series that some lines are of, the first of them, the one after the last, and the bytes of their selector."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What the text holds, up to the moment asked for."""

    series: tuple[Series, ...]
    exemplars: tuple[Exemplar, ...] = ()


class _Parser:
    def __init__(self, file: str) -> None:
        self.file = file
        self.kinds: dict[str, str] = {}
        self.prefixes: dict[bytes, _Samples] = {}
        self.series: dict[tuple[str, tuple[tuple[str, str], ...]], _Samples] = {}
        self.exemplars: list[Exemplar] = []
        self.ended = False
        self.before = 0
        """Lines before the block at hand."""
        self._block = Block(bytearray(), 0)
        self._runs: list[_Run] = []
        """Of the block at hand, not yet converted: series, first line, the line after the last, bytes of the prefix."""
        self._size = 1
        """Lines of the run before."""
        self._shared: dict[tuple[bytes, int], array[float]] = {}

    def feed(self, block: Block) -> None:
        """Take the lines of a part of the text."""
        self._block = block
        at = 0
        while at < len(block):
            line = block.line(at)
            if not line or line[0] in b"#\r":
                self._comment(line, at)
                at += 1
            else:
                at = self._run(line, at)
        self._convert()
        self.before += len(block)

    def _run(self, line: bytes, at: int) -> int:
        """Take all lines from ``at`` on that share one selector, and return where the next line is."""
        if self.ended:
            self._refuse(at, "text after '# EOF'")
        selector = line.rsplit(b" ", 2)[0]
        samples = self._samples(selector, at)
        if samples is None:
            self._convert()
            self._unusual(line, at)
            return at + 1
        end = self._block.alike(at, selector + b" ", self._size)
        self._size = end - at
        self._runs.append((samples, at, end, len(selector) + 1))
        return end

    def _convert(self) -> None:
        """Give the runs' samples to their series."""
        runs, self._runs = self._runs, []
        if runs and not self._taken(runs):
            for run in runs:
                if not self._taken([run]):
                    self._one_by_one(*run)

    def _taken(self, runs: Sequence[_Run]) -> bool:
        """Give some runs' samples to their series, if that can be done for all of them at once."""
        found = self._block.samples([run[1:] for run in runs])
        if found is None:
            return False
        values, texts = found
        at, wide = 0, 8 * len(texts) // len(values)
        pieces: list[tuple[_Samples, array[float], array[float]]] = []
        for samples, first, after, _ in runs:
            end = at + after - first
            times = self._times(texts[wide * at : wide * end], wide)
            if times is None:
                return False
            pieces.append((samples, times, array("d", values[8 * at : 8 * end])))
            at = end
        for samples, times, readings in pieces:
            samples.times.append(times)
            samples.values.append(readings)
        return True

    def _times(self, text: bytes, wide: int) -> "array[float] | None":
        """Times that are written equally wide, without anything between them; None where they are no plain numbers."""
        known = self._shared.get((text, wide))
        if known is None:
            try:
                times = numbers([text[at : at + wide] for at in range(0, len(text), wide)])
            except ValueError:
                return None
            if len(self._shared) >= _REMEMBERED:
                self._shared.clear()
            known = self._shared[text, wide] = times
        return known

    def _one_by_one(self, samples: _Samples, first: int, after: int, width: int) -> None:
        """The same for one run that has something else than plain numbers somewhere."""
        lines = [self._block.line(at) for at in range(first, after)]
        try:
            found = numbers([word for line in lines for word in pair(line[width:])])
        except ValueError:
            for at, line in enumerate(lines, first):
                self._unusual(line, at)
            return
        samples.values.append(found[::2])
        samples.times.append(found[1::2])

    def _samples(self, selector: bytes, at: int) -> _Samples | None:
        """The samples of a selector; None where the text is more than a selector."""
        known = self.prefixes.get(selector)
        if known is None:
            text = self._text(selector, at)
            end, name, labels = _plain_selector(text) or self._selector(text)
            known = self._register(selector, name, labels) if end == len(text) else None
        return known

    def _comment(self, line: bytes, at: int) -> None:
        words = self._text(line, at).split(None, 3)
        if self.ended and words:
            self._refuse(at, "text after '# EOF'")
        if words[1:2] == ["TYPE"] and len(words) == 4:
            self.kinds[words[2]] = words[3].strip()
        elif words[1:] == ["EOF"]:
            self.ended = True

    def _unusual(self, line: bytes, at: int) -> None:
        """One line that is not the plain "selector value time": with an exemplar, other spaces, or wrong."""
        text = self._text(line, at)
        stop, name, labels = self._selector(text)
        if stop < 0:
            self._refuse(at, f"no metric name and well-formed labels at the start of {text[:80]!r}")
        sample, _, exemplar = text[stop:].partition(" # ")
        rest = sample.split()
        if len(rest) == 1:
            self._refuse(at, f"the sample of {name} has no timestamp; every sample of a snapshot needs one")
        if len(rest) != 2 or any("_" in word or not word.isascii() for word in rest):
            self._refuse(at, f"expected 'value timestamp' after {name}, found {text[stop:][:60]!r}")
        try:
            reading, seconds = float(rest[0]), float(rest[1])
        except ValueError:
            self._refuse(at, f"value and timestamp must be numbers, found {' '.join(rest)[:60]!r}")
        self._exemplar(exemplar, name, labels, seconds)
        samples = self._register(text[:stop].encode(), name, labels)
        samples.times.append(array("d", [seconds]))
        samples.values.append(array("d", [reading]))

    def _exemplar(self, text: str, name: str, labels: dict[str, str], seconds: float) -> None:
        """Keep what stands behind a sample where it names a trace; anything else never made a text unreadable."""
        stop, _, named = self._selector(f"x{text}")
        trace = next((named[label] for label in TRACE_LABELS if named.get(label)), "")
        numbers = text[max(stop - 1, 0) :].split()
        if not trace or not 1 <= len(numbers) <= 2:
            return
        try:
            value, time = float(numbers[0]), float(numbers[-1]) if len(numbers) == 2 else seconds
        except ValueError:
            return
        self.exemplars.append(Exemplar(name, labels, trace, value, time))

    def _register(self, selector: bytes, name: str, labels: dict[str, str]) -> _Samples:
        key = (name, tuple(sorted(labels.items())))
        samples = self.series.get(key)
        if samples is None:
            samples = self.series[key] = _Samples(name, labels)
        self.prefixes[selector] = samples
        return samples

    def _selector(self, text: str) -> tuple[int, str, dict[str, str]]:
        """Where the selector that the text starts with ends (-1: there is none), the metric's name, its labels."""
        match = _NAME.match(text)
        labels: dict[str, str] = {}
        if match is None:
            return -1, "", labels
        at = match.end()
        if text[at : at + 1] != "{":
            return at, match[0], labels
        at += 1
        while text[at : at + 1] != "}":
            label = _LABEL.match(text, at)
            if label is None or label[1] in labels:
                return -1, "", labels
            labels[label[1]] = _unescape(label[2])
            at = label.end()
        return at + 1, match[0], labels

    def _text(self, line: bytes, at: int) -> str:
        try:
            return line.decode()
        except UnicodeDecodeError:
            self._refuse(at, "not UTF-8 text")

    def _refuse(self, at: int, what: str) -> NoReturn:
        self._convert()  # which refuses what comes before in the text
        raise PermanentError(f"{self.file}: line {self.before + at + 1}: {what}")

    def kind_of(self, name: str) -> str:
        """What ``# TYPE`` declared for the sample's metric family, or ""."""
        if name in self.kinds:
            return self.kinds[name]
        for suffix in _FAMILY_SUFFIXES:
            if name.endswith(suffix) and name.removesuffix(suffix) in self.kinds:
                return self.kinds[name.removesuffix(suffix)]
        return ""


def parse_openmetrics(stream: IO[bytes], file: str, now: float) -> Parsed:
    """All series with their samples up to ``now`` (seconds since the epoch), times ascending and unique; exemplars as
    far as that, each once.

    ``file`` is named in errors. Series of one scrape share their times: they are to be read, never changed. Raises
    PermanentError with the line number where the text is not OpenMetrics; what the stream raises passes through.
    """
    parser = _Parser(file)
    for block in _blocks(stream, parser):
        parser.feed(block)
    if not parser.ended:
        raise PermanentError(f"{file}: line {parser.before + 1}: no '# EOF' at the end: the file is cut off")
    finished: list[Series] = []
    ordered: dict[int, int] = {}
    for samples in parser.series.values():
        series = _finish(samples, parser.kind_of(samples.name), now, ordered)
        if series.times:
            finished.append(series)
    once = {(item.trace_id, item.metric, item.time, item.value): item for item in parser.exemplars if item.time <= now}
    return Parsed(tuple(finished), tuple(once.values()))


def _blocks(stream: IO[bytes], parser: _Parser) -> Iterator[Block]:
    """The stream's text in parts of whole lines, each until the next is asked for; the last line gets its end also
    where nothing ends it."""
    buffer = bytearray(MAX_LINE + _BLOCK + ROOM)  # one for all, or the system would have to give its pages each time
    view, reader, left = memoryview(buffer), cast(BufferedIOBase, stream), 0
    while more := reader.readinto(view[left : left + _BLOCK]):
        filled = left + more
        size = buffer.rfind(b"\n", 0, filled) + 1
        left = filled - size
        if left > MAX_LINE:
            number = parser.before + buffer.count(b"\n", 0, size) + 1
            raise PermanentError(f"{parser.file}: line {number}: longer than {MAX_LINE} bytes: no OpenMetrics text")
        if size:
            yield Block(buffer, size)
            view[:left] = bytes(view[size:filled])
    if left:
        buffer[left] = ord("\n")
        yield Block(buffer, left + 1)


def _plain_selector(text: str) -> tuple[int, str, dict[str, str]] | None:
    """The same as ``_Parser._selector`` for a selector without spaces and escapes, several times as fast; None for any
    other text. That it is one is proved by writing it again."""
    name, _, inner = text.partition("{")
    labels: dict[str, str] = dict(_PLAIN_LABEL.findall(inner))
    written = ",".join([f'{key}="{value}"' for key, value in labels.items()])
    return (len(text), name, labels) if _NAME.fullmatch(name) and written + "}" == inner else None


def _finish(samples: _Samples, kind: str, now: float, ordered: dict[int, int]) -> Series:
    """One series in order; ``ordered`` remembers for shared times how many of them, all in order, lie before now."""
    if len(samples.times) == 1:
        times, values = samples.times[0], samples.values[0]
        keep = ordered.get(id(times))
        if keep is None:
            keep = ordered[id(times)] = _in_order(times, now)
        if keep == len(times):
            return Series(samples.name, samples.labels, times, values, kind)
    moments = np.concatenate([np.frombuffer(piece) for piece in samples.times])
    readings = np.concatenate([np.frombuffer(piece) for piece in samples.values])
    if moments.size > 1 and not bool(np.all(np.diff(moments) > 0)):
        # The last sample of a moment wins; unique() keeps the first, so look from the end.
        moments, index = np.unique(moments[::-1], return_index=True)
        readings = readings[::-1][index]
    keep = int(np.searchsorted(moments, now, side="right"))
    return Series(
        samples.name,
        samples.labels,
        array("d", moments[:keep].tobytes()),
        array("d", readings[:keep].tobytes()),
        kind,
    )


def _in_order(times: "array[float]", now: float) -> int:
    """How many times lie before ``now`` where they ascend; -1 where they do not."""
    moments = np.frombuffer(times)
    if moments.size > 1 and not bool(np.all(np.diff(moments) > 0)):
        return -1
    return int(np.searchsorted(moments, now, side="right"))


def _unescape(value: str) -> str:
    if "\\" not in value:
        return value
    return _ESCAPE.sub(lambda match: _ESCAPES.get(match[1], match[0]), value)
