"""Rights that are lacking, in words and as commands that grant them and nothing else."""

import pytest

from agent_sre.adapters.kubernetes_api.grants import commands, in_words

LACKING = [
    ("get", "", "pods/log", "shop"),
    ("list", "apps", "deployments", "shop"),
    ("list", "apps", "deployments", "bank"),
    ("list", "batch", "jobs", "shop"),
    ("list", "", "nodes", ""),
]


def test_each_verb_and_resource_is_named_once_with_its_places() -> None:
    assert in_words(LACKING) == (
        "get pods/log in shop; list deployments.apps in shop, bank; list jobs.batch in shop; list nodes"
    )


@pytest.mark.parametrize(
    ("who", "subject"),
    [
        ("system:serviceaccount:ops:agent-sre", "--serviceaccount=ops:agent-sre"),
        ("ann@example.com", "--user=ann@example.com"),
        ("", "--serviceaccount=NAMESPACE:ACCOUNT"),
    ],
)
def test_a_command_for_each_verb_and_namespace(who: str, subject: str) -> None:
    lines = commands(LACKING, who, "r").splitlines()
    assert lines == [
        f"kubectl create role r-get -n shop --verb=get --resource=pods/log && "
        f"kubectl create rolebinding r-get -n shop --role=r-get {subject}",
        f"kubectl create clusterrole r-list --verb=list --resource=nodes && "
        f"kubectl create clusterrolebinding r-list --clusterrole=r-list {subject}",
        f"kubectl create role r-list -n bank --verb=list --resource=deployments.apps && "
        f"kubectl create rolebinding r-list -n bank --role=r-list {subject}",
        f"kubectl create role r-list -n shop --verb=list --resource=deployments.apps,jobs.batch && "
        f"kubectl create rolebinding r-list -n shop --role=r-list {subject}",
    ]
