"""What is no secret of the system but somebody's own: e-mail addresses and payment card numbers.

Of an address the part before the at sign goes: whose it is. The domain stays, because "mail to example.com is refused"
is a diagnosis. Much that holds an at sign is no address: image digests, unit names of systemd, nodes of Erlang, Git's
remotes; a card number is told from other long numbers by its issuer's prefix and length and by its check digit.

Sources: RFC 5321 (lengths), ISO/IEC 7812 (issuer prefixes; the check digit is H. P. Luhn's, US patent 2950048).
"""

import re
from collections.abc import Iterator

Place = tuple[int, int, str]

_LOCAL = re.compile(r"[A-Za-z0-9._%+-]{1,64}\Z")
_DOMAIN = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}(?P<top>[A-Za-z]{2,24})(?![A-Za-z0-9-])")
_NO_PERSON = frozenset({"git", "svn", "hg", "root", "rabbit", "ejabberd", "couchdb", "emqx", "vernemq", "riak"})
_NO_TOP = frozenset(
    {"service", "socket", "slice", "scope", "mount", "automount", "timer", "target", "device", "path", "swap"}
    | {"local", "internal", "localdomain", "cluster", "svc", "js", "go", "py", "java", "json", "yaml", "yml"}
)
# Looking for a digit at each place costs more than all other secrets together; so all digits become one first, and the
# text is searched for runs that a card number must have.
_SHAPE = {ord(digit): "0" for digit in "123456789"}
_RUNS = {
    "0" * 13: ("0" * 13,),
    "0000 0000": ("0000 0000 0000", "0000 000000 0000"),
    "0000-0000": ("0000-0000-0000", "0000-000000-0000"),
}
"""By what they begin with, which most text does not hold."""
_REACH = 24
_PERHAPS_CARD = re.compile(r"(?<![\w.-])[2-6](?:\d[ -]?){11,17}\d(?![\w-]|\.\d)")
_CARD = re.compile(
    r"4\d{15}|4\d{18}|5[1-5]\d{14}|3[47]\d{13}|6(?:011|5\d\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}|3(?:0[0-5]|[68]\d)\d{11}"
    r"|62\d{14,17}|2(?:2[3-9]|[3-6]\d|7[01])\d{13}|222[1-9]\d{12}|2720\d{12}"
)


def email_at(text: str, at: int) -> Place | None:
    """The local part of the address whose at sign is at ``at``, or None where that is no person's address."""
    local = _LOCAL.search(text[max(at - 65, 0) : at])
    if local is None:
        return None
    start = at - len(local[0])
    name = local[0].lower()
    if name in _NO_PERSON or text.endswith("://", 0, start):
        return None  # the login of an address without a password says which account was used
    domain = _DOMAIN.match(text, at + 1)
    if domain is None or domain["top"].lower() in _NO_TOP:
        return None
    return (start, at, "email")


def cards(text: str) -> Iterator[Place]:
    """Numbers that an issuer of cards could have given out, in order of their shapes."""
    shape = text.translate(_SHAPE)
    for run in (run for start, runs in _RUNS.items() if start in shape for run in runs):
        at = shape.find(run)
        while at >= 0:
            match = _PERHAPS_CARD.search(text, max(at - _REACH, 0), at + _REACH)
            if match is not None and _is_card(match[0].replace(" ", "").replace("-", "")):
                yield (match.start(), match.end(), "card")
            at = shape.find(run, max(at + len(run), match.end() if match else 0))


def _is_card(digits: str) -> bool:
    return _CARD.fullmatch(digits) is not None and _check_digit_fits(digits)


def _check_digit_fits(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
