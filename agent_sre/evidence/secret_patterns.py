"""What secrets look like in text: one alternation, and what their names look like.

Each branch of SECRET captures what is replaced in a group whose name begins with the kind; the rest of the match is
kept, so that a reader still sees that ``DB_PASSWORD=`` was set. Missing a secret is worse than hiding a word too many,
but words that carry the diagnosis ("using password: YES", ``secretName``) are spared.
"""

import re

_WORD = (
    r"(?:passw(?:or)?d|passwort|passphrase|pwd|secret|token|credential|api[_-]?key|access[_-]?key|private[_-]?key"
    r"|signing[_-]?key|encryption[_-]?key|auth[_-]?key|session[_-]?key|account[_-]?key|shared[_-]?key|client[_-]?key)"
)
_INNOCENT_END = (
    r"(?:name|names|ref|path|paths|dir|file|files|url|uri|endpoint|ttl|count|counts|size|limit|length|expiry|expiration"
    r"|expirationseconds|expires|expired|seconds|type|kind|version|audience|provider|class|policy|review|reviews|optional"
    r"|mount|volume|lifetime|enabled|required|hash_algorithm|s)"
)
# After the word, a name may go on (DB_PASSWORD_PROD); _spared() looks at how it ends.
_NAME = rf"(?P<name>[A-Za-z0-9_.-]{{0,40}}?{_WORD}[A-Za-z0-9_-]{{0,40}})"
_SPARED_VALUES = re.compile(
    r"(?i)(?:true|false|yes|no|none|null|nil|on|off|required|missing|invalid|incorrect|expired|empty|not|is|was|has"
    r"|unauthorized|denied|failed|error|undefined|\{\}|\[\]|\[redacted\b.*|\$\(.*|\$\{.*|<[^>]*>?|\*+)[.,;:)\]}]*\Z"
)

SECRET = re.compile(
    "|".join(
        (
            # Private keys, whole; one that is cut off reaches to the end of the text.
            r"(?P<pem>-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?"
            r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z))",
            # Tokens that are known by their form.
            r"(?P<aws>\b(?:AKIA|ASIA|AROA|AIDA|ABIA)[A-Z0-9]{16}\b)",
            r"(?P<jwt>\beyJ[A-Za-z0-9_=-]{6,}\.[A-Za-z0-9_=-]{6,}(?:\.[A-Za-z0-9_=+/-]*)?)",
            r"(?P<github>\bgh[pousr]_[A-Za-z0-9]{16,}|\bgithub_pat_[A-Za-z0-9_]{20,}|\bglpat-[A-Za-z0-9_-]{16,})",
            r"(?P<slack>\bxox[a-z]-[A-Za-z0-9-]{8,}|\bxapp-[A-Za-z0-9-]{8,}"
            r"|hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_-]{8,})",
            r"(?P<api>\bsk-[A-Za-z0-9_-]{16,}|\b[rsp]k_(?:live|test)_[A-Za-z0-9]{10,}|\bAIza[A-Za-z0-9_-]{30,}"
            r"|\b(?:npm|hf|dop_v1|shpat|pypi)[_-][A-Za-z0-9_-]{20,}|\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,})",
            # https://user:password@host; the password may hold anything but spaces and slashes.
            r"(?:[a-zA-Z][a-zA-Z0-9+.-]{1,30}://[^\s:/@\"'<>]{0,100}:(?P<url>[^\s/\"'<>]{1,300})@(?=[\w\[.$-]))",
            # user:password@tcp(host:3306)/db, as Go's MySQL driver writes it.
            r"(?:\b[\w.-]{1,60}:(?P<dsn>[^\s/\"'<>]{1,200})@(?:tcp|udp|unix)\()",
            # Authorization headers, and credentials behind their scheme.
            r"(?:(?i:\bauthorization[\"'\\]*\s{0,3}[:=]\s{0,3}[\"'\\]*(?:[a-z][a-z0-9-]{1,20}\s+)?)"
            r"(?P<authorization>[A-Za-z0-9+/=._~:-]{6,}))",
            r"(?:(?i:\bbearer)\s+(?P<bearer>(?=[^\s\"']{0,200}\d)[A-Za-z0-9+/=._~-]{8,}))",
            r"(?:(?i:\bbasic)\s+(?P<basic>(?=[^\s\"']{0,200}[\d=])[A-Za-z0-9+/]{6,}={0,2}))",
            # NAME=value, "name": "value", name: value, --name value; the value may stand on the next line.
            rf"(?i:(?:{_NAME})(?P<between>(?:\\*[\"'])?\s{{0,3}}(?:=>?|:=?)\s{{0,8}})"
            r"(?:\\+\"(?P<escaped>.{1,500}?)\\+\"|\"(?P<double>(?:[^\"\\\n]|\\.){1,500})\""
            r"|'(?P<single>(?:[^'\\\n]|\\.){1,500})'|(?P<bare>[^\s\"'\\][^\s\"'&]{0,500})))",
            rf"(?i:(?<![\w-])--?(?P<flag>[a-z0-9-]{{0,30}}?{_WORD}[a-z0-9-]{{0,10}})\s{{1,3}}(?P<argument>[^\s-][^\s]{{0,500}}))",
        )
    )
)
HINT = re.compile(
    r"(?i)passw|pwd|passphrase|secret|token|credential|[_-]?key|AKIA|ASIA|AROA|AIDA|ABIA|eyJ|gh[pousr]_|github_pat_|glpat-"
    r"|xox|xapp|hooks\.slack|\bsk-|k_live|k_test|AIza|npm_|hf_|dop_v1|shpat|pypi|SG\.|://[^\s/]*@|@tcp|@udp|@unix"
    r"|authorization|bearer|basic|PRIVATE KEY"
)
"""A cheap test: text in which this finds nothing holds no secret that SECRET would find."""

SECRET_NAME = re.compile(rf"(?i){_WORD}")
_INNOCENT_NAME = re.compile(rf"(?i){_WORD}(?:s|[A-Za-z0-9_-]{{0,40}}?{_INNOCENT_END})\Z")

KINDS = ("pem", "aws", "jwt", "github", "slack", "api", "url", "dsn", "authorization", "bearer", "basic")
VALUES = ("escaped", "double", "single", "bare")


def is_secret_name(name: str) -> bool:
    """Whether a field, variable or label of this name holds a secret rather than the name or place of one."""
    return SECRET_NAME.search(name) is not None and _INNOCENT_NAME.search(name) is None


def is_spared(value: str) -> bool:
    """Whether a value is a word that says something about a secret instead of being one."""
    return _SPARED_VALUES.match(value) is not None
