"""Fifth blind round, changes at an airport: the guilty one of each kind among innocent ones that look worse."""

from agent_sre.testing import kubernetes_objects as k8s
from tests.scenarios.sets.fifth_round_ground import Airport, airport
from tests.scenarios.sets.registry import scenario
from tests.scenarios.system import jump, ramp

KEYS = {"namespace": "apron"}


@scenario(
    "bad_deploy",
    "Deployment",
    "checkin-api",
    change="rel-110",
    accept=[("unhandled_exception", "Deployment", "checkin-api")],
)
def a_null_in_the_new_release() -> Airport:
    app = airport(
        "kiosk-bff 5xx",
        since=16,
        lag=11,
        on="kiosk-bff",
        errors={"checkin-api": 0.4, "kiosk-bff": 0.2, "boarding-core": 0.06},
    )
    app.says("checkin-api", "ERROR", "o.a.c.c.C.[.[.[/].[dispatcherServlet]", "Servlet.service() for servlet [dispatcherServlet] in context with path [] threw exception [Request processing failed: "
             "java.lang.NullPointerException: Cannot invoke \"a.checkin.Seat.row()\" because \"seat\" is null] with root cause",
             "java.lang.NullPointerException: Cannot invoke \"a.checkin.Seat.row()\" because \"seat\" is null", "\tat a.checkin.seatmap.Upgrade.offer(Upgrade.java:71) ~[classes/:na]", every=4)  # fmt: skip
    app.decoy("deploy", "checkin-api", "checkin-api 1.8.12: offer upgrades", 16.7, "rel-110")
    app.decoy("deploy", "kiosk-bff", "kiosk-bff 1.8.10: smaller images", 14, "rel-111")
    app.decoy("config", "boarding-core", "boarding-core: gate names", 21, "cfg-112", "-GATES: a\n+GATES: b")
    return app


@scenario(
    "bad_deploy",
    "Deployment",
    "sorter-control",
    change="rel-120",
    accept=[("unhandled_exception", "Deployment", "sorter-control")],
)
def rust_panics_two_hops_below_the_alert() -> Airport:
    app = airport(
        "checkin-api errors",
        since=39,
        lag=28,
        on="checkin-api",
        errors={"sorter-control": 0.5, "bagtag-svc": 0.35, "checkin-api": 0.15, "kiosk-bff": 0.08},
    )
    app.says("sorter-control", "ERROR", "panic", "thread 'tokio-runtime-worker' panicked at src/lane.rs:212:41:", "called `Option::unwrap()` on a `None` value",
             "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace", every=5)  # fmt: skip
    app.says(
        "bagtag-svc",
        "ERROR",
        "lane/client",
        'reserve lane failed || Post "http://sorter-control:7000/lanes": EOF',
        every=5,
    )
    app.decoy("deploy", "sorter-control", "sorter-control 1.9.0: lanes by destination", 39.5, "rel-120")
    app.decoy("deploy", "checkin-api", "checkin-api 1.8.12", 34, "rel-121")
    return app


@scenario(
    "bad_deploy",
    "Deployment",
    "fare-engine",
    change="rel-130",
    accept=[("pod_cpu_overload", "Deployment", "fare-engine")],
)
def a_release_that_is_merely_slow() -> Airport:
    app = airport(
        "boarding-core p95",
        since=28,
        lag=18,
        on="boarding-core",
        slow={"fare-engine": 14, "boarding-core": 6},
        cpu={"fare-engine": jump(0.2, 0.9, 28)},
    )
    app.decoy("deploy", "fare-engine", "fare-engine 2.0.0: evaluate all rules", 28.6, "rel-130")
    app.decoy("deploy", "customs-link", "customs-link 1.8.13", 31, "rel-131")
    return app


@scenario(
    "bad_config_change",
    "Deployment",
    "bag-tracker",
    change="cfg-140",
    accept=[("config_invalid", "Deployment", "bag-tracker")],
)
def an_unknown_mode() -> Airport:
    app = airport(
        "sorter-control errors",
        since=13,
        lag=6,
        on="sorter-control",
        errors={"bag-tracker": 0.9, "sorter-control": 0.6},
    )
    app.says(
        "bag-tracker",
        "ERROR",
        "tracker.settings",
        "ValueError: SCAN_MODE must be one of 'strict', 'lenient', got 'lenient '",
        every=4,
    )
    app.decoy(
        "config",
        "bag-tracker",
        "bag-tracker: lenient scans during works in hall C",
        13.3,
        "cfg-140",
        "-SCAN_MODE: strict\n+SCAN_MODE: 'lenient '",
    )
    app.decoy("deploy", "sorter-control", "sorter-control 1.8.15", 18, "rel-141")
    return app


