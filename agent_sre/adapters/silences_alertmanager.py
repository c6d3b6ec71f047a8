"""Silences of Alertmanager, by its API v2 (GET /api/v2/silences): the peers of one cluster, or several by themselves.

Peers of a cluster tell each other their silences, so each is asked and a silence that several have counts once. One
that does not answer is a gap; only where none answers nobody can tell.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from agent_sre.domain.errors import AgentSreError, TemporaryError
from agent_sre.domain.instant import parse_instant
from agent_sre.domain.matcher import Matcher, Operator
from agent_sre.domain.suppression import OWN_SILENCE, Silence
from agent_sre.outbound import Call, Endpoint, Exchange
from agent_sre.ports.health import Check, CheckState
from agent_sre.ports.suppression import Silences

MAX_BYTES = 16 * 1024 * 1024
MAX_SILENCES = 5_000
_OPERATORS = {
    (False, True): Operator.EQUAL,
    (False, False): Operator.NOT_EQUAL,
    (True, True): Operator.MATCHES,
    (True, False): Operator.NOT_MATCHES,
}
"""By isRegex and isEqual."""


class AlertmanagerSilences:
    """SilenceReader; one endpoint per peer."""

    def __init__(self, peers: Sequence[Endpoint]) -> None:
        self._peers = [Exchange(peer) for peer in peers]

    async def silences(self) -> Silences:
        """The union over all peers that answer."""
        answers = await asyncio.gather(*(self._of(peer) for peer in self._peers))
        failed = [answer for answer in answers if isinstance(answer, AgentSreError)]
        if len(failed) == len(answers):
            raise TemporaryError("; ".join(str(error) for error in failed))
        found = {item.id: item for answer in answers if not isinstance(answer, AgentSreError) for item in answer}
        gaps = [str(error) for error in failed]
        if len(found) > MAX_SILENCES:
            gaps.append(f"{len(found)} silences are in force, of which only {MAX_SILENCES} are heeded")
        return Silences(tuple(found.values())[:MAX_SILENCES], "; ".join(gaps))

    async def close(self) -> None:
        """Close the connections."""
        for peer in self._peers:
            await peer.close()

    async def _of(self, peer: Exchange) -> list[Silence] | AgentSreError:
        try:
            document = await peer.document(Call("GET", "api/v2/silences"), MAX_BYTES)
            with peer.well_formed():
                lasting = [item for item in document if item["status"]["state"] in ("active", "pending")]
                return [_silence(item) for item in lasting if not str(item.get("comment", "")).startswith(OWN_SILENCE)]
        except AgentSreError as error:
            return error


class AlertmanagerProbe:
    """Looks at each peer for the doctor."""

    def __init__(self, peers: Sequence[Endpoint]) -> None:
        self._peers = tuple(peers)

    async def check(self) -> tuple[Check, ...]:
        """One line a peer."""
        return tuple([await self._look(peer) for peer in self._peers])

    async def _look(self, peer: Endpoint) -> Check:
        reader = AlertmanagerSilences([peer])
        subject = f"silences of {peer}"
        try:
            found = await reader.silences()
        except AgentSreError as error:
            fix = f"check {peer.settings}_URL and its login; until then nothing counts as silenced"
            return Check(subject, CheckState.WARNING, str(error), fix)
        finally:
            await reader.close()
        return Check(subject, CheckState.OK, f"{len(found.items)} are active or pending")


def _silence(item: Mapping[str, Any]) -> Silence:
    return Silence(
        id=str(item["id"]),
        matchers=tuple(
            # isEqual was added later; Alertmanagers before 0.22 knew only equality.
            Matcher(
                str(one["name"]), _OPERATORS[bool(one["isRegex"]), bool(one.get("isEqual", True))], str(one["value"])
            )
            for one in item["matchers"]
        ),
        starts_at=parse_instant(item["startsAt"]),
        ends_at=parse_instant(item["endsAt"]),
        author=str(item.get("createdBy", "")),
        comment=str(item.get("comment", "")),
    )
