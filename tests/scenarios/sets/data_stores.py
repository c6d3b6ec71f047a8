"""Faults of data stores and queues, in the words of the servers and drivers that people run."""

from tests.scenarios.frozen import Frozen
from tests.scenarios.sets.registry import scenario
from tests.scenarios.system import System, jump, ramp

# ------------------------------------------------------------------------------------- mysql_invalid_credentials


@scenario("mysql_invalid_credentials", name="ledger", variants=("bystanders",))
def go_client_denied() -> Frozen:
    s = System(namespace="bank", seed=1).nodes()
    s.serve("teller", errors=jump(0, 0.4, 14)).serve("ledger", errors=jump(0, 0.9, 14)).serve("statements")
    s.serve("mysql", style="", stateful=True, port=3306, replicas=1)
    s.calls(("teller", "ledger"), ("ledger", "mysql"), ("statements", "mysql"))
    told = "ERROR query failed: Error 1045 (28000): Access denied for user 'ledger'@'10.1.0.9' (using password: YES)"
    s.log(s.pod("ledger"), "ledger", *[told] * 60, minutes_ago=14, every_seconds=13)
    s.log(s.pod("teller"), "teller", *["ERROR upstream ledger answered 500"] * 40, minutes_ago=14, every_seconds=20)
    return s.alert("HighErrorRate", "teller answers 5xx", minutes_ago=12, service="teller")


@scenario("mysql_invalid_credentials", name="parcels")
def spring_client_denied_without_metrics() -> Frozen:
    s = System(namespace="post", seed=2, style="", resources=False)
    s.serve("parcels").serve("labels").serve("mariadb", stateful=True, port=3306, replicas=1)
    s.log(
        s.pod("parcels"), "parcels",
        "WARN com.zaxxer.hikari.pool.HikariPool : HikariPool-1 - Exception during pool initialization.",
        "java.sql.SQLException: Access denied for user 'parcels_rw'@'10.244.3.18' (using password: YES)",
        "\tat com.mysql.cj.jdbc.exceptions.SQLError.createSQLException(SQLError.java:130)",
        "ERROR o.h.engine.jdbc.spi.SqlExceptionHelper : Access denied for user 'parcels_rw'@'10.244.3.18' (using password: YES)",
        *["ERROR request failed: could not open JDBC connection"] * 20,
        minutes_ago=9, every_seconds=5,
    )  # fmt: skip
    s.log(
        "mariadb-0", "mariadb",
        *["[Warning] Access denied for user 'parcels_rw'@'10.244.3.18' (using password: YES)"] * 10,
        minutes_ago=9, every_seconds=10,
    )  # fmt: skip
    return s.alert("ParcelsDown", "parcels cannot serve", service="parcels")


@scenario("mysql_invalid_credentials", name="ratings")
def python_client_no_password() -> Frozen:
    s = System(namespace="films", seed=3, style="istio").nodes()
    s.serve("page", seconds=jump(0.05, 0.3, 20), errors=jump(0, 0.2, 20))
    s.serve("ratings", errors=jump(0, 1, 20), env={"DB_HOST": "mysqldb", "DB_PORT": "3306", "DB_USER": "root"})
    s.serve("details").serve("mysqldb", style="", port=3306)
    s.calls(("page", "ratings"), ("page", "details"), ("ratings", "mysqldb"))
    told = "pymysql.err.OperationalError: (1045, \"Access denied for user 'root'@'ratings.films.svc' (using password: NO)\")"
    s.log(s.pod("ratings"), "ratings", *[told] * 30, minutes_ago=20, every_seconds=30)
    s.change("deploy", "details", "details 2.2: new cover images", minutes_ago=25)
    return s.alert("ErrorRatio", "page errors", service="page")


# -------------------------------------------------------------------------------------------- mysql_invalid_port


@scenario("mysql_invalid_port", name="invoices")
def env_port_is_off_by_one() -> Frozen:
    s = System(namespace="billing", seed=4).nodes()
    s.serve("invoices", errors=jump(0, 1, 11), env={"MYSQL_HOST": "mysql", "MYSQL_PORT": "3307"})
    s.serve("mysql", style="", port=3306, stateful=True, replicas=1).serve("mailer")
    s.calls(("invoices", "mysql"), ("mailer", "invoices"))
    told = "ERROR ping failed: dial tcp 10.96.14.2:3307: connect: connection refused"
    s.log(s.pod("invoices"), "invoices", *[told] * 40, minutes_ago=11, every_seconds=12)
    return s.alert("InvoicesErrors", "invoices answers 5xx", service="invoices")


@scenario("mysql_invalid_port", name="loyalty")
def jdbc_url_has_the_postgres_port() -> Frozen:
    s = System(namespace="rewards", seed=5, style="spring").nodes()
    url = "jdbc:mysql://points-db:5432/points?useSSL=false"
    s.serve("loyalty", errors=jump(0, 0.95, 16), env={"SPRING_DATASOURCE_URL": url})
    s.serve("points-db", style="", port=3306, replicas=1, image="mysql:8.0").serve("web", errors=jump(0, 0.3, 16))
    s.calls(("web", "loyalty"), ("loyalty", "points-db"))
    s.log(
        s.pod("loyalty"), "loyalty",
        "com.mysql.cj.jdbc.exceptions.CommunicationsException: Communications link failure",
        "The last packet sent successfully to the server was 0 milliseconds ago. The driver has not received any packets from the server.",
        *["Caused by: java.net.ConnectException: Connection refused (points-db:5432)"] * 20,
        minutes_ago=16, every_seconds=30,
    )  # fmt: skip
    return s.alert("WebErrors", "web has errors", service="web")


