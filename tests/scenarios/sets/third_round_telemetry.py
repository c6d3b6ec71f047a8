"""Incidents as public research data and real outages have them: telemetry and changes, no Kubernetes objects.

Written without knowledge of the analyzers. Metric faults name the object only where no measurement tells the type; among
changes the truth is the culprit's id alone, as with public sets; where nobody's change is guilty, ``no_cause``.
"""

from collections.abc import Callable
from itertools import pairwise
from math import pi, sin

from tests.scenarios.frozen import Frozen, Level
from tests.scenarios.sets.registry import scenario
from tests.scenarios.system import jump, level_at, product, ramp

STORE = "StatefulSet"
FOREST = (
    "portal", "basket", "offers", "stock", "ledger", "mailer", "search", "ranking", "profile", "avatar", "geo", "tariff",
)  # fmt: skip
TREE = (
    ("portal", "basket"), ("portal", "offers"), ("portal", "search"), ("portal", "profile"), ("basket", "stock"),
    ("basket", "ledger"), ("ledger", "mailer"), ("search", "ranking"), ("profile", "avatar"), ("offers", "tariff"),
    ("stock", "geo"),
)  # fmt: skip


def plain(**fields: object) -> Frozen:
    """An incident of telemetry alone."""
    return Frozen(objects=None, **{"namespace": "forest", **fields})  # type: ignore[arg-type]


def containers(frozen: Frozen, special: dict[str, dict[str, Level]], names: tuple[str, ...] = FOREST) -> Frozen:
    """Container metrics of every service, with other levels where ``special`` says so."""
    for place, name in enumerate(names):
        levels: dict[str, Level] = {"cpu": 0.05 + 0.03 * (place % 5), "memory": 9e7 + 2e7 * (place % 4)}
        levels |= {"rx": 4e4 + 9e3 * place, "tx": 5e4, "writes": 2e3, "sockets": 30.0 + place, "drops": 0.0, "io": 0.01}
        levels |= special.get(name, {})
        given = {"namespace": frozen.namespace, "pod": f"{name}-5c8d7f9b6d-k2x{place % 8}z"}
        inner = {**given, "container": name}
        frozen.counter("container_cpu_usage_seconds_total", levels["cpu"], noise=0.08, **inner)
        frozen.gauge("container_memory_working_set_bytes", levels["memory"], noise=0.01, **inner)
        frozen.counter("container_network_receive_bytes_total", levels["rx"], noise=0.1, **given)
        frozen.counter("container_network_transmit_bytes_total", levels["tx"], noise=0.1, **given)
        frozen.counter("container_fs_writes_bytes_total", levels["writes"], noise=0.2, **given)
        frozen.counter("container_fs_io_time_seconds_total", levels["io"], noise=0.1, **given)
        frozen.counter("container_network_receive_packets_dropped_total", levels["drops"], **given)
        frozen.gauge("container_sockets", levels["sockets"], noise=0.03, **inner)
    return frozen


def golden(
    frozen: Frozen,
    extra: dict[str, Level] | None = None,
    *,
    errors: dict[str, Level] | None = None,
    traffic: Level = 20.0,
    quiet: tuple[str, ...] = (),
    unseen: tuple[str, ...] = (),
    own_names: bool = True,
) -> Frozen:
    """Latency, error ratio and traffic of every service under names of the site's own; a callee's extra milliseconds
    and failures reach its callers. ``unseen`` services have samples of the last ten minutes only."""
    children: dict[str, list[str]] = {}
    for caller, callee in TREE:
        children.setdefault(caller, []).append(callee)

    def total(name: str, t: float) -> float:
        return (
            6.0 + level_at((extra or {}).get(name, 0.0), t) + sum(total(below, t) for below in children.get(name, []))
        )

    def failing(name: str, t: float) -> float:
        passed = (0.9 * failing(below, t) for below in children.get(name, []))
        return min(level_at((errors or {}).get(name, 0.0), t) + sum(passed), 1.0)

    frozen.signals += [
        {"metric": "fleet_answer_ms", "meaning": "latency", "unit": "milliseconds", "labels": {"unit": "workload"}},
        {"metric": "fleet_failed_share", "meaning": "errors", "unit": "ratio", "labels": {"unit": "workload"}},
        {"metric": "fleet_calls", "meaning": "traffic", "unit": "per_second", "labels": {"unit": "workload"}},
    ]
    for name in FOREST:
        if name in quiet:
            continue
        hours = 1 / 6 if name in unseen else 0
        frozen.gauge("fleet_answer_ms", lambda t, n=name: total(n, t), noise=0.05, hours=hours, unit=name)  # type: ignore[misc]
        frozen.gauge(
            "fleet_failed_share",
            lambda t, n=name: 0.002 + failing(n, t),  # type: ignore[misc]
            noise=0.1,
            hours=hours,
            unit=name,
        )
        frozen.gauge("fleet_calls", traffic, noise=0.06, hours=hours, unit=name)
    return frozen.calls(*TREE)


