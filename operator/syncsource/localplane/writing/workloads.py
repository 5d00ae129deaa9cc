"""What makes Pods: what the types alone can't check (`pkg/apis/apps/validation` and `pkg/apis/batch/validation`), and its completion."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import Cause
from syncsource.localplane.registry.labels import matches_labels
from syncsource.localplane.writing.labelchecks import check_selector

Object = Mapping[str, Any]
IMMUTABLE = "field is immutable"
_STATEFUL = (
    "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit", "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
)  # fmt: skip


def immutable(spec: Object, old: Object, path: str, *names: str) -> Iterator[Cause]:
    """The named fields are as they were."""
    for name in names:
        if spec.get(name) != old.get(name):
            yield cause.invalid(f"{path}.{name}" if path else name, spec.get(name), IMMUTABLE)


def check_replicated(kind: str) -> Callable[[Object, Object | None], Iterator[Cause]]:
    """Deployments and their like: the selector is of the template, and stays what it is."""

    def check(obj: Object, old: Object | None) -> Iterator[Cause]:
        spec = obj["spec"]
        yield from _check_selector(spec, kind)
        if old is not None:
            yield from immutable(spec, old["spec"], "spec", "selector")
        yield from _check_template(spec, kind)

    return check


def _check_selector(spec: Object, kind: str) -> Iterator[Cause]:
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    selector = spec["selector"]
    if selector is None:
        yield cause.invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
    elif next(check_selector(selector), None) is not None:
        yield cause.invalid("spec.selector", selector, "invalid label selector")
    elif not (selector.get("matchLabels") or selector.get("matchExpressions")):
        yield cause.invalid("spec.selector", selector, f"empty selector is invalid for {kind}")
    elif not matches_labels(selector, labels or {}):
        yield cause.invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")


def _check_template(spec: Object, kind: str) -> Iterator[Cause]:
    template = (spec.get("template") or {}).get("spec") or {}
    if template.get("restartPolicy") not in (None, "Always"):
        yield cause.not_supported("spec.template.spec.restartPolicy", template.get("restartPolicy"), ("Always",))
    if template.get("activeDeadlineSeconds") is not None:
        name = {"deployment": "ReplicaSet", "statefulset": "StatefulSet", "daemonset": "DaemonSet"}[kind]
        yield cause.forbidden("spec.template.spec.activeDeadlineSeconds", f"activeDeadlineSeconds in {name} is not Supported")


def check_deployment(obj: Object, old: Object | None) -> Iterator[Cause]:
    yield from check_replicated("deployment")(obj, old)
    strategy = obj["spec"]["strategy"]
    if strategy["type"] == "Recreate" and strategy.get("rollingUpdate") is not None:
        yield cause.forbidden("spec.strategy.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'")


def check_stateful_set(obj: Object, old: Object | None) -> Iterator[Cause]:
    if old is not None and any(obj["spec"].get(name) != old["spec"].get(name) for name in {*obj["spec"], *old["spec"]} - {*_STATEFUL}):
        listed = ", ".join(f"'{name}'" for name in _STATEFUL[:-1])
        detail = f"updates to statefulset spec for fields other than {listed} and '{_STATEFUL[-1]}' are forbidden"
        yield cause.forbidden("spec", detail)
        return
    yield from check_replicated("statefulset")(obj, old)


def check_replication_controller(obj: Object, old: Object | None) -> Iterator[Cause]:
    spec, template = obj["spec"], obj["spec"].get("template")
    if not spec.get("selector"):
        yield cause.required("spec.selector")
    if template is None:
        yield cause.required("spec.template")
        return
    labels = (template.get("metadata") or {}).get("labels")
    if not (spec.get("selector") or {}).items() <= (labels or {}).items():
        yield cause.invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
    if template["spec"]["restartPolicy"] != "Always":
        yield cause.not_supported("spec.template.spec.restartPolicy", template["spec"]["restartPolicy"], ("Always",))


def prepare_daemon_set(obj: dict[str, Any], old: Object | None) -> None:
    """Templates are counted in an annotation, which the apps group keeps for older clients."""
    name = "deprecated.daemonset.template.generation"
    before = ((old or {}).get("metadata") or {}).get("annotations") or {}
    count = int(before.get(name) or 1) if str(before.get(name) or 1).isdigit() else 1
    if old is not None and old["spec"]["template"] != obj["spec"]["template"]:
        count += 1
    obj["metadata"]["annotations"] = {**(obj["metadata"].get("annotations") or {}), name: str(count)}


def prepare_job(job: dict[str, Any], old: Object | None) -> None:
    """A new Job selects its Pods by its uid, unless it brings a selector of its own."""
    spec = job["spec"]
    if old is not None or spec.get("manualSelector"):
        return
    uid, name = job["metadata"]["uid"], job["metadata"]["name"]
    labels = {
        "controller-uid": uid, "job-name": name, "batch.kubernetes.io/controller-uid": uid, "batch.kubernetes.io/job-name": name,
    }  # fmt: skip
    given = spec.get("selector") or {}
    spec["selector"] = {**given, "matchLabels": {**(given.get("matchLabels") or {}), "batch.kubernetes.io/controller-uid": uid}}
    metadata = spec["template"].get("metadata") or {}
    before = metadata.get("labels") or {}
    spec["template"]["metadata"] = {**metadata, "labels": {**before, **labels}}
    if (job["metadata"].get("labels") or {}) in ({}, before):
        job["metadata"]["labels"] = {**before, **labels}


def check_job(obj: Object, old: Object | None) -> Iterator[Cause]:
    spec = obj["spec"]
    yield from check_job_template(spec, "spec")
    labels = (spec["template"].get("metadata") or {}).get("labels") or {}
    if spec.get("selector") is None:
        yield cause.required("spec.selector")
        return
    own = {"matchLabels": {"batch.kubernetes.io/controller-uid": obj["metadata"]["uid"]}}
    if old is None and not spec.get("manualSelector") and spec["selector"] != own:
        yield cause.invalid("spec.selector", spec["selector"], "`selector` not auto-generated")
    if not matches_labels(spec["selector"], labels):
        yield cause.invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
    if old is not None:
        yield from _check_job_update(spec, old)


def _check_job_update(spec: Object, old: Object) -> Iterator[Cause]:
    before = old["spec"]
    if spec.get("completionMode") != "Indexed" or spec.get("completions") != spec.get("parallelism"):
        yield from immutable(spec, before, "spec", "completions")
    yield from immutable(spec, before, "spec", "selector")
    is_idle = bool(before.get("suspend")) and not (old.get("status") or {}).get("startTime")
    if not is_idle or _fixed(spec["template"]) != _fixed(before["template"]):
        yield from immutable(spec, before, "spec", "template")
    yield from immutable(spec, before, "spec", "completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy")


def _fixed(template: Object) -> Object:
    """A suspended Job's template but for what says where its Pods may run, which may change."""
    copied: dict[str, Any] = copy.deepcopy(dict(template))
    metadata, spec = copied.get("metadata") or {}, copied.get("spec") or {}
    for name in ("labels", "annotations"):
        metadata.pop(name, None)
    for name in ("nodeSelector", "tolerations", "schedulingGates", "affinity"):
        spec.pop(name, None)
    for container in [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]:
        container.pop("resources", None)
    return copied


def check_job_template(spec: Object, path: str) -> Iterator[Cause]:
    policy = spec["template"]["spec"]["restartPolicy"]
    if policy == "Always":
        yield cause.required(f"{path}.template.spec.restartPolicy", 'valid values: "OnFailure", "Never"')
    if spec.get("podFailurePolicy") is not None and policy != "Never":
        yield cause.invalid(f"{path}.template.spec.restartPolicy", policy, 'only "Never" is supported when podFailurePolicy is specified')


def check_cron_job(obj: Object, old: Object | None) -> Iterator[Cause]:
    name = obj["metadata"].get("name") or ""
    if old is None and len(name) > 52:
        yield cause.invalid("metadata.name", name, "must be no more than 52 characters")
    yield from check_job_template(obj["spec"]["jobTemplate"]["spec"], "spec.jobTemplate.spec")
