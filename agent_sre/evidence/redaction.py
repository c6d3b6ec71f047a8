"""Secrets out of evidence, at this one place, before anything is stored, shown or sent to a model.

A secret becomes ``[redacted:<kind>:<4 hex>]``: the digits come from a keyed hash, so that the same secret looks the
same everywhere (two services with different passwords stay tellable apart) and nobody can test guesses without the key.
E-mail addresses and card numbers go the same way; people's names and network addresses are left, a diagnosis needs
them. The patterns are in ``secret_patterns`` and ``personal_patterns``.
"""

import hashlib
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Any

import orjson

from agent_sre.domain.alert import Alert
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.evidence import Gap, Observation
from agent_sre.domain.telemetry import Change, LogLine, LogStream, Series, Span
from agent_sre.evidence.known_texts import KnownTexts
from agent_sre.evidence.personal_patterns import cards
from agent_sre.evidence.secret_patterns import (
    ANCHORS,
    Anchor,
    Place,
    find_secrets,
    is_secret_name,
    is_spared,
    may_hold_secrets,
    without_overlaps,
)

_CACHED_LENGTH = 400
_KIND = re.compile(r"[a-z0-9-]{1,30}")
_FLAG = re.compile(r"--?[\w.-]+\Z")


_FAR_APART = "\n" * 30
"""Between texts that are searched together: farther than any pattern looks back or ahead for a number."""
_PLACEHOLDER = re.compile(r"\[redacted:[a-z0-9_-]+:[0-9a-f]{4}\]")
_SCHEME = re.compile(r"(?i)bearer|basic|digest|token|negotiate|apikey")


@dataclass(frozen=True, slots=True)
class Redaction:
    """How this site redacts: the key of the placeholders' digits, and patterns of its own by kind.

    ``key`` lives as long as the process; empty (tests, benchmarks) makes runs repeatable. Of a pattern with a group
    named ``value`` only that is the secret.
    """

    key: bytes = field(default=b"", repr=False)
    patterns: tuple[tuple[str, "re.Pattern[str]"], ...] = ()

    harmless: KnownTexts = field(default_factory=KnownTexts, repr=False, compare=False)

    def redactor(self) -> "Redactor":
        """A redactor with an empty memory."""
        return Redactor(self.key, self.patterns)

    def alerts(self, alerts: Sequence[Alert]) -> tuple[Alert, ...]:
        """The alerts of one message with every secret in them replaced, as ``Redactor.alert`` does."""
        texts: set[str] = set()
        names: set[str] = set()
        for alert in alerts:
            names.update(alert.labels, alert.annotations)
            texts.update(alert.labels.values(), alert.annotations.values())
            texts.update((alert.receiver, alert.group_key, alert.generator_url, alert.external_url))
        redactor = self.redactor()
        if any(map(is_secret_name, names)) or not self._are_harmless(self.harmless.unknown(texts), redactor):
            return tuple(map(redactor.alert, alerts))
        return tuple(alerts)

    def _are_harmless(self, texts: set[str], redactor: "Redactor") -> bool:
        if not texts:
            return True
        together = _FAR_APART.join(texts).lower()
        anchors = [anchor for anchor in ANCHORS if anchor.literal in together]
        if not anchors and not self.patterns and next(cards(together), None) is None:
            self.harmless.keep(texts)
            return True
        harmless = {text for text in texts if redactor.replaced(text, anchors) == text}
        self.harmless.keep(harmless)
        return len(harmless) == len(texts)


def site_patterns(given: Mapping[str, str]) -> tuple[tuple[str, "re.Pattern[str]"], ...]:
    """The site's patterns, compiled. Raises PermanentError naming the one that is wrong and why."""
    found = []
    for kind, text in sorted(given.items()):
        if not _KIND.fullmatch(kind):
            raise PermanentError(f"redaction pattern {kind!r}: the kind must be of a-z, 0-9 and -, at most 30 of them")
        try:
            pattern = re.compile(text)
        except re.error as error:
            raise PermanentError(f"redaction pattern {kind}: {text!r} is no regular expression: {error}") from None
        if pattern.search("") is not None:
            raise PermanentError(f"redaction pattern {kind}: {text!r} matches empty text: it would be everywhere")
        found.append((kind, pattern))
    return tuple(found)


