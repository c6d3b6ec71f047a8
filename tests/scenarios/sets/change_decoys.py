"""Which of some twenty changes did it, if any: decoys in time, in place, in title, and incidents that no change made.

Written before its author had read how changes are judged; first_scores.toml has what it then scored.
"""

from tests.scenarios.frozen import Frozen
from tests.scenarios.sets.estate import ONSET, SPACE, Harm, estate, failing, pod, rolled_out, shipped
from tests.scenarios.sets.registry import scenario

BANK = "api.clearbank.example"


def booking_fails(onset: float = ONSET, **more: float) -> Harm:
    """Booking answers 5xx, and the edge with it."""
    return Harm(onset=onset, errors={"booking": 0.4, "edge": 0.13, **more})


def paged(
    made: Frozen, service: str, summary: str = "", *, ago: float = ONSET - 4, name: str = "ErrorRateHigh"
) -> None:
    """The page that went out."""
    made.alert(name, summary or f"{service} error rate above 5% for 3m", minutes_ago=ago, service=service)


# ------------------------------------------------------------------------------------------------ a change did it


@scenario("bad_deploy", name="booking", accept=[("timeout_too_short", "Deployment", "booking")], change="5e1fbb02c7d")
def a_later_deploy_elsewhere_is_innocent() -> Frozen:
    made = estate(booking_fails())
    shipped(
        made,
        "booking",
        "v3.9.0",
        "pricing client: fail fast",
        "-    timeout_ms = 2000\n+    timeout_ms = 20\n",
        ago=ONSET + 1,
        sha="5e1fbb02c7d",
        path="booking/pricing_client.py",
    )
    made.change("deploy", "geo", "deploy geo v1.4.0", minutes_ago=ONSET - 3, id="77aa0c11")
    failing(made, "booking", "ERROR quote failed: call to pricing timed out after 20ms")
    paged(made, "booking")
    return made


@scenario(
    "bad_deploy", name="tracking", accept=[("n_plus_one_queries", "Deployment", "tracking")], change="b81d0c93aa1"
)
def one_call_for_each_item() -> Frozen:
    made = estate(Harm(slow={"tracking": 9, "edge": 3.5}, traffic={"geo": 8}, cpu={"geo": 6, "tracking": 2}))
    diff = "-    places = geo.lookup_many(ids)\n+    places = [geo.lookup(i) for i in ids]\n"
    shipped(
        made,
        "tracking",
        "v4.1.0",
        "simplify the place lookup",
        diff,
        ago=ONSET + 1,
        sha="b81d0c93aa1",
        path="tracking/places.py",
    )
    made.change("deploy", "billing", "deploy billing v7.0.3", minutes_ago=ONSET - 5, id="0f9e8d7c")
    paged(made, "tracking", "tracking p95 above 400 ms for 3m", name="LatencyHigh")
    return made


@scenario("bad_feature_flag", name="billing", change="flag-4471")
def the_same_service_was_deployed_yesterday() -> Frozen:
    made = estate(Harm(errors={"billing": 0.5, "booking": 0.45, "edge": 0.14}))
    made.change("deploy", "billing", "deploy billing v7.1.0: retries rewritten", minutes_ago=60 * 23, id="91c2")
    made.change(
        "feature_flag", "billing", "feature flag double_entry_ledger: off->on", minutes_ago=ONSET + 0.5, id="flag-4471"
    )
    failing(made, "billing", "ERROR double_entry_ledger: unbalanced posting, debit 1200 credit 0")
    failing(made, "booking", "ERROR capture failed: billing returned 500")
    paged(made, "billing")
    return made


@scenario(
    "bad_config_change",
    name="booking",
    accept=[("connection_pool_exhausted", "Deployment", "booking")],
    change="cfg-88",
)
def an_unrelated_flag_came_last() -> Frozen:
    made = estate(Harm(errors={"booking": 0.35, "edge": 0.1}, slow={"booking": 12, "edge": 4}))
    made.change(
        "config",
        "booking",
        "booking: database settings",
        minutes_ago=ONSET + 3,
        id="cfg-88",
        diff="-db.pool.max: 40\n+db.pool.max: 4\n",
    )
    made.change(
        "feature_flag", "booking", "feature flag booking_spring_banner: off->on", minutes_ago=ONSET + 0.5, id="flag-12"
    )
    failing(made, "booking", "ERROR timed out after 3000ms waiting for a connection from the pool (max 4, waiting 61)")
    paged(made, "booking")
    return made


