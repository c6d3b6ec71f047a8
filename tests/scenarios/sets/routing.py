"""Requests that go to the wrong place or nowhere: Services, addresses, gateways, policies, DNS, mutual TLS.

Written before any look at the analyzers. The application is a port's freight system. Nobody crashes because of
routing but those who wait for what they cannot reach; most scenarios show only a spec and a complaint in a log.
"""

from typing import Any

from agent_sre.testing import kubernetes_objects as kube
from tests.scenarios.application import Application, application, http_probe
from tests.scenarios.frozen import Object
from tests.scenarios.sets.registry import scenario

SERVICES = {
    "quayside": 8080,
    "manifests": 8000,
    "customs": 9443,
    "cranes": 50051,
    "weighbridge": 7000,
    "tariffs": 8088,
    "berthplan": 8085,
}
CALLS = (
    ("quayside", "manifests"),
    ("quayside", "berthplan"),
    ("manifests", "customs"),
    ("manifests", "tariffs"),
    ("berthplan", "cranes"),
    ("berthplan", "weighbridge"),
)
NS = "harbor"


def harbor(description: str = "Freight desk: requests fail.", **fields: Any) -> Application:
    app = application(NS, SERVICES, calls=CALLS, description=description, seed=11, **fields)
    app.env("quayside", MANIFESTS_ADDR="manifests:8000", BERTHPLAN_ADDR="berthplan:8085")
    app.env("manifests", CUSTOMS_URL="http://customs:9443", TARIFFS_URL="http://tariffs.harbor.svc.cluster.local:8088")
    app.env("berthplan", CRANES_ADDR="cranes:50051", WEIGHBRIDGE_ADDR="weighbridge.harbor:7000")
    return app


def says(app: Application, workload: str, *lines: str, **fields: Any) -> None:
    """Every pod of a workload logs these lines a few times."""
    for pod in app.pods(workload):
        app.log(pod["metadata"]["name"], workload, *lines * 3, every_seconds=7, **fields)


def service(app: Application, name: str) -> Object:
    return app.get("Service", name)


# ----------------------------------------------------------------------------------------------------- selectors


@scenario(
    "service_selector_mismatch",
    "Service",
    "tariffs",
    variants=("sparse", "events_expired", "old_events", "bystanders", "no_logs"),
)
def selector_typo() -> Application:
    app = harbor()
    service(app, "tariffs")["spec"]["selector"] = {"app": "tarifs"}
    says(app, "manifests", 'ERROR Get "http://tariffs.harbor.svc.cluster.local:8088/v2/rates": dial tcp '
         "10.96.14.7:8088: connect: connection refused")  # fmt: skip
    return app.settled()


@scenario("service_selector_mismatch", "Service", "cranes")
def selector_has_one_label_too_many() -> Application:
    app = harbor()
    service(app, "cranes")["spec"]["selector"] = {"app": "cranes", "tier": "backend"}
    says(app, "berthplan", 'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: '
         'dial tcp 10.96.9.9:50051: connect: connection refused"')  # fmt: skip
    return app.settled()


@scenario("service_selector_mismatch", "Service", "weighbridge")
def selector_matches_another_workload() -> Application:
    """The selector finds pods, but those of tariffs: there are endpoints, and they are the wrong ones."""
    app = harbor("Weighbridge answers are wrong: 404s.")
    service(app, "weighbridge")["spec"]["selector"] = {"app": "tariffs"}
    says(app, "berthplan", "WARN weighbridge returned 404 Not Found for /weigh/last", 'dial tcp 10.96.3.1:7000: connect: '
         "connection refused")  # fmt: skip
    return app.settled()


