"""Changes that broke something, each among innocent ones: later, on other services, undone, or with louder titles."""

from tests.scenarios.frozen import Frozen
from tests.scenarios.sets.registry import scenario
from tests.scenarios.system import System, jump, ramp


def _bystanders(s: System, *targets: str) -> System:
    """Innocent changes: long before, shortly before elsewhere, and after the onset."""
    first, second = targets[0], targets[-1]
    s.change("commit", "docs/runbook.md", "docs: describe the nightly export", minutes_ago=52, id="doc1", author="ines")
    s.change("deploy", first, f"{first} 4.0.1: lower the log level", minutes_ago=48, id="dep-old", author="tom")
    s.change("commit", f"services/{second}/README.md", "chore: fix typos", minutes_ago=31, id="typo", author="ava")
    s.change(
        "deploy",
        second,
        f"{second} 1.9.9: fix: urgent error handling in retries",
        minutes_ago=4,
        id="dep-late",
        author="lee",
    )
    s.change("feature_flag", "new-footer", "new-footer: off -> on for 5%", minutes_ago=3, id="flag-late", author="kim")
    return s


# ---------------------------------------------------------------------------------------------------- bad_deploy


@scenario("bad_deploy", name="checkout", change="dep-771", accept=[("unhandled_exception", "Deployment", "checkout")])
def null_pointer_after_a_deploy() -> Frozen:
    s = System(namespace="shop", seed=201).nodes()
    s.serve("web", errors=jump(0, 0.3, 12)).serve("checkout", errors=jump(0, 0.6, 12)).serve("vat").serve("mail")
    s.calls(("web", "checkout"), ("checkout", "vat"), ("checkout", "mail"))
    s.log(
        s.pod("checkout"), "checkout",
        *["ERROR unhandled java.lang.NullPointerException: Cannot invoke \"Coupon.rate()\" because \"coupon\" is null\n\tat app.checkout.CouponRules.apply(CouponRules.java:41)"] * 30,
        minutes_ago=12, every_seconds=20,
    )  # fmt: skip
    s.change("deploy", "checkout", "checkout 7.12.0: coupon rules", minutes_ago=13, id="dep-771", author="mia", diff="files: checkout/CouponRules.java")  # fmt: skip
    _bystanders(s, "vat", "mail")
    return s.alert("WebErrors", "web 5xx", service="web")


@scenario("bad_deploy", name="quotes", change="rel-88")
def slower_since_the_release_without_logs() -> Frozen:
    s = System(namespace="broker", seed=202, style="istio").nodes()
    s.serve("terminal", seconds=jump(0.1, 1.4, 17)).serve("quotes", seconds=jump(0.03, 1.2, 17), cpu=jump(0.3, 0.7, 17))
    s.serve("books").serve("fx")
    s.calls(("terminal", "quotes"), ("terminal", "books"), ("quotes", "fx"))
    s.change("deploy", "quotes", "quotes 2026.14", minutes_ago=18, id="rel-88", author="deploy-bot")
    s.change("deploy", "quotes", "quotes 2026.13", minutes_ago=55, id="rel-87", author="deploy-bot")
    s.change("deploy", "books", "books 2026.14: big performance refactoring", minutes_ago=40, id="rel-90")
    s.change("deploy", "fx", "fx 2026.14", minutes_ago=5, id="rel-91")
    return s.alert("TerminalLatency", "terminal slow", service="terminal")


