"""Where alerts went, and putting them elsewhere: by the console's forms, by JSON, and from the command line."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest
from click.testing import CliRunner

from agent_sre.cli.incident import incident as command
from agent_sre.service.fold_alerts import fold_alerts
from agent_sre.testing.ids import SequentialIds
from tests.contract.console_server import TOKEN, ConsoleServer, csrf_of, running_console
from tests.unit.alerts import fold_ports, message

CART = message(fires=0, deployment="cart")
KIN = message(fires=0.5, name="<b>Errors</b>", deployment="cart", group="errors")
PAGES = message(fires=10, name="SlowPages", namespace="web", deployment="pages", group="pages")


@pytest.fixture
async def console() -> AsyncIterator[ConsoleServer]:
    async with running_console() as server:
        ids = SequentialIds()
        for alert in (CART, KIN, PAGES):
            await server.store.inbox.append([alert])
            await fold_alerts(fold_ports(server.store, server.clock, ids))
        yield server


async def status(console: ConsoleServer, name: str) -> str:
    found = await console.store.incidents.get(name)
    assert found is not None
    return str(found.status)


async def test_the_page_says_why_each_alert_is_here_and_how_urgent_it_is(console: ConsoleServer) -> None:
    async with console.client() as client:
        page = await client.get("/incidents/INC-1")
    assert "joined INC-1 because: same workload shop/cart, 30 s apart" in page.text
    assert "same workload shop/cart (+50)" in page.text
    assert "P3 because: severity warning" in page.text
    assert "<b>Errors</b>" not in page.text and "&lt;b&gt;Errors&lt;/b&gt;" in page.text


async def test_where_an_alert_went_is_a_page_and_json(console: ConsoleServer) -> None:
    async with console.client() as client:
        page = await client.get("/alerts", params={"q": "SlowPages"})
        none = await client.get("/alerts", params={"q": "<script>"})
        found = (await client.get("/api/alerts", params={"q": PAGES.fingerprint})).json()
        unasked = await client.get("/api/alerts")
    assert "opened INC-2 because no incident is known for this group" in page.text
    assert "No alert of this name" in none.text and "<script>" not in none.text.replace("<script src", "")
    (item,) = found["alerts"]
    assert (item["incident"], item["reason"], item["messages"]) == ("INC-2", "opened", 1)
    assert unasked.status_code == 400


async def test_an_incidents_json_has_its_alerts_with_the_reasons(console: ConsoleServer) -> None:
    async with console.client() as client:
        found = (await client.get("/api/incidents/INC-1")).json()
    reasons = {item["fingerprint"]: item["placement"]["reason"] for item in found["alerts"]}
    assert reasons == {CART.fingerprint: "opened", KIN.fingerprint: "correlated"}
    assert (found["priority"], found["part_of"], found["parts"]) == ("P3", None, [])


async def test_merge_and_split_by_form(console: ConsoleServer) -> None:
    async with console.client() as client:
        csrf = csrf_of(await client.get("/incidents/INC-2"))
        merged = await client.post("/incidents/INC-2/merge", data={"csrf": csrf, "into": "INC-1", "reason": "one"})
        assert (merged.status_code, merged.headers["location"]) == (303, "/incidents/INC-1")
        assert "Merged into" in (await client.get("/incidents/INC-2")).text
        again = await client.post("/incidents/INC-2/merge", data={"csrf": csrf, "into": "INC-1"})
        assert again.status_code == 409 and "INC-2 is closed, merged into INC-1" in again.text
        form = {"csrf": csrf, f"alert-{PAGES.fingerprint}": "on", "reason": "no, two"}
        split = await client.post("/incidents/INC-1/split", data=form)
        page = await client.get(split.headers["location"])
    assert split.status_code == 303
    assert "SlowPages in shop" in page.text
    assert console.decided == ["INC-2", "INC-1"]


@pytest.mark.parametrize("path", ["/incidents/INC-2/merge", "/incidents/INC-1/split"])
async def test_a_form_that_is_not_the_sessions_changes_nothing(console: ConsoleServer, path: str) -> None:
    form = {"csrf": "guess", "into": "INC-1", f"alert-{KIN.fingerprint}": "on"}
    async with console.client() as client:
        await client.get("/incidents/INC-1")
        assert (await client.post(path, data=form)).status_code == 403
    assert await status(console, "INC-2") == "open"
    assert await console.store.incidents.get("INC-3") is None


async def test_json_needs_the_token_where_there_is_one() -> None:
    async with running_console(token=TOKEN) as server:
        await server.store.inbox.append([CART, PAGES])
        await fold_alerts(fold_ports(server.store, server.clock, SequentialIds()))
        async with httpx.AsyncClient(base_url=server.url, trust_env=False) as client:
            body = {"into": "INC-1", "by": "ci"}
            refused = await client.post("/api/incidents/INC-2/merge", json=body)
            assert (refused.status_code, await status(server, "INC-2")) == (401, "open")
            assert (await client.get("/api/alerts", params={"q": "SlowPages"})).status_code == 401
            bearer = {"Authorization": f"Bearer {TOKEN}"}
            done = await client.post("/api/incidents/INC-2/merge", json=body, headers=bearer)
            odd = await client.post("/api/incidents/INC-1/split", json={"fingerprints": "all"}, headers=bearer)
        assert (done.status_code, done.json()) == (200, {"incident": "INC-1", "alerts_firing": 2})
        assert odd.status_code == 400


async def run(console: ConsoleServer, *arguments: str) -> tuple[int, str]:
    """The command against the running console; (exit status, output)."""

    def call(words: Sequence[str]) -> tuple[int, str]:
        result = CliRunner().invoke(command, ["--url", console.url, *words])
        told = f"{result.output}{result.exception or ''}"
        return result.exit_code, told

    return await asyncio.to_thread(call, arguments)


async def test_the_command_answers_where_and_why_and_regroups(console: ConsoleServer) -> None:
    code, told = await run(console, "where", KIN.fingerprint)
    assert code == 0
    assert "in INC-1" in told and "because: same workload shop/cart, 30 s apart" in told
    assert (await run(console, "where", "Unknown"))[0] == 1
    code, told = await run(console, "show", "INC-1", "--json")
    assert {item["fingerprint"] for item in json.loads(told)["alerts"]} == {CART.fingerprint, KIN.fingerprint}
    code, told = await run(console, "split", "INC-1", KIN.fingerprint, "--reason", "not the same")
    assert (code, "1 alerts of INC-1 are in INC-" in told) == (0, True)
    code, told = await run(console, "merge", "INC-2", "INC-1")
    assert (code, told.strip()) == (0, "INC-2 is merged into INC-1: 2 alerts fire there")
    code, told = await run(console, "merge", "INC-2", "INC-1")
    assert code != 0 and "INC-2 is closed, merged into INC-1" in told
    code, told = await run(console, "show", "INC-9")
    assert code != 0 and "There is no incident INC-9" in told
