"""The kill switch is read again at the last moment, and whatever cannot be read stops everything."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from agent_sre.adapters.kill_switch_file import FileKillSwitch
from agent_sre.bootstrap.acting import acting_rights, kill_switch, policy
from agent_sre.domain.effect import EffectState
from agent_sre.domain.errors import PermanentError
from agent_sre.settings import Settings
from tests.unit.actions.executions import World
from tests.unit.actions.rollouts import approved, proposal


@dataclass
class Switch:
    """Says these things in turn, the last for ever."""

    answers: list[str]
    asked: int = 0

    async def engaged(self) -> str:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.mark.parametrize("answers", [["Stop."], ["", "Stop."]])
async def test_set_between_approval_and_effect_nothing_is_done(answers: list[str]) -> None:
    world = World()
    approval = approved(await proposal(world.cluster))
    effect = await world.run(approval, kill_switch=Switch(answers))
    assert effect.state is EffectState.REFUSED
    assert "Stop." in effect.detail
    assert world.cluster.effects == []
    assert world.template_changes == 0


async def test_it_is_asked_before_the_dry_run_and_after_it() -> None:
    world = World()
    switch = Switch([""])
    effect = await world.run(approved(await proposal(world.cluster)), kill_switch=switch)
    assert (effect.state, switch.asked) == (EffectState.DONE, 2)


@pytest.mark.parametrize("text", ["off", "OFF\n", " false ", "no", "0"])
async def test_only_a_clear_no_lets_actions_through(tmp_path: Path, text: str) -> None:
    file = tmp_path / "switch"
    file.write_text(text)
    assert await FileKillSwitch(file).engaged() == ""


@pytest.mark.parametrize("content", [b"on", b"", b"true", b"stop!", b"\xff\xfe", b"of", b"off on"])
async def test_anything_else_stops(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "switch"
    file.write_bytes(content)
    assert "nothing is changed" in await FileKillSwitch(file).engaged()


async def test_a_file_that_is_missing_or_a_folder_stops(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        assert "cannot be read" in await FileKillSwitch(path).engaged()


async def test_it_is_read_each_time(tmp_path: Path) -> None:
    file = tmp_path / "switch"
    file.write_text("off")
    switch = kill_switch(Settings(kill_switch_file=str(file)))
    assert switch is not None
    assert await switch.engaged() == ""
    file.write_text("on")
    assert "says 'on'" in await switch.engaged()


# ----------------------------------------------------------------------------------------- what the settings say


def test_settings_become_policy_and_mistakes_in_them_are_named() -> None:
    made = policy(Settings(actions_freezes="Fri 16:00/Mon 07:00", actions_nodes="node-*", actions_max_pods=3))
    assert (len(made.freezes), made.nodes, made.max_pods) == (1, {"node-*"}, 3)
    assert (made.mode, made.actions, made.protected) == ("suggest", None, {"agent-sre.io/protected=true"})
    with pytest.raises(PermanentError, match="ACTIONS_ALLOWED names reboot, which is no action"):
        policy(Settings(actions_allowed="scale, reboot"))
    with pytest.raises(PermanentError, match="AGENT_SRE_ACTIONS_FREEZES: 'Friday' is no freeze"):
        policy(Settings(actions_freezes="Friday"))


def test_the_executor_needs_rights_for_what_is_allowed_and_nothing_else() -> None:
    settings = Settings(actions_allowed="pod_evict,scale,node_cordon", actions_namespaces="shop,bank")
    rights = acting_rights(settings)
    assert ("create", "", "pods/eviction", "shop") in rights
    assert {right[3] for right in rights} == {"shop", "bank"}
    assert not any(right[2] == "nodes" for right in rights)
    nodes = settings.model_copy(update={"actions_nodes": "*"})
    assert ("patch", "", "nodes", "") in acting_rights(nodes)
