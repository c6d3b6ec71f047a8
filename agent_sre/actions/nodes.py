"""What is read of Nodes before one is cordoned or uncordoned."""

from collections.abc import Mapping
from typing import Any


def takes_pods(node: Mapping[str, Any]) -> bool:
    """Whether the scheduler may place pods there: ready and not cordoned."""
    return ready(node) and not (node.get("spec") or {}).get("unschedulable")


def ready(node: Mapping[str, Any]) -> bool:
    """Whether its condition Ready is True; no news is no yes."""
    conditions = (node.get("status") or {}).get("conditions") or []
    return any(item.get("type") == "Ready" and item.get("status") == "True" for item in conditions)
