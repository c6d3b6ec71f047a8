"""Logging in, sessions, the token for scripts, and the JSON they get."""

from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import urlsplit

import httpx
import pytest

from agent_sre.domain.approval import ApprovalState
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.incident import IncidentStatus
from agent_sre.entrypoints.console_auth import Access, Gate
from agent_sre.testing.clock import FrozenClock
from tests.contract.console_server import TOKEN, ConsoleServer, csrf_of, log_in, running_console

PAGE = "/incidents/inc-checkout"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def console() -> AsyncIterator[ConsoleServer]:
    async with running_console(token=TOKEN) as server:
        yield server


@pytest.fixture
async def open_console() -> AsyncIterator[ConsoleServer]:
    async with running_console() as server:
        yield server


async def state_of(console: ConsoleServer, approval_id: str) -> ApprovalState:
    approval = await console.store.approvals.get(approval_id)
    assert approval is not None
    return approval.state


def test_open_beyond_loopback_is_refused_at_the_start() -> None:
    with pytest.raises(PermanentError, match="AGENT_SRE_CONSOLE_TOKEN"):
        Gate(Access("", loopback=False, allowed_hosts=(), session_seconds=60, operator="x"), FrozenClock())


async def test_a_stranger_is_sent_to_the_login_and_back(console: ConsoleServer) -> None:
    await console.put()
    async with console.client() as client:
        sent = await client.get(f"{PAGE}?ask=why")
        assert sent.status_code == 303 and "checkout" not in sent.text
        form = await client.get(sent.headers["location"])
        assert 'value="/incidents/inc-checkout?ask=why"' in form.text
        back = await client.post("/login", data={"name": "mira", "token": TOKEN, "next": "/incidents/inc-checkout"})
        assert (back.status_code, back.headers["location"]) == (303, "/incidents/inc-checkout")
        page = await client.get(PAGE)
        assert page.status_code == 200 and "mira" in page.text


async def test_the_cookie_is_out_of_reach_and_the_name_is_who_decided(console: ConsoleServer) -> None:
    sample = await console.put()
    async with console.client() as client:
        answer = await log_in(client, name="Mira \u202eO'Neil")
        cookie = answer.headers["set-cookie"]
        assert all(word in cookie for word in ("HttpOnly", "SameSite=strict", "Max-Age=3600"))
        form = {"csrf": csrf_of(await client.get(PAGE)), "digest": sample.approvals[0].digest, "decision": "approve"}
        await client.post(f"/approvals/{sample.approvals[0].id}", data=form)
    approval = await console.store.approvals.get(sample.approvals[0].id)
    assert approval is not None and approval.decided_by == "Mira <U+202E>O'Neil"


@pytest.mark.parametrize(
    ("name", "token"), [("mira", "wrong"), ("mira", ""), ("mira", TOKEN + "x"), ("", TOKEN), (" ", TOKEN)]
)
async def test_a_wrong_token_or_no_name_does_not_log_in(console: ConsoleServer, name: str, token: str) -> None:
    async with console.client() as client:
        answer = await log_in(client, name, token)
        assert answer.status_code == 401 and "set-cookie" not in answer.headers
        assert TOKEN not in answer.text
        assert (await client.get("/")).status_code == 303


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x", "/a\nb"]
)
async def test_a_login_never_leads_elsewhere(console: ConsoleServer, target: str) -> None:
    async with console.client() as client:
        answer = await client.post("/login", data={"name": "mira", "token": TOKEN, "next": target})
        assert answer.headers["location"] == "/"


async def test_guessing_is_slowed_down_and_forgiven_after_a_minute(console: ConsoleServer) -> None:
    async with console.client() as client:
        for _ in range(5):
            assert (await log_in(client, token="guess")).status_code == 401
        stopped = await log_in(client)
        assert stopped.status_code == 429 and int(stopped.headers["retry-after"]) <= 60
        console.clock.advance(timedelta(seconds=61))
        assert (await log_in(client)).status_code == 303


async def test_an_expired_or_forged_session_is_no_session(console: ConsoleServer) -> None:
    sample = await console.put()
    async with console.client() as client:
        await log_in(client)
        form = {"csrf": csrf_of(await client.get(PAGE)), "digest": sample.approvals[0].digest, "decision": "approve"}
        name, value = next(iter(client.cookies.items()))
        console.clock.advance(timedelta(seconds=3601))
        assert (await client.get(PAGE)).status_code == 303
        answer = await client.post(f"/approvals/{sample.approvals[0].id}", data=form)
        assert answer.status_code == 401
        console.clock.advance(timedelta(seconds=-3601))
        for forged in (value[:-2] + "AA", value.split(".")[0], f"{value}x", "x.y", "", "."):
            headers = {"Cookie": f"{name}={forged}"}
            async with httpx.AsyncClient(base_url=console.url, headers=headers, trust_env=False) as stranger:
                assert (await stranger.get(PAGE)).status_code == 303, forged
    assert await state_of(console, sample.approvals[0].id) is ApprovalState.WAITING


async def test_logging_out_ends_the_session_in_this_browser(console: ConsoleServer) -> None:
    await console.put()
    async with console.client() as client:
        await log_in(client)
        token = csrf_of(await client.get(PAGE))
        assert (await client.post("/logout", data={"csrf": "wrong"})).status_code == 403
        assert (await client.post("/logout", data={"csrf": token})).status_code == 303
        assert (await client.get(PAGE)).status_code == 303


