"""Fifth blind round, causes outside an airport's cluster, alerts that are wrong, and alarms about nothing.

Providers that fail, somebody else's certificate, clients that abuse and clients that are merely many; then quiet
snapshots in which something was released ten minutes ago and nobody is to blame.
"""

from typing import Any
from urllib.parse import urlencode

from agent_sre.testing import kubernetes_objects as k8s
from tests.scenarios.sets.fifth_round_ground import Airport, airport
from tests.scenarios.sets.registry import scenario
from tests.scenarios.system import jump

KEYS = {"namespace": "apron"}
AGENTS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X)",
    "ApronApp/6.1 (Android 14)",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64)",
)


def access(
    app: Airport,
    request: str,
    *,
    client: str,
    status: int = 200,
    every: float = 2,
    agent: str = "",
    since: float = 0,
    until: float = 0,
) -> Airport:
    """Lines of nginx's combined access log at the edge."""
    begin = since or app.since
    for turn in range(int((begin - until) * 60 / every)):
        ago = begin - turn * every / 60
        shown = client.replace("{n}", str(app.chance.randrange(2, 250)))
        told = agent or app.chance.choice(AGENTS)
        path = request.replace("{n}", str(app.chance.randrange(1000, 9999)))
        app.log(
            app.names("apron-edge")[turn % 2],
            "apron-edge",
            f'{shown} - - [{app.at(ago):%d/%b/%Y:%H:%M:%S} +0000] "{path} HTTP/1.1" {status} 812 "-" "{told}"',
            minutes_ago=ago,
        )
    return app


# ----------------------------------------------------------------------------------------------------------------- providers


@scenario(
    "upstream_provider_outage",
    "Deployment",
    "customs-link",
    accept=[("upstream_provider_outage", "Service", "api.border-control.example")],
)
def the_border_s_interface_is_down() -> Airport:
    app = airport(
        "boarding-core errors above 5 %",
        since=26,
        lag=19,
        on="boarding-core",
        slow={"customs-link": 20, "boarding-core": 8},
        errors={"customs-link": 0.8, "boarding-core": 0.2},
        code="502",
    )
    app.says(
        "customs-link",
        "ERROR",
        "org.aer.customs.BorderClient",
        "jakarta.ws.rs.ServiceUnavailableException: HTTP 503 Service Unavailable: POST https://api.border-control.example/v3/passengers",
        every=4,
    )
    app.decoy("deploy", "customs-link", "customs-link 1.8.13: javadoc", 58, "rel-201")
    app.decoy("deploy", "boarding-core", "boarding-core 1.8.17: gate colours", 28, "rel-202")
    return app


@scenario(
    "upstream_provider_outage",
    "Deployment",
    "notify-pax",
    accept=[("upstream_provider_outage", "Service", "sms.carrier.example")],
)
def text_messages_time_out() -> Airport:
    app = airport(
        "passengers get no messages",
        since=33,
        lag=24,
        on="notify-pax",
        slow={"notify-pax": 90},
        errors={"notify-pax": 0.6},
    )
    app.says("notify-pax", "ERROR", "sms", "AxiosError: timeout of 10000ms exceeded, POST https://sms.carrier.example/v2/messages", "    at RedirectableRequest.handleRequestTimeout "
             "(/app/node_modules/axios/lib/adapters/http.js:675:16) { code: 'ECONNABORTED' }", every=4)  # fmt: skip
    return app.without("events")


@scenario(
    "upstream_provider_outage",
    "Deployment",
    "weather-feed",
    accept=[("upstream_provider_outage", "Service", "api.skyweather.example")],
)
def the_provider_limits_us() -> Airport:
    app = airport("no weather on boards", since=17, on="flightboard", errors={"weather-feed": 0.9, "flightboard": 0.1})
    app.says(
        "weather-feed",
        "ERROR",
        "weather.client",
        "requests.exceptions.HTTPError: 429 Client Error: Too Many Requests for url: https://api.skyweather.example/metar?station=EDDF",
        every=4,
    )
    app.says(
        "flightboard",
        "ERROR",
        "board",
        "Server error: `GET http://weather-feed:8000/metar` resulted in a `500 Internal Server Error` response",
        every=9,
    )
    return app


@scenario("certificate_expired", "Deployment", "weather-feed", accept=[("certificate_expired", "Service", "api.skyweather.example"), ("upstream_provider_outage", "Deployment", "weather-feed"),
          ("upstream_provider_outage", "Service", "api.skyweather.example")])  # fmt: skip
def somebody_else_s_certificate() -> Airport:
    app = airport(
        "no weather on boards", since=31, lag=9, on="flightboard", errors={"weather-feed": 0.95, "flightboard": 0.1}
    )
    app.says("weather-feed", "ERROR", "weather.client", "requests.exceptions.SSLError: HTTPSConnectionPool(host='api.skyweather.example', port=443): Max retries exceeded with url: /metar?station=EDDF "
             "(Caused by SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:1007)')))", every=5)  # fmt: skip
    return app


