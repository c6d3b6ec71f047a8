"""Pods that wait for storage: claims that bind to nothing, and volumes in a place where the pod cannot run.

The application keeps the records of a hospital's laboratory. Claims fail one predicate each (class, size, mode, labels,
a volume that is taken) while the volumes around them fail others, so that one must compare, not only read.
"""

from typing import Any

from tests.scenarios.estate import Estate, claim, mounted, storage_class, volume
from tests.scenarios.frozen import Frozen, Object
from tests.scenarios.sets.registry import scenario

_SERVICES = ("orders", "samples", "results", "analyzers", "billing", "portal")
_SPACE = "lab"
_UNBOUND = (
    "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/3 nodes are available: 3 Preemption is "
    "not helpful for scheduling."
)
_NO_VOLUME = "0/3 nodes are available: 3 node(s) didn't find available persistent volumes to bind. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
_CONFLICT = "0/{0} nodes are available: {0} node(s) had volume node affinity conflict. preemption: 0/{0} nodes are available: {0} Preemption is not helpful for scheduling."
_UNSET = "no persistent volumes available for this claim and no storage class is set"


def _laboratory(nodes: Any = ("lab-1", "lab-2", "lab-3"), services: tuple[str, ...] = _SERVICES) -> Estate:
    return Estate(_SPACE, services, nodes)


def _template(size: str, storage_class: str | None, *modes: str, **spec: Any) -> Object:
    """A StatefulSet's claim template named ``data``."""
    body: Object = {
        "accessModes": list(modes or ("ReadWriteOnce",)),
        "resources": {"requests": {"storage": size}},
        **spec,
    }
    if storage_class is not None:
        body["storageClassName"] = storage_class
    return {"metadata": {"name": "data"}, "spec": body}


def _stateful(estate: Estate, name: str, told: str, template: Object, replicas: int = 1, running: int = 0) -> Object:
    """A StatefulSet whose next pod waits for its claim ``data-NAME-ORDINAL``."""
    pods = estate.pending(
        name,
        told,
        kind="StatefulSet",
        replicas=replicas,
        running=running,
        volumeMounts=[{"name": "data", "mountPath": "/data"}],
    )
    estate.frozen.find("StatefulSet", name)["spec"]["volumeClaimTemplates"] = [template]
    for place, pod in enumerate(pods):
        pod["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": f"data-{name}-{place}"}}]
    return pods[-1]


def _told(estate: Estate, waiting: Object, reason: str, message: str) -> None:
    """An event about a claim, repeated for minutes."""
    kind = "Normal" if reason in ("FailedBinding", "WaitForFirstConsumer", "ExternalProvisioning") else "Warning"
    estate.frozen.add(waiting)
    estate.frozen.event(
        waiting,
        reason,
        message,
        kind=kind,
        minutes_ago=1,
        first_minutes_ago=14,
        count=56,
        component="persistentvolume-controller",
    )


# ------------------------------------------------------------------------------------------------ taken volumes


@scenario("pv_binding_occupied", name="slides", variants=("events_expired", "described", "old_events", "bystanders"))
def the_only_volume_is_bound_to_another_claim() -> Frozen:
    estate = _laboratory()
    estate.frozen.add(
        volume("slides-disk", storage_class="", claim_of=(_SPACE, "scans")),
        claim(_SPACE, "scans", storage_class="", bound_to="slides-disk"),
    )
    estate.healthy("scanner", replicas=1, **mounted("scans"))
    _told(estate, claim(_SPACE, "slides", storage_class=""), "FailedBinding", _UNSET)
    estate.pending("slides", _UNBOUND, replicas=1, **mounted("slides"))
    return estate.frozen


@scenario("pv_binding_occupied", "StatefulSet", "specimens", variants=("events_expired",))
def named_volume_belongs_to_a_claim_of_another_namespace() -> Frozen:
    estate = _laboratory()
    estate.frozen.add(
        volume("nas-7", storage_class="nas", size="50Gi", claim_of=("research", "archive")), storage_class("nas")
    )
    waiting = claim(_SPACE, "data-specimens-0", storage_class="nas", size="50Gi", volumeName="nas-7")
    _told(estate, waiting, "FailedBinding", 'volume "nas-7" already bound to a different claim.')
    _stateful(estate, "specimens", _UNBOUND, _template("50Gi", "nas"))
    return estate.frozen


