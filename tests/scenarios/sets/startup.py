"""Containers that never start: images, registries, secrets, configuration, mounts, init containers, commands.

The application runs a city's parking. The words are those of containerd, CRI-O and several registries; the same
reasons (ImagePullBackOff, CreateContainerConfigError, CrashLoopBackOff) stand for different causes.
"""

from typing import Any

from agent_sre.testing.kubernetes_objects import Run, config_map, container, pod
from tests.scenarios.estate import Estate, claim, mounted, secret
from tests.scenarios.frozen import Frozen, Object
from tests.scenarios.sets.registry import scenario

_SERVICES = ("meters", "permits", "sessions", "tariffs", "payments", "maps", "enforcement")
_SPACE = "parking"


def _city(nodes: Any = ("curb-1", "curb-2", "curb-3"), services: tuple[str, ...] = _SERVICES, **fields: Any) -> Estate:
    return Estate(_SPACE, services, nodes, **fields)


def _back_off(image: str, cause: str = "") -> Object:
    text = f'Back-off pulling image "{image}"' + (f": ErrImagePull: {cause}" if cause else "")
    return {"waiting": {"reason": "ImagePullBackOff", "message": text}}


def _pull(image: str, cause: str) -> tuple[tuple[str, str], ...]:
    """The events of a pull that fails, as the kubelet repeats them."""
    return (
        ("Pulling", f'Pulling image "{image}"'),
        ("Failed", f'Failed to pull image "{image}": {cause}'),
        ("Failed", "Error: ErrImagePull"),
        ("BackOff", f'Back-off pulling image "{image}"'),
        ("Failed", "Error: ImagePullBackOff"),
    )


def _containerd(image: str, cause: str, code: str = "Unknown") -> str:
    resolve = f'failed to resolve reference "{image}": {cause}'
    return f'rpc error: code = {code} desc = failed to pull and unpack image "{image}": {resolve}'


def _exited(code: int, reason: str = "Error", message: str = "", seconds: int = 1) -> Object:
    row = {
        "reason": reason,
        "exitCode": code,
        "startedAt": "2026-04-14T09:27:00Z",
        "finishedAt": f"2026-04-14T09:27:{seconds:02d}Z",
    }
    return {"terminated": {**row, **({"message": message} if message else {})}}


def _crash(name: str) -> Object:
    text = f"back-off 2m40s restarting failed container={name} pod={name}-x_{_SPACE}(0c1)"
    return {"waiting": {"reason": "CrashLoopBackOff", "message": text}}


_BACK = ("BackOff", "Back-off restarting failed container")


# ------------------------------------------------------------------------------------------------------- images


@scenario("incorrect_image_reference", name="zones", variants=("events_expired", "described", "old_events", "no_logs"))
def tag_does_not_exist() -> Frozen:
    estate = _city()
    image = "registry.internal:5000/team/zones:2.4.l"
    cause = _containerd(image, f"{image}: not found", "NotFound")
    estate.waiting("zones", _back_off(image, cause), *_pull(image, cause), image=image)
    estate.suffers("maps", "zones", ready=False)
    return estate.frozen


@scenario("incorrect_image_reference", name="tickets", variants=("bystanders",))
def docker_hub_repository_is_misspelt_in_a_rollout() -> Frozen:
    """Docker Hub says access denied also for what does not exist; nothing else of the image is private."""
    estate = _city()
    image = "docker.io/library/ngnix:1.27"
    cause = _containerd(
        image,
        "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
    )
    estate.healthy("tickets", image="docker.io/library/nginx:1.26")
    _, group = estate.new_revision("tickets", image=image)
    _on_node(estate, group, _back_off(image), _pull(image, cause))
    return estate.frozen


def _on_node(
    estate: Estate, group: Object, state: Object, events: tuple[tuple[str, str], ...], **status: Any
) -> Object:
    """The pod of a rollout's new ReplicaSet, on a node and not starting."""
    fresh = estate.frozen.stamp(10)
    made = pod(
        group["metadata"]["name"] + "-q8w2n",
        _SPACE,
        owner=group,
        node_name="curb-2",
        phase="Pending",
        run=Run(ready=False, state=state, started=fresh),
    )
    made["status"]["containerStatuses"][0] |= status
    estate.frozen.add(made)
    for reason, message in events:
        kind = "Normal" if reason == "Pulling" else "Warning"
        estate.frozen.event(made, reason, message, kind=kind, minutes_ago=1, first_minutes_ago=10, count=6)
    return made


