"""The fields of a runbook's front matter: one definition for validation, for the JSON Schema and for documentation.

The JSON Schema is published as ``docs/runbook.schema.json``, so that editors help while a runbook is written; a test
compares it. What a schema cannot say (known fault types, existing actions, compiling patterns) is in ``check``.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

_STRICT = ConfigDict(strict=True, extra="forbid", frozen=True)
Line = Annotated[str, Field(min_length=1, max_length=400)]
FaultName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class MatchFields(BaseModel):
    """When the runbook applies: any of the fault types, or all of the label patterns."""

    model_config = _STRICT
    faults: list[FaultName] = Field([], description="Fault types, of which any one suffices.", max_length=60)
    labels: dict[str, str] = Field(
        {}, description="Alert labels that must all match: exact, or a regular expression after `re:`.", max_length=10
    )


class DiagnosticFields(BaseModel):
    """A read-only look that confirms or refutes."""

    model_config = _STRICT
    title: Line
    source: Literal["promql", "kubernetes", "logs"] = Field(
        description="promql: a PromQL expression. kubernetes: a reading kubectl command. logs: a regular expression."
    )
    query: Annotated[str, Field(min_length=1, max_length=2000)] = Field(
        description="May contain $object, $object.kind, $object.name and $object.namespace."
    )
    expect: Line = Field(description="What is seen when the runbook applies.")


class ActionFields(BaseModel):
    """An action of the catalogue that the runbook offers."""

    model_config = _STRICT
    action: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")] = Field(description="A name from the catalogue.")
    parameters: dict[str, str | int | bool] = Field(
        description="Literals, or placeholders that only evidence fills (docs/actions.md): $object, $half_more."
    )
    when: list[FaultName] = Field([], description="Fault types under which it is offered; empty: whenever it matches.")
    expected: Line = Field(description="What will be seen to happen.")
    verify: Line = Field(description="What must hold afterwards.")
    undo: Line = Field(description="How it is taken back.")


class RunbookFields(BaseModel):
    """Front matter of an agent_sre runbook."""

    model_config = _STRICT
    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*$", max_length=60)] = Field(
        description="The file's name without .md."
    )
    title: Annotated[str, Field(min_length=1, max_length=100)]
    summary: Line = Field(description="One sentence: what it is about.")
    matches: MatchFields
    diagnostics: list[DiagnosticFields] = Field(min_length=1, max_length=20)
    actions: list[ActionFields] = Field([], max_length=10)
    links: list[Annotated[str, Field(pattern=r"^https://\S+$")]] = Field([], max_length=10)


def schema_text() -> str:
    """The JSON Schema as the published file holds it."""
    schema: Mapping[str, object] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": "Written by `agent-sre runbooks schema`.",
        **RunbookFields.model_json_schema(),
    }
    return json.dumps(schema, indent=2) + "\n"