@scenario("bad_deploy", name="pricing", accept=[("unhandled_exception", "Deployment", "pricing")], change="ad3317f0be2")
def it_was_reverted_afterwards() -> Frozen:
    made = estate(Harm(errors={"pricing": 0.6, "booking": 0.5, "edge": 0.16}, until=3.0))
    shipped(
        made,
        "pricing",
        "v2.7.0",
        "zones: new lookup",
        "-zone = zones.get(code)\n+zone = zones[code]\n",
        ago=ONSET + 0.7,
        sha="ad3317f0be2",
        path="pricing/zones.py",
    )
    made.change("deploy", "pricing", "deploy pricing v2.6.9 (revert of ad3317f)", minutes_ago=3.5, id="c0ffee12")
    failing(made, "pricing", 'ERROR unhandled KeyError: "XK" at pricing/zones.py:41', every=12, times=44)
    paged(made, "booking")
    return made


@scenario("bad_deploy", name="labels", accept=[("unhandled_exception", "Deployment", "labels")], change="1de0aa7c3b9")
def a_deploy_outside_the_call_path() -> Frozen:
    made = estate(Harm(errors={"labels": 0.7, "booking": 0.6, "edge": 0.2}))
    shipped(
        made,
        "labels",
        "v1.12.0",
        "barcodes: support GS1",
        "+        digits = payload.gs1.digits\n",
        ago=ONSET + 2,
        sha="1de0aa7c3b9",
        path="labels/barcode.py",
    )
    made.change("deploy", "reports", "deploy reports v2.19.0", minutes_ago=ONSET + 0.2, id="8a8a8a8a")
    failing(
        made,
        "labels",
        "ERROR AttributeError: 'NoneType' object has no attribute 'digits'\n"
        '  File "labels/barcode.py", line 88, in render\n    digits = payload.gs1.digits',
    )
    failing(made, "booking", "ERROR label failed: labels answered 500 Internal Server Error")
    paged(made, "booking")
    return made


@scenario("bad_deploy", name="pricing", accept=[("unhandled_exception", "Deployment", "pricing")], change="e77b0d1c2a4")
def two_deploys_within_a_minute() -> Frozen:
    made = estate(Harm(errors={"pricing": 0.5, "booking": 0.45, "edge": 0.15}))
    shipped(
        made,
        "booking",
        "v3.9.1",
        "log request ids",
        '+    log.info("request", id=rid)\n',
        ago=ONSET + 1.0,
        sha="aa10bb20cc3",
        path="booking/logging.py",
    )
    shipped(
        made,
        "pricing",
        "v2.8.0",
        "parse amounts as integers",
        "-    amount = Decimal(raw)\n+    amount = int(raw)\n",
        ago=ONSET + 1.6,
        sha="e77b0d1c2a4",
        path="pricing/amounts.py",
    )
    failing(
        made, "pricing", "ERROR ValueError: invalid literal for int() with base 10: '12.50' (pricing/amounts.py:19)"
    )
    failing(made, "booking", "ERROR quote failed: pricing returned 500")
    paged(made, "booking")
    return made


@scenario("bad_feature_flag", name="billing", change="flag-902")
def a_flag_and_a_deploy_of_one_service() -> Frozen:
    made = estate(Harm(errors={"billing": 0.5, "booking": 0.4, "edge": 0.13}, code="503"))
    shipped(
        made,
        "billing",
        "v7.1.1",
        "log level of the health check",
        '-log.info("ok")\n+log.debug("ok")\n',
        ago=ONSET + 0.8,
        sha="3f3f3f3f3f3",
        path="billing/health.go",
    )
    made.change(
        "feature_flag", "billing", "feature flag async_capture: 0% -> 100%", minutes_ago=ONSET + 0.6, id="flag-902"
    )
    failing(made, "billing", "ERROR async capture rejected: queue full (capacity 10)")
    paged(made, "billing")
    return made


