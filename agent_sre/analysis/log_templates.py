"""Log lines as templates: what a program says, without what varies from line to line.

First typed masking: addresses, ids, times, durations, sizes, quoted values and numbers are replaced by a mark in one
pass of one regular expression, which alone makes most lines of a statement equal and costs a fraction of a tree search.
What is still different is matched in a small prefix tree (by number of words, then by the first word) against known
templates by the share of equal words, as Drain does (He et al. 2017), so that free text values fall out too. Mining is
deterministic, and mining a template's own text finds that template again. Stack traces and other continuation lines
belong to the entry they follow; only its first line is mined, with the exception named by the trace kept beside it.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

MARK = "<*>"

_VARIABLE = re.compile(
    r"""
      (?P<kept><\*>)
    | [0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}            # UUID
    | \b\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)?                  # date and time
    | \b\d{4}/\d\d/\d\d\b
    | \b\d\d:\d\d:\d\d(?:[.,]\d+)?\b
    | (?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?(?![\w.])                                # IPv4
    | (?<![\w:])\[?(?:[0-9a-fA-F]{0,4}:){3,7}[0-9a-fA-F]{0,4}\]?(?![\w:])                    # IPv6
    | \b0x[0-9a-fA-F]+\b
    | \b(?=[0-9a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,64}\b                                          # hashes, trace ids
    | (?<=-)(?=[a-z0-9]*\d)[a-z0-9]{5,10}(?=[-\s"',\]):]|$)                                  # pod suffixes
    | (?<![A-Za-z_])[-+]?\d+(?:[.,]\d+)*(?:e[-+]?\d+)?(?:ns|us|µs|ms|s|m|h|d|[KMGT]i?B?|B|%)?(?![A-Za-z_])   # numbers
    """,
    re.VERBOSE,
)
_HAS_VARIABLE = re.compile(r"[0-9:]")
_LONGEST = 600
_WORDS_KEPT = 200_000
_ALIKE = 0.6
_WIDEST = 400
"""Templates kept under one node of the tree; beyond that everything new there is one catch-all template."""


def mask(line: str) -> str:
    """The line with every variable part replaced by ``<*>``; at most the first 600 characters count."""
    return " ".join(_masked_words(line, {}))


def _masked_words(line: str, known: dict[str, str]) -> list[str]:
    """The line's words, masked. Words repeat far more than lines do, so each is masked once and looked up after."""
    words = line[:_LONGEST].split()
    for place, word in enumerate(words):
        if word.isalpha():
            continue
        masked = known.get(word)
        if masked is None:
            masked = _VARIABLE.sub(MARK, word) if _HAS_VARIABLE.search(word) else word
            if len(known) < _WORDS_KEPT:
                known[word] = masked
        words[place] = masked
    return words


@dataclass(slots=True)
class Template:
    """What one statement of a program prints. ``words`` has ``<*>`` where lines differ."""

    id: int
    words: list[str]
    lines: list[int] = field(default_factory=list)
    """Numbers of the mined lines, in the order they came."""

    @property
    def text(self) -> str:
        """The template as one line."""
        return " ".join(self.words)


class Miner:
    """Assigns each line to a template; learns as it goes."""

    def __init__(self) -> None:
        self.templates: list[Template] = []
        self._known: dict[str, Template] = {}
        self._words: dict[str, str] = {}
        self._tree: dict[tuple[int, str], list[Template]] = defaultdict(list)
        self._count = 0

    def add(self, line: str) -> Template:
        """The line's template; lines are numbered from 0 in the order they are added."""
        words = _masked_words(line, self._words)
        key = " ".join(words)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._place(words)
        found.lines.append(self._count)
        self._count += 1
        return found

    def _place(self, words: list[str]) -> Template:
        first = words[0] if words and MARK not in words[0] else MARK
        siblings = self._tree[len(words), first]
        best, share = _closest(siblings, words)
        if best is None or (share < _ALIKE and len(siblings) < _WIDEST):
            best = Template(len(self.templates), words)
            self.templates.append(best)
            siblings.append(best)
            return best
        best.words = [mine if mine == other else MARK for mine, other in zip(best.words, words, strict=True)]
        return best


def _closest(templates: list[Template], words: list[str]) -> tuple[Template | None, float]:
    """The template with most words equal, and their share; words that vary anyway count for neither side."""
    best, most = None, -1.0
    for template in templates:
        fixed = equal = 0
        for mine, other in zip(template.words, words, strict=True):
            if mine != MARK or other != MARK:
                fixed += 1
                equal += mine == other
        share = equal / fixed if fixed else 1.0
        if share > most:
            best, most = template, share
    return best, most


def mine(lines: Iterable[str]) -> list[Template]:
    """Templates of the lines, in the order of their first line."""
    miner = Miner()
    for line in lines:
        miner.add(line)
    return miner.templates


_NAMED = r"\"(?:level|severity)\":\s*\""
_SEVERITIES = (
    (re.compile(rf"\b(?:FATAL|PANIC|CRIT(?:ICAL)?|EMERG)\b|\bpanic:|^F\d{{4}} |{_NAMED}(?:fatal|panic|crit)", re.I), 4),
    (re.compile(rf"\b(?:ERROR|ERR|SEVERE)\b|^E\d{{4}} |level=err|{_NAMED}err", re.I), 3),
    (re.compile(r"\b(?:exception|traceback|unhandled|failed|failure|refused)\b|\btimed? ?out\b", re.I), 3),
    (re.compile(rf"\bWARN(?:ING)?\b|^W\d{{4}} |level=warn|{_NAMED}warn", re.I), 2),
)
_CALM = re.compile(
    rf"\b(?:INFO|DEBUG|TRACE|NOTICE)\b|^I\d{{4}} |level=(?:info|debug)|{_NAMED}(?:info|debug)", re.IGNORECASE
)


def severity(line: str) -> int:
    """4 fatal, 3 error, 2 warning, 1 anything else; a line that names its own level is believed."""
    head = line[:200]
    calm = _CALM.search(head)
    for pattern, level in _SEVERITIES:
        match = pattern.search(head)
        if match and not (calm and calm.start() <= match.start()):
            return level
    return 1


_EXCEPTION = re.compile(
    r"^(?:Caused by: |Exception in thread \"[^\"]*\" )?"
    r"(?P<name>(?:[a-zA-Z_][\w$]*\.)*[A-Z]\w*(?:Exception|Error|Fault|Panic))\b:?\s*(?P<text>.*)$",
    re.MULTILINE,
)
_GO_PANIC = re.compile(r"\bpanic: (?P<text>.+)")


def exception(entry: str) -> str:
    """The innermost exception that an entry with a stack trace names, with its message; "" where there is none."""
    found = [(match["name"], match["text"]) for match in _EXCEPTION.finditer(entry)]
    if found:
        name, text = found[-1]
        return f"{name}: {text}".rstrip(": ")[:200]
    panic = _GO_PANIC.search(entry)
    return f"panic: {panic['text']}"[:200] if panic else ""
