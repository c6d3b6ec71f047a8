"""Well-known messages, as the programs really print them, and the fault that each speaks for."""

import pytest

from agent_sre.analysis.log_patterns import PATTERNS, classify, is_somebody_else_s, outside_host
from agent_sre.domain.fault import fault_types

MESSAGES = {
    "mysql_invalid_credentials": (
        'FATAL:  password authentication failed for user "leaf"',
        "WRONGPASS invalid username-password pair or user is disabled.",
        "MongoServerError: SCRAM authentication failed, storedKey mismatch",
        "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN",
        "Login failed for user 'leaf'.",
    ),
    "db_connection_exhaustion": (
        "FATAL:  sorry, too many clients already",
        "Error 1040 (08004): Too many connections",
        "ERR max number of clients reached",
        'FATAL: too many connections for role "leaf"',
    ),
    "db_disk_full": (
        'PANIC:  could not write to file "pg_wal/xlogtemp.7": No space left on device',
        "Elasticsearch flood stage disk watermark [95%] exceeded on [x]",
        "kafka.common.KafkaStorageException: Error while writing to checkpoint file",
        "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk",
    ),
    "db_read_only": (
        "READONLY You can't write against a read only replica.",
        "The MySQL server is running with the --read-only option so it cannot execute this statement",
        "NotWritablePrimary: not primary",
        "sqlite3.OperationalError: attempt to write a readonly database",
    ),
    "db_lock_contention": (
        "ERROR:  deadlock detected",
        "Deadlock found when trying to get lock; try restarting transaction",
        "ERROR:  canceling statement due to lock timeout",
        "WriteConflict error: this operation conflicted with another operation",
    ),
    "db_schema_mismatch": (
        'ERROR:  relation "leaves" does not exist at character 15',
        "Unknown column 'colour' in 'field list'",
        "Schema-validation: missing column [colour] in table [leaf]",
        'null value in column "colour" of relation "leaf" violates not-null constraint',
    ),
    "bad_migration": ("Dirty database version 17. Fix and force version.", "Migration V17__leaf.sql failed"),
    "index_mapping_broken": (
        "mapper [colour] cannot be changed from type [keyword] to [long]",
        "document_parsing_exception: [1:17] failed to parse field [colour] of type [long]",
        "Limit of total fields [1000] has been exceeded",
    ),
    "write_capacity_exceeded": (
        "ProvisionedThroughputExceededException: the level of provisioned throughput was exceeded",
        "OOM command not allowed when used memory > 'maxmemory'.",
        "es_rejected_execution_exception: rejected execution of coordinating operation",
    ),
    "replication_lag": ("replica is too stale to catch up", "canceling statement due to conflict with recovery"),
    "slow_query": ("LOG:  duration: 12043.112 ms  statement: SELECT 1", "canceling statement due to statement timeout"),
    "poison_message": (
        "o.a.k.common.errors.RecordDeserializationException: Error deserializing key/value for partition a-0",
        "moved to dead-letter queue after 5 attempts",
    ),
    "queue_backlog": ("consumer poll timeout has expired: increase max.poll.interval.ms", "consumer lag is growing"),
    "file_descriptors_exhausted": ("accept4: too many open files", "Error: EMFILE: too many open files"),
    "connection_pool_exhausted": (
        "sqlalchemy.exc.TimeoutError: QueuePool limit of size 5 overflow 10 reached, connection timed out",
        "Timeout expired. The timeout period elapsed prior to obtaining a connection from the pool",
        "redis: connection pool timeout",
        "upstream connect error or disconnect/reset before headers. reset reason: overflow",
        "Cannot get a connection, pool error Timeout waiting for idle object",
    ),
    "thread_pool_exhausted": (
        "java.lang.OutOfMemoryError: unable to create native thread",
        "RuntimeError: can't start new thread",
        "server reached pm.max_children setting (5), consider raising it",
    ),
    "deadlock": ("fatal error: all goroutines are asleep - deadlock!", "Found one Java-level deadlock:"),
    "gc_pressure": ("[gc][1234] overhead, spent [5s] collecting in the last [6s]", "Pause Full (Allocation Failure)"),
    "oom_killed": (
        "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
        "java.lang.OutOfMemoryError: Java heap space",
    ),
    "dependency_upgrade_broken": (
        "java.lang.NoSuchMethodError: 'void com.example.Leaf.pick()'",
        "ImportError: cannot import name 'Leaf' from 'shop'",
        "Error: Cannot find module 'leaf'",
    ),
    "node_clock_skew": (
        "x509: certificate has expired or is not yet valid: current time 2026-03-04T11:00:00Z is before 2026-03-05",
        "RequestTimeTooSkewed: The difference between the request time and the current time is too large.",
        "jwt: token used before issued",
    ),
    "certificate_expired": (
        "x509: certificate has expired or is not yet valid: current time 2026-03-04T11:00:00Z is after 2026-03-03",
        "Error: certificate has expired code CERT_HAS_EXPIRED",
    ),
    "mtls_mismatch": (
        "remote error: tls: bad certificate",
        "x509: certificate signed by unknown authority",
        "PKIX path building failed: unable to find valid certification path to requested target",
    ),
    "rbac_forbidden": (
        'pods is forbidden: User "system:serviceaccount:a:b" cannot list resource "pods"',
        "AccessDeniedException: User: arn:aws:iam::1:role/leaf is not authorized to perform: s3:GetObject",
        "ERROR:  permission denied for table leaf",
    ),
    "credentials_rotated": ("InvalidAccessKeyId: the key does not exist", "oauth2: invalid_grant"),
    "config_invalid": (
        "Could not resolve placeholder 'LEAF_URL' in value \"${LEAF_URL}\"",
        "nginx: [emerg] unknown directive in /etc/nginx/nginx.conf:3",
        "KeyError: 'LEAF_API_URL'",
    ),
    "service_dns_resolution_failure": (
        "dial tcp: lookup leaf on 10.96.0.10:53: no such host",
        "getaddrinfo EAI_AGAIN leaf",
        'could not translate host name "leaf" to address',
    ),
    "coredns_degraded": ("[ERROR] plugin/errors: 2 leaf.example. A: read udp 10.0.0.1:5->10.0.0.2:53: i/o timeout",),
    "service_protocol_mismatch": ("http2: frame too large", "net/http: malformed HTTP response"),
    "etcd_unhealthy": ("etcdserver: request timed out", "apply request took too long"),
    "client_abuse": ('limiting requests, excess: 5.1 by zone "a", client: 10.0.0.9, server: _',),
    "traffic_surge": ("server overloaded, shedding load",),
    "unhandled_exception": (
        "TypeError: Cannot read properties of undefined (reading 'price')",
        "System.NullReferenceException: Object reference not set to an instance of an object.",
        "NoMethodError: undefined method `price' for nil",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("fault", "message"), [(fault, text) for fault, texts in MESSAGES.items() for text in texts])
def test_what_a_message_means(fault: str, message: str) -> None:
    found = classify(message)
    assert found is not None
    assert found.fault == fault


@pytest.mark.parametrize(
    "message",
    [
        "INFO request served in 12 ms",
        "user 28 logged in",
        "order 1040 shipped to warehouse 53",
        "GET /leaf/1146 200",
        "cache warmed with 42 entries",
        "checkpoint complete: wrote 28 buffers",
    ],
)
def test_ordinary_messages_mean_nothing(message: str) -> None:
    assert classify(message) is None


def test_every_pattern_names_a_fault_of_the_vocabulary() -> None:
    assert {pattern.fault for pattern in PATTERNS} <= set(fault_types())


@pytest.mark.parametrize(
    "message",
    [
        "dial tcp 10.0.0.7:5432: connect: connection refused",
        "rpc error: code = Unavailable desc = connection error",
        "StatusCode.DEADLINE_EXCEEDED",
        "Request failed with status code 502",
        "503 Service Unavailable from leaf",
        "Read timed out",
        "socket hang up",
    ],
)
def test_reports_of_somebody_else_s_trouble(message: str) -> None:
    assert is_somebody_else_s(message)


@pytest.mark.parametrize(
    ("message", "host"),
    [
        ("HTTPSConnectionPool(host='api.pay.example', port=443): Read timed out", "api.pay.example"),
        ("connect ECONNREFUSED api.pay.example:443", "api.pay.example"),
        ("failed to com.example.Leaf: connection refused", ""),
        ("GET http://leaf.garden/ returned 503", ""),
    ],
)
def test_hosts_that_are_called(message: str, host: str) -> None:
    assert outside_host(message, lambda name: name == "leaf.garden") == host
