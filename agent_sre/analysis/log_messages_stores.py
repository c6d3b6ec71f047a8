"""Well-known messages of data stores, queues and their clients; read by ``log_patterns``.

A row: the fault, how often the message means it rather than a consequence of something else, what the log says in
plain words, where the fault lies (``STORE``: at the store that the message is about, whoever logs it; ``SELF``: at
the one who logs it), and the messages as regular expressions. Kept as data because this list only ever grows.
"""

SELF, STORE = "self", "store"

STORE_MESSAGES: tuple[tuple[str, float, str, str, tuple[str, ...]], ...] = (
    (
        "mysql_invalid_credentials", 0.8, "the data store refuses the credentials", SELF,
        (
            r"access denied for user '", r"error 1045\b", r"\b28000\b", r"password authentication failed for user",
            r"no pg_hba\.conf entry for", r"role \"[^\"]+\" does not exist", r"\b28P01\b", r"WRONGPASS",
            r"NOAUTH Authentication required", r"ERR invalid (?:password|username-password)",
            r"(?:sasl|scram|mongo)\w*.{0,40}authentication failed",
            r"authentication failed.{0,60}(?:mongo|sasl|scram)", r"SaslAuthenticationException",
            r"MongoSecurityException", r"ACCESS_REFUSED - Login was refused", r"Login failed for user '",
            r"ORA-01017", r"Provided username \S+ and/or password are incorrect",
            r"unable to authenticate user \[",
        ),
    ),
    (
        "db_connection_exhaustion", 0.8, "the data store accepts no more connections", STORE,
        (
            r"too many connections", r"error 1040\b", r"remaining connection slots are reserved",
            r"sorry, too many clients", r"max(?:imum)? number of clients reached",
            r"ORA-(?:00018|00020|12516|12519)", r"exceeded the '?max_(?:user_)?connections",
            r"\bmax_connections\b", r"\b53300\b", r"too many open connections", r"connection limit exceeded for",
            r"no more connections allowed", r"server login has been failing.*(?:limit|too many)",
            r"max_client_conn",
        ),
    ),
    (
        "db_disk_full", 0.75, "the data store has no disk left", STORE,
        (
            r"could not (?:extend|write to|write) file.*no space left", r"PANIC:.*no space left",
            r"(?:got )?error 28\b.{0,60}(?:storage engine|device)", r"errno: 28\b",
            r"(?:mysql|postgres|mongo|redis|kafka|cassandra|elasticsearch|rabbit)\w*.{0,200}no space left on device",
            r"disk full.{0,40}(?:mysql|postgres|database|table)", r"the table '[^']+' is full",
            r"MISCONF Redis is configured to save", r"flood[_ -]stage", r"FORBIDDEN/12/index read-only",
            r"high disk watermark \[?\d+%?\]? exceeded", r"KafkaStorageException",
            r"disk (?:resource limit )?alarm (?:set|on)", r"free disk space (?:is )?(?:insufficient|below)",
            r"mvcc: database space exceeded", r"OutOfDiskSpace", r"ORA-0165\d", r"no space left.*commit ?log",
            r"(?:WAL|write-ahead log|binlog|pg_wal).{0,80}no space left", r"\b53100\b",
            r"all log dirs in \S+ have failed",
        ),
    ),
    (
        "db_read_only", 0.8, "the data store is read-only", STORE,
        (
            r"read-only (?:transaction|mode|replica|option)", r"--(?:super-)?read-only option", r"\b25006\b",
            r"READONLY You can't write", r"(?:database|store|cluster|instance) is (?:in )?read.?only",
            r"cannot execute \w+(?: \w+)? in a read-only", r"NotWritablePrimary", r"\bnot (?:master|primary)\b",
            r"NotMaster(?:NoSlaveOk)?\b", r"attempt to write a readonly database", r"ORA-16000", r"ReadOnlyError",
        ),
    ),
    (
        "db_lock_contention", 0.75, "transactions wait for each other's locks", STORE,
        (
            r"lock wait timeout exceeded", r"deadlock (?:found|detected)", r"could not obtain lock on",
            r"could not serialize access", r"ORA-00060", r"ORA-00054", r"database (?:table )?is locked",
            r"SQLITE_BUSY", r"canceling statement due to lock timeout", r"\b(?:40P01|55P03)\b",
            r"\bWriteConflict\b", r"LockTimeout\b", r"was deadlocked on lock", r"CannotAcquireLockException",
            r"LockAcquisitionException", r"still waiting for \w*Lock on (?:transaction|relation|tuple|page|object)",
            r"transaction lock wait",
        ),
    ),
    (
        "bad_migration", 0.6, "a migration of the schema failed", SELF,
        (
            r"migrations? .{0,80}\bfailed", r"failed to (?:apply|run|execute) (?:database )?migrations?",
            r"dirty database version", r"migration checksum mismatch", r"Flyway(?:Migrate|Validate)Exception",
            r"Liquibase\w*Exception", r"can't locate revision identified by",
            r"error (?:applying|running) migration",
        ),
    ),
    (
        "db_schema_mismatch", 0.8, "the schema lacks something that the program expects", SELF,
        (
            r"unknown column",
            r"(?:column|relation|table|function) \"?[\w.]+\"? (?:of relation \"\w+\" )?does not exist",
            r"no such (?:table|column)", r"table '[^']+' doesn't exist", r"invalid (?:object|column) name",
            r"ORA-00942", r"ORA-00904", r"undefined ?column", r"undefined ?table",
            r"\b(?:42P01|42703|42S02|42S22)\b", r"error (?:1054|1146)\b", r"pending migrations?",
            r"unapplied migrations?", r"PendingMigrationError", r"schema-validation: (?:missing|wrong)",
            r"schema version (?:mismatch|\S+ is (?:older|newer))", r"unconfigured table", r"undefined column name",
            r"violates not-null constraint", r"error 1364\b", r"field '[^']+' doesn't have a default value",
            r"data too long for column", r"SQLGrammarException",
        ),
    ),
    (
        "index_mapping_broken", 0.8, "the index does not take the documents", STORE,
        (
            r"mapper_parsing_exception", r"document_parsing_exception", r"strict_dynamic_mapping_exception",
            r"index_closed_exception", r"failed to parse field \[", r"mapper \[[^\]]+\] cannot be changed",
            r"mapper_exception", r"limit of total fields \[", r"object mapping for \[[^\]]+\] tried to parse",
            r"no mapping found for \[", r"fielddata is disabled on", r"index_not_found_exception",
        ),
    ),
    (
        "write_capacity_exceeded", 0.75, "the store throttles writes beyond its capacity", STORE,
        (
            r"ProvisionedThroughputExceeded", r"level of configured provisioned throughput", r"WriteThrottle",
            r"RequestRateTooLarge", r"request rate is large", r"RequestLimitExceeded",
            r"(?:ThrottlingException|ThrottledException).{0,80}(?:write|put|table|throughput|capacity)",
            r"(?:write|put|table|dynamo|kinesis).{0,80}(?:ThrottlingException|throttled)", r"ThrottlingException",
            r"es_rejected_execution_exception", r"rejected execution of .{0,200}(?:bulk|write)",
            r"bulk queue full", r"OOM command not allowed when used memory", r"\bOverloadedException\b",
            r"WriteTimeoutException", r"Quota violated.*(?:producer|broker)", r"write stall", r"Stalling writes",
            r"circuit_breaking_exception", r"MUTATION messages were dropped", r"\bWriteTimeout: .{0,40}\bcode=1100\b",
            r"OverloadedErrorMessage", r"\bcode=1001\b",
        ),
    ),
    (
        "replication_lag", 0.6, "the replica is behind", STORE,
        (
            r"replica(?:tion)? (?:is )?lag", r"seconds_behind_(?:master|source)", r"standby.{0,60}behind",
            r"replica is too stale", r"max_replication_lag",
            r"lagging behind (?:the )?(?:primary|master|leader|source)", r"replication delay",
            r"too stale to catch up", r"due to conflict with recovery", r"stale read from",
            r"\bis \d[\d.]* ?(?:s|secs?|seconds?|minutes?|m) behind\b", r"NotEnoughReplicas",
            r"shrinking ISR", r"under-?replicated partition", r"behind (?:the )?(?:primary|leader) by",
            r"requested WAL segment .{0,60}already been removed",
        ),
    ),
    (
        "slow_query", 0.55, "queries take too long", STORE,
        (
            r"slow[ _]?query", r"\bquery_time: [1-9]", r"statement timeout",
            r"maximum statement execution time exceeded", r"query execution was interrupted",
            r"canceling statement due to (?:statement|user)", r"\b57014\b", r"MaxTimeMSExpired",
            r"operation exceeded time limit", r"planSummary: COLLSCAN", r"\bduration: \d{4,}(?:\.\d+)? ms",
            r"SLOWLOG", r"query (?:timed out|took too long)",
            r"ReadTimeoutException.{0,60}(?:consistency|replica)", r"\bReadTimeout: .{0,40}\bcode=1200\b",
            r"TombstoneOverwhelming", r"Scanned over \d+ tombstones", r"READ_TOO_MANY_TOMBSTONES",
            r"live rows and \d+ tombstone cells",
        ),
    ),
    (
        "cache_stampede", 0.6, "many requests rebuild the same cache entries", SELF,
        (
            r"cache stampede", r"thundering herd", r"dog-?pil(?:e|ing)",
            r"concurrent (?:cache )?rebuilds? of (?:the )?same",
        ),
    ),
    (
        "poison_message", 0.6, "one message fails again and again", SELF,
        (
            r"poison (?:message|pill)", r"dead.?letter", r"\bDLQ\b", r"same offset.{0,40}retr", r"\bx-death\b",
            r"failed to process (?:message|record|event).{0,80}retr", r"RecordDeserializationException",
            r"error deserializing (?:key|value|key/value|message)", r"seek past the record",
            r"backoff .{0,120}exhausted for .{0,60}-\d+@\d+",
            r"(?:cannot|can't|could not) deserialize (?:message|record)",
            r"failed to (?:decode|deserialize|unmarshal|parse) (?:message|record|event|payload)",
            r"(?:redeliver|deliver|attempt)\w* .{0,40}(?:count|attempts?) .{0,20}exceeded",
            r"message .{0,60}(?:redelivered|requeued) .{0,20}(?:again|times)",
            r"redelivered[=:] ?true\b.{0,80}\b(?:fail|error|exception).{0,120}\brequeu",
        ),
    ),
    (
        "queue_backlog", 0.6, "a consumer is too slow for its own queue and loses its place", SELF,
        (
            r"consumer poll timeout has expired", r"leaving group due to consumer poll timeout",
            r"MaxPollIntervalExceeded", r"application maximum poll interval \(\d+ms\) exceeded",
            r"delivery acknowledgement on channel \d+ timed out",
        ),
    ),
    (
        "queue_backlog", 0.4, "a queue grows faster than it is worked off", SELF,
        (
            r"(?:queue|consumer|backlog|lag).{0,40}(?:growing|rising|too long|exceeds|exceeded|backlog|is full)",
            r"consumer lag", r"\bqueue full\b", r"QueueFull", r"max\.poll\.interval\.ms",
            r"memory resource limit alarm set", r"connection\.blocked",
        ),
    ),
)  # fmt: skip
