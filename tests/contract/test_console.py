"""The console as a browser meets it: pages in every state, decisions, and what is said to the uninvited."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from agent_sre.domain.approval import ApprovalState
from agent_sre.domain.incident import IncidentStatus
from agent_sre.testing.sample_incident import SampleIncident, sample_incident
from tests.contract.console_server import ConsoleServer, csrf_of, running_console

PAGE = "/incidents/inc-checkout"


@pytest.fixture
async def console() -> AsyncIterator[ConsoleServer]:
    async with running_console() as server:
        yield server


class Markup(HTMLParser):
    """What a page would do by itself: scripts, handlers, styles, and where it would load from."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.suspicious: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        fields = dict(attrs)
        inline = tag in {"script", "style"} and not (fields.get("src") or "").startswith("/static/")
        handlers = [name for name in fields if name.startswith("on") or name == "style"]
        leads = [fields[name] or "" for name in ("href", "src", "action") if name in fields]
        foreign = [link for link in leads if tag != "a" and not link.startswith("/")]
        scripted = [link for link in leads if link.strip().lower().startswith(("javascript:", "data:"))]
        if inline or handlers or foreign or scripted:
            self.suspicious.append(f"{tag} {attrs}")


@pytest.mark.parametrize("status", IncidentStatus)
async def test_an_incident_has_a_page_in_every_state(console: ConsoleServer, status: IncidentStatus) -> None:
    await console.put(status)
    async with console.client() as client:
        page = await client.get(PAGE)
    assert page.status_code == 200
    assert "more than 5 % of checkout requests fail" in page.text and "shop/checkout" in page.text
    judged = status not in (IncidentStatus.OPEN, IncidentStatus.INVESTIGATING)
    assert ("The rollout of checkout 2.15.0 broke it" in page.text) is judged
    assert ("<svg" in page.text and "chart-line" in page.text) is judged
    assert ("Looking: evidence is being gathered." in page.text) is not judged
    assert ("Approve and run once" in page.text) is (status is IncidentStatus.AWAITING_APPROVAL)
    assert ("the alert&#39;s condition is false since 40 s" in page.text) is (
        status in (IncidentStatus.RESOLVED, IncidentStatus.CLOSED)
    )
    assert Markup(page.text).suspicious == []


async def test_the_page_shows_evidence_with_query_window_excerpt_and_link(console: ConsoleServer) -> None:
    await console.put()
    async with console.client() as client:
        text = (await client.get(PAGE)).text
    for shown in (
        "sum by (workload) (workload:request_errors:ratio_rate1m)",
        "12:52:00 to 13:52:00 UTC, 04 Mar 2026",
        "Back-off restarting failed container app",
        'href="http://prometheus.example/graph"',
        "traffic surge",
        "grant list on nodes to agent-sre-reader",
        "- shop/checkout:2.15.0",
        "roll out revision 42 again",
        "medium risk",
    ):
        assert shown in text


async def test_the_list_shows_what_is_believed_and_what_waits(console: ConsoleServer) -> None:
    await console.put()
    await console.put(IncidentStatus.RESOLVED, incident_id="inc-old")
    async with console.client() as client:
        page = await client.get("/")
    assert "1 active, 2 shown" in page.text
    assert "waiting for a decision" in page.text and "87 %" in page.text
    assert page.text.index("/incidents/inc-checkout") < page.text.index("/incidents/inc-old")


async def test_before_the_first_incident_a_test_alert_is_offered_that_is_valid_json(console: ConsoleServer) -> None:
    async with console.client() as client:
        page = await client.get("/")
    assert "No incidents yet" in page.text and f"{console.url}/webhooks/alertmanager" in page.text
    body = re.search(r"-d (?:&#39;|')(.*?)(?:&#39;|')</pre>", page.text, re.DOTALL)
    assert body is not None
    payload = json.loads(body[1].replace("&#34;", '"').replace("&quot;", '"'))
    assert payload["version"] == "4" and payload["alerts"][0]["labels"]["alertname"] == "TestAlert"


