"""Two stores on one database, as two processes have them: whatever they do at once happens once, and in one order."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from agent_sre.adapters.store_sql import SqlStore, open_store
from agent_sre.domain.approval import ApprovalState, Decision
from agent_sre.domain.audit import first_bad_row
from agent_sre.domain.errors import TemporaryError
from agent_sre.domain.telemetry import Change
from tests.contract.store_values import NOON, after, alert, approval, effect, incident

Pair = tuple[SqlStore, SqlStore]


@pytest.fixture
async def pair(url: str) -> AsyncIterator[Pair]:
    stores = await open_store(url), await open_store(url)
    yield stores
    for store in stores:
        await store.close()


async def test_a_decision_is_made_once(pair: Pair) -> None:
    one, other = pair
    digest = approval().digest
    for n in range(20):
        await one.approvals.ask(approval(f"app-{n}"))
        answers = await asyncio.gather(
            one.approvals.decide(f"app-{n}", True, "ann", digest, NOON, ""),
            other.approvals.decide(f"app-{n}", True, "bob", digest, NOON, ""),
        )
        assert sorted(decision for _, decision in answers) == [Decision.ALREADY_DECIDED, Decision.APPROVED]
        assert len({found.decided_by for found, _ in answers if found}) == 1
    assert {item.state for item in await one.approvals.of_incident("inc-1")} == {ApprovalState.APPROVED}


async def test_the_audit_log_is_one_chain(pair: Pair) -> None:
    await asyncio.gather(*(pair[n % 2].journal.audit(after(n), "a", "v", "s", {}) for n in range(60)))
    rows = await pair[0].journal.audit_rows(0, 100)
    assert [row.sequence for row in rows] == list(range(1, 61))
    assert first_bad_row(rows) is None


async def test_an_effect_is_intended_once(pair: Pair) -> None:
    for n in range(10):
        intents = (store.effects.intend(effect(f"eff-{n}-{k}", f"app-{n}")) for k, store in enumerate(pair))
        answers = await asyncio.gather(*intents)
        assert sorted(new for _, new in answers) == [False, True]
        assert len({found.id for found, _ in answers}) == 1


async def test_an_alert_is_folded_into_one_incident(pair: Pair) -> None:
    await pair[0].inbox.append([alert(str(n)) for n in range(40)])
    sequences = [sequence for sequence, _ in await pair[1].inbox.pending(100)]
    # Each wants all of them, in two different orders.
    answers = await asyncio.gather(
        pair[0].incidents.fold(incident("inc-1"), sequences, []),
        pair[1].incidents.fold(incident("inc-2"), sequences[::-1], []),
        return_exceptions=True,
    )
    assert sorted(isinstance(answer, TemporaryError) for answer in answers) == [False, True], answers
    assert await pair[0].inbox.pending(1) == ()
    assert len(await pair[0].incidents.newest(10)) == 1


async def test_a_message_that_both_are_sent_is_kept_once(pair: Pair) -> None:
    for batch in range(3):
        messages = [alert(str(n), message_id=f"{batch}-{n}") for n in range(1000)]
        # In two orders: each would come to hold what the other waits for.
        await asyncio.gather(pair[0].inbox.append(messages), pair[1].inbox.append(messages[::-1]))
    assert len(await pair[0].inbox.pending(10_000)) == 3000


async def test_changes_reported_to_both_in_different_orders_are_each_new_once(pair: Pair) -> None:
    for batch in range(5):
        told = [Change(f"{batch}-{n}", after(n), "deploy", "basket", "s") for n in range(50)]
        new = await asyncio.gather(pair[0].changes.append(told), pair[1].changes.append(told[::-1]))
        assert sorted(new) == [0, 50]