def slow_entry(frozen: Frozen, minutes_ago: float = 4) -> Frozen:
    """The alert on the entry service."""
    return frozen.alert("HighLatency", "portal answers slowly", minutes_ago=minutes_ago, service="portal")


# ------------------------------------------------------------------------------------------ (a) metrics only


@scenario(None, name="ranking")
def cpu_hog_in_a_leaf() -> Frozen:
    return containers(plain(), {"ranking": {"cpu": jump(0.12, 1.6, 6)}, "search": {"cpu": jump(0.2, 0.17, 6)}})


@scenario(None, name="avatar")
def memory_grows_from_the_fault_on() -> Frozen:
    return containers(plain(step=5.0, hours=0.5), {"avatar": {"memory": ramp(1.1e8, 9.4e8, 8)}})


@scenario("pod_disk_io_saturation", name="ledger")
def disk_written_to_its_limit() -> Frozen:
    found = containers(plain(), {"ledger": {"writes": jump(2e3, 2.2e8, 7), "io": jump(0.02, 0.99, 7)}})
    return slow_entry(golden(found, {"ledger": jump(0, 240, 7)}))


@scenario(None, name="geo")
def delay_on_one_leaf_three_calls_deep() -> Frozen:
    return slow_entry(golden(containers(plain(), {}), {"geo": jump(0, 180, 6)}))


@scenario("pod_network_loss", name="tariff")
def packets_dropped_at_one_service() -> Frozen:
    found = containers(plain(), {"tariff": {"drops": jump(0.0, 35.0, 6), "rx": jump(1.4e5, 9e4, 6)}})
    return slow_entry(golden(found, {"tariff": jump(0, 90, 6)}))


@scenario(None, name="profile")
def sockets_pile_up() -> Frozen:
    found = containers(plain(), {"profile": {"sockets": ramp(38, 28100, 9)}})
    return slow_entry(golden(found, errors={"profile": jump(0, 0.3, 4)}))


@scenario(None, name="ledger")
def slow_service_behind_a_node_without_baseline() -> Frozen:
    return slow_entry(golden(plain(step=60.0, hours=3), {"ledger": jump(0, 320, 9)}, unseen=("stock", "geo")))


@scenario(None, name="mailer")
def errors_start_in_the_deepest_service() -> Frozen:
    found = golden(plain(step=60.0, hours=2), errors={"mailer": jump(0, 0.45, 8)})
    return found.alert("LowAvailability", "portal fails requests", minutes_ago=5, service="portal")


@scenario(None, name="stock")
def delay_under_a_daily_season() -> Frozen:
    season: Callable[[float], float] = lambda t: 30 + 20 * sin(2 * pi * t / 1440)  # noqa: E731
    daily = {name: product(lambda t: 4 + 3 * sin(2 * pi * t / 1440), 1.0) for name in ("offers", "search", "avatar")}
    found = golden(plain(step=60.0, hours=30), {**daily, "stock": jump(0, 60, 10)}, traffic=season)
    return slow_entry(found, 6)


@scenario(None, name="basket")
def an_earlier_spike_elsewhere_is_over() -> Frozen:
    found = golden(plain(), {"search": jump(0, 400, 45, until=40), "basket": jump(0, 150, 6)})
    return slow_entry(found)


@scenario(None, name="svc-17")
def thirty_services_in_five_second_steps() -> Frozen:
    names = tuple(f"svc-{place:02d}" for place in range(30))
    odd = {"svc-17": {"cpu": jump(0.11, 0.95, 4)}, "svc-03": {"cpu": 0.0, "rx": 0.0, "tx": 0.0, "writes": 0.0}}
    return containers(plain(step=5.0, hours=0.4), odd, names)


@scenario(None, name="offers")
def a_quiet_service_twitches_beside_the_real_fault() -> Frozen:
    quiet: dict[str, Level] = {"cpu": jump(0.0002, 0.0014, 6), "rx": 3.0, "tx": 3.0}
    return containers(plain(), {"mailer": quiet, "offers": {"cpu": jump(0.14, 1.9, 6)}})