class Redactor:
    """Redacts with one key; texts that were seen before are remembered, since labels and names repeat a lot."""

    def __init__(self, key: bytes, patterns: Sequence[tuple[str, "re.Pattern[str]"]] = ()) -> None:
        self._key = key[:64]
        self._patterns = tuple(patterns)
        self._seen: dict[str, str] = {}
        self._labels: dict[tuple[str, str], str] = {}
        # By identity; the original is held too, so that its id is not given to another mapping.
        self._shared: dict[int, tuple[Mapping[str, str], Mapping[str, str]]] = {}

    def observation(self, item: Observation) -> Observation:
        """The observation with every secret in it replaced."""
        return replace(
            item,
            query=self.text(item.query),
            objects=tuple(self._object(entry) for entry in item.objects),
            streams=tuple(self._stream(stream) for stream in item.streams),
            series=tuple(self._series(series) for series in item.series),
            changes=tuple(self.change(change) for change in item.changes),
            spans=self._spans(item.spans),
            exemplars=tuple(replace(found, labels=self._attributes(found.labels)) for found in item.exemplars),
            rules=tuple(self._object(rule) for rule in item.rules),
            answers=tuple(self.text(text) for text in item.answers),
            left_out=tuple(self.text(text) for text in item.left_out),
            link=self.text(item.link),
        )

    def gap(self, item: Gap) -> Gap:
        """The gap with every secret in it replaced: error messages quote addresses and headers."""
        return Gap(item.source, self.text(item.what), self.text(item.reason), item.fix)

    def change(self, change: Change) -> Change:
        """The change with every secret in it replaced."""
        return replace(
            change,
            target=self.text(change.target),
            summary=self.text(change.summary),
            author=self.text(change.author),
            diff=self.text(change.diff),
        )

    def alert(self, alert: Alert) -> Alert:
        """The alert with every secret in it replaced. Its fingerprint stays that of the labels as they came."""
        return replace(
            alert,
            labels={name: self._named(name, value) for name, value in alert.labels.items()},
            annotations={name: self._named(name, value) for name, value in alert.annotations.items()},
            receiver=self.text(alert.receiver),
            group_key=self.text(alert.group_key),
            generator_url=self.text(alert.generator_url),
            external_url=self.text(alert.external_url),
        )

    def body(self, content: bytes) -> bytes:
        """A payload that nobody could read, with the secrets that can be told in its text replaced."""
        return self.text(content.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")

    def text(self, text: str) -> str:
        """The text with every secret in it replaced."""
        if len(text) > _CACHED_LENGTH:
            return self.replaced(text)
        known = self._seen.get(text)
        if known is None:
            known = self._seen[text] = self.replaced(text)
        return known

    def replaced(self, text: str, anchors: Iterable[Anchor] = ANCHORS) -> str:
        """As ``text``, without its memory; ``anchors`` are those that the text may hold, where that is known."""
        places = self._places(text, anchors)
        return self._filled(text, places) if places else text

    def _places(self, text: str, anchors: Iterable[Anchor] = ANCHORS, lower: str = "") -> list[Place]:
        """Where something must be replaced, in order, without overlaps."""
        places = find_secrets(text, anchors, lower)
        if self._patterns:
            places = without_overlaps([*places, *self._site(text)])
        if "[redacted:" in text:
            places = [place for place in places if not _done(text, place[0], place[1])]
        return places

    def _filled(self, text: str, places: Iterable[Place], offset: int = 0) -> str:
        """The text with a placeholder in each of the places, which are given as ``offset`` further on."""
        parts, at = [], 0
        for start, end, kind in places:
            secret = text[start - offset : end - offset]
            # Line breaks stay, so that lines of a log keep their times.
            parts += [text[at : start - offset], self.placeholder(secret, kind), "\n" * secret.count("\n")]
            at = end - offset
        return "".join([*parts, text[at:]])

    def _site(self, text: str) -> Iterator[Place]:
        for kind, pattern in self._patterns:
            group = "value" if "value" in pattern.groupindex else 0
            for match in pattern.finditer(text):
                if match.start(group) < match.end(group):
                    yield (match.start(group), match.end(group), kind)

    def placeholder(self, secret: str, kind: str = "value") -> str:
        """What stands in a secret's place."""
        digest = hashlib.blake2b(secret.encode("utf-8", "surrogatepass"), key=self._key, digest_size=2).hexdigest()
        return f"[redacted:{kind}:{digest}]"

    def _object(self, item: Mapping[str, Any]) -> Mapping[str, Any]:
        if item.get("kind") == "Secret":
            return self._secret(item)
        if not self._patterns and not may_hold_secrets(orjson.dumps(item, default=str).decode()):
            return item
        if item.get("kind") == "ConfigMap" and isinstance(item.get("data"), Mapping):
            data = {key: self._named(key, value) for key, value in item["data"].items()}
            return {**self._walk({**item, "data": {}}), "data": data}
        return self._mapping(item)

    def _secret(self, item: Mapping[str, Any]) -> Mapping[str, Any]:
        """A Secret's keys without its values, and without the annotation in which kubectl repeats them."""
        fields = {key: value for key, value in item.items() if key not in {"data", "stringData", "metadata"}}
        metadata = {key: value for key, value in (item.get("metadata") or {}).items() if key != "annotations"}
        keys = [*(item.get("data") or {}), *(item.get("stringData") or {})]
        return {
            **self._mapping(fields),
            "metadata": self._walk(metadata),
            "data": dict.fromkeys(keys, "[redacted:secret]"),
        }

    def _walk(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return self._mapping(value)
        if isinstance(value, list | tuple):
            return self._list(value)
        return value

    def _mapping(self, item: Mapping[str, Any]) -> dict[str, Any]:
        name = item.get("name")
        if isinstance(name, str) and isinstance(item.get("value"), str):
            return {key: self._named(name, held) if key == "value" else self._walk(held) for key, held in item.items()}
        return {key: self._walk(held) for key, held in item.items()}

    def _list(self, items: Sequence[Any]) -> list[Any]:
        """A list; after an argument such as ``--db-password`` the next one is the secret."""
        found: list[Any] = []
        before = ""
        for item in items:
            is_value = isinstance(item, str) and _FLAG.match(before) is not None and is_secret_name(before)
            found.append(self._named(before, item) if is_value else self._walk(item))
            before = item if isinstance(item, str) else ""
        return found

    def _named(self, name: str, value: Any) -> Any:
        """The value of a variable, key or label of this name."""
        if isinstance(value, str) and value and is_secret_name(name) and not is_spared(value):
            return self.placeholder(value)
        return self._walk(value)

    def _stream(self, stream: LogStream) -> LogStream:
        """All lines as one text: a key or a value may go on in the next line. Most logs hold few anchors of secrets,
        which the index of their words tells; analysis asks the same index afterwards. Of a large log few lines change,
        and only those are made anew."""
        index = stream.index
        anchors = [anchor for anchor in ANCHORS if index.holds(anchor.literal)]
        joined = "\n".join([line.text for line in stream.lines])
        places = self._places(joined, anchors, index.text)
        if not places:
            return stream
        lines = list(stream.lines)
        starts = list(accumulate((len(line.text) + 1 for line in lines), initial=0))
        for first, last, within in _by_lines(places, starts):
            text = self._filled(joined[starts[first] : starts[last + 1] - 1], within, starts[first])
            rows, at = text.split("\n"), 0
            for number in range(first, last + 1):
                line = lines[number]
                count = line.text.count("\n") + 1
                lines[number] = LogLine(line.time, "\n".join(rows[at : at + count]))
                at += count
        return replace(stream, lines=tuple(lines))

    def _series(self, series: Series) -> Series:
        labels = {key: self._label(key, value) for key, value in series.labels.items()}
        return series if labels == series.labels else replace(series, labels=labels)

    def _label(self, key: str, value: str) -> str:
        """A label's value; thousands of series have the same labels."""
        known = self._labels.get((key, value))
        if known is None:
            known = self._labels[key, value] = self._named(key, value)
        return known

    def _attributes(self, attributes: Mapping[str, str]) -> Mapping[str, str]:
        """Redacted attributes; spans of one process mostly share one mapping, which is looked at once."""
        known = self._shared.get(id(attributes))
        if known is None:
            redacted = {key: self._named(key, value) for key, value in attributes.items()}
            known = self._shared[id(attributes)] = (attributes, redacted)
        return known[1]

    def _spans(self, spans: Sequence[Span]) -> tuple[Span, ...]:
        """Redacted spans; many thousands share a name and a mapping, so each such pair is looked at once."""
        told: dict[tuple[str, int], bool] = {}
        found = list(spans)
        for place, span in enumerate(spans):
            key = span.name, id(span.attributes)
            secret = told.get(key)
            if secret is None:
                redacted = self.text(span.name), self._attributes(span.attributes)
                secret = told[key] = redacted != (span.name, span.attributes)
            if secret:
                found[place] = replace(span, name=self.text(span.name), attributes=self._attributes(span.attributes))
        return tuple(found)


def _by_lines(places: Iterable[Place], starts: Sequence[int]) -> Iterator[tuple[int, int, list[Place]]]:
    """The places by the lines they lie in, as the numbers of the first and the last of these; ``starts`` are where the
    lines begin. A place that goes on in the next line, and what else lies there, belong together."""
    first = last = -1
    within: list[Place] = []
    for place in places:
        begin, end = bisect_right(starts, place[0]) - 1, bisect_right(starts, place[1]) - 1
        if begin > last:
            if within:
                yield first, last, within
            first, within = begin, []
        last = max(last, end)
        within.append(place)
    if within:
        yield first, last, within


def _done(text: str, start: int, end: int) -> bool:
    """Whether what was found lies in a placeholder, or is the scheme before one: redacted text stays as it is."""
    if any(mark.start() <= start and end <= mark.end() for mark in _PLACEHOLDER.finditer(text)):
        return True
    return bool(_SCHEME.fullmatch(text[start:end]) and _PLACEHOLDER.match(text[end:].lstrip()))
