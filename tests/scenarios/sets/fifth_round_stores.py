"""Fifth blind round, data stores at an airport: what eight stores and their drivers say, and who has to be mended.

Truth is the store where the store is at fault, the client where it holds too few or too many connections, or reads a
queue too slowly. The alert is mostly elsewhere, and often late.
"""

from tests.scenarios.sets.fifth_round_ground import Airport, airport
from tests.scenarios.sets.registry import scenario
from tests.scenarios.system import jump, ramp

SQL = "o.h.engine.jdbc.spi.SqlExceptionHelper"
KEYS = {"namespace": "apron"}


def gateways_shout(app: Airport, *callees: str) -> Airport:
    """Callers on the way to the passenger, who know only that it failed."""
    for callee in callees:
        app.says("kiosk-bff", "ERROR", "k{n}", f"upstream {callee} answered 500 after {{n}} ms", every=9)
    app.says("apron-edge", "ERROR", "", 'upstream timed out (110: Operation timed out) while reading response header from upstream, client: 10.9.{n}.7, '
             'server: _, request: "POST /api/checkin HTTP/2.0", upstream: "http://10.1.0.4:3000/api/checkin"', every=20)  # fmt: skip
    return app


# ------------------------------------------------------------------------------------------------------------------ locks


@scenario("db_lock_contention", "StatefulSet", "checkin-pg")
def rows_locked_by_an_open_session() -> Airport:
    app = airport("kiosk-bff: 12 % of requests fail", since=34, lag=22, on="kiosk-bff", slow={"fare-engine": 70, "checkin-api": 9},
                  errors={"fare-engine": 0.4, "kiosk-bff": 0.12})  # fmt: skip
    app.says("checkin-pg", "INFO", "fares@checkin", "process {n}14 still waiting for ShareLock on transaction 9912833 after 1000.137 ms",
             "{pg} UTC [2214] fares@checkin DETAIL:  Process holding the lock: 1771. Wait queue: 2214, 2219, 2231.",
             every=20, pods=[0])  # fmt: skip
    app.says("fare-engine", "ERROR", "Microsoft.EntityFrameworkCore.Database.Command", "Failed executing DbCommand (5,003ms) UPDATE fares SET held_until = @p0",
             "      Npgsql.PostgresException (0x80004005): 55P03: canceling statement due to lock timeout", every=6)  # fmt: skip
    return gateways_shout(app, "checkin-api")


@scenario(
    "db_lock_contention", "StatefulSet", "bag-mysql", accept=[("db_lock_contention", "Deployment", "manifest-builder")]
)
def mysql_tells_of_deadlocks() -> Airport:
    app = airport(
        "bag tags are printed late", since=18, on="bagtag-svc", slow={"bagtag-svc": 12}, errors={"bagtag-svc": 0.2}
    )
    app.says("bagtag-svc", "ERROR", "store/tags", "insert tag failed || Error 1213 (40001): Deadlock found when trying to get lock; try restarting transaction",
             every=5)  # fmt: skip
    app.says("manifest-builder", "ERROR", "ForkPoolWorker-{n}", "Task manifest.build raised unexpected: OperationalError(1205, 'Lock wait timeout exceeded; "
             "try restarting transaction')", "Traceback (most recent call last):", '  File "/app/manifest/tasks.py", line 61, in build',
             "pymysql.err.OperationalError: (1205, 'Lock wait timeout exceeded; try restarting transaction')", every=25)  # fmt: skip
    return app.without("events")


@scenario("db_lock_contention", "StatefulSet", "checkin-pg", change="mig-14", accept=[("bad_migration", "StatefulSet", "checkin-pg"),
          ("bad_migration", "Deployment", "checkin-api"), ("db_lock_contention", "Deployment", "checkin-api")])  # fmt: skip
def an_index_built_without_concurrently() -> Airport:
    app = airport(
        "Check-in hangs",
        since=9,
        lag=5,
        on="checkin-api",
        slow={"checkin-api": 60, "kiosk-bff": 12},
        errors={"checkin-api": 0.5},
    )
    app.says("checkin-pg", "INFO", "checkin@checkin", "process 22{n} still waiting for RowExclusiveLock on relation 16412 of database 16384 after 1000.063 ms",
             "{pg} UTC [2214] checkin@checkin STATEMENT:  insert into boarding_pass (pnr, seat) values ($1, $2)",
             every=8, pods=[0])  # fmt: skip
    app.says("checkin-api", "ERROR", SQL, "ERROR: canceling statement due to user request", every=7)
    app.decoy("other", "checkin-pg", "schema migration V14: create index on boarding_pass (flight_no, seat)", 9.4, "mig-14",
              "+CREATE INDEX boarding_pass_flight_seat ON boarding_pass (flight_no, seat);")  # fmt: skip
    return gateways_shout(app, "checkin-api")