@scenario("mysql_invalid_port", name="catalogue")
def python_times_out_on_the_port() -> Frozen:
    s = System(namespace="store", seed=6, style="", resources=False)
    s.serve("catalogue", env={"DATABASE_HOST": "catalogue-db", "DATABASE_PORT": "33060"})
    s.serve("catalogue-db", port=3306, image="mysql:8.4", replicas=1).serve("front")
    told = "sqlalchemy.exc.OperationalError: (pymysql.err.OperationalError) (2003, \"Can't connect to MySQL server on 'catalogue-db' ([Errno 111] Connection refused)\")"
    s.log(s.pod("catalogue"), "catalogue", *[told] * 15, minutes_ago=8, every_seconds=20)
    s.log(s.pod("front"), "front", *["ERROR catalogue: 503 Service Unavailable"] * 15, minutes_ago=8, every_seconds=20)
    return s.alert("FrontErrors", "front has errors", service="front")


# ---------------------------------------------------------------------------------------- db_connection_exhaustion


@scenario("db_connection_exhaustion", kind="StatefulSet", name="orders-pg")
def postgres_slots_reserved() -> Frozen:
    s = System(namespace="mall", seed=7).nodes()
    s.serve("orders", errors=jump(0, 0.5, 13), seconds=jump(0.05, 0.4, 13)).serve("stock", errors=jump(0, 0.3, 12))
    s.serve("orders-pg", style="", stateful=True, port=5432, replicas=1).serve("web", errors=jump(0, 0.3, 13))
    s.calls(("web", "orders"), ("web", "stock"), ("orders", "orders-pg"), ("stock", "orders-pg"))
    s.gauge("pg_stat_activity_count", ramp(40, 97, 15), namespace="mall", service="orders-pg", state="idle")
    s.gauge("pg_settings_max_connections", 100, noise=0, namespace="mall", service="orders-pg")
    told = "FATAL: remaining connection slots are reserved for non-replication superuser connections"
    s.log("orders-pg-0", "orders-pg", *[told] * 50, minutes_ago=13, every_seconds=14)
    for name in ("orders", "stock"):
        lines = [f"ERROR db: psycopg2.OperationalError: {told}"] * 30
        s.log(s.pod(name), name, *lines, minutes_ago=13, every_seconds=20)
    s.change("deploy", "web", "web 5.1: new header", minutes_ago=18)
    return s.alert("OrdersErrors", "orders fails", service="orders")


@scenario("db_connection_exhaustion", kind="StatefulSet", name="mysql", variants=("no_logs",))
def mysql_too_many_connections() -> Frozen:
    s = System(namespace="rides", seed=8, style="go").nodes()
    s.serve("dispatch", errors=jump(0, 0.6, 17)).serve("drivers", errors=jump(0, 0.6, 17)).serve("fares")
    s.serve("mysql", style="", stateful=True, port=3306, replicas=1)
    s.calls(("dispatch", "mysql"), ("drivers", "mysql"), ("dispatch", "fares"))
    s.gauge("mysql_global_status_threads_connected", jump(60, 151, 18), noise=0.003, namespace="rides", service="mysql")
    s.gauge("mysql_global_variables_max_connections", 151, noise=0, namespace="rides", service="mysql")
    s.counter("mysql_global_status_connection_errors_total", jump(0, 6, 17), error="max_connection", namespace="rides", service="mysql")  # fmt: skip
    for name in ("dispatch", "drivers"):
        s.log(s.pod(name), name, *["ERROR Error 1040: Too many connections"] * 40, minutes_ago=17, every_seconds=20)
    return s.alert("RidesErrors", "dispatch and drivers fail", service="dispatch")


@scenario("db_connection_exhaustion", kind="StatefulSet", name="session-redis")
def redis_max_clients() -> Frozen:
    s = System(namespace="auth", seed=9, style="spring").nodes()
    s.serve("login", errors=jump(0, 0.7, 10)).serve("profile", errors=jump(0, 0.3, 10)).serve("captcha")
    s.serve("session-redis", style="", stateful=True, port=6379, replicas=1)
    s.calls(("login", "session-redis"), ("profile", "session-redis"), ("login", "captcha"))
    s.gauge("redis_connected_clients", jump(310, 1000, 11), noise=0.001, namespace="auth", service="session-redis")
    s.gauge("redis_config_maxclients", 1000, noise=0, namespace="auth", service="session-redis")
    told = "redis.clients.jedis.exceptions.JedisDataException: ERR max number of clients reached"
    s.log(s.pod("login"), "login", *[f"ERROR {told}"] * 30, minutes_ago=10, every_seconds=18)
    return s.alert("LoginErrors", "login fails", service="login")


# ------------------------------------------------------------------------------------------------- db_read_only


@scenario("db_read_only", kind="StatefulSet", name="accounts-mysql")
def mysql_read_only_after_failover() -> Frozen:
    s = System(namespace="bank", seed=10).nodes()
    s.serve("accounts", errors=jump(0, 0.35, 9)).serve("transfers", errors=jump(0, 0.8, 9)).serve("rates")
    s.serve("accounts-mysql", style="", stateful=True, port=3306, replicas=2)
    s.calls(("transfers", "accounts"), ("accounts", "accounts-mysql"), ("transfers", "rates"))
    told = "Error 1290 (HY000): The MySQL server is running with the --read-only option so it cannot execute this statement"
    s.log(s.pod("accounts"), "accounts", *[f"ERROR update balance: {told}"] * 40, minutes_ago=9, every_seconds=12)
    s.log(s.pod("transfers"), "transfers", *["ERROR accounts: 500 Internal Server Error"] * 40, minutes_ago=9, every_seconds=12)  # fmt: skip
    s.log(
        "accounts-mysql-0", "accounts-mysql", "[Note] Failover: promoting accounts-mysql-1, demoting accounts-mysql-0",
        minutes_ago=9.2,
    )  # fmt: skip
    return s.alert("TransferErrors", "transfers fail", service="transfers")


