"""Amazon's signature: versions 1 and 2, and nothing is asked of anybody before all else is right (faults, row 8)."""

import base64
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given, strategies as st

from agent_sre.adapters.sns_signature import Certificates, SnsProof
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.testing.clock import FrozenClock

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"
URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"


@cache
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate(
    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, valid: timedelta = timedelta(days=30)
) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
    made = made.not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + valid)
    return made.sign(private, SHA256()).public_bytes(Encoding.PEM)


def message(version: str = "1", kind: str = "Notification", **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "Type": kind,
        "MessageId": "22b80b92",
        "TopicArn": TOPIC,
        "Subject": "ALARM",
        "Message": '{"AlarmName": "a"}',
        "Timestamp": "2026-01-05T11:58:10.123Z",
        "SignatureVersion": version,
        "SigningCertURL": URL,
        "UnsubscribeURL": "https://evil.example/unsubscribe",
    }
    if kind != "Notification":
        made |= {"Token": "t", "SubscribeURL": "https://evil.example/subscribe"}
        del made["Subject"]
    made.update(changes)
    names = ["Message", "MessageId", "SubscribeURL", "Subject", "Timestamp", "Token", "TopicArn", "Type"]
    text = "".join(f"{name}\n{made[name]}\n" for name in names if made.get(name) is not None)
    algorithm = SHA256() if version == "2" else SHA1()  # noqa: S303
    made["Signature"] = base64.b64encode(key().sign(text.encode(), PKCS1v15(), algorithm)).decode()
    return made


class Amazon:
    """Counts what is fetched."""

    def __init__(self, answer: bytes | Exception | None = None) -> None:
        self.fetched: list[tuple[str, str]] = []
        self.answer = answer if answer is not None else certificate(key())

    async def __call__(self, host: str, path: str) -> bytes:
        self.fetched.append((host, path))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Hand:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def proof(amazon: Amazon, hand: Hand | None = None) -> SnsProof:
    return SnsProof(frozenset({TOPIC}), Certificates(amazon, hand or Hand()), FrozenClock(NOW))


def body(document: object) -> bytes:
    return json.dumps(document).encode()


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("kind", ["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"])
async def test_what_amazon_signed_is_proven_and_its_certificate_fetched_once(version: str, kind: str) -> None:
    amazon = Amazon()
    checked = proof(amazon)
    for number in range(3):
        assert await checked.check(body(message(version, kind, MessageId=str(number)))) == ""
    assert amazon.fetched == [("sns.eu-west-1.amazonaws.com", "/SimpleNotificationService-0123456789abcdef.pem")]


async def test_a_notification_without_subject_is_signed_without_it() -> None:
    assert await proof(Amazon()).check(body(message(Subject=None))) == ""


@pytest.mark.parametrize(
    "changed",
    [
        {"Message": "other"},
        {"MessageId": "other"},
        {"Subject": "other"},
        {"Subject": None},
        {"Timestamp": "2026-01-05T11:58:11.123Z"},
        {"SignatureVersion": "2"},
        {"Signature": base64.b64encode(b"x" * 256).decode()},
        {"Signature": ""},
    ],
)
async def test_what_was_changed_after_signing_is_not_taken(changed: dict[str, Any]) -> None:
    assert await proof(Amazon()).check(body({**message(), **changed})) == "its signature does not match"


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/SimpleNotificationService-0123456789abcdef.pem",
        "https://user@sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.eu-west-1.amazonaws.com/../SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem?x=1",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem\n",
        "https://sns.eu-west-1.amazonaws.com/?Action=Publish",
        "https://my-bucket.s3.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "",
        None,
        7,
    ],
)
async def test_no_other_address_is_ever_asked(url: object) -> None:
    amazon = Amazon()
    assert await proof(amazon).check(body(message(SigningCertURL=url)))
    assert amazon.fetched == []


@pytest.mark.parametrize(
    "given",
    [
        body(message(TopicArn="arn:aws:sns:eu-west-1:999999999999:alarms")),
        body({**message(), "Type": "Other"}),
        body({**message(), "SignatureVersion": "3"}),
        body({**message(), "Signature": "not base64!"}),
        body({**message(), "Signature": 7}),
        body({**message(), "Timestamp": None}),
        body([message()]),
        b"{",
        b"",
        b" " * 2_000_000,
    ],
)
async def test_nothing_is_fetched_for_what_cannot_be_amazons(given: bytes) -> None:
    amazon = Amazon()
    assert await proof(amazon).check(given)
    assert amazon.fetched == []


async def test_china_has_its_own_domain() -> None:
    topic = "arn:aws-cn:sns:cn-north-1:123456789012:alarms"
    amazon = Amazon()
    checked = SnsProof(frozenset({topic}), Certificates(amazon), FrozenClock(NOW))
    url = "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-0123456789abcdef.pem"
    assert await checked.check(body(message(TopicArn=topic, SigningCertURL=url))) == ""
    assert await checked.check(body(message(TopicArn=topic, SigningCertURL=url.replace(".cn/", "/"))))


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"<html>", "cannot be read"),
        (certificate(key(), valid=timedelta(hours=-1)), "not valid at this time"),
        (certificate(ec.generate_private_key(ec.SECP256R1())), "no RSA key"),
        (certificate(rsa.generate_private_key(public_exponent=65537, key_size=2048)), "does not match"),
        (PermanentError("404"), "does not exist"),
    ],
)
async def test_a_certificate_that_proves_nothing(answer: bytes | Exception, says: str) -> None:
    assert says in await proof(Amazon(answer)).check(body(message()))


async def test_amazon_that_cannot_be_reached_is_for_later() -> None:
    amazon = Amazon(TemporaryError("down"))
    checked = proof(amazon)
    with pytest.raises(TemporaryError):
        await checked.check(body(message()))
    amazon.answer = certificate(key())
    assert await checked.check(body(message())) == ""


async def test_a_flood_of_invented_certificates_is_few_requests_and_stops_nobody() -> None:
    amazon, hand = Amazon(), Hand()
    checked = proof(amazon, hand)
    assert await checked.check(body(message())) == ""
    amazon.answer = PermanentError("404")
    refused = 0
    for number in range(200):
        url = URL.replace("0123456789abcdef", f"{number:016x}")
        try:
            assert await checked.check(body(message(SigningCertURL=url)))
        except TemporaryError as error:
            refused += 1
            assert error.retry_after is not None
            assert 0 < error.retry_after <= 600
    assert len(amazon.fetched) == 20
    assert refused == 181
    assert await checked.check(body(message())) == "", "what is known needs no fetching"
    hand.now = 601
    amazon.answer = certificate(key())
    assert await checked.check(body(message(SigningCertURL=URL.replace("0123456789abcdef", f"{0:016x}")))) == ""


@given(
    st.binary(max_size=60)
    | st.dictionaries(st.sampled_from(list(message())), st.none() | st.integers() | st.text(max_size=9)).map(body)
)
async def test_anything_else_is_a_reason_and_no_request(given: bytes) -> None:
    amazon = Amazon()
    assert await proof(amazon).check(given)
    assert amazon.fetched == []
