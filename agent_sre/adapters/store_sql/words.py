"""The last words on the alerts of incidents that are being folded into, kept in memory by the incident's version.

A storm adds to one incident again and again, and each time needs what is known of all its alerts; reading ten thousand
of them back for every hundred new ones would take longer than everything else. The version in the database says
whether what is kept is still true: whoever changes an incident's alerts changes its version in the same transaction.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from agent_sre.domain.alert import Alert

_MOST = 50_000
"""Alerts kept, of all incidents together; about a hundred megabytes at the very most, for a storm of that many."""


@dataclass(frozen=True, slots=True)
class Word:
    """The last word on one alert, and where it stands in the order of its incident's alerts."""

    starts_at: datetime
    sequence: int
    alert: Alert


class Words:
    """Words by incident; the incident that was asked for least recently goes first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[int, dict[str, Word]]] = OrderedDict()
        self._count = 0

    def at(self, incident_id: str, version: int) -> Mapping[str, Word] | None:
        """The words of an incident in this version, by fingerprint; None where they are not known."""
        found = self._kept.get(incident_id)
        if found is None or found[0] != version:
            return None
        self._kept.move_to_end(incident_id)
        return found[1]

    def keep(self, incident_id: str, version: int, words: Iterable[Word]) -> None:
        """Remember all words of an incident in this version."""
        self.forget(incident_id)
        kept = {word.alert.fingerprint: word for word in words}
        self._kept[incident_id] = (version, kept)
        self._count += len(kept)
        while self._count > _MOST:
            self.forget(next(iter(self._kept)))

    def follow(self, incident_id: str, before: int, after: int, words: Iterable[Word]) -> None:
        """The incident went from one version to the next, with these new words."""
        known = self.at(incident_id, before)
        if known is None and before == 0:
            self.keep(incident_id, after, words)
        elif known is not None:
            self.keep(incident_id, after, {**known, **{word.alert.fingerprint: word for word in words}}.values())

    def forget(self, incident_id: str) -> None:
        """Drop an incident's words."""
        found = self._kept.pop(incident_id, None)
        self._count -= len(found[1]) if found else 0
