"""Startup: the pod has a node, and its containers do not come up.

What the kubelet waits for is in the container's waiting reason; why is in its message or in the pod's events. Image
pulls fail in several ways that need different fixes (``pulls``). Missing references are named by the kubelet; where its
words have expired, what the pod refers to is compared with what is listed (``references``). A process that starts and
dies is ``runtime``'s.
"""

import re
from collections.abc import Iterator

from agent_sre.analysis.casefile import CaseFile, K8sObject, Seen
from agent_sre.analysis.kubernetes.cluster import Cluster, cluster_of
from agent_sre.analysis.kubernetes.excerpts import event_fact, fact, log_fact, message
from agent_sre.analysis.kubernetes.logs import journal, last_match, matching, streams
from agent_sre.analysis.kubernetes.pods import Container, Pod
from agent_sre.analysis.kubernetes.pulls import UNDECIDED, Pull, pull_cause, registry_of
from agent_sre.analysis.kubernetes.reading import Path, items, name_of, positions, text
from agent_sre.analysis.kubernetes.references import missing_config_maps, secrets_alone
from agent_sre.analysis.kubernetes.workload import Workload
from agent_sre.domain.finding import Fact, Finding

_ANALYZER = "startup"
_PULL_REASONS = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError"}
)
_PULL_EVENTS = ("Failed", "InspectFailed", "ErrImageNeverPull", "FailedToRetrieveImagePullSecret")
_MOUNT_EVENTS = ("FailedMount", "FailedAttachVolume")
_MISSING = re.compile(
    r"(?P<kind>secret|configmap)s? \"?(?P<name>[\w.-]+)\"? not found"
    r"|couldn't find key \S+ in (?P<kind2>secret|configmap)"
    r"|(?P<kind3>secret|configmap) references non-existent (secret|config) key"
    r"|references non-existent (?P<kind4>secret|config) key"
    r"|object \"[^\"]+\"/\"[^\"]+\" not registered", re.I
)  # fmt: skip
_PERMISSION = re.compile(
    r"permission denied|access denied by server"
    r"|read-only file ?system|operation not permitted|\bEACCES\b|\bEROFS\b|AccessDeniedException", re.I
)  # fmt: skip
_FORMAT = re.compile(r"exec format error", re.I)
_COMMAND = re.compile(
    r"executable file not found|no command specified|no such file or directory"
    r"|exec: .{0,120}(permission denied|is a directory)"
    r"|starting container process caused|unable to start container process: exec", re.I
)  # fmt: skip
_ROOTFS = re.compile(r"error mounting|failed to prepare subPath|rootfs_linux", re.I)
"""A mount that fails while the container is made; the files it misses are not its command."""
_NODE_TROUBLE = re.compile(
    r"deadline exceeded|is reserved for|no space left|transport is closing|connection refused", re.I
)
"""The runtime's own trouble, which is the node's and not the workload's."""
_OOM = re.compile(r"OOM-?killed", re.I)


def analyze_startup(case: CaseFile) -> Iterator[Finding]:
    """Findings for every workload with a container of the current generation that does not come up."""
    cluster = cluster_of(case)
    for workload in cluster.in_scope():
        done: set[str] = set()
        for pod in workload.current_pods:
            if pod.ready or pod.done:
                continue
            for finding in (
                *_pulls(cluster, workload, pod),
                *_references(case, cluster, workload, pod),
                *_starts(case, cluster, workload, pod),
            ):
                if finding.fault not in done:
                    done.add(finding.fault)
                    yield finding


def _finding(workload: Workload, pod: Pod, fault: str, strength: float, why: str, facts: list[Fact]) -> Finding:
    return Finding(
        analyzer=_ANALYZER,
        fault=fault,
        object=workload.ref,
        strength=strength,
        statement=f"{workload.ref} does not start: {why}.",
        facts=tuple(facts),
        onset=pod.created,
        distinguish=f"kubectl -n {pod.ref.namespace} describe pod {pod.ref.name}, and logs --previous",
    )


def _state_fact(pod: Pod, container: Container) -> Fact:
    paths: tuple[Path, ...] = ((*container.spec_path, "image"), (*container.status_path, "state"))
    return fact(f"{container.name} of {pod.ref} waits: {container.waiting}", pod.seen, *paths)


def _pulls(cluster: Cluster, workload: Workload, pod: Pod) -> Iterator[Finding]:
    for container in pod.containers:
        if container.waiting not in _PULL_REASONS:
            continue
        events = cluster.events(pod.ref, *_PULL_EVENTS)
        said = [event for event in events if "image" in message(event.value).lower()]
        secret = [event for event in events if text(event.value, "reason") == "FailedToRetrieveImagePullSecret"]
        image, waits = text(container.spec, "image"), text(container.status, "state", "waiting", "message")
        fault, strength, why = pull_cause(
            Pull(
                image=image,
                reason=container.waiting,
                words=" ".join([waits, *(message(item.value) for item in said if item not in secret)]),
                refused=bool(secret),
                named=bool(items(pod.seen.value, "spec", "imagePullSecrets")),
                before=_image_before(workload, container),
                lacking=_lacks_pull_secret(cluster, pod),
                others_named=_others_name_one(cluster, pod, image),
            )
        )
        facts = [_state_fact(pod, container), *map(event_fact, sorted(said, key=_telling)[:1])]
        if fault == "missing_image_pull_secret":
            facts += [event_fact(event) for event in secret[:1]]
            facts.append(fact(f"Pull secrets that {pod.ref} names", pod.seen, ("spec", "imagePullSecrets")))
        yield _finding(workload, pod, fault, strength, f"image {image} cannot be pulled, {why}", facts)
        if strength == UNDECIDED:
            why = f"image {image} cannot be pulled, and credentials may be what it lacks"
            yield _finding(workload, pod, "missing_image_pull_secret", UNDECIDED - 0.05, why, facts[:1])


