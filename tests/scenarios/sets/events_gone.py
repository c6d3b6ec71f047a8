"""Incidents seen more than an hour later: the API server has forgotten its Events, and only objects and logs are left.

What the kubelet, the scheduler and the runtime said is gone. Clocks, exit codes, specifications and listings stay. The
application lends out books.
"""

from typing import Any

from agent_sre.testing.kubernetes_objects import container
from tests.scenarios.application import Application, application, grpc_probe, http_probe, tcp_probe
from tests.scenarios.frozen import Object
from tests.scenarios.sets.registry import scenario
from tests.scenarios.variants import events_expired

SERVICES = {"desk": 3000, "catalogue": 8080, "holds": 8085, "fines": 50060, "stacks": 9100}
CALLS = (("desk", "catalogue"), ("desk", "holds"), ("holds", "fines"), ("catalogue", "stacks"))


def library(description: str) -> Application:
    return application("library", SERVICES, calls=CALLS, description=description)


def forgotten(app: Application) -> Application:
    """The case once its Events have expired."""
    app.settled()
    events_expired(app)
    return app


def waiting_for_image(app: Application, workload: str, image: str, **spec: Any) -> None:
    """A rollout of an image that cannot be pulled, of which nothing but the reason is told."""
    owner = app.get("Deployment", workload)["spec"]["template"]["spec"]
    owner["containers"][0]["image"] = image
    owner |= spec
    for pod in app.rollout(workload, 70, down=1):
        pod["status"]["phase"] = "Pending"
        app.status(pod).update(ready=False, started=False, state={"waiting": {"reason": "ImagePullBackOff"}})
        app.status(pod)["lastState"] = {}


def secret(app: Application, name: str) -> Object:
    made = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": app.namespace},
        "type": "kubernetes.io/dockerconfigjson",
    }
    app.add(made)
    return made


# --------------------------------------------------------------------------------------------------------- probes


@scenario("liveness_probe_incorrect_port", "Deployment", "holds", variants=("sparse", "no_logs"))
def the_process_turns_the_signal_into_exit_code_2() -> Application:
    app = library("holds is unavailable again and again")
    probe = http_probe(8058, initialDelaySeconds=20, periodSeconds=10, failureThreshold=3)
    app.configure("holds", livenessProbe=probe, readinessProbe=http_probe(8085))
    for pod in app.pods("holds"):
        app.crashing(pod, 2, restarts=9, ran_seconds=51)
        app.log(pod["metadata"]["name"], "holds", "holds listens on :8085", "received SIGTERM, leaving", previous=True)
    return forgotten(app)


@scenario("liveness_probe_incorrect_port", "Deployment", "catalogue")
def no_port_is_declared_and_readiness_names_another() -> Application:
    app = library("catalogue restarts every minute")
    probe = tcp_probe(8008, initialDelaySeconds=5, periodSeconds=15, failureThreshold=3)
    app.configure("catalogue", ports=[], livenessProbe=probe, readinessProbe=http_probe(8080))
    for pod in app.pods("catalogue"):
        app.crashing(pod, 143, restarts=7, ran_seconds=50)
    return forgotten(app)


@scenario("liveness_probe_incorrect_protocol", "Deployment", "fines")
def http_asked_of_grpc_ends_with_code_2() -> Application:
    app = library("fines is unavailable again and again")
    probe = http_probe(50060, initialDelaySeconds=10, periodSeconds=10, failureThreshold=3)
    app.configure("fines", livenessProbe=probe, readinessProbe=grpc_probe(50060))
    for pod in app.pods("fines"):
        app.crashing(pod, 2, restarts=5, ran_seconds=40)
    return forgotten(app)


@scenario("crash_on_start", "Deployment", "stacks", variants=("no_logs",))
def it_dies_long_before_its_probe_gives_up() -> Application:
    app = library("stacks does not come up")
    probe = http_probe(9100, initialDelaySeconds=30, periodSeconds=10, failureThreshold=3)
    app.configure("stacks", livenessProbe=probe, readinessProbe=http_probe(9100))
    for pod in app.pods("stacks"):
        app.crashing(pod, 2, restarts=9, ran_seconds=3)
        app.log(pod["metadata"]["name"], "stacks", "stacks starts", "cannot open the shelf index", previous=True)
    return forgotten(app)


# --------------------------------------------------------------------------------------------------------- images


@scenario("missing_image_pull_secret", "Deployment", "holds", variants=("sparse",))
def the_pull_secret_it_names_is_not_listed() -> Application:
    app = library("the rollout of holds does not finish")
    secret(app, "tls-desk")
    waiting_for_image(app, "holds", "images.library.test/holds:5", imagePullSecrets=[{"name": "images-reader"}])
    return forgotten(app)


@scenario("missing_image_pull_secret", "Deployment", "fines")
def all_others_of_the_registry_name_a_pull_secret() -> Application:
    app = library("the rollout of fines does not finish")
    secret(app, "images-reader")
    for name in ("catalogue", "stacks"):
        for pod in app.pods(name):
            pod["spec"]["imagePullSecrets"] = [{"name": "images-reader"}]
            pod["spec"]["containers"][0]["image"] = f"images.library.test/{name}:4"
    waiting_for_image(app, "fines", "images.library.test/fines:5")
    return forgotten(app)


# ------------------------------------------------------------------------------------------------------ scheduling


@scenario("node_selector_mismatch", "Deployment", "holds")
def a_name_does_not_resolve_while_its_new_pod_finds_no_node() -> Application:
    app = library("desk answers errors")
    made = app.get("Deployment", "holds")["spec"]["template"]["spec"]
    made["nodeSelector"] = {"library.test/hall": "reading"}
    made["containers"] = [container("holds", "images.library.test/holds:6", port=8085)]
    for pod in app.rollout("holds", 70, down=1):
        pod["spec"].pop("nodeName", None)
        pod["status"] = {"phase": "Pending", "conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]}  # fmt: skip
    for pod in app.pods("desk"):
        told = "ERROR list holds: dial tcp: lookup holds on 10.96.0.10:53: no such host"
        app.log(pod["metadata"]["name"], "desk", *[told] * 12)
    return forgotten(app)
