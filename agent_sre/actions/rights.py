"""The rights that actions need, as roles to be granted: one of the executor's account for each action.

Whoever allows three actions grants three roles, and what is not granted is refused by the cluster itself, whatever
this program believes. The reader's account needs a little more than for evidence, since an action's target is read on
its own. ``docs/rbac-actions.yaml`` is made of this, and a test compares the two.
"""

from collections.abc import Iterable
from typing import Any

from agent_sre.actions.catalogue import ACTIONS
from agent_sre.actions.kind import Right

Rule = dict[str, list[str]]


def rules(rights: Iterable[Right]) -> list[Rule]:
    """The rights as rules of a ClusterRole, one for each API group and set of verbs."""
    verbs: dict[tuple[str, str], set[str]] = {}
    for right in rights:
        verbs.setdefault((right.group, right.resource), set()).add(right.verb)
    grouped: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (group, resource), found in sorted(verbs.items()):
        grouped.setdefault((group, tuple(sorted(found))), []).append(resource)
    return [
        {"apiGroups": [group], "resources": resources, "verbs": list(found)}
        for (group, found), resources in sorted(grouped.items())
    ]


def manifest() -> list[dict[str, Any]]:
    """The reader's role for all actions, then the executor's role for each."""
    kinds = list(ACTIONS.values())
    read = [right for kind in kinds for right in kind.rights if not right.writes]
    roles = [("agent-sre-reader-actions", read)]
    roles += [
        (f"agent-sre-executor-{kind.name.replace('_', '-')}", [right for right in kind.rights if right.writes])
        for kind in kinds
    ]
    return [
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": name},
            "rules": rules(found),
        }
        for name, found in roles
    ]