@scenario(None, name="search")
def latency_of_a_middle_service_and_quiet_leaves() -> Frozen:
    found = golden(containers(plain(), {}), {"search": jump(0, 210, 5)}, quiet=("ranking", "avatar", "geo"))
    return slow_entry(found, 3)


# ------------------------------------------------------------------------------------------ (b) which change


_CHORES = (
    ("commit", "storefront", "Fix critical crash risk in banner carousel", "--- a/src/banner.tsx\n+++ b/src/banner.tsx\n-  slides[0].title\n+  slides[0]?.title"),
    ("commit", "accounts", "Bump eslint to 9.2", '--- a/package.json\n+++ b/package.json\n-    "eslint": "9.1.0"\n+    "eslint": "9.2.0"'),
    ("deploy", "storefront", "Deploy storefront 3.41.0", ""),
    ("config", "accounts", "Raise log sampling", "-log.sample: 0.1\n+log.sample: 0.2"),
    ("commit", "invoices", "URGENT: rewrite retry comments", "--- a/retry.go\n+++ b/retry.go\n-// retry trys again\n+// retry tries again"),
    ("feature_flag", "storefront", "Turn on dark-theme for 5%", "-dark-theme: 0\n+dark-theme: 5"),
    ("commit", "shipping", "Add unit tests for label printer", "--- a/tests/test_label.py\n+++ b/tests/test_label.py\n+def test_label_has_barcode():\n+    assert label('x').barcode"),
    ("deploy", "invoices", "Deploy invoices 1.9.2", ""),
    ("infrastructure", "logging", "Rotate log bucket lifecycle to 90 days", "-  expiration_days = 30\n+  expiration_days = 90"),
    ("commit", "catalog", "Rename local variable", "--- a/Catalog.java\n+++ b/Catalog.java\n-    int n = items.size();\n+    int count = items.size();"),
    ("scale", "shipping", "Scale shipping 3 to 4", "-replicas: 3\n+replicas: 4"),
    ("commit", "payments", "Remove unused import", "--- a/app/pay.py\n+++ b/app/pay.py\n-import os"),
    ("commit", "storefront", "Update README", "--- a/README.md\n+++ b/README.md\n+## How to run"),
    ("deploy", "catalog", "Deploy catalog 7.0.3", ""),
    ("config", "shipping", "Shorten label cache", "-label_cache_seconds: 600\n+label_cache_seconds: 540"),
    ("commit", "accounts", "Translate welcome mail to Danish", "--- a/mail/da.json\n+++ b/mail/da.json\n+  \"hello\": \"Velkommen\""),
)  # fmt: skip
MARKET = ("storefront", "accounts", "catalog", "payments", "invoices", "shipping")


def market(bad: dict[str, float] | None = None, *, since: float = 12, traffic: Level = 25.0, seed: int = 11) -> Frozen:
    """Six services with request metrics, everyday lines and some sixteen changes of no consequence; the shares of
    ``bad`` fail since so many minutes."""
    found = plain(namespace="market", seed=seed, hours=2, step=30.0)
    for place, name in enumerate(MARKET):
        share = jump(0.003, (bad or {}).get(name, 0.003), since)
        given = {"service": name, "namespace": "market"}
        for code, level in (("200", product(traffic, lambda t, s=share: 1 - s(t))), ("500", product(traffic, share))):  # type: ignore[misc]
            found.counter("http_requests_total", level, code=code, **given)
        lines = [f"INFO handled request route=/{name} status=200 ms={20 + 3 * (n % 7)}" for n in range(100)]
        found.log(name, name, *lines, minutes_ago=118 - place, every_seconds=60)
    for place, (kind, target, summary, diff) in enumerate(_CHORES):
        moment = 112 - 7 * place + (place * 5) % 4
        found.change(kind, target, summary, minutes_ago=moment, id=f"c{4_817_233 + 7919 * place:x}", diff=diff)
    found.calls(("storefront", "accounts"), ("storefront", "catalog"), ("storefront", "payments"))
    return found.calls(("payments", "invoices"), ("storefront", "shipping"))


def shouts(found: Frozen, name: str, *lines: str, since: float = 12, times: int = 30) -> Frozen:
    """A service's failing lines, over and over, since so many minutes."""
    return found.log(
        name, name, *(list(lines) * times), minutes_ago=since, every_seconds=since * 55 / times / len(lines)
    )


