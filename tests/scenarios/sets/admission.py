"""Pods (or Services, or claims) that the API server refuses: quotas, limits, policies, missing accounts and rights.

The application is a library's lending system. What differs between scenarios of one type is where the refusal shows
(a condition, an event, only the specification), whose pods are refused, and what else looks wrong.
"""

from typing import Any

from agent_sre.testing.kubernetes_objects import config_map, container
from tests.scenarios.estate import Estate, account, claim, limit_range, mounted, quota, requests, space
from tests.scenarios.frozen import Frozen, Object
from tests.scenarios.sets.registry import scenario

_SERVICES = ("catalog", "loans", "reservations", "patrons", "fines", "search")


def _library(*services: str, namespace: str = "lending", **fields: Any) -> Estate:
    return Estate(namespace, services or _SERVICES, **fields)


# ------------------------------------------------------------------------------------------- service accounts

_NO_ACCOUNT = 'pods "{{pod}}" is forbidden: error looking up service account {0}/{1}: serviceaccount "{1}" not found'


@scenario(
    "missing_service_account", name="notices", variants=("described", "old_events", "bystanders", "events_expired")
)
def account_never_made() -> Frozen:
    estate = _library()
    estate.refused("notices", _NO_ACCOUNT.format("lending", "notices-sender"), serviceAccountName="notices-sender")
    estate.suffers("loans", "notices")
    return estate.frozen


@scenario("missing_service_account", "StatefulSet", "shelf-index", variants=("old_events",))
def account_deleted_and_one_replica_gone() -> Frozen:
    estate = _library()
    estate.frozen.add(account("lending", "catalog"), account("lending", "shelf"))
    message = _NO_ACCOUNT.format("lending", "shelf-index")
    estate.refused("shelf-index", message, kind="StatefulSet", replicas=3, running=1, serviceAccountName="shelf-index")
    return estate.frozen


@scenario("missing_service_account", "DaemonSet", "scanner-agent", variants=("bystanders",))
def account_of_a_daemon_set_with_a_full_quota_beside_it() -> Frozen:
    estate = _library()
    estate.frozen.add(
        quota("lending", "compute", {"requests.cpu": "2", "pods": "40"}, {"requests.cpu": "1950m", "pods": "13"})
    )
    message = _NO_ACCOUNT.format("lending", "scanner")
    estate.refused("scanner-agent", message, kind="DaemonSet", replicas=3, serviceAccountName="scanner")
    return estate.frozen


@scenario("missing_service_account", "Job", "overdue-run", variants=("described",))
def account_of_a_job() -> Frozen:
    estate = _library()
    message = _NO_ACCOUNT.format("lending", "overdue")
    estate.refused("overdue-run", message, kind="Job", replicas=1, serviceAccountName="overdue")
    return estate.frozen


# ----------------------------------------------------------------------------------------------------- quotas


def _quota_refusal(name: str, **parts: str) -> str:
    """The quota's own words; each part is requested/used/limited of a resource."""
    rows = {key.replace("__", "."): value.split("/") for key, value in parts.items()}
    wanted, used, hard = (",".join(f"{key}={row[place]}" for key, row in rows.items()) for place in range(3))
    return f'pods "{{pod}}" is forbidden: exceeded quota: {name}, requested: {wanted}, used: {used}, limited: {hard}'


@scenario(
    "namespace_cpu_quota_exceeded", "Namespace", "lending", variants=("events_expired", "described", "old_events")
)
def cpu_requests_over_the_quota() -> Frozen:
    estate = _library()
    estate.frozen.add(
        quota(
            "lending",
            "team-budget",
            {"requests.cpu": "2", "requests.memory": "8Gi"},
            {"requests.cpu": "1200m", "requests.memory": "1536Mi"},
        )
    )
    message = _quota_refusal("team-budget", requests__cpu="1/1200m/2")
    estate.refused("recommendations", message, resources=requests("1", "256Mi"))
    estate.suffers("search", "recommendations")
    return estate.frozen


@scenario("namespace_cpu_quota_exceeded", "Namespace", "lending", variants=("bystanders",))
def cpu_limits_over_the_quota_while_scaling_out() -> Frozen:
    estate = _library()
    estate.frozen.add(
        quota(
            "lending",
            "compute",
            {"limits.cpu": "8", "limits.memory": "32Gi", "pods": "30"},
            {"limits.cpu": "8", "limits.memory": "9Gi", "pods": "16"},
        )
    )
    message = _quota_refusal("compute", limits__cpu="2/8/8")
    shape = {"requests": {"cpu": "200m", "memory": "256Mi"}, "limits": {"cpu": "2", "memory": "1Gi"}}
    estate.refused("ranking", message, replicas=6, running=4, resources=shape)
    return estate.frozen


