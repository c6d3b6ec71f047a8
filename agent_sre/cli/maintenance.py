"""``agent-sre maintenance``: times in which alerts are expected."""

import asyncio
import json
import os
import pwd
from collections.abc import Mapping
from typing import Any

import click

from agent_sre.domain.errors import PermanentError
from agent_sre.settings import load_settings


def own_name() -> str:
    """The account of whoever calls, for the audit log."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


@click.group()
def maintenance() -> None:
    """Maintenance windows: alerts that match are kept and counted, and nobody is called.

    What still fires when a window ends is taken up then.
    """


@maintenance.command("add")
@click.argument("matchers", nargs=-1, required=True)
@click.option("--start", default="now", show_default=True, help="When it begins, as 2026-01-31T22:00:00Z.")
@click.option("--end", default="", help="When it ends.")
@click.option("--for", "lasts", default="", help="How long it lasts, as 2h or 1d12h, instead of --end.")
@click.option("--weekly", default="", help='Every week: "sat,sun 22:00-02:00 Europe/Berlin".')
@click.option("--comment", default="", help="What for; shown with every alert that it suppresses.")
@click.option("--by", default=None, help="Who; default: your account.")
def add_command(matchers: tuple[str, ...], lasts: str, by: str | None, **words: str) -> None:
    """Add a window for alerts that all MATCHERS match, such as namespace=shop 'alertname=~"Pod.*"'."""
    fields = {**words, "for": lasts, "matchers": list(matchers)}
    click.echo(_line(asyncio.run(_add(fields, by or own_name()))))


@maintenance.command("list")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def list_command(as_json: bool) -> None:
    """List windows, the newest first."""
    windows = asyncio.run(_list())
    if as_json:
        click.echo(json.dumps(windows, indent=2))
        return
    for window in windows:
        click.echo(_line(window))
    if not windows:
        click.echo("no maintenance windows")


@maintenance.command("end")
@click.argument("window_id")
@click.option("--by", default=None, help="Who; default: your account.")
def end_command(window_id: str, by: str | None) -> None:
    """End a window now."""
    click.echo(_line(asyncio.run(_end(window_id, by or own_name()))))


async def _add(fields: Mapping[str, object], by: str) -> dict[str, Any]:
    from agent_sre.bootstrap.desk_command import open_desk

    async with open_desk(load_settings()) as desk:
        return desk.plain(await desk.add(fields, by))


async def _list() -> list[dict[str, Any]]:
    from agent_sre.bootstrap.desk_command import open_desk

    async with open_desk(load_settings()) as desk:
        return await desk.windows()


async def _end(window_id: str, by: str) -> dict[str, Any]:
    from agent_sre.bootstrap.desk_command import open_desk

    async with open_desk(load_settings()) as desk:
        window = await desk.end(window_id, by)
        if window is None:
            raise PermanentError(f"there is no maintenance window {window_id}; see agent-sre maintenance list")
        return desk.plain(window)


def _line(window: Mapping[str, Any]) -> str:
    when = window["weekly"] or f"{window['starts_at']} to {window['ended_at'] or window['ends_at']}"
    comment = f"  {window['comment']}" if window["comment"] else ""
    return (
        f"{window['id']}  {window['state']:<7}  {when}  {', '.join(window['matchers'])}  by {window['author']}{comment}"
    )