@scenario("db_read_only", kind="StatefulSet", name="booking-db")
def postgres_read_only_transaction() -> Frozen:
    s = System(namespace="hotel", seed=11, style="spring").nodes()
    s.serve("booking", errors=jump(0, 0.5, 21)).serve("search")
    s.serve("booking-db", style="", stateful=True, port=5432, replicas=3).serve("site", errors=jump(0, 0.2, 21))
    s.calls(("site", "booking"), ("site", "search"), ("booking", "booking-db"))
    s.gauge("pg_replication_is_replica", jump(0, 1, 21), noise=0, namespace="hotel", service="booking-db", pod="booking-db-0")  # fmt: skip
    told = "org.postgresql.util.PSQLException: ERROR: cannot execute INSERT in a read-only transaction"
    s.log(s.pod("booking"), "booking", *[told] * 30, minutes_ago=21, every_seconds=35)
    s.log("booking-db-0", "booking-db", "ERROR:  cannot execute INSERT in a read-only transaction", minutes_ago=20)
    return s.alert("BookingErrors", "booking 5xx", service="booking")


@scenario("db_read_only", kind="StatefulSet", name="cart-redis")
def redis_replica_is_written() -> Frozen:
    s = System(namespace="shop", seed=12, style="istio").nodes()
    s.serve("basket", errors=jump(0, 0.6, 7)).serve("prices").serve("cart-redis", style="", stateful=True, port=6379)
    s.calls(("basket", "cart-redis"), ("basket", "prices"))
    told = "ERROR set basket: READONLY You can't write against a read only replica."
    s.log(s.pod("basket"), "basket", *[told] * 30, minutes_ago=7, every_seconds=13)
    return s.alert("BasketErrors", "basket 5xx", service="basket")


# --------------------------------------------------------------------------------------------- db_lock_contention


@scenario("db_lock_contention", kind="StatefulSet", name="wallet-mysql")
def mysql_lock_wait_timeouts() -> Frozen:
    s = System(namespace="pay", seed=13).nodes()
    s.serve("wallet", errors=jump(0, 0.2, 15), seconds=jump(0.06, 9.0, 15)).serve("fx")
    s.serve("wallet-mysql", style="", stateful=True, port=3306, replicas=1)
    s.calls(("wallet", "wallet-mysql"), ("wallet", "fx"))
    given = {"namespace": "pay", "service": "wallet-mysql"}
    s.counter("mysql_global_status_innodb_row_lock_waits", jump(0.1, 14, 15), **given)
    s.gauge("mysql_global_status_innodb_row_lock_current_waits", jump(0, 23, 15), **given)
    told = "Error 1205 (HY000): Lock wait timeout exceeded; try restarting transaction"
    s.log(s.pod("wallet"), "wallet", *[f"ERROR debit: {told}"] * 25, minutes_ago=14, every_seconds=30)
    return s.alert("WalletLatency", "wallet is slow", service="wallet")


@scenario("db_lock_contention", kind="StatefulSet", name="inventory-pg")
def postgres_deadlocks() -> Frozen:
    s = System(namespace="depot", seed=14, style="go").nodes()
    s.serve("inventory", errors=jump(0, 0.15, 18), seconds=jump(0.05, 1.6, 18)).serve("picker", errors=jump(0, 0.1, 18))
    s.serve("inventory-pg", style="", stateful=True, port=5432, replicas=1).serve("labels")
    s.calls(("picker", "inventory"), ("inventory", "inventory-pg"), ("picker", "labels"))
    s.counter(
        "pg_stat_database_deadlocks", jump(0, 0.5, 18), namespace="depot", service="inventory-pg", datname="stock"
    )
    s.log(
        "inventory-pg-0", "inventory-pg",
        *[
            "ERROR:  deadlock detected",
            "DETAIL:  Process 7711 waits for ShareLock on transaction 889213; blocked by process 7702.",
        ] * 15,
        minutes_ago=18, every_seconds=30,
    )  # fmt: skip
    s.log(s.pod("inventory"), "inventory", *["ERROR pq: deadlock detected"] * 20, minutes_ago=18, every_seconds=40)
    return s.alert("InventoryErrors", "inventory errors", service="inventory")


@scenario("db_lock_contention", kind="StatefulSet", name="crm-db")
def an_idle_transaction_holds_locks() -> Frozen:
    s = System(namespace="crm", seed=15, style="spring", hours=1.5).nodes()
    s.serve("contacts", seconds=jump(0.08, 12, 25), errors=jump(0, 0.4, 24)).serve("exports")
    s.serve("crm-db", style="", stateful=True, port=5432, replicas=1, cpu=0.2)
    s.calls(("contacts", "crm-db"), ("exports", "crm-db"))
    given = {"namespace": "crm", "service": "crm-db"}
    s.gauge("pg_stat_activity_count", jump(1, 4, 26), state="idle in transaction", **given)
    s.gauge("pg_locks_count", jump(2, 61, 25), mode="accessexclusivelock", **given)
    told = "org.postgresql.util.PSQLException: ERROR: canceling statement due to lock timeout"
    s.log(s.pod("contacts"), "contacts", *[told] * 40, minutes_ago=24, every_seconds=30)
    s.log(
        "crm-db-0", "crm-db",
        *["LOG:  process 4411 still waiting for AccessShareLock on relation 16712 of database 16384 after 1000.110 ms"] * 20,
        minutes_ago=25, every_seconds=40,
    )  # fmt: skip
    return s.alert("ContactsLatency", "contacts slow", minutes_ago=20, service="contacts")


