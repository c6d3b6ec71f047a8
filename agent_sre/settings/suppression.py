"""The settings of what suppresses alerts: the site's file, and the Alertmanager whose silences are heeded."""

from pydantic import BaseModel, Field, SecretStr


class SuppressionSettings(BaseModel):
    """See docs/alerts.md. ``ALERTMANAGER_TOKEN`` is what Alertmanager sends to us, ``..._API_TOKEN`` what we send."""

    alertmanager_url: str = Field(
        "", description="Base URL of Alertmanager, to read silences. Several peers: comma-separated."
    )
    alertmanager_api_token: SecretStr = Field(SecretStr(""), description="Bearer token for Alertmanager's API.")
    alertmanager_api_token_file: str = Field("", description="File with that token, read anew for every request.")
    alertmanager_username: str = Field("", description="User for basic authentication at Alertmanager.")
    alertmanager_password: SecretStr = Field(
        SecretStr(""), description="Password for basic authentication at Alertmanager."
    )
    alertmanager_headers: dict[str, str] = Field(
        default_factory=dict, description='Further headers for it as JSON, such as {"X-Scope-OrgID": "team"}.'
    )
    alertmanager_ca_file: str = Field("", description="CA bundle for its certificate. Empty: the system's.")
    alertmanager_timeout: float = Field(5.0, gt=0, le=60, description="Seconds until a request to it is given up.")
    silence_seconds: float = Field(15.0, ge=1, le=3600, description="Silences are asked for at most this often.")
    suppression_file: str = Field(
        "",
        description="YAML file with inhibition rules and maintenance windows of the site; see docs/alerts.md. "
        "Without it a critical alert inhibits warnings about the same thing.",
    )
