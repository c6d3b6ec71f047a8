"""Maintenance windows and words about incidents, by form and by JSON, over real HTTP."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from agent_sre.domain.incident import IncidentStatus
from tests.contract.console_server import TOKEN, ConsoleServer, csrf_of, log_in, running_console

BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def console() -> AsyncIterator[ConsoleServer]:
    async with running_console(token=TOKEN) as server:
        yield server


async def test_a_window_is_added_listed_and_ended_by_json(console: ConsoleServer) -> None:
    async with console.client() as client:
        words = {"matchers": ["namespace=shop"], "for": "2h", "comment": "db upgrade", "by": "ana"}
        answer = await client.post("/api/maintenance", json=words, headers=BEARER)
        assert answer.status_code == 201, answer.text
        made = answer.json()
        assert (made["state"], made["matchers"], made["author"]) == ("active", ['namespace="shop"'], "ana")
        assert (await client.get("/api/maintenance", headers=BEARER)).json()["windows"] == [made]
        console.clock.advance(timedelta(minutes=1))
        ended = (await client.post(f"/api/maintenance/{made['id']}/end", json={"by": "ben"}, headers=BEARER)).json()
        assert (ended["state"], ended["ended_by"]) == ("over", "ben")
        missing = await client.post("/api/maintenance/MW-999/end", json={}, headers=BEARER)
        assert missing.status_code == 404
    rows = await console.store.journal.audit_rows(0, 10)
    assert [(row.actor, row.verb) for row in rows] == [("ana", "maintenance.added"), ("ben", "maintenance.ended")]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"matchers": [], "for": "2h"}, "no matcher"),
        ({"matchers": ["namespace=~.*"], "for": "2h"}, "every alert"),
        ({"matchers": ["a=~("], "for": "2h"}, "RE2"),
        ({"matchers": ["a=b"]}, "no end"),
        ({"matchers": ["a=b"], "for": "2 parsecs"}, "no duration"),
        ({"matchers": ["a=b"], "end": "2001-01-01T00:00:00Z"}, "not after the start"),
        ({"matchers": ["a=b"], "weekly": "sun 01:00-05:00 Mars/Olympus"}, "time zone"),
        ({"matchers": ["a=b"], "weekly": "sol 01:00-05:00 UTC"}, "no day of the week"),
        ({"matchers": ["a=b"], "for": "1h", "form": "x"}, "'form' is unknown"),
        ({"matchers": "a=b", "for": "1h"}, "must be a list"),
    ],
)
async def test_what_is_no_window_is_refused_with_a_fix(
    console: ConsoleServer, words: dict[str, object], says: str
) -> None:
    async with console.client() as client:
        answer = await client.post("/api/maintenance", json=words, headers=BEARER)
    assert (answer.status_code, says in answer.json()["error"]) == (400, True), answer.text
    assert await console.store.journal.audit_rows(0, 5) == ()


async def test_json_that_changes_something_needs_the_token(console: ConsoleServer) -> None:
    async with console.client() as client:
        for path in ("/api/maintenance", "/api/maintenance/MW-1/end", "/api/incidents/INC-1/mute"):
            assert (await client.post(path, json={})).status_code == 401
            foreign = {**BEARER, "Origin": "https://evil.example"}
            assert (await client.post(path, json={}, headers=foreign)).status_code == 403


async def test_the_page_adds_and_ends_a_window(console: ConsoleServer) -> None:
    async with console.client() as client:
        await log_in(client)
        csrf = csrf_of(await client.get("/maintenance"))
        form = {"csrf": csrf, "matchers": 'namespace=shop\nalertname=~"Pod.*"', "start": "now", "for": "1h"}
        assert (await client.post("/maintenance", data=form)).status_code == 303
        (window,) = await console.store.maintenance.newest(5)
        assert (window.author, len(window.matchers)) == ("mira", 2)
        page = await client.get("/maintenance")
        assert window.id in page.text and "namespace=&#34;shop&#34;" in page.text
        assert (await client.post(f"/maintenance/{window.id}/end", data={"csrf": "wrong"})).status_code == 403
        assert (await client.post(f"/maintenance/{window.id}/end", data={"csrf": csrf})).status_code == 303
        refused = await client.post("/maintenance", data={**form, "matchers": ""})
        assert (refused.status_code, "no matcher" in refused.text) == (400, True)


async def test_an_incident_is_snoozed_and_unmuted_from_its_page(console: ConsoleServer) -> None:
    sample = await console.put(IncidentStatus.ESCALATED)
    path = f"/incidents/{sample.incident.id}"
    async with console.client() as client:
        await log_in(client)
        page = await client.get(path)
        data = {"csrf": csrf_of(page), "wish": "snooze", "for": "2h", "reason": "<b>later</b>"}
        assert (await client.post(path + "/look-after", data=data)).status_code == 303
        page = await client.get(path)
        assert "snoozed until" in page.text and "&lt;b&gt;later" in page.text and "<b>later" not in page.text
        told = (await client.get(f"/api{path}")).json()
        assert (told["hold"]["kind"], told["hold"]["by"]) == ("snoozed", "mira")
        await client.post(path + "/look-after", data={**data, "wish": "unmute"})
        assert (await client.get(f"/api{path}")).json()["hold"] is None
    assert console.decided == [sample.incident.id, sample.incident.id]


async def test_a_word_by_json(console: ConsoleServer) -> None:
    sample = await console.put(IncidentStatus.INVESTIGATING)
    path = f"/api/incidents/{sample.incident.id}"
    async with console.client(headers=BEARER) as client:
        answer = await client.post(path + "/acknowledge", json={"by": "ana"})
        assert (answer.status_code, answer.json()["looked_after_by"]) == (200, "ana")
        assert (await client.post(path + "/snooze", json={"by": "ana"})).status_code == 409
        assert (await client.post(path + "/explode", json={})).status_code == 409
        assert (await client.post("/api/incidents/INC-999/mute", json={})).status_code == 404
    kept = await console.store.incidents.get(sample.incident.id)
    assert kept is not None and replace(kept, acknowledged=None, version=0) == replace(
        sample.incident, version=0, acknowledged=None
    )