# ------------------------------------------------------------------------------------------------------------ connections


@scenario("db_connection_exhaustion", "StatefulSet", "checkin-pg")
def postgres_has_no_slot_left() -> Airport:
    app = airport(
        "flight boards are blank",
        since=15,
        lag=6,
        on="flightboard",
        errors={"flightboard": 0.6, "fare-engine": 0.3, "checkin-api": 0.2},
    )
    app.says("flightboard", "ERROR", "board", "SQLSTATE[08006] [7] connection to server at \"checkin-pg\" (10.96.4.4), port 5432 failed: FATAL:  sorry, too many "
             "clients already (SQL: select * from flights where terminal = T{n})", "[stacktrace]",
             "#0 /var/www/vendor/laravel/framework/src/Illuminate/Database/Connection.php(753): Illuminate\\Database\\Connection->runQueryCallback()",
             every=4)  # fmt: skip
    app.says("fare-engine", "ERROR", "Fares.Store", "Npgsql.PostgresException (0x80004005): 53300: remaining connection slots are reserved for roles with the "
             "SUPERUSER attribute", every=8)  # fmt: skip
    return app.logs_only_of("flightboard", "fare-engine", "kiosk-bff", "weather-feed")


@scenario("db_connection_exhaustion", "StatefulSet", "pax-mongo")
def mongo_refuses_connections() -> Airport:
    app = airport("lounge-access error rate 0.7", since=16, on="lounge-access", slow={"lounge-access": 30, "notify-pax": 20, "customs-link": 15},
                  errors={"lounge-access": 0.7, "notify-pax": 0.5, "customs-link": 0.5})  # fmt: skip
    app.gauge("mongodb_ss_connections", ramp(2100, 4000, 24), pod="pax-mongo-0", conn_type="current", **KEYS)
    app.gauge("mongodb_ss_connections", ramp(1900, 0, 24), pod="pax-mongo-0", conn_type="available", noise=0, **KEYS)
    app.says("lounge-access", "ERROR", "door", "find member: connection() error occurred during connection handshake: connection(pax-mongo:27017[-88]) incomplete read "
             "of message header: EOF", every=5)  # fmt: skip
    app.says("pax-mongo", "INFO", "NETWORK", 'Connection refused because there are too many open connections || {"remote":"10.1.0.7:48210","connectionCount":4001}',
             every=6, pods=[0])  # fmt: skip
    return app


@scenario("connection_pool_exhausted", "Deployment", "checkin-api")
def hikari_leaks_its_connections() -> Airport:
    app = airport("kiosk-bff latency above objective", since=41, lag=33, on="kiosk-bff", slow={"checkin-api": 90, "kiosk-bff": 16, "boarding-core": 8},
                  errors={"checkin-api": 0.35, "boarding-core": 0.08})  # fmt: skip
    app.says("checkin-api", "WARN", SQL, "SQL Error: 0, SQLState: null", every=9)
    app.says(
        "checkin-api",
        "ERROR",
        SQL,
        "HikariPool-1 - Connection is not available, request timed out after 30002ms (total=10, active=10, idle=0, waiting=4{n})",
        every=9,
    )
    app.says("checkin-api", "WARN", "com.zaxxer.hikari.pool.ProxyLeakTask", "Connection leak detection triggered for org.postgresql.jdbc.PgConnection@1f2e3d4c on "
             "thread http-nio-8080-exec-{n}, stack trace follows", every=90)  # fmt: skip
    app.gauge("hikaricp_connections_active", jump(3, 10, 41), application="checkin-api", **KEYS)
    app.gauge("hikaricp_connections_max", 10, noise=0, application="checkin-api", **KEYS)
    app.gauge("hikaricp_connections_pending", jump(0.01, 40, 41), application="checkin-api", **KEYS)
    app.gauge("pg_stat_activity_count", 44, pod="checkin-pg-0", **KEYS)
    app.gauge("pg_settings_max_connections", 400, noise=0, pod="checkin-pg-0", **KEYS)
    return gateways_shout(app, "checkin-api")


@scenario("connection_pool_exhausted", "Deployment", "notify-pax")
def knex_waits_for_a_connection() -> Airport:
    app = airport(
        "notifications delayed", since=22, on="notify-pax", slow={"notify-pax": 60}, errors={"notify-pax": 0.3}
    )
    app.says("notify-pax", "ERROR", "push", "Knex: Timeout acquiring a connection. The pool is probably full. Are you missing a .transacting(trx) call?",
             "    at Client_PG.acquireConnection (/app/node_modules/knex/lib/client.js:332:26)", every=5)  # fmt: skip
    return app.without("changes", "events")


