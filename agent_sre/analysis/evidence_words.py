"""Words that the incident's own logs and traces brought up, weighted by how little else they explain.

A guilty change and the errors it causes share words: a function in a stack trace, a field that is missing, a statement
sent to a database, a deadline in milliseconds. A word counts by how few changes contain it, and not at all where the
program printed it on healthy days. Called by ``change_content`` only.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import log

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.departures import incident_start
from agent_sre.analysis.diffs import read
from agent_sre.analysis.log_entries import Statement, statements
from agent_sre.analysis.trace_trees import trees_of
from agent_sre.domain.telemetry import Change

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,}|(?<![\w.])\d{2,6}(?![\w.])")
_FILE = re.compile(
    r"(?<![\w-])([\w-]+\.(?:py|go|java|kt|scala|js|jsx|ts|tsx|rb|php|cs|fs|rs|c|cc|cpp|ex|exs|erl|clj|swift|sql|lua|pl))\b"
)
_PIECES = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_COMPOUND = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[_.-][A-Za-z0-9]+)+|[a-z]+(?:[A-Z][a-z0-9]+)+")
_NOISE = frozenset(
    [
        "the",
        "and",
        "for",
        "with",
        "from",
        "this",
        "that",
        "error",
        "failed",
        "warn",
        "info",
        "debug",
        "http",
        "https",
        "status",
        "trace_id",
        "span_id",
        "message",
        "msg",
        "level",
        "time",
        "request",
        "response",
        "returned",
        "return",
        "func",
        "var",
        "nil",
        "null",
        "none",
        "true",
        "false",
        "err",
        "ctx",
        "context",
        "string",
        "int",
        "error_code",
        "code",
        "string",
    ]
)


def words_of(text: str) -> set[str]:
    """Identifiers and numbers of a text, lower case."""
    return {word.lower() for word in _WORD.findall(text)} - _NOISE


def pieces(text: str) -> set[str]:
    """The parts of identifiers, lower case: ``buildChargeParams`` has build, charge and params."""
    return {part.lower() for word in _WORD.findall(text) for part in _PIECES.findall(word) if len(part) > 2}


def incident_words(case: CaseFile) -> Mapping[str, Statement | None]:
    """Words of statements that came or went with the incident and of failed spans, with where each was seen."""
    found: dict[str, Statement | None] = {}
    usual: set[str] = set()
    for item in statements(case):
        came, went = item.new, item.since == 0 and item.before >= 5
        if came or went:
            for word in sorted(words_of(item.sample)):
                found.setdefault(word, item)
        if not came:
            usual |= words_of(item.sample) if not went else set()
    start = incident_start(case)
    for span in trees_of(case).spans:
        if span.error and span.start >= start - 120:
            for word in sorted(words_of(" ".join((span.name, *span.attributes.values())))):
                found.setdefault(word, None)
    return {word: item for word, item in found.items() if word not in usual}


def incident_pieces(case: CaseFile) -> frozenset[str]:
    """The parts of the words that came with the incident's new statements."""
    return frozenset(piece for item in statements(case) if item.new for piece in pieces(item.sample))


def incident_files(case: CaseFile) -> frozenset[str]:
    """Names of source files in statements that came with the incident: what its stack traces point at."""
    return frozenset(name for item in statements(case) if item.new for name in _FILE.findall(item.sample))


def compounds(change: Change, parts: frozenset[str]) -> list[str]:
    """Names of two parts or more, in a change that has no diff but its summary, all of whose parts were heard."""
    reading = read(change)
    if reading.added or reading.removed or change.kind in ("commit", "deploy"):
        return []
    names = sorted({name for name in _COMPOUND.findall(change.summary) if len(pieces(name)) > 1})
    return [name for name in names if pieces(name) <= parts]


def rare(changes: Sequence[Change]) -> Mapping[str, float]:
    """A weight for each word of the changes: high where few changes contain it."""
    counts: Counter[str] = Counter()
    for change in changes:
        counts.update(read(change).words)
    size = len(changes) + 1
    return {word: log(size / (count + 0.5)) / log(size + 1) for word, count in counts.items()}


def shared(change: Change, incident: Iterable[str], weights: Mapping[str, float]) -> list[tuple[str, float]]:
    """The incident's words that the change's edited lines contain, with their weights, heaviest first."""
    edited = read(change).words
    found = [(word, weights.get(word, 0.0)) for word in incident if word in edited]
    return sorted((pair for pair in found if pair[1] > 0.2), key=lambda pair: (-pair[1], pair[0]))
