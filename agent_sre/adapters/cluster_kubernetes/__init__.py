"""A Kubernetes API server behind the ports: ClusterReader, LogReader, ClusterWriter and the doctor's probe.

All speak through ``kubernetes.aio``'s dynamic client, whose requests need no typed models (a third of the memory) and,
since the port fixes which kinds exist, no discovery either: an account needs rights on the objects, nothing else.
The library takes a second or two to import, so it is imported when the first connection is opened.

Reading and writing share code, never a connection: bootstrap gives ``KubernetesWriter`` an ``Access`` of its own, with
its own account, and hands it to the action executor only.
"""

from agent_sre.adapters.cluster_kubernetes.connection import Access, Connection
from agent_sre.adapters.cluster_kubernetes.logs import KubernetesLogs
from agent_sre.adapters.cluster_kubernetes.probe import KubernetesProbe
from agent_sre.adapters.cluster_kubernetes.reader import KubernetesCluster
from agent_sre.adapters.cluster_kubernetes.writer import KubernetesWriter

__all__ = ["Access", "Connection", "KubernetesCluster", "KubernetesLogs", "KubernetesProbe", "KubernetesWriter"]
