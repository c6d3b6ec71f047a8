"""Every source of alerts: how its messages are read, and what can prove that they are its own.

One line per source; the routes, the doctor, the settings' check and ``/openapi.json`` follow from this table. A source
is one file in ``ingest`` and one line here (and, where it has a new way to prove itself, that in ``entrypoints``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from agent_sre.ingest import (
    alertmanager,
    azure,
    cloudevents,
    cloudwatch,
    datadog,
    generic,
    google,
    grafana,
    opsgenie,
    pagerduty,
    sentry,
    slack_message,
)
from agent_sre.ingest.told import Reading


class Proof(StrEnum):
    """What a source can show besides a shared secret in a header or in the path."""

    SHARED = "shared secret"
    GRAFANA = "Grafana's HMAC, where configured"
    PAGERDUTY = "PagerDuty's HMAC"
    SENTRY = "Sentry's HMAC"
    SNS = "Amazon SNS's RSA signature"
    SLACK = "Slack's HMAC of time and body, and the workspace"


@dataclass(frozen=True, slots=True)
class Source:
    """One source. ``parse`` takes a decoded payload and the moment of receipt (UTC), and raises PayloadError.

    ``form``: it may send a form instead of JSON. ``mends``: it cuts characters in two. ``resources``: the values of its
    resource header under which alerts come, empty where it has none.
    """

    name: str
    title: str
    parse: Callable[[object, datetime], Reading]
    proof: Proof = Proof.SHARED
    form: bool = False
    mends: bool = False
    resources: frozenset[str] = frozenset()


def _alertmanager(payload: object, received_at: datetime) -> Reading:
    return Reading(alertmanager.parse(payload, received_at))


_ALL = (
    Source(alertmanager.SOURCE, 'Alertmanager webhook, version "4"', _alertmanager),
    Source(grafana.SOURCE, "Grafana unified alerting, webhook contact point", grafana.parse, Proof.GRAFANA),
    Source(pagerduty.SOURCE, "PagerDuty V3 webhook", pagerduty.parse, Proof.PAGERDUTY),
    Source(opsgenie.SOURCE, "Opsgenie webhook integration", opsgenie.parse, mends=True),
    Source(datadog.SOURCE, "Datadog webhook, by the template of docs/alerts.md", datadog.parse, form=True),
    Source(cloudwatch.SOURCE, "CloudWatch alarm through Amazon SNS", cloudwatch.parse, Proof.SNS),
    Source(
        sentry.SOURCE,
        "Sentry issue alert, metric alert or issue",
        sentry.parse,
        Proof.SENTRY,
        resources=sentry.RESOURCES,
    ),
    Source(azure.SOURCE, "Azure Monitor common alert schema", azure.parse),
    Source(google.SOURCE, "Google Cloud Monitoring incident, version 1.2", google.parse),
    Source(generic.SOURCE, "Zabbix, Nagios and anything else, in our own JSON", generic.parse),
    Source(slack_message.SOURCE, "Alert messages in Slack channels, Events API", slack_message.parse, Proof.SLACK),
    Source(cloudevents.SOURCE, "CloudEvents 1.0: structured, batched or binary", cloudevents.parse),
)
GENERIC_ALERT = generic.SCHEMA
"""JSON Schema of an alert in our own JSON."""
SOURCES: Mapping[str, Source] = {source.name: source for source in _ALL}
"""By name, which is the last part of ``/webhooks/<name>``."""
