"""The settings of what comes in by webhook: what each source must present, and how much of it is taken.

A part of ``Settings``, which reads the environment; these are fields only. A source is closed until it has a secret
here, is named in ``insecure_sources``, or only this machine can reach the service.
"""

from pydantic import BaseModel, Field, SecretStr


def _token(source: str, how: str) -> SecretStr:
    """A shared secret: a bearer token, or the password of basic authentication under any user name."""
    described: SecretStr = Field(SecretStr(""), description=f"Token that {source} must send ({how}).")
    return described


class WebhookSettings(BaseModel):
    """See docs/alerts.md for how each source is set up."""

    alertmanager_token: SecretStr = _token("Alertmanager", "http_config.authorization")
    grafana_token: SecretStr = _token(
        "Grafana", "Authorization header of the contact point; not used with GRAFANA_SECRET"
    )
    grafana_secret: SecretStr = Field(
        SecretStr(""), description="HMAC secret of Grafana's contact point, instead of GRAFANA_TOKEN."
    )
    grafana_timestamp_header: str = Field(
        "", description="Timestamp header of Grafana's HMAC, as named in the contact point; empty: none is signed."
    )
    pagerduty_secret: SecretStr = Field(
        SecretStr(""), description="Secret of PagerDuty's webhook subscription, with which it signs."
    )
    opsgenie_token: SecretStr = _token("Opsgenie", "custom header Authorization of the webhook integration")
    datadog_token: SecretStr = _token("Datadog", "custom header Authorization of the webhook")
    cloudwatch_topics: str = Field(
        "",
        description="ARNs of the SNS topics whose CloudWatch alarms are taken, comma-separated. Needs the extra sns.",
    )
    sentry_secret: SecretStr = Field(
        SecretStr(""), description="Client secret of Sentry's internal integration, with which it signs."
    )
    slack_secret: SecretStr = Field(
        SecretStr(""), description="Signing secret of the Slack app whose Event Subscriptions post alert messages here."
    )
    slack_teams: str = Field("", description="Ids of the Slack workspaces they may come from (T...), comma-separated.")
    slack_channels: str = Field(
        "", description="Ids of the Slack channels whose messages may be alerts, comma-separated. Empty: none."
    )
    azure_token: SecretStr = _token("Azure Monitor", "password in the URL of the action group's webhook")
    google_token: SecretStr = _token("Google Cloud Monitoring", "password of the webhook channel")
    generic_token: SecretStr = _token("senders of the generic JSON", "Authorization header")
    cloudevents_token: SecretStr = _token("senders of CloudEvents", "Authorization header")
    changes_token: SecretStr = _token("deploy and flag systems", "Authorization header at POST /webhooks/changes")
    insecure_sources: str = Field(
        "",
        description="Webhooks accepted without a secret off loopback, by name, comma-separated: alertmanager, changes.",
    )
    route_keys: dict[str, SecretStr] = Field(
        default_factory=dict,
        description='Keys that a source must post under, as JSON: {"google": "KEY"} opens POST /webhooks/google/KEY. '
        "For sources that can send no header.",
    )
    source_networks: dict[str, str] = Field(
        default_factory=dict,
        description='Networks a source may post from, as JSON: {"grafana": "10.0.0.0/8, 2001:db8::/32"}. Empty: any.',
    )
    webhook_rate: float = Field(
        2000.0, ge=0, description="Requests per second that each source may send in the long run; 0: any number."
    )
    webhook_burst: int = Field(20_000, ge=1, description="Requests that each source may send at once.")
    max_body_bytes: int = Field(5_000_000, ge=1_000, description="Largest webhook body, after decompression.")