@scenario("pv_binding_occupied", name="reports", variants=("old_events",))
def released_volume_keeps_its_old_claim() -> Frozen:
    """The reclaim policy is Retain: a released volume is not available until somebody clears its claimRef."""
    estate = _laboratory()
    estate.frozen.add(
        volume("reports-disk", storage_class="manual", claim_of=(_SPACE, "reports-old"), phase="Released"),
        volume("tiny", storage_class="other", size="1Gi"),
        storage_class("manual"),
    )
    _told(
        estate,
        claim(_SPACE, "reports", storage_class="manual"),
        "ProvisioningFailed",
        'storageclass.storage.k8s.io "manual" has no provisioner',
    )
    estate.pending("reports", _UNBOUND, replicas=1, **mounted("reports"))
    return estate.frozen


# ---------------------------------------------------------------------------------------------------- selectors


@scenario("pvc_selector_mismatch", name="images", variants=("events_expired", "described", "old_events"))
def labels_of_the_volume_differ() -> Frozen:
    estate = _laboratory()
    estate.frozen.add(
        volume("images-1", storage_class="manual", labels={"content": "pictures"}), storage_class("manual")
    )
    waiting = claim(_SPACE, "images", storage_class="manual", selector={"matchLabels": {"content": "images"}})
    _told(
        estate, waiting, "FailedBinding", "no persistent volumes available for this claim and no storage class is set"
    )
    estate.pending("images", _UNBOUND, replicas=1, **mounted("images"))
    estate.suffers("portal", "images")
    return estate.frozen


@scenario("pvc_selector_mismatch", "StatefulSet", "genomes", variants=("events_expired", "bystanders"))
def expressions_exclude_the_free_volumes() -> Frozen:
    estate = _laboratory()
    estate.frozen.add(
        storage_class("bulk", wait=True),
        volume("bulk-1", storage_class="bulk", size="100Gi", labels={"tier": "cold"}),
        volume("bulk-2", storage_class="bulk", size="200Gi", labels={"tier": "warm"}),
        volume(
            "bulk-3", storage_class="bulk", size="200Gi", labels={"tier": "hot"}, claim_of=(_SPACE, "data-genomes-0")
        ),
        claim(_SPACE, "data-genomes-0", storage_class="bulk", size="100Gi", bound_to="bulk-3"),
    )
    chosen = {"matchExpressions": [{"key": "tier", "operator": "In", "values": ["hot"]}]}
    waiting = claim(_SPACE, "data-genomes-1", storage_class="bulk", size="100Gi", selector=chosen)
    _told(estate, waiting, "WaitForFirstConsumer", "waiting for first consumer to be created before binding")
    _stateful(estate, "genomes", _NO_VOLUME, _template("100Gi", "bulk", selector=chosen), replicas=2, running=1)
    return estate.frozen


@scenario("pvc_selector_mismatch", "Job", "import-history")
def volume_has_no_labels_at_all() -> Frozen:
    estate = _laboratory()
    estate.frozen.add(
        volume("history", storage_class="", modes=("ReadOnlyMany",)),
        volume("small", storage_class="", size="1Gi", labels={"name": "history"}),
    )
    waiting = claim(
        _SPACE, "history", storage_class="", modes=("ReadOnlyMany",), selector={"matchLabels": {"name": "history"}}
    )
    _told(estate, waiting, "FailedBinding", _UNSET)
    estate.pending("import-history", _UNBOUND, kind="Job", replicas=1, **mounted("history"))
    return estate.frozen


# ------------------------------------------------------------------------------------------------------ classes