@scenario("incorrect_image_reference", "DaemonSet", "curb-sensor")
def image_name_is_invalid() -> Frozen:
    estate = _city()
    image = "registry.internal:5000/Team/curb-sensor:v1"
    told = f'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}": invalid reference format: repository name (Team/curb-sensor) must be lowercase'
    state = {"waiting": {"reason": "InvalidImageName", "message": told}}
    estate.waiting(
        "curb-sensor",
        state,
        ("InspectFailed", told),
        ("Failed", "Error: InvalidImageName"),
        kind="DaemonSet",
        replicas=3,
        image=image,
    )
    return estate.frozen


@scenario("incorrect_image_reference", "StatefulSet", "event-log", variants=("old_events",))
def crio_manifest_unknown_on_quay() -> Frozen:
    estate = _city()
    image = "quay.io/strimzi/kafka:0.99-kafka-9"
    cause = "rpc error: code = Unknown desc = reading manifest 0.99-kafka-9 in quay.io/strimzi/kafka: manifest unknown"
    estate.waiting("event-log", _back_off(image), *_pull(image, cause), kind="StatefulSet", replicas=3, image=image)
    return estate.frozen


@scenario("incorrect_image_reference", name="geo-lookup")
def never_pulled_and_not_on_the_node() -> Frozen:
    estate = _city()
    image = "geo-lookup:dev"
    told = f'Container image "{image}" is not present with pull policy of Never'
    state = {"waiting": {"reason": "ErrImageNeverPull", "message": told}}
    estate.waiting(
        "geo-lookup", state, ("ErrImageNeverPull", told), ("Failed", "Error: ErrImageNeverPull"), image=image
    )
    estate.frozen.find("Deployment", "geo-lookup")["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = (
        "Never"
    )
    return estate.frozen


@scenario("incorrect_image_reference", name="plates", variants=("events_expired",))
def ecr_says_name_unknown() -> Frozen:
    estate = _city()
    image = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/plate-reader:4"
    cause = _containerd(image, f"{image}: not found", "NotFound")
    estate.waiting("plates", _back_off(image, cause), *_pull(image, cause), image=image)
    return estate.frozen


# ------------------------------------------------------------------------------------------------- registry DNS


@scenario("image_registry_dns_failure", name="invoices", variants=("events_expired", "described", "old_events"))
def registry_host_does_not_resolve() -> Frozen:
    estate = _city()
    image = "registry.int3rnal.example/team/invoices:5"
    cause = _containerd(
        image,
        'failed to do request: Head "https://registry.int3rnal.example/v2/team/invoices/manifests/5": dial tcp: lookup registry.int3rnal.example on 10.0.0.2:53: no such host',
    )
    estate.waiting("invoices", _back_off(image, cause), *_pull(image, cause), image=image)
    return estate.frozen


@scenario("image_registry_dns_failure", "DaemonSet", "camera", variants=("bystanders",))
def lookup_times_out_on_some_nodes() -> Frozen:
    estate = _city()
    image = "harbor.city.example/parking/camera:1.9"
    cause = _containerd(
        image,
        'failed to do request: Head "https://harbor.city.example/v2/parking/camera/manifests/1.9": dial tcp: lookup harbor.city.example: i/o timeout',
    )
    estate.waiting(
        "camera", _back_off(image), *_pull(image, cause), kind="DaemonSet", replicas=3, running=2, image=image
    )
    return estate.frozen


@scenario("image_registry_dns_failure", "Job", "settlement")
def crio_pinging_the_registry_fails_to_look_it_up() -> Frozen:
    estate = _city()
    image = "images.corp.example:8443/settlement:11"
    cause = (
        'rpc error: code = Unknown desc = pinging container registry images.corp.example:8443: Get "https://images.corp.example:8443/v2/": dial tcp: '
        "lookup images.corp.example on [::1]:53: read udp [::1]:40218->[::1]:53: read: connection refused"
    )
    estate.waiting("settlement", _back_off(image), *_pull(image, cause), kind="Job", replicas=1, image=image)
    return estate.frozen