@scenario(None, change="9ad31f0")
def python_serialisation_commit_carried_by_a_later_deploy() -> Frozen:
    found = market({"payments": 0.34, "storefront": 0.2})
    diff = "--- a/app/receipts.py\n+++ b/app/receipts.py\n def build(order):\n-    tax = order.get('tax_code', 'none')\n+    tax = order['tax_code']"
    found.change("commit", "payments", "Simplify receipts", minutes_ago=74, id="9ad31f0", diff=diff)
    found.change("deploy", "payments", "Deploy payments 5.12.0", minutes_ago=13, id="9ad31f0")
    trace = "  File \"/srv/app/receipts.py\", line 41, in build\n    tax = order['tax_code']\nKeyError: 'tax_code'"
    found.alert("HighErrorRate", "payments fails", minutes_ago=9, service="payments")
    return shouts(found, "payments", f"ERROR unhandled error in POST /pay\nTraceback (most recent call last):\n{trace}")


@scenario(None, change="77be204")
def shared_library_shortens_the_default_timeout() -> Frozen:
    found = market({"invoices": 0.3, "shipping": 0.25, "storefront": 0.2})
    diff = "--- a/client/options.go\n+++ b/client/options.go\n func defaults() Options {\n-\treturn Options{Timeout: 5 * time.Second}\n+\treturn Options{Timeout: 150 * time.Millisecond}"
    found.change("commit", "lib-rpc-client", "Tidy client options", minutes_ago=60, id="77be204", diff=diff)
    found.change("deploy", "invoices", "Deploy invoices 1.9.3 (lib-rpc-client 2.4.0)", minutes_ago=13, id="d-901")
    found.change("deploy", "shipping", "Deploy shipping 2.2.8 (lib-rpc-client 2.4.0)", minutes_ago=13, id="d-902")
    line = 'ERROR rpc call failed: context deadline exceeded after 150ms (client.Options.Timeout) target="ledger:9000"'
    shouts(shouts(found, "invoices", line), "shipping", line)
    return found.alert("HighErrorRate", "invoices and shipping fail", minutes_ago=8)


@scenario(None, change="cfg-5521")
def pool_made_ten_times_smaller() -> Frozen:
    found = market({"accounts": 0.4, "storefront": 0.25})
    diff = "--- a/accounts/application.yaml\n+++ b/accounts/application.yaml\n-  maximum-pool-size: 50\n+  maximum-pool-size: 5"
    found.change("config", "accounts", "Align settings with staging", minutes_ago=13, id="cfg-5521", diff=diff)
    found.change("deploy", "accounts", "Deploy accounts 8.1.1", minutes_ago=41, id="d-311")
    line = "ERROR HikariPool-1 - Connection is not available, request timed out after 30000ms (total=5, active=5, idle=0, waiting=44)"
    found.alert("HighErrorRate", "accounts fails", minutes_ago=8, service="accounts")
    return shouts(found, "accounts", line)


@scenario(None, change="flag-bulk-pricing")
def flag_turns_on_a_broken_path() -> Frozen:
    found = market({"catalog": 0.22, "storefront": 0.12})
    diff = "-bulk-pricing: 0\n+bulk-pricing: 100"
    found.change("feature_flag", "catalog", "bulk-pricing to 100%", minutes_ago=13, id="flag-bulk-pricing", diff=diff)
    found.change("deploy", "catalog", "Deploy catalog 7.0.4", minutes_ago=5, id="d-77")
    line = "ERROR bulk-pricing: java.lang.ArithmeticException: / by zero at shop.pricing.BulkPricing.unit(BulkPricing.java:88)"
    found.alert("HighErrorRate", "catalog fails", minutes_ago=8, service="catalog")
    return shouts(found, "catalog", line)


@scenario(None, change="tf-2290")
def security_group_closes_the_database_port() -> Frozen:
    found = market({"accounts": 0.9, "invoices": 0.9, "storefront": 0.7})
    diff = '--- a/network/db.tf\n+++ b/network/db.tf\n resource "aws_security_group_rule" "orders_db" {\n-  from_port = 5432\n-  to_port = 5432\n+  from_port = 6432\n+  to_port = 6432'
    found.change("infrastructure", "network", "Clean up security groups", minutes_ago=13, id="tf-2290", diff=diff)
    found.change("deploy", "accounts", "Deploy accounts 8.1.2 HOTFIX", minutes_ago=6, id="d-318")
    line = 'ERROR could not connect to server: Connection timed out. Is the server running on host "orders-db" and accepting TCP/IP connections on port 5432?'
    shouts(shouts(found, "accounts", line), "invoices", line)
    return found.alert("HighErrorRate", "accounts and invoices fail", minutes_ago=9)


