"""Deployments that failed, as those say who carry them out: Argo CD, Argo Rollouts, Flux.

A sync that was refused, an upgrade that timed out and was rolled back, a canary that was called off: the tool wrote
down what it tried and the words it was refused with. These words decide the fault: an admission webhook, a quota, a
missing right, a manifest that cannot be built; otherwise it is the new version that did not come up. The object is
the workload that the message or the tool's own list names, else the tool's object, which a person would look at
first.

It is weaker evidence than what the pods show, and counts fully only where the workload is broken now: a failed
deployment usually leaves the old version running. What went well is no finding; ``changes`` weighs it with the
others.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent_sre.analysis.casefile import CaseFile, K8sObject, Seen
from agent_sre.analysis.departures import alerted
from agent_sre.analysis.kubernetes.cluster import cluster_of
from agent_sre.analysis.kubernetes.excerpts import fact
from agent_sre.analysis.kubernetes.quotas import overruns
from agent_sre.analysis.kubernetes.reading import Path, dig, instant, positions, ref_of, text
from agent_sre.analysis.kubernetes.workload import revision_path
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.reference import ObjectRef

_LOOKBACK = timedelta(hours=6)
_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Rollout", "CronJob", "Job")
_BY_WORDS = (
    (re.compile(r"violates PodSecurity", re.I), "pod_security_denied"),
    (re.compile(r"admission webhook .{1,200}denied", re.I | re.S), "admission_webhook_denied"),
    (re.compile(r"(?:maximum|minimum) \S+ usage per (?:Container|Pod)", re.I), "limit_range_violation"),
    (re.compile(r"User \S{1,200} cannot \w+ resource", re.I), "rbac_forbidden"),
    (
        re.compile(
            r"kustomize build failed|kustomization path not found|error validating|failed to parse|unmarshal"
            r"|unknown field|is invalid:|Required value|Unsupported value|manifest generation|ComparisonError"
            r"|parse error|YAML|execution error at|template:",
            re.I,
        ),
        "bad_config_change",
    ),
)
_HELM_FAILED = ("Released", "TestSuccess", "Remediated", "Ready")
"""Conditions of a HelmRelease that tell of a failure, the cause first: a rollback overwrites Ready."""
_WAITING = frozenset({"DependencyNotReady", "Progressing", "Suspended"})
_BROKEN, _ALERTED, _ELSEWHERE, _DRIFTED = 0.72, 0.5, 0.3, 0.2


@dataclass(frozen=True, slots=True)
class _Failure:
    """One failed deployment: what tells of it, its words, when, whom it concerns, and the Change that it is."""

    seen: Seen[K8sObject]
    sentence: str
    paths: tuple[Path, ...]
    words: str
    time: datetime | None
    workloads: tuple[ObjectRef, ...]
    change: str | None
    drift: bool = False


def analyze_gitops(case: CaseFile) -> Iterator[Finding]:
    """One finding for each deployment that failed within six hours, or still stands as failed."""
    for kind, read in (
        ("Application", _application),
        ("HelmRelease", _helm_release),
        ("Kustomization", _kustomization),
        ("Rollout", _rollout),
    ):
        for seen in case.objects(kind):
            failure = read(seen)
            if failure is not None and (failure.time is None or failure.time >= case.now - _LOOKBACK):
                yield _finding(case, failure)


def _finding(case: CaseFile, failure: _Failure) -> Finding:
    cluster, names = cluster_of(case), alerted(case)
    known = [cluster.workloads[ref] for ref in failure.workloads if ref in cluster.workloads]
    broken = [workload.ref for workload in known if workload.broken]
    hurt = [workload.ref for workload in known if workload.ref.name in names]
    teller, fault = ref_of(failure.seen.value), _fault(failure)
    target = (*broken, *hurt, *failure.workloads[:1], teller)[0]
    if fault.startswith("namespace_") and target.namespace:
        target = ObjectRef("Namespace", "", target.namespace)
    strength = _DRIFTED if failure.drift else _BROKEN if broken else _ALERTED if hurt else _ELSEWHERE
    facts: list[Fact] = [fact(failure.sentence, failure.seen, *failure.paths, time=failure.time)]
    return Finding(
        analyzer="gitops",
        fault=fault,
        object=target,
        strength=strength,
        statement=f"{failure.sentence}.",
        facts=tuple(facts),
        change=failure.change,
        onset=failure.time,
        distinguish=f"kubectl -n {teller.namespace} describe {teller.kind.lower()} {teller.name}",
    )


def _fault(failure: _Failure) -> str:
    if failure.drift:
        return "bad_config_change"
    quota = next(iter(overruns(failure.words)), None)
    if quota is not None:
        return quota.fault
    return next((fault for words, fault in _BY_WORDS if words.search(failure.words)), "bad_deploy")


def _application(seen: Seen[K8sObject]) -> _Failure | None:
    """A sync that failed; else an automated Application whose objects differ from what was synced."""
    item, state = seen.value, ("status", "operationState")
    ref, time = ref_of(item), instant(item, *state, "finishedAt") or instant(item, *state, "startedAt")
    refused = [
        (place, entry)
        for place, entry in positions(item, *state, "syncResult", "resources")
        if text(entry, "status") == "SyncFailed" or text(entry, "hookPhase") in ("Failed", "Error")
    ]
    managed = [(place, entry) for place, entry in positions(item, "status", "resources")]
    if text(item, *state, "phase") in ("Failed", "Error"):
        aim = text(item, *state, "syncResult", "revision") or text(item, *state, "operation", "sync", "revision")
        paths: list[Path] = [(*state, "phase"), (*state, "message"), (*state, "finishedAt")]
        paths += [(*state, "syncResult", "resources", place, "message") for place, _ in refused[:3]]
        words = " ".join([text(item, *state, "message"), *(text(entry, "message") for _, entry in refused)])
        concerned = _refs(entry for _, entry in refused) or _refs(_unwell(entry for _, entry in managed))
        change = f"argocd/{ref.namespace}/{ref.name}@{aim[:12]}-failed" if time is not None else None
        return _Failure(seen, f"The sync of {ref} failed", tuple(paths), words, time, concerned, change)
    automated = dig(item, "spec", "syncPolicy", "automated") is not None
    if not automated or text(item, "status", "sync", "status") != "OutOfSync":
        return None
    apart = [(place, entry) for place, entry in managed if text(entry, "status") == "OutOfSync"]
    if text(item, *state, "phase") != "Succeeded" or not apart or not _same_revision(item):
        return None
    paths = [("status", "sync", "status"), ("status", "sync", "revision"), (*state, "phase")]
    paths += [("status", "resources", place, key) for place, _ in apart[:3] for key in ("kind", "name", "status")]
    sentence = f"{ref} is out of sync with the revision that it was synced to: somebody changed its objects by hand"
    return _Failure(seen, sentence, tuple(paths), "", None, _refs(entry for _, entry in apart), None, drift=True)


def _same_revision(item: K8sObject) -> bool:
    synced = text(item, "status", "operationState", "syncResult", "revision")
    return bool(synced) and synced == text(item, "status", "sync", "revision")


def _helm_release(seen: Seen[K8sObject]) -> _Failure | None:
    """An upgrade or installation that failed; that it was rolled back since is told beside it."""
    item, ref = seen.value, ref_of(seen.value)
    found = {text(entry, "type"): (place, entry) for place, entry in positions(item, "status", "conditions")}
    failed = [found[kind] for kind in _HELM_FAILED if kind in found and _failed(found[kind][1])]
    if not failed:
        return None
    place, entry = failed[0]
    base: Path = ("status", "conditions", place)
    paths: list[Path] = [(*base, "reason"), (*base, "message"), (*base, "lastTransitionTime")]
    undone = found.get("Remediated")
    rolled_back = undone is not None and text(undone[1], "status") == "True"
    if undone is not None and rolled_back:
        paths.append(("status", "conditions", undone[0], "reason"))
    sentence = f"{ref} failed ({text(entry, 'reason')})" + (", and was rolled back" if rolled_back else "")
    name = text(item, "status", "history", 0, "name") or ref.name
    attempt = next((one for _, one in positions(item, "status", "history") if text(one, "status") == "failed"), None)
    space = text(item, "spec", "targetNamespace") or ref.namespace
    change = f"helm/{space}/{name}@v{text(attempt, 'version')}" if attempt is not None else None
    words, time = text(entry, "message"), instant(entry, "lastTransitionTime")
    return _Failure(seen, sentence, tuple(paths), words, time, _named_in(words, space, name), change)


def _kustomization(seen: Seen[K8sObject]) -> _Failure | None:
    """A revision that could not be built, applied, or did not become healthy."""
    item, ref = seen.value, ref_of(seen.value)
    for place, entry in positions(item, "status", "conditions"):
        reason, words = text(entry, "reason"), text(entry, "message")
        if text(entry, "type") != "Ready" or not _failed(entry):
            continue
        base: Path = ("status", "conditions", place)
        paths = ((*base, "reason"), (*base, "message"), (*base, "lastTransitionTime"))
        if reason == "BuildFailed":
            words = f"kustomize build failed: {words}"
        time = instant(entry, "lastTransitionTime")
        return _Failure(seen, f"{ref} failed ({reason})", paths, words, time, _named_in(words, "", ""), None)
    return None


def _rollout(seen: Seen[K8sObject]) -> _Failure | None:
    """A canary or blue-green update that was called off, or that made no progress in its time."""
    item, ref = seen.value, ref_of(seen.value)
    called_off, degraded = dig(item, "status", "abort") is True, text(item, "status", "phase") == "Degraded"
    if not called_off and not degraded:
        return None
    paths: list[Path] = [("status", "phase"), ("status", "message"), ("status", "abort"), ("status", "abortedAt")]
    paths += [("status", "currentStepIndex"), revision_path(item)] if revision_path(item) else []
    conditions = [one for _, one in positions(item, "status", "conditions")]
    progress: K8sObject = next((one for one in conditions if text(one, "type") == "Progressing"), {})
    time = instant(item, "status", "abortedAt") or instant(progress, "lastTransitionTime")
    revision = text(item, *revision_path(item)) if revision_path(item) else ""
    change = f"{ref.namespace}/{ref.name}@{revision}" if revision else None
    words = f"{text(item, 'status', 'message')} {text(progress, 'message')}"
    sentence = f"The update of {ref} was called off" if called_off else f"The update of {ref} is degraded"
    return _Failure(seen, sentence, tuple(paths), words, time, (ref,), change)


_RESOURCE = re.compile(
    rf"\b({'|'.join(_WORKLOADS)})/([a-z0-9][-a-z0-9.]{{0,252}})(?:/([a-z0-9][-a-z0-9.]{{0,252}}))?", re.IGNORECASE
)


def _named_in(words: str, space: str, release: str) -> tuple[ObjectRef, ...]:
    """The workloads that a message names: ``Deployment/shop/cart``; of Helm without the namespace."""
    kinds = {kind.lower(): kind for kind in _WORKLOADS}
    found = []
    for kind, first, second in _RESOURCE.findall(words):
        found.append(ObjectRef(kinds[kind.lower()], first if second else space, second or first))
    guessed = [ObjectRef("Deployment", space, release)] if release and not found else []
    return tuple(dict.fromkeys([*found, *guessed]))


def _refs(entries: Iterator[K8sObject]) -> tuple[ObjectRef, ...]:
    """The workloads among the entries of a list of resources."""
    every = [(text(one, "kind"), text(one, "namespace"), text(one, "name")) for one in entries]
    return tuple(dict.fromkeys(ObjectRef(*one) for one in every if one[0] in _WORKLOADS))


def _unwell(entries: Iterator[K8sObject]) -> Iterator[K8sObject]:
    return (one for one in entries if text(one, "health", "status") in ("Degraded", "Missing", "Progressing"))


def _failed(condition: K8sObject) -> bool:
    """Whether a condition does not hold, and not because something else is waited for."""
    return text(condition, "status") == "False" and text(condition, "reason") not in _WAITING
