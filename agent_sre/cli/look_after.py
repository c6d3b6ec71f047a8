"""``agent-sre look-after``: say that you look after one, mute or snooze it, or that it is over."""

import asyncio

import click

from agent_sre.cli.maintenance import own_name
from agent_sre.domain.errors import PermanentError
from agent_sre.settings import load_settings

_WISHES = ("acknowledge", "unacknowledge", "mute", "snooze", "unmute", "resolve")


@click.command(
    "look-after", epilog="unmute ends a snooze too. What becomes of it at the alert's source: docs/alerts.md."
)
@click.argument("wish", type=click.Choice(_WISHES))
@click.argument("incident_id")
@click.option("--until", default="", help="End of a snooze, as 2026-01-31T22:00:00Z.")
@click.option("--for", "lasts", default="", help="How long a snooze lasts, as 2h, instead of --until.")
@click.option("--reason", default="", help="Why; on the timeline and in the audit log.")
@click.option("--by", default=None, help="Who; default: your account.")
def look_after(wish: str, incident_id: str, until: str, lasts: str, reason: str, by: str | None) -> None:
    """Acknowledge, mute, snooze or resolve an incident, or take that back."""
    fields = {"until": until, "for": lasts, "reason": reason}
    click.echo(asyncio.run(_say(incident_id, wish, fields, by or own_name())))


async def _say(incident_id: str, wish: str, fields: dict[str, str], by: str) -> str:
    from agent_sre.bootstrap.desk_command import open_desk

    async with open_desk(load_settings()) as desk:
        found, text = await desk.say(incident_id, wish, fields, by)
    if found is None:
        raise PermanentError(f"{text}; is AGENT_SRE_DATA_DIR the service's?")
    return text
