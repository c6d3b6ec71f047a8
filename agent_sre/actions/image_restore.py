"""One container's image back to the one before, pinned by the digest that is known to have run.

Only an image that the Deployment's own history names can come back, and only by a digest that the cluster itself knows
for it: written in the reference, reported by a pod of that revision, or listed by a node that pulled it. A tag may have
been moved since, so a tag alone brings nothing back. Everything else of the template stays as it is, which is the
difference from a rollback.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from agent_sre.actions.containers import changed, choose, containers_of, found_in
from agent_sre.actions.kind import (
    ActionKind,
    Binding,
    Draft,
    Parameter,
    Parameters,
    ParameterType,
    Refusal,
    RefusalReason,
    Seen,
    reads,
    secret_refusal,
    writes,
)
from agent_sre.actions.marks import keeper_note
from agent_sre.actions.parameters import CONTAINER, PREVIOUS_IMAGE
from agent_sre.actions.preview import difference, holds_secret
from agent_sre.actions.reach import replaced
from agent_sre.actions.revisions import Revision, history
from agent_sre.domain.action import Risk
from agent_sre.domain.merge_patch import apply_merge_patch

IMAGE = r"[a-zA-Z0-9][-a-zA-Z0-9._:/]{0,250}@sha256:[0-9a-f]{64}"
_DIGEST = re.compile(r"@(sha256:[0-9a-f]{64})$")
_TAG = re.compile(r":[\w][\w.-]{0,127}$")


def build(seen: Seen, parameters: Parameters) -> Draft | Refusal:
    """The patch, or why no earlier image is known."""
    ref, deployment = seen.ref, seen.target
    revisions = history(deployment, seen.related.get("ReplicaSet", ()))
    name = choose(deployment, parameters["container"], _changed_containers(deployment, revisions))
    if isinstance(name, Refusal):
        return name
    if deployment["spec"].get("paused"):
        return Refusal(RefusalReason.PAUSED, f"{ref} is paused, so nothing would roll out; resume it first")
    present = str(found_in(deployment, name).get("image", ""))
    earlier = next((item for item in reversed(revisions) if _image(item, name) not in ("", present)), None)
    if earlier is None:
        return Refusal(RefusalReason.NO_EARLIER_REVISION, f"no kept revision of {ref} has another image for {name}")
    image = _pinned(_image(earlier, name), name, earlier, seen)
    if image is None or parameters["image"] not in (PREVIOUS_IMAGE, image):
        sentence = f"the digest of {_image(earlier, name)}, which {ref} ran before, is not known here; undo the rollout"
        return Refusal(RefusalReason.NOT_KNOWN, sentence)
    patch = changed(deployment, name, {"image": image})
    if holds_secret(patch):
        return secret_refusal(ref, "the container list")
    before = {"spec": {"template": {"spec": {"containers": containers_of(deployment)}}}}
    title = f"{ref}: container {name} with the image of revision {earlier.number}"
    return Draft(
        parameters={**parameters, "container": name, "image": image},
        patch=patch,
        preview=difference(before, apply_merge_patch(before, patch), f"{ref}: now", title) + keeper_note(deployment),
        undo=f"Put {present} back, which is stored with this proposal, or undo the rollout.",
        reach=replaced(deployment),
    )


def _changed_containers(deployment: Mapping[str, Any], revisions: tuple[Revision, ...]) -> Iterator[str]:
    """Containers whose image differs from that of the revision before."""
    for item in containers_of(deployment):
        if revisions[:-1] and _image(revisions[-2], str(item["name"])) not in ("", item.get("image")):
            yield str(item["name"])


def _image(revision: Revision, container: str) -> str:
    items = containers_of(revision.replica_set)
    return next((str(item.get("image", "")) for item in items if item["name"] == container), "")


def _pinned(image: str, container: str, revision: Revision, seen: Seen) -> str | None:
    """The reference with its digest, as the cluster knows it; None where it does not, or knows two."""
    if _DIGEST.search(image):
        return image
    repository = _TAG.sub("", image)
    digests = {*_of_pods(container, revision, seen), *_of_nodes(image, repository, seen)}
    return f"{repository}@{digests.pop()}" if len(digests) == 1 else None


def _of_pods(container: str, revision: Revision, seen: Seen) -> Iterator[str]:
    uid = revision.replica_set["metadata"].get("uid")
    for pod in seen.related.get("Pod", ()):
        if any(owner.get("uid") == uid for owner in pod["metadata"].get("ownerReferences") or []):
            for status in (pod.get("status") or {}).get("containerStatuses") or []:
                found = _DIGEST.search(str(status.get("imageID", "")))
                if status.get("name") == container and found:
                    yield found[1]


def _of_nodes(image: str, repository: str, seen: Seen) -> Iterator[str]:
    """Nodes list each image they hold by all its names: the tag and the digest stand side by side."""
    for node in seen.related.get("Node", ()):
        for held in (node.get("status") or {}).get("images") or []:
            names = [str(name) for name in held.get("names") or []]
            if any(_same(name, image) for name in names):
                for name in names:
                    found = _DIGEST.search(name)
                    if found and _same(_DIGEST.sub("", name), repository):
                        yield found[1]


def _same(left: str, right: str) -> bool:
    """Docker Hub's names have a long form that nodes report."""
    return _short(left) == _short(right)


def _short(name: str) -> str:
    return name.removeprefix("docker.io/").removeprefix("library/")


IMAGE_RESTORE = ActionKind(
    name="image_restore",
    summary="Put a container's image back to the one before, by the digest that ran.",
    risk=Risk.MEDIUM,
    targets=("Deployment",),
    parameters=(
        Parameter("workload", ParameterType.OBJECT, "The Deployment of which the container is one."),
        Parameter(
            "container",
            ParameterType.TEXT,
            "The container; the placeholder is the only one, or the only one whose image changed.",
            placeholders=(CONTAINER,),
        ),
        Parameter(
            "image",
            ParameterType.TEXT,
            "The reference with its digest; only the placeholder is of use in a runbook.",
            placeholders=(PREVIOUS_IMAGE,),
            pattern=IMAGE,
        ),
    ),
    rights=(
        *reads("Deployment"),
        *reads("ReplicaSet", "Pod", "Node", verb="list"),
        *writes("Deployment", "patch"),
    ),
    expected="Pods with the image that ran before replace the present ones; the rest of the template stays.",
    verify="The alert's condition no longer holds and every replica is updated and available.",
    build=build,
    binds=Binding.CONTENT,
    reads=("ReplicaSet", "Pod", "Node"),
)