@scenario("image_registry_dns_failure", "StatefulSet", "ledger")
def server_misbehaving() -> Frozen:
    estate = _city()
    image = "cr.parking.example/ledger:3.1"
    cause = _containerd(
        image,
        'failed to do request: Head "https://cr.parking.example/v2/ledger/manifests/3.1": dial tcp: lookup cr.parking.example on 127.0.0.53:53: server misbehaving',
        "Unavailable",
    )
    state = {"waiting": {"reason": "ErrImagePull", "message": cause}}
    estate.waiting("ledger", state, *_pull(image, cause), kind="StatefulSet", replicas=2, running=1, image=image)
    return estate.frozen


# ------------------------------------------------------------------------------------------------- pull secrets


@scenario("missing_image_pull_secret", name="permit-scan", variants=("events_expired", "described", "old_events"))
def named_secret_does_not_exist() -> Frozen:
    estate = _city()
    estate.frozen.add(secret(_SPACE, "other-registry", ".dockerconfigjson", kind="kubernetes.io/dockerconfigjson"))
    image = "harbor.private.example/parking/permit-scan:8"
    cause = _containerd(
        image,
        "failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://harbor.private.example/service/token?scope=repository%3Aparking%2Fpermit-scan%3Apull&service=harbor-registry: 401 Unauthorized",
    )
    warning = (
        "FailedToRetrieveImagePullSecret",
        "Unable to retrieve some image pull secrets (harbor-robot); attempting to pull the image may not succeed.",
    )
    estate.waiting(
        "permit-scan",
        _back_off(image, cause),
        warning,
        *_pull(image, cause),
        image=image,
        imagePullSecrets=[{"name": "harbor-robot"}],
    )
    return estate.frozen


@scenario("missing_image_pull_secret", "StatefulSet", "occupancy", variants=("bystanders",))
def no_secret_is_named_and_ecr_wants_credentials() -> Frozen:
    estate = _city()
    image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/occupancy:2"
    cause = _containerd(
        image,
        "pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials",
    )
    estate.waiting("occupancy", _back_off(image), *_pull(image, cause), kind="StatefulSet", replicas=2, image=image)
    return estate.frozen


@scenario("missing_image_pull_secret", name="fleet", variants=("old_events",))
def azure_registry_answers_401_during_a_rollout() -> Frozen:
    estate = _city()
    image = "parking.azurecr.io/fleet:2026.4"
    cause = _containerd(
        image,
        "failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://parking.azurecr.io/oauth2/token?scope=repository%3Afleet%3Apull&service=parking.azurecr.io: 401 Unauthorized",
    )
    estate.healthy("fleet", image="registry.internal:5000/team/fleet:2026.3")
    _, group = estate.new_revision("fleet", image=image)
    _on_node(estate, group, _back_off(image, cause), _pull(image, cause))
    return estate.frozen


@scenario("missing_image_pull_secret", "Job", "month-end")
def artifact_registry_forbids_the_anonymous() -> Frozen:
    estate = _city()
    image = "europe-west3-docker.pkg.dev/parking-prod/jobs/month-end:1"
    cause = _containerd(
        image,
        "failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://europe-west3-docker.pkg.dev/v2/token?scope=repository%3Aparking-prod%2Fjobs%2Fmonth-end%3Apull&service=europe-west3-docker.pkg.dev: 403 Forbidden",
    )
    estate.waiting("month-end", _back_off(image), *_pull(image, cause), kind="Job", replicas=1, image=image)
    return estate.frozen


@scenario("missing_image_pull_secret", name="kiosk-ui")
def crio_unauthorized_on_quay_with_a_misspelt_secret() -> Frozen:
    estate = _city()
    estate.frozen.add(secret(_SPACE, "quay-pull", ".dockerconfigjson", kind="kubernetes.io/dockerconfigjson"))
    image = "quay.io/parkingcorp/kiosk-ui:77"
    cause = "rpc error: code = Unknown desc = reading manifest 77 in quay.io/parkingcorp/kiosk-ui: unauthorized: access to the requested resource is not authorized"
    estate.waiting(
        "kiosk-ui", _back_off(image), *_pull(image, cause), image=image, imagePullSecrets=[{"name": "quay-pul"}]
    )
    return estate.frozen


# --------------------------------------------------------------------------------------------------- rate limit


@scenario("image_pull_rate_limited", name="redirects", variants=("events_expired", "described", "old_events"))
def docker_hub_limit_reached() -> Frozen:
    estate = _city()
    image = "docker.io/library/haproxy:2.9"
    cause = _containerd(
        image,
        "unexpected status from HEAD request to https://registry-1.docker.io/v2/library/haproxy/manifests/2.9: 429 Too Many Requests - Server message: toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit",
    )
    estate.waiting("redirects", _back_off(image, cause), *_pull(image, cause), image=image)
    return estate.frozen