@scenario(
    "bad_deploy", name="tracking", accept=[("unhandled_exception", "Deployment", "tracking")], change="0d0c5a1e9f7"
)
def a_title_that_says_docs() -> Frozen:
    made = estate(Harm(errors={"tracking": 0.5, "edge": 0.33}))
    shipped(
        made,
        "tracking",
        "v4.0.0",
        "perf: rewrite the hot path in assembly (risky!)",
        "+//go:noescape\n",
        ago=55,
        sha="beefbeefbee",
        path="tracking/hot.go",
    )
    diff = "-    if scan == nil {\n-        return unknown\n-    }\n     return scan.Depot\n"
    shipped(
        made,
        "tracking",
        "v4.0.1",
        "docs: tidy comments",
        diff,
        ago=ONSET + 1,
        sha="0d0c5a1e9f7",
        path="tracking/scan.go",
    )
    failing(
        made,
        "tracking",
        "panic: runtime error: invalid memory address or nil pointer dereference\n"
        "goroutine 81 [running]:\nmain.depotOf(...)\n\t/src/tracking/scan.go:57",
    )
    paged(made, "tracking")
    return made


@scenario(
    "dependency_upgrade_broken",
    name="labels",
    accept=[("bad_deploy", "Deployment", "labels"), ("unhandled_exception", "Deployment", "labels")],
    change="44d1e00fabc",
)
def a_bump_of_dependencies_that_breaks() -> Frozen:
    made = estate(Harm(errors={"labels": 0.8, "booking": 0.7, "edge": 0.22}))
    line = "  <artifactId>barcode4j</artifactId><version>{}</version>\n"
    diff = f"-{line.format('2.1')}+{line.format('3.0')}"
    shipped(
        made,
        "labels",
        "v1.13.0",
        "chore: bump dependencies",
        diff,
        ago=ONSET + 1,
        sha="44d1e00fabc",
        path="labels/pom.xml",
    )
    made.change("deploy", "booking", "deploy booking v3.9.2", minutes_ago=ONSET + 0.3, id="99887766")
    failing(
        made,
        "labels",
        "ERROR java.lang.NoSuchMethodError: org.barcode4j.Encoder.encode(Ljava/lang/String;)\n"
        "\tat labels.Renderer.draw(Renderer.java:77)",
    )
    failing(made, "booking", "ERROR label failed: labels answered 500")
    paged(made, "booking")
    return made


@scenario(
    "bad_migration",
    name="booking",
    accept=[
        ("bad_migration", "StatefulSet", "bookingdb"),
        ("db_schema_mismatch", "Deployment", "booking"),
        ("db_schema_mismatch", "StatefulSet", "bookingdb"),
    ],
    change="mig-0042",
)
def a_column_was_dropped() -> Frozen:
    made = estate(booking_fails())
    made.change(
        "other",
        "bookingdb",
        "migration 0042: drop the unused column",
        minutes_ago=ONSET + 0.4,
        id="mig-0042",
        diff="+ALTER TABLE parcels DROP COLUMN weight_g;\n",
    )
    made.change("deploy", "pricing", "deploy pricing v2.8.1", minutes_ago=ONSET - 2, id="d1d1d1d1")
    failing(made, "booking", 'ERROR psycopg.errors.UndefinedColumn: column "weight_g" does not exist')
    paged(made, "booking")
    return made


@scenario(
    "bad_config_change",
    name="billing",
    accept=[
        ("service_env_var_address_mismatch", "Deployment", "billing"),
        ("service_dns_resolution_failure", "Deployment", "billing"),
    ],
    change="cfg-501",
)
def a_host_name_was_mistyped() -> Frozen:
    made = estate(Harm(errors={"billing": 0.9, "booking": 0.8, "edge": 0.26}, code="502"))
    made.change(
        "config",
        "billing",
        "billing: new bank endpoint",
        minutes_ago=ONSET + 0.6,
        id="cfg-501",
        diff=f"-bank.url: https://{BANK}/v1\n+bank.url: https://api.clearbnak.example/v2\n",
    )
    made.change("deploy", "tracking", "deploy tracking v4.0.2", minutes_ago=ONSET - 1, id="abababab")
    failing(made, "billing", "ERROR charge: dial tcp: lookup api.clearbnak.example: no such host")
    failing(made, "booking", "ERROR capture failed: billing answered 502")
    paged(made, "booking")
    return made


