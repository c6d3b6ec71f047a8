"""What settings that are lists consist of: each item is JSON, its keys named as settings without prefix."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator


class McpServerSettings(BaseModel):
    """One entry of ``AGENT_SRE_MCP_SERVERS``."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")
    tools: tuple[str, ...] = ()
    url: SecretStr = SecretStr("")
    command: tuple[str, ...] = ()
    environment: dict[str, SecretStr] = Field(default_factory=dict)
    token: SecretStr = SecretStr("")
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    timeout: float = Field(20.0, gt=0, le=120)

    @model_validator(mode="after")
    def _one_way_to_reach_it(self) -> "McpServerSettings":
        if bool(self.url.get_secret_value()) == bool(self.command):
            raise ValueError("give either url or command")
        return self


Flavour = Literal["auto", "prometheus", "thanos", "mimir", "cortex", "victoriametrics"]


class MetricsInstance(BaseModel):
    """One more store of metrics: an item of PROMETHEUS_INSTANCES, its keys named as the settings without prefix."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")
    url: str
    flavour: Flavour = "auto"
    token: SecretStr = SecretStr("")
    token_file: str = ""
    username: str = ""
    password: SecretStr = SecretStr("")
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    timeout: float = Field(10.0, gt=0, le=120)
    ui_url: str = ""
    grafana_source: str = ""
