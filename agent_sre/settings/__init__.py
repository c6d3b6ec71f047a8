"""Every setting of the product, and the only reader of the environment; large sections are files beside it.

``.env.example`` is generated from these fields (``agent-sre settings --example``) and a test compares the two, so the
description here is what an operator reads. Secrets are ``SecretStr``: they never appear in logs, errors or dumps.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from agent_sre.domain.errors import PermanentError
from agent_sre.settings.actions import ActionSettings
from agent_sre.settings.intake import IntakeSettings
from agent_sre.settings.items import Flavour, McpServerSettings, MetricsInstance
from agent_sre.settings.suppression import SuppressionSettings
from agent_sre.settings.webhooks import WebhookSettings
from agent_sre.settings.writeback import WritebackSettings

PREFIX = "AGENT_SRE_"


_SECTIONS = (SuppressionSettings, WritebackSettings, WebhookSettings, IntakeSettings, ActionSettings)


class Settings(SuppressionSettings, WritebackSettings, WebhookSettings, IntakeSettings, ActionSettings, BaseSettings):
    """All settings, each ``AGENT_SRE_<NAME>``. Durations are in seconds."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", env_file_encoding="utf-8", extra="forbid")

    host: str = Field("127.0.0.1", description="Address to listen on. Anything but loopback needs CONSOLE_TOKEN.")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    external_url: str = Field("", description="Where people reach the console, for links. Default: http://HOST:PORT.")
    data_dir: Path = Field(Path("data"), description="Folder for the embedded database and its checkpoints.")
    database_url: SecretStr = Field(
        SecretStr(""),
        description="Database: postgresql://USER:PASSWORD@HOST:5432/NAME (needs the extra postgres), or "
        "sqlite:///FILE. Empty: SQLite in DATA_DIR. See docs/database.md.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="auto: console on a terminal, else JSON."
    )

    console_token: SecretStr = Field(
        SecretStr(""), description="Token to log in to the console and its API. Required off loopback."
    )
    session_hours: float = Field(12.0, gt=0, le=168, description="Hours until a console login ends.")
    allowed_hosts: str = Field(
        "", description="Further Host names the console answers to, comma-separated (its DNS name behind an ingress)."
    )
    prometheus_url: str = Field("", description="Base URL of Prometheus or what speaks its API. Empty: no metrics.")
    prometheus_token: SecretStr = Field(SecretStr(""), description="Bearer token for Prometheus.")
    prometheus_token_file: str = Field(
        "", description="File with that token, read anew for every request, such as a projected service account token."
    )
    prometheus_username: str = Field("", description="User for basic authentication at Prometheus.")
    prometheus_password: SecretStr = Field(
        SecretStr(""), description="Password for basic authentication at Prometheus."
    )
    prometheus_headers: dict[str, str] = Field(
        default_factory=dict, description='Further headers as JSON, such as {"X-Scope-OrgID": "team"} for Mimir.'
    )
    prometheus_ca_file: str = Field("", description="CA bundle for Prometheus' certificate. Empty: the system's.")
    prometheus_cert_file: str = Field("", description="Our own certificate for Prometheus, where it asks for one.")
    prometheus_key_file: str = Field("", description="The key of that certificate. Empty: it is in the same file.")
    prometheus_timeout: float = Field(10.0, gt=0, le=120, description="Seconds until a query is given up.")

    prometheus_max_series: int = Field(5000, ge=1, description="Series kept of one answer; more are counted and said.")
    prometheus_flavour: Flavour = Field(
        "auto", description="auto, prometheus, thanos, mimir, cortex or victoriametrics: what answers, for messages."
    )
    prometheus_ui_url: str = Field(
        "",
        description="Where people reach Prometheus, for links. Empty: PROMETHEUS_URL. Mimir has no page.",
    )
    prometheus_name: str = Field("main", description="What this instance is called where there are several.")
    prometheus_instances: tuple[MetricsInstance, ...] = Field(
        default=(),
        description='Further stores of metrics, as JSON: [{"name": "eu", "url": "http://thanos:9090"}]; '
        "see docs/metrics.md for the keys.",
    )

    grafana_url: str = Field(
        "", description="Where people reach Grafana: metrics are then linked to its Explore, if GRAFANA_SOURCE is set."
    )
    grafana_source: str = Field("", description="UID of Grafana's data source for PROMETHEUS_URL.")

    logs_backend: Literal["none", "victorialogs", "loki", "elasticsearch", "opensearch"] = Field(
        "none",
        description="Log store that is read besides the Kubernetes API: none, victorialogs, loki, elasticsearch or "
        "opensearch. See docs/logs.md.",
    )
    logs_url: str = Field("", description="Base URL of the log store.")
    logs_token: SecretStr = Field(SecretStr(""), description="Bearer token for the log store.")
    logs_api_key: SecretStr = Field(SecretStr(""), description="API key for Elasticsearch, as it gives it encoded.")
    logs_username: str = Field("", description="User for basic authentication at the log store.")
    logs_password: SecretStr = Field(SecretStr(""), description="Password for basic authentication at the log store.")
    logs_tenant: str = Field(
        "",
        description="Tenant of the log store. VictoriaLogs: AccountID or AccountID:ProjectID. Loki: X-Scope-OrgID.",
    )
    logs_headers: dict[str, str] = Field(default_factory=dict, description="Further headers for it, as JSON.")
    logs_ca_file: str = Field("", description="CA bundle for the log store's certificate. Empty: the system's.")
    logs_timeout: float = Field(10.0, gt=0, le=120, description="Seconds until a request to the log store is given up.")
    logs_index: str = Field("logs-*,filebeat-*", description="Indices of Elasticsearch or OpenSearch, as a pattern.")
    logs_schema: Literal["ecs", "openshift", "fluentbit"] = Field(
        "ecs", description="How the shipper names fields in Elasticsearch or OpenSearch: ecs, openshift or fluentbit."
    )
    logs_fields: dict[str, str] = Field(
        default_factory=dict,
        description="Names of the store's fields that differ from the defaults, as JSON with the keys namespace, pod, "
        "container, message, level, time, node, unit; see docs/logs.md.",
    )
    logs_ui_url: str = Field(
        "", description="Where people look at logs, for links: VictoriaLogs, Grafana, Kibana or OpenSearch Dashboards."
    )
    logs_ui_source: str = Field("", description="UID of Grafana's data source or id of Kibana's data view, for links.")

    traces_backend: Literal["none", "jaeger", "tempo"] = Field(
        "none",
        description="Store of traces: none, jaeger (or what speaks its query API) or tempo. See docs/traces.md.",
    )
    traces_url: str = Field(
        "", description="Base URL of the trace store: Jaeger's query service, Tempo's query frontend."
    )
    traces_token: SecretStr = Field(SecretStr(""), description="Bearer token for the trace store.")
    traces_username: str = Field("", description="User for basic authentication at the trace store.")
    traces_password: SecretStr = Field(
        SecretStr(""), description="Password for basic authentication at the trace store."
    )
    traces_tenant: str = Field("", description="Tenant of the trace store. Tempo: X-Scope-OrgID. Jaeger: x-tenant.")
    traces_headers: dict[str, str] = Field(default_factory=dict, description="Further headers for it, as JSON.")
    traces_ca_file: str = Field("", description="CA bundle for the trace store's certificate. Empty: the system's.")
    traces_timeout: float = Field(
        10.0, gt=0, le=120, description="Seconds until a request to the trace store is given up."
    )
    traces_ui_url: str = Field(
        "", description="Where people look at traces, for links: Jaeger's user interface or Grafana."
    )
    traces_ui_source: str = Field("", description="UID of Grafana's data source for the traces, for links to Grafana.")

    kubernetes: Literal["auto", "in_cluster", "kubeconfig", "off"] = Field(
        "auto",
        description="Where the cluster's access comes from. auto: in the pod its service account, else kubeconfig.",
    )
    kubeconfig: str = Field("", description="Path of the kubeconfig; empty: KUBECONFIG or ~/.kube/config.")
    kubernetes_context: str = Field("", description="Context of the kubeconfig; empty: its current one.")
    namespaces: str = Field("", description="Namespaces that may be looked at, comma-separated; empty: the alert's.")
    kubernetes_scope: Literal["auto", "cluster", "namespaces"] = Field(
        "auto",
        description="namespaces: nothing is asked of the cluster as a whole (nodes, volumes). auto: so if NAMESPACES "
        "is set.",
    )
    gitops_namespaces: str = Field(
        "argocd,flux-system",
        description="Namespaces where Argo CD and Flux keep the objects that say what they deploy, comma-separated.",
    )
    repositories_file: str = Field(
        "",
        description="YAML or JSON file with the repositories whose commits are read (GitHub, GitLab) and the workloads "
        "they are of; see docs/changes.md.",
    )
    helm_secrets: bool = Field(
        False,
        description="true: Helm's releases are read from the labels of its Secrets, never their data. Needs the right "
        "to list Secrets, which Kubernetes does not divide.",
    )

    mcp_servers: tuple[McpServerSettings, ...] = Field(
        (),
        description="MCP servers whose read-only tools a model may call, as JSON: "
        '[{"name": "wiki", "url": "https://wiki/mcp", "token": "...", "tools": ["search"]}]. See docs/mcp.md.',
    )

    redact_patterns: dict[str, str] = Field(
        default_factory=dict,
        description="What this site redacts besides the known forms of secrets: JSON of kinds and regular expressions, "
        'such as {"customer": "CUST-[0-9]{6}"}. Of a pattern with a group named value only that is replaced.',
    )

    signals_file: str = Field("", description="signals.yaml with additions to the signal catalogue for this site.")
    topology_file: str = Field("", description="YAML file with calls that a person knows; see docs/topology.md.")
    runbooks_dir: str = Field("", description="Folder with the site's own runbooks, besides the shipped ones.")

    lookback_seconds: float = Field(3600.0, gt=0, le=86400, description="How far before the onset evidence is read.")
    collector_timeout: float = Field(20.0, gt=0, le=300, description="Seconds until one collector is given up.")
    budget_reads: int = Field(3000, ge=1, description="Reads that one investigation may make of each back end.")
    budget_megabytes: float = Field(512.0, gt=0, description="Megabytes that it may read of each back end.")
    budget_seconds: float = Field(300.0, gt=0, description="Seconds that its reads of each back end may take together.")
    budget_parallel: int = Field(
        8, ge=1, le=64, description="Reads of one back end under way together, per investigation."
    )
    concurrency: int = Field(4, ge=1, le=64, description="Incidents investigated at the same time.")
    poll_seconds: float = Field(1.0, gt=0, le=60, description="Seconds between looks at the queue without a wake-up.")

    actions_mode: Literal["suggest", "approve"] = Field(
        "suggest", description="suggest: actions are shown only. approve: run after approval, with the writer's rights."
    )
    actions_namespaces: str = Field(
        "", description="Namespaces in which actions may run, comma-separated. Empty: none."
    )
    actions_kubeconfig: str = Field(
        "", description="Kubeconfig of the executor's own account; empty: the reader's configuration."
    )
    kill_switch: bool = Field(False, description="true: no action runs, whatever was approved.")
    approval_ttl: float = Field(3600.0, gt=0, description="Seconds until an undecided approval expires.")
    verify_timeout: float = Field(300.0, gt=0, description="Seconds to wait for recovery after an action.")
    verify_poll: float = Field(10.0, gt=0, description="Seconds between looks while verifying.")

    @property
    def console_url(self) -> str:
        """Where people reach the console; "" where the port is not known beforehand."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.external_url or (f"http://{host}:{self.port}" if self.port else "")

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the service."""
        return self.host in {"127.0.0.1", "::1", "localhost"}

    def listed(self, value: str) -> tuple[str, ...]:
        """A comma-separated setting as a tuple."""
        return tuple(part.strip() for part in value.split(",") if part.strip())


