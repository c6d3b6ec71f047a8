"""The state that LangGraph checkpoints, and the context that carries the ports to the nodes.

The SQLite saver writes the whole state at every step, so the state holds ids and small plain JSON values only; evidence
lives in its own tables. The context is never checkpointed: a resumed run gets a fresh one from the composition root.
"""

import operator
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, TypedDict

from agent_sre.actions.policy import Policy
from agent_sre.analysis.casefile import CaseFile
from agent_sre.domain.reference import Window
from agent_sre.domain.runbook import Runbook
from agent_sre.domain.signal import Signal
from agent_sre.evidence.budget import Budgets
from agent_sre.evidence.early_looks import EarlyLooks
from agent_sre.evidence.head_start import HeadStarts
from agent_sre.evidence.listed_once import Listings
from agent_sre.evidence.recording import Recording
from agent_sre.evidence.scope import Limits, Readers
from agent_sre.ports.clock import Clock, Ids
from agent_sre.ports.cluster import ClusterWriter
from agent_sre.ports.kill_switch import KillSwitch
from agent_sre.ports.store import ApprovalStore, CaseStore, EffectLedger, IncidentStore, Journal

Outcome = Literal["approved", "rejected", "expired", "superseded"]


def merge_seconds(left: Mapping[str, float], right: Mapping[str, float]) -> dict[str, float]:
    """Parallel steps of one stage count as their longest; different stages stand side by side."""
    merged = dict(left)
    for stage, seconds in right.items():
        merged[stage] = max(merged.get(stage, 0.0), seconds)
    return merged


class State(TypedDict, total=False):
    """One run's state. Times are RFC 3339 text; ``gaps`` are the fields of domain Gap as plain dicts."""

    incident_id: str
    run: int
    now: str
    window: list[str]
    namespaces: list[str]
    skip: bool
    collectors: list[str]
    observations: Annotated[list[str], operator.add]
    gaps: Annotated[list[dict[str, str]], operator.add]
    seconds: Annotated[dict[str, float], merge_seconds]
    findings: int
    status: str
    approvals: list[str]
    outcome: str
    effects: list[str]
    applied: bool
    verified: str
    verification: str


class GatherTask(TypedDict):
    """What one branch of the fan-out is given."""

    incident_id: str
    run: int
    now: str
    window: list[str]
    namespaces: list[str]
    collector: str


@dataclass(frozen=True, slots=True)
class Options:
    """Plain values the nodes need. ``fixed_*`` pin a snapshot's moment and window; None on a live system.

    ``console_url`` is where people reach the console, "" where there is none.
    """

    lookback: timedelta = timedelta(hours=1)
    approval_ttl: timedelta = timedelta(hours=1)
    verify_timeout: timedelta = timedelta(minutes=5)
    verify_poll: timedelta = timedelta(seconds=10)
    max_proposals: int = 3
    fixed_now: datetime | None = None
    fixed_window: Window | None = None
    fixed_namespaces: tuple[str, ...] = ()
    console_url: str = ""
    gitops_namespaces: tuple[str, ...] = ("argocd", "flux-system")


@dataclass(frozen=True, slots=True)
class Context:
    """The ports and settings a run works with. ``writer`` is None where acting is off.

    ``recording`` replays what an earlier run saw; nothing is read then. ``early`` is what was seen when alerts came in.
    """

    incidents: IncidentStore
    cases: CaseStore
    approvals: ApprovalStore
    effects: EffectLedger
    journal: Journal
    clock: Clock
    ids: Ids
    readers: Readers
    writer: ClusterWriter | None
    signals: tuple[Signal, ...]
    runbooks: tuple[Runbook, ...]
    policy: Policy
    limits: Limits
    options: Options = field(default_factory=Options)
    kill_switch: KillSwitch | None = None
    recording: Recording | None = field(default=None, repr=False, compare=False)
    head_starts: HeadStarts = field(default_factory=HeadStarts, repr=False, compare=False)
    early: EarlyLooks | None = field(default=None, repr=False, compare=False)
    budgets: Budgets = field(default_factory=Budgets, repr=False, compare=False)
    listings: Listings = field(default_factory=Listings, repr=False, compare=False)
    handed_on: dict[tuple[str, int], CaseFile] = field(default_factory=dict, repr=False, compare=False)
    """The case of an incident's run between two steps of it; see ``graph.casefile``."""


Update = dict[str, Any]
"""What a node returns: the fields of State it changes."""