@scenario("pvc_storage_class_mismatch", name="documents", variants=("events_expired", "described", "old_events"))
def class_does_not_exist() -> Frozen:
    estate = _laboratory()
    estate.frozen.add(
        storage_class("standard", provisioner="rook-ceph.rbd.csi.ceph.com", default=True),
        storage_class("shared", provisioner="nfs.csi.k8s.io"),
    )
    waiting = claim(_SPACE, "documents", storage_class="premium-ssd")
    _told(estate, waiting, "ProvisioningFailed", 'storageclass.storage.k8s.io "premium-ssd" not found')
    estate.pending("documents", _UNBOUND, replicas=1, **mounted("documents"))
    return estate.frozen


@scenario("pvc_storage_class_mismatch", "StatefulSet", "audit", variants=("events_expired", "bystanders"))
def class_differs_from_that_of_the_prepared_volume() -> Frozen:
    estate = _laboratory()
    estate.frozen.add(
        storage_class("local-ssd"),
        storage_class("local-hdd"),
        volume("audit-disk", storage_class="local-ssd", size="20Gi"),
    )
    waiting = claim(_SPACE, "data-audit-0", storage_class="local-hdd", size="20Gi", volumeName="audit-disk")
    _told(
        estate,
        waiting,
        "VolumeMismatch",
        'Cannot bind to requested volume "audit-disk": storageClassName does not match',
    )
    _stateful(estate, "audit", _UNBOUND, _template("20Gi", "local-hdd"))
    return estate.frozen


@scenario("pvc_storage_class_mismatch", name="protocols")
def no_class_is_set_and_there_is_no_default() -> Frozen:
    """The volume has a class, the claim has none, and no class is the default."""
    estate = _laboratory()
    estate.frozen.add(storage_class("manual"), volume("protocols", storage_class="manual", size="10Gi"))
    _told(estate, claim(_SPACE, "protocols", storage_class=None), "FailedBinding", _UNSET)
    estate.pending("protocols", _UNBOUND, replicas=1, **mounted("protocols"))
    return estate.frozen


@scenario("pvc_storage_class_mismatch", "StatefulSet", "message-log", variants=("old_events",))
def second_replica_after_the_class_was_deleted() -> Frozen:
    estate = _laboratory()
    estate.frozen.add(
        storage_class("gp3", provisioner="ebs.csi.aws.com", wait=True, default=True),
        volume("pvc-91", storage_class="gp2", size="8Gi", claim_of=(_SPACE, "data-message-log-0")),
        claim(_SPACE, "data-message-log-0", storage_class="gp2", size="8Gi", bound_to="pvc-91"),
    )
    _told(
        estate,
        claim(_SPACE, "data-message-log-1", storage_class="gp2", size="8Gi"),
        "ProvisioningFailed",
        'storageclass.storage.k8s.io "gp2" not found',
    )
    _stateful(estate, "message-log", _UNBOUND, _template("8Gi", "gp2"), replicas=2, running=1)
    return estate.frozen


# -------------------------------------------------------------------------------------------------------- sizes


@scenario("pvc_capacity_mismatch", name="films", variants=("events_expired", "described", "old_events", "bystanders"))
def every_free_volume_is_too_small() -> Frozen:
    estate = _laboratory()
    estate.frozen.add(
        volume("disk-a", storage_class="manual", size="5Gi"), volume("disk-b", storage_class="manual", size="9Gi"),
        volume("disk-c", storage_class="archive", size="500Gi"), storage_class("manual"), storage_class("archive"),
    )  # fmt: skip
    _told(
        estate,
        claim(_SPACE, "films", storage_class="manual", size="10Gi"),
        "ProvisioningFailed",
        'storageclass.storage.k8s.io "manual" has no provisioner',
    )
    estate.pending("films", _UNBOUND, replicas=1, **mounted("films"))
    return estate.frozen


@scenario("pvc_capacity_mismatch", "StatefulSet", "series", variants=("events_expired",))
def decimal_and_binary_units() -> Frozen:
    """100G is less than 100Gi."""
    estate = _laboratory()
    estate.frozen.add(volume("series-0", storage_class="", size="100G"))
    waiting = claim(_SPACE, "data-series-0", storage_class="", size="100Gi", volumeName="series-0")
    _told(estate, waiting, "VolumeMismatch", 'Cannot bind to requested volume "series-0": requested PV is too small')
    _stateful(estate, "series", _UNBOUND, _template("100Gi", ""))
    return estate.frozen