@scenario("namespace_cpu_quota_exceeded", "Namespace", "lending")
def cpu_quota_of_high_priority_only_stops_a_rollout() -> Frozen:
    """A scoped quota: other pods don't count against it. The old ReplicaSet still serves."""
    estate = _library()
    scope = {
        "scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": ["gold"]}]}
    }
    estate.frozen.add(
        quota("lending", "gold-budget", {"cpu": "1"}, {"cpu": "800m"}, **scope),
        quota("lending", "everything", {"pods": "50", "requests.cpu": "20"}, {"pods": "14", "requests.cpu": "2"}),
    )
    estate.healthy("checkin", resources=requests("400m", "128Mi"), priorityClassName="gold", replicas=2)
    _, group = estate.new_revision("checkin", resources=requests("500m", "128Mi"), priorityClassName="gold")
    text = _quota_refusal("gold-budget", cpu="500m/800m/1").format(pod=group["metadata"]["name"] + "-x7kp2")
    _refuse(estate, group, text)
    return estate.frozen


def _refuse(estate: Estate, group: Object, text: str) -> None:
    """The new ReplicaSet of a rollout gets no pod."""
    group["status"] |= {"replicas": 0, "readyReplicas": 0}
    since = estate.frozen.stamp(9)
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": text}
    group["status"]["conditions"] = [{**failure, "lastTransitionTime": since}]
    owner = estate.frozen.find("Deployment", group["metadata"]["ownerReferences"][0]["name"])
    owner["status"]["conditions"].append({**failure, "lastTransitionTime": since})
    owner["status"] |= {"updatedReplicas": 0, "replicas": owner["spec"]["replicas"]}
    estate.frozen.event(
        group, "FailedCreate", f"Error creating: {text}", count=15, minutes_ago=1, first_minutes_ago=9,
        component="replicaset-controller",
    )  # fmt: skip


@scenario(
    "namespace_memory_quota_exceeded", "Namespace", "lending", variants=("events_expired", "described", "bystanders")
)
def memory_requests_over_the_quota() -> Frozen:
    estate = _library()
    estate.frozen.add(quota("lending", "ram", {"requests.memory": "4Gi"}, {"requests.memory": "1536Mi"}))
    message = _quota_refusal("ram", requests__memory="3Gi/1536Mi/4Gi")
    estate.refused("analytics", message, replicas=1, resources=requests("100m", "3Gi"))
    return estate.frozen


@scenario("namespace_memory_quota_exceeded", "Namespace", "lending", variants=("old_events",))
def memory_limits_over_the_quota_for_a_stateful_set() -> Frozen:
    estate = _library()
    estate.frozen.add(
        quota(
            "lending",
            "tenant",
            {"limits.memory": "6Gi", "limits.cpu": "20"},
            {"limits.memory": "5Gi", "limits.cpu": "4"},
        )
    )
    message = _quota_refusal("tenant", limits__memory="2Gi/5Gi/6Gi")
    shape = {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"cpu": "1", "memory": "2Gi"}}
    estate.refused("loan-store", message, kind="StatefulSet", replicas=3, running=1, resources=shape)
    estate.suffers("loans", "loan-store", ready=False)
    return estate.frozen


@scenario("namespace_memory_quota_exceeded", "Namespace", "lending")
def memory_and_other_resources_asked_but_only_memory_exceeded() -> Frozen:
    """Quotas name every resource of the request that is over; CPU is nearly used up, and stays below."""
    estate = _library()
    estate.frozen.add(
        quota(
            "lending",
            "compute",
            {"requests.cpu": "2", "requests.memory": "2Gi", "pods": "20"},
            {"requests.cpu": "1800m", "requests.memory": "1792Mi", "pods": "12"},
        )
    )
    message = _quota_refusal("compute", requests__memory="512Mi/1792Mi/2Gi")
    estate.refused("digest", message, kind="Job", replicas=1, resources=requests("100m", "512Mi"))
    return estate.frozen


