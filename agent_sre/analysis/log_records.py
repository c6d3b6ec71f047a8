"""What one log entry says, whatever form it was written in: its text in plain words, and how bad it is.

Programs log as JSON, as logfmt, as access lines or as plain text. ``plain`` brings the first two into one form,
``key=value`` words without quotes, so that one miner and one list of well-known messages serve them all; an answer
with a 5xx status becomes another statement than one with 200, although they differ in digits only. ``severity``
believes the level that an entry names, in the words of the usual libraries (klog, glog, zap, logback, log4j, Python,
Ruby, .NET, pino, Serilog, nginx, Envoy, PostgreSQL, MySQL, MongoDB); only where none is named does it look at the
message. Called for every line, so it works by few calls that run in C.
"""

import re

FATAL, ERROR, WARNING, CALM = 4, 3, 2, 1
_SERVER_ERROR = "5xx "
"""Stands before an entry that reports an answer of 5xx."""

_ACCESS = re.compile(r"HTTP/[\d.]+\"? 5\d\d\b")
_KEYED_STATUS = re.compile(r"=5\d\d\b")
_STATUS_KEYS = (
    "status", "statusCode", "StatusCode", "status_code", "http_status", "httpStatus", "response_code", "responseCode",
    "response_status", "http_code", "code",
)  # fmt: skip
_TABLE_STATUS = re.compile(r"\| 5\d\d \|")
_LOGFMT = re.compile(r"(?:^|\s)(?:level|lvl|severity|msg|message)=")


def plain(entry: str) -> str:
    """The entry as plain text: JSON and logfmt as ``key=value`` words without quotes, 5xx answers marked."""
    text = entry
    if text.startswith("{"):
        text = _unwrapped(text)
    elif '="' in text and _LOGFMT.search(text):
        text = _unescaped(text).replace('"', "")
    return _SERVER_ERROR + text if _answers_5xx(text) else text


def _answers_5xx(text: str) -> bool:
    """Whether the text reports an answer of 5xx: as an access line, as a key's value, or as a column."""
    at = text.find("HTTP/")
    if at >= 0 and _ACCESS.match(text, at):
        return True
    if "=5" in text:
        found = _KEYED_STATUS.finditer(text)
        if any(text.endswith(_STATUS_KEYS, 0, match.start()) for match in found):
            return True
    return "| 5" in text and _TABLE_STATUS.search(text) is not None


def _unwrapped(text: str) -> str:
    text = _unescaped(text.strip())
    text = text.replace('": ', '":').replace(', "', ',"')
    text = text.replace('":"', "=").replace('","', " ").replace('":{"', ".").replace('":', "=").replace(',"', " ")
    return text.replace('"', "").lstrip("{").rstrip("}")


def _unescaped(text: str) -> str:
    if "\\" in text:
        text = text.replace("\\\\", "\\").replace('\\"', "'").replace("\\n", "\n").replace("\\t", "\t")
    return text


_HEAD = 400
_KEYED_LEVEL = re.compile(
    r"(?:\b|@)(?:level|lvl|severity|severity_text|levelname|loglevel|l|s)[=:]\s*[\"']?(?:"
    r"(?P<_4>fatal|panic|crit|emerg|alert|dpanic|60\b|f\b)|(?P<_3>err|severe|fail|50\b|e\b)|(?P<_2>warn|40\b|w\b)"
    r"|(?P<_1>info|debug|trace|notice|verbose|[123]0\b|[id]\b))",
    re.IGNORECASE,
)
_LEVEL = re.compile(
    r"(?P<_4>\b(?:FATAL|PANIC|CRITICAL|CRIT|EMERG|EMERGENCY)\b|^F\d{4} \d\d:|\[(?:crit|emerg|alert|critical|fatal) *\]"
    r"|^(?:crit|critical|fatal): |\bpanic: |^fatal error: |^F, \[)"
    r"|(?P<_3>\b(?:ERROR|ERR|SEVERE)\b|^E\d{4} \d\d:|\[(?:error|err) *\]|^(?:fail|error): |^E, \[|\bError\b(?=[\]: ]))"
    r"|(?P<_2>\bWARN(?:ING)?\b|\bWarn(?:ing)?\b(?=[\]: ])|^W\d{4} \d\d:|\[warn(?:ing)? *\]|^warn(?:ing)?: |^W, \[)"
    r"|(?P<_1>\b(?:INFO|DEBUG|TRACE|NOTICE|LOG|VERBOSE|FINE|HINT|DETAIL|STATEMENT)\b|\bInfo(?:rmation)?\b(?=[\]: ])"
    r"|^[ID]\d{4} \d\d:|\[(?:info|debug|notice|trace|note) *\]|^(?:info|dbug|trce|debug): |^[ID], \[)",
    re.MULTILINE,
)
_BAD_WORDS = re.compile(
    r"\b(?:error|errors|exception|traceback|unhandled|uncaught|failed|failure|refused|denied|unreachable|exhausted"
    r"|unauthorized|forbidden|corrupt(?:ed)?|deadlock|rejected)\b|\btimed? ?-?out\b|\bcould ?n[o']t\b|\bcan(?:no|')t\b"
    r"|\bunable to\b|\btoo many\b|\bbroken pipe\b|\breset by peer\b|\bno such host\b|\bno space left\b|out of memory"
    r"|\b\w+(?:Exception|Error)\b",
    re.IGNORECASE,
)
_GOOD_WORDS = re.compile(r"\b(?:no|0|zero|without) (?:errors?|failures?)\b|\berrors?[=:] ?0\b", re.IGNORECASE)


def severity(text: str) -> int:
    """4 fatal, 3 error, 2 warning, 1 anything else, of a plain text. The first level that is named is believed."""
    if text.startswith(_SERVER_ERROR):
        return ERROR
    head = text[:_HEAD]
    match = _KEYED_LEVEL.search(head) or _LEVEL.search(head)
    if match and match.lastgroup:
        return int(match.lastgroup[1:])
    return ERROR if _BAD_WORDS.search(head) and not _GOOD_WORDS.search(head) else CALM
