"""Live updates: an event when something changed, silence otherwise, and an end when it is time to end."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from agent_sre.domain.incident import IncidentStatus
from agent_sre.domain.timeline import Entry
from agent_sre.entrypoints.console_stream import Pace
from tests.contract.console_server import QUICK, ConsoleServer, csrf_of, running_console

PAGE = "/incidents/inc-checkout"
NEVER_POLLS = Pace(poll=60, heartbeat=60)


class Stream:
    """What one live view is sent."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines: AsyncIterator[str] = response.aiter_lines()

    async def event(self) -> str:
        """The next event's revision."""
        async with asyncio.timeout(10):
            async for line in self._lines:
                if line.startswith("data: "):
                    return line.removeprefix("data: ")
        raise AssertionError("the stream ended without an event")

    async def line(self, wanted: str) -> None:
        """Wait for a line."""
        async with asyncio.timeout(10):
            async for line in self._lines:
                if line == wanted:
                    return
        raise AssertionError(f"the stream ended without {wanted!r}")

    async def end(self) -> None:
        """Wait for the end."""
        async with asyncio.timeout(10):
            async for _ in self._lines:
                pass


async def status_of_a_new_view(client: httpx.AsyncClient) -> int:
    async with client.stream("GET", "/stream") as response:
        return response.status_code


@pytest.fixture
async def console() -> AsyncIterator[ConsoleServer]:
    async with running_console() as server:
        yield server


async def test_a_change_is_an_event_and_the_page_knows_its_own_revision(console: ConsoleServer) -> None:
    await console.put()
    async with console.client() as client, client.stream("GET", f"{PAGE}/stream") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        stream = Stream(response)
        first = await stream.event()
        assert f'data-revision="{first}"' in (await client.get(PAGE)).text
        await console.store.journal.add(Entry("inc-checkout", console.clock.now(), "note", "somebody looks"))
        second = await stream.event()
        assert second != first and f'data-revision="{second}"' in (await client.get(PAGE)).text


async def test_a_decision_is_heard_at_once_without_polling() -> None:
    async with running_console(pace=NEVER_POLLS) as console:
        sample = await console.put()
        async with (
            console.client() as client,
            client.stream("GET", f"{PAGE}/stream") as one,
            client.stream("GET", "/stream") as other,
        ):
            page, listing = Stream(one), Stream(other)
            before = {await page.event(), await listing.event()}
            form = {
                "csrf": csrf_of(await client.get(PAGE)),
                "digest": sample.approvals[0].digest,
                "decision": "approve",
            }
            await client.post(f"/approvals/{sample.approvals[0].id}", data=form)
            assert {await page.event(), await listing.event()}.isdisjoint(before)


async def test_another_incidents_change_is_no_event(console: ConsoleServer) -> None:
    await console.put()
    await console.put(incident_id="inc-other")
    async with console.client() as client, client.stream("GET", f"{PAGE}/stream") as response:
        stream = Stream(response)
        await stream.event()
        await console.store.journal.add(Entry("inc-other", console.clock.now(), "note", "elsewhere"))
        console.signal.notify("inc-other")
        # Two signs of life later nothing but signs of life has come.
        seen = []
        async with asyncio.timeout(10):
            async for line in stream._lines:
                seen.append(line)
                if seen.count(": still here") == 2:
                    break
        assert not [line for line in seen if line.startswith("data")]


async def test_the_list_hears_of_a_new_incident(console: ConsoleServer) -> None:
    async with console.client() as client, client.stream("GET", "/stream") as response:
        stream = Stream(response)
        first = await stream.event()
        await console.put(IncidentStatus.OPEN)
        assert await stream.event() != first


async def test_streams_end_at_once_when_the_server_stops() -> None:
    async with running_console(pace=NEVER_POLLS) as console:
        await console.put()
        async with console.client() as client, client.stream("GET", f"{PAGE}/stream") as response:
            stream = Stream(response)
            await stream.event()
            console.server.should_exit = True
            await stream.end()
        async with asyncio.timeout(3):
            await asyncio.shield(console.serving)


async def test_a_stream_ends_by_itself_after_its_longest_time() -> None:
    short = replace(QUICK, longest=0.1)
    async with (
        running_console(pace=short) as console,
        console.client() as client,
        client.stream("GET", "/stream") as response,
    ):
        await Stream(response).end()


async def test_views_are_bounded_and_a_closed_one_makes_room() -> None:
    async with running_console(max_streams=1) as console, console.client() as client:
        async with client.stream("GET", "/stream") as response:
            await Stream(response).event()
            refused = await client.get("/stream")
            assert refused.status_code == 503 and refused.headers["retry-after"] == "30"
        # The server learns a moment later that the view is gone.
        async with asyncio.timeout(10):
            while await status_of_a_new_view(client) == 503:
                pass


async def test_an_unknown_incident_has_no_stream(console: ConsoleServer) -> None:
    async with console.client() as client:
        assert (await client.get("/incidents/inc-nowhere/stream")).status_code == 404


async def test_time_passing_alone_changes_nothing(console: ConsoleServer) -> None:
    await console.put()
    async with console.client() as client, client.stream("GET", f"{PAGE}/stream") as response:
        stream = Stream(response)
        await stream.event()
        console.clock.advance(timedelta(minutes=5))
        await stream.line(": still here")