# --------------------------------------------------------------------------------------------- db_schema_mismatch


@scenario("db_schema_mismatch", name="quotes")
def column_is_not_there_yet() -> Frozen:
    s = System(namespace="insure", seed=16).nodes()
    s.serve("quotes", errors=jump(0, 0.45, 12)).serve("policies").serve("pg", style="", port=5432, stateful=True)
    s.calls(("quotes", "pg"), ("policies", "pg"))
    told = 'ERROR db: pq: column "risk_band" of relation "quotes" does not exist'
    s.log(s.pod("quotes"), "quotes", *[told] * 35, minutes_ago=12, every_seconds=18)
    s.log("pg-0", "pg", *['ERROR:  column "risk_band" of relation "quotes" does not exist at character 41'] * 20, minutes_ago=12, every_seconds=25)  # fmt: skip
    return s.alert("QuotesErrors", "quotes 5xx", service="quotes")


@scenario("db_schema_mismatch", name="events-api")
def mysql_unknown_column() -> Frozen:
    s = System(namespace="tickets", seed=17, style="istio", resources=False).nodes()
    s.serve("events-api", errors=jump(0, 0.7, 19)).serve("seats").serve("site", errors=jump(0, 0.4, 19))
    s.calls(("site", "events-api"), ("site", "seats"), ("events-api", "mysql"))
    told = "ERROR 1054 (42S22): Unknown column 'e.venue_ref' in 'field list'"
    s.log(s.pod("events-api"), "events-api", *[told] * 35, minutes_ago=19, every_seconds=18)
    return s.alert("SiteErrors", "site 5xx", service="site")


@scenario("db_schema_mismatch", name="reports")
def table_is_missing() -> Frozen:
    s = System(namespace="bi", seed=18, style="", resources=False)
    s.serve("reports").serve("ingest").serve("warehouse", port=5432, stateful=True)
    s.log(
        s.pod("reports"), "reports",
        *[
            'sqlalchemy.exc.ProgrammingError: (psycopg2.errors.UndefinedTable) relation "monthly_totals_v2" does not exist',
            "ERROR report monthly failed",
        ] * 15,
        minutes_ago=15, every_seconds=20,
    )  # fmt: skip
    return s.alert("ReportsFailing", "reports fail", service="reports")


# ----------------------------------------------------------------------------------------------------- slow_query


@scenario("slow_query", kind="StatefulSet", name="search-pg")
def sequential_scan_in_postgres() -> Frozen:
    s = System(namespace="estate", seed=19).nodes()
    s.serve("listings", seconds=jump(0.07, 4.5, 16), errors=jump(0, 0.05, 16)).serve("agents", seconds=0.05)
    s.serve("search-pg", style="", stateful=True, port=5432, replicas=1, cpu=jump(0.3, 1.9, 16))
    s.serve("web", seconds=jump(0.15, 4.7, 16))
    s.calls(("web", "listings"), ("web", "agents"), ("listings", "search-pg"))
    s.log(
        "search-pg-0", "search-pg",
        *["LOG:  duration: 4311.870 ms  statement: SELECT * FROM listings WHERE lower(postcode) = 'e14' ORDER BY listed_at DESC"] * 30,
        minutes_ago=16, every_seconds=25,
    )  # fmt: skip
    return s.alert("WebLatency", "web p95 above 2 s", service="web")


@scenario("slow_query", kind="StatefulSet", name="mysql")
def mysql_slow_log_and_counters() -> Frozen:
    s = System(namespace="forum", seed=20, style="go").nodes()
    s.serve("threads", seconds=jump(0.05, 3.0, 13)).serve("users")
    s.serve("mysql", style="", stateful=True, port=3306, replicas=1, cpu=jump(0.25, 2.4, 13))
    s.calls(("threads", "mysql"), ("users", "mysql"))
    given = {"namespace": "forum", "service": "mysql"}
    s.counter("mysql_global_status_slow_queries", jump(0.01, 3.2, 13), **given)
    s.counter("mysql_global_status_innodb_rows_read_total", jump(4000, 2.2e6, 13), **given)
    s.log(
        "mysql-0", "mysql",
        *[
            "# User@Host: forum[forum] @  [10.1.0.7]  Id: 88121",
            "# Query_time: 3.114502  Lock_time: 0.000081 Rows_sent: 20  Rows_examined: 1884213",
            "SELECT * FROM posts WHERE thread_slug LIKE '%upgrade%' ORDER BY created_at LIMIT 20;",
        ] * 20,
        minutes_ago=13, every_seconds=12,
    )  # fmt: skip
    return s.alert("ThreadsLatency", "threads slow", service="threads")


