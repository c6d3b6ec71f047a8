"""Whether a request to a webhook comes from the source it claims, by a shared secret compared in constant time.

Most sources sign nothing, so a shared secret is all they can prove: as a bearer token, or as the password of basic
authentication under any user name, for senders that have only that. A source without a secret is refused, unless the
operator named it insecure or only this machine can reach the service. Even then a browser is turned away: a page from
anywhere can make it post to a loopback address, and it always says so with an Origin. Signatures are
``webhook_signature``'s; the order of all checks is ``webhook_door``'s.
"""

import base64
import binascii
import hmac
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256


class Admission(StrEnum):
    """Whether a request may come in, and why not."""

    ADMITTED = "admitted"
    UNCONFIGURED = "no secret is configured for this source"
    MISSING = "the Authorization header is missing"
    WRONG = "the Authorization header does not match"
    BROWSER = "the request comes from a web page"
    NETWORK = "the request comes from an address outside the source's networks"
    ROUTE = "the key in the path is missing or wrong"
    UNSIGNED = "the signature is missing"
    FORGED = "the signature does not match the body"
    FOREIGN = "the message is of another workspace"
    STALE = "the signature's time is missing, or more than five minutes from now"


@dataclass(frozen=True, slots=True)
class WebhookAuth:
    """The shared secret that one source must present; "" is not set.

    ``open_without_secret``: accept requests where nothing is set; for loopback, or where the operator said insecure.
    """

    secret: str = field(default="", repr=False)
    open_without_secret: bool = False

    def admit(self, authorization: str | None, origin: str | None) -> Admission:
        """Judge the two headers of a request, None where it has none."""
        if not self.secret:
            return self.without_secret(origin)
        if not authorization:
            return Admission.MISSING
        scheme, _, given = authorization.partition(" ")
        presented = {"bearer": given.strip(), "basic": _password(given)}.get(scheme.lower(), "")
        return Admission.ADMITTED if same(presented, self.secret) else Admission.WRONG

    def without_secret(self, origin: str | None) -> Admission:
        """Judge a request where nothing is configured that it could prove."""
        if not self.open_without_secret:
            return Admission.UNCONFIGURED
        return Admission.ADMITTED if origin is None else Admission.BROWSER


def same(given: str, expected: str) -> bool:
    """Compare digests, so that neither content nor length shows in the time taken."""
    ours, theirs = (sha256(text.encode("utf-8", "surrogateescape")).digest() for text in (expected, given))
    return hmac.compare_digest(ours, theirs)


def _password(given: str) -> str:
    try:
        return base64.b64decode(given.strip(), validate=True).decode("utf-8").partition(":")[2]
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""
