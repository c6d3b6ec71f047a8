"""Whether a request to a webhook comes from the source it claims: a bearer or basic secret, compared in constant time.

Alertmanager signs nothing, so a shared secret is all it can prove. A source without a secret is refused, unless the
operator named it insecure or only this machine can reach the service. Even then a browser is turned away: a page from
anywhere can make it post to a loopback address, and it always says so with an Origin.
"""

import base64
import binascii
import hmac
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256


class Admission(StrEnum):
    """Whether a request may come in, and why not."""

    ADMITTED = "admitted"
    UNCONFIGURED = "no secret is configured for this source"
    MISSING = "the Authorization header is missing"
    WRONG = "the Authorization header does not match"
    BROWSER = "the request comes from a web page"


@dataclass(frozen=True, slots=True)
class WebhookAuth:
    """What one source must present. ``bearer`` alone, or ``username`` and ``password``, or both ways; "" is not set.

    ``open_without_secret``: accept requests where nothing is set; for loopback, or where the operator said insecure.
    """

    bearer: str = ""
    username: str = ""
    password: str = ""
    open_without_secret: bool = False

    def admit(self, authorization: str | None, origin: str | None) -> Admission:
        """Judge the two headers of a request, None where it has none."""
        if not self.bearer and not self.password:
            if not self.open_without_secret:
                return Admission.UNCONFIGURED
            return Admission.ADMITTED if origin is None else Admission.BROWSER
        if not authorization:
            return Admission.MISSING
        scheme, _, given = authorization.partition(" ")
        given = given.strip()
        if scheme.lower() == "bearer" and self.bearer and _same(given, self.bearer):
            return Admission.ADMITTED
        if scheme.lower() == "basic" and self.password and _same(_basic(given), f"{self.username}:{self.password}"):
            return Admission.ADMITTED
        return Admission.WRONG

    @property
    def challenge(self) -> str:
        """The WWW-Authenticate header of a refusal."""
        return "Basic" if self.password and not self.bearer else "Bearer"


def _same(given: str, expected: str) -> bool:
    """Compare digests, so that neither content nor length shows in the time taken."""
    ours, theirs = (sha256(text.encode("utf-8", "surrogateescape")).digest() for text in (expected, given))
    return hmac.compare_digest(ours, theirs)


def _basic(given: str) -> str:
    try:
        return base64.b64decode(given, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""