@scenario("slow_query", kind="StatefulSet", name="clinic-db")
def spans_show_one_slow_statement() -> Frozen:
    s = System(namespace="clinic", seed=21).nodes()
    s.serve("appointments", seconds=jump(0.08, 2.2, 14)).serve("patients", seconds=0.05)
    s.serve("clinic-db", style="", stateful=True, port=5432, replicas=1, cpu=jump(0.2, 0.95, 14))
    s.calls(("appointments", "clinic-db"), ("appointments", "patients"))
    for n in range(1, 41):
        ago = 30 - n * 0.7
        slow = ago < 14
        s.span("appointments", "GET /slots", trace=n, span=n * 10, minutes_ago=ago, milliseconds=2200 if slow else 80)
        s.span(
            "appointments", "SELECT slots", trace=n, span=n * 10 + 1, parent=n * 10, minutes_ago=ago,
            milliseconds=2120 if slow else 22,
            **{"db.system": "postgresql", "db.statement": "SELECT * FROM slots WHERE doctor_id = $1", "server.address": "clinic-db"},
        )  # fmt: skip
        s.span(
            "patients", "GET /patients/{id}", trace=n, span=n * 10 + 2, parent=n * 10, minutes_ago=ago, milliseconds=31
        )
    s.gauge("pg_stat_statements_mean_time_seconds", jump(0.02, 2.1, 14), namespace="clinic", service="clinic-db", queryid="77121")  # fmt: skip
    return s.alert("SlowSlots", "appointments slow", service="appointments")


# --------------------------------------------------------------------------------------------------- db_disk_full


@scenario("db_disk_full", kind="StatefulSet", name="audit-pg")
def postgres_cannot_extend() -> Frozen:
    s = System(namespace="audit", seed=22).nodes()
    s.serve("trail", errors=jump(0, 0.8, 10)).serve("audit-pg", style="", stateful=True, port=5432, replicas=1)
    s.calls(("trail", "audit-pg"))
    given = {"namespace": "audit", "persistentvolumeclaim": "data-audit-pg-0"}
    s.gauge("kubelet_volume_stats_available_bytes", ramp(9e9, 0, 60), noise=0, **given)
    s.gauge("kubelet_volume_stats_capacity_bytes", 5e10, noise=0, **given)
    told = 'ERROR:  could not extend file "base/16384/2619": No space left on device'
    s.log("audit-pg-0", "audit-pg", *[told, "HINT:  Check free disk space."] * 15, minutes_ago=10, every_seconds=15)
    s.log(s.pod("trail"), "trail", *[f"ERROR insert: pq: {told[8:]}"] * 30, minutes_ago=10, every_seconds=15)
    return s.alert("TrailErrors", "trail fails", service="trail")


@scenario("db_disk_full", kind="StatefulSet", name="elastic")
def elasticsearch_flood_stage() -> Frozen:
    s = System(namespace="logs", seed=23, style="").nodes()
    s.serve("shipper").serve("elastic", stateful=True, port=9200, replicas=3).serve("kibana")
    s.calls(("shipper", "elastic"), ("kibana", "elastic"))
    s.log(
        "elastic-0", "elastic",
        *["WARN flood stage disk watermark [95%] exceeded on [x1a][elastic-0][/data] free: 1.1gb[2.2%], all indices on this node will be marked read-only"] * 10,
        minutes_ago=13, every_seconds=60,
    )  # fmt: skip
    s.log(
        s.pod("shipper"), "shipper",
        *["ERROR bulk failed: cluster_block_exception: index [app-2026.04.14] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has read-only-allow-delete block];"] * 30,
        minutes_ago=13, every_seconds=20,
    )  # fmt: skip
    s.gauge("elasticsearch_filesystem_data_available_bytes", ramp(6e9, 1.1e9, 40), noise=0, namespace="logs", service="elastic")  # fmt: skip
    s.gauge("elasticsearch_filesystem_data_size_bytes", 5e10, noise=0, namespace="logs", service="elastic")
    return s.alert("NoLogs", "no logs arrive", service="shipper")


@scenario("db_disk_full", kind="StatefulSet", name="mongo")
def mongo_has_no_space() -> Frozen:
    s = System(namespace="iot", seed=24, resources=False).nodes()
    s.serve("devices", errors=jump(0, 0.6, 8)).serve("mongo", style="", stateful=True, port=27017, replicas=1)
    s.calls(("devices", "mongo"))
    s.log(
        "mongo-0", "mongo",
        *['{"s":"E","c":"STORAGE","id":22435,"ctx":"thread1","msg":"WiredTiger error","attr":{"error":28,"message":"pwrite: failed to write 4096 bytes: No space left on device"}}'] * 10,
        minutes_ago=8, every_seconds=20,
    )  # fmt: skip
    s.log(s.pod("devices"), "devices", *["ERROR insert failed: server selection timeout: mongo-0.mongo:27017"] * 20, minutes_ago=7, every_seconds=20)  # fmt: skip
    return s.alert("DevicesErrors", "devices fails", service="devices")


# ------------------------------------------------------------------------------------------------ replication_lag


@scenario("replication_lag", kind="StatefulSet", name="posts-mysql-replica")
def mysql_replica_is_behind() -> Frozen:
    s = System(namespace="social", seed=25).nodes()
    s.serve("feed", errors=0.0).serve("posts").serve("posts-mysql", style="", stateful=True, port=3306, replicas=1)
    s.serve("posts-mysql-replica", style="", stateful=True, port=3306, replicas=1)
    s.calls(("feed", "posts-mysql-replica"), ("posts", "posts-mysql"))
    s.gauge("mysql_slave_status_seconds_behind_master", ramp(0.2, 640, 20), namespace="social", service="posts-mysql-replica")  # fmt: skip
    s.log(s.pod("feed"), "feed", *["WARN post 88121 not found on replica, written 4 s ago"] * 30, minutes_ago=18, every_seconds=30)  # fmt: skip
    return s.alert("StaleReads", "feed shows old posts", service="feed")


