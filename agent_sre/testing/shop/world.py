"""The shop itself: its workloads, the bad deploy, and the controllers that react when somebody repairs it.

``checkout`` was rolled out two minutes before the demo begins, from 1.8.0 to 1.9.0, whose new code fails on a third of
the orders. Everything observable follows from which image each service runs at which time: metrics, log lines, events.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from agent_sre.domain.instant import format_instant
from agent_sre.domain.merge_patch import same
from agent_sre.domain.reference import ObjectRef
from agent_sre.domain.telemetry import Series
from agent_sre.testing import kubernetes_objects as k8s
from agent_sre.testing.cluster import FakeCluster
from agent_sre.testing.shop.traffic import BASE_P95_MS, NAMESPACE, Traffic

GOOD, BAD = "registry.shop.example/checkout:1.8.0", "registry.shop.example/checkout:1.9.0"
DEPLOYED_BEFORE = timedelta(minutes=2)
"""How long before the demo's start the bad version went live."""
ROLLOUT = timedelta(seconds=4)
"""How long a rollout takes in the shop."""
HISTORY = timedelta(minutes=75)
BROKEN_SHARE = 0.34
CHECKOUT = ObjectRef("Deployment", NAMESPACE, "checkout")


@dataclass(frozen=True, slots=True)
class Rollout:
    """A version of checkout: since when, which image, which ReplicaSet."""

    at: datetime
    image: str
    replica_set: str