@scenario("image_pull_rate_limited", "StatefulSet", "cache", variants=("bystanders",))
def crio_wording_after_a_node_was_replaced() -> Frozen:
    estate = _city()
    image = "docker.io/bitnami/redis:7.2"
    cause = "rpc error: code = Unknown desc = reading manifest 7.2 in docker.io/bitnami/redis: toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate-limit"
    estate.waiting(
        "cache", _back_off(image), *_pull(image, cause), kind="StatefulSet", replicas=3, running=2, image=image
    )
    estate.suffers("sessions", "cache")
    return estate.frozen


@scenario("image_pull_rate_limited", "DaemonSet", "log-forwarder")
def public_ecr_limit_with_a_missing_secret_beside_it() -> Frozen:
    """The secret is missing, too, but the image is public: the registry counts pulls."""
    estate = _city()
    image = "public.ecr.aws/logs/forwarder:3"
    cause = _containerd(
        image,
        "unexpected status from HEAD request to https://public.ecr.aws/v2/logs/forwarder/manifests/3: 429 Too Many Requests",
    )
    warning = (
        "FailedToRetrieveImagePullSecret",
        "Unable to retrieve some image pull secrets (legacy); attempting to pull the image may not succeed.",
    )
    estate.waiting(
        "log-forwarder",
        _back_off(image),
        warning,
        *_pull(image, cause),
        kind="DaemonSet",
        replicas=3,
        running=1,
        image=image,
        imagePullSecrets=[{"name": "legacy"}],
    )
    return estate.frozen


# ------------------------------------------------------------------------------------------------------ secrets


def _config_error(message: str) -> Object:
    return {"waiting": {"reason": "CreateContainerConfigError", "message": message}}


def _from_secret(name: str, variable: str, key: str) -> Object:
    return {"name": variable, "valueFrom": {"secretKeyRef": {"name": name, "key": key}}}


@scenario("missing_secret_binding", name="charging", variants=("events_expired", "described", "old_events"))
def secret_of_an_environment_variable_does_not_exist() -> Frozen:
    estate = _city()
    own = container("charging", "registry.internal:5000/team/charging:4")
    own["env"] = [_from_secret("stripe-key", "API_KEY", "token")]
    told = 'secret "stripe-key" not found'
    estate.waiting("charging", _config_error(told), ("Failed", f"Error: {told}"), containers=[own])
    estate.suffers("payments", "charging")
    return estate.frozen


@scenario("missing_secret_binding", "StatefulSet", "user-db", variants=("events_expired", "bystanders"))
def key_of_the_secret_is_missing() -> Frozen:
    estate = _city()
    estate.frozen.add(secret(_SPACE, "user-db", "username", "pass"))
    own = container("postgres", "docker.io/library/postgres:16", port=5432)
    own["env"] = [_from_secret("user-db", "POSTGRES_PASSWORD", "password")]
    told = "couldn't find key password in Secret parking/user-db"
    estate.waiting(
        "user-db", _config_error(told), ("Failed", f"Error: {told}"), kind="StatefulSet", replicas=1, containers=[own]
    )
    estate.suffers("permits", "user-db", ready=False)
    return estate.frozen


@scenario("missing_secret_binding", name="gateway", variants=("old_events",))
def certificate_volume_cannot_be_mounted() -> Frozen:
    estate = _city()
    state = {"waiting": {"reason": "ContainerCreating"}}
    events = (
        ("FailedMount", 'MountVolume.SetUp failed for volume "tls" : secret "gateway-tls" not found'),
        (
            "FailedMount",
            "Unable to attach or mount volumes: unmounted volumes=[tls], unattached volumes=[tls kube-api-access-x2v]: timed out waiting for the condition",
        ),
    )
    estate.frozen.add(secret(_SPACE, "gateway-tls-old", "tls.crt", "tls.key", kind="kubernetes.io/tls"))
    estate.waiting(
        "gateway", state, *events, volumes=[{"name": "tls", "secret": {"secretName": "gateway-tls", "defaultMode": 420}}],
        volumeMounts=[{"name": "tls", "mountPath": "/tls", "readOnly": True}],
    )  # fmt: skip
    return estate.frozen