@scenario(
    "upstream_provider_outage",
    "Deployment",
    "lounge-access",
    accept=[("upstream_provider_outage", "Service", "members.airline-alliance.example")],
)
def the_alliance_s_name_does_not_resolve() -> Airport:
    app = airport("lounge doors stay shut", since=12, on="lounge-access", errors={"lounge-access": 0.7})
    app.says(
        "lounge-access",
        "ERROR",
        "alliance",
        'Get "https://members.airline-alliance.example/v1/cards": dial tcp 203.0.113.44:443: connect: connection timed out',
        every=4,
    )
    app.decoy(
        "config",
        "lounge-access",
        "lounge-access: raise log sampling",
        15,
        "cfg-3",
        "-LOG_SAMPLE: '0.1'\n+LOG_SAMPLE: '0.2'",
    )
    return app


# ------------------------------------------------------------------------------------------------------------------- clients


@scenario(
    "client_abuse",
    "Deployment",
    "apron-edge",
    accept=[("client_abuse", "Deployment", "flightboard"), ("client_abuse", "Deployment", "kiosk-bff")],
)
def somebody_scrapes_every_flight() -> Airport:
    app = airport(
        "kiosk-bff slow",
        since=22,
        lag=11,
        on="kiosk-bff",
        load={"apron-edge": 4, "kiosk-bff": 4.5, "flightboard": 5},
        slow={"flightboard": 12, "kiosk-bff": 6},
        cpu={"flightboard": jump(0.2, 1.1, 22)},
    )
    access(app, "GET /api/flights?gate=B{n}", client="10.20.0.{n}", since=88, every=3)
    access(app, "GET /api/flights?page={n}", client="203.0.113.77", agent="python-requests/2.31.0", every=0.3)
    return app


@scenario(
    "client_abuse",
    "Deployment",
    "apron-edge",
    accept=[("client_abuse", "Deployment", "lounge-access"), ("client_abuse", "Deployment", "kiosk-bff")],
)
def stolen_passwords_are_tried() -> Airport:
    app = airport(
        "login failures",
        since=18,
        on="lounge-access",
        load={"lounge-access": 6, "apron-edge": 2},
        errors={"lounge-access": 0.7},
        code="401",
        cpu={"lounge-access": jump(0.2, 0.9, 18)},
    )
    access(app, "POST /api/lounge/login", client="10.20.0.{n}", since=88, every=9)
    access(app, "POST /api/lounge/login", client="198.51.100.23", status=401, agent="Go-http-client/1.1", every=0.4)
    app.says("lounge-access", "WARN", "login", "invalid card number or pin for client 198.51.100.23", every=1)
    return app


@scenario(
    "traffic_surge",
    "Deployment",
    "apron-edge",
    accept=[("traffic_surge", "Deployment", "kiosk-bff"), ("traffic_surge", "Deployment", "checkin-api")],
)
def everybody_rebooks_at_once() -> Airport:
    everyone = ("apron-edge", "kiosk-bff", "checkin-api", "bagtag-svc", "flightboard", "gate-display")
    app = airport(
        "check-in slow",
        since=21,
        lag=12,
        on="checkin-api",
        load=dict.fromkeys(everyone, 3.4),
        slow={"checkin-api": 6, "kiosk-bff": 4},
    )
    access(app, "POST /api/rebook/{n}", client="10.20.{n}.7", since=88, until=21, every=3)
    for block in range(6):
        access(app, "POST /api/rebook/{n}", client=f"10.{30 + block}.{{n}}.9", every=2)
    app.decoy("deploy", "gate-display", "gate-display 1.8.15", 33, "rel-9")
    return app


@scenario("traffic_surge", "Deployment", "apron-edge", accept=[("traffic_surge", "Deployment", "kiosk-bff")])
def a_surge_in_metrics_only() -> Airport:
    everyone = ("apron-edge", "kiosk-bff", "checkin-api", "bagtag-svc", "flightboard", "lounge-access", "gate-display")
    return airport(
        "kiosk-bff p95",
        since=27,
        lag=18,
        on="kiosk-bff",
        load=dict.fromkeys(everyone, 4),
        slow={"kiosk-bff": 5, "checkin-api": 3},
    ).without("logs", "objects", "changes")


# -------------------------------------------------------------------------------------------------------------- observability


def rule(app: Airport, name: str, expression: str, description: str, *, held: str = "5m") -> Airport:
    """A PrometheusRule, and what its alert carries."""
    found: dict[str, Any] = {
        "alert": name,
        "expr": expression,
        "for": held,
        "labels": {"severity": "critical"},
        "annotations": {"description": description},
    }
    app.add(
        {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "PrometheusRule",
            "metadata": k8s.metadata("PrometheusRule", "apron-alerts", "apron"),
            "spec": {"groups": [{"name": "apron", "rules": [found]}]},
        }
    )
    alert = app.alerts[-1]
    alert["annotations"]["description"] = description
    alert["generatorURL"] = f"http://prometheus.monitoring:9090/graph?{urlencode({'g0.expr': expression})}&g0.tab=1"
    return app


