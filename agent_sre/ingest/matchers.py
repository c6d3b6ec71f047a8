"""Matchers as Alertmanager has them: read from text, and applied to labels.

RE2 is the engine of Alertmanager's own regular expressions: the same patterns are valid, they mean the same, and none
takes more than linear time, whoever wrote it and whatever the label holds. A pattern must match the whole value.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import re2

from agent_sre.domain.errors import PermanentError
from agent_sre.domain.matcher import Matcher, Operator

MAX_VALUE = 1_000
_MAX_MEMORY = 4 * 1024 * 1024
_FORM = re.compile(r"\s*([A-Za-z_:][A-Za-z0-9_:./-]*)\s*(=~|!~|!=|=)\s*(.*?)\s*", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_UNESCAPED = {"n": "\n", '"': '"', "\\": "\\"}
_FIX = 'write it as severity="critical" or pod=~"checkout-.*"'


def parse_matcher(text: str) -> Matcher:
    """Read ``label="value"`` with one of the operators = != =~ !~, the quotes optional.

    Raises PermanentError naming what was met and the fix.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise PermanentError(f"{text!r} is no matcher; {_FIX}")
    return checked(Matcher(found[1], Operator(found[2]), _unquoted(found[3], text)))


def parse_matchers(texts: Iterable[str]) -> tuple[Matcher, ...]:
    """Read all; at least one of them must not match an alert without its label, else they would match everything."""
    matchers = tuple(parse_matcher(text) for text in texts)
    if not matchers:
        raise PermanentError(f"no matcher is given, which would match every alert; {_FIX}")
    if all(matches(matcher, {}) for matcher in matchers):
        shown = ", ".join(map(str, matchers))
        raise PermanentError(f"{shown} match alerts without these labels too, hence every alert; name a value")
    return matchers


def checked(matcher: Matcher) -> Matcher:
    """The matcher, where it can be applied. Raises PermanentError for a bad regular expression or one too long."""
    if len(matcher.value) > MAX_VALUE:
        raise PermanentError(f"the value of {matcher.label} has {len(matcher.value)} characters; at most {MAX_VALUE}")
    if matcher.operator in (Operator.MATCHES, Operator.NOT_MATCHES):
        _pattern(matcher.value)
    return matcher


def usable(matchers: Sequence[Matcher]) -> bool:
    """Whether they can be applied: what cannot must not suppress anything, and must not stop the intake either."""
    try:
        for matcher in matchers:
            checked(matcher)
    except PermanentError:
        return False
    return bool(matchers)


def matches(matcher: Matcher, labels: Mapping[str, str]) -> bool:
    """Whether an alert with these labels is meant. Raises PermanentError as ``checked``."""
    value = labels.get(matcher.label, "")
    if matcher.operator is Operator.EQUAL:
        return value == matcher.value
    if matcher.operator is Operator.NOT_EQUAL:
        return value != matcher.value
    found = _pattern(matcher.value).fullmatch(value.encode("utf-8", "surrogatepass")) is not None
    return found == (matcher.operator is Operator.MATCHES)


def all_match(matchers: Sequence[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether each of them matches."""
    return all(matches(matcher, labels) for matcher in matchers)


@lru_cache(4096)
def _pattern(text: str) -> Any:
    options = re2.Options()
    options.max_mem, options.log_errors = _MAX_MEMORY, False
    try:
        return re2.compile(text.encode("utf-8", "surrogatepass"), options)
    except re2.error as error:
        told = error.args[0] if error.args else error
        reason = told.decode(errors="replace") if isinstance(told, bytes) else str(told)
        raise PermanentError(
            f"{text!r} is no regular expression of RE2 ({reason}); look-around and back references do not exist there"
        ) from None


def _unquoted(value: str, text: str) -> str:
    quoted = value.startswith('"')
    inner = value[1:-1] if quoted and len(value) > 1 and value.endswith('"') else value
    if (quoted and inner is value) or re.search(r'(?<!\\)(?:\\\\)*"', inner) or _trailing_escape(inner):
        raise PermanentError(f"the quotes of {text!r} are not closed or not escaped; {_FIX}")
    return _ESCAPE.sub(lambda escape: _UNESCAPED.get(escape[1], escape[0]), inner)


def _trailing_escape(inner: str) -> bool:
    return (len(inner) - len(inner.rstrip("\\"))) % 2 == 1