@scenario("missing_secret_binding", name="mailer")
def sidecar_reads_all_of_a_missing_secret_during_a_rollout() -> Frozen:
    estate = _city()
    estate.healthy("mailer")
    owner, group = estate.new_revision("mailer")
    pair = [
        container("mailer", "registry.internal:5000/team/mailer:2.4.1"),
        container(
            "relay", "registry.internal:5000/team/relay:1", port=2525, envFrom=[{"secretRef": {"name": "smtp-relay"}}]
        ),
    ]
    for item in (owner, group):
        item["spec"]["template"]["spec"]["containers"] = pair
    told = 'secret "smtp-relay" not found'
    made = _on_node(
        estate, group, {"running": {"startedAt": "2026-04-14T09:20:05Z"}}, (("Failed", f"Error: {told}"),), ready=True
    )
    made["status"]["containerStatuses"][1] |= {"ready": False, "started": False, "state": _config_error(told)}
    return estate.frozen


# --------------------------------------------------------------------------------------------------- config maps


@scenario("missing_config_map", name="signage", variants=("events_expired", "described", "old_events"))
def config_map_of_all_variables_is_missing() -> Frozen:
    estate = _city()
    told = 'configmap "signage-settings" not found'
    estate.waiting(
        "signage",
        _config_error(told),
        ("Failed", f"Error: {told}"),
        envFrom=[{"configMapRef": {"name": "signage-settings"}}],
    )
    return estate.frozen


@scenario("missing_config_map", "DaemonSet", "log-agent", variants=("events_expired", "bystanders"))
def volume_of_a_config_map_beside_an_optional_one() -> Frozen:
    """Two are missing, and only one of them matters."""
    estate = _city()
    volumes = [
        {"name": "extra", "configMap": {"name": "log-agent-extra", "optional": True}},
        {"name": "main", "configMap": {"name": "log-agent-main"}},
    ]
    told = 'MountVolume.SetUp failed for volume "main" : configmap "log-agent-main" not found'
    estate.frozen.add(config_map("log-agent", _SPACE, conf="x"))
    estate.waiting(
        "log-agent",
        {"waiting": {"reason": "ContainerCreating"}},
        ("FailedMount", told),
        kind="DaemonSet",
        replicas=3,
        volumes=volumes,
    )
    return estate.frozen


@scenario("missing_config_map", "Job", "seed-tariffs", variants=("events_expired",))
def key_of_the_config_map_is_missing() -> Frozen:
    estate = _city()
    estate.frozen.add(config_map("tariff-data", _SPACE, version="3"))
    own = container("seed", "registry.internal:5000/team/seed:1")
    own["env"] = [{"name": "TABLE", "valueFrom": {"configMapKeyRef": {"name": "tariff-data", "key": "table.csv"}}}]
    told = "couldn't find key table.csv in ConfigMap parking/tariff-data"
    estate.waiting(
        "seed-tariffs", _config_error(told), ("Failed", f"Error: {told}"), kind="Job", replicas=1, containers=[own]
    )
    return estate.frozen


@scenario("missing_config_map", name="rules")
def item_of_a_volume_is_not_in_the_config_map() -> Frozen:
    estate = _city()
    estate.frozen.add(config_map("rules", _SPACE, **{"rules.yml": "a: 1"}))
    volumes = [
        {"name": "rules", "configMap": {"name": "rules", "items": [{"key": "rules.yaml", "path": "rules.yaml"}]}}
    ]
    told = 'MountVolume.SetUp failed for volume "rules" : configmap references non-existent config key: rules.yaml'
    estate.waiting("rules", {"waiting": {"reason": "ContainerCreating"}}, ("FailedMount", told), volumes=volumes)
    return estate.frozen


# ------------------------------------------------------------------------------------------------------- mounts


