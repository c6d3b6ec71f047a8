"""A repository of the site's, and what of it runs where."""

from dataclasses import dataclass

from agent_sre.domain.visible import one_line


@dataclass(frozen=True, slots=True)
class Repository:
    """``project`` is its path on the host (``owner/name``, or with groups). Empty fields: the default branch
    (``branch``), the whole tree (``path``), all namespaces (``namespace``), the project's own name (``workload``).
    """

    project: str
    branch: str = ""
    path: str = ""
    namespace: str = ""
    workload: str = ""

    def concerns(self, namespaces: tuple[str, ...]) -> bool:
        """Whether what it holds runs in one of these namespaces."""
        return not self.namespace or self.namespace in namespaces

    def runs(self, namespace: str, workload: str) -> bool:
        """Whether this workload is said to be made of it."""
        named = self.workload or self.project.rpartition("/")[2]
        return self.namespace in ("", namespace) and named == workload

    def is_at(self, url: str) -> bool:
        """Whether a clone's URL (https or ssh) is this repository's."""
        plain = url.removesuffix("/").removesuffix(".git").lower()
        return plain.endswith((f"/{self.project.lower()}", f":{self.project.lower()}"))

    @property
    def target(self) -> str:
        """The name that its changes are aimed at."""
        return self.workload or self.project.rpartition("/")[2]

    def __str__(self) -> str:
        """``acme/shop (branch main, path cart)``."""
        parts = [f"{name} {value}" for name, value in (("branch", self.branch), ("path", self.path)) if value]
        return one_line(self.project + (f" ({', '.join(parts)})" if parts else ""))