@scenario(
    "bad_deploy",
    name="tracking",
    accept=[("memory_leak", "Deployment", "tracking"), ("oom_killed", "Deployment", "tracking")],
    change="1ea4c0de555",
)
def a_leak_since_an_hour() -> Frozen:
    made = estate(Harm(onset=6, errors={"tracking": 0.3, "edge": 0.2}, code="503"))
    shipped(
        made,
        "tracking",
        "v4.2.0",
        "cache scans in memory",
        "+    self.scans[key] = scan  # keep for later\n",
        ago=62,
        sha="1ea4c0de555",
        path="tracking/cache.py",
    )
    made.change("deploy", "geo", "deploy geo v1.4.1", minutes_ago=8, id="5a5a5a5a")
    made.change("feature_flag", "edge", "feature flag edge_brotli: off->on", minutes_ago=7, id="flag-7")
    where = {"namespace": SPACE, "pod": f"{pod('tracking')}b", "container": "tracking", "workload": "tracking"}
    made.gauge("container_memory_working_set_bytes", lambda m: 190e6 + max(m + 62, 0) * 13e6, noise=0.005, **where)
    made.gauge("kube_pod_container_resource_limits", 1e9, noise=0, resource="memory", **where)
    failing(made, "tracking", "FATAL out of memory: cannot allocate 1048576 bytes", ago=6, every=40)
    paged(made, "tracking", ago=3)
    return made


@scenario(
    "bad_feature_flag", name="pricing", change="flag-320b", accept=[("unhandled_exception", "Deployment", "pricing")]
)
def a_flag_raised_in_steps() -> Frozen:
    made = estate(Harm(errors={"pricing": 0.6, "booking": 0.5, "edge": 0.17}))
    made.change("feature_flag", "pricing", "feature flag zone_pricing_v2: 0% -> 1%", minutes_ago=80, id="flag-320a")
    made.change(
        "feature_flag", "pricing", "feature flag zone_pricing_v2: 1% -> 100%", minutes_ago=ONSET + 0.4, id="flag-320b"
    )
    made.change("deploy", "labels", "deploy labels v1.13.1", minutes_ago=ONSET - 2, id="31313131")
    failing(made, "pricing", "ERROR zone_pricing_v2: no tariff for zone 9, aborting")
    paged(made, "booking")
    return made


@scenario(None, name="", change="scale-9")
def scaled_down_too_far() -> Frozen:
    made = estate(
        Harm(slow={"labels": 20, "booking": 6, "edge": 3}, errors={"labels": 0.2}, code="503", cpu={"labels": 3.5})
    )
    made.change(
        "scale",
        "labels",
        "scale labels 6 -> 1",
        minutes_ago=ONSET + 0.8,
        id="scale-9",
        diff="-replicas: 6\n+replicas: 1\n",
    )
    made.change("deploy", "billing", "deploy billing v7.1.2", minutes_ago=ONSET + 0.1, id="67676767")
    failing(made, "labels", "WARN request rejected: all 8 workers busy, 214 waiting")
    paged(made, "booking", "booking p95 above 500 ms for 3m", name="LatencyHigh")
    return made


@scenario(None, name="", change="netpol-3")
def a_policy_cuts_a_path() -> Frozen:
    made = estate(Harm(errors={"booking": 0.6, "edge": 0.2}, code="504", traffic={"billing": 0.02}))
    made.change(
        "infrastructure",
        "network-policy",
        "default deny for ingress to billing",
        minutes_ago=ONSET + 0.5,
        id="netpol-3",
        diff="+kind: NetworkPolicy\n+spec:\n+  podSelector: {matchLabels: {app: billing}}\n+  policyTypes: [Ingress]\n",
    )
    made.change("deploy", "booking", "deploy booking v3.9.3", minutes_ago=40, id="10203040")
    failing(made, "booking", "ERROR capture failed: dial tcp 10.96.4.2:8080: i/o timeout calling billing")
    paged(made, "booking")
    return made


