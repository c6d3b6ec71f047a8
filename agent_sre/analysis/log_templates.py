"""Log lines as templates: what a program says, without what varies from line to line.

Three steps, each on what the one before left over. First every run of digits becomes one digit, by a few calls that
run in C: lines of one statement are mostly equal after that, and a dictionary finds their template. A line not seen
before is masked word by word: addresses, ids, times, sizes, paths, quoted values and numbers become ``<*>``, and a
run of equal masked words becomes one of them, because lists vary in length. What masks alike is one statement. At
last the masked statements of equal length are divided as a decision tree would divide them: a place that holds one of
a few plain words, or of a few names of values (``key=``), or a switch (``=true``), tells statements apart; a place
that holds anything else is a variable. This looks at all statements at once, so the result does not depend on the
order of the lines, unlike Drain (He et al. 2017), whose tree fixes at a line's arrival what of it is constant, and
unlike it there is nothing to set per program. Dividing by the place with the fewest words is of IPLoM (Makanju et al.
2009).
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

MARK = "<*>"

_ONE_DIGIT = bytes.maketrans(b"123456789", b"0" * 9)
_HEX_TAIL = re.compile(rb"0[a-fA-F][0a-fA-F]*(?![0-9A-Za-z])")
_QUOTED = re.compile(r"\"[^\"\n]{0,120}\"|(?<!\w)'[^'\n]{0,120}'(?!\w)")
_HEX = "[0a-fA-F]"
_VARIABLE = re.compile(
    rf"""
      (?:(?<=[("'=:,\[<])|^)(?:[a-zA-Z][a-zA-Z0+.-]*://|/(?=\w))[^\s,;)\]}}"'>]*         # addresses and paths
    | {_HEX}+-{_HEX}+-{_HEX}+-{_HEX}+-{_HEX}+                                            # UUIDs
    | (?<![0A-Za-z])(?:{_HEX}{{1,4}}:){{2,}}{_HEX}{{0,4}}(?![0A-Za-z])                   # times, MAC and IPv6 addresses
    | 0x{_HEX}+
    | (?<![0A-Za-z])(?:(?=[A-Fa-f]*0){_HEX}{{3,}}|[A-Fa-f]*00)(?![0A-Za-z])                # hashes, trace ids
    | (?<=-)(?=[a-z]*0)[a-z0]{{4,10}}(?=[-"',\]):]|$)                                    # suffixes of pods
    | (?<![0A-Za-z])[-+]?0+(?:[.,:/]0+)*(?:(?:[nuµm]?s|[KMGTkmgt]i?[Bb]|[BhdmGMk%])(?![A-Za-z]))?  # numbers, IPv4
    | 0+(?:\.0+)*
    """,
    re.VERBOSE,
)
_CALENDAR = {
    word: MARK
    for word in (
        "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun",
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    )
}  # fmt: skip
_WORD = re.compile(r"[A-Za-z][A-Za-z_-]*[,.:;!?)\]]*$|\W+$")
_KEY = re.compile(r"[\w.\[\]()]*[\w\])][:=](?=[^/=:]|$)")
_SWITCH = re.compile(r"(?:[^=:]*[=:])?(?:true|false|yes|no|on|off)\W*$", re.IGNORECASE)
_UNIT = re.compile(r"(?:[nuµm]s|s|sec|secs|seconds|minutes|[kmgt]?i?b)\W*$", re.IGNORECASE)

_LONGEST, _BLOCK = 600, 2_000
_LINES_KEPT, _WORDS_KEPT, _KEYS_KEPT = 20_000, 50_000, 5_000
"""Bounds of memory: beyond the first two a line costs more time; beyond the last, what is new of a length is one."""
_FEW = 5
"""As many different words at one place may tell statements apart; more are the values of a variable."""
_SOLID = 0.4
"""The share of a template's words that must be constant, else its lines have too little in common."""
_WIDEST = 400


def _squeezed(lines: Sequence[str]) -> Iterator[bytes]:
    """The lines with every run of digits as one digit (of more than 31, now and then two) and what is hexadecimal from
    its first digit on as two, as UTF-8; many at once, because most of the time would go into calls."""
    for start in range(0, len(lines), _BLOCK):
        block = [line if len(line) <= _LONGEST else _cut(line) for line in lines[start : start + _BLOCK]]
        text = "\n".join(block)
        if text.count("\n") >= len(block):
            text = "\n".join(line.replace("\n", " ") for line in block)
        flat = text.encode("utf-8", "surrogatepass").translate(_ONE_DIGIT)
        flat = flat.replace(b"00000000", b"0").replace(b"0000", b"0").replace(b"00", b"0").replace(b"00", b"0")
        yield from _HEX_TAIL.sub(b"00", flat).split(b"\n")


def _cut(line: str) -> str:
    """The first 600 characters, no word cut where there are several: half a word would be another word."""
    return line[:_LONGEST].rpartition(" ")[0] or line[:_LONGEST]


def mask(line: str) -> str:
    """The line with every variable part replaced by ``<*>``; at most the first 600 characters count."""
    return " ".join(_masked(next(_squeezed([line])), dict(_CALENDAR)))


def _masked(squeezed: bytes, known: dict[str, str]) -> tuple[str, ...]:
    """A line's words, masked. Words repeat far more than lines do, so each is masked once and looked up after."""
    line = squeezed.decode("utf-8", "surrogatepass")
    if '"' in line or "'" in line:
        line = _QUOTED.sub(MARK, line)
    words, last = [], ""
    for word in line.split():
        masked = known.get(word)
        if masked is None:
            masked = word if word.isalpha() else _VARIABLE.sub(MARK, word)
            if len(known) < _WORDS_KEPT:
                known[word] = masked
        if masked != last or masked == word:
            words.append(masked)
            last = masked
    return tuple(words)


@dataclass(frozen=True, slots=True)
class Template:
    """What one statement of a program prints. ``words`` has ``<*>`` where lines differ; ``keys`` are the numbers that
    ``Miner.add`` gave its lines."""

    id: int
    words: tuple[str, ...]
    keys: tuple[int, ...]
    lines: list[int] = field(default_factory=list)
    """Numbers of the mined lines, in the order they came; filled by ``mine`` only."""

    @property
    def text(self) -> str:
        """The template as one line."""
        return " ".join(self.words)


class Miner:
    """Gives each line a key; lines of one key are of one template, and ``templates`` says of which."""

    def __init__(self) -> None:
        self._lines: dict[bytes, int] = {}
        self._words: dict[str, str] = dict(_CALENDAR)
        self._keys: dict[tuple[str, ...], int] = {}

    def add(self, line: str) -> int:
        """The line's key."""
        return self.add_all([line])[0]

    def add_all(self, lines: Sequence[str]) -> list[int]:
        """The key of each line; far quicker than one by one."""
        known = self._lines
        keys = []
        for line in _squeezed(lines):
            key = known.get(line)
            keys.append(self._learn(line) if key is None else key)
        return keys

    def _learn(self, line: bytes) -> int:
        words = _masked(line, self._words)
        if len(self._keys) >= _KEYS_KEPT and words not in self._keys:
            words = (MARK,) * len(words)
        key = self._keys.setdefault(words, len(self._keys))
        if len(self._lines) < _LINES_KEPT:
            self._lines[line] = key
        return key

    def templates(self) -> list[Template]:
        """All templates so far, in the order of their first line."""
        names = _Names()
        groups: defaultdict[tuple[int, str], list[tuple[str, ...]]] = defaultdict(list)
        for words in self._keys:
            first = words[0] if words and _WORD.match(words[0]) else MARK
            groups[len(words), first].append(words)
        found = [cluster for group in groups.values() for cluster in _divided(group, names)]
        numbered = [(sorted(self._keys[words] for words in cluster), cluster) for cluster in found]
        return [
            Template(place, _common(cluster), tuple(keys)) for place, (keys, cluster) in enumerate(sorted(numbered))
        ]


def _common(cluster: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(column[0] if len(set(column)) == 1 else MARK for column in zip(*cluster, strict=True))


class _Names(dict[str, str]):
    """What of a word belongs to the statement: a word or a switch all of it, of ``key=value`` the key, else ""."""

    def __missing__(self, word: str) -> str:
        if _UNIT.match(word):
            name = ""
        elif _WORD.match(word) or _SWITCH.match(word):
            name = word
        else:
            key = _KEY.match(word)
            name = key[0] if key else ""
        self[word] = name
        return name


def _divided(group: list[tuple[str, ...]], names: _Names) -> Iterable[list[tuple[str, ...]]]:
    """The statements of one length, parted until nothing in a part tells its statements apart."""
    todo = [group]
    while todo:
        part = todo.pop()
        columns = [set(column) for column in zip(*part, strict=True)] if len(part) > 1 else []
        parts: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
        if (place := _telling(columns, names)) is not None:
            for words in part:
                parts[names[words[place]]].append(words)
        elif (place := _thinnest(columns)) is not None:
            for words in part:
                parts[words[place]].append(words)
        else:
            yield part
        todo += parts.values()


def _telling(columns: list[set[str]], names: _Names) -> int | None:
    """The place that tells statements apart by the fewest words or names, the first of several; None where none is."""
    best, fewest = None, _FEW + 1
    for place, column in enumerate(columns):
        if len(column) > 1:
            found = {names[word] for word in column}
            if 1 < len(found) < fewest and "" not in found:
                best, fewest = place, len(found)
    return best


def _thinnest(columns: list[set[str]]) -> int | None:
    """Where too little is constant: the place with the fewest different words; None where nothing needs parting."""
    if sum(len(column) == 1 for column in columns) >= _SOLID * len(columns):
        return None
    open_ones = [
        (len(column), place)
        for place, column in enumerate(columns)
        if 1 < len(column) <= _WIDEST and not all(MARK in word for word in column)
    ]
    return min(open_ones)[1] if open_ones else None


def mine(lines: Iterable[str]) -> list[Template]:
    """Templates of the lines, in the order of their first line."""
    miner = Miner()
    by_key: defaultdict[int, list[int]] = defaultdict(list)
    for number, key in enumerate(miner.add_all(list(lines))):
        by_key[key].append(number)
    found = miner.templates()
    for template in found:
        template.lines.extend(sorted(number for key in template.keys for number in by_key[key]))
    return found
