"""What was made fast does the same as what it replaces: decoding, redaction of a message, an incident's last words."""

import json
from dataclasses import replace
from typing import Any

from hypothesis import example, given, settings, strategies as st

from agent_sre.adapters.store_sql.codec import encode, encode_alert
from agent_sre.domain.errors import PermanentError
from agent_sre.evidence.known_texts import KnownTexts
from agent_sre.evidence.redaction import Redaction
from agent_sre.ingest import alertmanager
from agent_sre.ingest.decode import decode
from tests.unit.alerts import at, message, payload

UNHURRIED = settings(deadline=None)
TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


def outcome(body: bytes) -> Any:
    try:
        return decode(body, max_depth=6)
    except PermanentError as error:
        return str(error)


def go_written(value: object) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e").encode()


@UNHURRIED
@given(VALUES)
@example({"a&b": ["<", "\\u0026", "\\", "\0"]})
@example([[[[[[[[1]]]]]]]])
def test_a_body_is_read_alike_however_it_is_written(value: object) -> None:
    """Spaces between the values take a body off the short way."""
    spaced = json.dumps(value, ensure_ascii=False, indent=1).encode()
    assert outcome(go_written(value)) == outcome(spaced)


@UNHURRIED
@given(st.dictionaries(TEXT, st.integers(0, 9), min_size=1, max_size=4), st.data())
def test_a_key_that_occurs_twice_is_never_let_through(pairs: dict[str, int], data: st.DataObject) -> None:
    again = data.draw(st.sampled_from(sorted(pairs)))
    body = go_written(pairs)[:-1] + b"," + go_written({again: data.draw(st.integers(0, 9))})[1:]
    assert isinstance(outcome(body), str)
    assert isinstance(outcome(b'{"alerts":[' + body + b"]}"), str)


SECRETS = ("hunter2-pass", "AKIAABCDEFGHIJKLMNOP", "4111111111111111", "mail to ana@example.com")
PIECES = st.sampled_from(
    [*SECRETS, "password=", "token: ", " ", "1234 5678 ", "0000000000000", "checkout-7d9f", "://", "key"]
)
WORDS = st.lists(PIECES, max_size=5).map("".join)


@UNHURRIED
@given(st.lists(st.dictionaries(st.sampled_from(["summary", "api_token", "pod", "link"]), WORDS), max_size=4))
def test_a_messages_alerts_are_redacted_as_each_would_be(told: list[dict[str, str]]) -> None:
    (one,) = alertmanager.parse(payload(message(fires=0)), at(1))
    alerts = tuple(replace(one, annotations=item, group_key=item.get("pod", "")) for item in told)
    redaction = Redaction(b"k")
    expected = tuple(map(redaction.redactor().alert, alerts))
    assert redaction.alerts(alerts) == expected
    assert redaction.alerts(alerts) == expected, "and when all of it is known"


def test_harmless_texts_are_remembered_within_a_bound() -> None:
    known = KnownTexts()
    known.keep(["often"])
    for number in range(20_000):
        assert known.unknown({"often", str(number)}) == {str(number)}
        known.keep([str(number), "x" * 5_000 + str(number)])
    assert known.unknown({"0"}) == {"0"}
    assert len(known.unknown({str(number) for number in range(20_000)})) > 10_000


@UNHURRIED
@given(st.dictionaries(TEXT, TEXT, max_size=4), TEXT)
def test_an_alert_is_stored_as_any_other_value(labels: dict[str, str], summary: str) -> None:
    (one,) = alertmanager.parse(payload(message(fires=0)), at(1))
    alert = replace(one, labels=labels, annotations={"s": summary})
    assert encode_alert(alert) == encode(alert)