@scenario(
    "service_selector_mismatch", "Service", "customs", accept=[("service_selector_mismatch", "Deployment", "customs")]
)
def selector_label_removed_by_rollout() -> Application:
    app = harbor("customs unreachable since its last release")
    owner = app.get("Deployment", "customs")
    for place in (owner["spec"]["template"]["metadata"], *(x["spec"]["template"]["metadata"] for x in app.all("ReplicaSet")
                  if x["metadata"]["name"].startswith("customs-"))):  # fmt: skip
        place["labels"] = {"app": "customs", "release": "v1"}
    service(app, "customs")["spec"]["selector"] = {"app": "customs", "release": "v1"}
    owner["spec"]["template"]["metadata"]["labels"] = {"app": "customs", "version": "v2"}
    app.rollout("customs", 16, surge=2, down=2)
    says(app, "manifests", 'Get "http://customs:9443/declare": dial tcp 10.96.3.8:9443: connect: connection refused')
    return app.settled()


@scenario("service_selector_mismatch", "Service", "archive")
def selector_of_stateful_set_headless() -> Application:
    app = harbor("archive-0.archive cannot be resolved")
    app.stateful("archive", 6000)
    service(app, "archive")["spec"]["selector"] = {"app.kubernetes.io/name": "archive"}
    app.env("tariffs", ARCHIVE="archive-0.archive.harbor.svc.cluster.local:6000")
    says(app, "tariffs", "lookup archive-0.archive.harbor.svc.cluster.local on 10.96.0.10:53: no such host")
    return app.settled()


# --------------------------------------------------------------------------------------------------------- ports


@scenario(
    "service_port_mapping_mismatch",
    "Service",
    "manifests",
    variants=("sparse", "events_expired"),
)
def target_port_number_not_served() -> Application:
    app = harbor()
    service(app, "manifests")["spec"]["ports"][0]["targetPort"] = 8008
    says(app, "quayside", "POST manifests:8000/load failed: dial tcp 10.96.1.4:8000: connect: connection refused")
    return app.settled()


@scenario("service_port_mapping_mismatch", "Service", "tariffs")
def target_port_name_unknown() -> Application:
    app = harbor()
    app.configure("tariffs", ports=[{"name": "http-api", "containerPort": 8088}])
    service(app, "tariffs")["spec"]["ports"][0]["targetPort"] = "http"
    says(
        app, "manifests", 'Get "http://tariffs.harbor.svc.cluster.local:8088/v2": dial tcp: connect: connection refused'
    )
    return app.settled()


@scenario("service_port_mapping_mismatch", "Service", "berthplan")
def target_port_is_the_sidecars() -> Application:
    app = harbor("quayside shows metrics pages in place of plans")
    extra = kube.container("exporter", "registry.test/exporter:2", port=9102)
    owner = app.get("Deployment", "berthplan")
    for holder in (owner["spec"]["template"]["spec"], *(p["spec"] for p in app.pods("berthplan"))):
        holder["containers"].append(dict(extra))
    for pod in app.pods("berthplan"):
        pod["status"]["containerStatuses"].append({**app.status(pod), "name": "exporter"})
    app.configure("berthplan", readinessProbe=http_probe(8085))
    service(app, "berthplan")["spec"]["ports"][0]["targetPort"] = 9102
    says(app, "quayside", "berthplan:8085 GET /plan/today: 404 page not found")
    return app.settled()


@scenario("service_port_mapping_mismatch", "Service", "cranes")
def target_port_after_container_moved() -> Application:
    """The rollout moved the container to another port and nobody told the Service."""
    app = harbor("cranes unreachable since 09:12")
    app.template("cranes")["ports"] = [{"name": "grpc", "containerPort": 9090}]
    app.rollout("cranes", 18, surge=2, down=2)
    app.change("deploy", "cranes", "cranes 2.31: listen on 9090", minutes_ago=18)
    says(app, "berthplan", "rpc error: code = Unavailable desc = last connection error: dial tcp 10.96.4.4:50051: connect: "
         "connection refused")  # fmt: skip
    return app.settled()