def readable_namespaces(settings: Settings) -> frozenset[str] | None:
    """The namespaces that the cluster may be asked about; None for all of it.

    Raises PermanentError where only namespaces may be read, and none is named.
    """
    named = settings.listed(settings.namespaces)
    if settings.kubernetes_scope == "cluster" or (settings.kubernetes_scope == "auto" and not named):
        return None
    if not named:
        raise PermanentError(
            f"{PREFIX}KUBERNETES_SCOPE=namespaces but {PREFIX}NAMESPACES is empty; name the namespaces that may be read"
        )
    return frozenset({*named, *settings.listed(settings.gitops_namespaces)})


def load_settings(**given: Any) -> Settings:
    """Read the environment and ``.env``; ``given`` (command-line options) wins over both.

    Raises PermanentError naming each bad variable, its value and the fix.
    """
    try:
        settings = Settings(**given)
    except SettingsError as error:
        # Its message has the variable's name; its cause would have the value.
        raise PermanentError(f"{_named_in(str(error))} is not valid JSON; see .env.example for its form") from None
    except ValidationError as error:
        raise PermanentError("; ".join(_explain(item) for item in error.errors())) from None
    if not settings.loopback and not settings.console_token.get_secret_value():
        raise PermanentError(
            f"{PREFIX}HOST={settings.host} is not loopback and {PREFIX}CONSOLE_TOKEN is empty; "
            f"set a token (for example: openssl rand -hex 32) or listen on 127.0.0.1"
        )
    readable_namespaces(settings)
    if settings.actions_mode == "approve" and not settings.listed(settings.actions_namespaces):
        raise PermanentError(
            f"{PREFIX}ACTIONS_MODE=approve but {PREFIX}ACTIONS_NAMESPACES is empty; "
            f"name the namespaces actions may touch"
        )
    return settings