@scenario("replication_lag", kind="StatefulSet", name="pg-read")
def postgres_standby_lags_and_cancels() -> Frozen:
    s = System(namespace="energy", seed=26, style="go").nodes()
    s.serve("meter", errors=jump(0, 0.1, 22)).serve("pg-main", style="", stateful=True, port=5432, replicas=1)
    s.serve("pg-read", style="", stateful=True, port=5432, replicas=2).serve("ingest", rate=jump(20, 40, 24))
    s.calls(("meter", "pg-read"), ("ingest", "pg-main"), ("pg-main", "pg-read"))
    s.gauge("pg_replication_lag_seconds", ramp(0.05, 310, 22), namespace="energy", service="pg-read")
    told = "ERROR:  canceling statement due to conflict with recovery"
    s.log("pg-read-0", "pg-read", *[told, "DETAIL:  User query might have needed to see row versions that must be removed."] * 10, minutes_ago=20, every_seconds=40)  # fmt: skip
    s.log(s.pod("meter"), "meter", *[f"ERROR pq: {told[8:]}"] * 20, minutes_ago=20, every_seconds=40)
    return s.alert("ReadErrors", "meter reads fail", service="meter")


@scenario("replication_lag", name="profile-store")
def logs_alone_tell_of_lag() -> Frozen:
    s = System(namespace="games", seed=27, style="", resources=False)
    s.serve("lobby").serve("profile-store", port=27017).serve("match")
    s.log(
        s.pod("profile-store"), "profile-store",
        *["WARN replication lag 93.4s exceeds threshold 10s (member=profile-store-2, optime=1776155210)"] * 20,
        minutes_ago=16, every_seconds=40,
    )  # fmt: skip
    s.log(s.pod("lobby"), "lobby", *["WARN stale read: version 71 < 74 from profile-store"] * 20, minutes_ago=15, every_seconds=40)  # fmt: skip
    return s.alert("StaleProfiles", "players see old profiles", service="lobby")


# ------------------------------------------------------------------------------------------------- cache_stampede


@scenario("cache_stampede", kind="StatefulSet", name="redis")
def hit_rate_falls_after_a_flush() -> Frozen:
    s = System(namespace="media", seed=28).nodes()
    s.serve("articles", seconds=jump(0.02, 1.4, 11), rate=200).serve("redis", style="", stateful=True, port=6379)
    s.serve("articles-db", style="", stateful=True, port=5432, cpu=jump(0.2, 1.8, 11), replicas=1)
    s.calls(("articles", "redis"), ("articles", "articles-db"))
    given = {"namespace": "media", "service": "redis"}
    s.counter("redis_keyspace_hits_total", jump(950, 90, 11), **given)
    s.counter("redis_keyspace_misses_total", jump(20, 880, 11), **given)
    s.gauge("redis_db_keys", jump(81000, 1200, 11), db="db0", **given)
    s.gauge("pg_stat_activity_count", jump(6, 88, 11), namespace="media", service="articles-db", state="active")
    s.log(
        "redis-0", "redis", "1:M 14 Apr 2026 09:18:58.101 * DB 0: FLUSHALL executed by 10.1.0.44:51122", minutes_ago=11
    )
    return s.alert("ArticlesLatency", "articles slow", service="articles")


@scenario("cache_stampede", name="memcached")
def everything_expires_at_once() -> Frozen:
    s = System(namespace="travel", seed=29, style="go").nodes()
    s.serve("fares", seconds=jump(0.03, 2.0, 9), rate=120).serve("memcached", style="", port=11211)
    s.serve("fares-mysql", style="", stateful=True, port=3306, cpu=jump(0.3, 2.2, 9), replicas=1).serve("seats")
    s.calls(("fares", "memcached"), ("fares", "fares-mysql"), ("seats", "fares-mysql"))
    given = {"namespace": "travel", "service": "memcached", "command": "get"}
    s.counter("memcached_commands_total", jump(600, 30, 9), status="hit", **given)
    s.counter("memcached_commands_total", jump(15, 700, 9), status="miss", **given)
    s.counter("mysql_global_status_queries", jump(60, 800, 9), namespace="travel", service="fares-mysql")
    s.log(s.pod("fares"), "fares", *["INFO cache miss key=fare:lhr-jfk, rebuilding from database"] * 80, minutes_ago=9, every_seconds=6)  # fmt: skip
    return s.alert("FaresLatency", "fares slow", service="fares")


@scenario("cache_stampede", kind="StatefulSet", name="cache", accept=[("cache_stampede", "Deployment", "tariffs")])
def evictions_push_load_to_the_store() -> Frozen:
    s = System(namespace="telco", seed=30, style="spring", hours=1.5).nodes()
    s.serve("tariffs", seconds=jump(0.02, 0.9, 17), rate=150).serve("cache", style="", stateful=True, port=6379)
    s.serve("tariff-db", style="", stateful=True, port=5432, cpu=jump(0.25, 1.5, 17), replicas=1)
    s.calls(("tariffs", "cache"), ("tariffs", "tariff-db"))
    given = {"namespace": "telco", "application": "tariffs", "cache": "tariff"}
    s.counter("cache_gets_total", jump(140, 12, 17), result="hit", **given)
    s.counter("cache_gets_total", jump(3, 130, 17), result="miss", **given)
    s.counter("redis_evicted_keys_total", jump(0, 240, 17), namespace="telco", service="cache")
    return s.alert("TariffLatency", "tariffs slow", service="tariffs")