@scenario("bad_config_change", "Deployment", "apron-edge", change="cfg-150")
def the_rate_limit_hits_everybody() -> Airport:
    app = airport(
        "passengers see 429",
        since=15,
        lag=10,
        on="apron-edge",
        errors={"apron-edge": 0.5},
        load={"kiosk-bff": 0.5, "gate-display": 0.5},
        code="429",
    )
    app.says(
        "apron-edge",
        "ERROR",
        "",
        'limiting requests, excess: 5.{n} by zone "perip", client: 10.9.{n}.7, server: _, request: "GET /api/flights HTTP/2.0", host: "apron.example"',
        every=1,
    )
    app.decoy(
        "config",
        "apron-edge",
        "edge: protect the api from bots",
        15.2,
        "cfg-150",
        "-limit_req_zone $binary_remote_addr zone=perip:10m rate=50r/s;\n+limit_req_zone $binary_remote_addr zone=perip:10m rate=1r/s;",
    )
    app.decoy("deploy", "kiosk-bff", "kiosk-bff 1.8.10", 22, "rel-151")
    return app


@scenario(
    "bad_feature_flag",
    "Deployment",
    "fare-engine",
    change="flag-160",
    accept=[("unhandled_exception", "Deployment", "fare-engine")],
)
def a_flag_turns_on_old_code() -> Airport:
    app = airport(
        "boarding-core errors", since=19, lag=13, on="boarding-core", errors={"fare-engine": 0.6, "boarding-core": 0.3}
    )
    app.says("fare-engine", "ERROR", "Microsoft.AspNetCore.Diagnostics.ExceptionHandlerMiddleware", "An unhandled exception has occurred while executing the request.",
             "      System.Collections.Generic.KeyNotFoundException: The given key 'BASIC_LITE' was not present in the dictionary.",
             "         at Fares.Rules.DynamicBundles.Price(Fare fare) in /src/Fares/Rules/DynamicBundles.cs:line 58", every=4)  # fmt: skip
    app.decoy("feature_flag", "fare-engine", "flag dynamic_bundles: off->on (100 %)", 19.1, "flag-160")
    app.decoy("deploy", "boarding-core", "boarding-core 1.8.15", 23, "rel-161")
    app.decoy("deploy", "fare-engine", "fare-engine 1.8.13: log levels", 84, "rel-162")
    return app


@scenario(
    "bad_feature_flag",
    "Deployment",
    "flightboard",
    change="flag-170",
    accept=[("n_plus_one_queries", "Deployment", "flightboard"), ("pod_cpu_overload", "Deployment", "flightboard")],
)
def a_flag_makes_it_slow_metrics_and_changes_only() -> Airport:
    app = airport(
        "gate-display slow",
        since=24,
        lag=14,
        on="gate-display",
        slow={"flightboard": 20, "gate-display": 9},
        cpu={"flightboard": jump(0.2, 1.2, 24)},
    )
    app.decoy("feature_flag", "flightboard", "flag board_live_positions: off->on", 24.2, "flag-170")
    app.decoy("deploy", "gate-display", "gate-display 1.8.14", 29, "rel-171")
    return app.without("logs", "objects")


@scenario("bad_migration", "StatefulSet", "checkin-pg", change="mig-180", accept=[("bad_migration", "Deployment", "checkin-api"), ("db_schema_mismatch", "Deployment", "flightboard"),
          ("bad_migration", "Deployment", "flightboard"), ("db_schema_mismatch", "StatefulSet", "checkin-pg"), ("db_schema_mismatch", "Deployment", "checkin-api")])  # fmt: skip
