"""What well-known error messages mean, and whom a message points at.

A row of ``log_messages_stores`` or ``log_messages_programs`` is a message that a program prints when one particular
thing is wrong, so it is worth more than any error count. Rows are tried in order; the first that matches speaks. The
site's own program texts do not belong there. The other expressions here tell messages that report somebody else's
trouble: refused, timed out, answered with 5xx; and the host they name.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from agent_sre.analysis.log_messages_programs import NODE, PEER, PROGRAM_MESSAGES, SELF
from agent_sre.analysis.log_messages_stores import STORE, STORE_MESSAGES

__all__ = ["NODE", "PEER", "SELF", "STORE", "Pattern", "classify", "is_somebody_else_s", "outside_host"]

_LONGEST = 4_000


@dataclass(frozen=True, slots=True)
class Pattern:
    """A message and the fault it speaks for. ``meaning`` completes "the log says that ..."; ``place`` is where the
    fault lies: with the one who logs (SELF), the store it is about (STORE), the one that was called (PEER), or the node
    (NODE)."""

    fault: str
    text: re.Pattern[str]
    strength: float
    meaning: str
    place: str


PATTERNS = tuple(
    Pattern(fault, re.compile("|".join(messages), re.IGNORECASE), strength, meaning, place)
    for fault, strength, meaning, place, messages in (*STORE_MESSAGES, *PROGRAM_MESSAGES)
)

REFUSED = re.compile(
    r"connection refused|connect: refused|ECONNREFUSED|no route to host|host is unreachable|connection reset"
    r"|broken pipe|upstream connect error|no healthy upstream|\bunavailable\b|ECONNRESET|EHOSTUNREACH|ENETUNREACH"
    r"|network is unreachable|socket hang up|Communications link failure|could not connect to|failed to connect"
    r"|connection closed before|could not be established|unable to connect"
    r"|(?:connection|server) (?:was )?closed (?:the connection )?(?:unexpectedly|by)",
    re.IGNORECASE,
)
TIMED_OUT = re.compile(
    r"time[ds]?[ -]?out|deadline[ _]?exceeded|exceeded deadline|ETIMEDOUT|context canceled while waiting", re.IGNORECASE
)
SERVER_ERROR = re.compile(
    r"\b(?:returned|status(?:[_ ]?code)?|http|got|upstream|response|code|with)[^\d\n]{0,16}(?:5\d\d|429)\b"
    r"|\b5\d\d (?:Internal Server Error|Bad Gateway|Service Unavailable|Gateway Time-?out)"
    r"|\bcode ?= ?(?:Unavailable|Internal|DeadlineExceeded|Unknown)\b"
    r"|StatusCode\.(?:UNAVAILABLE|INTERNAL|DEADLINE_EXCEEDED)",
    re.IGNORECASE,
)
_HOST = re.compile(
    r"(?:https?|grpc|tcp|amqps?|rediss?|mongodb(?:\+srv)?|postgres(?:ql)?|mysql|kafka)://(?:[^/@\s]*@)?(?P<url>[\w.-]+)"
    r"|\bhost(?:name)?[=: ]+[\"']?(?P<key>[\w.-]+\.[a-z]{2,})"
    r"|(?:dial tcp:?|lookup|to|resolve|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET|UnknownHostException:) "
    r"(?:lookup |host:? )?(?P<dial>[a-z][\w.-]*\.[a-z]{2,})\b",
    re.IGNORECASE,
)
_READING = re.compile(
    r"\b(?:see|article|read(?! timed? ?out)|docs?|documentation|refer|guide|help|tutorial"
    r"|(?:more (?:info|information|details)|background) (?:on|about)|more (?:info|information|details))\b",
    re.IGNORECASE,
)
"""Words before an address that is there to be read by a person, not one that was called."""
_FILE = re.compile(r"\.(?:java|py|go|js|ts|rb|rs|cs|php|json|ya?ml|toml|conf|log|jar|so|sock|sh|html?|proto|sql)$")


_PACKAGES = frozenset({"com", "org", "io", "net", "java", "javax", "github", "system", "microsoft"})
"""First labels of package names, which look like hosts read backwards."""


def classify(entry: str) -> Pattern | None:
    """The first pattern that an entry matches; at most its first 4,000 characters count."""
    head = entry[:_LONGEST]
    return next((pattern for pattern in PATTERNS if pattern.text.search(head)), None)


def is_somebody_else_s(entry: str) -> bool:
    """Whether an entry says that another one does not answer, or answers with an error."""
    head = entry[:_LONGEST]
    return any(words.search(head) for words in (REFUSED, TIMED_OUT, SERVER_ERROR))


def outside_host(entry: str, inside: Callable[[str], bool] = lambda host: False) -> str:
    """A host outside the cluster that the entry names; "" where there is none. ``inside`` knows more inside names."""
    for match in _HOST.finditer(entry[:_LONGEST]):
        before = entry[max(0, match.start() - 60) : match.start()]
        if "://" in before:  # words before an earlier address are that one's
            before = before.rsplit("://", 1)[1].partition(" ")[2]
        host = (match["url"] or match["key"] or match["dial"] or "").lower().rstrip(".")
        if not _READING.search(before) and _is_outside(host) and not inside(host):
            return host
    return ""


def _is_outside(host: str) -> bool:
    labels = host.split(".")
    ours = host.endswith((".local", ".internal", ".svc", ".cluster", ".localdomain")) or ".svc." in host
    named = labels[-1].isalpha() and labels[0] not in _PACKAGES and not _FILE.search(host)
    return len(labels) >= 2 and not ours and named and len(labels[-1]) >= 2