@scenario("bad_deploy", name="accounts", change="sha-4f1", accept=[("crash_on_start", "Deployment", "accounts"), ("unhandled_exception", "Deployment", "accounts")])  # fmt: skip
def new_pods_crash() -> Frozen:
    s = System(namespace="bank", seed=203, style="").nodes()
    s.serve("accounts", image="registry.test/accounts:31").serve("cards")
    pod = s.find("Pod", "accounts")
    pod["spec"]["containers"][0]["image"] = "registry.test/accounts:32"
    pod["metadata"]["creationTimestamp"] = s.stamp(9)
    pod["status"]["startTime"] = s.stamp(9)
    pod["status"]["containerStatuses"][0] |= {
        "ready": False, "restartCount": 6, "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 2m40s restarting failed container"}},
        "lastState": {"terminated": {"reason": "Error", "exitCode": 1, "startedAt": s.stamp(2.1), "finishedAt": s.stamp(2)}},
    }  # fmt: skip
    s.event(
        pod,
        "BackOff",
        "Back-off restarting failed container accounts in pod",
        count=22,
        minutes_ago=1,
        first_minutes_ago=8,
    )
    s.log(pod["metadata"]["name"], "accounts", "INFO starting accounts 32", "panic: assignment to entry in nil map", "goroutine 1 [running]:", "main.main()", minutes_ago=2, previous=True)  # fmt: skip
    s.change("deploy", "accounts", "accounts 32", minutes_ago=9.5, id="sha-4f1")
    _bystanders(s, "cards")
    return s.alert("KubePodCrashLooping", "accounts crash loops", pod=pod["metadata"]["name"])


# --------------------------------------------------------------------------------------------- bad_config_change


@scenario("bad_config_change", name="router", change="cfg-19")
def a_limit_was_lowered() -> Frozen:
    s = System(namespace="edge", seed=204).nodes()
    s.serve("router", errors=jump(0, 0.4, 14), code="429").serve("assets").serve("pages")
    s.calls(("router", "assets"), ("router", "pages"))
    s.log(s.pod("router"), "router", *["WARN rejected: rate limit 10 r/s exceeded, setting ratelimit.rps"] * 40, minutes_ago=14, every_seconds=18)  # fmt: skip
    s.change("config", "router", "router: ratelimit.rps 1000 -> 10", minutes_ago=14.5, id="cfg-19", diff="-ratelimit.rps: 1000\n+ratelimit.rps: 10")  # fmt: skip
    _bystanders(s, "assets", "pages")
    return s.alert("RouterErrors", "router answers 429", service="router")


@scenario("bad_config_change", name="invoicing", change="cfg-7", accept=[("config_invalid", "Deployment", "invoicing"), ("service_env_var_address_mismatch", "Deployment", "invoicing")])  # fmt: skip
def a_url_was_mistyped() -> Frozen:
    s = System(namespace="erp", seed=205, style="spring").nodes()
    s.serve("invoicing", errors=jump(0, 0.8, 11)).serve("pdf").serve("ledger")
    s.calls(("invoicing", "pdf"), ("ledger", "invoicing"))
    told = "ERROR java.net.UnknownHostException: pfd.erp.svc.cluster.local: Name or service not known"
    s.log(s.pod("invoicing"), "invoicing", *[told] * 30, minutes_ago=11, every_seconds=20)
    s.change("config", "invoicing", "invoicing-settings: move PDF_URL", minutes_ago=11.6, id="cfg-7", diff="-PDF_URL: http://pdf.erp.svc.cluster.local:8080\n+PDF_URL: http://pfd.erp.svc.cluster.local:8080")  # fmt: skip
    _bystanders(s, "pdf", "ledger")
    return s.alert("InvoicingErrors", "invoicing 5xx", service="invoicing")


@scenario(
    "bad_config_change", name="feed", change="cm-55", accept=[("connection_pool_exhausted", "Deployment", "feed")]
)
def a_pool_was_shrunk() -> Frozen:
    s = System(namespace="news", seed=206, style="spring").nodes()
    s.serve("feed", seconds=jump(0.05, 6, 16), errors=jump(0, 0.2, 16), cpu=jump(0.3, 0.12, 16)).serve(
        "pg", style="", stateful=True, port=5432
    )
    s.serve("site", seconds=jump(0.1, 6.1, 16))
    s.gauge("hikaricp_connections_max", jump(50, 5, 16), noise=0, namespace="news", application="feed")
    s.gauge("hikaricp_connections_active", jump(12, 5, 16), noise=0, namespace="news", application="feed")
    s.gauge("hikaricp_connections_pending", jump(0, 60, 16), namespace="news", application="feed")
    s.change("config", "feed", "feed: spring.datasource.hikari.maximum-pool-size 50 -> 5", minutes_ago=16.5, id="cm-55")
    s.calls(("site", "feed"), ("feed", "pg"))
    _bystanders(s, "site")
    return s.alert("SiteLatency", "site slow", service="site")


