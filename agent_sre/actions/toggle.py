"""Actions that switch one field on or off: pause and resume, suspend and resume, cordon and uncordon."""

from collections.abc import Mapping
from typing import Any

from agent_sre.actions.kind import Draft, Parameters, Refusal, RefusalReason, Seen
from agent_sre.actions.marks import keeper_note
from agent_sre.actions.preview import difference
from agent_sre.domain.action import Reach
from agent_sre.domain.merge_patch import apply_merge_patch


def toggled(
    seen: Seen, parameters: Parameters, field: str, on: bool, *, undo_action: str, reach: Reach | None = None
) -> Draft | Refusal:
    """The patch that sets ``spec.<field>``, or that it is so already. The undo takes the same parameters.

    Off is written as the server keeps it, or reading it back would not show it: absent, but for ``suspend``.
    """
    spec: Mapping[str, Any] = seen.target.get("spec") or {}
    now = bool(spec.get(field))
    if now is on:
        sentence = f"{seen.ref} already has {field} {str(on).lower()}; there is nothing to change"
        return Refusal(RefusalReason.NOTHING_TO_CHANGE, sentence)
    before = {"spec": {field: now}}
    off = False if field == "suspend" else None
    patch = {"spec": {field: True if on else off}}
    preview = difference(before, apply_merge_patch(before, patch), f"{seen.ref}: now", f"{seen.ref}: after")
    return Draft(
        parameters=dict(parameters),
        patch=patch,
        preview=preview + keeper_note(seen.target),
        undo=f"Set {field} back to {str(now).lower()}.",
        undo_action=undo_action,
        undo_parameters=dict(parameters),
        reach=reach or Reach(),
    )
