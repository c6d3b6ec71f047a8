"""What a change touches and how dangerous it is, read from its diff as text.

No language is parsed. A diff tells three things cheaply: which files (documentation, tests, styles and build scripts
cannot break a running service), which words came and went (compared with what the logs began to say), and a few edits
that break services in any language: a guard removed, a timeout or limit lowered, a call put into a loop, batching
dropped, a field renamed, a schema or credentials changed, traffic denied, a route led elsewhere, a dependency
raised. A title proves nothing: it can only excuse a change whose lines are not there to be read.
"""

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from agent_sre.analysis.kubernetes.reading import quantity
from agent_sre.domain.telemetry import Change

_FILES = re.compile(
    r"^(?:files?: (?P<list>.+)|(?:\+\+\+|---) [ab]/(?P<path>\S+)"
    r"|diff --git a/(?P<git>\S+) .*|@@ (?P<hunk>[\w./-]+/[\w.-]+))",
    re.M,
)
_HARMLESS_PATH = re.compile(
    r"(?:^|/)(?:docs?|documentation|tests?|testdata|__tests__|spec|fixtures|examples?|\.github|\.circleci|\.gitlab)(?:/|$)"
    r"|_test\.\w+$|\.test\.\w+$|\.spec\.\w+$|\.(?:md|rst|txt|css|scss|less|svg|png|html?|po)$"
    r"|(?:^|/)(?:CODEOWNERS|LICENSE|README|CHANGELOG|\.golangci\.ya?ml|\.editorconfig|\.gitignore|\.prettierrc)",
    re.IGNORECASE,
)
_HARMLESS_WORDS = re.compile(
    r"^#?(?:docs?|test|tests|style|ci|chore\(?(?:docs|ci|test)\)?)\b|gofmt|goimports|prettier|typo|whitespace|codeowners"
    r"|\bcomments?\b|\brestyle",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(r"(?:^|[/_\s-])(?:staging|stage|dev|sandbox|preview|qa)(?:[/_.\s-]|$)", re.IGNORECASE)
_MANIFESTS = re.compile(
    r"(?:^|/)(?:go\.(?:mod|sum)|package(?:-lock)?\.json|yarn\.lock|requirements[\w-]*\.txt|poetry\.lock|pyproject\.toml|pom\.xml"
    r"|build\.gradle|Gemfile(?:\.lock)?|Cargo\.(?:toml|lock))$"
)
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,}|(?<![\w.])\d{2,6}(?![\w.])")
_GUARD = re.compile(
    r"\b(?:if|unless|assert|require|check)\b.*(?:nil|null|None|undefined|empty|len|size|< ?0|valid|ok\b)"
    r"|\?\.|\?\?|try\b|catch\b|except\b|rescue\b|recover\("
)
_TIME_LIMIT = re.compile(r"timeout|deadline|ttl|expir|budget|max_?wait", re.IGNORECASE)
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*\*?\s*(?:time\.)?(milliseconds?|ms|seconds?|s|minutes?|m)?\b", re.IGNORECASE)
_LIMIT = re.compile(
    r"(?:\b|_)(?:max|limit|pool|size|capacity|replicas|workers|threads|concurrency|parallelism|prefetch|consumers"
    r"|connections|memory|cpu|buffer|batch)",
    re.IGNORECASE,
)
_RESOURCE = re.compile(r"\b(?:cpu|memory|storage)[\"']?\s*[:=]\s*[\"']?(\d+(?:\.\d+)?(?:m|[kMGTPE]i?|Ki)?)[\"']?,?\s*$")
"""A resource with its quantity as Kubernetes writes it: ``m`` is a thousandth there, not a minute."""
_MILLISECONDS = re.compile(r"_ms\b|[a-z]Ms\b|milli", re.IGNORECASE)
"""A name that says what its amounts are, where they have no unit of their own."""
_FROM_TO = re.compile(r"(\d+(?:\.\d+)?\s?[a-z]{0,12})\s*(?:->|→|=>|to)\s*(\d+(?:\.\d+)?\s?[a-z]{0,12})", re.IGNORECASE)
_COMMENT = re.compile(r"\s*(?://|#|--|/?\*|<!--)")
_LOOP = re.compile(r"\bfor\b|\bwhile\b|\.(?:map|forEach|each)\(|\bforeach\b")
_REMOTE = re.compile(
    r"(?:\bctx\b|await |\.(?:Get|Query|Exec|Put|Find|Fetch|Call|Load|Send|Select|Insert|Update|Post|Request)\w*\("
    r"|\.(?:lookup|query|fetch|execute|request|find_by|findOne|load)\w*\()"
)
_BATCH = re.compile(r"batch|bulk|chunk|multi|[_.]many\b|many\(|IN \(", re.IGNORECASE)
_SOFT_ACCESS = re.compile(r"\.get\(|\.fetch\(|\.dig\(|getOrDefault|Optional|\?\.|, ok :?=")
_SCHEMA = re.compile(
    r"\b(?:DROP\s+(?:COLUMN|TABLE|INDEX|VIEW|TYPE)|RENAME\s+(?:COLUMN|TABLE|TO)|ALTER\s+COLUMN|SET\s+NOT\s+NULL|MODIFY\s+COLUMN)"
    r"|\b(?:drop_?index(?:es)?|(?:drop|remove|rename|change)_(?:column|table|index))\b",
    re.IGNORECASE,
)
_CREDENTIALS = re.compile(
    r"\b(?:rotat|renew|revok|replac|chang|updat|new)\w*\b.*"
    r"\b(?:credentials?|passwords?|secrets?|api[ _-]?keys?|tokens?|keys?|certificates?)\b",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"NetworkPolicy|AuthorizationPolicy|policyTypes|\bdeny\b|action: DENY|firewall|security[ -]?group", re.IGNORECASE
)
_FEWER = re.compile(r"(\d+)\s*(?:->|→|=>|to)\s*(\d+)")
_FIELD = re.compile(
    r"json:|protobuf:|xml:|yaml:|\brequired\b|@JsonProperty|@Column|field\(|ALTER TABLE|RENAME COLUMN|DROP COLUMN",
    re.IGNORECASE,
)
_SETTINGS = re.compile(r"\.(?:ya?ml|json|toml|conf|cfg|properties|tpl)$")
_ROUTING = re.compile(
    r"\broutes?\b|predicates|proxy_pass|path(?:Prefix|=|:)|VirtualService|HTTPRoute|ingress|\bbackends?\b|upstream|rewrite",
    re.IGNORECASE,
)
_TARGET = re.compile(
    r"(?:\w+://|\b(?:host|service|serviceName|cluster|name|upstream|server|proxy_pass|uri|url|backend)\"?[:=]?\s+\"?)"
    r"(?P<host>[a-z0-9][\w.-]*+)(?!://)",
    re.IGNORECASE,
)
_UNITS = {
    "s": 1.0,
    "second": 1.0,
    "seconds": 1.0,
    "m": 60.0,
    "minute": 60.0,
    "minutes": 60.0,
    "ms": 1e-3,
    "millisecond": 1e-3,
    "milliseconds": 1e-3,
}


