"""Every action against an API server over real sockets: proposed by the reader, done by the writer, with its rights."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent_sre.actions.catalogue import ACTIONS
from agent_sre.actions.executor import execute
from agent_sre.actions.propose import propose
from agent_sre.adapters.kubernetes_api import Access, Connection, KubernetesCluster, KubernetesWriter
from agent_sre.adapters.store_memory import MemoryStore
from agent_sre.domain.action import Proposal
from agent_sre.domain.approval import Approval
from agent_sre.domain.effect import Effect, EffectState
from agent_sre.domain.hypothesis import Hypothesis
from agent_sre.domain.runbook import ActionTemplate
from agent_sre.testing.clock import FrozenClock
from agent_sre.testing.cluster import FakeCluster
from agent_sre.testing.kube_api_server import KubeApiServer
from tests.unit.actions.executions import ALLOW
from tests.unit.actions.kinds import CASES, Case, budget
from tests.unit.actions.rollouts import RUNBOOK, approved

every = pytest.mark.parametrize("item", CASES, ids=str)


@dataclass
class Api:
    """A server, and the two accounts' connections to it."""

    cluster: FakeCluster
    server: KubeApiServer
    reader: KubernetesCluster
    writer: KubernetesWriter

    async def approve(self, item: Case) -> Approval:
        template = ActionTemplate(item.action, item.parameters, (), "", "", "")
        about = Hypothesis(1, "bad_deploy", item.fault, 0.9, "It is so.", ("E1",))
        now = FrozenClock().now()
        made = await propose(
            template, RUNBOOK, about, self.reader, incident_id="INC-1", proposal_id="INC-1-1-1", now=now
        )
        assert isinstance(made, Proposal), made
        return approved(made)

    async def run(self, approval: Approval) -> Effect:
        store = MemoryStore()
        return await execute(
            approval,
            writer=self.writer,
            reader=self.reader,
            ledger=store.effects,
            clock=FrozenClock(),
            policy=ALLOW,
            journal=store.journal,
        )


@pytest.fixture
async def api(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Api]:
    item: Case = request.node.callspec.params["item"]
    cluster = FakeCluster(item.objects())
    async with KubeApiServer(cluster, cluster).running() as server:
        config = tmp_path / "kubeconfig"
        config.write_text(server.kubeconfig())
        access = Access("kubeconfig", str(config))
        connection = Connection(access)
        reader, writer = KubernetesCluster(connection), KubernetesWriter(access)
        yield Api(cluster, server, reader, writer)
        await connection.close()
        await writer.close()


@every
async def test_a_dry_run_then_one_effect(item: Case, api: Api) -> None:
    effect = await api.run(await api.approve(item))
    assert effect.state is EffectState.DONE, effect.detail
    assert item.after(api.cluster)
    sent = [request for request in api.server.requests if request.method != "GET"]
    assert len(sent) == 2
    dry = [request.query.get("dryRun") or str((request.body or {}).get("dryRun")) for request in sent]
    assert "All" in dry[0] and "All" not in dry[1]
    assert len(api.cluster.effects) == 1


@every
async def test_a_connection_cut_after_the_effect_is_read_back(item: Case, api: Api) -> None:
    approval = await api.approve(item)
    api.cluster.lose_answers()
    effect = await api.run(approval)
    assert effect.state is EffectState.DONE
    assert "Read back" in effect.detail
    assert len(api.cluster.effects) == 1


@every
async def test_without_the_right_the_servers_403_is_in_the_outcome(item: Case, api: Api) -> None:
    approval = await api.approve(item)
    (right,) = {
        (right.verb, right.resource) for right in ACTIONS[item.action].rights if right.writes and _own(right, item)
    }
    api.server.denied.add(right)
    effect = await api.run(approval)
    assert effect.state is EffectState.FAILED
    assert "403" in effect.detail and "grant that right" in effect.detail
    assert api.cluster.effects == []


def _own(right: object, item: Case) -> bool:
    """Whether a right is for the target's kind: some actions have several kinds."""
    plural = f"{item.target.kind.lower()}s"
    return str(getattr(right, "resource", "")).partition("/")[0] == plural


@pytest.mark.parametrize("item", [each for each in CASES if each.action == "pod_evict"], ids=str)
async def test_an_eviction_that_its_budget_refuses_is_tried_and_given_up_without_effect(item: Case, api: Api) -> None:
    approval = await api.approve(item)
    api.cluster.add(budget(0))
    effect = await api.run(approval)
    assert effect.state is EffectState.FAILED
    assert "Nothing was changed" in effect.detail
    assert "disruption budget" in effect.detail
    assert api.cluster.effects == []
