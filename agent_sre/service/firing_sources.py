"""Which firing alerts may inhibit others, kept by rule and by the values of the labels that must be equal.

Kept in memory because every message is compared with it, and rebuilt from the store by whoever starts: it holds nothing
that is not stored. Bounded: beyond the bound the oldest inhibits no more, so that an incident too many is opened rather
than one too few.
"""

from collections.abc import Iterable, Mapping, Sequence

from agent_sre.domain.alert import Alert, AlertStatus
from agent_sre.domain.suppression import InhibitRule
from agent_sre.ingest.matchers import all_match
from agent_sre.ingest.suppressors import equal_labels

MOST = 20_000
_Key = tuple[int, tuple[str, ...]]


class FiringSources:
    """``lost`` counts sources that stopped firing: what they inhibited must be looked at then."""

    def __init__(self, rules: Sequence[InhibitRule], most: int = MOST) -> None:
        self.rules = tuple(rules)
        self.lost = 0
        self._most = most
        self._words: dict[tuple[str, str], Alert] = {}
        self._by_key: dict[_Key, dict[tuple[str, str], Alert]] = {}

    @property
    def by_key(self) -> Mapping[_Key, Mapping[tuple[str, str], Alert]]:
        """As ``Suppressors.sources``."""
        return self._by_key

    def notice(self, alerts: Iterable[Alert]) -> None:
        """Take messages in, in any order."""
        for alert in alerts:
            keys = [
                (number, equal_labels(rule, alert))
                for number, rule in enumerate(self.rules)
                if all_match(rule.source, alert.labels)
            ]
            identity = (alert.source, alert.fingerprint)
            known = self._words.get(identity)
            if not keys or (known is not None and not alert.overrides(known)):
                continue
            self._forget(identity)
            # What is over is remembered too, so that a firing message that comes late does not bring it back.
            self._words[identity] = alert
            if alert.status is AlertStatus.FIRING:
                for key in keys:
                    self._by_key.setdefault(key, {})[identity] = alert
            elif known is not None and known.status is AlertStatus.FIRING:
                self.lost += 1
            while len(self._words) > self._most:
                oldest = next(iter(self._words))
                self._forget(oldest)
                self.lost += 1

    def _forget(self, identity: tuple[str, str]) -> None:
        known = self._words.pop(identity, None)
        if known is None or known.status is not AlertStatus.FIRING:
            return
        for number, rule in enumerate(self.rules):
            key = (number, equal_labels(rule, known))
            if identity in self._by_key.get(key, {}):
                del self._by_key[key][identity]
                if not self._by_key[key]:
                    del self._by_key[key]
