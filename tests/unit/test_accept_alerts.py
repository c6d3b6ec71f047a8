"""Accepted means committed; refused means kept in quarantine (faults, rows 1 and 35)."""

import json

import pytest

from agent_sre.adapters.store_memory import MemoryStore
from agent_sre.domain.alert import fingerprint_of
from agent_sre.domain.errors import TemporaryError
from agent_sre.evidence.redaction import Redaction
from agent_sre.service.accept_alerts import accept_alerts
from agent_sre.service.accept_payload import QUARANTINE_BYTES, Accepted, Delivery, Refusal, RefusedPayload
from agent_sre.testing.clock import FrozenClock
from agent_sre.testing.failing_inbox import FailingInbox
from tests.unit.alerts import NOON, message, payload

CLOCK = FrozenClock(NOON)


async def accept(body: bytes, store: MemoryStore, **options: int) -> Accepted:
    return await accept_alerts(
        Delivery("alertmanager", body), inbox=store.inbox, clock=CLOCK, redaction=Redaction(), **options
    )


async def test_accepted_alerts_wait_in_the_inbox_in_order() -> None:
    store = MemoryStore()
    body = json.dumps(payload(message(fires=0), message(fires=1, pod="b"), truncatedAlerts=37)).encode()
    assert await accept(body, store) == Accepted(items=2, truncated=37)
    pending = [alert for _, alert in await store.inbox.pending(10)]
    assert [alert.labels.get("pod") for alert in pending] == [None, "b"]
    assert {alert.received_at for alert in pending} == {NOON}
    assert await store.inbox.quarantined(10) == ()


async def test_a_message_without_alerts_is_accepted() -> None:
    store = MemoryStore()
    assert await accept(json.dumps(payload()).encode(), store) == Accepted(items=0)
    assert await store.inbox.pending(10) == ()


async def test_an_unreadable_payload_is_refused_and_kept() -> None:
    store = MemoryStore()
    body = b'{"alerts": "' + b"x" * 10_000 + b'"}'
    with pytest.raises(RefusedPayload) as caught:
        await accept(body, store)
    assert caught.value.refusal is Refusal.UNREADABLE
    assert caught.value.problem.startswith('$.alerts is "xxx')
    (kept,) = await store.inbox.quarantined(10)
    assert (kept.source, kept.received_at, kept.size) == ("alertmanager", NOON, len(body))
    assert kept.body == body[:QUARANTINE_BYTES]
    assert kept.reason == str(caught.value)
    assert await store.inbox.pending(10) == ()


async def test_one_bad_alert_refuses_its_message_as_a_whole() -> None:
    store = MemoryStore()
    document = payload(message(fires=0), message(fires=0, pod="b"))
    document["alerts"][1]["labels"] = ["pod", "b"]
    with pytest.raises(RefusedPayload, match=r"\$\.alerts\[1\]\.labels is a list of 2"):
        await accept(json.dumps(document).encode(), store)
    assert await store.inbox.pending(10) == ()


async def test_too_large_is_another_refusal() -> None:
    store = MemoryStore()
    with pytest.raises(RefusedPayload) as caught:
        await accept(b"[" * 2_000, store, max_bytes=1_000)
    assert caught.value.refusal is Refusal.TOO_LARGE


@pytest.mark.parametrize("body", [json.dumps(payload(message(fires=0))).encode(), b"not json"])
async def test_a_store_that_is_down_is_never_an_acceptance(body: bytes) -> None:
    store = MemoryStore()
    inbox = FailingInbox(store.inbox)
    with pytest.raises(TemporaryError):
        await accept_alerts(Delivery("alertmanager", body), inbox=inbox, clock=CLOCK, redaction=Redaction())
    assert await store.inbox.pending(10) == ()


async def test_secrets_of_an_alert_are_gone_before_it_is_stored_and_its_identity_stays() -> None:
    store = MemoryStore()
    document = payload(message(fires=0, api_key="hunter2hunter2"))
    sent = document["alerts"][0]
    sent["annotations"] = {"description": "failed with DB_PASSWORD=hunter2hunter2", "summary": "it fails"}
    await accept(json.dumps(document).encode(), store)
    ((_, alert),) = await store.inbox.pending(10)
    assert "hunter2" not in str(alert)
    assert alert.annotations["summary"] == "it fails"
    assert alert.fingerprint == fingerprint_of(sent["labels"])


async def test_secrets_of_what_cannot_be_read_are_not_kept_in_quarantine() -> None:
    store = MemoryStore()
    with pytest.raises(RefusedPayload):
        await accept(b'{"password": "hunter2hunter2", ', store)
    (kept,) = await store.inbox.quarantined(10)
    assert b"hunter2" not in kept.body
    assert kept.body.startswith(b'{"password": "[redacted')
