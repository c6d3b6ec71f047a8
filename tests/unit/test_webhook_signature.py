"""Signatures are over the raw bytes, several may be sent, and a signed time is not old (faults, rows 5, 15 and 16)."""

import hmac
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from hypothesis import given, strategies as st
from starlette.datastructures import Headers

from agent_sre.entrypoints.webhook_auth import Admission
from agent_sre.entrypoints.webhook_signature import GrafanaSignature, PagerDutySignature, SentrySignature, Signature

BODY = b'{"event": {"id": "1"}}'
SECRET = "correct-horse"
NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
PAGERDUTY = PagerDutySignature(SECRET)
SENTRY = SentrySignature(SECRET)
GRAFANA = GrafanaSignature(SECRET, "", lambda: NOW)
TIMED = GrafanaSignature(SECRET, "X-Grafana-Alerting-Timestamp", lambda: NOW)


def signed(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, sha256).hexdigest()


RIGHT = signed(BODY)
WRONG = signed(BODY, "other")
PD, SH, GF, TS = (
    "x-pagerduty-signature",
    "sentry-hook-signature",
    "x-grafana-alerting-signature",
    "x-grafana-alerting-timestamp",
)


def timed(stamp: str) -> dict[str, str]:
    return {GF: signed(f"{stamp}:".encode() + BODY), TS: stamp}


@pytest.mark.parametrize(
    ("signature", "headers", "admission"),
    [
        (PAGERDUTY, {PD: f"v1={RIGHT}"}, Admission.ADMITTED),
        (PAGERDUTY, {PD: f"v1={WRONG},v1={RIGHT}"}, Admission.ADMITTED),
        (PAGERDUTY, {PD: f"v2={WRONG}, v1={RIGHT.upper()}"}, Admission.ADMITTED),
        (PAGERDUTY, {PD: f"v1={WRONG}"}, Admission.FORGED),
        (PAGERDUTY, {PD: f"v1={WRONG}," * 30 + f"v1={RIGHT}"}, Admission.FORGED),
        (PAGERDUTY, {PD: RIGHT}, Admission.UNSIGNED),
        (PAGERDUTY, {PD: "v1="}, Admission.FORGED),
        (PAGERDUTY, {}, Admission.UNSIGNED),
        (SENTRY, {SH: RIGHT}, Admission.ADMITTED),
        (SENTRY, {SH: WRONG}, Admission.FORGED),
        (SENTRY, {SH: " "}, Admission.UNSIGNED),
        (SENTRY, {PD: f"v1={RIGHT}"}, Admission.UNSIGNED),
        (GRAFANA, {GF: RIGHT}, Admission.ADMITTED),
        (GRAFANA, {GF: WRONG}, Admission.FORGED),
        (GRAFANA, timed(STAMP), Admission.FORGED),
        (GRAFANA, {}, Admission.UNSIGNED),
        (TIMED, timed(STAMP), Admission.ADMITTED),
        (TIMED, timed(str(int(STAMP) - 299)), Admission.ADMITTED),
        (TIMED, timed(str(int(STAMP) - 360)), Admission.STALE),
        (TIMED, timed(str(int(STAMP) + 360)), Admission.STALE),
        (TIMED, timed("abc"), Admission.STALE),
        (TIMED, timed("9" * 400), Admission.STALE),
        (TIMED, timed("²³"), Admission.STALE),
        (TIMED, {GF: RIGHT}, Admission.FORGED),
        (TIMED, {**timed(STAMP), TS: str(int(STAMP) - 1)}, Admission.FORGED),
        (TIMED, {TS: STAMP}, Admission.UNSIGNED),
    ],
)
async def test_signatures(signature: Signature, headers: dict[str, str], admission: Admission) -> None:
    assert await signature.check(Headers(headers), BODY) is admission


@pytest.mark.parametrize("signature", [PAGERDUTY, SENTRY, GRAFANA])
async def test_a_body_that_was_encoded_again_is_not_the_one_that_was_signed(signature: Signature) -> None:
    headers = Headers({PD: f"v1={RIGHT}", SH: RIGHT, GF: RIGHT})
    assert await signature.check(headers, BODY) is Admission.ADMITTED
    assert await signature.check(headers, BODY.replace(b" ", b"")) is Admission.FORGED


@given(st.text(st.characters(max_codepoint=255), max_size=100))
async def test_no_other_header_is_admitted(text: str) -> None:
    headers = Headers({PD: text, SH: text, GF: text, TS: text})
    for signature in (PAGERDUTY, SENTRY, GRAFANA, TIMED):
        assert (await signature.check(headers, BODY) is Admission.ADMITTED) <= (RIGHT in text.lower())


def test_secrets_are_not_shown() -> None:
    for signature in (PAGERDUTY, SENTRY, GRAFANA):
        assert SECRET not in repr(signature)