class ShopWorld:
    """The shop from ``start`` on. ``cluster`` is both reader and writer; the other readers are in ``telemetry``."""

    def __init__(self, start: datetime) -> None:
        self.start = start
        born = start - timedelta(days=9)
        self.rollouts = [
            Rollout(born, GOOD, "checkout-6d5f9c7b44"),
            Rollout(start - DEPLOYED_BEFORE, BAD, "checkout-7c9b8d6f55"),
        ]
        self._traffic = Traffic((start - HISTORY).timestamp(), self._error_share, self.pods)
        self.cluster = FakeCluster(self._objects(born), on_patch=self._deployment_controller)
        self.clock_now = start
        """Moved by ``tick``; what a controller takes for the time of its writes."""

    def tick(self, now: datetime) -> None:
        """Let time pass: a rollout under way completes."""
        self.clock_now = now
        current = self.rollouts[-1]
        deployment = self._deployment()
        generation = deployment["metadata"]["generation"]
        if deployment["status"]["observedGeneration"] != generation and now >= current.at + ROLLOUT:
            self._complete(current, generation)

    def series(self, now: datetime) -> tuple[Series, ...]:
        """What Prometheus holds at ``now``."""
        return self._traffic.series(now.timestamp())

    def image_at(self, service: str, time: float) -> str:
        """The image a service serves from at an instant (seconds since the epoch)."""
        if service != "checkout":
            return f"registry.shop.example/{service}:2.3.1"
        live = [item for item in self.rollouts if (item.at + ROLLOUT / 2).timestamp() <= time]
        return (live or self.rollouts[:1])[-1].image

    def pods(self, service: str, time: float) -> tuple[str, ...]:
        """The pods of a service at an instant."""
        if service != "checkout":
            return tuple(f"{service}-59d8c6b7f4-{suffix}" for suffix in ("x2kfp", "m8w9d"))
        live = [item for item in self.rollouts if (item.at + ROLLOUT / 2).timestamp() <= time]
        return _pod_names((live or self.rollouts[:1])[-1].replica_set)

    def _error_share(self, service: str, time: float) -> float:
        broken = self.image_at("checkout", time) == BAD
        if service == "checkout":
            return BROKEN_SHARE if broken else 0.002
        # web passes the failure on to the share of its requests that are orders.
        if service == "web":
            return 0.07 if broken else 0.001
        return 0.0005

    # ------------------------------------------------------------------------------------------------ the cluster

    def _objects(self, born: datetime) -> list[Mapping[str, Any]]:
        created = format_instant(born)
        objects: list[Mapping[str, Any]] = [k8s.node("node-1"), k8s.node("node-2")]
        for service in BASE_P95_MS:
            objects += [k8s.service(service), k8s.endpoints(service, addresses=("10.1.0.11", "10.1.0.12"))]
            if service == "checkout":
                continue
            deployment = k8s.deployment(service, image=f"registry.shop.example/{service}:2.3.1")
            owner = k8s.replica_set(deployment, "59d8c6b7f4", revision=1, replicas=2, created=created)
            objects += [deployment, owner]
            objects += [k8s.pod(name, owner=owner) for name in self.pods(service, self.start.timestamp())]
        return objects + self._checkout(created)

    def _checkout(self, created: str) -> list[Mapping[str, Any]]:
        old, new = self.rollouts
        deployment = k8s.deployment("checkout", template=_template(new.image), revision=2)
        before = _replica_set(deployment, old, revision=1, replicas=0, created=created)
        after = _replica_set(deployment, new, revision=2, replicas=2, created=format_instant(new.at))
        run = k8s.Run(started=format_instant(new.at + ROLLOUT / 2))
        pods = [k8s.pod(name, owner=after, run=run) for name in _pod_names(new.replica_set)]
        return [deployment, before, after, *pods, _scaled(deployment, new.replica_set, 2, new.at)]

    def _deployment_controller(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """React to a patch as Kubernetes would: a changed template starts a rollout, an earlier one goes back to it."""
        if after["metadata"]["name"] != "checkout" or same(before["spec"]["template"], after["spec"]["template"]):
            return
        image = after["spec"]["template"]["spec"]["containers"][0]["image"]
        known = next((item for item in self.rollouts if item.image == image), None)
        restarted = known is None or image == self.rollouts[-1].image
        name = f"checkout-5b7f4d8c{len(self.rollouts)}2" if restarted or known is None else known.replica_set
        self.rollouts.append(Rollout(self.clock_now, image, name))
        self.cluster.add(_scaled(after, name, 2, self.clock_now))

    def _deployment(self) -> dict[str, Any]:
        found = self.cluster.peek(CHECKOUT)
        if found is None:
            raise KeyError(f"{CHECKOUT} was deleted; the shop needs it")
        return found

    def _complete(self, current: Rollout, generation: int) -> None:
        deployment = self._deployment()
        at = format_instant(current.at)
        revision = len(self.rollouts)
        for earlier in self.rollouts[:-1]:
            ref = ObjectRef("ReplicaSet", NAMESPACE, earlier.replica_set)
            if earlier.replica_set != current.replica_set and self.cluster.peek(ref) is not None:
                self.cluster.update(ref, {"spec": {"replicas": 0}, "status": {"replicas": 0, "readyReplicas": 0}})
            for name in _pod_names(earlier.replica_set):
                if self.cluster.peek(ObjectRef("Pod", NAMESPACE, name)) is not None:
                    self.cluster.drop(ObjectRef("Pod", NAMESPACE, name))
        created = at
        stored = self.cluster.peek(ObjectRef("ReplicaSet", NAMESPACE, current.replica_set))
        if stored is not None:
            created = stored["metadata"]["creationTimestamp"]
        owner = _replica_set(deployment, current, revision=revision, replicas=2, created=created)
        self.cluster.add(owner)
        for name in _pod_names(current.replica_set):
            self.cluster.add(k8s.pod(name, owner=owner, run=k8s.Run(started=at)))
        self.cluster.update(
            CHECKOUT,
            {
                "metadata": {"annotations": {"deployment.kubernetes.io/revision": str(revision)}},
                "status": {
                    "observedGeneration": generation,
                    "replicas": 2,
                    "updatedReplicas": 2,
                    "readyReplicas": 2,
                    "availableReplicas": 2,
                },
            },
        )


def _template(image: str) -> dict[str, Any]:
    container = k8s.container("checkout", image, env={"PAYMENTS_ADDR": "payments:80", "SHIPPING_ADDR": "shipping:80"})
    return k8s.pod_template("checkout", [container])


def _replica_set(
    deployment: Mapping[str, Any], rollout: Rollout, *, revision: int, replicas: int, created: str
) -> dict[str, Any]:
    suffix = rollout.replica_set.removeprefix("checkout-")
    template = _template(rollout.image)
    return k8s.replica_set(deployment, suffix, revision=revision, template=template, replicas=replicas, created=created)


def _scaled(deployment: Mapping[str, Any], replica_set: str, replicas: int, at: datetime) -> dict[str, Any]:
    found = k8s.event(
        deployment,
        "ScalingReplicaSet",
        f"Scaled up replica set {replica_set} from 0 to {replicas}",
        kind="Normal",
        at=format_instant(at),
        component="deployment-controller",
    )
    found["metadata"]["name"] = f"checkout.{replica_set}.{int(at.timestamp())}"
    return found


def _pod_names(replica_set: str) -> tuple[str, ...]:
    return tuple(f"{replica_set}-{suffix}" for suffix in ("q7znv", "t4hjc"))