@dataclass(frozen=True, slots=True)
class Reading:
    """A change's diff, read. ``risks`` are names of dangerous edits, ``words`` what its changed lines contain."""

    paths: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    words: frozenset[str]
    risks: frozenset[str]
    harmless: bool
    manifest_only: bool


@lru_cache(maxsize=4096)
def read(change: Change) -> Reading:
    """Read one change; without a diff, its target and summary are all there is."""
    lines = change.diff.splitlines()
    added = tuple(line[1:] for line in lines if line.startswith("+") and not line.startswith("+++"))
    removed = tuple(line[1:] for line in lines if line.startswith("-") and not line.startswith("---"))
    paths = _paths(change)
    words = {word.lower() for line in (*added, *removed, *_hunks(lines)) for word in _WORD.findall(line)}
    only = bool(paths) and all(_MANIFESTS.search(path) for path in paths)
    risks = frozenset(_risks(added, removed, only) | _told(change, added) | _rerouted(change, paths, added, removed))
    return Reading(paths, added, removed, frozenset(words), risks, _harmless(change, paths, (*added, *removed)), only)


def _harmless(change: Change, paths: tuple[str, ...], edited: tuple[str, ...]) -> bool:
    """Whether nothing that runs was touched: by its files, else by its lines, else, without any, by its title."""
    if paths and all(_HARMLESS_PATH.search(path) or _ELSEWHERE.search(path) for path in paths):
        return True
    if not paths and _ELSEWHERE.search(change.summary):
        return True
    lines = [line for line in edited if line.strip()]
    return all(_COMMENT.match(line) for line in lines) and bool(lines or _HARMLESS_WORDS.search(change.summary))


def _told(change: Change, added: tuple[str, ...]) -> set[str]:
    """Risks that the kind of a change and its title tell, where operations write no diff."""
    if change.kind in ("commit", "deploy", "feature_flag"):
        return set()
    found, come = set(), "\n".join(added)
    if _CREDENTIALS.search(f"{change.summary} {change.target}"):
        found.add("credentials changed")
    if _DENIED.search(f"{change.target} {change.summary} {come}"):
        found.add("traffic denied")
    fewer = _FEWER.search(change.summary) if change.kind == "scale" else None
    if fewer and int(fewer[2]) < int(fewer[1]):
        found.add("limit lowered")
    return found