@scenario("volume_mount_permission_denied", "StatefulSet", "ticket-db", variants=("events_expired", "old_events"))
def database_may_not_write_its_directory() -> Frozen:
    estate = _city()
    estate.frozen.add(claim(_SPACE, "ticket-db", bound_to="pvc-7"))
    parts = mounted("ticket-db", "/var/lib/postgresql/data")
    own = container(
        "db",
        "docker.io/library/postgres:16",
        port=5432,
        volumeMounts=parts["volumeMounts"],
        securityContext={"runAsUser": 1001},
    )
    pods = estate.waiting(
        "ticket-db",
        _crash("db"),
        _BACK,
        kind="StatefulSet",
        replicas=1,
        restarts=6,
        last_state=_exited(1),
        containers=[own],
        volumes=parts["volumes"],
    )
    lines = (
        'The files belonging to this database system will be owned by user "postgres".',
        'initdb: error: could not change permissions of directory "/var/lib/postgresql/data": Operation not permitted',
        'mkdir: cannot create directory "/var/lib/postgresql/data/base": Permission denied',
    )
    for previous in (True, False):
        estate.frozen.log(pods[0]["metadata"]["name"], "db", *lines, minutes_ago=2, previous=previous)
    estate.suffers("enforcement", "ticket-db", ready=False)
    return estate.frozen


@scenario("volume_mount_permission_denied", name="photo-store", variants=("bystanders",))
def read_only_file_system_on_a_data_volume() -> Frozen:
    estate = _city()
    estate.frozen.add(claim(_SPACE, "photos", bound_to="pvc-8"))
    parts = mounted("photos", "/photos")
    parts["volumeMounts"][0]["readOnly"] = True
    pods = estate.waiting(
        "photo-store", _crash("photo-store"), _BACK, replicas=1, restarts=5, last_state=_exited(1), **parts
    )
    line = "Error: EROFS: read-only file system, mkdir '/photos/incoming'"
    estate.frozen.log(
        pods[0]["metadata"]["name"], "photo-store", "starting photo-store", line, minutes_ago=2, previous=True
    )
    return estate.frozen


@scenario("volume_mount_permission_denied", name="exports", variants=("events_expired",))
def nfs_server_denies_the_mount() -> Frozen:
    estate = _city()
    told = (
        'MountVolume.SetUp failed for volume "share" : mount failed: exit status 32\nMounting command: mount\nMounting arguments: -t nfs '
        "10.9.0.4:/srv/exports /var/lib/kubelet/pods/1f/volumes/kubernetes.io~nfs/share\nOutput: mount.nfs: access denied by server while "
        "mounting 10.9.0.4:/srv/exports"
    )
    volumes = [{"name": "share", "nfs": {"server": "10.9.0.4", "path": "/srv/exports"}}]
    pods = estate.waiting(
        "exports",
        {"waiting": {"reason": "ContainerCreating"}},
        ("FailedMount", told),
        volumes=volumes,
        volumeMounts=[{"name": "share", "mountPath": "/out"}],
    )
    for item in pods:
        estate.frozen.journal(
            item["spec"]["nodeName"],
            "kubelet",
            f'E0414 09:27:11 kubelet.go:1890] "Unable to attach or mount volumes for pod" err="{told.splitlines()[-1]}" pod="parking/{item["metadata"]["name"]}"',
        )
    return estate.frozen


@scenario("volume_mount_permission_denied", "StatefulSet", "search-index")
def only_the_new_replica_cannot_write() -> Frozen:
    estate = _city()
    pods = estate.waiting(
        "search-index", _crash("search-index"), _BACK, kind="StatefulSet", replicas=3, running=2, restarts=4, last_state=_exited(1),
        volumeMounts=[{"name": "data", "mountPath": "/usr/share/index/data"}], volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data-search-index-2"}}],
    )  # fmt: skip
    estate.frozen.add(claim(_SPACE, "data-search-index-2", bound_to="pvc-9"))
    line = "java.nio.file.AccessDeniedException: /usr/share/index/data/node.lock"
    estate.frozen.log(
        pods[-1]["metadata"]["name"],
        "search-index",
        "INFO starting node",
        f"ERROR fatal exception while booting: {line}",
        minutes_ago=2,
        previous=True,
    )
    return estate.frozen


# ---------------------------------------------------------------------------------------------- init containers


def _with_init(estate: Estate, pods: list[Object], name: str, state: Object, last: Object, restarts: int = 5) -> None:
    for item in pods:
        first = item["spec"]["initContainers"][0]
        row = {
            "name": name,
            "image": first["image"],
            "ready": False,
            "restartCount": restarts,
            "state": state,
            "lastState": last,
        }
        item["status"]["initContainerStatuses"] = [row]
        item["status"]["phase"] = "Pending"
        for status in item["status"]["containerStatuses"]:
            status |= {"state": {"waiting": {"reason": "PodInitializing"}}, "ready": False, "started": False}