@scenario("service_protocol_mismatch", "Service", "cranes", variants=("sparse", "no_logs"))
def protocol_udp_for_tcp() -> Application:
    app = harbor()
    service(app, "cranes")["spec"]["ports"][0]["protocol"] = "UDP"
    says(app, "berthplan", "rpc error: code = Unavailable desc = dial tcp 10.96.4.4:50051: i/o timeout")
    return app.settled()


def meshed(app: Application, *names: str) -> None:
    """Sidecars of the mesh in these workloads."""
    proxy = kube.container("istio-proxy", "docker.io/istio/proxyv2:1.24.2", port=15090)
    for name in names:
        owner = app.get("Deployment", name)
        for holder in (owner["spec"]["template"]["spec"], *(p["spec"] for p in app.pods(name))):
            holder["containers"].append(dict(proxy))
        for pod in app.pods(name):
            pod["status"]["containerStatuses"].append({**app.status(pod), "name": "istio-proxy"})


@scenario("service_protocol_mismatch", "Service", "cranes")
def protocol_port_named_http_carries_grpc() -> Application:
    app = harbor("berthplan gets protocol errors from cranes")
    meshed(app, *SERVICES)
    app.configure("cranes", ports=[{"name": "grpc", "containerPort": 50051}], readinessProbe={"grpc": {"port": 50051}})
    service(app, "cranes")["spec"]["ports"][0] |= {"name": "http-api", "appProtocol": "http"}
    for other in SERVICES:
        if other != "cranes":
            service(app, other)["spec"]["ports"][0] |= {"name": "http"}
    says(app, "berthplan", "rpc error: code = Unavailable desc = upstream connect error or disconnect/reset before headers. "
         "reset reason: protocol error")  # fmt: skip
    return app.settled()


@scenario("service_protocol_mismatch", "Service", "tariffs")
def protocol_app_protocol_https_on_plain_http() -> Application:
    app = harbor("502 from tariffs")
    meshed(app, *SERVICES)
    app.configure("tariffs", readinessProbe=http_probe(8088), ports=[{"name": "http", "containerPort": 8088}])
    service(app, "tariffs")["spec"]["ports"][0] |= {"name": "web", "appProtocol": "https"}
    says(app, "manifests", "upstream connect error or disconnect/reset before headers. reset reason: connection "
         "termination, TLS_error:|268435703:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER")  # fmt: skip
    return app.settled()


# ----------------------------------------------------------------------------------------------------- addresses


@scenario(
    "service_env_var_address_mismatch",
    "Deployment",
    "quayside",
    variants=("sparse", "events_expired"),
)
def address_host_typo() -> Application:
    app = harbor()
    app.env("quayside", MANIFESTS_ADDR="manifest:8000", BERTHPLAN_ADDR="berthplan:8085")
    says(app, "quayside", "load list: dial tcp: lookup manifest on 10.96.0.10:53: no such host")
    return app.settled()


@scenario("service_env_var_address_mismatch", "Deployment", "berthplan")
def address_wrong_port() -> Application:
    app = harbor()
    app.env("berthplan", CRANES_ADDR="cranes:50015", WEIGHBRIDGE_ADDR="weighbridge.harbor:7000")
    says(app, "berthplan", 'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: '
         'dial tcp 10.96.4.4:50015: i/o timeout"')  # fmt: skip
    return app.settled()


@scenario("service_env_var_address_mismatch", "Deployment", "manifests")
def address_wrong_namespace_in_url() -> Application:
    app = harbor()
    app.env("manifests", CUSTOMS_URL="http://customs.harbour.svc.cluster.local:9443", TARIFFS_URL="http://tariffs:8088")
    says(app, "manifests", "getaddrinfo ENOTFOUND customs.harbour.svc.cluster.local")
    return app.settled()