@scenario(None, change="m-0192")
def migration_drops_a_column_in_use() -> Frozen:
    found = market({"shipping": 0.5, "storefront": 0.2})
    diff = "--- /dev/null\n+++ b/migrations/0192_drop_old.sql\n+ALTER TABLE parcels DROP COLUMN depot_code;"
    found.change("deploy", "shipping", "Run migration 0192", minutes_ago=13, id="m-0192", diff=diff)
    found.change(
        "commit",
        "shipping",
        "DANGER: drop legacy depot cache",
        minutes_ago=8,
        id="ab12ff3",
        diff="--- a/cache.py\n+++ b/cache.py\n-DEPOT_CACHE = {}",
    )
    line = 'ERROR psycopg.errors.UndefinedColumn: column "depot_code" does not exist LINE 1: SELECT id, depot_code FROM parcels'
    found.alert("HighErrorRate", "shipping fails", minutes_ago=9, service="shipping")
    return shouts(found, "shipping", line)


@scenario(None, change="dep-601")
def dependency_bump_breaks_the_date_format() -> Frozen:
    found = market({"storefront": 0.4})
    diff = '--- a/package.json\n+++ b/package.json\n-    "quickdate": "3.8.1",\n+    "quickdate": "4.0.0",'
    found.change("commit", "storefront", "Weekly dependency updates", minutes_ago=30, id="dep-601", diff=diff)
    found.change("deploy", "storefront", "Deploy storefront 3.42.0", minutes_ago=13, id="dep-601")
    found.change(
        "commit",
        "storefront",
        "Show parcel dates on the order page",
        minutes_ago=10,
        id="77aa001",
        diff="--- a/src/orders.ts\n+++ b/src/orders.ts\n+  <ParcelDate at={order.date} />",
    )
    line = "ERROR TypeError: quickdate.parse is not a function\n    at format (/app/node_modules/quickdate/lib/index.js:14:21)\n    at render (/app/src/orders.ts:52:11)"
    found.alert("HighErrorRate", "storefront fails", minutes_ago=9, service="storefront")
    return shouts(found, "storefront", line)


@scenario(None, change="ee01c55")
def null_check_removed_and_a_later_harmless_deploy() -> Frozen:
    found = market({"catalog": 0.3, "storefront": 0.2})
    diff = "--- a/src/main/java/shop/catalog/Thumbnails.java\n+++ b/src/main/java/shop/catalog/Thumbnails.java\n   String url(Item item) {\n-    if (item.image() == null) return DEFAULT;\n     return item.image().url();"
    found.change("commit", "catalog", "Small clean-up of thumbnails", minutes_ago=13, id="ee01c55", diff=diff)
    found.change("deploy", "catalog", "Deploy catalog 7.1.0: NEW pricing engine", minutes_ago=90, id="d-70")
    line = 'ERROR java.lang.NullPointerException: Cannot invoke "Image.url()" because the return value of "Item.image()" is null\n\tat shop.catalog.Thumbnails.url(Thumbnails.java:33)'
    found.alert("HighErrorRate", "catalog fails", minutes_ago=9, service="catalog")
    return shouts(found, "catalog", line)


@scenario(None, change="sec-88")
def password_rotated_and_one_reader_left_behind() -> Frozen:
    found = market({"invoices": 0.8, "payments": 0.5})
    diff = "-  invoices_db_password_version: 14\n+  invoices_db_password_version: 15"
    found.change(
        "infrastructure", "secrets", "Quarterly rotation of invoices_db", minutes_ago=13, id="sec-88", diff=diff
    )
    found.change(
        "commit",
        "invoices",
        "Fix password field label",
        minutes_ago=14,
        id="1d1d1d1",
        diff="--- a/ui/form.html\n+++ b/ui/form.html\n-<label>Pasword</label>\n+<label>Password</label>",
    )
    line = 'FATAL: password authentication failed for user "invoices_app"'
    found.alert("HighErrorRate", "invoices fails", minutes_ago=9, service="invoices")
    return shouts(found, "invoices", f"ERROR cannot open connection to invoices-db:5432: {line}")


def external(fault: str, name: str) -> tuple[tuple[str, str, str], ...]:
    """The accepted causes of an outside trouble, whichever kind names the outside."""
    return tuple((fault, kind, name) for kind in ("External", "Component", "Deployment"))