# -------------------------------------------------------------------------------------------------- queue_backlog


@scenario("queue_backlog", name="invoice-worker")
def kafka_lag_grows() -> Frozen:
    s = System(namespace="billing", seed=31).nodes()
    s.serve("orders").serve("invoice-worker", style="", cpu=jump(0.4, 0.1, 18)).serve("kafka", style="", stateful=True, port=9092, replicas=3)  # fmt: skip
    s.calls(("orders", "kafka"), ("invoice-worker", "kafka"))
    for partition in range(3):
        given = {
            "namespace": "billing",
            "consumergroup": "invoice-worker",
            "topic": "orders",
            "partition": str(partition),
        }
        s.gauge("kafka_consumergroup_lag", ramp(40, 52000, 18), **given)
    s.gauge("kafka_consumergroup_lag", 30, namespace="billing", consumergroup="audit", topic="orders", partition="0", noise=0.3)  # fmt: skip
    s.log(s.pod("invoice-worker"), "invoice-worker", *["INFO processed batch of 10 in 9812 ms"] * 40, minutes_ago=18, every_seconds=25)  # fmt: skip
    return s.alert("KafkaLag", "consumer lag of invoice-worker above 10000", consumergroup="invoice-worker")


@scenario("queue_backlog", name="thumbnailer")
def rabbit_consumers_are_gone() -> Frozen:
    s = System(namespace="photos", seed=32, style="go").nodes()
    s.serve("upload").serve("thumbnailer", style="").serve("rabbitmq", style="", stateful=True, port=5672, replicas=1)
    s.calls(("upload", "rabbitmq"), ("thumbnailer", "rabbitmq"))
    given = {"namespace": "photos", "queue": "thumbnails"}
    s.gauge("rabbitmq_queue_messages_ready", ramp(3, 18400, 25), **given)
    s.gauge("rabbitmq_queue_consumers", jump(4, 0, 25), noise=0, **given)
    s.counter("rabbitmq_queue_messages_published_total", 12, **given)
    s.counter("rabbitmq_queue_messages_delivered_total", jump(12, 0, 25), **given)
    s.log(s.pod("thumbnailer"), "thumbnailer", "WARN connection to broker closed: CHANNEL_ERROR, will not reconnect", minutes_ago=25)  # fmt: skip
    return s.alert("QueueDepth", "queue thumbnails is deep", minutes_ago=18, queue="thumbnails")


@scenario("queue_backlog", name="mailer")
def sqs_age_grows_in_logs_only() -> Frozen:
    s = System(namespace="notify", seed=33, style="", resources=False)
    s.serve("mailer").serve("accounts")
    lines = [
        f"WARN queue depth={600 + 340 * n} oldest_message_age_seconds={20 + n * 31} consumed_per_minute=58 published_per_minute=402"
        for n in range(20)
    ]
    s.log(s.pod("mailer"), "mailer", *lines, minutes_ago=20, every_seconds=60)
    return s.alert("MailDelay", "mails arrive late", service="mailer")


# ------------------------------------------------------------------------------------------------- poison_message


@scenario("poison_message", name="settlement")
def kafka_offset_is_retried() -> Frozen:
    s = System(namespace="pay", seed=34).nodes()
    s.serve("gateway").serve("settlement", style="").serve("kafka", style="", stateful=True, port=9092, replicas=3)
    s.calls(("gateway", "kafka"), ("settlement", "kafka"))
    given = {"namespace": "pay", "consumergroup": "settlement", "topic": "captures"}
    for partition in range(3):
        s.gauge(
            "kafka_consumergroup_lag", ramp(5, 9000, 21) if partition == 1 else 6, partition=str(partition), **given
        )
    told = "ERROR failed to process record topic=captures partition=1 offset=8821307: json: cannot unmarshal string into Go struct field Capture.amount of type int64"
    s.log(s.pod("settlement"), "settlement", *[told, "WARN seeking back to captures-1@8821307"] * 40, minutes_ago=21, every_seconds=15)  # fmt: skip
    return s.alert("SettlementLag", "lag of settlement grows", consumergroup="settlement")


@scenario("poison_message", name="fulfilment")
def redelivered_for_ever() -> Frozen:
    s = System(namespace="depot", seed=35, style="", resources=False)
    s.serve("fulfilment").serve("rabbitmq", stateful=True, port=5672, replicas=1)
    s.log(
        s.pod("fulfilment"), "fulfilment",
        *[
            "INFO received message id=6f1b2c1e-8a90 redelivered=true",
            "ERROR handler raised KeyError: 'address' for message id=6f1b2c1e-8a90, requeueing",
        ] * 60,
        minutes_ago=14, every_seconds=6,
    )  # fmt: skip
    return s.alert("FulfilmentStuck", "no order is fulfilled", service="fulfilment")


@scenario("poison_message", name="importer")
def spring_listener_backs_off() -> Frozen:
    s = System(namespace="feeds", seed=36, style="spring").nodes()
    s.serve("importer", style="").serve("feed-api").serve("kafka", style="", stateful=True, port=9092)
    s.calls(("feed-api", "kafka"), ("importer", "kafka"))
    s.log(
        s.pod("importer"), "importer",
        *[
            "ERROR o.s.k.listener.DefaultErrorHandler : Backoff FixedBackOff{interval=1000, currentAttempts=9, maxAttempts=unlimited} exhausted for products-0@441982",
            "org.apache.kafka.common.errors.RecordDeserializationException: Error deserializing key/value for partition products-0 at offset 441982. If needed, please seek past the record to continue consumption.",
        ] * 30,
        minutes_ago=17, every_seconds=17,
    )  # fmt: skip
    s.gauge("kafka_consumergroup_lag", ramp(0, 2100, 17), namespace="feeds", consumergroup="importer", topic="products", partition="0")  # fmt: skip
    return s.alert("ImporterStuck", "products are not imported", service="importer")