def _rerouted(change: Change, paths: tuple[str, ...], come: tuple[str, ...], gone: tuple[str, ...]) -> set[str]:
    """Whether settings of routes, no code, name other hosts or Services than before."""
    settings = change.kind == "config" or (
        change.kind == "commit" and bool(paths) and all(map(_SETTINGS.search, paths))
    )
    if not settings or not _ROUTING.search(f"{change.target} {change.summary} {change.diff}"):
        return set()
    before, after = _targets(gone), _targets(come)
    return {"route changed"} if before and after and before != after else set()


def _targets(lines: tuple[str, ...]) -> set[str]:
    """The hosts and Services that lines of routes lead to."""
    return {match["host"].lower() for line in lines for match in _TARGET.finditer(line)}


def _paths(change: Change) -> tuple[str, ...]:
    found: list[str] = []
    for match in _FILES.finditer(change.diff):
        if match["list"]:
            found += [path.strip() for path in match["list"].split(",")]
        else:
            found.append(match["path"] or match["git"] or match["hunk"])
    if not found and ("/" in change.target or "." in change.target):
        found.append(change.target)
    return tuple(dict.fromkeys(path for path in found if path and path != "/dev/null"))


def _hunks(lines: list[str]) -> list[str]:
    """The context that hunk headers name: functions and types."""
    return [line for line in lines if line.startswith("@@")]


def _risks(added: tuple[str, ...], removed: tuple[str, ...], manifest_only: bool) -> set[str]:
    found: set[str] = set()
    removed = tuple(line for line in removed if not _COMMENT.match(line))
    added = tuple(line for line in added if not _COMMENT.match(line))
    gone, come = "\n".join(removed), "\n".join(added)
    if any(_count(guard, removed) > _count(guard, added) for guard in (_GUARD, _SOFT_ACCESS)):
        found.add("guard removed")
    if _SCHEMA.search(come):
        found.add("schema changed")
    if _lowered(removed, added, _TIME_LIMIT):
        found.add("timeout lowered")
    if _lowered(removed, added, _LIMIT):
        found.add("limit lowered")
    looped, remote = _count(_LOOP, added) > _count(_LOOP, removed), _count(_REMOTE, added)
    if _LOOP.search(come) and (remote > _count(_REMOTE, removed) or (looped and remote)):
        found.add("call in a loop")
    if _BATCH.search(gone) and not _BATCH.search(come):
        found.add("batching dropped")
    if _FIELD.search(gone) and _FIELD.search(come) and _fields(removed) != _fields(added):
        found.add("field changed")
    if manifest_only and removed:
        found.add("dependency raised")
    return found


def _count(subject: re.Pattern[str], lines: tuple[str, ...]) -> int:
    return sum(bool(subject.search(line)) for line in lines)


def _fields(lines: tuple[str, ...]) -> Counter[str]:
    return Counter(word for line in lines if _FIELD.search(line) for word in re.findall(r"[\"'`](\w+)[\"'`]", line))


def _lowered(removed: tuple[str, ...], added: tuple[str, ...], subject: re.Pattern[str]) -> bool:
    """Whether an amount on lines about the subject got smaller."""
    before, after = _amounts(removed, subject), _amounts(added, subject)
    return bool(before and after) and min(after) < 0.8 * min(before)


def lowered_time_limit(change: Change) -> tuple[float, float] | None:
    """The time limit in seconds before and after a change that lowers one, by its lines, else by its title."""
    reading = read(change)
    before, after = _amounts(reading.removed, _TIME_LIMIT), _amounts(reading.added, _TIME_LIMIT)
    if not before and not after:
        told = _FROM_TO.search(change.summary) if _TIME_LIMIT.search(change.summary) else None
        before, after = (_amounts((f"{change.summary[:told.start()]} {told[part]}",), _TIME_LIMIT)[-1:] if told else []
                         for part in (1, 2))  # fmt: skip
    return (min(before), min(after)) if before and after and min(after) < 0.8 * min(before) else None


def _amounts(lines: tuple[str, ...], subject: re.Pattern[str]) -> list[float]:
    found = []
    for line in lines:
        if not subject.search(line):
            continue
        if resource := _RESOURCE.search(line):
            found.append(quantity(resource[1]) or 0.0)
        else:
            usual = 1e-3 if _MILLISECONDS.search(line) else 1.0
            found += [float(number) * _UNITS.get(unit.lower(), usual) for number, unit in _AMOUNT.findall(line)]
    return found


def moved_only(reading: Reading) -> float:
    """How far the added lines are the removed ones in another place or shape: 1 for a pure move, 0 for new code."""
    gone = Counter(word for line in reading.removed for word in _WORD.findall(line))
    come = Counter(word for line in reading.added for word in _WORD.findall(line))
    if not gone or not come:
        return 0.0
    return sum((gone & come).values()) / max(sum(gone.values()), sum(come.values()))
