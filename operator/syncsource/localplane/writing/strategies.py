"""What single built-in kinds add to the generic pipeline, by storage key (`pkg/registry/*/strategy.go`)."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import Cause
from syncsource.localplane.registry import definitions
from syncsource.localplane.writing import rbac, workloads

CRD = "customresourcedefinitions.apiextensions.k8s.io"
CRD_FINALIZER = "customresourcecleanup.apiextensions.k8s.io"
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
    if size > MAX_DATA_BYTES:
        yield cause.too_long("data", MAX_DATA_BYTES)
    if old is not None and old.get("immutable"):
        yield from _immutable(obj, old)


def _immutable(obj: Mapping[str, Any], old: Mapping[str, Any]) -> Iterator[Cause]:
    for field in ("immutable", "data", "binaryData"):
        if obj.get(field) != old.get(field):
            yield cause.forbidden(field, "field is immutable when `immutable` is set")


def _check_secret(obj: Mapping[str, Any], old: Mapping[str, Any] | None) -> Iterator[Cause]:
    if old is not None and obj.get("type") != old.get("type"):
        yield cause.invalid("type", obj.get("type"), "field is immutable")
    yield from _check_data(obj, old)


def _prepare_pod(obj: Object, old: Object | None) -> None:
    if old is None:
        obj["status"] = {"phase": "Pending"}


def _check_pod(obj: Mapping[str, Any], old: Mapping[str, Any] | None) -> Iterator[Cause]:
    return workloads.check_pod_spec("spec", obj["spec"])


def _pod_grace(pod: Mapping[str, Any], asked: int | None) -> int:
    """What runs on a node has its time to end there; the node deletes the rest."""
    has_ended = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
    if has_ended or not pod["spec"].get("nodeName"):
        return 0
    return int(pod["spec"].get("terminationGracePeriodSeconds") or 0) if asked is None else asked


def _prepare_job(obj: Object, old: Object | None) -> None:
    if old is not None:
        return
    template = obj["spec"]["template"]
    labels = {"batch.kubernetes.io/controller-uid": obj["metadata"]["uid"], "batch.kubernetes.io/job-name": obj["metadata"]["name"]}
    obj["spec"].setdefault("selector", {"matchLabels": {"batch.kubernetes.io/controller-uid": obj["metadata"]["uid"]}})
    metadata = template.setdefault("metadata", {})
    metadata["labels"] = {**(metadata.get("labels") or {}), **labels}
    obj["status"] = {}


def _prepare_crd(obj: Object, old: Object | None) -> None:
    definitions.complete_names(obj.get("spec") or {})
    if old is None:
        obj["metadata"].setdefault("finalizers", [CRD_FINALIZER])


def _check_event(obj: Mapping[str, Any], old: Mapping[str, Any] | None) -> Iterator[Cause]:
    involved, namespace = obj.get("involvedObject") or {}, obj["metadata"].get("namespace")
    if (involved.get("namespace") or "default") != namespace:
        yield cause.invalid("involvedObject.namespace", involved.get("namespace") or "", "does not match event.namespace")


STRATEGIES: dict[str, Strategy] = {
    "namespaces": Strategy(prepare=_prepare_namespace, immortal=frozenset({"default", "kube-system", "kube-public"})),
    "secrets": Strategy(prepare=_prepare_secret, check=_check_secret),
    "configmaps": Strategy(check=_check_data),
    "pods": Strategy(prepare=_prepare_pod, check=_check_pod, grace=_pod_grace),
    "events": Strategy(check=_check_event),
    "jobs.batch": Strategy(prepare=_prepare_job, check=workloads.check_job),
    "deployments.apps": Strategy(prepare=workloads.prepare_deployment, check=workloads.check_deployment),
    f"roles.{rbac.GROUP}": Strategy(check=rbac.check_role),
    f"clusterroles.{rbac.GROUP}": Strategy(check=rbac.check_role),
    f"rolebindings.{rbac.GROUP}": Strategy(prepare=rbac.complete_binding, check=rbac.check_binding),
    f"clusterrolebindings.{rbac.GROUP}": Strategy(prepare=rbac.complete_binding, check=rbac.check_binding),
    CRD: Strategy(prepare=_prepare_crd, check=definitions.check),
}
GENERIC = Strategy()
