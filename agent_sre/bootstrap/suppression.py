"""What suppresses alerts, put together: the site's file, Alertmanager's silences, the store's windows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent_sre.domain.errors import PermanentError
from agent_sre.domain.instant import EPOCH
from agent_sre.domain.suppression import InhibitRule
from agent_sre.ingest.matchers import parse_matchers
from agent_sre.ingest.suppressors import DEFAULT_RULES
from agent_sre.outbound import Endpoint
from agent_sre.service.maintenance import WindowWords, read_window
from agent_sre.service.silence_cache import SilenceCache
from agent_sre.service.suppressions import Site, Suppressions
from agent_sre.settings import PREFIX, Settings

if TYPE_CHECKING:
    from agent_sre.adapters.store_sql import SqlStore
    from agent_sre.domain.maintenance import MaintenanceWindow
    from agent_sre.ports.clock import Clock
    from agent_sre.ports.health import Probe

_SETTING = f"{PREFIX}SUPPRESSION_FILE"
_RULE = frozenset({"source_matchers", "target_matchers", "equal", "name"})
_WINDOW = frozenset({"name", "matchers", "start", "end", "weekly", "comment", "author"})


def suppressions(settings: Settings, store: SqlStore, clock: Clock) -> Suppressions:
    """All of it. Raises PermanentError for a site's file that cannot be read."""
    peers = alertmanagers(settings)
    cache = None
    if peers:
        from agent_sre.adapters.silences_alertmanager import AlertmanagerSilences

        cache = SilenceCache(AlertmanagerSilences(peers), settings.silence_seconds)
    return Suppressions(
        maintenance=store.maintenance,
        incidents=store.incidents,
        held=store.incidents,
        approvals=store.approvals,
        clock=clock,
        site=site(settings),
        silences=cache,
    )


def alertmanagers(settings: Settings) -> tuple[Endpoint, ...]:
    """One endpoint per peer."""
    return tuple(
        Endpoint(
            name="Alertmanager",
            settings=f"{PREFIX}ALERTMANAGER",
            url=url,
            bearer=settings.alertmanager_api_token.get_secret_value(),
            bearer_file=settings.alertmanager_api_token_file,
            username=settings.alertmanager_username,
            password=settings.alertmanager_password.get_secret_value(),
            headers=settings.alertmanager_headers,
            ca_file=settings.alertmanager_ca_file,
            timeout_seconds=settings.alertmanager_timeout,
            login=("API_TOKEN", "USERNAME", "PASSWORD", "HEADERS"),
        )
        for url in settings.listed(settings.alertmanager_url)
    )


def silence_probes(settings: Settings) -> list[Probe]:
    """What looks at each peer for the doctor."""
    peers = alertmanagers(settings)
    if not peers:
        return []
    from agent_sre.adapters.silences_alertmanager import AlertmanagerProbe

    return [AlertmanagerProbe(peers)]


def site(settings: Settings) -> Site:
    """What the site's file says; the default rule where there is none. Raises PermanentError naming the entry."""
    if not settings.suppression_file:
        return Site(rules=DEFAULT_RULES)
    from agent_sre.adapters.snapshot_directory.documents import load_yaml

    file = Path(settings.suppression_file)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise PermanentError(f"{_SETTING}={file}: {error.strerror}; name a readable file") from None
    document = load_yaml(content, str(file)) or {}
    if not isinstance(document, Mapping) or set(document) - {"inhibit_rules", "maintenance"}:
        raise PermanentError(f"{_SETTING}={file}: its keys are inhibit_rules and maintenance")
    rules = document.get("inhibit_rules")
    listed = enumerate(_list(rules, f"{file}: inhibit_rules"))
    windows = enumerate(_list(document.get("maintenance"), f"{file}: maintenance"))
    return Site(
        windows=tuple(_window(f"{file}: maintenance[{place}]", entry) for place, entry in windows),
        rules=DEFAULT_RULES if rules is None else tuple(_rule(f"{file}: inhibit_rules[{n}]", one) for n, one in listed),
    )


def _rule(place: str, entry: Any) -> InhibitRule:
    fields = _fields(place, entry, _RULE)
    try:
        source, target = (parse_matchers(_list(fields.get(f"{side}_matchers"), place)) for side in ("source", "target"))
    except PermanentError as error:
        raise PermanentError(f"{place}: {error}") from None
    return InhibitRule(source, target, tuple(map(str, _list(fields.get("equal"), place))), str(fields.get("name", "")))


def _window(place: str, entry: Any) -> MaintenanceWindow:
    fields = _fields(place, entry, _WINDOW)
    words = WindowWords(
        matchers=_list(fields.get("matchers"), place),
        start=str(fields.get("start", "1970-01-01T00:00:00Z")),
        end=str(fields.get("end", "")),
        weekly=str(fields.get("weekly", "")),
        comment=str(fields.get("comment", "")),
    )
    name = str(fields.get("name") or place.rpartition(" ")[2])
    try:
        return read_window(words, name, str(fields.get("author") or "the site's file"), EPOCH)
    except PermanentError as error:
        raise PermanentError(f"{place}: {error}") from None


def _fields(place: str, entry: Any, known: frozenset[str]) -> Mapping[str, Any]:
    if not isinstance(entry, Mapping) or set(entry) - known:
        raise PermanentError(f"{place}: its keys are {', '.join(sorted(known))}")
    return entry


def _list(value: Any, place: str) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise PermanentError(f"{place}: a list is needed, not {type(value).__name__}")
    return value