def a_column_dropped_while_in_use() -> Airport:
    app = airport("boards blank", since=12, lag=6, on="flightboard", errors={"flightboard": 0.9, "gate-display": 0.3})
    app.says(
        "flightboard",
        "ERROR",
        "board",
        'SQLSTATE[42703]: Undefined column: 7 ERROR:  column "delay_code" does not exist LINE 1: select "delay_code" from "flights"',
        every=4,
    )
    app.says(
        "checkin-pg", "ERROR", "board@checkin", 'column "delay_code" does not exist at character 8', every=4, pods=[0]
    )
    app.decoy(
        "other",
        "checkin-pg",
        "schema migration V31: drop column flights.delay_code",
        12.2,
        "mig-180",
        "-ALTER TABLE flights ADD delay_code text;\n+ALTER TABLE flights DROP COLUMN delay_code;",
    )
    app.decoy("deploy", "flightboard", "flightboard 1.8.12: new colours", 47, "rel-181")
    return app


@scenario(
    "db_schema_mismatch",
    "Deployment",
    "bag-tracker",
    change="rel-190",
    accept=[("bad_deploy", "Deployment", "bag-tracker"), ("db_schema_mismatch", "StatefulSet", "track-cassandra")],
)
def code_ahead_of_its_table() -> Airport:
    app = airport("scans rejected", since=14, on="sorter-control", errors={"bag-tracker": 0.8, "sorter-control": 0.5})
    app.says(
        "bag-tracker",
        "ERROR",
        "tracker.views",
        'cassandra.InvalidRequest: Error from server: code=2200 [Invalid query] message="Undefined column name carousel in table track.scans"',
        every=4,
    )
    app.decoy("deploy", "bag-tracker", "bag-tracker 1.9.0: carousel per scan", 14.4, "rel-190")
    return app


@scenario(
    "dependency_upgrade_broken",
    "Deployment",
    "baghistory",
    change="rel-200",
    accept=[("bad_deploy", "Deployment", "baghistory")],
)
def jackson_was_raised() -> Airport:
    app = airport("baghistory errors", since=18, on="baghistory", errors={"baghistory": 0.7})
    app.says("baghistory", "ERROR", "o.a.c.c.C.[.[.[/].[dispatcherServlet]", "Handler dispatch failed: java.lang.NoSuchMethodError: 'com.fasterxml.jackson.core.StreamReadConstraints "
             "com.fasterxml.jackson.core.JsonParser.streamReadConstraints()'", "\tat com.fasterxml.jackson.databind.ObjectMapper._readMapAndClose(ObjectMapper.java:4888)", every=4)  # fmt: skip
    app.decoy(
        "deploy",
        "baghistory",
        "baghistory 1.8.11: bump jackson-databind from 2.13.5 to 2.17.2",
        18.5,
        "rel-200",
        "-jackson-databind 2.13.5\n+jackson-databind 2.17.2",
    )
    app.decoy("config", "baghistory", "baghistory: page size 50", 25, "cfg-201", "-PAGE: '20'\n+PAGE: '50'")
    return app


@scenario(
    "dependency_upgrade_broken",
    "Deployment",
    "weather-feed",
    change="rel-210",
    accept=[("bad_deploy", "Deployment", "weather-feed"), ("crash_on_start", "Deployment", "weather-feed")],
)
def numpy_two() -> Airport:
    app = airport("no weather on boards", since=15, lag=10, on="flightboard", errors={"flightboard": 0.1}, quiet=True)
    app.decoy(
        "deploy",
        "weather-feed",
        "weather-feed 1.8.14: dependabot: numpy 1.26.4 -> 2.1.0",
        15.5,
        "rel-210",
        "-numpy==1.26.4\n+numpy==2.1.0",
    )
    app.decoy("deploy", "flightboard", "flightboard 1.8.12", 20, "rel-211")
    for place in (0, 1):
        app.restarted("weather-feed", place, ago=1 + place, count=6, waiting=True, ran=3)
        app.log(app.names("weather-feed", place)[0], "weather-feed", "Traceback (most recent call last):", '  File "/app/weather/feed.py", line 3, in <module>', "    import pandas as pd",
                "A module that was compiled using NumPy 1.x cannot be run in NumPy 2.1.0 as it may crash.", "AttributeError: _ARRAY_API not found", "ImportError: numpy.core.multiarray failed to import",
                minutes_ago=1.2 + place, every_seconds=0.01, previous=True)  # fmt: skip
    app.says(
        "flightboard",
        "ERROR",
        "board",
        "cURL error 7: Failed to connect to weather-feed port 8000 after 1 ms: Couldn't connect to server for http://weather-feed:8000/metar",
        every=6,
    )
    return app