@scenario("connection_pool_exhausted", "Deployment", "lounge-access")
def go_redis_pool_timeout() -> Airport:
    app = airport(
        "lounge doors open slowly",
        since=14,
        on="lounge-access",
        slow={"lounge-access": 40},
        errors={"lounge-access": 0.25},
    )
    app.says("lounge-access", "ERROR", "door", "lookup member: redis: connection pool timeout", every=3)
    app.gauge("redis_connected_clients", 61, pod="flight-redis-0", **KEYS)
    return app


@scenario(
    "connection_pool_exhausted",
    "Deployment",
    "bag-tracker",
    change="cfg-44",
    accept=[("bad_config_change", "Deployment", "bag-tracker")],
)
def the_pool_was_made_smaller() -> Airport:
    app = airport("sorter-control cannot store scans", since=27, lag=20, on="sorter-control", slow={"bag-tracker": 80, "sorter-control": 60},
                  errors={"bag-tracker": 0.3, "sorter-control": 0.25})  # fmt: skip
    app.says("bag-tracker", "ERROR", "tracker.views", "sqlalchemy.exc.TimeoutError: QueuePool limit of size 2 overflow 0 reached, connection timed out, timeout 30.00 "
             "(Background on this error at: https://sqlalche.me/e/20/3o7r)", every=6)  # fmt: skip
    app.says("sorter-control", "ERROR", "sorter_control::tracker", "scan upload failed: error sending request for url (http://bag-tracker:8000/scans): operation timed out",
             every=5)  # fmt: skip
    app.decoy("config", "bag-tracker", "bag-tracker: tune database settings", 27.6, "cfg-44", "-DB_POOL_SIZE: '20'\n+DB_POOL_SIZE: '2'\n-DB_MAX_OVERFLOW: '10'\n"
              "+DB_MAX_OVERFLOW: '0'")  # fmt: skip
    app.decoy("deploy", "sorter-control", "sorter-control 1.8.20: clearer metrics names", 33, "rel-71")
    return app


# ------------------------------------------------------------------------------------------------------------- replication


@scenario("replication_lag", "StatefulSet", "bag-mysql")
def the_replica_is_ten_minutes_behind() -> Airport:
    app = airport("bags not found right after check-in", since=25, on="bagtag-svc", errors={"bagtag-svc": 0.09})
    app.gauge("mysql_slave_status_seconds_behind_master", ramp(0.4, 640, 25), pod="bag-mysql-1", **KEYS)
    app.says(
        "bagtag-svc",
        "WARN",
        "store/read",
        "tag {n}4711 not found on replica though just written, falling back to primary",
        every=5,
    )
    return app


@scenario("replication_lag", "StatefulSet", "pax-mongo")
def majority_writes_wait() -> Airport:
    app = airport("notify-pax and customs-link are slow to write", since=20, on="customs-link", slow={"customs-link": 30, "notify-pax": 25},
                  errors={"customs-link": 0.2, "notify-pax": 0.15})  # fmt: skip
    app.says("customs-link", "ERROR", "org.aer.customs.PassengerStore", "com.mongodb.MongoWriteConcernException: Write concern error: WriteConcernError{code=64, "
             "codeName='WriteConcernFailed', message='waiting for replication timed out', details={ \"wtimeout\" : true }}", every=6)  # fmt: skip
    app.says("notify-pax", "ERROR", "push", "MongoWriteConcernError: waiting for replication timed out", every=7)
    app.gauge("mongodb_mongod_replset_member_replication_lag", ramp(0.2, 310, 20), pod="pax-mongo-1", **KEYS)
    app.gauge("mongodb_mongod_replset_member_replication_lag", ramp(0.2, 280, 20), pod="pax-mongo-2", **KEYS)
    return app


@scenario("replication_lag", "StatefulSet", "checkin-pg")
def postgres_standby_falls_behind_metrics_only() -> Airport:
    app = airport("pg replication lag", since=30, lag=12, name="PostgresReplicationLagHigh", on="checkin-pg")
    app.gauge("pg_replication_lag_seconds", ramp(0.3, 480, 30), pod="checkin-pg-1", **KEYS)
    return app.without("logs", "events")


# -------------------------------------------------------------------------------------------------------------- slow queries


