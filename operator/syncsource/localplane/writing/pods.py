"""Pods: what admission fills in, and what of a Pod may change (`plugin/pkg/admission` and `ValidatePodUpdate`)."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import Cause

Object = Mapping[str, Any]
SECONDS_TOLERATED = 300
_UNREADY = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
_CHANGEABLE = (
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing "
    "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def prepare_pod(pod: dict[str, Any], old: Object | None) -> None:
    """What the API server's own admission gives a new Pod."""
    if old is not None:
        return
    spec = pod["spec"]
    if not spec.get("priorityClassName"):
        spec.setdefault("priority", 0)
    spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
    if not spec.get("serviceAccountName"):
        spec["serviceAccountName"] = spec["serviceAccount"] = "default"
    _tolerate(spec)
    pod["status"] = {"phase": "Pending", "qosClass": quality(spec)}


def _tolerate(spec: dict[str, Any]) -> None:
    given = spec.get("tolerations") or []
    for key in _UNREADY:
        if not any(one.get("key") in (None, "", key) and one.get("effect") in (None, "", "NoExecute") for one in given):
            given = [*given, {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": SECONDS_TOLERATED}]
    spec["tolerations"] = given


def quality(spec: Object) -> str:
    """The quality of service that follows from requests and limits."""
    resources = [one.get("resources") or {} for one in [*(spec["containers"] or ()), *(spec.get("initContainers") or ())]]
    if not any((one.get("requests") or one.get("limits")) for one in resources):
        return "BestEffort"
    wanted = {"cpu", "memory"}
    if all(wanted <= (one.get("limits") or {}).keys() and one.get("limits") == one.get("requests") for one in resources):
        return "Guaranteed"
    return "Burstable"


def check_pod(pod: Object, old: Object | None) -> Iterator[Cause]:
    if old is not None and _fixed(pod["spec"], old["spec"]) != _fixed(old["spec"], old["spec"]):
        yield cause.forbidden("spec", f"pod updates may not change fields other than {_CHANGEABLE}")


def _fixed(spec: Object, old: Object) -> Object:
    """The part of a spec that an update leaves alone."""
    copied: dict[str, Any] = copy.deepcopy(dict(spec))
    for name in ("activeDeadlineSeconds", "schedulingGates"):
        copied.pop(name, None)
    if all(one in (spec.get("tolerations") or ()) for one in old.get("tolerations") or ()):
        copied.pop("tolerations", None)
    for container in [*(copied.get("containers") or ()), *(copied.get("initContainers") or ())]:
        container.pop("image", None)
    return copied