@scenario("namespace_pod_quota_exceeded", "Namespace", "lending", variants=("events_expired", "described"))
def no_more_pods_allowed() -> Frozen:
    estate = _library()
    estate.frozen.add(
        quota("lending", "object-counts", {"pods": "12", "services": "20"}, {"pods": "12", "services": "7"})
    )
    estate.refused("holds", _quota_refusal("object-counts", pods="1/12/12"))
    estate.suffers("reservations", "holds")
    return estate.frozen


@scenario("namespace_pod_quota_exceeded", "Namespace", "lending", variants=("old_events",))
def count_quota_of_pods_stops_a_rollout() -> Frozen:
    estate = _library()
    estate.frozen.add(quota("lending", "counts", {"count/pods": "12"}, {"count/pods": "12"}))
    _, group = estate.new_revision("fines", image="registry.internal:5000/team/fines:2.5.0")
    text = _quota_refusal("counts", **{"count/pods": "1/12/12"}).format(pod=group["metadata"]["name"] + "-9vvqd")
    _refuse(estate, group, text)
    return estate.frozen


@scenario("namespace_pod_quota_exceeded", "Namespace", "lending", variants=("bystanders",))
def pods_of_a_crowding_job_use_up_the_quota() -> Frozen:
    estate = _library("catalog", "loans", "patrons")
    estate.frozen.add(quota("lending", "pods", {"pods": "14"}, {"pods": "14"}))
    estate.healthy("reindex", kind="Job", replicas=8)
    estate.refused("search", _quota_refusal("pods", pods="1/14/14"), replicas=2)
    return estate.frozen


@scenario("namespace_service_quota_exceeded", "Namespace", "lending", variants=("described", "old_events"))
def a_service_that_callers_name_could_not_be_made() -> Frozen:
    estate = _library()
    estate.frozen.add(quota("lending", "objects", {"services": "7", "pods": "60"}, {"services": "7", "pods": "14"}))
    estate.healthy("renewals", env={"HOLDS_URL": "http://holds:8080"})
    estate.healthy("holds")
    _forget(estate, "holds")
    pod = next(o for o in estate.frozen.objects or () if o["kind"] == "Pod" and "renewals" in o["metadata"]["name"])
    line = "ERROR GET http://holds:8080/next: dial tcp: lookup holds on 10.96.0.10:53: no such host"
    estate.frozen.log(pod["metadata"]["name"], "renewals", *[line] * 8, minutes_ago=6, every_seconds=20)
    return estate.frozen


def _forget(estate: Estate, name: str) -> None:
    """The Service of a workload is not there."""
    gone = ("Service", "Endpoints")
    keep = [o for o in estate.frozen.objects or () if not (o["kind"] in gone and o["metadata"]["name"] == name)]
    estate.frozen.objects = keep


@scenario("namespace_service_quota_exceeded", "Namespace", "lending")
def helm_release_failed_on_the_service_quota() -> Frozen:
    estate = _library()
    estate.frozen.add(quota("lending", "edge", {"count/services": "6"}, {"count/services": "6"}))
    estate.healthy("kiosk")
    _forget(estate, "kiosk")
    estate.healthy("branch-gateway", kind="DaemonSet", env={"KIOSK_ADDR": "kiosk.lending.svc.cluster.local:8080"})
    _forget(estate, "branch-gateway")
    text = 'services "kiosk" is forbidden: exceeded quota: edge, requested: count/services=1, used: count/services=6, limited: count/services=6'
    estate.frozen.event(
        ("HelmRelease", "kiosk"), "UpgradeFailed", f"Helm upgrade failed: {text}", component="helm-controller"
    )
    return estate.frozen


@scenario("namespace_service_quota_exceeded", "Namespace", "lending", variants=("events_expired",))
def load_balancer_quota_refuses_the_service() -> Frozen:
    estate = _library()
    estate.frozen.add(
        quota(
            "lending",
            "lbs",
            {"services.loadbalancers": "1", "services": "9"},
            {"services.loadbalancers": "1", "services": "9"},
        )
    )
    estate.healthy("public-api")
    _forget(estate, "public-api")
    for name in ("audio", "ebooks", "maps"):
        estate.healthy(name, replicas=1)
    estate.healthy("portal", env={"API_HOST": "public-api", "API_PORT": "8080"})
    _forget(estate, "portal")
    pod = next(o for o in estate.frozen.objects or () if o["kind"] == "Pod" and "portal" in o["metadata"]["name"])
    line = "Error: getaddrinfo ENOTFOUND public-api"
    estate.frozen.log(pod["metadata"]["name"], "portal", *[line] * 5, minutes_ago=5, every_seconds=20)
    return estate.frozen


