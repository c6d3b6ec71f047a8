"""OpenMetrics text with a timestamp on every sample, parsed into ``Series`` as it streams in.

A case may hold millions of samples, and the time to read them is part of the time to an answer. The text says each
series' selector again on every line, and series of one scrape have equally many samples at the same times, so nearly
all of it is known before it is read: as many lines as the series before had are cut to their values, and that they are
this series at those times is proved by putting selector, values and times together again, which costs a fraction of
looking at each line. A JSON parser converts the values at once, and the times are kept once. What differs is read run
by run, and only what is unusual (selectors, exemplars, odd spaces) is parsed by hand. Memory is bounded by the samples,
not by the text. Same acceptance as ``promtool tsdb create-blocks-from openmetrics`` where it matters: every sample
needs a time, the text ends in ``# EOF``. Of exemplars those are kept that name a trace.
"""

import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from struct import pack
from typing import IO, NoReturn

import numpy as np
import orjson

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
_OF_NUMBERS = b"0123456789.eE+-"
_MINUS_ZERO = re.compile(rb"-0(?:[ ,]|\Z)")
"""JSON parsers take it for the integer; everything else of these bytes they read as Prometheus does."""
_REMEMBERED = 64
"""How many different lists of times are kept to be shared: one for each scrape interval and offset at a time."""


@dataclass(slots=True)
class _Samples:
    """One series' samples, in the pieces in which its runs were read."""

    name: str
    labels: dict[str, str]
    times: list["array[float]"] = field(default_factory=list)
    values: list["array[float]"] = field(default_factory=list)


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
        self._times = array("d")
        self._tails: list[bytes] = []
        """The times of the run before: as numbers, and as they stand at the end of its lines."""
        self._shared: dict[bytes, array[float]] = {}

    def feed(self, lines: Sequence[bytes]) -> None:
        """Take whole lines, without their ends."""
        at = 0
        while at < len(lines):
            line = lines[at]
            if not line or line[0] in b"#\r":
                self._comment(line, at)
                at += 1
            else:
                at = self._run(lines, at)
        self.before += len(lines)

    def _run(self, lines: Sequence[bytes], at: int) -> int:
        """Take all lines from ``at`` on that share one selector, and return where the next line is."""
        if self.ended:
            self._refuse(at, "text after '# EOF'")
        selector = lines[at].rsplit(b" ", 2)[0]
        samples = self._samples(selector, at)
        if samples is None:
            self._unusual(lines[at], at)
            return at + 1
        prefix = selector + b" "
        values = self._as_before(lines, at, prefix)
        if values is not None:
            samples.values.append(values)
            samples.times.append(self._times)
            return at + len(values)
        end = at + 1
        while end < len(lines) and lines[end].startswith(prefix):
            end += 1
        pairs = [line[len(prefix) :] for line in lines[at:end]]
        try:
            numbers = _numbers(pairs)
        except ValueError:
            for place in range(at, end):
                self._unusual(lines[place], place)
            return end
        samples.values.append(numbers[::2])
        samples.times.append(self._once(numbers[1::2]))
        self._times, self._tails = samples.times[-1], [b" %b\n" % pair.rpartition(b" ")[2] for pair in pairs]
        return end

    def _as_before(self, lines: Sequence[bytes], at: int, prefix: bytes) -> "array[float] | None":
        """The values of the lines from ``at`` on, if they are a whole run at the times of the run before; else None."""
        size = len(self._tails)
        run = lines[at : at + size]
        more = at + size < len(lines) and lines[at + size].startswith(prefix)
        if more or len(run) < size or not size:
            return None
        texts = list(map(itemgetter(slice(len(prefix), 1 - len(self._tails[0]))), run))
        parts = [prefix] * (3 * size)
        parts[1::3], parts[2::3] = texts, self._tails
        values = b",".join(texts)
        proved = b"".join(parts) == b"\n".join([*run, b""])
        if not proved or values.translate(None, _OF_NUMBERS) != b"," * (size - 1) or _MINUS_ZERO.search(values):
            return None
        try:
            found = orjson.loads(b"[%b]" % values)
        except orjson.JSONDecodeError:
            return None
        # By way of struct: thrice as fast as an array from the list.
        return array("d", pack(f"{size}d", *found)) if len(found) == size else None

    def _once(self, times: "array[float]") -> "array[float]":
        """The same times, as the one array that other series with them have too."""
        if len(self._shared) >= _REMEMBERED:
            self._shared.clear()
        return self._shared.setdefault(times.tobytes(), times)

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
    for lines in _blocks(stream, parser):
        parser.feed(lines)
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


def _blocks(stream: IO[bytes], parser: _Parser) -> Iterator[list[bytes]]:
    """The stream's lines, many at a time; the last one also where nothing ends it."""
    left = b""
    while block := stream.read(_BLOCK):
        lines = block.split(b"\n")
        lines[0] = left + lines[0]
        left = lines.pop()
        if len(left) > MAX_LINE:
            number = parser.before + len(lines) + 1
            raise PermanentError(f"{parser.file}: line {number}: longer than {MAX_LINE} bytes: no OpenMetrics text")
        yield lines
    if left:
        yield [left]


def _numbers(pairs: Sequence[bytes]) -> "array[float]":
    """The numbers of "value time" texts, in order. Raises ValueError where one is anything else."""
    joined = b",".join(pairs)
    separators = (b" ," * len(pairs))[:-1]
    if joined.translate(None, _OF_NUMBERS) == separators and not _MINUS_ZERO.search(joined):
        try:
            return array("d", orjson.loads(b"[%b]" % joined.replace(b" ", b",")))
        except orjson.JSONDecodeError:
            pass  # such as 5. and .5, which are numbers all the same
    if b"_" in joined or not joined.isascii():  # float() would take 1_000 and other scripts' digits
        raise ValueError(joined[:80])
    words = [word for pair in pairs for word in pair.split(b" ")]
    if len(words) != 2 * len(pairs) or any(pair.count(b" ") != 1 for pair in pairs):
        raise ValueError(joined[:80])
    return array("d", map(float, words))


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
