"""The rights that are documented are those that are asked for, and no others."""

from pathlib import Path

import yaml

from agent_sre.evidence.catalogue import COLLECTORS
from agent_sre.evidence.rights import HELM_SECRETS, RIGHTS, manifest
from agent_sre.evidence.scope import Readers
from agent_sre.ports.cluster import CLUSTER_SCOPED, READ_KINDS
from agent_sre.testing.cluster import FakeCluster
from tests.unit.evidence.worlds import run, scope

FILE = Path(__file__).resolve().parents[3] / "docs" / "rbac.yaml"
HEAD = """\
# The reader's rights, made from agent_sre/evidence/rights.py. Bind the first role by a ClusterRoleBinding, the
# second by a RoleBinding in each namespace that is looked at, in kube-system, default and kube-node-lease, and
# in those of Argo CD and Flux. What is not granted is an evidence gap that names it.
"""


def test_the_shipped_manifest_is_made_of_the_rights() -> None:
    assert FILE.read_text() == HEAD + yaml.safe_dump_all(manifest(), sort_keys=False)


def test_nothing_is_granted_but_reading_and_no_secrets() -> None:
    every = {right for rights in RIGHTS.values() for right in rights}
    assert {right.verb for right in every} == {"get", "list"}
    assert HELM_SECRETS not in every
    assert not any("secrets" in right.resource for right in every)


def test_every_kind_that_is_read_may_be_listed_where_it_is() -> None:
    granted = {(right.group, right.resource, right.whole_cluster) for one in RIGHTS.values() for right in one}
    for kind, (version, plural) in READ_KINDS.items():
        assert kind == "Namespace" or (version.rpartition("/")[0], plural, kind in CLUSTER_SCOPED) in granted, kind


async def test_a_collector_asks_for_what_its_rights_name_and_nothing_else() -> None:
    for collector in COLLECTORS:
        cluster = FakeCluster()
        await run(collector.name, scope(gitops_namespaces=("argocd",)), Readers(cluster=cluster))
        asked = {
            (READ_KINDS[call.kind][0].rpartition("/")[0], READ_KINDS[call.kind][1], call.verb)
            for call in cluster.calls
            if call.kind in READ_KINDS
        }
        granted = {(right.group, right.resource, right.verb) for right in RIGHTS.get(collector.name, ())}
        assert asked <= granted, collector.name
