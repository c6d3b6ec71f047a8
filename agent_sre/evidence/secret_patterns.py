"""What secrets look like in text, as anchors: a literal that must occur, and the pattern that is tried where it does.

Most text holds no anchor, which plain substring search finds out some hundred times faster than one large alternation
would; so redaction costs next to nothing until there is something to look at. Missing a secret is worse than hiding a
word too many, but words that carry the diagnosis ("using password: YES", ``secretName``) are spared.
"""

import re
import string
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from agent_sre.evidence.personal_patterns import cards, email_at

_WORD = (
    r"(?:passw(?:or)?d|passwort|passphrase|pwd|secret|token|credential|(?:api|access|private|signing|encryption|auth"
    r"|session|account|shared|client|master|secret|ssh|deploy|license|storage|webhook)[_.-]?key)"
)
_INNOCENT_END = (
    r"(?:names?|ref|paths?|dir|files?|ur[li]|endpoint|ttl|counts?|size|limit|length|expiry|expiration|expirationseconds"
    r"|expires|expired|seconds|type|kind|version|audience|provider|class|policy|reviews?|optional|mount|volume|lifetime"
    r"|enabled|required|algorithm)"
)
_SECRET_NAME = re.compile(rf"(?i){_WORD}")
_INNOCENT_NAME = re.compile(rf"(?i){_WORD}(?:s|[A-Za-z0-9_-]{{0,40}}?{_INNOCENT_END})\Z")
_SPARED = re.compile(
    r"(?i)(?:true|false|yes|no|none|null|nil|on|off|\{\}|\[\]|\[redacted\b.*|\$\(.*|\$\{.*|<[^>]*>?|\*+)[.,;:)\]}]*\Z"
)
# After a colon, prose goes on: "failed to fetch token: unexpected status".
_PROSE = re.compile(
    r"(?i)(?:required|missing|invalid|incorrect|expired|empty|unauthorized|forbidden|denied|failed|error|undefined"
    r"|unexpected|unknown|not|is|was|has|could|can|cannot|can't|unable|must|should|does|did|will|the|an?|this|get|post"
    r"|put|head|rpc|http|https|context|dial|eof|connection|timeout|bad|wrong|illegal|malformed|too|got|expected|found"
    r"|permission|server|signature|verification|authentication|lookup|read|write|open|status)[.,;:)\]}]*\Z"
)

_VALUE = (
    r"(?:\\+\"(?P<escaped>.{1,500}?)\\+\"|\"(?P<double>(?:[^\"\\\n]|\\.){1,500})\""
    r"|'(?P<single>(?:[^'\\\n]|\\.){1,500})'|(?P<bare>[^\s\"'\\\[][^\s\"'&]{0,500}|\[[^\s\"'&]{1,500}))"
)
_NAMED = re.compile(rf"[A-Za-z0-9_-]{{0,60}}(?:\\*[\"'])?\s{{0,3}}(?P<sign>=>?|:=?)(?:\s|\\+[nrt]){{0,8}}{_VALUE}")
_FLAG = re.compile(r"[A-Za-z0-9_-]{0,60}\s{1,3}(?P<value>[^\s-]\S{0,500})")
_REST = re.compile(r"[A-Za-z0-9_-]{0,60}")
_NAME_LETTERS = f"{string.ascii_letters}{string.digits}_.-"
_DSN = re.compile(r"[\w.-]{1,60}:(?P<value>[^\s/\"'<>]{1,200})\Z")

Place = tuple[int, int, str]
"""Where a secret starts and ends, and its kind."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A literal in lower case, and what to look for where it occurs."""

    literal: str
    find: Callable[[str, int], Place | None]


def _formed(kind: str, pattern: str, *, alone: bool = True) -> Callable[[str, int], Place | None]:
    """Looks for a pattern at the anchor; its group ``value`` (or all of it) is the secret."""
    compiled = re.compile(pattern)
    group = "value" if "value" in compiled.groupindex else 0

    def find(text: str, at: int) -> Place | None:
        if alone and at and (text[at - 1].isalnum() or text[at - 1] == "_"):
            return None
        match = compiled.match(text, at)
        return (match.start(group), match.end(group), kind) if match else None

    return find


def _dsn(text: str, at: int) -> Place | None:
    """user:password@tcp(host:3306)/db, as Go's MySQL driver writes it; the anchor is the at sign."""
    start = max(at - 262, 0)
    match = _DSN.search(text[start:at])
    return (start + match.start("value"), at, "dsn") if match else None


def _named(text: str, at: int) -> Place | None:
    """NAME=value, "name": "value", name: value, --name value; the anchor is a word within the name."""
    match = _NAMED.match(text, at)
    before = text[max(at - 60, 0) : at]
    before = before[len(before.rstrip(_NAME_LETTERS)) :]
    if match is None and not before.startswith("-"):
        return None  # nearly always: the word stands in prose
    rest = _REST.match(text, at)
    name = before + (rest[0] if rest else "")
    if not is_secret_name(name):
        return None
    if match is not None:
        group = next(key for key in ("escaped", "double", "single", "bare") if match[key] is not None)
        prose = group == "bare" and match["sign"] == ":" and _PROSE.match(match[group])
        return None if prose or is_spared(match[group]) else (match.start(group), match.end(group), "value")
    flag = _FLAG.match(text, at)
    if flag is None or is_spared(flag["value"]):
        return None
    return flag.start("value"), flag.end("value"), "value"