@scenario(
    "slow_query", "StatefulSet", "pax-mongo", change="mig-52", accept=[("bad_migration", "StatefulSet", "pax-mongo")]
)
def the_index_was_dropped() -> Airport:
    app = airport("lounge-access p95 6 s", since=38, lag=24, on="lounge-access", slow={"lounge-access": 150, "notify-pax": 4},
                  cpu={"pax-mongo": jump(0.3, 1.8, 38)})  # fmt: skip
    app.says("pax-mongo", "INFO", "COMMAND", 'Slow query || {"type":"command","ns":"lounge.members","command":{"find":"members","filter":{"card_no":"x"}},"planSummary":'
             '"COLLSCAN","keysExamined":0,"docsExamined":4188123,"nreturned":1,"durationMillis":5{n}2}', every=4, pods=[0])  # fmt: skip
    app.decoy(
        "other",
        "pax-mongo",
        "drop unused index members.card_no_1",
        38.4,
        "mig-52",
        "-db.members.createIndex({card_no: 1})\n+db.members.dropIndex('card_no_1')",
    )
    app.decoy("deploy", "lounge-access", "lounge-access 1.9.0: new door firmware ids", 62, "rel-88")
    return app


@scenario("slow_query", "StatefulSet", "bag-mysql")
def mysql_reads_every_row() -> Airport:
    app = airport("bagtag-svc answers slowly", since=26, lag=16, on="kiosk-bff", slow={"bagtag-svc": 120, "kiosk-bff": 20, "checkin-api": 15},
                  cpu={"bag-mysql": jump(0.3, 2.6, 26)})  # fmt: skip
    for ago in range(25, 0, -1):
        app.log("bag-mysql-0", "bag-mysql", "# Time: 2026-04-14T09:11:02.114512Z", "# User@Host: bags[bags] @  [10.1.0.7]  Id:  8812",
                "# Query_time: 4.118203  Lock_time: 0.000004 Rows_sent: 12  Rows_examined: 8812331", "SET timestamp=1776158521;",
                "SELECT tag_no, lane FROM tags WHERE DATE(printed_at) = '2026-04-14' AND carousel = 7;", minutes_ago=ago, every_seconds=0.001)  # fmt: skip
    return app


@scenario("slow_query", "StatefulSet", "checkin-pg", accept=[("slow_query", "Deployment", "fare-engine")])
def statistics_are_gone_traces_only() -> Airport:
    app = airport("boarding-core p95 5.2 s", since=12, on="boarding-core")
    for turn in range(40):
        ago = 58 - turn * 1.45
        slow = 1 if ago > 12 else 120
        given = {"trace": turn + 1, "minutes_ago": ago}
        app.span("boarding-core", "GET /gates/{gate}", span=turn * 10 + 1, milliseconds=45 + 38 * slow, **given)
        app.span(
            "fare-engine",
            "POST /evaluate",
            span=turn * 10 + 2,
            parent=turn * 10 + 1,
            milliseconds=20 + 38 * slow,
            **given,
        )
        app.span("fare-engine", "SELECT checkin.fares", span=turn * 10 + 3, parent=turn * 10 + 2, milliseconds=38 * slow, **given,
                 **{"db.system": "postgresql", "server.address": "checkin-pg", "db.statement": "SELECT f.* FROM fares f JOIN rules r ON r.fare = f.id WHERE f.route = $1"})  # fmt: skip
        app.span("customs-link", "GET /ok", span=turn * 10 + 4, parent=turn * 10 + 1, milliseconds=9, **given)
    return app.without("logs", "metrics", "events")


@scenario("slow_query", "StatefulSet", "track-cassandra")
def tombstones() -> Airport:
    app = airport(
        "bag positions time out",
        since=19,
        lag=8,
        on="sorter-control",
        slow={"bag-tracker": 100, "sorter-control": 60},
        errors={"bag-tracker": 0.3},
    )
    app.says("track-cassandra", "WARN", "ReadStage-{n}", "ReadCommand.java:569 - Read 500 live rows and 88{n}1 tombstone cells for query SELECT * FROM track.scans "
             "WHERE bag_id = 0 LIMIT 5000 ALLOW FILTERING; token -31882 (see tombstone_warn_threshold)", every=5)  # fmt: skip
    app.says("track-cassandra", "ERROR", "ReadStage-{n}", "StorageProxy.java:2149 - Scanned over 100001 tombstones during query 'SELECT * FROM track.scans WHERE bag_id = 0 "
             "LIMIT 5000' (last scanned row token was -31882); query aborted", every=11)  # fmt: skip
    app.says("bag-tracker", "ERROR", "tracker.views", "cassandra.ReadFailure: Error from server: code=1300 [Replica(s) failed to execute read] message=\"Operation failed - "
             "received 0 responses and 2 failures: READ_TOO_MANY_TOMBSTONES from /10.1.2.7:7000\"", every=6)  # fmt: skip
    return app


# ------------------------------------------------------------------------------------------------------- full and read-only


