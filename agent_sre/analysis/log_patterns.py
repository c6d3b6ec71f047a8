"""What well-known error messages mean: the words of databases, runtimes and libraries, and the fault they name.

A row is a message that a program prints when one particular thing is wrong, so it is worth more than any error count.
``strength`` says how often the message means that fault rather than a consequence of another one. Rows are tried in
order; the first that matches speaks. Kept as data because this list only ever grows; the site's own program texts do
not belong here.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pattern:
    """A message and the fault it speaks for. ``meaning`` completes "the log says that ..."."""

    fault: str
    text: re.Pattern[str]
    strength: float
    meaning: str


def _row(fault: str, text: str, strength: float, meaning: str) -> Pattern:
    return Pattern(fault, re.compile(text, re.IGNORECASE), strength, meaning)


PATTERNS = (
    # data stores
    _row(
        "mysql_invalid_credentials",
        r"access denied for user|error 1045|\b28000\b.*mysql|password authentication failed for user"
        r"|WRONGPASS|NOAUTH Authentication required|authentication failed.*(?:mongo|sasl)",
        0.8,
        "the data store refuses the credentials",
    ),
    _row(
        "db_connection_exhaustion",
        r"too many connections|error 1040|remaining connection slots are reserved|sorry, too many clients"
        r"|max(?:imum)? number of clients reached|ORA-00018|max_connections",
        0.8,
        "the data store accepts no more connections",
    ),
    _row(
        "db_read_only",
        r"read-only (?:transaction|mode|replica)|--read-only option|READONLY You can't write|database is read.?only"
        r"|cannot execute \w+ in a read-only",
        0.8,
        "the data store is read-only",
    ),
    _row(
        "db_lock_contention",
        r"lock wait timeout exceeded|deadlock (?:found|detected)|could not obtain lock|could not serialize access"
        r"|ORA-00060|database is locked",
        0.75,
        "transactions wait for each other's locks",
    ),
    _row(
        "db_schema_mismatch",
        r"unknown column|(?:column|relation|table) \"?[\w.]+\"? does not exist|no such (?:table|column)"
        r"|table '[^']+' doesn't exist|invalid object name|ORA-00942|ORA-00904|undefined column",
        0.8,
        "the schema lacks something that the program expects",
    ),
    _row(
        "index_mapping_broken",
        r"mapper_parsing_exception|strict_dynamic_mapping_exception|index_closed_exception|failed to parse field \["
        r"|index_not_found_exception",
        0.8,
        "the index does not take the documents",
    ),
    _row(
        "write_capacity_exceeded",
        r"ProvisionedThroughputExceeded|ThrottlingException|WriteThrottle|RequestLimitExceeded|flood_stage"
        r"|es_rejected_execution_exception",
        0.75,
        "the store throttles writes beyond its capacity",
    ),
    _row(
        "db_disk_full",
        r"could not extend file.*no space left|disk full.*(?:mysql|postgres|database)|error 28.*got error|errno: 28"
        r"|MISCONF Redis is configured to save",
        0.75,
        "the data store has no disk left",
    ),
    _row(
        "replication_lag",
        r"replica(?:tion)? lag|seconds_behind_master|standby.*behind|replica is too stale|max_replication_lag",
        0.6,
        "the replica is behind",
    ),
    _row(
        "slow_query",
        r"slow query|statement timeout|query execution was interrupted.*maximum statement|canceling statement due to",
        0.55,
        "queries take too long",
    ),
    _row(
        "poison_message",
        r"poison (?:message|pill)|dead.?letter|same offset.*retr|failed to process message .*retr",
        0.6,
        "one message fails again and again",
    ),
    _row(
        "queue_backlog",
        r"(?:queue|consumer|backlog|lag).{0,40}(?:growing|rising|too long|exceeds|backlog)|consumer lag",
        0.35,
        "a queue grows faster than it is worked off",
    ),
    # runtime resources
    _row(
        "file_descriptors_exhausted",
        r"too many open files|EMFILE|ENFILE|error 24\b",
        0.8,
        "the process has no file descriptors left",
    ),
    _row(
        "connection_pool_exhausted",
        r"connection is not available, request timed out|pool exhausted|(?:timeout|timed out) waiting for (?:idle )?"
        r"(?:object|connection)|QueuePool limit|unable to acquire .*connection|no available connection",
        0.75,
        "its own pool of connections is used up",
    ),
    _row(
        "thread_pool_exhausted",
        r"RejectedExecutionException|thread pool (?:is )?(?:exhausted|full)|unable to create new native thread"
        r"|no threads? available|EXHAUSTED thread",
        0.75,
        "it has no threads left",
    ),
    _row(
        "deadlock",
        r"found one java-level deadlock|all goroutines are asleep|fatal error: .*deadlock|potential deadlock",
        0.85,
        "the program is deadlocked",
    ),
    _row(
        "gc_pressure",
        r"GC overhead limit exceeded|pause full|long gc pause|stop-the-world",
        0.65,
        "garbage collection stops the program",
    ),
    _row(
        "oom_killed",
        r"OutOfMemoryError: java heap|cannot allocate memory|out of memory|javascript heap out of memory",
        0.55,
        "the process runs out of memory",
    ),
    _row("exec_format_error", r"exec format error", 0.9, "the image is for another processor"),
    # certificates, rights, configuration
    _row(
        "certificate_expired",
        r"certificate has expired|x509: certificate.*(?:expired|not yet valid)"
        r"|cert(?:ificate)?_expired|CERT_HAS_EXPIRED",
        0.85,
        "a certificate has expired",
    ),
    _row(
        "mtls_mismatch",
        r"tls: bad certificate|peer did not return a certificate|unknown (?:certificate )?authority"
        r"|http: server gave http response to https|wrong version number|plain http request was sent to https",
        0.65,
        "the two sides of a connection disagree on TLS",
    ),
    _row(
        "rbac_forbidden",
        r"is forbidden: user \"system:serviceaccount|cannot (?:get|list|watch|create|patch|update|delete) resource",
        0.75,
        "the service account lacks a right",
    ),
    _row(
        "credentials_rotated",
        r"invalid (?:api key|client secret|credentials|access key|token signature)|InvalidAccessKeyId"
        r"|SignatureDoesNotMatch|token (?:is )?expired|unauthorized_client",
        0.6,
        "the other side refuses its credentials",
    ),
    _row(
        "config_invalid",
        r"(?:invalid|malformed|failed to (?:parse|load|read)|cannot (?:parse|load)"
        r"|error (?:parsing|loading|reading)) .{0,30}"
        r"config|unknown (?:field|directive|key) .{0,40}config|missing required (?:environment|env|config|setting)"
        r"|environment variable .{1,60} (?:not set|is required|missing)|yaml: (?:line|unmarshal)",
        0.75,
        "its configuration is invalid",
    ),
    # network
    _row(
        "service_dns_resolution_failure",
        r"no such host|name or service not known|temporary failure in name resolution"
        r"|getaddrinfo (?:ENOTFOUND|EAI_AGAIN)"
        r"|UnknownHostException|could not resolve host|nodename nor servname",
        0.5,
        "a name does not resolve",
    ),
    _row(
        "service_protocol_mismatch",
        r"http2: frame too large|malformed http (?:response|request)|unexpected http/1"
        r"|received unexpected EOF while reading"
        r" .*preface|invalid http2 preface",
        0.6,
        "the other side speaks another protocol",
    ),
    # programs
    _row(
        "timeout_too_short",
        r"(?:deadline|timeout)_?(?:ms|s|seconds)?[=: ]+\d+.*(?:elapsed|took)|awaiting headers.*exceeded",
        0.3,
        "calls end at their own deadline",
    ),
    _row(
        "unhandled_exception",
        r"\bpanic\b|nil pointer|NullPointerException|unhandled (?:exception|promise|error)"
        r"|Traceback \(most recent call last\)"
        r"|segmentation fault|SIGSEGV|IndexError|KeyError|TypeError: |ReferenceError: |ClassCastException"
        r"|IllegalStateException|ArrayIndexOutOfBounds|undefined is not a function",
        0.6,
        "the program throws",
    ),
    _row(
        "traffic_surge",
        r"shedding load|server overloaded|too many requests|rate limit(?:ed| exceeded)",
        0.3,
        "it gets more requests than it can serve",
    ),
)

REFUSED = re.compile(
    r"connection refused|connect: refused|ECONNREFUSED|no route to host|host is unreachable"
    r"|connection reset|broken pipe"
    r"|upstream connect error|no healthy upstream|\bunavailable\b",
    re.IGNORECASE,
)
TIMED_OUT = re.compile(r"timed? ?out|deadline ?exceeded|exceeded deadline|ETIMEDOUT|i/o timeout", re.IGNORECASE)
SERVER_ERROR = re.compile(r"\b(?:returned|status(?:[_ ]?code)?|http|got|upstream)[^\d\n]{0,16}(5\d\d)\b", re.IGNORECASE)
HOST = re.compile(
    r"(?:https?|grpc|tcp)://(?P<url>[\w.-]+)|\bhost[=: ]\"?(?P<key>[\w.-]+\.[a-z]{2,})"
    r"|(?:dial tcp|lookup|to) (?P<dial>[a-z][\w.-]*\.[a-z]{2,})\b",
    re.IGNORECASE,
)


def classify(entry: str) -> Pattern | None:
    """The first pattern that an entry matches."""
    return next((pattern for pattern in PATTERNS if pattern.text.search(entry)), None)


READING = re.compile(
    r"\b(?:see|article|read|docs?|documentation|refer|guide|help|tutorial|more (?:info|information|details))\b",
    re.IGNORECASE,
)
"""Words before an address that is there to be read by a person, not one that was called."""


def outside_host(entry: str) -> str:
    """A host outside the cluster that the entry names; "" where there is none."""
    for match in HOST.finditer(entry):
        before = entry[max(0, match.start() - 60) : match.start()]
        if "://" in before:  # words before an earlier address are that one's
            before = before.rsplit("://", 1)[1].partition(" ")[2]
        if READING.search(before):
            continue
        host = (match["url"] or match["key"] or match["dial"] or "").lower().rstrip(".")
        labels = host.split(".")
        inside = host.endswith((".local", ".internal", ".svc", ".cluster")) or ".svc." in host
        if len(labels) >= 2 and not inside and labels[-1].isalpha() and len(labels[-1]) >= 2:
            return host
    return ""