@scenario(
    "dependency_upgrade_broken",
    "Deployment",
    "notify-pax",
    change="rel-220",
    accept=[("bad_deploy", "Deployment", "notify-pax"), ("crash_on_start", "Deployment", "notify-pax")],
)
def an_esm_only_package() -> Airport:
    app = airport("notify-pax down", since=12, on="notify-pax")
    app.decoy(
        "deploy",
        "notify-pax",
        "notify-pax 1.8.11: update node-fetch to v3",
        12.4,
        "rel-220",
        '-    "node-fetch": "^2.7.0"\n+    "node-fetch": "^3.3.2"',
    )
    app.restarted("notify-pax", 0, ago=1, count=6, waiting=True, ran=2)
    app.log(app.names("notify-pax", 0)[0], "notify-pax", "/app/dist/push.js:3", 'const node_fetch_1 = require("node-fetch");', "Error [ERR_REQUIRE_ESM]: require() of ES Module "
            "/app/node_modules/node-fetch/src/index.js from /app/dist/push.js not supported.", "    at Object.<anonymous> (/app/dist/push.js:3:22) {", "  code: 'ERR_REQUIRE_ESM'", "Node.js v20.11.1",
            minutes_ago=1.1, every_seconds=0.01, previous=True)  # fmt: skip
    return app


@scenario(
    "certificate_expired",
    "Deployment",
    "customs-link",
    accept=[("certificate_expired", "Secret", "customs-tls"), ("certificate_expired", "Deployment", "boarding-core")],
)
def the_internal_certificate_ran_out() -> Airport:
    app = airport(
        "boarding-core cannot reach customs-link", since=32, lag=21, on="boarding-core", errors={"boarding-core": 0.35}
    )
    app.says("boarding-core", "ERROR", "Boarding.Customs", "System.Security.Authentication.AuthenticationException: The remote certificate is invalid because of errors in the certificate chain: NotTimeValid "
             "calling https://customs-link:8443/lists", every=4)  # fmt: skip
    app.says(
        "customs-link",
        "WARN",
        "io.vertx.core.net.impl",
        "javax.net.ssl.SSLHandshakeException: Received fatal alert: certificate_expired",
        every=6,
    )
    app.decoy("deploy", "boarding-core", "boarding-core 1.8.15", 37, "rel-231")
    return app


@scenario(
    "credentials_rotated",
    "Deployment",
    "bag-tracker",
    change="sec-240",
    accept=[("credentials_rotated", "StatefulSet", "scan-kafka")],
)
def kafka_s_scram_secret() -> Airport:
    app = airport(
        "scans not published", since=20, lag=12, on="sorter-control", errors={"bag-tracker": 0.6, "sorter-control": 0.4}
    )
    app.says("bag-tracker", "ERROR", "tracker.publish", "KafkaError{code=_AUTHENTICATION,val=-169,str=\"sasl_ssl://scan-kafka-0:9092/bootstrap: SASL authentication error: Authentication failed during authentication "
             "due to invalid credentials with SASL mechanism SCRAM-SHA-512\"}", every=4)  # fmt: skip
    app.decoy("config", "scan-kafka", "rotate SCRAM password of user tracker", 20.4, "sec-240")
    app.decoy("deploy", "bag-tracker", "bag-tracker 1.8.12", 64, "rel-241")
    return app


@scenario(
    "credentials_rotated",
    "Deployment",
    "kiosk-bff",
    change="sec-250",
    accept=[
        ("credentials_rotated", "Deployment", "checkin-api"),
        ("credentials_rotated", "Deployment", "lounge-access"),
    ],
)
def a_new_signing_key() -> Airport:
    app = airport(
        "401 everywhere",
        since=17,
        lag=13,
        on="kiosk-bff",
        errors={"checkin-api": 0.7, "lounge-access": 0.7, "kiosk-bff": 0.5},
        code="401",
    )
    app.says("checkin-api", "WARN", "o.s.s.o.server.resource.web.BearerTokenAuthenticationFilter", "An error occurred while attempting to decode the Jwt: Signed JWT rejected: Another algorithm expected, or no matching "
             "key(s) found", every=4)  # fmt: skip
    app.says(
        "lounge-access",
        "ERROR",
        "auth",
        'verify token: unable to find appropriate key: kid "2025-q4" not found in JWKS',
        every=4,
    )
    app.decoy("config", "kiosk-bff", "rotate token signing key (2025-q4 -> 2026-q1)", 17.3, "sec-250")
    return app