@scenario("db_disk_full", "StatefulSet", "bag-mysql")
def binlog_fills_the_volume() -> Airport:
    app = airport(
        "bag tags cannot be printed", since=13, on="bagtag-svc", errors={"bagtag-svc": 0.8, "checkin-api": 0.3}
    )
    app.says(
        "bag-mysql",
        "ERROR",
        "MY-010907",
        "Error writing file './binlog.000912' (OS errno 28 - No space left on device)",
        every=60,
        pods=[0],
    )
    app.says(
        "bagtag-svc",
        "ERROR",
        "store/tags",
        "insert tag failed || Error 1114 (HY000): The table 'tags' is full",
        every=4,
    )
    app.gauge(
        "kubelet_volume_stats_available_bytes", ramp(2.2e10, 1e5, 50), persistentvolumeclaim="data-bag-mysql-0", **KEYS
    )
    app.gauge("kubelet_volume_stats_capacity_bytes", 1.07e11, noise=0, persistentvolumeclaim="data-bag-mysql-0", **KEYS)
    return gateways_shout(app, "bagtag-svc")


@scenario("db_disk_full", "StatefulSet", "scan-kafka")
def a_broker_s_log_dir_fails() -> Airport:
    app = airport("scans are missing in history", since=17, lag=9, on="baghistory", errors={"bag-tracker": 0.3})
    app.says("scan-kafka", "ERROR", "org.apache.kafka.storage.internals.log.LogDirFailureChannel", "Error while appending records to scans-3 in dir /var/lib/kafka/data",
             "java.io.IOException: No space left on device", "\tat java.base/sun.nio.ch.FileDispatcherImpl.write0(Native Method)", pods=[1], rounds=2, since=17)  # fmt: skip
    app.says(
        "scan-kafka",
        "ERROR",
        "kafka.log.LogManager",
        "Shutdown broker because all log dirs in /var/lib/kafka/data have failed",
        pods=[1],
        rounds=1,
        since=16,
    )
    app.restarted("scan-kafka", 1, code=1, ago=2, count=5, waiting=True, ran=30)
    app.says(
        "bag-tracker",
        "ERROR",
        "tracker.publish",
        'KafkaError{code=_MSG_TIMED_OUT,val=-192,str="Local: Message timed out"}',
        every=5,
    )
    app.says("baghistory", "WARN", "org.apache.kafka.clients.NetworkClient", "[Consumer clientId=baghistory-0, groupId=baghistory] Connection to node 1 (scan-kafka-1/10.1.1.9:9092) "
             "could not be established. Node may not be available.", every=6)  # fmt: skip
    return app


@scenario("db_disk_full", "StatefulSet", "flight-redis", accept=[("db_read_only", "StatefulSet", "flight-redis")])
def redis_cannot_save() -> Airport:
    app = airport(
        "flight boards do not update", since=21, on="flightboard", errors={"flightboard": 0.5, "lounge-access": 0.3}
    )
    app.says("flight-redis", "WARN", "M", "Background saving error", every=30)
    app.says(
        "flight-redis",
        "WARN",
        "C",
        "Write error while saving DB to the disk(rdbSaveRio): No space left on device",
        every=30,
    )
    app.says("flightboard", "ERROR", "board", "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may modify the data "
             "set are disabled, because this instance is configured to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option).",
             every=4)  # fmt: skip
    return app


@scenario("db_disk_full", "StatefulSet", "search-es")
def flood_stage() -> Airport:
    app = airport("bag search shows nothing new", since=36, lag=31, on="baghistory", errors={"baghistory": 0.4})
    app.says("search-es", "WARN", "o.e.c.r.a.DiskThresholdMonitor", "flood stage disk watermark [95%] exceeded on [k2J][search-es-1][/usr/share/elasticsearch/data] free: 2.1gb[4.2%], all "
             "indices on this node will be marked read-only", every=60, pods=[0])  # fmt: skip
    app.says("baghistory", "ERROR", "a.history.Indexer", "co.elastic.clients.elasticsearch._types.ElasticsearchException: [es/bulk] failed: [cluster_block_exception] index "
             "[bags-2026.04.14] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has read-only-allow-delete block];", every=5)  # fmt: skip
    app.decoy("deploy", "baghistory", "baghistory 1.8.11: smaller batches", 55, "rel-60")
    return app


@scenario("db_read_only", "StatefulSet", "pax-mongo")
def mongo_stepped_down() -> Airport:
    app = airport(
        "notify-pax fails to record", since=8, on="notify-pax", errors={"notify-pax": 0.7, "lounge-access": 0.4}
    )
    app.says("notify-pax", "ERROR", "push", "MongoServerError: not primary", "    at Connection.sendCommand (/app/node_modules/mongodb/lib/cmap/connection.js:281:27) {",
             "  code: 10107, codeName: 'NotWritablePrimary' }", every=4)  # fmt: skip
    app.says("lounge-access", "ERROR", "door", "log entry: (NotWritablePrimary) not primary", every=5)
    return app.logs_only_of("notify-pax", "lounge-access", "weather-feed", "kiosk-bff").without("events")


