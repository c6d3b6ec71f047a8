"""The settings of what is written back to alert sources: off by default, each system switched on by itself."""

from pydantic import BaseModel, Field, SecretStr


class WritebackSettings(BaseModel):
    """See docs/alerts.md. Addresses and credentials are only ever these, whatever a payload says."""

    pagerduty_writeback: bool = Field(
        False, description="true: acknowledging and resolving an incident here does so in PagerDuty."
    )
    pagerduty_url: str = Field("", description="PagerDuty's REST API. Empty: https://api.pagerduty.com.")
    pagerduty_api_token: SecretStr = Field(SecretStr(""), description="PagerDuty's REST API key, with write access.")
    pagerduty_from: str = Field("", description="E-mail address of the PagerDuty user who counts as the author.")
    pagerduty_events_url: str = Field("", description="PagerDuty's Events API. Empty: https://events.pagerduty.com.")
    pagerduty_routing_key: SecretStr = Field(
        SecretStr(""), description="Routing key for PagerDuty's Events API v2, where there is no API_TOKEN."
    )
    opsgenie_writeback: bool = Field(
        False, description="true: acknowledging and resolving an incident here does so in Opsgenie."
    )
    opsgenie_url: str = Field(
        "", description="Opsgenie's API. Empty: https://api.opsgenie.com; EU: api.eu.opsgenie.com."
    )
    opsgenie_api_key: SecretStr = Field(SecretStr(""), description="Key of an Opsgenie API integration.")
    oncall_writeback: bool = Field(
        False, description="true: acknowledging and resolving an incident here does so in Grafana OnCall."
    )
    oncall_url: str = Field("", description="Base URL of Grafana OnCall's API, as its settings page names it.")
    oncall_api_token: SecretStr = Field(SecretStr(""), description="API key of Grafana OnCall.")
    oncall_grafana_url: str = Field(
        "", description="URL of the Grafana stack, for servers that want a bearer token (Grafana Cloud). Empty: none."
    )
    alertmanager_writeback: bool = Field(
        False, description="true: an incident that is acknowledged or snoozed here is silenced at ALERTMANAGER_URL."
    )
    alertmanager_silence_hours: float = Field(
        1.0, gt=0, le=168, description="Hours that such a silence lasts for an acknowledged incident."
    )
    writeback_timeout: float = Field(10.0, gt=0, le=60, description="Seconds until a request to a source is given up.")
