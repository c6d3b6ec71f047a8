"""Alertmanager, told by silences: it knows no acknowledgement, so an alert that somebody looks after is silenced.

One silence for each firing alert, by all of its labels, so that nothing else is silenced; ours are known by their
comment. What is there already is found before anything is made, so a repeated call makes no second one. An end that is
moved is an update of the same silence; expiring one that is gone is no error.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from agent_sre.domain.alert import Alert
from agent_sre.domain.errors import AgentSreError, PermanentError, TemporaryError
from agent_sre.domain.instant import format_instant, parse_instant
from agent_sre.domain.suppression import OWN_SILENCE
from agent_sre.domain.writeback import Verb, Writeback
from agent_sre.outbound import Call, Endpoint, Exchange
from agent_sre.outbound.exchange import Refused, bounded

MOST = 50
"""Silences for one incident."""
_SILENCED = frozenset({Verb.ACKNOWLEDGE, Verb.SNOOZE})
_BYTES = 16 * 1024 * 1024


class AlertmanagerSilencer:
    """SourceWriter. Several peers of one cluster: the first that answers is told, the others hear of it from it."""

    name = "Alertmanager"

    def __init__(self, peers: Sequence[Endpoint], lasts: timedelta) -> None:
        self._peers = [Exchange(peer) for peer in peers]
        self._lasts = lasts

    def covers(self, alert: Alert) -> bool:
        """Alerts of Alertmanager's own webhook."""
        return alert.source == "alertmanager"

    async def write(self, item: Writeback, alerts: Sequence[Alert]) -> str:
        """Silence what is acknowledged or snoozed; expire that where it is taken back or over."""
        problem: AgentSreError = PermanentError("no Alertmanager is configured; set AGENT_SRE_ALERTMANAGER_URL")
        for peer in self._peers:
            try:
                if item.verb in _SILENCED:
                    return await self._silence(peer, item, alerts)
                return await self._expire(peer, item)
            except TemporaryError as error:
                problem = error
        raise problem

    async def close(self) -> None:
        """Close the connections."""
        for peer in self._peers:
            await peer.close()

    async def _silence(self, peer: Exchange, item: Writeback, alerts: Sequence[Alert]) -> str:
        known = {_labels(silence): silence for silence in await self._own(peer, item)}
        until = item.until or item.asked_at + self._lasts
        for alert in alerts[:MOST]:
            there = known.get(tuple(sorted(alert.labels.items())))
            if there is not None and parse_instant(there["endsAt"]) == until:
                continue
            matchers = [
                {"name": name, "value": value, "isRegex": False, "isEqual": True}
                for name, value in sorted(alert.labels.items())
            ]
            silence = {
                "matchers": matchers,
                "startsAt": format_instant(item.asked_at),
                "endsAt": format_instant(until),
                "createdBy": item.by,
                "comment": _comment(item),
            }
            if there is not None:
                silence |= {"id": there["id"], "startsAt": there["startsAt"]}
            await peer.document(Call("POST", "api/v2/silences", document=silence))
        left = f"; {len(alerts) - MOST} more alerts are not silenced" if len(alerts) > MOST else ""
        made = min(len(alerts), MOST)
        return f"{made} alert{'s' if made > 1 else ''} silenced until {format_instant(until)}{left}"

    async def _expire(self, peer: Exchange, item: Writeback) -> str:
        own = await self._own(peer, item)
        for silence in own:
            call = Call("DELETE", f"api/v2/silence/{quote(str(silence['id']), safe='')}")
            try:
                await peer.read(call, lambda parts: bounded(parts, _BYTES))
            except Refused as error:
                if error.status != 404:
                    raise
        return f"{len(own)} of our silences expired" if own else ""

    async def _own(self, peer: Exchange, item: Writeback) -> list[Any]:
        document = await peer.document(Call("GET", "api/v2/silences"), _BYTES)
        with peer.well_formed():
            lasting = [one for one in document if one["status"]["state"] in ("active", "pending")]
            return [one for one in lasting if one["comment"] == _comment(item)]


def _comment(item: Writeback) -> str:
    return f"{OWN_SILENCE} {item.incident_id}"


def _labels(silence: Any) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((str(one["name"]), str(one["value"])) for one in silence["matchers"]))