@scenario("db_read_only", "StatefulSet", "flight-redis")
def redis_became_a_replica() -> Airport:
    app = airport(
        "lounge doors stay shut", since=11, on="lounge-access", errors={"lounge-access": 0.6, "checkin-api": 0.2}
    )
    app.says(
        "lounge-access", "ERROR", "door", "count visit: READONLY You can't write against a read only replica.", every=3
    )
    app.says(
        "checkin-api",
        "ERROR",
        "a.checkin.SeatHold",
        "io.lettuce.core.RedisReadOnlyException: READONLY You can't write against a read only replica.",
        every=6,
    )
    app.says(
        "flight-redis",
        "INFO",
        "S",
        "REPLICAOF 10.1.2.44:6379 enabled (user request from 'id=88 addr=10.1.2.45:48210')",
        rounds=1,
    )
    return app


# -------------------------------------------------------------------------------------------------------------------- caches


@scenario("cache_stampede", "StatefulSet", "flight-redis", accept=[("cache_stampede", "Deployment", "flightboard")])
def evictions_empty_the_cache() -> Airport:
    app = airport("flightboard p95 3 s", since=24, lag=14, on="flightboard", slow={"flightboard": 50, "gate-display": 20, "kiosk-bff": 8},
                  cpu={"checkin-pg": jump(0.3, 2.9, 24), "flightboard": jump(0.2, 0.5, 24)})  # fmt: skip
    app.counter("redis_keyspace_hits_total", jump(900, 120, 24), pod="flight-redis-0", **KEYS)
    app.counter("redis_keyspace_misses_total", jump(12, 830, 24), pod="flight-redis-0", **KEYS)
    app.counter("redis_evicted_keys_total", jump(0.01, 640, 24), pod="flight-redis-0", **KEYS)
    app.gauge("redis_memory_used_bytes", ramp(1.6e9, 2.147e9, 60), pod="flight-redis-0", **KEYS)
    app.gauge("redis_memory_max_bytes", 2.147e9, noise=0, pod="flight-redis-0", **KEYS)
    return app


@scenario("cache_stampede", "StatefulSet", "flight-redis", accept=[("cache_stampede", "Deployment", "flightboard")])
def the_cache_restarted_empty() -> Airport:
    app = airport(
        "boards are slow",
        since=12,
        lag=6,
        on="gate-display",
        slow={"flightboard": 40, "gate-display": 22},
        cpu={"checkin-pg": jump(0.3, 2.4, 12)},
    )
    app.restarted("flight-redis", 0, code=0, reason="Completed", ago=12.2, count=1, ran=900000)
    app.says("flight-redis", "INFO", "M", "Ready to accept connections tcp", rounds=1, since=12)
    app.says("flightboard", "WARN", "board", "cache miss for board:T{n}, rebuilding from database", every=1)
    app.counter("redis_keyspace_misses_total", jump(12, 700, 12), pod="flight-redis-0", **KEYS)
    app.counter("redis_keyspace_hits_total", jump(900, 150, 12), pod="flight-redis-0", **KEYS)
    app.gauge("redis_db_keys", jump(412000, 9000, 12), pod="flight-redis-0", **KEYS)
    return app


@scenario("write_capacity_exceeded", "StatefulSet", "flight-redis")
def redis_is_full_and_must_not_evict() -> Airport:
    app = airport(
        "lounge and check-in errors", since=16, on="checkin-api", errors={"lounge-access": 0.4, "checkin-api": 0.3}
    )
    app.says(
        "lounge-access",
        "ERROR",
        "door",
        "count visit: OOM command not allowed when used memory > 'maxmemory'.",
        every=4,
    )
    app.says(
        "checkin-api",
        "ERROR",
        "a.checkin.SeatHold",
        "io.lettuce.core.RedisCommandExecutionException: OOM command not allowed when used memory > 'maxmemory'.",
        every=5,
    )
    app.gauge("redis_memory_used_bytes", ramp(1.9e9, 2.147e9, 30), pod="flight-redis-0", **KEYS)
    app.gauge("redis_memory_max_bytes", 2.147e9, noise=0, pod="flight-redis-0", **KEYS)
    return app


@scenario("pod_cpu_overload", "StatefulSet", "flight-redis")
def one_hot_key_keeps_redis_busy() -> Airport:
    app = airport("flightboard and lounge-access slow", since=20, lag=11, on="flightboard", slow={"flightboard": 30, "lounge-access": 25, "checkin-api": 4},
                  errors={"lounge-access": 0.05}, cpu={"flight-redis": jump(0.22, 1.0, 20)})  # fmt: skip
    app.says("lounge-access", "WARN", "door", "redis get took 1{n}0ms", every=6)
    app.says(
        "checkin-api",
        "WARN",
        "a.checkin.SeatHold",
        "io.lettuce.core.RedisCommandTimeoutException: Command timed out after 2 second(s)",
        every=15,
    )
    return app


