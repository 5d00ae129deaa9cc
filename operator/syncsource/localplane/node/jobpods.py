"""A Job's Pods: how they are made, and what the controller reads in them."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Sequence

from syncsource.localplane.node import clock
from syncsource.localplane.node.api import Object

INDEX = "batch.kubernetes.io/job-completion-index"
COUNTED = "localplane/counted"
"""The annotation of a Pod that its Job's status counts, or never will."""


def owner(pod: Object) -> Object:
    """The reference to the Job that controls it; empty where none does."""
    found = (one for one in pod["metadata"].get("ownerReferences") or () if one.get("controller") and one.get("kind") == "Job")
    return next(found, {})


def has_ended(pod: Object) -> bool:
    return phase(pod) in ("Succeeded", "Failed")


def phase(pod: Object) -> str:
    return str((pod.get("status") or {}).get("phase", "Pending"))


def is_counted(pod: Object) -> bool:
    return COUNTED in (pod["metadata"].get("annotations") or {})


def is_leaving(pod: Object) -> bool:
    """Whether it is being deleted, and still runs."""
    return bool(pod["metadata"].get("deletionTimestamp")) and not has_ended(pod)


def is_active(pod: Object) -> bool:
    return not has_ended(pod) and not pod["metadata"].get("deletionTimestamp")


def is_ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def index(pod: Object) -> int:
    """Its completion index; -1 for none."""
    text = (pod["metadata"].get("annotations") or {}).get(INDEX, "")
    return int(text) if text.isdigit() else -1


def restarts(pod: Object) -> int:
    """Starts after the first, of all containers."""
    status = pod.get("status") or {}
    return sum(one.get("restartCount") or 0 for field in ("initContainerStatuses", "containerStatuses") for one in status.get(field) or ())


def finished(pod: Object) -> dt.datetime:
    """When its last container ended."""
    states = (pod.get("status") or {}).get("containerStatuses") or ()
    ends = [((one.get("state") or {}).get("terminated") or {}).get("finishedAt") for one in states]
    return clock.read(max(filter(None, ends), default=None) or pod["metadata"]["creationTimestamp"])


def failures_in_a_row(pods: Sequence[Object]) -> tuple[int, dt.datetime | None]:
    """How many failed since the last success, and when the last one did."""
    success = max((finished(pod) for pod in pods if phase(pod) == "Succeeded"), default=None)
    failed = [finished(pod) for pod in pods if phase(pod) == "Failed"]
    since = [at for at in failed if success is None or at >= success]
    return len(since), max(since, default=None)


def new_pod(job: Object, at: int | None) -> Object:
    """A Pod of the Job's template; `at` is its completion index, None where it has none."""
    metadata, template = job["metadata"], copy.deepcopy(job["spec"]["template"])
    given = template.get("metadata") or {}
    name, uid = metadata["name"], metadata["uid"]
    labels = {"batch.kubernetes.io/job-name": name, "job-name": name, "batch.kubernetes.io/controller-uid": uid, "controller-uid": uid}
    reference = {"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": uid, "controller": True, "blockOwnerDeletion": True}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": f"{name}-",
            "labels": {**(given.get("labels") or {}), **labels},
            "annotations": {**(given.get("annotations") or {})},
            "finalizers": given.get("finalizers") or [],
            "ownerReferences": [reference],
        },
        "spec": template["spec"],
    }
    if at is not None:
        _give_index(pod, name, at)
    return pod


def _give_index(pod: Object, job: str, at: int) -> None:
    pod["metadata"]["generateName"] = f"{job}-{at}-"
    for field in ("annotations", "labels"):
        pod["metadata"][field][INDEX] = str(at)
    pod["spec"].setdefault("hostname", f"{job}-{at}"[:63])
    variable = {"name": "JOB_COMPLETION_INDEX", "valueFrom": {"fieldRef": {"fieldPath": f"metadata.annotations['{INDEX}']"}}}
    for container in (*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]):
        container["env"] = [*(one for one in container.get("env") or () if one["name"] != variable["name"]), variable]