@scenario("pvc_capacity_mismatch", "Job", "export")
def large_volume_is_taken_and_small_one_is_free() -> Frozen:
    estate = _laboratory()
    estate.frozen.add(
        storage_class("local", wait=True), volume("l-1", storage_class="local", size="40Gi"),
        volume("l-2", storage_class="local", size="30Gi"), claim(_SPACE, "results-cache", storage_class="other", bound_to="pvc-x"),
    )  # fmt: skip
    _told(
        estate,
        claim(_SPACE, "export", storage_class="local", size="64Gi"),
        "WaitForFirstConsumer",
        "waiting for first consumer to be created before binding",
    )
    estate.pending("export", _NO_VOLUME, kind="Job", replicas=1, **mounted("export"))
    return estate.frozen


# -------------------------------------------------------------------------------------------------------- modes


@scenario("pvc_access_mode_mismatch", name="attachments", variants=("events_expired", "described", "old_events"))
def many_writers_wanted_of_a_disk_for_one() -> Frozen:
    estate = _laboratory()
    estate.frozen.add(volume("attach-1", storage_class="manual"), storage_class("manual"))
    waiting = claim(_SPACE, "attachments", storage_class="manual", modes=("ReadWriteMany",))
    _told(estate, waiting, "ProvisioningFailed", 'storageclass.storage.k8s.io "manual" has no provisioner')
    estate.pending("attachments", _UNBOUND, replicas=2, **mounted("attachments"))
    return estate.frozen


@scenario("pvc_access_mode_mismatch", "StatefulSet", "worklist", variants=("bystanders",))
def named_volume_has_another_mode() -> Frozen:
    estate = _laboratory()
    estate.frozen.add(volume("share-3", storage_class="", modes=("ReadOnlyMany",), size="10Gi"))
    waiting = claim(_SPACE, "data-worklist-0", storage_class="", modes=("ReadWriteOnce",), volumeName="share-3")
    _told(estate, waiting, "VolumeMismatch", 'Cannot bind to requested volume "share-3": incompatible accessMode')
    _stateful(estate, "worklist", _UNBOUND, _template("10Gi", ""))
    return estate.frozen


@scenario("pvc_access_mode_mismatch", name="templates")
def provisioner_cannot_make_a_shared_volume() -> Frozen:
    estate = _laboratory()
    estate.frozen.add(storage_class("gp3", provisioner="ebs.csi.aws.com", default=True))
    waiting = claim(_SPACE, "templates", storage_class="gp3", modes=("ReadWriteMany",))
    text = (
        'failed to provision volume with StorageClass "gp3": rpc error: code = InvalidArgument desc = Volume capabilities MULTI_NODE_MULTI_WRITER '
        "not supported. Only AccessModes[ReadWriteOnce] supported."
    )
    _told(estate, waiting, "ProvisioningFailed", text)
    estate.pending("templates", _UNBOUND, replicas=2, **mounted("templates"))
    return estate.frozen


@scenario("pvc_access_mode_mismatch", name="keys", variants=("events_expired",))
def single_pod_mode_is_not_offered_by_the_volume() -> Frozen:
    estate = _laboratory()
    estate.frozen.add(
        storage_class("csi-manual"),
        volume(
            "keys-a",
            storage_class="csi-manual",
            modes=("ReadWriteOnce", "ReadOnlyMany"),
            csi={"driver": "hostpath.csi.k8s.io", "volumeHandle": "a"},
        ),
        volume(
            "keys-b",
            storage_class="csi-manual",
            modes=("ReadWriteOncePod",),
            size="1Gi",
            csi={"driver": "hostpath.csi.k8s.io", "volumeHandle": "b"},
        ),
    )
    waiting = claim(
        _SPACE, "keys", storage_class="csi-manual", modes=("ReadWriteOncePod",), size="5Gi", volumeName="keys-a"
    )
    _told(estate, waiting, "VolumeMismatch", 'Cannot bind to requested volume "keys-a": incompatible accessMode')
    estate.pending("keys", _UNBOUND, replicas=1, **mounted("keys"))
    return estate.frozen