@scenario("init_container_failed", name="reservations", variants=("events_expired", "old_events", "no_logs"))
def migration_in_an_init_container_fails() -> Frozen:
    estate = _city()
    init = [container("migrate", "registry.internal:5000/team/migrations:18")]
    pods = estate.waiting(
        "reservations",
        {"waiting": {"reason": "PodInitializing"}},
        ("BackOff", "Back-off restarting failed container migrate in pod"),
        initContainers=init,
    )
    _with_init(estate, pods, "migrate", _crash("migrate"), _exited(1, seconds=9))
    lines = (
        "running 18 migrations",
        'ERROR migration 0018_split_zone failed: duplicate key value violates unique constraint "zone_pkey"',
    )
    for item in pods:
        estate.frozen.log(item["metadata"]["name"], "migrate", *lines, minutes_ago=3, previous=True)
    return estate.frozen


@scenario("init_container_failed", "StatefulSet", "stream", variants=("bystanders",))
def init_container_of_one_replica_ends_with_two() -> Frozen:
    estate = _city()
    init = [
        container("prepare", "docker.io/library/busybox:1.36", command=["sh", "-c", "test -f /seed/done || exit 2"])
    ]
    pods = estate.waiting(
        "stream",
        {"waiting": {"reason": "PodInitializing"}},
        ("BackOff", "Back-off restarting failed container prepare in pod"),
        kind="StatefulSet",
        replicas=3,
        running=1,
        initContainers=init,
    )
    _with_init(estate, pods[1:], "prepare", _exited(2), _exited(2), 3)
    return estate.frozen


@scenario("init_container_failed", "Job", "yearly-close")
def init_container_of_a_job_fails_for_good() -> Frozen:
    estate = _city()
    init = [container("fetch", "registry.internal:5000/team/fetch:2")]
    pods = estate.waiting(
        "yearly-close", {"waiting": {"reason": "PodInitializing"}}, kind="Job", replicas=1, initContainers=init
    )
    _with_init(estate, pods, "fetch", _exited(6, seconds=12), {}, 0)
    pods[0]["status"]["phase"] = "Failed"
    condition = {
        "type": "Failed",
        "status": "True",
        "reason": "BackoffLimitExceeded",
        "lastTransitionTime": estate.frozen.stamp(7),
    }
    estate.frozen.find("Job", "yearly-close")["status"] = {
        "failed": 1,
        "startTime": estate.frozen.stamp(12),
        "conditions": [condition],
    }
    estate.frozen.log(
        pods[0]["metadata"]["name"],
        "fetch",
        "fetching archive 2025",
        "curl: (22) The requested URL returned error: 404",
        minutes_ago=8,
    )
    return estate.frozen


# ------------------------------------------------------------------------------------------------------ commands

_RUNC = 'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "{0}": {1}: unknown'


@scenario("incorrect_command", name="forecast", variants=("events_expired", "described", "old_events"))
def program_is_not_in_the_path() -> Frozen:
    estate = _city()
    told = _RUNC.format("forecastd", "executable file not found in $PATH")
    estate.waiting(
        "forecast",
        _crash("forecast"),
        ("Failed", f"Error: {told}"),
        _BACK,
        restarts=5,
        last_state=_exited(128, "StartError", told),
        command=["forecastd"],
    )
    return estate.frozen


@scenario("incorrect_command", "StatefulSet", "broker", variants=("bystanders", "events_expired"))
def shell_cannot_find_the_script() -> Frozen:
    estate = _city()
    pods = estate.waiting(
        "broker",
        _crash("broker"),
        _BACK,
        kind="StatefulSet",
        replicas=2,
        restarts=6,
        last_state=_exited(127),
        command=["sh", "-c", "/opt/bin/start-broker.sh"],
    )
    estate.frozen.log(
        pods[0]["metadata"]["name"],
        "broker",
        "sh: 1: /opt/bin/start-broker.sh: not found",
        minutes_ago=2,
        previous=True,
    )
    return estate.frozen