# ---------------------------------------------------------------------------------------------- bad_feature_flag


@scenario("bad_feature_flag", name="search", change="flag-semantic")
def a_flag_makes_search_slow() -> Frozen:
    s = System(namespace="lib", seed=207).nodes()
    s.serve("portal", seconds=jump(0.1, 2.1, 13)).serve("search", seconds=jump(0.06, 1.9, 13), cpu=jump(0.4, 0.9, 13))
    s.serve("loans").serve("covers")
    s.log(s.pod("search"), "search", *["WARN semantic-ranking enabled: query took 1880 ms"] * 30, minutes_ago=13, every_seconds=22)  # fmt: skip
    s.change(
        "feature_flag", "semantic-ranking", "semantic-ranking: off -> on for 100%", minutes_ago=13.4, id="flag-semantic"
    )
    s.calls(("portal", "search"), ("portal", "loans"), ("portal", "covers"))
    _bystanders(s, "loans", "covers")
    return s.alert("PortalLatency", "portal slow", service="portal")


@scenario(
    "bad_feature_flag", name="payments", change="ff-3ds", accept=[("unhandled_exception", "Deployment", "payments")]
)
def a_flag_breaks_a_path() -> Frozen:
    s = System(namespace="till", seed=208, style="go").nodes()
    s.serve("payments", errors=jump(0, 0.35, 10)).serve("terminals", errors=jump(0, 0.3, 10)).serve("receipts")
    s.log(s.pod("payments"), "payments", *["ERROR flow three_ds_v2 (flag three-ds-v2): KeyError 'acs_url'"] * 30, minutes_ago=10, every_seconds=17)  # fmt: skip
    s.change(
        "feature_flag", "three-ds-v2", "payments: three-ds-v2 enabled for all merchants", minutes_ago=10.3, id="ff-3ds"
    )
    s.change("feature_flag", "dark-mode", "dark-mode: off -> on", minutes_ago=10.8, id="ff-dark")
    s.calls(("terminals", "payments"), ("payments", "receipts"))
    _bystanders(s, "receipts")
    return s.alert("TerminalErrors", "terminals errors", service="terminals")


@scenario("bad_feature_flag", name="basket", change="async_price_refresh")
def flag_target_is_the_service() -> Frozen:
    s = System(namespace="groc", seed=209, style="istio").nodes()
    s.serve("app", errors=jump(0, 0.2, 19)).serve("basket", errors=jump(0, 0.3, 19)).serve(
        "prices", rate=jump(20, 60, 19)
    )
    s.log(s.pod("basket"), "basket", *["ERROR async price refresh: stale basket version, update refused"] * 30, minutes_ago=19, every_seconds=30)  # fmt: skip
    s.change(
        "feature_flag",
        "basket",
        "feature flag async_price_refresh: off->on",
        minutes_ago=19.5,
        id="async_price_refresh",
    )
    s.change("feature_flag", "prices", "feature flag round_up: on->off", minutes_ago=44, id="round_up")
    s.calls(("app", "basket"), ("basket", "prices"))
    _bystanders(s, "prices")
    return s.alert("AppErrors", "app errors", service="app")


# ------------------------------------------------------------------------------------------------- bad_migration


