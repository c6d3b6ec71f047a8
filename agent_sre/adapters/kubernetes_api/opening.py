"""From settings to connections: which account, and whether there is one at all.

``auto`` means: use a cluster if this machine has access to one. Its absence is then not an error but a source that is
not there, so ``open_cluster`` gives None.
"""

import asyncio
import os
from importlib import import_module
from pathlib import Path

from agent_sre.adapters.kubernetes_api.connection import TIMEOUT, Access, Connection, Mode, in_pod
from agent_sre.adapters.kubernetes_api.grants import Right
from agent_sre.adapters.kubernetes_api.probe import ConnectionProbe, acting_rights
from agent_sre.adapters.kubernetes_api.reach import Reach
from agent_sre.adapters.kubernetes_api.reader import KubernetesCluster
from agent_sre.adapters.kubernetes_api.writer import KubernetesWriter
from agent_sre.ports.health import Check, CheckState

_SUBJECT = "cluster (Kubernetes)"


async def open_cluster(
    mode: Mode, kubeconfig: str, context: str, request_seconds: float = TIMEOUT, reach: Reach | None = None
) -> KubernetesCluster | None:
    """The reader; None where ``mode`` is auto and this machine has no access to any cluster.

    Nothing is sent yet: a server that is down, or an account that was refused, is told by each read.
    """
    if mode == "auto" and not await asyncio.to_thread(_has_access, kubeconfig):
        return None
    return KubernetesCluster(Connection(Access(mode, kubeconfig, context, request_seconds)), reach=reach)


async def open_writer(mode: Mode, kubeconfig: str, context: str, request_seconds: float = TIMEOUT) -> KubernetesWriter:
    """The writer, with a connection of its own.

    A kubeconfig that is named wins over every mode: in a pod the service account is the reader's, and an executor that
    was given an account of its own must never fall back to that one unnoticed.
    """
    return KubernetesWriter(_executors(mode, kubeconfig, context, request_seconds))


class KubernetesProbe:
    """The doctor's look at the cluster the settings name, in the given namespaces ("" for all)."""

    def __init__(
        self,
        mode: Mode,
        kubeconfig: str,
        context: str,
        namespaces: tuple[str, ...] = ("",),
        reach: Reach | None = None,
        secrets_wanted: bool = False,
    ) -> None:
        self._settings = mode, kubeconfig, context
        self._namespaces = namespaces
        self._reach = reach or Reach()
        self._secrets_wanted = secrets_wanted

    async def check(self) -> tuple[Check, ...]:
        """Reach, version and rights; skipped where there is no access and none was asked for."""
        cluster = await open_cluster(*self._settings)
        if cluster is None:
            detail = "not in a pod, and no kubeconfig found"
            return (Check(_SUBJECT, CheckState.SKIPPED, detail, "set AGENT_SRE_KUBECONFIG to use a cluster"),)
        try:
            probe = ConnectionProbe(cluster.connection, self._namespaces, self._reach, self._secrets_wanted)
            return await probe.check()
        finally:
            await cluster.close()


class KubernetesWriterProbe:
    """The doctor's look at the executor's account: has it the rights of the actions that are allowed?"""

    def __init__(self, mode: Mode, kubeconfig: str, context: str, *, rights: tuple[Right, ...]) -> None:
        self._access = _executors(mode, kubeconfig, context, TIMEOUT)
        self._rights = rights

    async def check(self) -> tuple[Check, ...]:
        """One line; asks with the executor's own account."""
        connection = Connection(self._access)
        try:
            return (await acting_rights(connection, self._rights),)
        finally:
            await connection.close()


def _executors(mode: Mode, kubeconfig: str, context: str, request_seconds: float) -> Access:
    return Access("kubeconfig" if kubeconfig else mode, kubeconfig, context, request_seconds)


def _has_access(kubeconfig: str) -> bool:
    """Whether there is a service account or a kubeconfig. An empty path stands for the library's own default."""
    if kubeconfig or in_pod():
        return True
    default = import_module("kubernetes.aio.config.kube_config").KUBE_CONFIG_DEFAULT_LOCATION
    return any(Path(part).expanduser().is_file() for part in str(default).split(os.pathsep))
