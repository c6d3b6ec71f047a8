"""A runbook as loaded: when it applies, what to look at, what may be done.

The text for people is ``body`` (Markdown); everything a machine acts on is in the front matter, parsed into these
values by ``runbooks.load`` and never taken from prose.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Match:
    """When a runbook applies: any of the fault types, or all of the label patterns (exact, or ``re:`` + RE)."""

    faults: tuple[str, ...] = ()
    labels: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class DiagnosticStep:
    """A read-only look: ``query`` in the language of ``source`` (promql, kubernetes, logs), and what to expect."""

    title: str
    source: str
    query: str
    expect: str


@dataclass(frozen=True, slots=True)
class ActionTemplate:
    """An action a runbook offers. ``parameters`` are literals, or placeholders that only evidence can fill, which are
    ``$object`` and those that the action's own parameters name, such as ``$previous_revision``."""

    action: str
    parameters: Mapping[str, str | int | bool]
    when: tuple[str, ...]
    """Fault types under which it is offered; empty: whenever the runbook matches."""
    expected: str
    verify: str
    undo: str


@dataclass(frozen=True, slots=True)
class Runbook:
    """One runbook. ``digest`` is the SHA-256 of the file and is recorded with every use."""

    id: str
    title: str
    summary: str
    matches: Match
    diagnostics: tuple[DiagnosticStep, ...]
    actions: tuple[ActionTemplate, ...]
    links: tuple[str, ...]
    body: str
    path: str
    digest: str
