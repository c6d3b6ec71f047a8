"""OpenMetrics text with a timestamp on every sample, parsed into ``Series``.

A case may hold several hundred thousand samples, and the time to read them is part of the time to an answer; so a run
of lines with the same selector is found and converted as a whole, and only what is new or unusual (selectors,
exemplars) is parsed by hand. Same acceptance as ``promtool tsdb create-blocks-from openmetrics`` where it matters:
every sample needs a time, the text ends in ``# EOF``. Exemplars are dropped.
"""

import re
from array import array
from dataclasses import dataclass, field
from typing import NoReturn

import numpy as np

from agent_sre.domain.errors import PermanentError
from agent_sre.domain.telemetry import Series

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\\n]|\\.)*)"\s*(,|(?=\}))')
_ESCAPE = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", '"': '"', "\\": "\\"}
_FAMILY_SUFFIXES = ("_total", "_bucket", "_count", "_sum", "_created", "_info", "_gcount", "_gsum")
# Consecutive lines of one selector: the back reference lets the regex engine find the whole run without Python.
_RUN = re.compile(r"([^#\n][^\n]*) [^ \n]+ [^ \n]+\n(?:\1 [^ \n]+ [^ \n]+\n)*")


@dataclass(slots=True)
class _Samples:
    name: str
    labels: dict[str, str]
    times: "array[float]" = field(default_factory=lambda: array("d"))
    values: "array[float]" = field(default_factory=lambda: array("d"))


class _Parser:
    def __init__(self, file: str) -> None:
        self.file = file
        self.kinds: dict[str, str] = {}
        self.prefixes: dict[str, _Samples] = {}
        self.series: dict[tuple[str, tuple[tuple[str, str], ...]], _Samples] = {}
        self.ended = False

    def feed(self, text: str) -> None:
        at = 0
        while at < len(text):
            if text[at] in "#\r\n":
                end = text.index("\n", at) + 1
                self._comment(text[at:end], text, at)
            else:
                end = self._run(text, at)
            at = end

    def _run(self, text: str, at: int) -> int:
        """Take all lines from ``at`` on that share one selector, and return where the next line starts."""
        if self.ended:
            self._refuse(text, at, "text after '# EOF'")
        match = _RUN.match(text, at)
        samples = self._samples(match[1]) if match else None
        if match is None or samples is None:
            return self._unusual(text, at)
        numbers = f"\n{match[0]}".replace(f"\n{match[1]} ", "\n")
        try:
            if "_" in numbers or not numbers.isascii():  # float() would take 1_000 and other scripts' digits
                raise ValueError(numbers)
            flat = array("d", map(float, numbers.split()))
        except ValueError:
            return self._unusual(text, at)
        samples.values.extend(flat[0::2])
        samples.times.extend(flat[1::2])
        return match.end()

    def _samples(self, selector: str) -> _Samples | None:
        """The samples of a selector; None where the text is more than a selector."""
        known = self.prefixes.get(selector)
        if known is None:
            end, name, labels = self._selector(selector, 0)
            known = self._register(selector, name, labels) if end == len(selector) else None
        return known

    def _comment(self, line: str, text: str, at: int) -> None:
        words = line.split(None, 3)
        if self.ended and words:
            self._refuse(text, at, "text after '# EOF'")
        if words[1:2] == ["TYPE"] and len(words) == 4:
            self.kinds[words[2]] = words[3].strip()
        elif words[1:] == ["EOF"]:
            self.ended = True

    def _unusual(self, text: str, at: int) -> int:
        """One line that is not the plain "selector value time": with an exemplar, other spaces, or wrong."""
        end = text.index("\n", at)
        stop, name, labels = self._selector(text, at)
        if stop < 0 or stop > end:
            self._refuse(text, at, f"no metric name and well-formed labels at the start of {text[at:end][:80]!r}")
        rest = text[stop:end].partition(" # ")[0].split()
        if len(rest) == 1:
            self._refuse(text, at, f"the sample of {name} has no timestamp; every sample of a snapshot needs one")
        if len(rest) != 2 or any("_" in word or not word.isascii() for word in rest):
            self._refuse(text, at, f"expected 'value timestamp' after {name}, found {text[stop:end][:60]!r}")
        try:
            reading, seconds = float(rest[0]), float(rest[1])
        except ValueError:
            self._refuse(text, at, f"value and timestamp must be numbers, found {' '.join(rest)[:60]!r}")
        samples = self._register(text[at:stop], name, labels)
        samples.times.append(seconds)
        samples.values.append(reading)
        return end + 1

    def _register(self, selector: str, name: str, labels: dict[str, str]) -> _Samples:
        key = (name, tuple(sorted(labels.items())))
        samples = self.series.get(key)
        if samples is None:
            samples = self.series[key] = _Samples(name, labels)
        self.prefixes[selector] = samples
        return samples

    def _selector(self, text: str, at: int) -> tuple[int, str, dict[str, str]]:
        """Where the selector that starts at ``at`` ends (-1: there is none), the metric's name, its labels."""
        match = _NAME.match(text, at)
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

    def _refuse(self, text: str, at: int, what: str) -> NoReturn:
        number = text.count("\n", 0, at) + 1
        raise PermanentError(f"{self.file}: line {number}: {what}")

    def kind_of(self, name: str) -> str:
        """What ``# TYPE`` declared for the sample's metric family, or ""."""
        if name in self.kinds:
            return self.kinds[name]
        for suffix in _FAMILY_SUFFIXES:
            if name.endswith(suffix) and name.removesuffix(suffix) in self.kinds:
                return self.kinds[name.removesuffix(suffix)]
        return ""


def parse_openmetrics(content: bytes, file: str, now: float) -> tuple[Series, ...]:
    """All series with their samples up to ``now`` (seconds since the epoch), times ascending and unique.

    ``file`` is named in errors. Raises PermanentError with the line number where the text is not OpenMetrics.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise PermanentError(f"{file}: line {line}: not UTF-8 text") from None
    parser = _Parser(file)
    parser.feed(text if text.endswith("\n") else f"{text}\n")
    if not parser.ended:
        raise PermanentError(f"{file}: line {text.count(chr(10)) + 1}: no '# EOF' at the end: the file is cut off")
    found = (_finish(samples, parser.kind_of(samples.name), now) for samples in parser.series.values())
    return tuple(series for series in found if series.times)


def _finish(samples: _Samples, kind: str, now: float) -> Series:
    times, values = np.frombuffer(samples.times), np.frombuffer(samples.values)
    if len(times) > 1 and not bool(np.all(np.diff(times) > 0)):
        # The last sample of a moment wins; unique() keeps the first, so look from the end.
        times, index = np.unique(times[::-1], return_index=True)
        values = values[::-1][index]
    keep = int(np.searchsorted(times, now, side="right"))
    return Series(
        samples.name, samples.labels, array("d", times[:keep].tobytes()), array("d", values[:keep].tobytes()), kind
    )


def _unescape(value: str) -> str:
    if "\\" not in value:
        return value
    return _ESCAPE.sub(lambda match: _ESCAPES.get(match[1], match[0]), value)
