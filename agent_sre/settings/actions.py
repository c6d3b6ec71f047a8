"""The settings of what may be changed and of what stops it: fields, a part of ``Settings``. See docs/actions.md."""

from pydantic import BaseModel, Field


class ActionSettings(BaseModel):
    """By default actions are only suggested; these say what may be done at all once they are approved."""

    actions_allowed: str = Field(
        "",
        description="Actions of the catalogue that may run, comma-separated. Empty: all. See: agent-sre runbooks list",
    )
    actions_denied_namespaces: str = Field(
        "", description="Namespaces in which nothing is ever changed, beside those of the cluster itself."
    )
    actions_nodes: str = Field(
        "", description="Nodes that may be cordoned, by name or with *, comma-separated. Empty: none."
    )
    actions_protected_labels: str = Field(
        "agent-sre.io/protected=true",
        description="What has one of these labels (key or key=value), or is owned by what has, is never changed.",
    )
    actions_max_pods: int = Field(
        50, ge=1, description="How many pods one action may add, replace or remove; more is refused."
    )
    actions_max_share: float = Field(
        0.5, ge=0, le=1, description="Largest share of a workload that may be missing at once; one pod always may."
    )
    actions_cooldown: float = Field(
        300.0, ge=0, description="Seconds between two actions on the same workload, whichever incident they are for."
    )
    actions_freezes: str = Field(
        "",
        description="Times without actions, comma-separated: 2026-12-23T18:00Z/2027-01-02T06:00Z, Fri 16:00/Mon 07:00.",
    )
    kill_switch_file: str = Field(
        "", description="File read before every action, such as a key of a ConfigMap: all but the word off stops it."
    )