_API = _formed(
    "api",
    r"sk-[A-Za-z0-9_-]{16,}|[srp]k_(?:live|test)_[A-Za-z0-9]{10,}|AIza[A-Za-z0-9_-]{30,}|SG\.[\w-]{16,}\.[\w-]{16,}"
    r"|(?:npm|hf|shpat)_[A-Za-z0-9]{20,}|dop_v1_[a-f0-9]{20,}|pypi-[A-Za-z0-9_-]{20,}",
)
_AWS = _formed("aws", r"(?:AKIA|ASIA|AROA|AIDA|ABIA)[A-Z0-9]{16}(?![A-Za-z0-9])")
_GIT = _formed("github", r"gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}")
_SLACK_TOKEN = _formed("slack", r"xox[a-z]-[A-Za-z0-9-]{8,}|xapp-[A-Za-z0-9-]{8,}")
_SLACK_HOOK = _formed("slack", r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<value>[A-Za-z0-9/_-]{8,})")
_URL = _formed("url", r"://[^\s:/@\"'<>]{0,100}:(?P<value>[^\s/\"'<>]{1,300})@(?=[\w\[.$-])", alone=False)
_PEM = _formed(
    "pem",
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?"
    r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)",
    alone=False,
)
_AUTHORIZATION = _formed(
    "authorization",
    r"(?i)authorization[\"'\\]*\s{0,3}[:=]\s{0,3}[\"'\\\[]*(?:[a-z][a-z0-9-]{1,20}\s+)?"
    r"(?P<value>(?![$<{*])[^\s\"'\\\[\]]{6,})",
    alone=False,
)
_BEARER = _formed("bearer", r"(?i)bearer\s+(?P<value>(?=[^\s\"']{0,200}\d)[A-Za-z0-9+/=._~-]{8,})")
_BASIC = _formed("basic", r"(?i)basic\s+(?P<value>(?=[^\s\"']{0,200}[\d=])[A-Za-z0-9+/]{6,}={0,2})")

ANCHORS: tuple[Anchor, ...] = (
    Anchor("-----begin ", _PEM),
    *(Anchor(literal, _AWS) for literal in ("akia", "asia", "aroa", "aida", "abia")),
    Anchor("eyj", _formed("jwt", r"eyJ[A-Za-z0-9_=-]{6,}\.[A-Za-z0-9_=-]{6,}(?:\.[A-Za-z0-9_=+/-]*)?")),
    *(Anchor(literal, _GIT) for literal in ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-")),
    Anchor("xox", _SLACK_TOKEN),
    Anchor("xapp-", _SLACK_TOKEN),
    Anchor("hooks.slack.com/", _SLACK_HOOK),
    *(Anchor(literal, _API) for literal in ("sk-", "sk_", "rk_", "pk_", "aiza", "npm_", "hf_", "shpat_", "dop_v1_")),
    *(Anchor(literal, _API) for literal in ("pypi-", "sg.")),
    Anchor("://", _URL),
    Anchor("@", email_at),
    *(Anchor(literal, _dsn) for literal in ("@tcp(", "@udp(", "@unix(")),
    Anchor("authorization", _AUTHORIZATION),
    Anchor("bearer", _BEARER),
    Anchor("basic", _BASIC),
    *(Anchor(literal, _named) for literal in ("passw", "passphrase", "pwd", "secret", "token", "credential", "key")),
)


def find_secrets(text: str, anchors: Iterable[Anchor] = ANCHORS, lower: str = "") -> list[Place]:
    """Where secrets are, in order, without overlaps. ``anchors`` are those that the text holds, and ``lower`` is the
    text in lower case, where that is known."""
    return without_overlaps(_candidates(text, anchors, lower or text.lower()))


def without_overlaps(spans: Iterable[Place]) -> list[Place]:
    """In order; of two that overlap the earlier, then the longer one."""
    found = sorted(spans, key=lambda span: (span[0], -span[1]))
    kept: list[Place] = []
    for span in found:
        if not kept or span[0] >= kept[-1][1]:
            kept.append(span)
    return kept


def _candidates(text: str, anchors: Iterable[Anchor], lower: str) -> Iterator[Place]:
    if len(lower) != len(text):  # a few letters of other scripts grow when lowered, which would shift all places
        lower = "".join(letter.lower() if letter.isascii() else letter for letter in text)
    yield from cards(text)
    for anchor in anchors:
        at = lower.find(anchor.literal)
        while at >= 0:
            span = anchor.find(text, at)
            if span is not None:
                yield span
            at = lower.find(anchor.literal, at + 1)


def may_hold_secrets(text: str) -> bool:
    """A cheap test: where this is false, ``find_secrets`` finds nothing."""
    lower = text.lower()
    return any(anchor.literal in lower for anchor in ANCHORS) or next(cards(text), None) is not None


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Whether a field, variable or label of this name holds a secret rather than the name or place of one."""
    return _SECRET_NAME.search(name) is not None and _INNOCENT_NAME.search(name) is None


def is_spared(value: str) -> bool:
    """Whether a value is a word that says something about a secret instead of being one."""
    return _SPARED.match(value) is not None