@scenario("service_env_var_address_mismatch", "Deployment", "tariffs")
def address_in_config_map_env_from() -> Application:
    app = harbor("tariffs cannot reach its store")
    app.stateful("ledger-db", 5432, replicas=1)
    app.add(kube.config_map("tariffs-env", NS, LEDGER_DSN="postgres://tariffs@ledgerdb:5432/tariffs?sslmode=disable"))
    app.configure("tariffs", envFrom=[{"configMapRef": {"name": "tariffs-env"}}])
    says(app, "tariffs", 'psycopg2.OperationalError: could not translate host name "ledgerdb" to address: Name or service '
         "not known")  # fmt: skip
    return app.settled()


@scenario("service_env_var_address_mismatch", "Deployment", "weighbridge")
def address_in_arguments() -> Application:
    app = harbor()
    app.configure("weighbridge", args=["--listen=:7000", "--tariff-service=tariffs:8080"])
    says(app, "weighbridge", "calling tariffs:8080: connect: connection timed out")
    return app.settled()


@scenario("service_env_var_address_mismatch", "Deployment", "customs")
def address_split_host_and_port() -> Application:
    app = harbor("customs: events are not delivered")
    app.stateful("bus", 5672, replicas=1, headless=False)
    app.env("customs", BUS_HOST="bus", BUS_PORT="5627", BUS_VHOST="/")
    says(app, "customs", "pika.exceptions.AMQPConnectionError: [Errno 111] Connection refused (bus:5627)")
    return app.settled()


# ------------------------------------------------------------------------------------------------------ gateways


def ingress(
    app: Application, name: str, backend: str, port: Object, *, host: str = "desk.example.com", **fields: Any
) -> Object:
    made: Object = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": kube.metadata("Ingress", name, NS),
        "spec": {
            "ingressClassName": "nginx",
            "rules": [{"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {
                "service": {"name": backend, "port": port}}}]}}],
            **fields,
        },
        "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.9"}]}},
    }  # fmt: skip
    app.add(made)
    return made


def ingress_class(app: Application, name: str = "nginx") -> None:
    app.add({"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": kube.metadata("IngressClass", name),
             "spec": {"controller": "k8s.io/ingress-nginx"}})  # fmt: skip


@scenario("ingress_misconfigured", "Ingress", "desk", variants=("sparse", "no_logs"))
def ingress_service_missing() -> Application:
    app = harbor("desk.example.com answers 503")
    ingress_class(app)
    ingress(app, "desk", "quay-side", {"number": 8080})
    return app.settled()


@scenario("ingress_misconfigured", "Ingress", "desk")
def ingress_port_name_missing() -> Application:
    app = harbor("desk.example.com answers 503")
    ingress_class(app)
    ingress(app, "desk", "quayside", {"name": "web"})
    return app.settled()


@scenario("ingress_misconfigured", "Ingress", "desk")
def ingress_class_unknown() -> Application:
    app = harbor("desk.example.com answers 404")
    ingress_class(app)
    made = ingress(app, "desk", "quayside", {"number": 8080}, ingressClassName="ngnix")
    made["status"] = {"loadBalancer": {}}
    return app.settled()


@scenario("ingress_misconfigured", "Ingress", "desk")
def ingress_backend_protocol_https_for_plain_http() -> Application:
    app = harbor("desk.example.com answers 502")
    ingress_class(app)
    made = ingress(app, "desk", "quayside", {"number": 8080})
    made["metadata"]["annotations"]["nginx.ingress.kubernetes.io/backend-protocol"] = "HTTPS"
    app.configure("quayside", readinessProbe=http_probe(8080))
    app.log("ingress-nginx-controller-7d9", "controller",
            *["2026/04/14 09:29:01 [error] 31#31: *812 SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong "
              "version number) while SSL handshaking to upstream, client: 198.51.100.7, server: desk.example.com, request: "
              '"GET / HTTP/1.1", upstream: "https://10.244.1.3:8080/", host: "desk.example.com"'] * 3,
            namespace=NS)  # fmt: skip
    return app.settled()