@scenario(None, no_cause=True, accept=external("upstream_provider_outage", "api.cardhouse.example"))
def card_provider_is_down() -> Frozen:
    found = market({"payments": 0.8, "invoices": 0.7, "storefront": 0.4})
    line = "ERROR POST https://api.cardhouse.example/v2/charges returned 503 Service Unavailable"
    found.change(
        "deploy", "payments", "Deploy payments 5.12.1: change the card form's colours", minutes_ago=20, id="d-9"
    )
    shouts(shouts(found, "payments", line), "invoices", line)
    return found.alert("HighErrorRate", "payments fails", minutes_ago=9, service="payments")


@scenario(None, no_cause=True, accept=(("traffic_surge", "Deployment", "storefront"),))
def five_times_the_visitors() -> Frozen:
    found = market({"storefront": 0.15}, traffic=jump(25, 140, 14), since=11)
    shouts(found, "storefront", "WARN request queue full, rejected with 503 (queue=512 max=512)", since=11)
    return found.alert("HighErrorRate", "storefront rejects requests", minutes_ago=8, service="storefront")


@scenario(
    None,
    no_cause=True,
    accept=(("certificate_expired", "Deployment", "accounts"), ("certificate_expired", "Deployment", "payments")),
)
def certificate_ran_out_at_noon() -> Frozen:
    found = market({"payments": 0.9, "storefront": 0.6})
    line = "ERROR call to https://accounts:8443/session failed: x509: certificate has expired or is not yet valid: current time 2026-04-14T09:20:00Z is after 2026-04-14T09:18:00Z"
    found.alert("HighErrorRate", "payments fails", minutes_ago=9, service="payments")
    return shouts(found, "payments", line)


@scenario(None, no_cause=True, accept=(("client_abuse", "Deployment", "catalog"),))
def one_key_scrapes_the_catalogue() -> Frozen:
    found = market({"catalog": 0.2}, since=10)
    found.counter("http_requests_total", jump(0, 400, 12), code="200", service="catalog", namespace="market")
    line = "WARN rate high client_ip=203.0.113.77 user_agent=grabber/1.2 path=/catalog/all status=429"
    found.alert("HighErrorRate", "catalog fails", minutes_ago=8, service="catalog")
    return shouts(found, "catalog", line, times=90)


# ------------------------------------------------------------------------------------------ (c) data stores


def shop_on(client: str, *lines: str, since: float = 9, **fields: object) -> Frozen:
    """A client of a store whose lines fail, with request metrics."""
    found = plain(namespace="depot", hours=1, step=30.0, **fields)
    given = {"service": client, "namespace": "depot"}
    found.counter("http_requests_total", jump(30, 18, since), code="200", **given)
    found.counter("http_requests_total", jump(0.05, 12, since), code="500", **given)
    found.log(client, client, *[f"INFO order {n} stored" for n in range(40)], minutes_ago=58, every_seconds=60)
    found.alert("HighErrorRate", f"{client} fails", minutes_ago=since - 3, service=client)
    return shouts(found, client, *lines, since=since) if lines else found


@scenario("db_connection_exhaustion", STORE, "orders-mysql")
def mysql_too_many_connections() -> Frozen:
    found = shop_on("orders", "ERROR connect orders-mysql:3306: Error 1040 (08004): Too many connections")
    found.gauge("mysql_global_status_threads_connected", ramp(40, 151, 10), service="orders-mysql", namespace="depot")
    found.gauge("mysql_global_variables_max_connections", 151, noise=0, service="orders-mysql", namespace="depot")
    return found.calls(("orders", "orders-mysql"))


@scenario("db_read_only", STORE, "crm-pg")
def postgres_writes_refused_after_a_failover() -> Frozen:
    found = shop_on(
        "crm",
        "ERROR insert into leads via crm-pg:5432: cannot execute INSERT in a read-only transaction (SQLSTATE 25006)",
    )
    return found.calls(("crm", "crm-pg"))


@scenario("db_read_only", STORE, "events-mongo")
def mongo_client_writes_to_a_secondary() -> Frozen:
    found = shop_on("intake", "ERROR write to events-mongo:27017 failed: (NotWritablePrimary) not primary, code 10107")
    return found.calls(("intake", "events-mongo"))


@scenario("db_lock_contention", STORE, "stock-mysql")
def mysql_lock_waits() -> Frozen:
    found = shop_on(
        "stock",
        "ERROR update stock_level at stock-mysql:3306: Error 1205 (HY000): Lock wait timeout exceeded; try restarting transaction",
    )
    found.gauge(
        "mysql_global_status_innodb_row_lock_current_waits", jump(0, 34, 9), service="stock-mysql", namespace="depot"
    )
    return found.calls(("stock", "stock-mysql"))


