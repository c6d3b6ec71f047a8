"""A Kubernetes API server behind the ports: ClusterReader, LogReader, ClusterWriter and the doctor's probe.

All speak through ``kubernetes.aio``'s dynamic client, whose requests need no typed models (a third of the memory) and,
since the port fixes which kinds exist, no discovery either: an account needs rights on the objects, nothing else.
The library takes a second or two to import, so it is imported when the first connection is opened.

Reading and writing share code, never a connection: bootstrap opens the writer with the executor's own account, and
hands it to nothing else.
"""

from agent_sre.adapters.kubernetes_api.connection import Access, Connection
from agent_sre.adapters.kubernetes_api.helm_releases import HelmReleases
from agent_sre.adapters.kubernetes_api.logs import KubernetesLogs
from agent_sre.adapters.kubernetes_api.opening import (
    KubernetesProbe,
    KubernetesWriterProbe,
    open_cluster,
    open_writer,
)
from agent_sre.adapters.kubernetes_api.reach import Reach
from agent_sre.adapters.kubernetes_api.reader import KubernetesCluster
from agent_sre.adapters.kubernetes_api.writer import KubernetesWriter

__all__ = [
    "Access",
    "Connection",
    "HelmReleases",
    "KubernetesCluster",
    "KubernetesLogs",
    "KubernetesProbe",
    "KubernetesWriter",
    "KubernetesWriterProbe",
    "Reach",
    "open_cluster",
    "open_writer",
]