@scenario("ingress_misconfigured", "Ingress", "desk")
def ingress_tls_secret_missing() -> Application:
    app = harbor("browsers warn about the certificate of desk.example.com")
    ingress_class(app)
    ingress(app, "desk", "quayside", {"number": 8080}, tls=[{"hosts": ["desk.example.com"], "secretName": "desk-tls"}])
    app.add({"apiVersion": "v1", "kind": "Secret", "metadata": kube.metadata("Secret", "desk-cert", NS),
             "type": "kubernetes.io/tls", "data": {}})  # fmt: skip
    app.log("ingress-nginx-controller-7d9", "controller",
            'W0414 09:29:11.000000 7 controller.go:1469] Error getting SSL certificate "harbor/desk-tls": local SSL '
            "certificate harbor/desk-tls was not found. Using default certificate", namespace=NS)  # fmt: skip
    return app.settled()


def http_route(
    app: Application, backends: list[Object], *, accepted: Object | None = None, resolved: Object | None = None
) -> Object:
    def condition(kind: str, given: Object | None, good: str) -> Object:
        return {"type": kind, "status": "True", "reason": good, "message": "", **(given or {})}

    made: Object = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": kube.metadata("HTTPRoute", "desk-route", NS),
        "spec": {
            "parentRefs": [{"name": "public"}],
            "hostnames": ["desk.example.com"],
            "rules": [{"matches": [{"path": {"type": "PathPrefix", "value": "/"}}], "backendRefs": backends}],
        },
        "status": {"parents": [{"parentRef": {"name": "public"}, "conditions": [
            condition("Accepted", accepted, "Accepted"), condition("ResolvedRefs", resolved, "ResolvedRefs")]}]},
    }  # fmt: skip
    gateway = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": kube.metadata("Gateway", "public", NS),
        "spec": {"gatewayClassName": "envoy", "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}]},
        "status": {"conditions": [{"type": "Programmed", "status": "True", "reason": "Programmed"}]},
    }
    app.add(made, gateway)
    return made


@scenario("gateway_misroute", "HTTPRoute", "desk-route", variants=("sparse", "no_logs"))
def route_backend_not_found() -> Application:
    app = harbor("desk.example.com: 500")
    http_route(app, [{"name": "quayside-v2", "port": 8080}], resolved={
        "status": "False", "reason": "BackendNotFound", "message": "Service harbor/quayside-v2 not found"})  # fmt: skip
    return app.settled()


@scenario("gateway_misroute", "HTTPRoute", "desk-route")
def route_backend_port_unknown_without_status() -> Application:
    app = harbor("desk.example.com: 503")
    made = http_route(app, [{"name": "quayside", "port": 80}])
    made["status"] = {}
    return app.settled()


@scenario("gateway_misroute", "HTTPRoute", "desk-route")
def route_not_allowed_by_parent() -> Application:
    app = harbor("desk.example.com: 404")
    http_route(app, [{"name": "quayside", "port": 8080}], accepted={
        "status": "False", "reason": "NoMatchingListenerHostname",
        "message": "no listener of Gateway public matches desk.example.com"})  # fmt: skip
    return app.settled()


def virtual_service(app: Application, host: str, routes: list[Object]) -> Object:
    made: Object = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": kube.metadata("VirtualService", f"{host}-routes", NS),
        "spec": {"hosts": [host], "http": [{"route": routes}]},
    }
    app.add(made)
    return made


def destination_rule(app: Application, host: str, **spec: Any) -> Object:
    made: Object = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "DestinationRule",
        "metadata": kube.metadata("DestinationRule", f"{host}-rule", NS),
        "spec": {"host": host, **spec},
    }
    app.add(made)
    return made


@scenario(
    "gateway_misroute",
    "VirtualService",
    "tariffs-routes",
    accept=[("gateway_misroute", "DestinationRule", "tariffs-rule")],
)
def route_to_subset_without_pods() -> Application:
    app = harbor("tariffs: half of the calls fail with 503 UH")
    meshed(app, *SERVICES)
    destination_rule(app, "tariffs", subsets=[{"name": "stable", "labels": {"app": "tariffs"}},
                                              {"name": "next", "labels": {"version": "v2"}}])  # fmt: skip
    virtual_service(app, "tariffs", [
        {"destination": {"host": "tariffs", "subset": "stable"}, "weight": 50},
        {"destination": {"host": "tariffs", "subset": "next"}, "weight": 50}])  # fmt: skip
    says(app, "manifests", "GET http://tariffs:8088/v2: 503 no healthy upstream")
    return app.settled()