# -------------------------------------------------------------------------------------------------------------------- queues


@scenario("queue_backlog", "Deployment", "manifest-builder", accept=[("queue_backlog", "StatefulSet", "belt-rabbit")])
def manifests_pile_up() -> Airport:
    app = airport("manifests are 40 minutes late", since=44, lag=30, on="manifest-builder", name="ManifestLate")
    labels = {"queue": "manifests", "pod": "belt-rabbit-0", **KEYS}
    app.gauge("rabbitmq_queue_messages_ready", ramp(12, 48000, 44), **labels)
    app.gauge("rabbitmq_queue_consumers", jump(16, 1, 44), noise=0, **labels)
    app.says(
        "manifest-builder",
        "WARN",
        "MainProcess",
        "consumer: Connection to broker lost. Trying to re-establish the connection...",
        rounds=3,
    )
    return app


@scenario("queue_backlog", "Deployment", "baghistory", accept=[("queue_backlog", "StatefulSet", "scan-kafka")])
def the_group_rebalances_for_ever() -> Airport:
    app = airport("scan history is behind", since=31, lag=20, on="baghistory")
    app.says("baghistory", "WARN", "o.a.k.c.c.internals.ConsumerCoordinator", "[Consumer clientId=baghistory-{n}, groupId=baghistory] consumer poll timeout has expired. This means the time "
             "between subsequent calls to poll() was longer than the configured max.poll.interval.ms, which typically implies that the poll loop is spending too much time processing messages.",
             every=40)  # fmt: skip
    app.says("baghistory", "INFO", "o.a.k.c.c.internals.ConsumerCoordinator", "[Consumer clientId=baghistory-{n}, groupId=baghistory] Revoke previously assigned partitions scans-0, scans-1",
             every=40)  # fmt: skip
    app.says("scan-kafka", "INFO", "kafka.coordinator.group.GroupCoordinator", "[GroupCoordinator 1]: Preparing to rebalance group baghistory in state PreparingRebalance with old generation "
             "88{n} (__consumer_offsets-12) (reason: removing member baghistory-0 on LeaveGroup)", every=40, pods=[1])  # fmt: skip
    app.gauge("kafka_consumergroup_lag_sum", ramp(40, 910000, 31), consumergroup="baghistory", topic="scans", **KEYS)
    return app


@scenario("queue_backlog", "Deployment", "baghistory", accept=[("queue_backlog", "StatefulSet", "scan-kafka")])
def one_partition_lags_metrics_only() -> Airport:
    app = airport("kafka consumer group baghistory lags", since=28, lag=15, name="KafkaConsumerLag")
    for partition in range(6):
        level = ramp(30, 402000, 28) if partition == 3 else 35
        app.gauge(
            "kafka_consumergroup_lag",
            level,
            consumergroup="baghistory",
            topic="scans",
            partition=str(partition),
            **KEYS,
        )
    return app.without("logs", "events")


@scenario("poison_message", "Deployment", "manifest-builder")
def celery_gets_it_again_and_again() -> Airport:
    app = airport("manifests stuck", since=23, lag=12, on="manifest-builder", name="ManifestLate")
    app.says("manifest-builder", "ERROR", "ForkPoolWorker-{n}", "Task manifest.build[5f1c2d] raised unexpected: ValueError(\"invalid IATA code 'X0'\")", "Traceback (most recent call last):",
             '  File "/app/manifest/tasks.py", line 44, in build', "ValueError: invalid IATA code 'X0'", every=7)  # fmt: skip
    app.says(
        "manifest-builder",
        "WARN",
        "MainProcess",
        "message 5f1c2d redelivered=True, requeued, delivery attempt 1{n}",
        every=7,
    )
    app.gauge("rabbitmq_queue_messages_ready", ramp(8, 900, 23), queue="manifests", pod="belt-rabbit-0", **KEYS)
    return app


@scenario("poison_message", "Deployment", "baghistory")
def a_record_that_cannot_be_read() -> Airport:
    app = airport("scan history stands still", since=26, on="baghistory")
    app.says("baghistory", "ERROR", "o.s.k.listener.KafkaMessageListenerContainer", "Consumer exception", "java.lang.IllegalStateException: This error handler cannot process "
             "'SerializationException's directly; please consider configuring an 'ErrorHandlingDeserializer' in the value and/or key deserializer",
             "Caused by: org.apache.kafka.common.errors.RecordDeserializationException: Error deserializing VALUE for partition scans-4 at offset 88213412. If needed, please seek past the "
             "record to continue consumption.", every=3)  # fmt: skip
    return app.without("metrics")