# ---------------------------------------------------------------------------------------- write_capacity_exceeded


@scenario("write_capacity_exceeded", name="telemetry-writer")
def dynamodb_throttles() -> Frozen:
    s = System(namespace="iot", seed=37).nodes()
    s.serve("telemetry-writer", errors=jump(0, 0.3, 12), rate=jump(80, 190, 13)).serve("devices")
    s.calls(("devices", "telemetry-writer"))
    told = "ERROR put item: ProvisionedThroughputExceededException: The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API."
    s.log(s.pod("telemetry-writer"), "telemetry-writer", *[told] * 40, minutes_ago=12, every_seconds=16)
    s.gauge("aws_dynamodb_write_throttle_events_sum", jump(0, 340, 12), namespace="iot", table_name="telemetry")
    return s.alert("WriterErrors", "telemetry-writer errors", service="telemetry-writer")


@scenario("write_capacity_exceeded", kind="StatefulSet", name="opensearch", accept=[("write_capacity_exceeded", "Deployment", "indexer")])  # fmt: skip
def search_cluster_rejects_bulk() -> Frozen:
    s = System(namespace="search", seed=38, style="go").nodes()
    s.serve("indexer", errors=jump(0, 0.4, 15)).serve("opensearch", style="", stateful=True, port=9200, replicas=3)
    s.calls(("indexer", "opensearch"))
    told = "ERROR bulk item failed: es_rejected_execution_exception: rejected execution of coordinating operation [coordinating_and_primary_bytes=0, max_coordinating_and_primary_bytes=107374182]"
    s.log(s.pod("indexer"), "indexer", *[told] * 40, minutes_ago=15, every_seconds=20)
    s.counter("elasticsearch_thread_pool_rejected_count", jump(0, 25, 15), namespace="search", service="opensearch", type="write")  # fmt: skip
    return s.alert("IndexerErrors", "indexer fails", service="indexer")


@scenario("write_capacity_exceeded", name="ledger-api")
def cosmos_answers_429() -> Frozen:
    s = System(namespace="fin", seed=39, style="spring", resources=False)
    s.serve("ledger-api", errors=jump(0, 0.25, 10), code="503").serve("rates")
    s.calls(("rates", "ledger-api"))
    told = "com.azure.cosmos.CosmosException: RequestRateTooLargeException: Request rate is large. More Request Units may be needed, so no changes were made. StatusCode: 429, SubStatusCode: 3200"
    s.log(s.pod("ledger-api"), "ledger-api", *[f"ERROR {told}"] * 30, minutes_ago=10, every_seconds=18)
    return s.alert("LedgerErrors", "ledger-api 5xx", service="ledger-api")


# ------------------------------------------------------------------------------------------- index_mapping_broken


@scenario("index_mapping_broken", name="product-indexer", accept=[("index_mapping_broken", "StatefulSet", "elastic")])
def field_cannot_be_parsed() -> Frozen:
    s = System(namespace="shop", seed=40).nodes()
    s.serve("product-indexer", errors=jump(0, 0.6, 14)).serve("elastic", style="", stateful=True, port=9200)
    s.calls(("product-indexer", "elastic"))
    told = "ERROR index product 8812: mapper_parsing_exception: failed to parse field [price] of type [long] in document with id '8812'. Preview of field's value: '12.90 EUR'"
    s.log(s.pod("product-indexer"), "product-indexer", *[told] * 40, minutes_ago=14, every_seconds=18)
    return s.alert("IndexingFails", "products are not searchable", service="product-indexer")


@scenario("index_mapping_broken", name="log-router", accept=[("index_mapping_broken", "StatefulSet", "opensearch")])
def field_limit_is_reached() -> Frozen:
    s = System(namespace="ops", seed=41, style="", resources=False)
    s.serve("log-router").serve("opensearch", stateful=True, port=9200)
    told = 'WARN could not index event to OpenSearch. status: 400, action: ["create"], error: {"type"=>"illegal_argument_exception", "reason"=>"Limit of total fields [1000] has been exceeded while adding new fields [4]"}'
    s.log(s.pod("log-router"), "log-router", *[told] * 40, minutes_ago=19, every_seconds=20)
    return s.alert("EventsLost", "events are dropped", service="log-router")


@scenario("index_mapping_broken", name="sync", accept=[("index_mapping_broken", "StatefulSet", "es")])
def type_conflict_after_reindex() -> Frozen:
    s = System(namespace="jobs", seed=42, style="istio").nodes()
    s.serve("sync", errors=jump(0, 0.9, 11)).serve("es", style="", stateful=True, port=9200).serve("board")
    s.calls(("sync", "es"), ("board", "es"))
    told = "elasticsearch.BadRequestError: BadRequestError(400, 'illegal_argument_exception', 'mapper [posted_at] cannot be changed from type [date] to [text]')"
    s.log(s.pod("sync"), "sync", *[told] * 30, minutes_ago=11, every_seconds=20)
    return s.alert("SyncFails", "sync fails", service="sync")
