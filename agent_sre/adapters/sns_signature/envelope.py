"""An SNS message as far as its signature is concerned: what was signed, how, and where the certificate would be.

The message names the URL of its own certificate, which is worth nothing by itself: anybody can name any. So the host
must be SNS's in the region of the topic, the topic must be one that the operator expects, and the path must be one that
SNS uses; then following it leads to Amazon, whoever sent the message. The other URLs in a message (SubscribeURL,
UnsubscribeURL) are never followed. Signed text: docs.aws.amazon.com, "Verifying the signatures of Amazon SNS messages".
"""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

MAX_BYTES = 1_000_000
"""SNS carries at most 256 KiB of message; JSON's escapes can double it."""

_TOPIC = re.compile(r"arn:(aws|aws-cn|aws-us-gov):sns:([a-z]{2}(?:-[a-z]+)+-\d):\d{12}:[A-Za-z0-9_-]{1,256}(?:\.fifo)?")
_PATH = re.compile(r"/SimpleNotificationService-[0-9a-f]{8,64}\.pem")
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SIGNED = {
    "Notification": _NOTIFICATION,
    "SubscriptionConfirmation": _CONFIRMATION,
    "UnsubscribeConfirmation": _CONFIRMATION,
}
_VERSIONS = ("1", "2")


@dataclass(frozen=True, slots=True)
class Envelope:
    """``version`` is "1" (SHA-1) or "2" (SHA-256); ``host`` and ``path`` are where the certificate is."""

    signed: bytes
    signature: bytes
    version: str
    host: str
    path: str


class NotSns(ValueError):
    """The message is not one that SNS could have sent for an expected topic; says why."""


def read(body: bytes, topics: frozenset[str]) -> Envelope:
    """The envelope of a message about one of the expected topics. Raises NotSns."""
    message = _message(body)
    topic, kind, version = (_text(message, name) for name in ("TopicArn", "Type", "SignatureVersion"))
    if topic not in topics:
        raise NotSns("its TopicArn is none of the expected topics")
    if kind not in _SIGNED:
        raise NotSns("its Type is not one that SNS sends")
    if version not in _VERSIONS:
        raise NotSns("its SignatureVersion is neither 1 nor 2")
    host, path = _certificate(_text(message, "SigningCertURL"), topic)
    names = [name for name in _SIGNED[kind] if name != "Subject" or message.get(name) is not None]
    signed = "".join(f"{name}\n{_text(message, name)}\n" for name in names)
    try:
        return Envelope(signed.encode(), b64decode(_text(message, "Signature"), validate=True), version, host, path)
    except (Base64Error, ValueError):
        raise NotSns("its Signature is not Base64") from None


def is_topic(arn: str) -> bool:
    """Whether it is written as the ARN of an SNS topic."""
    return _TOPIC.fullmatch(arn) is not None


def _message(body: bytes) -> Mapping[str, Any]:
    if len(body) > MAX_BYTES:
        raise NotSns(f"it has {len(body)} bytes, more than SNS sends")
    try:
        message = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise NotSns("it is not JSON") from None
    if not isinstance(message, dict):
        raise NotSns("it is not a JSON object")
    return message


def _text(message: Mapping[str, Any], name: str) -> str:
    value = message.get(name)
    if not isinstance(value, str):
        raise NotSns(f"its {name} is no text")
    return value


def _certificate(url: str, topic: str) -> tuple[str, str]:
    """Host and path of the certificate, where the URL is one of SNS in the topic's region."""
    parts = _TOPIC.fullmatch(topic)
    if parts is None:
        raise NotSns("its TopicArn is not the ARN of a topic")
    host = f"sns.{parts[2]}.amazonaws.com" + (".cn" if parts[1] == "aws-cn" else "")
    prefix = f"https://{host}"
    path = url.removeprefix(prefix)
    if not url.startswith(prefix) or _PATH.fullmatch(path) is None:
        raise NotSns(f"its SigningCertURL is not one of {host}")
    return host, path