async def test_approve_twice_approves_once_and_the_second_is_told_who_was_first(console: ConsoleServer) -> None:
    sample = await console.put()
    async with console.client() as client:
        page = await client.get(PAGE)
        form = {"csrf": csrf_of(page), "digest": sample.approvals[0].digest, "decision": "approve"}
        where = f"/approvals/{sample.approvals[0].id}"
        answers = await asyncio.gather(client.post(where, data=form), client.post(where, data=form))
        assert [answer.status_code for answer in answers] == [303, 303]
        words = sorted(parse_qs(urlsplit(answer.headers["location"]).query)["decision"][0] for answer in answers)
        assert words == ["already_decided", "approved"]
        pages = [(await client.get(answer.headers["location"])).text for answer in answers]
    told = sorted(re.findall(r'<p class="notice (\w+)" id="notice" role="alert">([^<]+)</p>', "".join(pages)))
    assert told == [
        ("done", "Approved. The action is carried out once, then checked."),
        ("refused", "Already approved by operator at 13:52:00 UTC; this attempt changed nothing."),
    ]
    approval = await console.store.approvals.get(sample.approvals[0].id)
    assert approval is not None and approval.state is ApprovalState.APPROVED
    assert console.decided == ["inc-checkout", "inc-checkout"]


async def test_a_rejection_keeps_its_reason(console: ConsoleServer) -> None:
    sample = await console.put()
    async with console.client() as client:
        form = {"digest": sample.approvals[0].digest, "decision": "reject", "reason": "rolling forward <b>now</b>"}
        form["csrf"] = csrf_of(await client.get(PAGE))
        answer = await client.post(f"/approvals/{sample.approvals[0].id}", data=form)
        page = await client.get(answer.headers["location"])
    assert "Rejected. Nothing was done." in page.text
    assert "rolling forward &lt;b&gt;now&lt;/b&gt;" in page.text
    approval = await console.store.approvals.get(sample.approvals[0].id)
    assert approval is not None and approval.state is ApprovalState.REJECTED


async def test_an_edited_digest_and_an_expired_approval_are_refused_in_words(console: ConsoleServer) -> None:
    sample = await console.put()
    async with console.client() as client:
        form = {"csrf": csrf_of(await client.get(PAGE)), "digest": "0" * 64, "decision": "approve"}
        where = f"/approvals/{sample.approvals[0].id}"
        page = await client.get((await client.post(where, data=form)).headers["location"])
        assert "The proposed action is not the one that was shown." in page.text
        console.clock.advance(timedelta(minutes=57))
        form["digest"] = sample.approvals[0].digest
        page = await client.get((await client.post(where, data=form)).headers["location"])
        assert "the approval has expired" in page.text


async def test_a_link_that_only_claims_a_decision_is_not_believed(console: ConsoleServer) -> None:
    sample = await console.put()
    async with console.client() as client:
        page = await client.get(f"{PAGE}?decision=approved&approval={sample.approvals[0].id}")
    assert 'role="alert"' not in page.text


@pytest.mark.parametrize("csrf", [None, "", "wrong", "ÿ"])
async def test_a_form_without_the_sessions_token_is_refused(console: ConsoleServer, csrf: str | None) -> None:
    sample = await console.put()
    async with console.client() as client:
        await client.get(PAGE)
        form = {"digest": sample.approvals[0].digest, "decision": "approve"}
        answer = await client.post(
            f"/approvals/{sample.approvals[0].id}", data=form if csrf is None else {**form, "csrf": csrf}
        )
    assert answer.status_code == 403 and "out of date" in answer.text
    await assert_waiting(console, sample)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", ""])