_SECRETS = (
    *("TOKEN", "PASSWORD", "API_KEY", "INSTANCES", "HEADERS", "SECRET"),
    *("ROUTE_KEYS", "ROUTING_KEY", "DATABASE_URL"),
)


def _named_in(message: str) -> str:
    found = re.search(r'field "([a-z_]+)"', message)
    return f"{PREFIX}{found[1].upper()}" if found else "a setting"


def _explain(item: Mapping[str, Any]) -> str:
    """One pydantic error as a line an operator can act on; secrets' values are not repeated."""
    name = "_".join(str(part) for part in item["loc"]).upper()
    name = name if name.startswith(PREFIX) else f"{PREFIX}{name}"
    if item["type"] == "extra_forbidden":
        return f"{name} in .env is not a setting; see .env.example for the names"
    # A part of a JSON value, or a whole one, may hold a secret wherever it stands.
    nested = len(item["loc"]) > 1 or isinstance(item.get("input"), dict | list | tuple)
    secret = nested or any(word in name for word in _SECRETS)
    shown = "a value" if secret else repr(item.get("input"))
    return f"{name}={shown}: {item['msg']}"


def example() -> str:
    """The text of ``.env.example``: every setting with its meaning and default."""
    lines = ["# Settings of agent_sre. Copy to .env and change what you need; every line is the default.", ""]
    # A section's fields come first in the class; here they follow those that are needed first.
    sections = {name for section in _SECTIONS for name in section.model_fields}
    for name, field in sorted(Settings.model_fields.items(), key=lambda item: item[0] in sections):
        default = field.get_default(call_default_factory=True)
        if isinstance(default, SecretStr):
            default = default.get_secret_value()
        if isinstance(default, bool):
            default = str(default).lower()
        if isinstance(default, dict | tuple):
            default = "{}" if isinstance(default, dict) else "[]"
        lines += [f"# {field.description}", f"# {PREFIX}{name.upper()}={default}", ""]
    return "\n".join(lines).rstrip() + "\n"
