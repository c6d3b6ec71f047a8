"""Data stores: a client that cannot use its database, from its own words and from how its peers are configured.

The client's log says which of user, password or port is refused. The configuration confirms: other clients of the same
database and the database itself show what the right value is. Messages that need no configuration to be understood
(too many connections, read-only, lock waits) are read by the log analyzers.
"""

import re
from collections.abc import Iterator

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.kubernetes.addresses import Address, addresses
from agent_sre.analysis.kubernetes.cluster import Cluster, cluster_of
from agent_sre.analysis.kubernetes.excerpts import fact, log_fact
from agent_sre.analysis.kubernetes.logs import LineSeen, matching, streams
from agent_sre.analysis.kubernetes.reading import Path, items, labels, number, positions, text
from agent_sre.analysis.kubernetes.selectors import selects
from agent_sre.analysis.kubernetes.workload import Workload
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.reference import ObjectRef

_ANALYZER = "data_stores"
_DENIED = re.compile(r"Access denied for user|ERROR 1045|\(28000\)", re.I)
_DENIED_HOLDS = ("access denied for user", "error 1045", "(28000)")
_NO_SERVER = re.compile(r"Can't connect to MySQL server on '?(?P<host>[\w.-]+)(?::(?P<port>\d+))?'?", re.I)
_NO_SERVER_HOLDS = ("connect to mysql server",)
_DATABASE = re.compile(r"mysql|maria|percona", re.I)
_CREDENTIAL = re.compile(r"(?:USER(?:NAME)?|PASS(?:WORD|WD)?|PWD)$", re.I)
_SERVER_SIDE = re.compile(r"^(?:MYSQL|MARIADB)_(?:RANDOM_)?ROOT_PASSWORD$")
_PORT = 3306


def analyze_data_stores(case: CaseFile) -> Iterator[Finding]:
    """Findings for clients whose log-in or connection to a MySQL-like database is refused."""
    cluster = cluster_of(case)
    for workload in cluster.in_scope():
        yield from _credentials(case, cluster, workload)
        yield from _port(case, cluster, workload)


def _credentials(case: CaseFile, cluster: Cluster, workload: Workload) -> Iterator[Finding]:
    denied = next(matching(streams(case, workload), _DENIED, holding=_DENIED_HOLDS), None)
    if denied is None or _is_database(workload):
        return
    odd = _odd_credentials(cluster, workload)
    facts = [log_fact("The client's log says that the log-in is refused", *denied), *odd]
    yield Finding(
        analyzer=_ANALYZER,
        fault="mysql_invalid_credentials",
        object=workload.ref,
        strength=(0.96 if odd else 0.9) if _recent(case, denied) else 0.5,
        statement=f"{workload.ref} cannot log in to its database: the user or password that it uses is refused.",
        facts=tuple(facts),
        onset=denied[1].time,
        distinguish=f"the Secret that {workload.ref.name} reads against the database's own users",
    )


def _recent(case: CaseFile, found: LineSeen) -> bool:
    """Whether the complaint is among the last things the stream says, or from the window."""
    seen, line = found
    if line.time is not None:
        return case.window.contains(line.time) or line in seen.value.lines[-50:]
    return line in seen.value.lines[-200:]


def _is_database(workload: Workload) -> bool:
    """Whether it is the database itself: it is told the root's password, or listens on the database's port.

    Images and names are the site's own and say nothing for sure.
    """
    containers = [item for item in workload.containers if not item.init]
    named = {text(entry, "name") for item in containers for entry in items(item.spec, "env")}
    return any(_SERVER_SIDE.match(name) for name in named) or any(_PORT in item.ports() for item in containers)


def _odd_credentials(cluster: Cluster, workload: Workload) -> list[Fact]:
    """Credentials of this client that differ from those of the database's other clients."""
    ours = _credential_values(workload)
    callees = {item.service for item in addresses(cluster) if item.workload.ref == workload.ref}
    peers = {item.workload.ref: item.workload for item in addresses(cluster) if item.service in callees}
    facts = []
    for name, (value, path) in ours.items():
        theirs = [
            _credential_values(peer)[name][0]
            for ref, peer in peers.items()
            if ref != workload.ref and name in _credential_values(peer)
        ]
        if len(theirs) >= 2 and value not in theirs and len(set(theirs)) == 1 and workload.spec_source:
            facts.append(fact(f"Other clients of the same database have another {name}", workload.spec_source[0], path))
    return facts


def _credential_values(workload: Workload) -> dict[str, tuple[str, Path]]:
    """Log-in variables by what they are called without the client's own prefix."""
    found = {}
    for container in workload.containers:
        for place, item in positions(container.spec, "env"):
            name = text(item, "name")
            match = _CREDENTIAL.search(name)
            if match and "value" in item:
                found[match[0].upper()] = (text(item, "value"), (*container.spec_path, "env", place))
    return found


def _port(case: CaseFile, cluster: Cluster, workload: Workload) -> Iterator[Finding]:
    """A database that is asked for on a port that its Service does not have, by the client's words."""
    for seen, line in matching(streams(case, workload), _NO_SERVER, holding=_NO_SERVER_HOLDS):
        match = _NO_SERVER.search(line.text)
        port = match["port"] if match else None
        if match is None or port is None:
            continue
        service = cluster.get(ObjectRef("Service", workload.ref.namespace, match["host"].partition(".")[0]))
        if service is None or port in {text(item, "port") for item in items(service.value, "spec", "ports")}:
            return
        facts = [
            log_fact("The client's log names the address that does not answer", seen, line),
            fact("The database's Service has these ports", service, ("spec", "ports")),
        ]
        statement = f"{workload.ref} looks for its database on port {port}, which its Service does not have."
        yield Finding(_ANALYZER, "mysql_invalid_port", workload.ref, 0.94, statement, tuple(facts), onset=line.time)
        return


def database_port(cluster: Cluster, address: Address) -> bool:
    """Whether an address is that of a MySQL-like database, by its ports, its workload's settings or the variable."""
    service = cluster.get(address.service)
    if service is None:
        return False
    selector = labels(service.value, "spec", "selector")
    chosen = [item for item in cluster.workloads.values() if item.ref.namespace == address.service.namespace]
    if any(_is_database(item) for item in chosen if selects(selector, item.labels)):
        return True
    ports = items(service.value, "spec", "ports")
    words = [*(text(item, "name") for item in ports), address.variable, address.shown.partition("://")[0]]
    return _PORT in [number(item, "port") for item in ports] or any(_DATABASE.search(word) for word in words)