# ----------------------------------------------------------------------------------------------------- capacity and mappings


@scenario(
    "index_mapping_broken", "StatefulSet", "search-es", accept=[("index_mapping_broken", "Deployment", "baghistory")]
)
def weight_is_not_a_number() -> Airport:
    app = airport("bags missing in search", since=14, on="baghistory", errors={"baghistory": 0.5})
    app.says("baghistory", "ERROR", "a.history.Indexer", 'bulk item failed: {"type":"document_parsing_exception","reason":"[1:211] failed to parse field [weight] of type [long] in document '
             'with id \'{n}a\'. Preview of field\'s value: \'23.5kg\'","caused_by":{"type":"illegal_argument_exception","reason":"For input string: \\"23.5kg\\""}}', every=4)  # fmt: skip
    return app


@scenario("write_capacity_exceeded", "StatefulSet", "search-es")
def bulk_requests_are_rejected() -> Airport:
    app = airport(
        "scan history incomplete",
        since=18,
        on="baghistory",
        errors={"baghistory": 0.3},
        slow={"baghistory": 8},
        cpu={"search-es": jump(0.5, 1.9, 18)},
    )
    app.says("baghistory", "ERROR", "a.history.Indexer", "[es/bulk] failed: [es_rejected_execution_exception] rejected execution of primary operation [shardId=[bags-2026.04.14][0], "
             "source=[indices:data/write/bulk]] on EsThreadPoolExecutor[name = search-es-0/write, queue capacity = 10000, active threads = 2, queued tasks = 10012]", every=4)  # fmt: skip
    return app


@scenario("write_capacity_exceeded", "StatefulSet", "track-cassandra")
def cassandra_drops_mutations() -> Airport:
    app = airport("sorter-control reports lost scans", since=21, lag=10, on="sorter-control", slow={"bag-tracker": 70, "sorter-control": 50}, errors={"bag-tracker": 0.4, "sorter-control": 0.3},
                  cpu={"track-cassandra": jump(0.6, 3.7, 21)}, load={"bag-tracker": 1.5, "sorter-control": 1.5})  # fmt: skip
    app.says("track-cassandra", "INFO", "ScheduledTasks:1", "MessagingMetrics.java:206 - MUTATION messages were dropped in last 5000 ms: 8{n} internal and 4{n} cross node. Mean internal "
             "dropped latency: 2811 ms and Mean cross-node dropped latency: 3122 ms", every=10)  # fmt: skip
    app.says("bag-tracker", "ERROR", "tracker.views", "cassandra.WriteTimeout: Error from server: code=1100 [Coordinator node timed out waiting for replica nodes' responses] message=\"Operation "
             "timed out - received only 1 responses.\" info={'consistency': 'LOCAL_QUORUM', 'required_responses': 2, 'received_responses': 1}", every=4)  # fmt: skip
    return app


@scenario("credentials_rotated", "Deployment", "customs-link", change="sec-19", accept=[("credentials_rotated", "StatefulSet", "pax-mongo"),
          ("credentials_rotated", "Deployment", "lounge-access")])  # fmt: skip
def mongo_s_new_password() -> Airport:
    app = airport(
        "customs-link and lounge-access fail",
        since=29,
        lag=7,
        on="customs-link",
        errors={"customs-link": 0.9, "lounge-access": 0.9, "boarding-core": 0.2},
    )
    app.says("customs-link", "ERROR", "org.aer.customs.PassengerStore", "com.mongodb.MongoSecurityException: Exception authenticating MongoCredential{mechanism=SCRAM-SHA-256, userName='apron', "
             "source='admin', password=<hidden>}: Command failed with error 18 (AuthenticationFailed): 'Authentication failed.'", every=5)  # fmt: skip
    app.says("lounge-access", "ERROR", "door", "find member: connection() error occurred during connection handshake: auth error: sasl conversation error: unable to authenticate using mechanism "
             "\"SCRAM-SHA-256\": (AuthenticationFailed) Authentication failed.", every=5)  # fmt: skip
    app.decoy("config", "pax-mongo", "rotate password of user apron", 29.2, "sec-19")
    app.decoy("deploy", "boarding-core", "boarding-core 1.8.15", 36, "rel-77")
    return app


@scenario("mysql_invalid_credentials", "Deployment", "bagtag-svc")
def bagtag_cannot_log_in() -> Airport:
    app = airport("no tag is printed", since=10, on="kiosk-bff", errors={"bagtag-svc": 0.95, "kiosk-bff": 0.3})
    app.says(
        "bagtag-svc",
        "ERROR",
        "store/tags",
        "open tags || Error 1045 (28000): Access denied for user 'bagtags'@'10.1.0.21' (using password: YES)",
        every=3,
    )
    return app.without("changes", "events")
