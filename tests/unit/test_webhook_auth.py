"""Who may post alerts: fail closed, except where the operator or loopback says otherwise."""

import base64

import pytest
from hypothesis import given, strategies as st

from agent_sre.entrypoints.webhook_auth import Admission, WebhookAuth

BEARER = WebhookAuth("correct-horse")
BASIC = WebhookAuth("pass:with:colons")


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("auth", "authorization", "origin", "admission"),
    [
        (BEARER, "Bearer correct-horse", None, Admission.ADMITTED),
        (BEARER, "bearer  correct-horse ", None, Admission.ADMITTED),
        (BEARER, "Bearer correct-horse", "https://grafana.example", Admission.ADMITTED),
        (BEARER, "Bearer wrong", None, Admission.WRONG),
        (BEARER, "correct-horse", None, Admission.WRONG),
        (BEARER, basic("am:correct-horse"), None, Admission.ADMITTED),
        (BEARER, basic("correct-horse"), None, Admission.WRONG),
        (BEARER, basic("correct-horse:"), None, Admission.WRONG),
        (BEARER, "Digest correct-horse", None, Admission.WRONG),
        (BEARER, "Bearer caf\xe9", None, Admission.WRONG),
        (BEARER, "Bearer", None, Admission.WRONG),
        (BEARER, "", None, Admission.MISSING),
        (BEARER, None, None, Admission.MISSING),
        (BASIC, basic("am:pass:with:colons"), None, Admission.ADMITTED),
        (BASIC, basic("other:pass:with:colons"), None, Admission.ADMITTED),
        (BASIC, basic("pass:with:colons"), None, Admission.WRONG),
        (BASIC, "Basic not-base64!", None, Admission.WRONG),
        (BASIC, "Bearer ", None, Admission.WRONG),
        (WebhookAuth(), None, None, Admission.UNCONFIGURED),
        (WebhookAuth(), "Bearer ", None, Admission.UNCONFIGURED),
        (WebhookAuth(open_without_secret=True), None, None, Admission.ADMITTED),
        (WebhookAuth(open_without_secret=True), None, "https://evil.example", Admission.BROWSER),
        (WebhookAuth(open_without_secret=True), None, "null", Admission.BROWSER),
        (WebhookAuth("x", open_without_secret=True), None, None, Admission.MISSING),
    ],
)
def test_admission(auth: WebhookAuth, authorization: str | None, origin: str | None, admission: Admission) -> None:
    assert auth.admit(authorization, origin) is admission


@given(st.text(st.characters(max_codepoint=255)))
def test_no_other_header_is_admitted(authorization: str) -> None:
    assert (BEARER.admit(authorization, None) is Admission.ADMITTED) <= ("correct-horse" in authorization)
    assert BASIC.admit(authorization, None) is not Admission.ADMITTED