@scenario("namespace_storage_quota_exceeded", "Namespace", "lending", variants=("old_events", "described"))
def claim_of_a_stateful_set_refused() -> Frozen:
    estate = _library()
    estate.frozen.add(quota("lending", "disk", {"requests.storage": "50Gi"}, {"requests.storage": "40Gi"}))
    message = (
        'create Claim {claim} for Pod {pod} in StatefulSet archive failed error: persistentvolumeclaims "{claim}" is '
        "forbidden: exceeded quota: disk, requested: requests.storage=20Gi, used: requests.storage=40Gi, "
        "limited: requests.storage=50Gi"
    )
    owner = estate.refused("archive", message, kind="StatefulSet", replicas=3, running=2)
    template = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "20Gi"}}},
    }
    owner["spec"]["volumeClaimTemplates"] = [template]
    for place in range(2):
        estate.frozen.add(claim("lending", f"data-archive-{place}", size="20Gi", bound_to=f"pvc-0{place}"))
    return estate.frozen


@scenario("namespace_storage_quota_exceeded", "Namespace", "lending", variants=("described", "events_expired"))
def claim_of_a_deployment_was_never_made() -> Frozen:
    estate = _library()
    estate.frozen.add(
        quota(
            "lending",
            "storage",
            {"requests.storage": "30Gi", "persistentvolumeclaims": "10"},
            {"requests.storage": "28Gi", "persistentvolumeclaims": "2"},
        ),
        claim("lending", "catalog-cache", size="14Gi", bound_to="pvc-a"),
        claim("lending", "search-index", size="14Gi", bound_to="pvc-b"),
    )
    told = '0/3 nodes are available: persistentvolumeclaim "covers" not found. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.'
    estate.pending("covers", told, replicas=1, **mounted("covers"))
    return estate.frozen


@scenario("namespace_storage_quota_exceeded", "Namespace", "lending")
def number_of_claims_is_used_up() -> Frozen:
    estate = _library()
    estate.frozen.add(
        quota("lending", "claims", {"persistentvolumeclaims": "2"}, {"persistentvolumeclaims": "2"}),
        claim("lending", "catalog-cache", bound_to="pvc-a"),
        claim("lending", "search-index", bound_to="pvc-b"),
    )
    message = (
        'create Claim {claim} for Pod {pod} in StatefulSet ledger failed error: persistentvolumeclaims "{claim}" is '
        "forbidden: exceeded quota: claims, requested: persistentvolumeclaims=1, used: persistentvolumeclaims=2, "
        "limited: persistentvolumeclaims=2"
    )
    estate.refused("ledger", message, kind="StatefulSet", replicas=1)
    return estate.frozen


@scenario("namespace_storage_quota_exceeded", "Namespace", "lending", variants=("old_events",))
def storage_of_one_class_is_used_up() -> Frozen:
    estate = _library()
    key = "fast.storageclass.storage.k8s.io/requests.storage"
    estate.frozen.add(
        quota("lending", "ssd", {key: "100Gi", "requests.storage": "1Ti"}, {key: "90Gi", "requests.storage": "140Gi"})
    )
    message = (
        'create Claim {claim} for Pod {pod} in StatefulSet queue failed error: persistentvolumeclaims "{claim}" is '
        f"forbidden: exceeded quota: ssd, requested: {key}=20Gi, used: {key}=90Gi, limited: {key}=100Gi"
    )
    estate.refused("queue", message, kind="StatefulSet", replicas=2, running=1)
    return estate.frozen


# ----------------------------------------------------------------------------------------------------- limits


@scenario("limit_range_violation", name="imports", variants=("events_expired", "described", "bystanders"))
def limit_above_the_maximum() -> Frozen:
    estate = _library()
    estate.frozen.add(
        limit_range(
            "lending",
            "bounds",
            {"type": "Container", "max": {"cpu": "1", "memory": "1Gi"}, "min": {"cpu": "10m", "memory": "16Mi"}},
        )
    )
    message = 'pods "{pod}" is forbidden: [maximum cpu usage per Container is 1, but limit is 2, maximum memory usage per Container is 1Gi, but limit is 4Gi]'
    shape = {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "4Gi"}}
    estate.refused("imports", message, resources=shape)
    return estate.frozen


