"""The site's own file of calls, from the setting to a reader and to the doctor."""

from pathlib import Path

import pytest

from agent_sre.bootstrap.examination import examine
from agent_sre.bootstrap.live import open_topology
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.telemetry import Edge
from agent_sre.ports.health import CheckState
from agent_sre.settings import Settings


def settings(path: Path | str) -> Settings:
    return Settings(_env_file=None, topology_file=str(path), kubernetes="off")


async def test_edges_of_a_yaml_file_name_it_as_their_origin(tmp_path: Path) -> None:
    file = tmp_path / "calls.yaml"
    file.write_text("edges:\n  - [front, basket]  # over HTTP\n  - [front, basket]\n  - [basket, ledger]\n")
    reader = open_topology(settings(file))
    assert reader is not None
    assert await reader.edges(()) == (Edge("front", "basket", "calls.yaml"), Edge("basket", "ledger", "calls.yaml"))


def test_none_is_opened_where_none_is_named() -> None:
    assert open_topology(settings("")) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("calls: []", "no list 'edges'"),
        ("edges: [[front]]", r"edges\[0\] is \['front'\]"),
        ("edges: [", "not valid YAML"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "calls.yaml"
    file.write_text(text)
    with pytest.raises(PermanentError, match=message):
        open_topology(settings(file))
    with pytest.raises(PermanentError, match=r"AGENT_SRE_TOPOLOGY_FILE=.*nowhere: No such file"):
        open_topology(settings(tmp_path / "nowhere"))


async def test_the_doctor_names_a_file_that_is_wrong(tmp_path: Path) -> None:
    wanted = settings(tmp_path / "nowhere").model_copy(update={"data_dir": tmp_path})
    (check,) = [item for item in await examine(wanted) if item.subject == "topology file"]
    assert check.state is CheckState.FAILED
    assert "AGENT_SRE_TOPOLOGY_FILE" in check.fix
