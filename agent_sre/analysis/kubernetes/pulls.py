"""Why an image cannot be pulled, in the words of registries and runtimes.

The same ImagePullBackOff stands for a reference that does not exist, credentials that are missing, a name that does
not resolve, a rate limit, an image for another processor, or a registry that is down, and each needs another fix.
containerd, CRI-O and Docker word it differently, and so do Docker Hub, ECR, GAR, ACR, Quay and Harbor. Docker Hub
answers "access denied" also for what does not exist: its official images are public, so there it can only mean that.
A registry's answer that is not known stays an open question (a low strength), never a guess.
"""

import re
from dataclasses import dataclass

_LOOKUP = re.compile(
    r"\blookup \S+?(?: on \S+?)?: |no such host|server misbehaving|name resolution|could not resolve host"
    r"|Name or service not known", re.I
)  # fmt: skip
_RATE = re.compile(r"toomanyrequests|too many requests|\b429\b|rate limit", re.I)
_DENIED = re.compile(
    r"\b401\b|unauthori[sz]ed|unauthenticated|authentication required|no basic auth|authorization (failed|required)"
    r"|failed to authorize|insufficient_scope|not authorized to perform|invalid username/password"
    r"|access token has expired", re.I
)  # fmt: skip
_FORBIDDEN = re.compile(r"\b403\b|forbidden|access denied|access to the resource is denied|denied: ", re.I)
_PLATFORM = re.compile(
    r"no match(ing manifest)? for (platform|\w+/\w+)|no image found in (image index|manifest list)", re.I
)
_UNKNOWN = re.compile(
    r"not ?found|(manifest|name|repository) unknown|invalid reference format|couldn't parse image|InvalidImageName"
    r"|does not exist|unexpected media type|unsupported manifest|pull policy of Never|\b404\b", re.I
)  # fmt: skip
_EXPIRED = re.compile(r"certificate has expired|certificate.{0,60}not yet valid", re.I)
_DOWN = re.compile(
    r"i/o timeout|deadline exceeded|connection (refused|reset)|no route to host|unreachable|TLS handshake timeout"
    r"|\b50[0234]\b|unexpected EOF|: EOF|service unavailable", re.I
)  # fmt: skip
_PLAIN = (
    (_RATE, ("image_pull_rate_limited", 0.95, "the registry limits the rate")),
    (_LOOKUP, ("image_registry_dns_failure", 0.93, "the registry's name does not resolve")),
    (_PLATFORM, ("exec_format_error", 0.92, "it is not built for the node's architecture")),
    (_EXPIRED, ("certificate_expired", 0.7, "the registry's certificate has expired")),
)
"""Words that mean one thing, whatever else is said."""
UNDECIDED = 0.45
"""How strongly a reference is blamed of which nothing is known but that it cannot be pulled."""
_OFFICIAL = re.compile(r"^(docker\.io/|index\.docker\.io/|registry-1\.docker\.io/)?(library/)?[^/]+$")


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull that fails: the image, the container's waiting reason and all that was said about it.

    ``refused``: a pull secret that the pod names could not be read. ``named``: the pod names one. ``before``: the
    image that the container ran with in the generation before, or "". ``lacking``: a pull secret that it names is not
    among those listed. ``others_named``: it names none, and others that pull from this registry do.
    """

    image: str
    reason: str
    words: str
    refused: bool
    named: bool
    before: str
    lacking: bool = False
    others_named: bool = False


def pull_cause(pull: Pull) -> tuple[str, float, str]:
    """The fault type, how strongly the words prove it, and why in half a sentence."""
    for pattern, cause in _PLAIN:
        if pattern.search(pull.words):
            return cause
    denied = _DENIED.search(pull.words) or _FORBIDDEN.search(pull.words)
    if pull.refused and (denied or not _UNKNOWN.search(pull.words)):
        return "missing_image_pull_secret", 0.96, "the pull secret it names does not exist"
    if denied:
        return _denied(pull)
    if pull.reason in ("InvalidImageName", "ErrImageNeverPull") or _UNKNOWN.search(pull.words):
        return "incorrect_image_reference", 0.95, "the reference does not exist"
    if _DOWN.search(pull.words):
        return "upstream_provider_outage", 0.6, "its registry does not answer"
    return _silent(pull)


def _silent(pull: Pull) -> tuple[str, float, str]:
    """No word of the registry is left: what the pod names as credentials is compared with what exists."""
    if pull.lacking:
        return "missing_image_pull_secret", 0.85, "the pull secret it names is not listed"
    if pull.others_named and not _OFFICIAL.match(pull.image):
        return "missing_image_pull_secret", 0.7, "it names no pull secret, and others of this registry do"
    return "incorrect_image_reference", UNDECIDED, "the registry's answer is not known"


def registry_of(image: str) -> str:
    """Who gives an image out: the registry's host; on Docker Hub, where every owner decides, host and owner."""
    first, _, rest = image.partition("/")
    if rest and ("." in first or ":" in first or first == "localhost"):
        owner = rest.partition("/")[0] if first == "docker.io" and "/" in rest else ""
        return f"{first}/{owner}".rstrip("/")
    return f"docker.io/{first if rest else 'library'}"


def _denied(pull: Pull) -> tuple[str, float, str]:
    """The registry will not give it out: no credentials, or nothing of that name."""
    if _OFFICIAL.match(pull.image):
        return "incorrect_image_reference", 0.9, "public images need no credentials, and none has this name"
    if _DENIED.search(pull.words):
        return "missing_image_pull_secret", 0.75 if pull.named else 0.9, "the registry demands credentials"
    if _repository(pull.image) == _repository(pull.before):
        return "missing_image_pull_secret", 0.7, "the registry no longer gives out this repository"
    return "incorrect_image_reference", 0.75, "the registry does not give it out under this name"


def _repository(image: str) -> str:
    """The image without tag and digest."""
    bare = image.partition("@")[0]
    path, _, last = bare.rpartition("/")
    return f"{path}/{last.partition(':')[0]}"