@scenario("gateway_misroute", "VirtualService", "customs-routes")
def route_to_subset_not_defined() -> Application:
    app = harbor("customs: 503 NR")
    meshed(app, *SERVICES)
    destination_rule(app, "customs", subsets=[{"name": "blue", "labels": {"app": "customs"}}])
    virtual_service(app, "customs", [{"destination": {"host": "customs", "subset": "green"}, "weight": 100}])
    app.log(app.pods("manifests")[0]["metadata"]["name"], "istio-proxy",
            '[2026-04-14T09:29:02.1Z] "POST /declare HTTP/1.1" 503 NC cluster_not_found - "-" 11 0 0 - "-" "customs:9443" "-" '
            "- - 10.96.3.3:9443 10.244.1.2:40001 - -")  # fmt: skip
    return app.settled()


@scenario("gateway_misroute", "VirtualService", "cranes-routes")
def route_to_host_that_does_not_exist() -> Application:
    app = harbor("cranes: 503")
    meshed(app, *SERVICES)
    virtual_service(
        app, "cranes", [{"destination": {"host": "crane.harbor.svc.cluster.local", "port": {"number": 50051}}}]
    )
    says(app, "berthplan", "rpc error: code = Unavailable desc = no healthy upstream")
    return app.settled()


# ------------------------------------------------------------------------------------------------------ policies


def policy(app: Application, name: str, **spec: Any) -> Object:
    made: Object = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": kube.metadata("NetworkPolicy", name, NS, created=app.stamp(25)),
        "spec": spec,
    }
    app.add(made)
    return made


ACCEPT_POLICY = [("network_policy_denied", "Deployment", "tariffs")]


@scenario(
    "network_policy_denied",
    "NetworkPolicy",
    "lock-tariffs",
    accept=ACCEPT_POLICY,
    variants=("sparse", "events_expired"),
)
def policy_denies_ingress_to_callee() -> Application:
    app = harbor()
    policy(app, "lock-tariffs", podSelector={"matchLabels": {"app": "tariffs"}}, policyTypes=["Ingress"])
    says(
        app, "manifests", 'Get "http://tariffs.harbor.svc.cluster.local:8088/v2": dial tcp 10.96.2.2:8088: i/o timeout'
    )
    return app.settled()


@scenario("network_policy_denied", "NetworkPolicy", "tariffs-in", accept=ACCEPT_POLICY)
def policy_allows_other_label() -> Application:
    app = harbor()
    policy(app, "tariffs-in", podSelector={"matchLabels": {"app": "tariffs"}}, policyTypes=["Ingress"],
           ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "manifest"}}}], "ports": [{"port": 8088}]}])  # fmt: skip
    says(app, "manifests", "tariffs.harbor.svc.cluster.local:8088: connect timed out")
    return app.settled()


@scenario(
    "network_policy_denied", "NetworkPolicy", "cranes-in", accept=[("network_policy_denied", "Deployment", "cranes")]
)
def policy_allows_other_port() -> Application:
    app = harbor()
    policy(app, "cranes-in", podSelector={"matchLabels": {"app": "cranes"}}, policyTypes=["Ingress"],
           ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "berthplan"}}}],
                     "ports": [{"port": 5051, "protocol": "TCP"}]}])  # fmt: skip
    says(app, "berthplan", "rpc error: code = DeadlineExceeded desc = dial tcp 10.96.4.4:50051: i/o timeout")
    return app.settled()