@scenario(
    "credentials_rotated", name="billing", accept=[("bad_config_change", "Deployment", "billing")], change="rot-17"
)
def a_key_was_rotated() -> Frozen:
    made = estate(Harm(errors={"billing": 0.95, "booking": 0.85, "edge": 0.28}, code="502"))
    made.change("config", "billing", "rotate the bank's API key", minutes_ago=ONSET + 0.9, id="rot-17")
    made.change("deploy", "billing", "deploy billing v7.1.3", minutes_ago=33, id="50607080")
    failing(made, "billing", f"ERROR charge refused: POST https://{BANK}/v1/charges 401 Unauthorized: invalid API key")
    paged(made, "booking")
    return made


@scenario("bad_deploy", name="booking", accept=[("timeout_too_short", "Deployment", "booking")])
def replica_sets_tell_it() -> Frozen:
    made = estate(booking_fails(), objects=True, quiet=True)
    rolled_out(made, "booking", ago=ONSET + 1, before={"PRICING_TIMEOUT_MS": "2000"}, env={"PRICING_TIMEOUT_MS": "20"})
    rolled_out(made, "geo", ago=ONSET - 4, image="registry.test/geo:3.8.1")
    failing(made, "booking", "ERROR quote failed: call to pricing timed out after 20ms")
    paged(made, "booking")
    return made


@scenario(
    "bad_config_change",
    name="booking",
    accept=[
        ("bad_config_change", "ConfigMap", "booking-settings"),
        ("config_invalid", "Deployment", "booking"),
        ("bad_deploy", "Deployment", "booking"),
    ],
)
def a_config_map_was_edited() -> Frozen:
    made = estate(booking_fails(), objects=True, quiet=True)
    for name, ago in (("booking", ONSET + 0.8), ("geo", 60 * 24 * 9)):
        made.add(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {
                    "name": f"{name}-settings",
                    "namespace": SPACE,
                    "creationTimestamp": made.stamp(60 * 24 * 90),
                    "managedFields": [
                        {
                            "manager": "kubectl-edit",
                            "operation": "Update",
                            "time": made.stamp(ago),
                            "fieldsType": "FieldsV1",
                            "fieldsV1": {"f:data": {"f:settings.yaml": {}}},
                        }
                    ],
                },
                "data": {"settings.yaml": "max_parcels: -1\n" if name == "booking" else "tiles: 12\n"},
            }
        )
        volume = {"name": "settings", "configMap": {"name": f"{name}-settings"}}
        for kind in ("Deployment", "ReplicaSet"):
            made.find(kind, name)["spec"]["template"]["spec"]["volumes"] = [volume]
        made.find("Pod", name)["spec"]["volumes"] = [volume]
    failing(made, "booking", "ERROR settings reloaded; order refused: max_parcels must be positive, got -1")
    paged(made, "booking")
    return made


@scenario("bad_deploy", name="labels", accept=[("unhandled_exception", "Deployment", "labels")], change="2e2e77aa901")
def a_revert_brings_the_defect_back() -> Frozen:
    made = estate(Harm(errors={"labels": 0.6, "booking": 0.5, "edge": 0.17}))
    shipped(
        made,
        "labels",
        "v1.14.0",
        "guard against empty manifests",
        "+    if not manifest: return None\n",
        ago=70,
        sha="71f0aa00bb1",
        path="labels/manifest.py",
    )
    shipped(
        made,
        "labels",
        "v1.14.1",
        'Revert "guard against empty manifests"',
        "-    if not manifest: return None\n",
        ago=ONSET + 1,
        sha="2e2e77aa901",
        path="labels/manifest.py",
    )
    failing(made, "labels", "ERROR IndexError: list index out of range (labels/manifest.py:12)")
    paged(made, "booking")
    return made


# ----------------------------------------------------------------------------------------------- no change did it


@scenario(
    "upstream_provider_outage", name="billing", no_cause=True, accept=[("upstream_provider_outage", "External", BANK)]
)
def the_bank_is_down() -> Frozen:
    made = estate(Harm(errors={"billing": 0.9, "booking": 0.8, "edge": 0.26}, code="502"))
    shipped(
        made,
        "billing",
        "v7.2.0",
        "log the bank's request id",
        '+log.Info("bank", id)\n',
        ago=20,
        sha="616161616aa",
        path="billing/bank.go",
    )
    failing(made, "billing", f"ERROR charge failed: POST https://{BANK}/v1/charges: 503 Service Unavailable")
    paged(made, "billing")
    return made