@scenario("index_mapping_broken", STORE, "find-es")
def elasticsearch_refuses_documents() -> Frozen:
    line = 'ERROR bulk to http://find-es:9200/items: {"type":"mapper_parsing_exception","reason":"failed to parse field [price] of type [long]"}'
    return shop_on("indexer", line).calls(("indexer", "find-es"))


@scenario("db_disk_full", STORE, "find-es")
def elasticsearch_flood_stage() -> Frozen:
    line = "ERROR index into http://find-es:9200/items: cluster_block_exception: index [items] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has read-only-allow-delete block];"
    return shop_on("indexer", line).calls(("indexer", "find-es"))


@scenario(
    "write_capacity_exceeded", STORE, "sessions-table", accept=(("write_capacity_exceeded", "Deployment", "login"),)
)
def dynamodb_throughput_exceeded() -> Frozen:
    line = "ERROR PutItem on table sessions-table: ProvisionedThroughputExceededException: The level of configured provisioned throughput for the table was exceeded"
    return shop_on("login", line).calls(("login", "sessions-table"))


@scenario(
    "queue_backlog",
    "Deployment",
    "biller",
    accept=(("queue_backlog", STORE, "bus-kafka"), ("queue_backlog", "Deployment", "invoices")),
)
def kafka_group_falls_behind() -> Frozen:
    found = plain(namespace="depot", step=30.0)
    found.gauge(
        "kafka_consumergroup_lag",
        ramp(40, 190000, 25),
        consumergroup="biller",
        topic="invoices",
        namespace="depot",
        service="bus-kafka",
    )
    found.counter(
        "kafka_topic_partition_current_offset_total",
        jump(200, 900, 25),
        topic="invoices",
        service="bus-kafka",
        namespace="depot",
    )
    found.log(
        "biller",
        "biller",
        *[f"INFO handled batch of 100 in {480 + n} ms" for n in range(50)],
        minutes_ago=50,
        every_seconds=60,
    )
    found.calls(("biller", "bus-kafka"))
    return found.alert(
        "ConsumerLagHigh", "lag of group biller on topic invoices grows", minutes_ago=6, consumergroup="biller"
    )


@scenario("poison_message", "Deployment", "packer")
def rabbitmq_message_returns_for_ever() -> Frozen:
    found = plain(namespace="depot", step=30.0)
    lines = [
        f"ERROR handling message id=7f3a-91 queue=parcels delivery_tag={n} redelivered=true failed: ValueError: weight must be positive; requeueing"
        for n in range(80)
    ]
    found.log("packer", "packer", *lines, minutes_ago=12, every_seconds=8)
    found.gauge("rabbitmq_queue_messages", ramp(3, 2400, 12), queue="parcels", namespace="depot", service="mq-rabbit")
    found.calls(("packer", "mq-rabbit"))
    return found.alert("QueueNotDraining", "queue parcels does not drain", minutes_ago=6, queue="parcels")


@scenario("replication_lag", STORE, "crm-pg-replica")
def postgres_replica_falls_behind() -> Frozen:
    found = shop_on("reports", "WARN stale read: crm-pg-replica is 640 s behind, row 88121 not found yet")
    found.gauge("pg_replication_lag_seconds", ramp(0.4, 640, 14), service="crm-pg-replica", namespace="depot")
    return found.calls(("reports", "crm-pg-replica"))


# ------------------------------------------------------------------------------------------ (d) traces


def chain(
    found: Frozen, number: int, names: tuple[str, ...], minutes_ago: float, took: tuple[float, ...], error: str = ""
) -> None:
    """One trace down a chain of services; an error begins at the last and is passed up."""
    for place, (name, milliseconds) in enumerate(zip(names, took, strict=True)):
        told = error if place == len(names) - 1 else (f"upstream {names[place + 1]} failed" if error else "")
        found.span(name, f"{name}.handle", trace=number, span=number * 50 + place + 1, parent=number * 50 + place if place else 0,
                   minutes_ago=minutes_ago, milliseconds=milliseconds, error=told)  # fmt: skip


LINE = ("edge", "orders", "pricing", "rates")


def traced(bad_at: float = 8) -> Frozen:
    """Forty ordinary traces of a chain before the fault."""
    found = plain(namespace="trade", hours=1, step=30.0)
    for number in range(1, 41):
        chain(found, number, LINE, 55 - number, (40.0, 30.0, 20.0, 9.0 + number % 3))
    found.calls(*pairwise(LINE))
    return found.alert("HighLatency", "edge is in trouble", minutes_ago=bad_at - 3, service="edge")


