"""What is read of a Job before it is deleted or run again: it must have failed for good."""

from collections.abc import Mapping
from typing import Any

from agent_sre.actions.kind import Refusal, RefusalReason, Seen


def not_failed(seen: Seen) -> Refusal | None:
    """Why the Job is none to act on; None where it has failed and is over."""
    conditions = (seen.target.get("status") or {}).get("conditions") or []
    if any(item.get("type") == "Failed" and item.get("status") == "True" for item in conditions):
        return None
    state = "is complete" if any(item.get("type") == "Complete" for item in conditions) else "has not failed (yet)"
    return Refusal(RefusalReason.NOTHING_TO_CHANGE, f"{seen.ref} {state}; only a Job that failed for good is acted on")


def why_failed(seen: Seen) -> str:
    """The reason in the Job's own words."""
    conditions = (seen.target.get("status") or {}).get("conditions") or []
    failed: Mapping[str, Any] = next((item for item in conditions if item.get("type") == "Failed"), {})
    return str(failed.get("reason") or "no reason given")
