"""What each webhook asks of its senders, from the settings: fail closed, and complain about names that do not exist."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network
from typing import TYPE_CHECKING

from agent_sre.domain.errors import PermanentError
from agent_sre.entrypoints.quota import Quota
from agent_sre.entrypoints.webhook_auth import WebhookAuth
from agent_sre.entrypoints.webhook_door import Door
from agent_sre.entrypoints.webhook_signature import (
    GrafanaSignature,
    PagerDutySignature,
    SentrySignature,
    SignedMessage,
    SlackSignature,
)
from agent_sre.ports.clock import Clock
from agent_sre.service.alert_sources import SOURCES, Proof
from agent_sre.settings import PREFIX, Settings

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

    from agent_sre.entrypoints.webhook_signature import Signature

CHANGES = "changes"
NAMES = (*SOURCES, CHANGES)
"""Every webhook."""

_ALWAYS_SIGNED = frozenset({Proof.PAGERDUTY, Proof.SENTRY, Proof.SNS, Proof.SLACK})
_INSTALL = 'install it: pip install "agent-sre[sns]"'


def doors(settings: Settings, clock: Clock) -> Mapping[str, Door]:
    """The door of every webhook. Raises PermanentError for a name that is no webhook's, and for a bad network."""
    insecure = settings.listed(settings.insecure_sources)
    for setting, names in (
        ("INSECURE_SOURCES", insecure),
        ("ROUTE_KEYS", settings.route_keys),
        ("SOURCE_NETWORKS", settings.source_networks),
    ):
        if wrong := sorted(set(names) - set(NAMES)):
            raise PermanentError(
                f"{PREFIX}{setting} names {wrong[0]!r}, which is no webhook; known: {', '.join(NAMES)}"
            )
    if signed := sorted(name for name in insecure if not _may_be_insecure(name)):
        raise PermanentError(
            f"{PREFIX}INSECURE_SOURCES names {signed[0]!r}, which is never taken unsigned; set {PREFIX}"
            f"{_opened_by(signed[0], SOURCES[signed[0]].proof)}"
        )
    return {name: _door(settings, clock, name, settings.loopback or name in insecure) for name in NAMES}


def _may_be_insecure(name: str) -> bool:
    # Slack comes from the internet, through whatever leads it to a loopback address: there is no unsigned Slack.
    return name not in SOURCES or SOURCES[name].proof is not Proof.SLACK


def _door(settings: Settings, clock: Clock, name: str, open_without_secret: bool) -> Door:
    proof = SOURCES[name].proof if name in SOURCES else Proof.SHARED
    signs = proof in _ALWAYS_SIGNED
    key = settings.route_keys.get(name)
    return Door(
        WebhookAuth(
            "" if signs else _secret(settings, f"{name}_token"), open_without_secret and _may_be_insecure(name)
        ),
        setting=f"{PREFIX}{_opened_by(name, proof)}",
        signature=_signature(settings, clock, proof),
        signs=signs,
        may_be_insecure=_may_be_insecure(name),
        route_key=key.get_secret_value() if key else "",
        networks=_networks(settings, name),
        quota=Quota(settings.webhook_rate, settings.webhook_burst),
    )


def _opened_by(name: str, proof: Proof) -> str:
    """The setting that opens a source."""
    if proof is Proof.SNS:
        return "CLOUDWATCH_TOPICS"
    return f"{name.upper()}_SECRET" if proof in _ALWAYS_SIGNED else f"{name.upper()}_TOKEN"


def _signature(settings: Settings, clock: Clock, proof: Proof) -> Signature | None:
    """What checks the source's signature; None where it has none, or none is configured."""
    if proof is Proof.PAGERDUTY and (secret := _secret(settings, "pagerduty_secret")):
        return PagerDutySignature(secret)
    if proof is Proof.SENTRY and (secret := _secret(settings, "sentry_secret")):
        return SentrySignature(secret)
    if proof is Proof.GRAFANA and (secret := _secret(settings, "grafana_secret")):
        return GrafanaSignature(secret, settings.grafana_timestamp_header, clock.now)
    if proof is Proof.SLACK and (secret := _secret(settings, "slack_secret")):
        return SlackSignature(secret, _teams(settings), clock.now)
    topics = frozenset(settings.listed(settings.cloudwatch_topics))
    return _sns(topics, clock) if proof is Proof.SNS and topics else None


def _teams(settings: Settings) -> frozenset[str]:
    teams = frozenset(settings.listed(settings.slack_teams))
    if not teams:
        raise PermanentError(
            f"{PREFIX}SLACK_SECRET is set and {PREFIX}SLACK_TEAMS is empty; name the workspace's id (T...)"
        )
    return teams


def _sns(topics: frozenset[str], clock: Clock) -> Signature:
    try:
        from agent_sre.adapters.sns_signature import Certificates, SnsProof
    except ModuleNotFoundError as error:
        raise PermanentError(
            f"{PREFIX}CLOUDWATCH_TOPICS is set, but {error.name} is not installed; {_INSTALL}"
        ) from None
    return SignedMessage(SnsProof(topics, Certificates(), clock))


def _secret(settings: Settings, name: str) -> str:
    secret: str = getattr(settings, name).get_secret_value()
    return secret


def _networks(settings: Settings, name: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(item) for item in settings.listed(settings.source_networks.get(name, "")))
    except ValueError as error:
        raise PermanentError(f"{PREFIX}SOURCE_NETWORKS of {name}: {error}; write networks as 10.0.0.0/8") from None
