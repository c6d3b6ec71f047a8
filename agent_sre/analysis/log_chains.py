"""Who points at whom in the logs, followed to the end.

"connection refused to X", "timeout calling Y", "503 from Z", "dial tcp 10.0.0.7:5432": an error that names another
workload, by name, by its Service or by an address, is a pointer. Pointers are followed over any number of hops to the
workloads that point at nobody: those are nearest to the origin, and everybody who points there, directly or not, is
explained by it. A name counts where an address would stand, or anywhere if the caller is known to call it: many
services are called by words that sentences use too. Called by ``log_errors``.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from agent_sre.analysis.calls import calls
from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.kubernetes.cluster import Cluster, cluster_of
from agent_sre.analysis.kubernetes.reading import dig, items, labels, name_of, text
from agent_sre.analysis.kubernetes.selectors import selects
from agent_sre.analysis.log_entries import Statement
from agent_sre.analysis.log_patterns import is_somebody_else_s
from agent_sre.analysis.signals import workload_of_pod
from agent_sre.analysis.stores import stores

_LONGEST = 2_000
_NAME = re.compile(r"(?<![\w.-])[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*(?![\w-])", re.I)
_BEFORE = re.compile(
    r"(?:://(?:[^/@\s]*@)?|@|\b(?:to|from|by|at|host|upstream|service|server|backend|cluster|lookup|calling|call|called"
    r"|via|dependency|downstream|peer|target|dial tcp|connect|ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|rpc|client"
    r"|broker|node|addr|address|dest|destination|url|uri|endpoint|authority|resolve|reach)[ =:\"'\[(]{1,3})$",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r":\d{2,5}\b|\.[a-z0-9-]+\.svc\b"
    r"|[\"']? (?:returned|responded|answered|failed|timed|is|did|service|refused)\b"
)
_FAMILIES = {
    "mysql": re.compile(r"mysql|maria|innodb", re.I),
    "postgres": re.compile(r"postgres|psycopg|\bpgx?[:.]|pgbouncer|PG::", re.I),
    "redis": re.compile(r"redis|lettuce|jedis|valkey|\bMISCONF\b", re.I),
    "mongo": re.compile(r"mongo", re.I),
    "search": re.compile(r"elastic|opensearch|cluster_block|flood[-_ ]stage|\w*_parsing_exception|es_rejected", re.I),
    "cassandra": re.compile(r"cassandra|scylla|datastax", re.I),
    "queue": re.compile(r"kafka|rabbit|amqp|\bnats\b|activemq|artemis|pulsar", re.I),
    "memcached": re.compile(r"memcache", re.I),
    "sql": re.compile(
        r"SqlExceptionHelper|\bjdbc\b|\bSQLSTATE\b|SQLException|sqlalchemy|org\.hibernate|EntityFramework", re.I
    ),
    "elsewhere": re.compile(
        r"dynamo|ProvisionedThroughput|provisioned throughput|bigtable|cosmos|spanner|firestore", re.I
    ),
}
"""Words that only messages about one family of stores have; ``elsewhere`` is run by a cloud, outside the cluster, and
``sql`` any of those that are asked in SQL."""
_ASKED_IN_SQL = frozenset({"mysql", "postgres", "mssql", "oracle"})
_STORE = re.compile(
    r"mysql|maria|percona|postgres|pgsql|pg-?bouncer|mongo|redis|valkey|memcache|cassandra|scylla|elastic|opensearch|kafka"
    r"|rabbit|activemq|artemis|\bnats\b|pulsar|etcd|clickhouse|influx|cockroach|mssql|oracle|dynamo|neo4j|solr|couch|minio"
    r"|(?:^|[-_./])(?:\w*db|database|cache|queue|broker|search|store|storage|sql)(?:$|[-_.:/\d])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Pointer:
    """A statement of one workload that names another. ``failing``: it says that the other does not answer or fails."""

    workload: str
    target: str
    statement: Statement
    failing: bool


class Chains:
    """All pointers of a case's troubles, and where they lead."""

    def __init__(self, case: CaseFile, troubles: Sequence[Statement]) -> None:
        self._graph = calls(case)
        self._cluster = cluster_of(case)
        self._stores = stores(case)
        self._spaces = {*case.namespaces, *(item.namespace for item in troubles)}
        self._complaining = {item.workload for item in troubles}
        self._printing = {
            workload_of_pod(seen.value.source.pod) for seen in case.streams if seen.value.source.namespace != "@nodes"
        }
        self.pointers = tuple(self._read(troubles))

    def _read(self, troubles: Iterable[Statement]) -> Iterable[Pointer]:
        for item in troubles:
            failing = is_somebody_else_s(item.said)
            for target in sorted(self._named(item)):
                # A callee does not blame its caller: that it names one is context.
                if item.workload not in self._graph.callees.get(target, ()):
                    yield Pointer(item.workload, target, item, failing)

    def _named(self, item: Statement) -> set[str]:
        said = item.said[:_LONGEST]
        callees = set(self._graph.callees.get(item.workload, ()))
        found = set()
        for match in _NAME.finditer(said):
            token = match[0].lower().strip(".")
            name = self._addresses.get(token, "") if token[:1].isdigit() else self.workload_named(token)
            if not name or name == item.workload or name in found:
                continue
            placed = _BEFORE.search(said, max(0, match.start() - 24), match.start()) or _AFTER.match(said, match.end())
            if name in callees or (placed and (name in self._complaining or self._inside(name))):
                found.add(name)
        return found

    def workload_named(self, host: str) -> str:
        """The workload that a host name leads to inside the cluster; "" where there is none."""
        first, _, rest = host.partition(".")
        if rest and not rest.startswith("svc") and rest.split(".")[0] not in self._spaces:
            return ""
        if first in self._services:
            return self._services[first]
        return first if first in self._names else ""

    def _inside(self, name: str) -> bool:
        return name in self._names

    @cached_property
    def _names(self) -> frozenset[str]:
        graph = {*self._graph.callees, *self._graph.callers}
        return frozenset({*graph, *self._printing, *self._complaining, *(ref.name for ref in self._cluster.workloads)})

    @cached_property
    def _services(self) -> Mapping[str, str]:
        """The one workload behind each Service, where its selector tells."""
        return {
            name_of(seen.value): name for seen in self._cluster.objects("Service") if (name := self._behind(seen.value))
        }

    def _behind(self, service: Mapping[str, object]) -> str:
        selector = labels(service, "spec", "selector")
        space = text(service, "metadata", "namespace")
        chosen = [
            ref.name
            for ref, workload in self._cluster.workloads.items()
            if ref.namespace == space and selector and selects(selector, workload.labels)
        ]
        return chosen[0] if len(chosen) == 1 else ""

    @cached_property
    def _addresses(self) -> Mapping[str, str]:
        """Workloads by the addresses of their Services and pods."""
        found = {}
        for seen in self._cluster.objects("Service"):
            name = self._services.get(name_of(seen.value), name_of(seen.value))
            found[str(dig(seen.value, "spec", "clusterIP") or "")] = name
        for ref, workload in self._cluster.workloads.items():
            for pod in workload.pods:
                found[str(dig(pod.seen.value, "status", "podIP") or "")] = ref.name
        return {address: name for address, name in found.items() if address[:1].isdigit()}

    @cached_property
    def targets(self) -> Mapping[str, frozenset[str]]:
        """By workload, those it points at."""
        found: dict[str, set[str]] = defaultdict(set)
        for pointer in self.pointers:
            found[pointer.workload].add(pointer.target)
        return {name: frozenset(targets) for name, targets in found.items()}

    def leading_to(self, name: str) -> tuple[str, ...]:
        """Everybody whose pointers lead to a workload, over any number of hops, sorted."""
        found: set[str] = set()
        todo = [name]
        while todo:
            last = todo.pop()
            for workload, targets in self.targets.items():
                if last in targets and workload not in found and workload != name:
                    found.add(workload)
                    todo.append(workload)
        return tuple(sorted(found))

    def blames_another(self, name: str) -> bool:
        """Whether a workload points at one that complains itself, or that several say is failing."""
        targets = self.targets.get(name, frozenset()) - set(self.leading_to(name))
        failing = defaultdict(set)
        for pointer in self.pointers:
            if pointer.failing:
                failing[pointer.target].add(pointer.workload)
        return any(target in self._complaining or len(failing[target]) > 1 for target in targets)

    def store_of(self, item: Statement) -> str:
        """The data store that a client's error is about: the logger itself, the one it names, or the only one it calls;
        else the one leaf it names (whatever that is called); "" where that cannot be told."""
        if self._is_store(item.workload):
            return item.workload
        named = {pointer.target for pointer in self.pointers if pointer.statement is item}
        callees = self._graph.callees.get(item.workload, ())
        for candidates in (named, self._of_the_family(item.said, callees)):
            stores = sorted({name for name in candidates if self._is_store(name)})
            alike = [name for name in stores if _speaks_of(item.said, f"{name} {self._stores.get(name, '')}")]
            for few in (stores, alike, [name for name in stores if name in self._complaining]):
                if len(few) == 1:
                    return few[0]
        # Who says nothing and calls nobody relays nobody else's words: the message is about it.
        leaves = [name for name in named if not self._graph.callees.get(name) and name not in self._complaining]
        return leaves[0] if len(leaves) == 1 else ""

    def _of_the_family(self, said: str, names: Iterable[str]) -> list[str]:
        """The names that the text may be about: where only one family's words are in it, not the other families'."""
        spoken = {family for family, words in _FAMILIES.items() if words.search(said[:_LONGEST])}
        if "sql" in spoken and not spoken & _ASKED_IN_SQL:
            spoken |= _ASKED_IN_SQL
        return [name for name in names if not spoken or self._stores.get(name, "") in {"", *spoken}]

    def _is_store(self, name: str) -> bool:
        return name in self._stores or is_store(self._cluster, name)


def is_store(cluster: Cluster, name: str) -> bool:
    """Whether a workload is a data store, cache or queue, by its name or the images it runs."""
    if _STORE.search(name):
        return True
    images = (
        str(container.get("image", ""))
        for ref, workload in cluster.workloads.items()
        if ref.name == name
        for container in items(workload.pod_spec, "containers")
    )
    return any(_STORE.search(image.rsplit("/", 1)[-1].partition(":")[0]) for image in images)


def _speaks_of(said: str, name: str) -> bool:
    """Whether the text has the name's kind in it: a message about Redis and a store called redis-cart."""
    kinds = {match[0].lower() for match in _STORE.finditer(name)}
    return any(kind.strip("-_./") in said.lower() for kind in kinds if len(kind) > 2)