@scenario(None, name="rates")
def errors_begin_four_calls_down() -> Frozen:
    found = traced()
    for number in range(60, 90):
        chain(
            found,
            number,
            LINE,
            8 - (number - 60) / 4,
            (42.0, 31.0, 21.0, 8.0),
            "IllegalStateException: no rate for currency",
        )
    return found


@scenario(None, name="pricing")
def slowness_begins_in_the_third_service() -> Frozen:
    found = traced()
    for number in range(60, 90):
        chain(found, number, LINE, 8 - (number - 60) / 4, (1240.0, 1230.0, 1220.0, 10.0))
    return found


@scenario("n_plus_one_queries", name="orders")
def one_query_per_row() -> Frozen:
    found = plain(namespace="trade")
    for number in range(1, 61):
        late = number > 40
        when = 8 - (number - 40) / 3 if late else 55 - number
        rows = 40 if late else 2
        found.span(
            "edge", "GET /orders", trace=number, span=number * 100, minutes_ago=when, milliseconds=20 + rows * 9.0
        )
        found.span(
            "orders",
            "list",
            trace=number,
            span=number * 100 + 1,
            parent=number * 100,
            minutes_ago=when,
            milliseconds=10 + rows * 9.0,
        )
        for row in range(rows):
            found.span("orders", "SELECT line_items", trace=number, span=number * 100 + 2 + row, parent=number * 100 + 1, minutes_ago=when - row * 0.00015,
                       milliseconds=8, **{"db.system": "postgresql", "db.statement": "SELECT * FROM line_items WHERE order_id = ?"})  # fmt: skip
    found.calls(("edge", "orders"))
    return found.alert("HighLatency", "edge is slow", minutes_ago=5, service="edge")


# ------------------------------------------------------------------------------------------ (e) nothing at fault


@scenario(None, no_cause=True)
def latency_peak_is_over() -> Frozen:
    found = golden(containers(plain(), {}), {"search": jump(0, 90, 30, until=27)})
    return slow_entry(found, 27)


@scenario(None, no_cause=True)
def only_noise_in_thirty_services() -> Frozen:
    return containers(plain(step=10.0, hours=0.5, seed=41), {}, tuple(f"unit-{n}" for n in range(30)))


@scenario(None, no_cause=True)
def morning_rise_as_every_day() -> Frozen:
    season: Callable[[float], float] = lambda t: 30 + 25 * sin(2 * pi * t / 1440)  # noqa: E731
    return golden(plain(step=60.0, hours=50), traffic=season).alert(
        "TrafficHigh", "traffic of portal above 29/s", minutes_ago=4, service="portal"
    )


@scenario(None, no_cause=True)
def errors_cleared_before_anybody_looked() -> Frozen:
    found = market()
    for row in ("d-1", "d-2"):
        found.change(
            "deploy",
            "payments",
            f"Deploy payments {row}",
            minutes_ago=30,
            id=row,
            diff="--- a/x.py\n+++ b/x.py\n+# note",
        )
    return found.alert("HighErrorRate", "payments fails", minutes_ago=25, service="payments")


@scenario(None, no_cause=True)
def many_changes_and_ordinary_warnings() -> Frozen:
    found = market(seed=3)
    found.log("accounts", "accounts", *["WARN slow consumer, buffer at 61%"] * 110, minutes_ago=115, every_seconds=60)
    return found.alert("ManyWarnings", "accounts logs warnings", minutes_ago=5, service="accounts")


@scenario(None, no_cause=True)
def errors_older_than_every_change_are_the_usual_level() -> Frozen:
    found = market()
    found.log(
        "shipping", "shipping", *["ERROR label printer 4 offline, skipped"] * 115, minutes_ago=119, every_seconds=60
    )
    return found.alert("ErrorsInLog", "shipping logs errors", minutes_ago=5, service="shipping")


@scenario(None, no_cause=True)
def nightly_copy_as_every_night() -> Frozen:
    busy: Callable[[float], float] = lambda t: 0.7 if (t % 60) > 40 else 0.1  # noqa: E731
    return containers(plain(hours=6, step=60.0), {"ledger": {"cpu": busy}, "stock": {"cpu": busy}})


@scenario(None, no_cause=True)
def one_scrape_stands_out() -> Frozen:
    return slow_entry(golden(plain(), {"avatar": jump(0, 500, 12, until=11.7)}), 11)
