"""A Deployment with a history, a runbook that offers to undo it, and proposals made from both."""

from typing import Any

from agent_sre.actions.propose import Refusal, propose
from agent_sre.domain.action import Proposal
from agent_sre.domain.approval import Approval, ApprovalState
from agent_sre.domain.hypothesis import Hypothesis
from agent_sre.domain.reference import ObjectRef
from agent_sre.domain.runbook import ActionTemplate, DiagnosticStep, Match, Runbook
from agent_sre.testing.clock import FrozenClock
from agent_sre.testing.cluster import FakeCluster
from agent_sre.testing.kubernetes_objects import container, deployment, pod_template, replica_set

REF = ObjectRef("Deployment", "shop", "checkout")
UNDO = ActionTemplate(
    action="rollout_undo",
    parameters={"workload": "$object", "to_revision": "$previous_revision"},
    when=("bad_deploy",),
    expected="The template of revision $previous_revision comes back.",
    verify="$object is available.",
    undo="Roll out $object.name in $object.namespace again.",
)
RESTART = ActionTemplate("rollout_restart", {"workload": "$object"}, (), "Restarted.", "Available.", "Nothing to undo.")
RUNBOOK = Runbook(
    id="bad-deploy",
    title="A rollout made things worse",
    summary="",
    matches=Match(("bad_deploy",)),
    diagnostics=(DiagnosticStep("History", "kubernetes", "kubectl get replicasets", "A new one."),),
    actions=(UNDO, RESTART),
    links=(),
    body="",
    path="bad-deploy.md",
    digest="f" * 64,
)
GOOD = pod_template("checkout", [container("app", "shop/checkout:1", env={"TAX": "on"})])
BAD = pod_template(
    "checkout",
    [container("app", "shop/checkout:2", env={"TAX": "off"})],
    annotations={"config-hash": "abc"},
    priorityClassName="high",
)


def bad_rollout() -> list[dict[str, Any]]:
    """A Deployment at revision 2 (bad), its two ReplicaSets, and one of another Deployment."""
    bad = deployment("checkout", template=BAD, revision=2)
    other = deployment("cart", revision=9)
    return [
        bad,
        replica_set(bad, "old", revision=1, template=GOOD),
        replica_set(bad, "new", revision=2, template=BAD, replicas=2),
        other,
        replica_set(other, "old", revision=8),
    ]


def hypothesis(ref: ObjectRef = REF, evidence: tuple[str, ...] = ("E1",)) -> Hypothesis:
    return Hypothesis(1, "bad_deploy", ref, 0.9, "The rollout of revision 2 broke it.", evidence)


async def proposed(
    cluster: FakeCluster, template: ActionTemplate = UNDO, about: Hypothesis | None = None
) -> Proposal | Refusal:
    return await propose(
        template,
        RUNBOOK,
        about or hypothesis(),
        cluster,
        incident_id="INC-1",
        proposal_id="INC-1-1-1",
        now=FrozenClock().now(),
    )


async def proposal(cluster: FakeCluster, template: ActionTemplate = UNDO) -> Proposal:
    made = await proposed(cluster, template)
    assert isinstance(made, Proposal), made
    return made


def approved(item: Proposal, state: ApprovalState = ApprovalState.APPROVED) -> Approval:
    now = FrozenClock().now()
    return Approval("APR-1", "INC-1", item, item.digest, state, now, now, "ann@example.com", now)
