"""``agent-sre incident``: look at a running service's incidents, where an alert went, merge, split, mute, resolve.

Talks to the service's JSON API, as any script may, so that it works from any machine and the service acts at once.
"""

import json
import sys
from typing import Any

import click
import httpx

from agent_sre.cli.maintenance import own_name
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.settings import PREFIX, Settings, load_settings


@click.group()
@click.option("--url", default="", help="Where the service is. Default: AGENT_SRE_EXTERNAL_URL, or its host and port.")
@click.pass_context
def incident(ctx: click.Context, url: str) -> None:
    """Incidents of a running service."""
    settings = load_settings()
    ctx.obj = (url or settings.console_url or f"http://127.0.0.1:{settings.port}", settings)


@incident.command()
@click.argument("incident_id")
@click.option("--json", "as_json", is_flag=True, help="The whole incident as JSON.")
@click.pass_obj
def show(obj: tuple[str, Settings], incident_id: str, as_json: bool) -> None:
    """What an incident is, and why each of its alerts is in it."""
    found = _ask(obj, "GET", f"/api/incidents/{incident_id}")
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    click.echo(f"{found['id']} {found['priority']} {found['status']}: {found['title']}")
    click.echo(f"  {found['priority']} because: {found['priority_because']}")
    if found["part_of"]:
        click.echo(f"  part of {found['part_of']}")
    for alert in found["alerts"]:
        status = "no word" if alert["no_word"] else alert["status"]
        click.echo(f"  {alert['fingerprint']} {alert['name']} ({status})")
        if alert["placement"]:
            _tell(alert["placement"])


@incident.command()
@click.argument("name_or_fingerprint")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def where(obj: tuple[str, Settings], name_or_fingerprint: str, as_json: bool) -> None:
    """Where alerts of a name or fingerprint went, and why: "why was I not called?". Status 1 where none is known."""
    found = _ask(obj, "GET", "/api/alerts", params={"q": name_or_fingerprint})
    if as_json:
        click.echo(json.dumps(found, indent=2))
    for item in () if as_json else found["alerts"]:
        click.echo(f"{item['fingerprint']} {item['name']} in {item['incident']}")
        _tell(item)
    if not found["alerts"]:
        click.echo("No alert of this name or fingerprint has been taken into an incident.", err=True)
        sys.exit(1)


@incident.command()
@click.argument("incident_id")
@click.argument("into")
@click.option("--reason", default="", help="Kept in the audit log and on both timelines.")
@click.option("--by", default="", help="Who does it; default: the service's operator.")
@click.pass_obj
def merge(obj: tuple[str, Settings], incident_id: str, into: str, reason: str, by: str) -> None:
    """Move all alerts of an incident INTO another one, and close it."""
    body = {"into": into, "reason": reason, "by": by}
    done = _ask(obj, "POST", f"/api/incidents/{incident_id}/merge", body=body)
    click.echo(f"{incident_id} is merged into {done['incident']}: {done['alerts_firing']} alerts fire there")


@incident.command()
@click.argument("incident_id")
@click.argument("fingerprints", nargs=-1, required=True)
@click.option("--reason", default="", help="Kept in the audit log and on both timelines.")
@click.option("--by", default="", help="Who does it; default: the service's operator.")
@click.pass_obj
def split(obj: tuple[str, Settings], incident_id: str, fingerprints: tuple[str, ...], reason: str, by: str) -> None:
    """Move alerts of an incident to one of their own, which is investigated by itself."""
    body = {"fingerprints": list(fingerprints), "reason": reason, "by": by}
    done = _ask(obj, "POST", f"/api/incidents/{incident_id}/split", body=body)
    click.echo(f"{len(fingerprints)} alerts of {incident_id} are in {done['incident']} now")


_WISHES = {
    "acknowledge": "Say that you look after an incident; its alert source is told where that is set up.",
    "unacknowledge": "Take back that somebody looks after an incident.",
    "mute": "Leave an incident alone until somebody unmutes it; its alerts are counted on.",
    "unmute": "End a mute or a snooze.",
    "resolve": "Say that an incident is over.",
}


def _say(obj: tuple[str, Settings], incident_id: str, wish: str, **fields: str) -> None:
    done = _ask(obj, "POST", f"/api/incidents/{incident_id}/{wish}", body={**fields, "by": fields["by"] or own_name()})
    click.echo(done["because"])


def _wish(wish: str, meaning: str) -> None:
    @incident.command(wish, help=f"{meaning} What becomes of it at the alert's source: docs/alerts.md.")
    @click.argument("incident_id")
    @click.option("--reason", default="", help="Why; on the timeline and in the audit log.")
    @click.option("--by", default="", help="Who; default: your account.")
    @click.pass_obj
    def said(obj: tuple[str, Settings], incident_id: str, reason: str, by: str) -> None:
        _say(obj, incident_id, wish, reason=reason, by=by)


for _name, _meaning in _WISHES.items():
    _wish(_name, _meaning)


@incident.command()
@click.argument("incident_id")
@click.option("--until", default="", help="Its end, as 2026-01-31T22:00:00Z.")
@click.option("--for", "lasts", default="", help="How long it lasts, as 2h, instead of --until.")
@click.option("--reason", default="", help="Why; on the timeline and in the audit log.")
@click.option("--by", default="", help="Who; default: your account.")
@click.pass_obj
def snooze(obj: tuple[str, Settings], incident_id: str, until: str, lasts: str, reason: str, by: str) -> None:
    """Leave an incident alone until a time; it is taken up then if it still fires."""
    _say(obj, incident_id, "snooze", until=until, **{"for": lasts}, reason=reason, by=by)


def _tell(placement: dict[str, Any]) -> None:
    click.echo(f"    {placement['because']}")
    if placement["facts"]:
        click.echo(f"    facts: {', '.join(placement['facts'])}")
    counts = ", ".join(f"{count} {reason}" for reason, count in sorted(placement["messages_by_reason"].items()))
    click.echo(f"    {placement['messages']} messages: {counts}")
    if placement["latest"] != placement["reason"]:
        click.echo(f"    latest, at {placement['latest_at']}: {placement['latest_because']}")


def _ask(
    obj: tuple[str, Settings],
    method: str,
    path: str,
    *,
    params: dict[str, str] | None = None,
    body: dict[str, Any] | None = None,
) -> dict[str, Any]:
    url, settings = obj
    token = settings.console_token.get_secret_value()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with httpx.Client(base_url=url, headers=headers, timeout=30.0, trust_env=False) as client:
            response = client.request(method, path, params=params, json=body)
    except httpx.HTTPError as error:
        raise TemporaryError(f"no service answers at {url} ({error}): start it, or name another with --url") from error
    try:
        answer: dict[str, Any] = response.json()
    except ValueError:
        raise PermanentError(f"{url} does not answer as agent_sre does: name the service with --url") from None
    if response.status_code == httpx.codes.UNAUTHORIZED:
        raise PermanentError(f"{url} does not take this token: set {PREFIX}CONSOLE_TOKEN to the service's")
    if response.is_error:
        raise PermanentError(str(answer.get("error", f"status {response.status_code}")))
    return answer