async def test_one_sessions_form_token_is_no_good_in_another(console: ConsoleServer) -> None:
    sample = await console.put()
    async with console.client() as first, console.client() as second:
        await log_in(first)
        await log_in(second, name="jonas")
        form = {"csrf": csrf_of(await first.get(PAGE)), "digest": sample.approvals[0].digest, "decision": "approve"}
        assert (await second.post(f"/approvals/{sample.approvals[0].id}", data=form)).status_code == 403
    assert await state_of(console, sample.approvals[0].id) is ApprovalState.WAITING


async def test_a_link_from_a_chat_reloads_itself_so_that_the_strict_cookie_comes_along(console: ConsoleServer) -> None:
    async with console.client(headers={"Sec-Fetch-Site": "cross-site"}) as client:
        page = await client.get(PAGE)
        assert f'content="0; url={PAGE}"' in page.text and "checkout requests fail" not in page.text
    async with console.client(headers={"Sec-Fetch-Site": "same-origin"}) as client:
        assert urlsplit((await client.get(PAGE)).headers["location"]).path == "/login"


async def test_streams_and_the_api_are_closed_to_strangers(console: ConsoleServer) -> None:
    sample = await console.put()
    async with console.client() as client:
        for path in ("/stream", f"{PAGE}/stream", "/api/incidents", "/api/incidents/inc-checkout"):
            assert (await client.get(path)).status_code == 401, path
        body = {"decision": "approve", "digest": sample.approvals[0].digest}
        where = f"/api/approvals/{sample.approvals[0].id}"
        assert (await client.post(where, json=body)).status_code == 401
        await log_in(client)
        assert (await client.get("/api/incidents")).status_code == 200
        assert (await client.post(where, json=body)).status_code == 401, "a cookie is not enough to decide"
        for wrong in ("Bearer x", f"Basic {TOKEN}", "Bearer", f"Bearer {TOKEN} x"):
            assert (await client.post(where, json=body, headers={"Authorization": wrong})).status_code == 401
    assert await state_of(console, sample.approvals[0].id) is ApprovalState.WAITING


async def test_a_script_reads_and_decides_with_the_token(console: ConsoleServer) -> None:
    sample = await console.put()
    async with httpx.AsyncClient(base_url=console.url, headers=BEARER, trust_env=False) as client:
        rows = (await client.get("/api/incidents")).json()["incidents"]
        assert [(row["id"], row["status"], row["approvals_waiting"]) for row in rows] == [
            ("inc-checkout", "awaiting_approval", 1)
        ]
        found = (await client.get("/api/incidents/inc-checkout")).json()
        assert found["answer"]["hypotheses"][0]["fault"] == "bad_deploy"
        assert found["answer"]["evidence"]["E2"]["source"] == "changes"
        approval = found["approvals"][0]
        body = {"decision": "approve", "digest": approval["digest"], "by": "pager", "reason": "page 12"}
        first = await client.post(f"/api/approvals/{approval['id']}", json=body)
        assert (first.status_code, first.json()["decision"], first.json()["decided_by"]) == (200, "approved", "pager")
        second = await client.post(f"/api/approvals/{approval['id']}", json={**body, "by": "late"})
        assert second.status_code == 409 and "Already approved by pager" in second.json()["because"]
        assert (await client.post("/api/approvals/APR-nowhere", json=body)).status_code == 404
    assert console.decided == ["inc-checkout", "inc-checkout"]
    assert await state_of(console, sample.approvals[0].id) is ApprovalState.APPROVED


async def test_before_there_is_an_answer_it_is_null(open_console: ConsoleServer) -> None:
    await open_console.put(IncidentStatus.INVESTIGATING)
    async with open_console.client() as client:
        found = (await client.get("/api/incidents/inc-checkout")).json()
    assert found["answer"] is None and found["approvals"] == [] and found["status"] == "investigating"


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b'{"decision": "approve"}', {"Content-Type": "text/plain"}, 415),
        (b'{"decision": "approve"}', {"Content-Type": "application/json", "Origin": "https://evil.example"}, 403),
        (b'{"decision": "maybe"}', {"Content-Type": "application/json"}, 400),
        (b'["approve"]', {"Content-Type": "application/json"}, 400),
        (b'{"decision"', {"Content-Type": "application/json"}, 400),
        (b"x" * 20_000, {"Content-Type": "application/json"}, 413),
    ],
)
async def test_odd_calls_of_an_open_console_decide_nothing(
    open_console: ConsoleServer, content: bytes, headers: dict[str, str], status: int
) -> None:
    sample = await open_console.put()
    async with httpx.AsyncClient(base_url=open_console.url, trust_env=False) as client:
        answer = await client.post(f"/api/approvals/{sample.approvals[0].id}", content=content, headers=headers)
    assert answer.status_code == status and answer.json()["error"]
    assert await state_of(open_console, sample.approvals[0].id) is ApprovalState.WAITING


async def test_an_open_console_takes_a_local_scripts_decision(open_console: ConsoleServer) -> None:
    sample = await open_console.put()
    async with httpx.AsyncClient(base_url=open_console.url, trust_env=False) as client:
        body = {"decision": "reject", "digest": sample.approvals[0].digest}
        answer = await client.post(f"/api/approvals/{sample.approvals[0].id}", json=body)
    assert answer.json()["decision"] == "rejected" and answer.json()["decided_by"] == "operator"