@scenario("traffic_surge", name="edge", no_cause=True)
def everybody_comes_at_once() -> Frozen:
    more = {name: 5.0 for name in ("edge", "tracking", "geo", "booking", "pricing", "labels", "billing", "bookingdb")}
    made = estate(Harm(traffic=more, slow={"edge": 6, "tracking": 4, "booking": 5}, errors={"edge": 0.1}, code="503"))
    shipped(
        made,
        "booking",
        "v3.10.0",
        "wording of an error message",
        '-"bad"\n+"not possible"\n',
        ago=ONSET + 2,
        sha="70707070aaa",
        path="booking/errors.py",
    )
    paged(made, "edge", "edge p95 above 1 s for 3m", name="LatencyHigh")
    return made


@scenario(
    "certificate_expired", name="labels", no_cause=True, accept=[("certificate_expired", "Deployment", "booking")]
)
def a_certificate_ran_out() -> Frozen:
    made = estate(Harm(errors={"booking": 0.9, "edge": 0.3}, traffic={"labels": 0.01}))
    shipped(
        made,
        "labels",
        "v1.15.0",
        "fonts: add Noto",
        "+fonts/noto.ttf\n",
        ago=ONSET + 6,
        sha="81818181bbb",
        path="labels/fonts.txt",
    )
    expired = "x509: certificate has expired or is not yet valid"
    failing(
        made,
        "booking",
        f"ERROR label failed: Post https://labels:8443/render: tls: failed to verify certificate: {expired}",
    )
    paged(made, "booking")
    return made


@scenario("db_disk_full", "StatefulSet", "bookingdb", no_cause=True)
def a_disk_filled_up() -> Frozen:
    made = estate(booking_fails(bookingdb=0.4))
    shipped(
        made,
        "booking",
        "v3.11.0",
        "tidy the address form",
        "-<br>\n+<p>\n",
        ago=ONSET + 5,
        sha="91919191ccc",
        path="booking/form.html",
    )
    failing(made, "bookingdb", 'PANIC: could not write to file "pg_wal/xlogtemp.77": No space left on device')
    failing(made, "booking", "ERROR insert failed: could not extend file: No space left on device")
    paged(made, "booking")
    return made


@scenario(
    "batch_job_contention",
    "Job",
    "reports",
    no_cause=True,
    accept=[
        ("batch_job_contention", "StatefulSet", "bookingdb"),
        ("batch_job_contention", "Deployment", "reports"),
        ("slow_query", "StatefulSet", "bookingdb"),
        ("pod_cpu_overload", "StatefulSet", "bookingdb"),
        ("noisy_neighbor", "Deployment", "reports"),
    ],
)
def the_nightly_report_runs_by_day() -> Frozen:
    slow = {"bookingdb": 15, "booking": 7, "edge": 2.5}
    made = estate(Harm(slow=slow, cpu={"bookingdb": 4.8, "reports": 30}, traffic={"reports": 20}))
    shipped(
        made,
        "pricing",
        "v2.9.0",
        "translate messages",
        "+de.po\n",
        ago=ONSET + 2,
        sha="a1a1a1a1ddd",
        path="pricing/po/de.po",
    )
    failing(made, "reports", "INFO nightly report: full scan of parcels, 41000000 rows", every=60)
    failing(made, "bookingdb", "LOG duration: 2210.4 ms statement: SELECT depot, count(*) FROM parcels GROUP BY depot")
    paged(made, "booking", "booking p95 above 500 ms for 3m", name="LatencyHigh")
    return made


@scenario("client_abuse", name="edge", no_cause=True, accept=[("traffic_surge", "Deployment", "edge")])
def one_client_hammers() -> Frozen:
    made = estate(Harm(traffic={"edge": 7, "tracking": 10, "geo": 10}, slow={"tracking": 6, "edge": 4}))
    shipped(
        made,
        "tracking",
        "v4.3.0",
        "rename a metric",
        "-scan_total\n+scans_total\n",
        ago=ONSET + 3,
        sha="b2b2b2b2eee",
        path="tracking/metrics.py",
    )
    failing(made, "edge", "INFO 198.51.100.23 GET /track status=200 agent=python-requests/2.31", every=1.0)
    paged(made, "edge", "edge p95 above 700 ms for 3m", name="LatencyHigh")
    return made
