"""How much of a cluster may be asked about: all of it, or some namespaces and nothing beside them.

A team's account often has rights in its own namespaces only. Then no request is sent that concerns the whole cluster:
it could only be refused, and a refusal in an audit log looks like an attack. What is left out that way is a gap that
says so, with the setting that would change it.
"""

from dataclasses import dataclass

from agent_sre.ports.cluster import CLUSTER_SCOPED, READ_KINDS, NotOffered

_SETTING = "AGENT_SRE_KUBERNETES_SCOPE"


@dataclass(frozen=True, slots=True)
class Reach:
    """``namespaces`` are those that may be asked about; None is the whole cluster."""

    namespaces: frozenset[str] | None = None

    def check(self, kind: str, namespace: str, name: str = "") -> None:
        """Raises NotOffered, naming the limit and how to lift it, for what lies beyond."""
        if self.namespaces is None or namespace in self.namespaces:
            return
        if kind == "Namespace" and name in self.namespaces:
            return  # rights in a namespace may include its own object
        only = f"only namespaces are looked at ({', '.join(sorted(self.namespaces))})"
        if kind in CLUSTER_SCOPED or not namespace:
            raise NotOffered(
                f"{only}, so nothing of the whole cluster was asked for; to have it, set {_SETTING}=cluster and grant "
                "the reader's account list on these kinds by a ClusterRole"
            )
        raise NotOffered(f"{only}, and namespace {namespace} is not among them; add it to AGENT_SRE_NAMESPACES")

    def covers(self, kind: str) -> bool:
        """Whether objects of this kind can be asked for at all."""
        return self.namespaces is None or (kind in READ_KINDS and kind not in CLUSTER_SCOPED)