async def test_a_form_from_another_origin_is_refused(console: ConsoleServer, origin: str) -> None:
    sample = await console.put()
    async with console.client() as client:
        token = csrf_of(await client.get(PAGE))
        form = {"digest": sample.approvals[0].digest, "decision": "approve", "csrf": token}
        answer = await client.post(f"/approvals/{sample.approvals[0].id}", data=form, headers={"Origin": origin})
    assert answer.status_code == 403
    await assert_waiting(console, sample)


async def test_a_form_without_any_origin_is_refused(console: ConsoleServer) -> None:
    sample = await console.put()
    async with httpx.AsyncClient(base_url=console.url, trust_env=False) as client:
        token = csrf_of(await client.get(PAGE))
        form = {"digest": sample.approvals[0].digest, "decision": "approve", "csrf": token}
        assert (await client.post(f"/approvals/{sample.approvals[0].id}", data=form)).status_code == 403
    await assert_waiting(console, sample)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "169.254.1.1", "[::2]:80", "", "[", "a b"])
async def test_a_rebound_name_is_not_answered(console: ConsoleServer, host: str) -> None:
    await console.put()
    async with console.client() as client:
        for path in ("/", PAGE, "/api/incidents", "/static/console.js", "/stream"):
            answer = await client.get(path, headers={"Host": host})
            assert answer.status_code in (400, 421), path
            assert "checkout" not in answer.text


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9", "127.0.0.1:8080", "[::1]:8080"])
async def test_loopback_names_are_answered(console: ConsoleServer, host: str) -> None:
    async with console.client() as client:
        assert (await client.get("/", headers={"Host": host})).status_code == 200


async def test_a_configured_name_is_answered() -> None:
    async with running_console(allowed_hosts=("sre.example",)) as console, console.client() as client:
        assert (await client.get("/", headers={"Host": "sre.example"})).status_code == 200
        assert (await client.get("/", headers={"Host": "evil.example"})).status_code == 421


async def test_unknown_addresses_and_incidents_have_a_page(console: ConsoleServer) -> None:
    async with console.client() as client:
        for path in ("/nope", "/incidents/inc-nowhere", "/static/nope.js", "/incidents/%3Cscript%3E"):
            page = await client.get(path)
            assert page.status_code == 404 and "Not Found" in page.text
            assert Markup(page.text).suspicious == []


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"decision=maybe&csrf=CSRF", "application/x-www-form-urlencoded", 400),
        (b"a=" + b"x" * 20_000, "application/x-www-form-urlencoded", 413),
        (b"&".join(b"a=1" for _ in range(600)), "application/x-www-form-urlencoded", 400),
        (b"--x\r\n", "multipart/form-data; boundary=x", 415),
        (b"", "", 415),
    ],
)
async def test_odd_forms_are_refused(console: ConsoleServer, content: bytes, kind: str, status: int) -> None:
    sample = await console.put()
    async with console.client() as client:
        token = csrf_of(await client.get(PAGE))
        body = content.replace(b"CSRF", token.encode())
        headers = {"Content-Type": kind} if kind else {}
        answer = await client.post(f"/approvals/{sample.approvals[0].id}", content=body, headers=headers)
    assert answer.status_code == status
    await assert_waiting(console, sample)


async def test_every_answer_has_the_security_headers(console: ConsoleServer) -> None:
    await console.put()
    async with console.client() as client:
        for path in ("/", PAGE, "/nope", "/api/incidents", "/login"):
            headers = (await client.get(path)).headers
            assert "script-src 'self'" in headers["content-security-policy"]
            assert "unsafe" not in headers["content-security-policy"]
            assert headers["x-frame-options"] == "DENY" and headers["referrer-policy"] == "same-origin"
            assert headers["cache-control"] == "no-store" and headers["x-content-type-options"] == "nosniff"
        static = re.findall(r'"(/static/[^"]+)"', (await client.get("/")).text)
        kinds = [(await client.get(path)).headers["content-type"] for path in static]
        assert kinds == ["image/svg+xml", "text/css; charset=utf-8", "text/javascript; charset=utf-8"]


HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>\u202egnp\x1b[2J\ud800'


def hostile_sample() -> SampleIncident:
    """Every text that comes from outside is an attack."""
    sample = sample_incident()
    verdict, proposal = sample.verdict, sample.approvals[0].proposal
    assert verdict is not None
    alert = replace(
        sample.alerts[0],
        labels={**sample.alerts[0].labels, "pod": HOSTILE, HOSTILE: "name"},
        annotations={"summary": HOSTILE},
        generator_url="javascript:alert(1)",
    )
    evidence = tuple(
        replace(item, excerpt=HOSTILE, query=HOSTILE, source=HOSTILE, link="javascript:alert(1)")
        for item in verdict.evidence
    )
    hypotheses = tuple(replace(item, statement=HOSTILE, distinguish=HOSTILE) for item in verdict.hypotheses)
    gaps = tuple(replace(gap, what=HOSTILE, reason=HOSTILE, fix=HOSTILE) for gap in verdict.gaps)
    hostile = replace(proposal, preview=f"+ {HOSTILE}\n- {HOSTILE}", undo=HOSTILE, expected=HOSTILE)
    return replace(
        sample,
        incident=replace(sample.incident, title=HOSTILE, service=HOSTILE),
        alerts=(alert,),
        verdict=replace(verdict, evidence=evidence, hypotheses=hypotheses, gaps=gaps),
        approvals=(replace(sample.approvals[0], proposal=hostile, digest=hostile.digest),),
        entries=tuple(replace(entry, text=HOSTILE, actor=HOSTILE) for entry in sample.entries),
        observations=tuple(replace(item, query=HOSTILE) for item in sample.observations),
    )


@pytest.mark.parametrize("path", ["/", PAGE, f"{PAGE}?ask=why", f"{PAGE}?ask=%22%3E%3Cscript%3E", f"{PAGE}?ask=E1"])
async def test_hostile_text_is_shown_as_text(console: ConsoleServer, path: str) -> None:
    await console.put_sample(hostile_sample())
    async with console.client() as client:
        page = await client.get(path)
    assert page.status_code == 200
    found = Markup(page.text)
    assert found.suspicious == [] and "img" not in found.tags
    assert not set("\u202e\x1b") & set(page.text)
    assert "&lt;U+202E&gt;gnp&lt;U+001B&gt;[2J&lt;U+D800&gt;" in page.text


async def test_the_question_box_works_without_a_script(console: ConsoleServer) -> None:
    await console.put()
    async with console.client() as client:
        page = await client.get(PAGE, params={"ask": "logs of checkout since 13:43"})
        shown = await client.get(PAGE, params={"ask": "show latency of checkout"})
    assert "4 stored lines of checkout" in page.text
    assert 'id="answer-1-title"' in shown.text and len(re.findall(r'id="chart-1-title"', shown.text)) == 1


async def assert_waiting(console: ConsoleServer, sample: SampleIncident) -> None:
    approval = await console.store.approvals.get(sample.approvals[0].id)
    assert approval is not None and approval.state is ApprovalState.WAITING
    assert console.decided == []


async def test_hostile_text_is_valid_json_for_scripts(console: ConsoleServer) -> None:
    await console.put_sample(hostile_sample())
    async with console.client() as client:
        row = (await client.get("/api/incidents")).json()["incidents"][0]
        found = (await client.get("/api/incidents/inc-checkout")).json()
        card = found["card"]
        assert card["blocks"][0]["block"] == "headline" and card["blocks"][0]["link"] == "/incidents/inc-checkout"
        assert "buttons" in {block["block"] for block in card["blocks"]}
    assert row["title"] == found["title"] == HOSTILE
    assert found["answer"]["evidence"]["E1"]["excerpt"] == HOSTILE
