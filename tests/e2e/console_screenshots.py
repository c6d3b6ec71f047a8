"""Pictures of the console, made with the tests' browser: ``python -m tests.e2e.console_screenshots FOLDER``."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from playwright.async_api import expect

from agent_sre.domain.incident import IncidentStatus
from agent_sre.testing.sample_incident import sample_incident
from tests.contract.console_server import running_console
from tests.e2e.console_browser import chromium, open_page

SHOTS = (
    ("console-light", "light", 1280, "/incidents/inc-checkout"),
    ("console-dark", "dark", 1280, "/incidents/inc-checkout"),
    ("console-phone", "light", 400, "/incidents/inc-checkout"),
    ("console-list", "light", 1280, "/"),
)


async def take(folder: Path) -> list[Path]:
    """Write all pictures; returns their paths."""
    taken = []
    async with running_console() as console, chromium() as browser:
        now = datetime.now(UTC).replace(microsecond=0)
        console.clock.set(now)
        for status, name in (
            (IncidentStatus.RESOLVED, "inc-older"),
            (IncidentStatus.AWAITING_APPROVAL, "inc-checkout"),
        ):
            await console.put_sample(sample_incident(status, now=now, incident_id=name))
        for name, scheme, width, path in SHOTS:
            context = await browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 1080})  # type: ignore[arg-type]
            page = (await open_page(context, console.url + path)).page
            await expect(page.locator("#live")).to_have_text("Live")
            taken.append(folder / f"{name}.png")
            await page.screenshot(path=taken[-1])
            await context.close()
    return taken


if __name__ == "__main__":
    for path in asyncio.run(take(Path(sys.argv[1]))):
        print(f"{path} {path.stat().st_size // 1024} KiB")