@scenario("bad_migration", name="orders", change="mig-204", accept=[("bad_migration", "StatefulSet", "orders-db"), ("db_schema_mismatch", "Deployment", "orders")])  # fmt: skip
def a_column_was_dropped() -> Frozen:
    s = System(namespace="ware", seed=210).nodes()
    s.serve("orders", errors=jump(0, 0.9, 9)).serve("returns").serve("orders-db", style="", stateful=True, port=5432)
    s.calls(("orders", "orders-db"), ("returns", "orders"))
    s.log(
        s.pod("orders"),
        "orders",
        *['ERROR pq: column "legacy_ref" does not exist'] * 30,
        minutes_ago=9,
        every_seconds=16,
    )
    s.change("other", "orders-db", "migration 0204: drop orders.legacy_ref", minutes_ago=9.3, id="mig-204", diff="+ALTER TABLE orders DROP COLUMN legacy_ref;")  # fmt: skip
    _bystanders(s, "returns")
    return s.alert("OrdersErrors", "orders 5xx", service="orders")


@scenario("bad_migration", name="bookings", change="mig-31", accept=[("bad_migration", "StatefulSet", "mysql"), ("db_lock_contention", "StatefulSet", "mysql")])  # fmt: skip
def an_alter_table_locks_everything() -> Frozen:
    s = System(namespace="rail", seed=211, style="spring").nodes()
    s.serve("bookings", seconds=jump(0.06, 14, 15), errors=jump(0, 0.3, 14)).serve("seats").serve(
        "mysql", style="", stateful=True, port=3306
    )
    s.calls(("bookings", "mysql"), ("seats", "mysql"))
    s.log(s.pod("bookings"), "bookings", *["ERROR java.sql.SQLException: Lock wait timeout exceeded; try restarting transaction"] * 30, minutes_ago=14, every_seconds=25)  # fmt: skip
    s.log(
        "mysql-0",
        "mysql",
        *["[Note] 61 threads in state: Waiting for table metadata lock"] * 10,
        minutes_ago=15,
        every_seconds=80,
    )
    s.change("other", "bookings", "Flyway migration V31__add_index_on_bookings: ALTER TABLE bookings ADD INDEX", minutes_ago=15.2, id="mig-31")  # fmt: skip
    _bystanders(s, "seats")
    return s.alert("BookingsLatency", "bookings slow", service="bookings")


@scenario("bad_migration", name="subscriptions", change="dep-mig", accept=[("db_schema_mismatch", "Deployment", "subscriptions"), ("bad_deploy", "Deployment", "subscriptions")])  # fmt: skip
def the_deploy_ran_a_migration() -> Frozen:
    s = System(namespace="saas", seed=212, style="go").nodes()
    s.serve("subscriptions", errors=jump(0, 0.5, 12)).serve("mailer").serve("pg", style="", stateful=True, port=5432)
    s.calls(("subscriptions", "pg"), ("mailer", "subscriptions"))
    s.log(s.pod("subscriptions"), "subscriptions", *['ERROR null value in column "plan_id" of relation "subscriptions" violates not-null constraint'] * 30, minutes_ago=12, every_seconds=20)  # fmt: skip
    s.change("deploy", "subscriptions", "subscriptions 9: run migration 0088 (plan_id NOT NULL)", minutes_ago=12.6, id="dep-mig", diff="files: migrations/0088_plan_id.sql\n+ALTER TABLE subscriptions ALTER COLUMN plan_id SET NOT NULL;")  # fmt: skip
    _bystanders(s, "mailer")
    return s.alert("SubscriptionErrors", "subscriptions 5xx", service="subscriptions")


# ----------------------------------------------------------------------------------- dependency_upgrade_broken


@scenario(
    "dependency_upgrade_broken", name="exporter", change="bump-1", accept=[("bad_deploy", "Deployment", "exporter")]
)
def a_serializer_was_bumped() -> Frozen:
    s = System(namespace="data", seed=213).nodes()
    s.serve("exporter", errors=jump(0, 0.8, 13)).serve("sinks")
    s.calls(("exporter", "sinks"))
    s.log(s.pod("exporter"), "exporter", *["ERROR java.lang.NoSuchMethodError: 'com.fasterxml.jackson.core.JsonParser com.fasterxml.jackson.databind.ObjectMapper.treeAsTokens(com.fasterxml.jackson.core.TreeNode)'"] * 25, minutes_ago=13, every_seconds=25)  # fmt: skip
    s.change("deploy", "exporter", "build(deps): bump jackson-databind from 2.14.2 to 2.17.0", minutes_ago=13.8, id="bump-1", author="renovate[bot]", diff="-jackson-databind: 2.14.2\n+jackson-databind: 2.17.0")  # fmt: skip
    _bystanders(s, "sinks")
    return s.alert("ExporterErrors", "exporter 5xx", service="exporter")