# -------------------------------------------------------------------------------------------------------- zones


@scenario("volume_zone_conflict", "StatefulSet", "patient-db", variants=("events_expired", "described", "old_events"))
def volume_in_a_zone_whose_nodes_are_gone() -> Frozen:
    nodes = {"lab-1": {"zone": "z-a"}, "lab-2": {"zone": "z-a"}, "lab-3": {"zone": "z-c"}}
    estate = _laboratory(nodes)
    estate.frozen.add(
        storage_class("zonal", provisioner="pd.csi.storage.gke.io", wait=True),
        volume(
            "pvc-5f",
            storage_class="zonal",
            claim_of=(_SPACE, "data-patient-db-0"),
            affinity=("topology.kubernetes.io/zone", ["z-b"]),
            csi={"driver": "pd.csi.storage.gke.io", "volumeHandle": "x"},
        ),
        claim(_SPACE, "data-patient-db-0", storage_class="zonal", bound_to="pvc-5f"),
    )
    _stateful(estate, "patient-db", _CONFLICT.format(3), _template("10Gi", "zonal"))
    estate.suffers("results", "patient-db", ready=False)
    return estate.frozen


@scenario("volume_zone_conflict", name="microscopy", variants=("events_expired", "bystanders"))
def local_volume_on_a_node_that_the_selector_excludes() -> Frozen:
    nodes = {
        "lab-1": {"labels": {"room": "north"}},
        "lab-2": {"labels": {"room": "south"}},
        "lab-3": {"labels": {"room": "south"}},
    }
    estate = _laboratory(nodes)
    estate.frozen.add(
        volume(
            "local-1",
            storage_class="local",
            claim_of=(_SPACE, "pictures"),
            affinity=("kubernetes.io/hostname", ["lab-1"]),
            local={"path": "/mnt/d0"},
        ),
        claim(_SPACE, "pictures", storage_class="local", bound_to="local-1"),
        storage_class("local", wait=True),
    )
    told = (
        "0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 2 node(s) had volume node affinity conflict. preemption: "
        "0/3 nodes are available: 3 Preemption is not helpful for scheduling."
    )
    estate.pending("microscopy", told, replicas=1, nodeSelector={"room": "south"}, **mounted("pictures"))
    return estate.frozen


@scenario("volume_zone_conflict", "StatefulSet", "mirror")
def one_replica_whose_node_was_replaced() -> Frozen:
    """A local volume names a host that is not there any more; the other replica runs."""
    estate = _laboratory(("lab-1", "lab-2", "lab-4"))
    estate.frozen.add(
        volume(
            "m-0",
            storage_class="local",
            claim_of=(_SPACE, "data-mirror-0"),
            affinity=("kubernetes.io/hostname", ["lab-1"]),
            local={"path": "/mnt/m"},
        ),
        volume(
            "m-1",
            storage_class="local",
            claim_of=(_SPACE, "data-mirror-1"),
            affinity=("kubernetes.io/hostname", ["lab-3"]),
            local={"path": "/mnt/m"},
        ),
        claim(_SPACE, "data-mirror-0", storage_class="local", bound_to="m-0"),
        claim(_SPACE, "data-mirror-1", storage_class="local", bound_to="m-1"),
        storage_class("local", wait=True),
    )
    _stateful(estate, "mirror", _CONFLICT.format(3), _template("10Gi", "local"), replicas=2, running=1)
    return estate.frozen


# ---------------------------------------------------------------------------------------------- nothing wrong


@scenario(None, no_cause=True)
def a_claim_nobody_uses_yet_is_no_cause() -> Frozen:
    estate = _laboratory()
    estate.frozen.add(storage_class("gp3", provisioner="ebs.csi.aws.com", wait=True))
    _told(
        estate,
        claim(_SPACE, "spare", storage_class="gp3"),
        "WaitForFirstConsumer",
        "waiting for first consumer to be created before binding",
    )
    return estate.frozen