@scenario(
    "scrape_target_down",
    "Deployment",
    "lounge-access",
    accept=[("scrape_target_down", "Target", "lounge-access"), ("scrape_target_down", "Service", "lounge-access")],
)
def the_door_is_up_its_metrics_are_not() -> Airport:
    app = airport("target down", since=16, lag=5, name="TargetDown", on="lounge-access", style="istio")
    app.alerts[-1]["labels"] |= {"job": "lounge-access", "instance": "10.1.0.9:9102"}
    for name in ("lounge-access", "weather-feed", "bagtag-svc"):
        app.gauge(
            "up",
            jump(1, 0, 16) if name == "lounge-access" else 1.0,
            noise=0,
            job=name,
            instance=f"10.1.0.{len(name)}:9102",
            **KEYS,
        )
    return app


@scenario(
    "alert_rule_wrong",
    "PrometheusRule",
    "BoardLatencyHigh",
    accept=[("alert_rule_wrong", "PrometheusRule", "apron-alerts")],
)
def a_threshold_below_the_everyday() -> Airport:
    app = airport(
        "flightboard mean latency is 0.05 s (threshold 0.01 s)",
        since=20,
        lag=18,
        name="BoardLatencyHigh",
        on="flightboard",
    )
    expression = 'sum(rate(http_server_request_duration_seconds_sum{service_name="flightboard"}[5m])) / sum(rate(http_server_request_duration_seconds_count{service_name="flightboard"}[5m])) > 0.01'
    app.decoy(
        "config",
        "BoardLatencyHigh",
        "alert rules: thresholds in seconds",
        19,
        "rul-4",
        "-  expr: ... > 0.5\n+  expr: ... > 0.01",
    )
    return rule(app, "BoardLatencyHigh", expression, "mean latency 0.05 s is above 0.01 s")


# ---------------------------------------------------------------------------------------------------------------- nothing


@scenario(None, no_cause=True)
def an_alert_that_flaps() -> Airport:
    app = airport("kiosk-bff probe failed once", since=6, lag=5, on="kiosk-bff", name="ProbeFlaky")
    app.decoy("deploy", "kiosk-bff", "kiosk-bff 1.8.9: typo in label", 14, "rel-300")
    app.decoy("config", "checkin-api", "checkin-api: rename a dashboard tag", 7, "cfg-301", "-DASH: a\n+DASH: b")
    return app


@scenario(None, no_cause=True)
def a_bump_that_healed() -> Airport:
    app = airport("checkin-api latency", since=44, lag=2, on="checkin-api")
    app.healed("checkin-api", jump(0.06, 0.9, 44, 40))
    app.decoy("deploy", "checkin-api", "checkin-api 1.8.12: labels", 20, "rel-310")
    return app


@scenario(None, no_cause=True)
def everyday_errors_and_two_releases() -> Airport:
    app = airport("some errors in apron", since=10, lag=4)
    app.says(
        "checkin-api",
        "ERROR",
        "a.checkin.web.Advice",
        "seat {n}C was taken meanwhile, passenger asked again",
        every=25,
        since=88,
    )
    app.says(
        "customs-link",
        "ERROR",
        "org.aer.customs.ApiResource",
        "passenger list {n} rejected: birth date missing",
        every=60,
        since=88,
    )
    app.decoy("deploy", "customs-link", "customs-link 1.8.13", 11, "rel-320")
    app.decoy("deploy", "checkin-api", "checkin-api 1.8.12", 5, "rel-321")
    return app


@scenario(None, no_cause=True)
def quiet_logs_only() -> Airport:
    app = airport("apron degraded?", since=9)
    app.decoy("feature_flag", "fare-engine", "flag fares_v2_shadow: off->on", 10, "flag-7")
    return app.without("metrics", "objects", "edges")


@scenario(None, no_cause=True)
def quiet_metrics_only_with_gaps() -> Airport:
    return airport("apron degraded?", since=9, quiet=True).gap(30, 21).gap(8, 6).without("logs", "objects", "changes")


@scenario(None, no_cause=True)
def an_autoscaler_at_work() -> Airport:
    app = airport(
        "checkin-api scaled",
        since=25,
        lag=5,
        on="checkin-api",
        load={"apron-edge": 1.2, "kiosk-bff": 1.2, "checkin-api": 1.25},
    )
    board = app.find("Deployment", "checkin-api")
    app.event(
        board,
        "ScalingReplicaSet",
        "Scaled up replica set checkin-api-6f7d9c8b54 to 3 from 2",
        kind="Normal",
        minutes_ago=22,
        component="deployment-controller",
    )
    app.event(("HorizontalPodAutoscaler", "checkin-api"), "SuccessfulRescale", "New size: 3; reason: cpu resource utilization (percentage of request) above target", kind="Normal", minutes_ago=22,
              component="horizontal-pod-autoscaler")  # fmt: skip
    pod = app.find("Pod", app.names("checkin-api", 1)[0])
    app.event(
        pod, "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", minutes_ago=21.6, count=2
    )
    app.decoy("deploy", "fare-engine", "fare-engine 1.8.12", 27, "rel-330")
    return app