@scenario("limit_range_violation", "StatefulSet", "cache", variants=("old_events",))
def request_below_the_minimum() -> Frozen:
    estate = _library()
    estate.frozen.add(limit_range("lending", "floor", {"type": "Container", "min": {"memory": "64Mi"}}))
    message = 'pods "{pod}" is forbidden: minimum memory usage per Container is 64Mi, but request is 32Mi'
    estate.refused(
        "cache",
        message,
        kind="StatefulSet",
        replicas=1,
        resources={"requests": {"memory": "32Mi"}, "limits": {"memory": "128Mi"}},
    )
    estate.suffers("catalog", "cache")
    return estate.frozen


@scenario("limit_range_violation", "CronJob", "stocktake", accept=[("limit_range_violation", "Job", "stocktake-29001")])
def ratio_of_limit_to_request_in_a_cron_job() -> Frozen:
    estate = _library()
    estate.frozen.add(limit_range("lending", "ratio", {"type": "Container", "maxLimitRequestRatio": {"cpu": "4"}}))
    message = (
        'pods "{pod}" is forbidden: cpu max limit to request ratio per Container is 4, but provided ratio is 20.000000'
    )
    shape = {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "2", "memory": "256Mi"}}
    job = estate.refused("stocktake-29001", message, kind="Job", replicas=1, resources=shape)
    cron: Object = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {
            "name": "stocktake",
            "namespace": "lending",
            "uid": "cron-1",
            "creationTimestamp": "2026-01-05T08:00:00Z",
        },
        "spec": {"schedule": "0 9 * * *", "jobTemplate": {"spec": job["spec"]}, "suspend": False},
        "status": {"lastScheduleTime": estate.frozen.stamp(30), "active": [{"kind": "Job", "name": "stocktake-29001"}]},
    }
    job["metadata"]["ownerReferences"] = [
        {"apiVersion": "batch/v1", "kind": "CronJob", "name": "stocktake", "uid": "cron-1", "controller": True}
    ]
    estate.frozen.add(cron)
    return estate.frozen


@scenario("limit_range_violation", name="patron-api")
def sum_of_a_pod_with_a_sidecar_is_too_large() -> Frozen:
    """Each container is small enough; the LimitRange bounds the pod."""
    estate = _library("catalog", "loans", "search", "fines")
    estate.frozen.add(limit_range("lending", "per-pod", {"type": "Pod", "max": {"memory": "2Gi"}}))
    shape = {"requests": {"cpu": "100m", "memory": "1Gi"}, "limits": {"memory": "1536Mi"}}
    pair = [
        container("api", "registry.internal:5000/team/patron-api:7", resources=shape),
        container("proxy", "registry.internal:5000/team/proxy:3", resources=shape, port=9901),
    ]
    message = 'pods "{pod}" is forbidden: maximum memory usage per Pod is 2Gi, but limit is 3221225472'
    estate.refused("patron-api", message, containers=pair)
    return estate.frozen


# --------------------------------------------------------------------------------------------------- webhooks


@scenario("admission_webhook_denied", name="receipts", variants=("events_expired", "old_events", "described"))
def policy_engine_wants_a_label() -> Frozen:
    estate = _library()
    message = 'admission webhook "validation.gatekeeper.sh" denied the request: [pods-need-owner] you must provide labels: {{"owner"}}'
    estate.refused("receipts", message)
    return estate.frozen


@scenario("admission_webhook_denied", name="scans", variants=("bystanders",))
def webhook_without_endpoints_blocks_a_rollout() -> Frozen:
    estate = _library()
    estate.healthy("scans")
    _, group = estate.new_revision("scans", image="registry.internal:5000/team/scans:3.0.0")
    text = (
        'Internal error occurred: failed calling webhook "namespace.sidecar-injector.istio.io": failed to call webhook: Post '
        '"https://istiod.istio-system.svc:443/inject?timeout=10s": no endpoints available for service "istiod"'
    )
    _refuse(estate, group, text)
    return estate.frozen


