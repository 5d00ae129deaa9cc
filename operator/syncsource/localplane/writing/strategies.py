"""What single built-in kinds add to the generic pipeline, by storage key (`pkg/registry/*/strategy.go`)."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import Cause
from syncsource.localplane.registry import definitions
from syncsource.localplane.registry.definition_checks import check as check_definition
from syncsource.localplane.writing import pods, rbac, services, workloads
from syncsource.localplane.writing.policychecks import SYSTEM_PRIORITIES

CRD = "customresourcedefinitions.apiextensions.k8s.io"
MAX_DATA_BYTES = 1024 * 1024

Object = dict[str, Any]
Prepare = Callable[[Object, Object | None], None]
Check = Callable[[Mapping[str, Any], Mapping[str, Any] | None], Iterator[Cause]]


def _nothing(obj: Object, old: Object | None) -> None:
    return


def _none(obj: Mapping[str, Any], asked: int | None) -> int:
    return 0


def _no_causes(obj: Mapping[str, Any], old: Mapping[str, Any] | None) -> Iterator[Cause]:
    return iter(())


@dataclass(frozen=True, slots=True)
class Strategy:
    """`prepare` completes an object in place before validation; `old` is None at creation. `immortal` names are never deleted.

    `grace` says how many seconds an object has to end once it is deleted, given those that were asked for.
    """

    prepare: Prepare = _nothing
    check: Check = _no_causes
    immortal: frozenset[str] = frozenset()
    grace: Callable[[Mapping[str, Any], int | None], int] = _none


def _prepare_namespace(obj: Object, old: Object | None) -> None:
    if old is None:
        obj["spec"] = {"finalizers": ["kubernetes"]}
        obj["status"] = {"phase": "Active"}
        obj["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = obj["metadata"]["name"]


def _prepare_secret(obj: Object, old: Object | None) -> None:
    given = obj.pop("stringData", None)
    if given:
        data = obj["data"] = dict(obj.get("data") or {})
        data.update({name: base64.b64encode(text.encode()).decode() for name, text in given.items() if isinstance(text, str)})


def _check_both(obj: Mapping[str, Any]) -> Iterator[Cause]:
    for name in (obj.get("data") or {}).keys() & (obj.get("binaryData") or {}).keys():
        yield cause.invalid(f"data[{name}]", name, "duplicate of key present in binaryData")


def _check_data(obj: Mapping[str, Any], old: Mapping[str, Any] | None) -> Iterator[Cause]:
    size = 0
    for field in ("data", "binaryData"):
        for name, value in (obj.get(field) or {}).items():
            size += len(value)
            if not name or name in {".", ".."} or not name.replace("-", "").replace("_", "").replace(".", "").isalnum():
                detail = (
                    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',"
                    "  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
                )
                yield cause.invalid(f"{field}[{name}]", name, detail)
    yield from _check_both(obj)
    if size > MAX_DATA_BYTES:
        yield cause.too_long("data", MAX_DATA_BYTES)
    if old is not None and old.get("immutable"):
        yield from _immutable(obj, old)


def _immutable(obj: Mapping[str, Any], old: Mapping[str, Any]) -> Iterator[Cause]:
    for field in ("immutable", "data", "binaryData"):
        if obj.get(field) != old.get(field):
            yield cause.forbidden(field, "field is immutable when `immutable` is set")


_NEEDED_KEYS = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}


def _check_secret(obj: Mapping[str, Any], old: Mapping[str, Any] | None) -> Iterator[Cause]:
    for name in _NEEDED_KEYS.get(obj["type"], ()):
        if name not in (obj.get("data") or {}):
            yield cause.required(f"data[{name}]")
    if obj["type"] == "kubernetes.io/basic-auth" and not {"username", "password"} & (obj.get("data") or {}).keys():
        yield from (cause.required(f"data[{name}]") for name in ("username", "password"))
    if old is not None and obj.get("type") != old.get("type"):
        yield cause.invalid("type", obj.get("type"), "field is immutable")
    yield from _check_data(obj, old)


def _pod_grace(pod: Mapping[str, Any], asked: int | None) -> int:
    """What runs on a node has its time to end there; the node deletes the rest."""
    has_ended = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
    if has_ended or not pod["spec"].get("nodeName"):
        return 0
    return int(pod["spec"].get("terminationGracePeriodSeconds") or 0) if asked is None else asked


def _prepare_crd(obj: Object, old: Object | None) -> None:
    definitions.complete(obj["spec"])


def _check_event(obj: Mapping[str, Any], old: Mapping[str, Any] | None) -> Iterator[Cause]:
    involved, namespace = obj.get("involvedObject") or {}, obj["metadata"].get("namespace")
    if (involved.get("namespace") or "default") != namespace:
        yield cause.invalid("involvedObject.namespace", involved.get("namespace") or "", "does not match event.namespace")


def _check_claim(obj: Mapping[str, Any], old: Mapping[str, Any] | None) -> Iterator[Cause]:
    if old is None:
        return
    fixed = [{**each["spec"], "resources": None, "volumeAttributesClassName": None, "volumeName": None} for each in (obj, old)]
    if fixed[0] != fixed[1] or (old["spec"].get("volumeName") and obj["spec"].get("volumeName") != old["spec"]["volumeName"]):
        why = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
        yield cause.forbidden("spec", why)


def _fixed_fields(*names: str, word: str = "") -> Check:
    """Fields that stay as they are, each with the words of its kind where those are others."""

    def check(obj: Mapping[str, Any], old: Mapping[str, Any] | None) -> Iterator[Cause]:
        for name in names if old is not None else ():
            if old is not None and obj.get(name) != old.get(name):
                detail = word.format(name=name)
                yield cause.forbidden(name, detail) if detail else cause.invalid(name, obj.get(name), workloads.IMMUTABLE)

    return check


def _check_priority_class(obj: Mapping[str, Any], old: Mapping[str, Any] | None) -> Iterator[Cause]:
    yield from _fixed_fields("value", word="may not be changed in an update.")(obj, old)
    yield from _fixed_fields("preemptionPolicy")(obj, old)


def _check_storage_class(obj: Mapping[str, Any], old: Mapping[str, Any] | None) -> Iterator[Cause]:
    yield from _fixed_fields("parameters", "provisioner", word="updates to {name} are forbidden.")(obj, old)
    yield from _fixed_fields("reclaimPolicy", "volumeBindingMode")(obj, old)


STRATEGIES: dict[str, Strategy] = {
    "namespaces": Strategy(prepare=_prepare_namespace, immortal=frozenset({"default", "kube-system", "kube-public"})),
    "secrets": Strategy(prepare=_prepare_secret, check=_check_secret),
    "configmaps": Strategy(check=_check_data),
    "pods": Strategy(prepare=pods.prepare_pod, check=pods.check_pod, grace=_pod_grace),
    "events": Strategy(check=_check_event),
    "services": Strategy(prepare=services.prepare_service, check=services.check_service),
    "persistentvolumeclaims": Strategy(check=_check_claim),
    "replicationcontrollers": Strategy(check=workloads.check_replication_controller),
    "jobs.batch": Strategy(prepare=workloads.prepare_job, check=workloads.check_job),
    "cronjobs.batch": Strategy(check=workloads.check_cron_job),
    "deployments.apps": Strategy(check=workloads.check_deployment),
    "replicasets.apps": Strategy(check=workloads.check_replicated("deployment")),
    "statefulsets.apps": Strategy(check=workloads.check_stateful_set),
    "daemonsets.apps": Strategy(prepare=workloads.prepare_daemon_set, check=workloads.check_replicated("daemonset")),
    "controllerrevisions.apps": Strategy(check=_fixed_fields("data")),
    "priorityclasses.scheduling.k8s.io": Strategy(check=_check_priority_class, immortal=SYSTEM_PRIORITIES),
    "storageclasses.storage.k8s.io": Strategy(check=_check_storage_class),
    "runtimeclasses.node.k8s.io": Strategy(check=_fixed_fields("handler")),
    "endpointslices.discovery.k8s.io": Strategy(check=_fixed_fields("addressType")),
    f"roles.{rbac.GROUP}": Strategy(check=rbac.check_role),
    f"clusterroles.{rbac.GROUP}": Strategy(check=rbac.check_role),
    f"rolebindings.{rbac.GROUP}": Strategy(prepare=rbac.complete_binding, check=rbac.check_binding),
    f"clusterrolebindings.{rbac.GROUP}": Strategy(prepare=rbac.complete_binding, check=rbac.check_binding),
    CRD: Strategy(prepare=_prepare_crd, check=check_definition),
}
GENERIC = Strategy()
