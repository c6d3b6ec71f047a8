"""What the settings allow to be changed, and where its kill switch is."""

from datetime import timedelta
from pathlib import Path

from agent_sre.actions.catalogue import ACTIONS
from agent_sre.actions.freeze import freezes
from agent_sre.actions.policy import Mode, Policy
from agent_sre.adapters.kill_switch_file import FileKillSwitch
from agent_sre.domain.errors import PermanentError
from agent_sre.ports.cluster import CLUSTER_SCOPED
from agent_sre.ports.kill_switch import KillSwitch
from agent_sre.settings import PREFIX, Settings


def policy(settings: Settings) -> Policy:
    """What the settings allow. Raises PermanentError for a freeze or an action that does not exist: at the start."""
    allowed = frozenset(settings.listed(settings.actions_allowed))
    if unknown := sorted(allowed - ACTIONS.keys()):
        raise PermanentError(
            f"{PREFIX}ACTIONS_ALLOWED names {', '.join(unknown)}, which is no action; there are: {', '.join(ACTIONS)}"
        )
    try:
        frozen = freezes(settings.listed(settings.actions_freezes))
    except PermanentError as error:
        raise PermanentError(f"{PREFIX}ACTIONS_FREEZES: {error}") from None
    return Policy(
        mode=Mode(settings.actions_mode),
        namespaces=frozenset(settings.listed(settings.actions_namespaces)),
        denied=frozenset(settings.listed(settings.actions_denied_namespaces)),
        actions=allowed or None,
        kill_switch=settings.kill_switch,
        nodes=frozenset(settings.listed(settings.actions_nodes)),
        protected=frozenset(settings.listed(settings.actions_protected_labels)),
        max_pods=settings.actions_max_pods,
        max_share=settings.actions_max_share,
        cooldown=timedelta(seconds=settings.actions_cooldown),
        freezes=frozen,
    )


def kill_switch(settings: Settings) -> KillSwitch | None:
    """The file that stops everything, where one is named."""
    return FileKillSwitch(Path(settings.kill_switch_file)) if settings.kill_switch_file else None


def acting_rights(settings: Settings) -> tuple[tuple[str, str, str, str], ...]:
    """What the executor's account needs for the actions that are allowed: verb, group, resource and namespace.

    Nodes count only where some may be touched, with "" for a namespace.
    """
    allowed = policy(settings)
    found: dict[tuple[str, str, str, str], None] = {}
    for kind in ACTIONS.values():
        if allowed.actions is not None and kind.name not in allowed.actions:
            continue
        of_nodes = set(kind.targets) <= CLUSTER_SCOPED
        places = [""] if of_nodes and allowed.nodes else [] if of_nodes else sorted(allowed.namespaces)
        for right in (right for right in kind.rights if right.writes):
            found |= {(right.verb, right.group, right.resource, place): None for place in places}
    return tuple(found)