@scenario("admission_webhook_denied", "DaemonSet", "printer-agent")
def kyverno_blocks_a_daemon_set() -> Frozen:
    estate = _library()
    message = (
        'admission webhook "validate.kyverno.svc-fail" denied the request: \n\nresource Pod/lending/{pod} was blocked due to '
        "the following policies \n\ndisallow-latest-tag:\n  require-image-tag: 'validation error: An image tag is required. "
        "rule require-image-tag failed at path /spec/containers/0/image/'\n"
    )
    estate.refused(
        "printer-agent", message, kind="DaemonSet", replicas=3, image="registry.internal:5000/team/printer-agent"
    )
    return estate.frozen


@scenario("admission_webhook_denied", "StatefulSet", "vault-proxy")
def webhook_times_out() -> Frozen:
    estate = _library()
    message = (
        'Internal error occurred: failed calling webhook "images.cosign.example.com": failed to call webhook: Post '
        '"https://image-policy.security.svc:443/validate?timeout=5s": context deadline exceeded'
    )
    estate.refused("vault-proxy", message, kind="StatefulSet", replicas=2, running=1)
    estate.suffers("patrons", "vault-proxy")
    return estate.frozen


@scenario("admission_webhook_denied", name="feeds", variants=("events_expired",))
def validating_admission_policy_refuses() -> Frozen:
    estate = _library()
    message = (
        "pods \"{pod}\" is forbidden: ValidatingAdmissionPolicy 'trusted-registries' with binding 'trusted-registries-prod' "
        "denied request: images must come from registry.internal:5000"
    )
    estate.refused("feeds", message, image="docker.io/feeds/feeds:1.0")
    return estate.frozen


# ----------------------------------------------------------------------------------------------- pod security

_RESTRICTED = (
    'pods "{pod}" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container '
    '"labels" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "labels" must set '
    'securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "labels" must set '
    'securityContext.runAsNonRoot=true), seccompProfile (pod or container "labels" must set securityContext.seccompProfile.type '
    'to "RuntimeDefault" or "Localhost")'
)


@scenario("pod_security_denied", name="labels", variants=("events_expired", "described", "old_events"))
def restricted_namespace_refuses_a_plain_pod() -> Frozen:
    estate = _library()
    estate.frozen.add(space("lending", pod_security__dummy="x"))
    estate.frozen.find("Namespace", "lending")["metadata"]["labels"] = {
        "pod-security.kubernetes.io/enforce": "restricted"
    }
    estate.refused("labels", _RESTRICTED)
    return estate.frozen


@scenario("pod_security_denied", "DaemonSet", "node-exporter", variants=("bystanders",))
def baseline_namespace_refuses_host_access() -> Frozen:
    estate = _library()
    estate.frozen.add(space("lending"))
    estate.frozen.find("Namespace", "lending")["metadata"]["labels"] = {
        "pod-security.kubernetes.io/enforce": "baseline"
    }
    message = (
        'pods "{pod}" is forbidden: violates PodSecurity "baseline:v1.29": host namespaces (hostNetwork=true, hostPID=true), '
        'hostPath volumes (volume "root"), hostPort (container "node-exporter" uses hostPort 9100)'
    )
    estate.refused(
        "node-exporter", message, kind="DaemonSet", replicas=3, hostNetwork=True, hostPID=True,
        volumes=[{"name": "root", "hostPath": {"path": "/"}}],
    )  # fmt: skip
    return estate.frozen


@scenario("pod_security_denied", name="covers-resizer")
def privileged_container_in_a_rollout() -> Frozen:
    estate = _library()
    estate.healthy("covers-resizer")
    _, group = estate.new_revision("covers-resizer", securityContext={"privileged": True})
    text = (
        f'pods "{group["metadata"]["name"]}-fl2k8" is forbidden: violates PodSecurity "baseline:latest": privileged (container '
        '"covers-resizer" must not set securityContext.privileged=true)'
    )
    _refuse(estate, group, text)
    return estate.frozen


@scenario("pod_security_denied", "StatefulSet", "sip-bridge")
def openshift_constraint_refuses() -> Frozen:
    estate = _library()
    message = (
        'pods "{pod}" is forbidden: unable to validate against any security context constraint: [provider "anyuid": Forbidden: not '
        "usable by user or serviceaccount, provider restricted-v2: .spec.securityContext.fsGroup: Invalid value: []int64{{0}}: 0 is not "
        "an allowed group]"
    )
    estate.refused("sip-bridge", message, kind="StatefulSet", replicas=1)
    return estate.frozen


# ------------------------------------------------------------------------------------------------------ rights