@scenario("incorrect_command", "CronJob", "sweep", accept=[("incorrect_command", "Job", "sweep-29005")])
def cron_job_calls_a_file_without_permission_to_execute() -> Frozen:
    estate = _city()
    told = _RUNC.format("/app/sweep.sh", "permission denied")
    estate.waiting(
        "sweep-29005",
        _exited(128, "StartError", told),
        ("Failed", f"Error: {told}"),
        kind="Job",
        replicas=1,
        command=["/app/sweep.sh"],
    )
    job = estate.frozen.find("Job", "sweep")
    job["metadata"]["ownerReferences"] = [
        {"apiVersion": "batch/v1", "kind": "CronJob", "name": "sweep", "uid": "cron-7", "controller": True}
    ]
    estate.frozen.add(
        {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": {
                "name": "sweep",
                "namespace": _SPACE,
                "uid": "cron-7",
                "creationTimestamp": "2026-01-05T08:00:00Z",
            },
            "spec": {"schedule": "*/30 * * * *", "suspend": False, "jobTemplate": {"spec": job["spec"]}},
            "status": {"lastScheduleTime": estate.frozen.stamp(30), "active": [{"kind": "Job", "name": "sweep-29005"}]},
        }
    )
    return estate.frozen


@scenario("incorrect_command", name="valuation")
def working_directory_does_not_exist_in_a_rollout() -> Frozen:
    estate = _city()
    estate.healthy("valuation")
    _, group = estate.new_revision("valuation", command=["/srv/valuaton"])
    told = _RUNC.format("/srv/valuaton", "stat /srv/valuaton: no such file or directory")
    state = {"waiting": {"reason": "RunContainerError", "message": told}}
    _on_node(
        estate,
        group,
        state,
        (("Failed", f"Error: {told}"), _BACK),
        restartCount=4,
        lastState=_exited(128, "StartError", told),
    )
    return estate.frozen


# ------------------------------------------------------------------------------------------------- architectures


@scenario("exec_format_error", name="vision", variants=("events_expired", "old_events", "described"))
def log_says_exec_format_error_on_arm() -> Frozen:
    nodes = {"curb-1": {}, "curb-2": {}, "arm-1": {"arch": "arm64"}}
    estate = _city(nodes)
    pods = estate.waiting(
        "vision",
        _crash("vision"),
        _BACK,
        replicas=2,
        running=1,
        on=["curb-1", "arm-1"],
        restarts=6,
        last_state=_exited(1),
    )
    for previous in (True, False):
        estate.frozen.log(
            pods[-1]["metadata"]["name"],
            "vision",
            "exec /usr/local/bin/vision: exec format error",
            minutes_ago=2,
            previous=previous,
        )
    return estate.frozen


@scenario("exec_format_error", "DaemonSet", "edge-cache", variants=("bystanders",))
def runc_says_exec_format_error_on_half_of_the_nodes() -> Frozen:
    nodes = {"curb-1": {}, "arm-1": {"arch": "arm64"}, "arm-2": {"arch": "arm64"}}
    estate = _city(nodes)
    told = _RUNC.format("/bin/edge-cache", "exec format error")
    estate.waiting(
        "edge-cache",
        _crash("edge-cache"),
        ("Failed", f"Error: {told}"),
        kind="DaemonSet",
        replicas=3,
        running=1,
        on=["curb-1", "arm-1", "arm-2"],
        restarts=4,
        last_state=_exited(128, "StartError", told),
    )
    return estate.frozen


@scenario("exec_format_error", name="sampler", variants=("events_expired",))
def no_manifest_for_the_platform() -> Frozen:
    nodes = {"curb-1": {}, "curb-2": {}, "arm-1": {"arch": "arm64"}}
    estate = _city(nodes)
    image = "registry.internal:5000/team/sampler:6"
    cause = f'rpc error: code = NotFound desc = failed to pull and unpack image "{image}": no match for platform in manifest: not found'
    estate.waiting(
        "sampler",
        _back_off(image, cause),
        *_pull(image, cause),
        replicas=1,
        on=["arm-1"],
        image=image,
        nodeSelector={"kubernetes.io/arch": "arm64"},
    )
    return estate.frozen


# ---------------------------------------------------------------------------------------------- nothing wrong


@scenario(None, no_cause=True)
def a_missing_pull_secret_and_optional_config_harm_nobody() -> Frozen:
    estate = _city()
    volumes = [{"name": "extra", "configMap": {"name": "not-there", "optional": True}}]
    pods = estate.healthy("beacon", volumes=volumes, imagePullSecrets=[{"name": "gone"}])
    estate.frozen.event(
        pods[0],
        "FailedToRetrieveImagePullSecret",
        "Unable to retrieve some image pull secrets (gone); attempting to pull the image may not succeed.",
        minutes_ago=20,
        count=40,
    )
    return estate.frozen