@scenario(
    "network_policy_denied",
    "NetworkPolicy",
    "egress-lock",
    accept=[("network_policy_denied", "Deployment", "quayside")],
)
def policy_egress_without_dns() -> Application:
    app = harbor("quayside cannot resolve anything")
    policy(app, "egress-lock", podSelector={"matchLabels": {"app": "quayside"}}, policyTypes=["Egress"],
           egress=[{"to": [{"podSelector": {}}], "ports": [{"port": 8000}, {"port": 8085}]}])  # fmt: skip
    says(
        app,
        "quayside",
        "dial tcp: lookup manifests on 10.96.0.10:53: read udp 10.244.1.5:41022->10.96.0.10:53: i/o timeout",
    )
    return app.settled()


@scenario(
    "network_policy_denied",
    "NetworkPolicy",
    "default-deny",
    accept=[("network_policy_denied", "Deployment", name) for name in SERVICES],
)
def policy_default_deny_all() -> Application:
    app = harbor("everything in harbor times out")
    policy(app, "default-deny", podSelector={}, policyTypes=["Ingress", "Egress"])
    says(app, "quayside", "dial tcp 10.96.1.4:8000: i/o timeout")
    says(app, "manifests", 'Get "http://customs:9443/declare": dial tcp 10.96.3.8:9443: i/o timeout')
    says(app, "berthplan", "dial tcp 10.96.4.4:50051: i/o timeout")
    return app.settled()


# ----------------------------------------------------------------------------------------------------------- DNS


@scenario("service_dns_resolution_failure", "Deployment", "manifests", variants=("sparse", "old_events"))
def dns_policy_default() -> Application:
    app = harbor()
    owner = app.get("Deployment", "manifests")
    for holder in (owner["spec"]["template"]["spec"], *(p["spec"] for p in app.pods("manifests"))):
        holder["dnsPolicy"] = "Default"
    says(
        app, "manifests", 'Get "http://customs:9443/declare": dial tcp: lookup customs on 169.254.20.2:53: no such host'
    )
    return app.settled()


@scenario("service_dns_resolution_failure", "Deployment", "quayside")
def dns_config_wrong_nameserver() -> Application:
    app = harbor()
    owner = app.get("Deployment", "quayside")
    for holder in (owner["spec"]["template"]["spec"], *(p["spec"] for p in app.pods("quayside"))):
        holder |= {"dnsPolicy": "None", "dnsConfig": {"nameservers": ["10.0.0.53"], "searches": ["example.com"]}}
    says(app, "quayside", "getaddrinfo EAI_AGAIN manifests", "getaddrinfo EAI_AGAIN berthplan")
    return app.settled()


@scenario("service_dns_resolution_failure", "Deployment", "berthplan")
def dns_host_network_without_cluster_first() -> Application:
    """With hostNetwork, ClusterFirst falls back to the node's resolver."""
    app = harbor()
    owner = app.get("Deployment", "berthplan")
    for holder in (owner["spec"]["template"]["spec"], *(p["spec"] for p in app.pods("berthplan"))):
        holder["hostNetwork"] = True
    says(app, "berthplan", "rpc error: code = Unavailable desc = name resolver error: produced zero addresses",
         "dial tcp: lookup cranes on 192.168.4.1:53: no such host")  # fmt: skip
    return app.settled()


@scenario("service_dns_resolution_failure", "Deployment", "tariffs")
def dns_temporary_failure_in_one_workload() -> Application:
    app = harbor("tariffs cannot find weighbridge though it is there")
    app.env("tariffs", WEIGHBRIDGE="http://weighbridge:7000")
    owner = app.get("Deployment", "tariffs")
    for holder in (owner["spec"]["template"]["spec"], *(p["spec"] for p in app.pods("tariffs"))):
        holder["dnsConfig"] = {"options": [{"name": "ndots", "value": "0"}]}
    says(app, "tariffs", "requests.exceptions.ConnectionError: Failed to resolve 'weighbridge' ([Errno -3] Temporary failure in "
         "name resolution)")  # fmt: skip
    return app.settled()


