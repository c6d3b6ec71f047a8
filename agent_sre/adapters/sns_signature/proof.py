"""The signature itself: RSA with PKCS #1 v1.5, SHA-1 in version 1 and SHA-256 in version 2.

``cryptography`` is an extra (``agent-sre[sns]``) and is imported when a topic is configured, not before.
"""

from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509 import Certificate, load_pem_x509_certificate

from agent_sre.adapters.sns_signature.certificates import Certificates
from agent_sre.adapters.sns_signature.envelope import Envelope, NotSns, is_topic, read
from agent_sre.domain.errors import PermanentError
from agent_sre.ports.clock import Clock


class SnsProof:
    """MessageProof for the messages of some topics."""

    def __init__(self, topics: frozenset[str], certificates: Certificates, clock: Clock) -> None:
        wrong = sorted(topic for topic in topics if not is_topic(topic))
        if wrong:
            raise PermanentError(
                f"{wrong[0]!r} is no topic; name it as arn:aws:sns:REGION:ACCOUNT:NAME in AGENT_SRE_CLOUDWATCH_TOPICS"
            )
        self._topics = topics
        self._certificates = certificates
        self._clock = clock

    async def check(self, body: bytes) -> str:
        """Topic, form and the certificate's address first; only then is the certificate asked for."""
        try:
            envelope = read(body, self._topics)
        except NotSns as error:
            return str(error)
        pem = await self._certificates.get(envelope.host, envelope.path)
        if pem is None:
            return "its certificate does not exist"
        try:
            certificate = load_pem_x509_certificate(pem)
        except ValueError:
            return "its certificate cannot be read"
        return _judge(envelope, certificate, self._clock.now())


def _judge(envelope: Envelope, certificate: Certificate, now: datetime) -> str:
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        return "its certificate is not valid at this time"
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        return "its certificate has no RSA key"
    # SHA-1 because version 1 of Amazon's signatures is made with it; version 2 is a setting of the topic.
    algorithm = SHA256() if envelope.version == "2" else SHA1()  # noqa: S303
    try:
        key.verify(envelope.signature, envelope.signed, PKCS1v15(), algorithm)
    except InvalidSignature:
        return "its signature does not match"
    return ""