@scenario("dependency_upgrade_broken", name="webhooks", change="dep-req", accept=[("bad_deploy", "Deployment", "webhooks"), ("bad_deploy", "Deployment", "webhooks")])  # fmt: skip
def python_library_removed_a_name() -> Frozen:
    s = System(namespace="hooks", seed=214, style="", resources=False)
    s.serve("webhooks").serve("senders")
    s.log(s.pod("webhooks"), "webhooks", *["ImportError: cannot import name 'soft_unicode' from 'markupsafe' (/usr/local/lib/python3.11/site-packages/markupsafe/__init__.py)"] * 15, minutes_ago=10, every_seconds=30)  # fmt: skip
    s.change(
        "deploy",
        "webhooks",
        "webhooks: Bump markupsafe from 2.0.1 to 2.1.1 in requirements.txt",
        minutes_ago=10.5,
        id="dep-req",
    )
    _bystanders(s, "senders")
    return s.alert("WebhooksDown", "webhooks fails", service="webhooks")


@scenario(
    "dependency_upgrade_broken", name="gateway", change="go-mod", accept=[("bad_deploy", "Deployment", "gateway")]
)
def a_driver_upgrade_leaks_connections() -> Frozen:
    s = System(namespace="iam", seed=215, style="go").nodes()
    s.serve("gateway", errors=jump(0, 0.3, 18), seconds=jump(0.05, 2, 18)).serve("tokens").serve(
        "web", errors=jump(0, 0.2, 18)
    )
    s.log(s.pod("gateway"), "gateway", *["ERROR grpc: error while marshaling: string field contains invalid UTF-8"] * 25, minutes_ago=18, every_seconds=35)  # fmt: skip
    s.change("deploy", "gateway", "gateway 55: upgrade google.golang.org/grpc v1.44.0 => v1.64.0", minutes_ago=18.6, id="go-mod", diff="go.mod\n-google.golang.org/grpc v1.44.0\n+google.golang.org/grpc v1.64.0")  # fmt: skip
    s.calls(("web", "gateway"), ("gateway", "tokens"))
    _bystanders(s, "tokens")
    return s.alert("WebErrors", "web errors", service="web")


# -------------------------------------------------------------------------------------------- certificate_expired


@scenario("certificate_expired", name="partner-api")
def go_client_sees_an_expired_certificate() -> Frozen:
    s = System(namespace="b2b", seed=216).nodes()
    s.serve("orders", errors=jump(0, 0.7, 14)).serve("partner-api", rate=jump(20, 1, 14)).serve("stock")
    told = 'ERROR Get "https://partner-api:8443/prices": tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-04-14T09:17:02Z is after 2026-04-14T09:16:00Z'
    s.log(s.pod("orders"), "orders", *[told] * 30, minutes_ago=14, every_seconds=24)
    s.change("deploy", "stock", "stock 3.3", minutes_ago=16, id="d1")
    s.calls(("orders", "partner-api"), ("orders", "stock"))
    return s.alert("OrdersErrors", "orders 5xx", service="orders")


@scenario("certificate_expired", name="ldap-proxy", accept=[("certificate_expired", "Deployment", "sso")])
def java_says_not_after() -> Frozen:
    s = System(namespace="sso", seed=217, style="", resources=False)
    s.serve("sso").serve("ldap-proxy", port=636)
    s.log(s.pod("sso"), "sso", *["javax.net.ssl.SSLHandshakeException: PKIX path validation failed: java.security.cert.CertPathValidatorException: validity check failed", "Caused by: java.security.cert.CertificateExpiredException: NotAfter: Tue Apr 14 09:20:00 UTC 2026", "ERROR connect to ldap-proxy:636 failed"] * 10, minutes_ago=10, every_seconds=15)  # fmt: skip
    return s.alert("LoginsFail", "log-ins fail", service="sso")


