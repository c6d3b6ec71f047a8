"""The console in a real browser: decisions, live updates, no script needed, nothing from elsewhere, readable."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from agent_sre.domain.effect import EffectState
from agent_sre.domain.incident import IncidentStatus
from agent_sre.domain.timeline import Entry
from agent_sre.entrypoints.console_stream import Pace
from agent_sre.testing.sample_incident import sample_incident
from tests.contract.console_server import TOKEN, ConsoleServer, running_console
from tests.e2e.console_browser import chromium, open_page

PAGE = "/incidents/inc-checkout"
LIVE = Pace(poll=0.2, heartbeat=5)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as started:
        yield started


@pytest.fixture
async def console() -> AsyncIterator[ConsoleServer]:
    async with running_console(pace=LIVE) as server:
        yield server


async def carry_out(console: ConsoleServer) -> None:
    """What the graph does after an approval, as far as the page shows it."""
    effect = sample_incident(IncidentStatus.RESOLVED).effects[0]
    await console.store.effects.intend(replace(effect, state=EffectState.INTENDED, finished_at=None, verified=None))
    await console.store.effects.record(effect)
    stored = await console.store.incidents.get(effect.incident_id)
    assert stored is not None
    await console.store.incidents.fold(replace(stored, status=IncidentStatus.RESOLVED), (), ())


async def test_approving_is_seen_live_by_everyone_who_watches(
    browser: Browser, console: ConsoleServer, tmp_path: Path
) -> None:
    await console.put()
    context = await browser.new_context()
    presser = await open_page(context, console.url + PAGE)
    watcher = await open_page(context, console.url + PAGE)
    listing = await open_page(context, console.url + "/")
    await expect(watcher.page.locator("#live")).to_have_text("Live")
    await presser.page.get_by_role("button", name="Approve and run once").click()
    await expect(presser.page.get_by_role("alert")).to_have_text(
        "Approved. The action is carried out once, then checked."
    )
    await expect(watcher.page.locator("#actions .steps")).to_contain_text("Approved by operator")
    await expect(watcher.page.get_by_role("button", name="Approve and run once")).to_have_count(0)
    await expect(watcher.page.locator(".timeline")).to_contain_text("operator approved rollout_undo")
    await carry_out(console)
    for page in (presser.page, watcher.page):
        await expect(page.locator("#actions .steps")).to_contain_text("Recovered")
        await expect(page.locator(".pills .status")).to_have_text("resolved")
    await expect(listing.page.locator(".status")).to_have_text("resolved")
    picture = await watcher.page.screenshot(path=tmp_path / "resolved.png", full_page=True)
    assert len(picture) > 20_000
    for watched in (presser, watcher, listing):
        assert watched.complaints == []
        assert [url for url in watched.requests if not url.startswith(console.url)] == []


async def test_what_a_person_typed_and_opened_survives_an_update(browser: Browser, console: ConsoleServer) -> None:
    await console.put()
    watched = await open_page(await browser.new_context(), console.url + PAGE)
    page = watched.page
    await expect(page.locator("#live")).to_have_text("Live")
    await page.locator("#h1-for-E3 > summary").click()
    await page.get_by_placeholder("Reason (kept in the audit log)").fill("not before the")
    await console.store.journal.add(Entry("inc-checkout", console.clock.now(), "note", "somebody else looks too"))
    await expect(page.locator(".timeline")).to_contain_text("somebody else looks too")
    assert await page.locator("#h1-for-E3").get_attribute("open") is not None
    await expect(page.get_by_placeholder("Reason (kept in the audit log)")).to_have_value("not before the")
    assert watched.complaints == []


async def test_a_cited_id_opens_its_evidence(browser: Browser, console: ConsoleServer) -> None:
    await console.put()
    page = (await open_page(await browser.new_context(), console.url + PAGE)).page
    await expect(page.locator("#E5 .excerpt")).to_be_hidden()
    await page.locator(".impact .cite", has_text="E5").click()
    await expect(page.locator("#E5 .excerpt")).to_be_visible()


async def test_deciding_and_asking_need_no_script(browser: Browser, console: ConsoleServer) -> None:
    await console.put()
    page = (await open_page(await browser.new_context(java_script_enabled=False), console.url + PAGE)).page
    await page.get_by_label("Question").fill("logs of checkout since 13:43")
    await page.get_by_role("button", name="Ask").click()
    await expect(page.locator(".answer .heading")).to_contain_text("4 stored lines of checkout")
    await page.get_by_placeholder("Reason (kept in the audit log)").fill("rolling forward")
    await page.get_by_role("button", name="Reject").click()
    await expect(page.get_by_role("alert")).to_have_text("Rejected. Nothing was done.")
    await expect(page.locator("#actions .steps")).to_contain_text("rolling forward")


async def test_logging_in_leads_back_to_the_incident(browser: Browser) -> None:
    async with running_console(token=TOKEN, pace=LIVE) as console:
        await console.put()
        watched = await open_page(await browser.new_context(), console.url + PAGE)
        page = watched.page
        await page.get_by_label("Your name").fill("mira")
        await page.get_by_label("Token").fill(TOKEN)
        await page.get_by_role("button", name="Log in").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("CheckoutErrorRate")
        await page.get_by_role("button", name="Approve and run once").click()
        await expect(page.locator("#actions .steps")).to_contain_text("Approved by mira")
        await page.get_by_role("button", name="Log out").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Log in")
        assert watched.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
async def test_pages_fit_their_width_and_can_be_read(
    browser: Browser, console: ConsoleServer, scheme: str, width: int
) -> None:
    await console.put()
    await console.put(IncidentStatus.RESOLVED, incident_id="inc-old")
    context = await browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800})  # type: ignore[arg-type]
    for path in ("/", f"{PAGE}?ask=show+latency+of+checkout", "/incidents/inc-old?ask=why", "/nope"):
        page = (await open_page(context, console.url + path)).page
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, path
        await page.evaluate("for (const item of document.querySelectorAll('details')) item.open = true")
        assert await page.evaluate(LOW_CONTRAST) == [], path


LOW_CONTRAST = """
() => {
  const channel = (v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0.99) return colour;
    }
    return [255, 255, 255];
  };
  const bad = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.checkVisibility()) continue;
    if (["TITLE", "DESC", "SCRIPT"].includes(element.tagName.toUpperCase())) continue;
    const style = getComputedStyle(element);
    const text = parse(element instanceof SVGElement ? style.fill : style.color);
    const [a, b] = [light(text), light(ground(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) bad.push(`${element.className.baseVal ?? element.className} ${ratio.toFixed(2)}`);
  }
  return bad;
}
"""
"""Every visible text whose contrast with its ground is below WCAG AA's 4.5 to 1."""
