"""Well-known messages of runtimes, libraries, proxies and the network; read by ``log_patterns``.

For the form of a row see ``log_messages_stores``. ``NODE`` means that the fault lies at the node on which the program
runs, ``PEER`` at the one that it says it called.
"""

SELF, NODE, PEER = "self", "node", "peer"

PROGRAM_MESSAGES: tuple[tuple[str, float, str, str, tuple[str, ...]], ...] = (
    # what a process has used up
    (
        "file_descriptors_exhausted", 0.8, "the process has no file descriptors left", SELF,
        (
            r"too many open files", r"\bEMFILE\b", r"\bENFILE\b", r"error 24\b", r"No file descriptors available",
        ),
    ),
    (
        "connection_pool_exhausted", 0.75, "its own pool of connections is used up", SELF,
        (
            r"connection is not available, request timed out",
            r"(?:connection )?pool (?:is )?(?:exhausted|timeout)", r"PoolExhausted", r"\bPoolTimeout\b",
            r"QueuePool limit", r"waiting for idle object",
            r"(?:time-?out|timed out|expired).{0,60}(?:waiting for|obtaining|acquiring) (?:an? |idle )*\w*connection",
            r"unable to acquire .{0,30}connection", r"no available connection",
            r"(?:could not|cannot|can't|unable to) get a (?:resource|connection).{0,20}pool", r"WaitQueueTimeout",
            r"WaitQueueFull", r"ConnectionPoolTimeoutException", r"ResourceRequest timed out",
            r"query_wait_timeout", r"pending acquire queue has reached", r"connection leak detection triggered",
            r"apparent connection leak", r"worker_connections are not enough", r"reset reason: overflow",
            r"pool .{0,40}no idle connections",
        ),
    ),
    (
        "thread_pool_exhausted", 0.75, "it has no threads left", SELF,
        (
            r"RejectedExecutionException", r"thread ?pool.{0,30}(?:exhausted|full|starv)", r"EXHAUSTED thread",
            r"unable to create (?:new )?native thread", r"can't start new thread", r"no threads? available",
            r"pthread_create failed", r"all threads (?:\(\d+\) )?are (?:currently )?busy",
            r"server reached (?:pm\.)?max_children", r"server reached MaxRequestWorkers", r"BulkheadFullException",
            r"(?:worker|goroutine) pool (?:is )?(?:full|exhausted|saturated)", r"can(?:no|')t fork",
            r"fork: retry", r"fork: resource temporarily unavailable",
        ),
    ),
    (
        "deadlock", 0.85, "the program is deadlocked", SELF,
        (
            r"found (?:one|\d+) java-level deadlock", r"all goroutines are asleep", r"fatal error: .*deadlock",
            r"potential deadlock", r"deadlock; recursive locking", r"fatal: No live threads left",
        ),
    ),
    (
        "lock_contention", 0.5, "threads wait for each other", SELF,
        (
            r"lock contention", r"waiting (?:\S+ )?(?:for|to acquire) (?:the )?(?:lock|mutex|monitor)",
            r"has been blocked for \d+", r"thread \S+ (?:is )?blocked",
            r"wait(?:ed|ing) (?:\S+ ){0,3}(?:for|on) (?:\S+ ){0,3}(?:lock|mutex|monitor|semaphore)\b",
            r"could not (?:acquire|obtain) (?:the )?lock",
            r"(?:lock|mutex) .{0,40}held (?:for|too long)",
        ),
    ),
    (
        "gc_pressure", 0.65, "garbage collection stops the program", SELF,
        (
            r"GC overhead limit exceeded", r"pause full", r"\bFull GC\b", r"long gc pause", r"stop-the-world",
            r"To-space exhausted", r"Allocation Stall", r"\[gc\]\[\d+\] overhead, spent",
            r"GCInspector.{0,60}\d{4,}ms",
        ),
    ),
    (
        "oom_killed", 0.55, "the process runs out of memory", SELF,
        (
            r"OutOfMemoryError", r"cannot allocate memory", r"out of memory", r"heap out of memory",
            r"\bMemoryError\b", r"std::bad_alloc", r"memory cgroup out of memory",
            r"was sent SIGKILL! Perhaps out of memory",
        ),
    ),
    (
        "memory_leak", 0.55, "memory is not given back", SELF,
        (
            r"possible (?:\w+ )?memory leak", r"\bLEAK: \w+", r"memory leak detected",
        ),
    ),
    # what it was built and started from
    (
        "exec_format_error", 0.9, "the image is for another processor", SELF,
        (
            r"exec format error",
        ),
    ),
    (
        "incorrect_command", 0.7, "its command cannot be run", SELF,
        (
            r"executable file not found in \$PATH", r"could not find or load main class",
            r"unable to access jarfile", r"can't open file '[^']+': \[Errno 2\]",
            r"(?:sh|bash): .{0,80}(?:command )?not found",
        ),
    ),
    (
        "dependency_upgrade_broken", 0.5, "a library does not fit the code that uses it", SELF,
        (
            r"NoSuchMethodError", r"NoSuchFieldError", r"NoClassDefFoundError", r"AbstractMethodError",
            r"IncompatibleClassChangeError", r"UnsupportedClassVersionError", r"cannot import name '",
            r"ModuleNotFoundError", r"cannot find module '", r"undefined symbol:", r"GLIBC\w*_[\d.]+' not found",
            r"ERR_REQUIRE_ESM", r"MissingMethodException", r"could not load file or assembly",
            r"TypeLoadException", r"cannot load such file",
        ),
    ),
    (
        "service_sidecar_port_conflict", 0.5, "its port is taken", SELF,
        (
            r"address already in use", r"\bEADDRINUSE\b", r"port \d+ (?:is|was) already in use",
            r"only one usage of each socket",
        ),
    ),
    # time, certificates, rights
    (
        "node_clock_skew", 0.6, "clocks disagree", NODE,
        (
            r"clock skew", r"RequestTimeTooSkewed", r"token used before issued",
            r"token is not (?:yet valid|valid yet)",
            r"difference between the request time and the (?:current|server)",
            r"clock (?:drift|is out of sync|moved backwards)", r"issued in the future", r"high clock drift",
            r"certificate .{0,80}not yet valid: current time \S+ is before", r"CertificateNotYetValid",
            r"certificate is not yet valid", r"signature not yet current",
        ),
    ),
    (
        "certificate_expired", 0.85, "a certificate has expired", PEER,
        (
            r"certificate has expired", r"x509: certificate.{0,60}expired", r"cert(?:ificate)?_(?:has_)?expired",
            r"CertificateExpiredException", r"certificate (?:is )?expired", r"NotAfter: ", r"expired certificate",
        ),
    ),
    (
        "mtls_mismatch", 0.6, "the two sides of a connection disagree on TLS", SELF,
        (
            r"tls: (?:bad certificate|unknown certificate|certificate required|handshake failure|protocol version)",
            r"peer did not return a certificate", r"unknown (?:certificate )?authority",
            r"self[- ]signed certificate", r"http: server gave http response to https",
            r"wrong[_ ]version[_ ]number", r"sslv3 alert", r"SSLHandshakeException",
            r"plain http request was sent to https", r"first record does not look like a TLS handshake",
            r"unable to (?:get local issuer|verify the first) certificate", r"PKIX path building failed",
            r"CERTIFICATE_VERIFY_FAILED", r"certificate is valid for .{1,200}, not ",
            r"no required SSL certificate was sent", r"does not match certificate's altnames",
            r"remote certificate is invalid", r"TLS handshake error",
        ),
    ),
    (
        "rbac_forbidden", 0.75, "its account lacks a right", SELF,
        (
            r"is forbidden: user \"?system:", r"cannot (?:get|list|watch|create|patch|update|delete) resource",
            r"is not authorized to perform",
            r"permission denied for (?:table|relation|schema|sequence|database|function)",
            r"command denied to user", r"not authorized on \w+ to execute",
            r"(?:Topic|Group|Cluster)AuthorizationException", r"not authorized to access (?:topics?|group)",
            r"action \[[^\]]+\] is unauthorized", r"ACCESS_REFUSED - access to",
        ),
    ),
    (
        "credentials_rotated", 0.6, "the other side refuses its credentials", SELF,
        (
            r"invalid[_ ](?:api[_ ]key|client[_ ]secret|credentials|access[_ ]key|token[_ ]signature|client\b|grant\b)",
            r"InvalidAccessKeyId", r"SignatureDoesNotMatch",
            r"(?:token|secret|key) (?:is |has |has been )?(?:expired|revoked)", r"ExpiredToken",
            r"InvalidClientTokenId", r"UnrecognizedClientException", r"unauthorized_client", r"TokenExpired",
            r"JsonWebTokenError", r"(?:jwt|token) signature (?:is invalid|verification failed)",
            r"API key (?:not valid|is invalid)", r"\b401 Unauthorized\b", r"bad credentials",
            r"authentication (?:token|key) .{0,40}(?:rejected|not accepted)",
        ),
    ),
    (
        "volume_mount_permission_denied", 0.5, "it may not use its files", SELF,
        (
            r"(?:open|mkdir|create|write|chown|unlink|rename)\w* .{0,120}permission denied",
            r"\bEACCES\b.{0,80}(?:open|mkdir|/)", r"read-only file ?system", r"\bEROFS\b",
            r"AccessDeniedException: /", r"PermissionError: \[Errno 13\]",
        ),
    ),
    # configuration
    (
        "config_invalid", 0.75, "its configuration is invalid", SELF,
        (
            r"(?:invalid|malformed|(?:failed to|cannot) (?:parse|load|read)|error (?:pars|load|read)ing) .{0,30}config",
            r"unknown (?:field|directive|key) .{0,40}config", r"could not resolve placeholder '",
            r"missing required (?:environment|env|config|setting|property)", r"nginx: \[emerg\]",
            r"time: (?:unknown|missing) unit .{0,40}in duration",
            r"\bconfig(?:uration)?: .{0,60}(?:unknown|invalid|missing)",
            r"failed to bind properties", r"environment variable .{1,60} (?:not set|is required|missing|must be)",
            r"yaml: (?:line|unmarshal)",
            r"required (?:environment variable|setting|configuration|key) .{0,60}(?:missing|not set|is not)",
            r"flag provided but not defined", r"PRECONDITION_FAILED - inequivalent arg",
            r"KeyError: '[A-Z][A-Z0-9_]{2,}'", r"unknown (?:flag|option): ", r"configuration (?:error|is invalid)",
        ),
    ),
    (
        "bad_feature_flag", 0.45, "a feature flag cannot be evaluated", SELF,
        (
            r"feature[ _-]?flag .{0,60}(?:not found|unknown|failed|error)",
            r"(?:failed|error) .{0,30}evaluat\w+ (?:feature )?flag",
        ),
    ),
    # network
    (
        "service_dns_resolution_failure", 0.5, "a name does not resolve", SELF,
        (
            r"no such host", r"name or service not known", r"temporary failure in name resolution",
            r"\bNXDOMAIN\b", r"getaddrinfo (?:ENOTFOUND|EAI_AGAIN|failed)", r"UnknownHostException",
            r"could not resolve host", r"nodename nor servname", r"server misbehaving",
            r"could not translate host name", r"dns error", r"(?:dns|name) resolution fail",
            r"lookup \S+(?: on \S+)?: i/o timeout", r"name does not resolve",
        ),
    ),
    (
        "coredns_degraded", 0.55, "the cluster's DNS server cannot answer", SELF,
        (
            r"\[ERROR\] plugin/(?:errors|forward|kubernetes)", r"plugin/errors: \d ",
        ),
    ),
    (
        "service_protocol_mismatch", 0.6, "the other side speaks another protocol", SELF,
        (
            r"http2: frame too large", r"malformed http (?:response|request|version)", r"unexpected http/1",
            r"(?:connection|client|server) preface", r"invalid http2", r"content-type .{0,40}text/html.{0,60}grpc",
            r"unexpected HTTP status code received",
            r"received unexpected (?:content-type|EOF while reading .*preface)", r"not a (?:valid )?grpc",
            r"HPE_INVALID_CONSTANT",
        ),
    ),
    (
        "network_policy_denied", 0.5, "traffic is denied by policy", SELF,
        (
            r"RBAC: access denied", r"policy (?:verdict )?(?:denied|drop)",
            r"denied by (?:network|authorization) ?policy",
        ),
    ),
    (
        "gateway_misroute", 0.45, "the gateway has no right way for requests", SELF,
        (
            r"no route matched", r"no matching route", r"route[_ ]not[_ ]found", r"cluster_not_found",
            r"no such upstream", r"host not found in upstream", r"does not have any active endpoint",
        ),
    ),
    (
        "etcd_unhealthy", 0.55, "etcd is slow or without a leader", SELF,
        (
            r"etcdserver: (?:request timed out|no leader|leader changed|too many requests)",
            r"apply request took too long", r"slow fdatasync", r"failed to send out heartbeat on time",
        ),
    ),
    # load
    (
        "retry_storm", 0.55, "retries multiply", SELF,
        (
            r"retry (?:storm|budget (?:exceeded|exhausted))", r"retry_overflow", r"amplif\w+ .{0,20}retr",
            r"retrying (?:immediately|without (?:delay|back-?off))",
        ),
    ),
    (
        "n_plus_one_queries", 0.6, "one request makes many queries", SELF,
        (
            r"N\+1 quer",
        ),
    ),
    (
        "client_abuse", 0.45, "a client sends more than its share", SELF,
        (
            r"limiting requests, excess: .{1,120}client: ", r"too many requests from (?:ip|client|user)",
            r"brute.?force", r"rate limit exceeded (?:for|by) (?:ip|client|api key|tenant|user)",
            r"abusive (?:client|traffic)",
        ),
    ),
    (
        "traffic_surge", 0.3, "it gets more requests than it can serve", SELF,
        (
            r"shedding load", r"load shed", r"(?:server|service) (?:is )?over(?:loaded| capacity)",
            r"too many requests", r"rate limit(?:ed| exceeded)", r"max(?:imum)? concurrent (?:requests|streams)",
            r"limiting requests, excess",
        ),
    ),
    (
        "timeout_too_short", 0.3, "calls end at their own deadline", SELF,
        (
            r"(?:deadline|timeout)_?(?:ms|s|seconds)?[=: ]+\d+.*(?:elapsed|took)", r"awaiting headers.*exceeded",
        ),
    ),
    # programs
    (
        "unhandled_exception", 0.6, "the program throws", SELF,
        (
            r"\bpanic\b", r"nil pointer", r"NullPointerException",
            r"unhandled (?:exception|promise|error|rejection)", r"Traceback \(most recent call last\)",
            r"segmentation fault", r"SIGSEGV", r"IndexError", r"KeyError", r"TypeError", r"ReferenceError",
            r"AttributeError", r"ClassCastException", r"ArithmeticException", r"IllegalStateException",
            r"IllegalArgumentException", r"OutOfBounds", r"undefined is not a function", r"cannot read propert",
            r"NullReferenceException", r"NoMethodError", r"ZeroDivisionError", r"uncaught exception",
            r"InvalidOperationException", r"StackOverflowError", r"ConcurrentModificationException",
            r"index out of range", r"assertion failed", r"NumberFormatException", r"invariant violat",
        ),
    ),
)  # fmt: skip