def _pull_secrets(pod: Pod) -> list[str]:
    return [text(item, "name") for item in items(pod.seen.value, "spec", "imagePullSecrets")]


def _lacks_pull_secret(cluster: Cluster, pod: Pod) -> bool:
    """Whether none of the pull secrets that it names is among the Secrets listed; False where none were listed."""
    listed = {name_of(seen.value) for seen in cluster.objects("Secret", pod.ref.namespace)}
    named = _pull_secrets(pod)
    return bool(named) and bool(listed) and listed.isdisjoint(named)


def _others_name_one(cluster: Cluster, pod: Pod, image: str) -> bool:
    """Whether it names no pull secret while other pods that pull from the same registry do."""
    if _pull_secrets(pod):
        return False
    return any(
        _pull_secrets(other)
        and any(registry_of(text(item.spec, "image")) == registry_of(image) for item in other.containers)
        for other in cluster.pods
    )


def _telling(event: Seen[K8sObject]) -> int:
    """The longest message first: it is the one that quotes the registry."""
    return -len(message(event.value))


def _image_before(workload: Workload, container: Container) -> str:
    """The image that the container had in the generation before, or ""."""
    if workload.previous is None:
        return ""
    before, template = workload.previous
    found = items(before.value, *template, "spec", "containers")
    return next((text(item, "image") for item in found if text(item, "name") == container.name), "")


def _references(case: CaseFile, cluster: Cluster, workload: Workload, pod: Pod) -> Iterator[Finding]:
    """Secrets and ConfigMaps that do not exist, said by the kubelet."""
    for container in pod.containers:
        if container.waiting in ("CreateContainerConfigError", "CreateContainerError"):
            words = text(container.status, "state", "waiting", "message")
            events = [event for event in cluster.events(pod.ref, "Failed") if _MISSING.search(message(event.value))]
            match = _MISSING.search(words) or (_MISSING.search(message(events[0].value)) if events else None)
            facts = [_state_fact(pod, container), *map(event_fact, events[:1])]
            if match is not None:
                yield _missing(workload, pod, match, facts)
            elif _COMMAND.search(words):
                why = f"the command of {container.name} cannot be executed"
                yield _finding(workload, pod, "incorrect_command", 0.85, why, facts)
            elif words and not _NODE_TROUBLE.search(words):
                yield _finding(workload, pod, "config_invalid", 0.6, f"the kubelet cannot make {container.name}", facts)
            elif absent := missing_config_maps(cluster, pod):
                yield from _unlisted(workload, pod, absent)
            elif container.waiting == "CreateContainerConfigError" and not words:
                yield from _by_elimination(workload, pod, [*secrets_alone(cluster, pod, container)[:3], *facts])
    yield from _mounts(case, cluster, workload, pod)


def _by_elimination(workload: Workload, pod: Pod, facts: list[Fact]) -> Iterator[Finding]:
    """Of what a container's configuration can lack, only Secrets are left; the last fact is that it waits."""
    if len(facts) > 1:
        why = "of what its environment is taken from, only a Secret, or a key of it, can be missing"
        yield _finding(workload, pod, "missing_secret_binding", 0.65, why, facts)


def _mounts(case: CaseFile, cluster: Cluster, workload: Workload, pod: Pod) -> Iterator[Finding]:
    """Volumes that cannot be set up, by the kubelet's words, else by what they refer to and the listing lacks."""
    if not _still_waits(pod):
        return
    told = [(message(event.value), event_fact(event)) for event in cluster.events(pod.ref, *_MOUNT_EVENTS)[:5]]
    if not told:
        told = [
            (line.text, log_fact("The kubelet's journal names the pod", seen, line))
            for seen, line in journal(case, pod)
        ]
    for words, shown in told:
        facts = [shown, _volumes_fact(pod)]
        match = _MISSING.search(words)
        if match is not None:
            yield _missing(workload, pod, match, facts)
        elif _PERMISSION.search(words):
            why = "a volume refuses to be mounted"
            yield _finding(workload, pod, "volume_mount_permission_denied", 0.85, why, facts)
        elif "hostPath type check failed" in words:
            yield _finding(workload, pod, "config_invalid", 0.65, "a host path is not what the volume says", facts)
    if not told and pod.node:
        yield from _unlisted(workload, pod, missing_config_maps(cluster, pod))