@scenario("deployment_zero_replicas", "Deployment", "weather-feed", change="ops-260")
def somebody_scaled_it_away() -> Airport:
    app = airport(
        "no weather on boards",
        since=41,
        lag=35,
        on="flightboard",
        errors={"flightboard": 0.12},
        load={"weather-feed": 0.0},
        quiet=True,
    )
    app.scaled_away("weather-feed")
    app.says(
        "flightboard",
        "ERROR",
        "board",
        "cURL error 7: Failed to connect to weather-feed port 8000 after 0 ms: Couldn't connect to server for http://weather-feed:8000/metar",
        every=6,
    )
    app.decoy("scale", "weather-feed", "weather-feed scaled from 2 to 0", 41.2, "ops-260")
    app.decoy("deploy", "flightboard", "flightboard 1.8.12", 36, "rel-261")
    return app


@scenario(
    "network_policy_denied",
    "Deployment",
    "bag-tracker",
    change="inf-270",
    accept=[
        ("network_policy_denied", "NetworkPolicy", "bag-tracker-ingress"),
        ("network_policy_denied", "Deployment", "sorter-control"),
    ],
)
def a_policy_shuts_the_sorter_out() -> Airport:
    app = airport(
        "bagtag-svc errors",
        since=22,
        lag=15,
        on="bagtag-svc",
        errors={"sorter-control": 0.9, "bagtag-svc": 0.5},
        load={"bag-tracker": 0.02},
    )
    app.add({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": k8s.metadata("NetworkPolicy", "bag-tracker-ingress", "apron", created=app.stamp(22.3)),
             "spec": {"podSelector": {"matchLabels": {"app": "bag-tracker"}}, "policyTypes": ["Ingress"], "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "sorter"}}}],
                      "ports": [{"port": 8000, "protocol": "TCP"}]}]}})  # fmt: skip
    app.says(
        "sorter-control",
        "ERROR",
        "sorter_control::tracker",
        "scan upload failed: error sending request for url (http://bag-tracker:8000/scans): tcp connect error: Connection timed out (os error 110)",
        every=4,
    )
    app.decoy(
        "infrastructure", "bag-tracker", "network policies: allow only the sorter to bag-tracker", 22.3, "inf-270"
    )
    app.decoy("deploy", "sorter-control", "sorter-control 1.8.15", 27, "rel-271")
    return app


@scenario(
    "bad_config_change",
    "Deployment",
    "flightboard",
    change="cfg-280",
    accept=[("timeout_too_short", "Deployment", "flightboard")],
)
def the_release_after_the_onset_is_innocent() -> Airport:
    app = airport(
        "boards without weather", since=46, lag=40, on="flightboard", errors={"flightboard": 0.4, "gate-display": 0.2}
    )
    app.says(
        "flightboard",
        "ERROR",
        "board",
        "cURL error 28: Operation timed out after 12 milliseconds with 0 bytes received for http://weather-feed:8000/metar",
        every=4,
    )
    app.decoy(
        "config",
        "flightboard",
        "flightboard: shorter timeouts",
        46.5,
        "cfg-280",
        "-WEATHER_TIMEOUT_MS: '2000'\n+WEATHER_TIMEOUT_MS: '12'",
    )
    app.decoy("deploy", "flightboard", "flightboard 1.8.12: try a hotfix", 30, "rel-281")
    app.decoy("deploy", "gate-display", "gate-display 1.8.15", 48, "rel-282")
    return app


@scenario(
    "queue_backlog",
    "Deployment",
    "manifest-builder",
    change="ops-290",
    accept=[("queue_backlog", "StatefulSet", "belt-rabbit"), ("bad_config_change", "Deployment", "manifest-builder")],
)
def fewer_workers_than_before() -> Airport:
    app = airport("manifests late", since=50, lag=35, on="manifest-builder", name="ManifestLate")
    app.gauge("rabbitmq_queue_messages_ready", ramp(10, 21000, 50), queue="manifests", pod="belt-rabbit-0", **KEYS)
    app.gauge("rabbitmq_queue_consumers", jump(32, 2, 50), noise=0, queue="manifests", pod="belt-rabbit-0", **KEYS)
    app.decoy(
        "config",
        "manifest-builder",
        "manifest-builder: celery concurrency",
        50.4,
        "ops-290",
        "-CELERY_CONCURRENCY: '16'\n+CELERY_CONCURRENCY: '1'",
    )
    return app