# ---------------------------------------------------------------------------------------------------------- mTLS


def peer_authentication(frozen: Application, mode: str, /, **selector: str) -> None:
    spec: Object = {"mtls": {"mode": mode}}
    if selector:
        spec["selector"] = {"matchLabels": selector}
    name = "-".join(("strict", *selector.values()))
    frozen.add({"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication",
             "metadata": kube.metadata("PeerAuthentication", name, NS), "spec": spec})  # fmt: skip


@scenario("mtls_mismatch", "Deployment", "berthplan", accept=[
    ("mtls_mismatch", "PeerAuthentication", "strict-cranes"), ("mtls_mismatch", "Deployment", "cranes")])  # fmt: skip
def mtls_strict_but_caller_has_no_sidecar() -> Application:
    app = harbor("berthplan cannot call cranes")
    meshed(app, *(name for name in SERVICES if name != "berthplan"))
    peer_authentication(app, "STRICT", **{"app": "cranes"})
    says(app, "berthplan", "rpc error: code = Unavailable desc = connection closed before server preface received: read tcp "
         "10.244.1.4:51820->10.244.2.9:50051: read: connection reset by peer")  # fmt: skip
    return app.settled()


@scenario("mtls_mismatch", "DestinationRule", "tariffs-rule", accept=[
    ("mtls_mismatch", "Deployment", "tariffs"), ("mtls_mismatch", "PeerAuthentication", "strict"),
    ("mtls_mismatch", "Deployment", "manifests")])  # fmt: skip
def mtls_destination_rule_disables() -> Application:
    app = harbor("tariffs: 503 UC for all callers")
    meshed(app, *SERVICES)
    peer_authentication(app, "STRICT")
    destination_rule(app, "tariffs", trafficPolicy={"tls": {"mode": "DISABLE"}})
    says(
        app,
        "manifests",
        "upstream connect error or disconnect/reset before headers. reset reason: connection termination",
    )
    return app.settled()


@scenario("mtls_mismatch", "Deployment", "weighbridge", accept=[
    ("mtls_mismatch", "DestinationRule", "weighbridge-rule"), ("mtls_mismatch", "Deployment", "berthplan")])  # fmt: skip
def mtls_istio_mutual_to_pod_without_sidecar() -> Application:
    app = harbor("weighbridge: TLS errors")
    meshed(app, *(name for name in SERVICES if name != "weighbridge"))
    destination_rule(app, "weighbridge", trafficPolicy={"tls": {"mode": "ISTIO_MUTUAL"}})
    says(app, "berthplan", "upstream connect error or disconnect/reset before headers. retried and the latest reset reason: "
         "remote connection failure, transport failure reason: TLS_error:|268435703:SSL "
         "routines:OPENSSL_internal:WRONG_VERSION_NUMBER:TLS_error_end")  # fmt: skip
    return app.settled()


# ------------------------------------------------------------------------------------------------- nothing wrong


@scenario(None, no_cause=True)
def nothing_odd_but_legitimate_routing() -> Application:
    """Headless, ExternalName, selectorless and not-yet-used Services, a route and a policy that allows what is used."""
    app = harbor("Latency alert, cleared by itself.")
    app.stateful("archive", 6000)
    ingress_class(app)
    ingress(app, "desk", "quayside", {"number": 8080})
    app.add({"apiVersion": "v1", "kind": "Service", "metadata": kube.metadata("Service", "rates-provider", NS),
             "spec": {"type": "ExternalName", "externalName": "api.rates.example.org"}})  # fmt: skip
    app.env("tariffs", RATES="https://rates-provider:443", PUBLIC="https://api.example.org/v1")
    policy(app, "tariffs-in", podSelector={"matchLabels": {"app": "tariffs"}}, policyTypes=["Ingress"],
           ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "manifests"}}}], "ports": [{"port": 8088}]}])  # fmt: skip
    return app.settled()