def _unlisted(workload: Workload, pod: Pod, missing: list[Fact]) -> Iterator[Finding]:
    """No words are left: what the pod refers to was compared with the listing."""
    if missing:
        waits = fact(f"{pod.ref} has a node and does not start", pod.seen, ("status", "phase"), ("spec", "nodeName"))
        why = "a ConfigMap that it refers to, or a key of it, is not listed"
        yield _finding(workload, pod, "missing_config_map", 0.85, why, [*missing[:3], waits])


def _still_waits(pod: Pod) -> bool:
    """Whether some container has not been created: what an early mount failure says has not healed."""
    states = [item for item in pod.containers if not item.init and item.status]
    return any(item.waiting in ("ContainerCreating", "PodInitializing") for item in states) or not states


def _volumes_fact(pod: Pod) -> Fact:
    return fact(f"Volumes that {pod.ref} mounts", pod.seen, ("status", "phase"), ("spec", "volumes"))


def _missing(workload: Workload, pod: Pod, match: re.Match[str], facts: list[Fact]) -> Finding:
    kind = next((match[name] for name in ("kind", "kind2", "kind3", "kind4") if match[name]), "configmap").lower()
    fault = "missing_secret_binding" if kind == "secret" else "missing_config_map"
    name = f" {match['name']}" if match["name"] else ""
    what = "Secret" if kind == "secret" else "ConfigMap"
    return _finding(
        workload, pod, fault, 0.96, f"the {what}{name} that it refers to, or a key of it, does not exist", facts
    )


def _starts(case: CaseFile, cluster: Cluster, workload: Workload, pod: Pod) -> Iterator[Finding]:
    for container in pod.containers:
        ended, path = container.terminated
        said = [
            event
            for event in cluster.events(pod.ref, "Failed", "BackOff")
            if container.name in message(event.value) or "container" in message(event.value)
        ]
        words = " ".join(
            [
                text(ended, "message"),
                text(container.status, "state", "waiting", "message"),
                *(message(item.value) for item in said),
            ]
        )
        if _OOM.search(words) or _ROOTFS.search(words):
            continue
        facts = (
            [
                fact(
                    f"How {container.name} of {pod.ref} ended",
                    pod.seen,
                    path,
                    (*container.spec_path, "command"),
                    (*container.spec_path, "args"),
                )
            ]
            if path
            else []
        )
        facts += [
            event_fact(event)
            for event in said
            if _COMMAND.search(message(event.value)) or _FORMAT.search(message(event.value))
        ][:1]
        logged = last_match(case, workload, _FORMAT, container.name)
        if _FORMAT.search(words) or (logged and text(ended, "exitCode") != "0"):
            facts += [log_fact("The container's log names the wrong format", *logged)] if logged else []
            yield _finding(
                workload, pod, "exec_format_error", 0.95, "the image is built for another architecture", facts
            )
        elif facts and (_COMMAND.search(words) or (text(ended, "exitCode") in ("126", "127") and not container.init)):
            yield _finding(
                workload, pod, "incorrect_command", 0.9, f"the command of {container.name} cannot be executed", facts
            )
        elif container.init and path and text(ended, "exitCode") not in ("", "0") and not container.ready:
            yield _init_failed(case, workload, pod, container, facts)
        elif path and not container.init:
            yield from _forbidden(case, workload, pod, container, facts)


def _init_failed(case: CaseFile, workload: Workload, pod: Pod, container: Container, facts: list[Fact]) -> Finding:
    found = streams(case, workload, container.name)
    facts = [
        *facts,
        *(log_fact("Its last words", seen, seen.value.lines[-1]) for seen in found[:1] if seen.value.lines),
    ]
    return _finding(workload, pod, "init_container_failed", 0.85, f"its init container {container.name} fails", facts)


def _forbidden(
    case: CaseFile, workload: Workload, pod: Pod, container: Container, facts: list[Fact]
) -> Iterator[Finding]:
    """A process that ends because it may not use its volume, by its own last words."""
    volumes = pod.data_volumes()
    mounts = [(at, item) for at, item in positions(container.spec, "volumeMounts") if text(item, "name") in volumes]
    exited = text(container.terminated[0], "exitCode") not in ("", "0")
    if not exited or not (mounts or _read_only_root(container)):
        return
    recent = [seen for seen in streams(case, workload, container.name)]
    for seen, line in matching(recent, _PERMISSION):
        if line not in seen.value.lines[-30:]:
            continue
        if mounts:
            at, item = mounts[0]
            mounted = fact(
                "The container mounts this volume",
                pod.seen,
                (*container.spec_path, "volumeMounts", at),
                volumes[text(item, "name")],
            )
            facts = [*facts, log_fact("The container's last words", seen, line), mounted]
            why = "it may not use the volume that it mounts"
            yield _finding(workload, pod, "volume_mount_permission_denied", 0.93, why, facts)
        else:
            facts = [*facts, log_fact("The container's last words", seen, line)]
            yield _finding(
                workload, pod, "volume_mount_permission_denied", 0.55, "it may not write its file system", facts
            )
        return


def _read_only_root(container: Container) -> bool:
    return container.spec.get("securityContext", {}).get("readOnlyRootFilesystem") is True