@scenario("rbac_forbidden", name="branch-router", variants=("old_events", "bystanders"))
def router_may_not_list_endpoints() -> Frozen:
    estate = _library()
    estate.frozen.add(account("lending", "branch-router"))
    pods = estate.healthy("branch-router", serviceAccountName="branch-router")
    line = (
        "W0414 09:22:11.201 1 reflector.go:539] failed to list *v1.EndpointSlice: endpointslices.discovery.k8s.io is forbidden: User "
        '"system:serviceaccount:lending:branch-router" cannot list resource "endpointslices" in API group "discovery.k8s.io" in the '
        'namespace "lending"'
    )
    for pod in pods:
        estate.frozen.log(pod["metadata"]["name"], "branch-router", *[line] * 6, minutes_ago=8, every_seconds=60)
    return estate.frozen


@scenario("rbac_forbidden", name="scheduler-bot")
def leader_election_is_forbidden_and_the_pod_crashes() -> Frozen:
    estate = _library()
    then = {
        "terminated": {
            "reason": "Error",
            "exitCode": 1,
            "startedAt": "2026-04-14T09:28:00Z",
            "finishedAt": "2026-04-14T09:28:20Z",
        }
    }
    back = {
        "waiting": {"reason": "CrashLoopBackOff", "message": "back-off 2m40s restarting failed container=scheduler-bot"}
    }
    pods = estate.waiting(
        "scheduler-bot", back, ("BackOff", "Back-off restarting failed container scheduler-bot in pod"), replicas=1, restarts=5,
        last_state=then, serviceAccountName="scheduler-bot",
    )  # fmt: skip
    estate.frozen.add(account("lending", "scheduler-bot"))
    lines = (
        "I0414 09:28:01 leaderelection.go:250] attempting to acquire leader lease lending/scheduler-bot...",
        "E0414 09:28:19 leaderelection.go:332] error retrieving resource lock lending/scheduler-bot: leases.coordination.k8s.io "
        '"scheduler-bot" is forbidden: User "system:serviceaccount:lending:scheduler-bot" cannot get resource "leases" in API group '
        '"coordination.k8s.io" in the namespace "lending"',
        "F0414 09:28:20 main.go:88] leader election lost",
    )
    estate.frozen.log(pods[0]["metadata"]["name"], "scheduler-bot", *lines, minutes_ago=2, previous=True)
    return estate.frozen


@scenario("rbac_forbidden", "Job", "backup-config")
def job_may_not_read_secrets() -> Frozen:
    estate = _library()
    ended = {
        "terminated": {
            "reason": "Error",
            "exitCode": 1,
            "startedAt": "2026-04-14T09:21:00Z",
            "finishedAt": "2026-04-14T09:21:02Z",
        }
    }
    pods = estate.waiting("backup-config", ended, kind="Job", replicas=1, serviceAccountName="backup")
    pods[0]["status"]["phase"] = "Failed"
    job = estate.frozen.find("Job", "backup-config")
    condition = {
        "type": "Failed",
        "status": "True",
        "reason": "BackoffLimitExceeded",
        "lastTransitionTime": estate.frozen.stamp(8),
    }
    job["status"] = {"failed": 1, "startTime": estate.frozen.stamp(10), "conditions": [condition]}
    line = (
        'Error from server (Forbidden): secrets is forbidden: User "system:serviceaccount:lending:backup" cannot list resource '
        '"secrets" in API group "" in the namespace "lending"'
    )
    estate.frozen.log(pods[0]["metadata"]["name"], "backup-config", line, minutes_ago=9)
    estate.frozen.add(account("lending", "backup"))
    return estate.frozen


# ---------------------------------------------------------------------------------------------- nothing wrong


@scenario(None, no_cause=True)
def a_nearly_full_quota_and_a_resolved_refusal_are_no_cause() -> Frozen:
    estate = _library()
    estate.frozen.add(
        quota("lending", "compute", {"requests.cpu": "2", "pods": "14"}, {"requests.cpu": "1900m", "pods": "12"}),
        config_map("settings", "lending", mode="on"),
    )
    group = estate.frozen.find("ReplicaSet", "catalog")
    told = 'Error creating: pods "{0}-k2x" is forbidden: exceeded quota: compute, requested: pods=1, used: pods=14, limited: pods=14'
    estate.frozen.event(group, "FailedCreate", told.format(group["metadata"]["name"]), minutes_ago=48, count=3)
    return estate.frozen