@scenario("certificate_expired", name="ingress", accept=[("certificate_expired", "Deployment", "shopfront")])
def probe_metric_and_cert_manager() -> Frozen:
    s = System(namespace="front", seed=218, style="istio").nodes()
    s.serve("shopfront", rate=jump(60, 4, 12)).serve("ingress", style="", port=443)
    s.gauge("probe_ssl_earliest_cert_expiry", 1776158280.0, noise=0, instance="https://shopfront.test")
    s.gauge("probe_success", jump(1, 0, 12), noise=0, instance="https://shopfront.test")
    s.log(s.pod("ingress"), "ingress", *["[error] SSL_do_handshake() failed (SSL: error:0A000415:SSL routines::sslv3 alert certificate expired:SSL alert number 45) while SSL handshaking"] * 25, minutes_ago=12, every_seconds=25)  # fmt: skip
    s.calls(("ingress", "shopfront"))
    return s.alert("ProbeFailed", "https://shopfront.test does not answer", instance="https://shopfront.test")


# -------------------------------------------------------------------------------------------- credentials_rotated


@scenario("credentials_rotated", name="reports", change="rot-9")
def postgres_password_was_rotated() -> Frozen:
    s = System(namespace="bi", seed=219).nodes()
    s.serve("reports", errors=jump(0, 1, 13)).serve("charts", errors=jump(0, 0.5, 13)).serve(
        "pg", style="", stateful=True, port=5432
    )
    s.log(s.pod("reports"), "reports", *['ERROR psycopg2.OperationalError: FATAL:  password authentication failed for user "reports"'] * 30, minutes_ago=13, every_seconds=20)  # fmt: skip
    s.change("config", "reports", "rotate database password of reports", minutes_ago=13.3, id="rot-9", author="vault")
    s.calls(("charts", "reports"), ("reports", "pg"))
    _bystanders(s, "charts")
    return s.alert("ReportsErrors", "reports 5xx", service="reports")


@scenario("credentials_rotated", name="uploader", change="iam-2")
def access_key_was_replaced() -> Frozen:
    s = System(namespace="files", seed=220, style="go").nodes()
    s.serve("uploader", errors=jump(0, 0.9, 17), code="403").serve("viewer").serve("acl")
    s.log(s.pod("uploader"), "uploader", *["ERROR PutObject: operation error S3: PutObject, https response error StatusCode: 403, api error InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records."] * 30, minutes_ago=17, every_seconds=30)  # fmt: skip
    s.change(
        "other",
        "uploader",
        "security: rotate access keys of uploader, delete the old key",
        minutes_ago=17.4,
        id="iam-2",
    )
    s.calls(("viewer", "uploader"), ("uploader", "acl"))
    _bystanders(s, "viewer", "acl")
    return s.alert("UploadErrors", "uploads fail", service="uploader")


@scenario("credentials_rotated", name="consumer", change="sec-5")
def kafka_secret_changed_under_running_pods() -> Frozen:
    s = System(namespace="stream", seed=221, style="").nodes()
    s.serve("consumer").serve("kafka", stateful=True, port=9092, replicas=3)
    s.log(s.pod("consumer"), "consumer", *["ERROR [Consumer clientId=consumer-1, groupId=consumer] Connection to node -1 failed authentication due to: Authentication failed during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-512"] * 25, minutes_ago=11, every_seconds=24)  # fmt: skip
    s.gauge("kafka_consumergroup_lag", ramp(10, 8000, 11), namespace="stream", consumergroup="consumer", topic="clicks", partition="0")  # fmt: skip
    s.change(
        "config", "consumer", "Secret kafka-user: new password from the monthly rotation", minutes_ago=11.5, id="sec-5"
    )
    s.calls(("consumer", "kafka"))
    _bystanders(s, "kafka")
    return s.alert("ConsumerLag", "consumer lags", service="consumer")
