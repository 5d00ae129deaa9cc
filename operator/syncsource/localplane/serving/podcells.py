"""Cells of Pods and of what makes Pods (`k8s.io/kubernetes/pkg/printers`)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from syncsource.localplane.serving.durations import human, since
from syncsource.localplane.serving.labelcells import formatted_labels, formatted_selector

Object = Mapping[str, Any]
Cell = Callable[[Object], Any]
NONE = "<none>"


def status_of(obj: Object) -> Object:
    return obj.get("status") or {}


def _true(obj: Object) -> set[str]:
    return {one["type"] for one in status_of(obj).get("conditions") or [] if one.get("status") == "True"}


def _statuses(pod: Object, field: str = "containerStatuses") -> list[dict[str, Any]]:
    return status_of(pod).get(field) or []


def _is_sidecar(pod: Object, name: str) -> bool:
    return any(one.get("name") == name and one.get("restartPolicy") == "Always" for one in pod["spec"].get("initContainers") or ())


def _sidecars(pod: Object) -> list[dict[str, Any]]:
    return [one for one in _statuses(pod, "initContainerStatuses") if _is_sidecar(pod, one.get("name", ""))]


def _pod_ready(pod: Object) -> str:
    spec = pod["spec"]
    total = len(spec.get("containers") or ()) + sum(one.get("restartPolicy") == "Always" for one in spec.get("initContainers") or ())
    ready = sum(bool(one.get("ready") and "running" in (one.get("state") or {})) for one in _statuses(pod))
    return f"{ready + sum(bool(one.get('ready')) for one in _sidecars(pod))}/{total}"


def _pod_status(pod: Object) -> str:
    status = status_of(pod)
    if pod["metadata"].get("deletionTimestamp"):
        return "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    return _initializing(pod) or _running(pod)


def _initializing(pod: Object) -> str:
    """What the init containers wait for, or nothing once they are through."""
    statuses = _statuses(pod, "initContainerStatuses")
    for index, one in enumerate(statuses):
        state = one.get("state") or {}
        ended, waiting = state.get("terminated"), state.get("waiting") or {}
        if (ended is not None and not ended.get("exitCode")) or (_is_sidecar(pod, one.get("name", "")) and one.get("started")):
            continue
        if ended is not None:
            return f"Init:{_ended(ended)}"
        if waiting.get("reason") not in (None, "", "PodInitializing"):
            return f"Init:{waiting['reason']}"
        return f"Init:{index}/{len(pod['spec'].get('initContainers') or ())}"
    return ""


def _ended(ended: Object) -> str:
    if ended.get("reason"):
        return str(ended["reason"])
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode') or 0}"


def _running(pod: Object) -> str:
    status = status_of(pod)
    reason = str(status.get("reason") or status.get("phase") or "Unknown")
    if any(one.get("type") == "PodScheduled" and one.get("reason") == "SchedulingGated" for one in status.get("conditions") or ()):
        reason = "SchedulingGated"
    has_running = False
    for one in reversed(_statuses(pod)):
        state = one.get("state") or {}
        if (state.get("waiting") or {}).get("reason"):
            reason = str(state["waiting"]["reason"])
        elif state.get("terminated") is not None:
            reason = _ended(state["terminated"])
        elif one.get("ready") and state.get("running") is not None:
            has_running = True
    if reason == "Completed" and has_running:
        return "Running" if "Ready" in _true(pod) else "NotReady"
    return reason


def _pod_restarts(pod: Object) -> str:
    statuses = _statuses(pod, "initContainerStatuses") if _initializing(pod) else [*_statuses(pod), *_sidecars(pod)]
    restarts = sum(one.get("restartCount") or 0 for one in statuses)
    ends = [((one.get("lastState") or {}).get("terminated") or {}).get("finishedAt") or "" for one in statuses]
    last = max(ends, default="")
    return f"{restarts} ({since(last)} ago)" if restarts and last else str(restarts)


def _pod_ip(pod: Object) -> str:
    addresses = status_of(pod).get("podIPs") or [{"ip": status_of(pod).get("podIP")}]
    return addresses[0].get("ip") or NONE


def _pod_gates(pod: Object) -> str:
    gates = [one["conditionType"] for one in pod["spec"].get("readinessGates") or ()]
    return f"{sum(gate in _true(pod) for gate in gates)}/{len(gates)}" if gates else NONE


def _job_status(job: Object) -> str:
    true = _true(job)
    for condition in ("Complete", "Failed"):
        if condition in true:
            return condition
    if job["metadata"].get("deletionTimestamp"):
        return "Terminating"
    return next((found for found in ("Suspended", "FailureTarget", "SuccessCriteriaMet") if found in true), "Running")


def _job_completions(job: Object) -> str:
    succeeded, spec = status_of(job).get("succeeded") or 0, job["spec"]
    if spec.get("completions") is not None:
        return f"{succeeded}/{spec['completions']}"
    parallel = spec.get("parallelism") or 0
    return f"{succeeded}/1 of {parallel}" if parallel > 1 else f"{succeeded}/1"


def _job_duration(job: Object) -> str:
    status = status_of(job)
    if not status.get("startTime"):
        return ""
    if not status.get("completionTime"):
        return since(status["startTime"])
    return human(dt.datetime.fromisoformat(status["completionTime"]) - dt.datetime.fromisoformat(status["startTime"]))


def _cron_last(cron: Object) -> str:
    last = status_of(cron).get("lastScheduleTime")
    return since(last) if last else NONE


def _number(field: str, part: str = "status") -> Cell:
    return lambda obj: int((obj.get(part) or {}).get(field) or 0)


def _text(field: str) -> Cell:
    return lambda obj: str(status_of(obj).get(field) or 0)


def _ready_of(obj: Object) -> str:
    return f"{status_of(obj).get('readyReplicas') or 0}/{obj['spec'].get('replicas') or 0}"


def _template(obj: Object) -> Object:
    """The Pod template, wherever a kind has it."""
    if obj.get("kind") == "CronJob":
        obj = obj["spec"]["jobTemplate"]
    found: Object = obj.get("template") or obj.get("spec", {}).get("template") or {}
    return found


def _containers(field: str) -> Cell:
    return lambda obj: ",".join(str(one.get(field) or "") for one in (_template(obj).get("spec") or {}).get("containers") or ())


def _selector(obj: Object) -> str:
    spec = obj["spec"]["jobTemplate"]["spec"] if obj.get("kind") == "CronJob" else obj["spec"]
    if obj.get("kind") == "ReplicationController":
        return formatted_labels(spec.get("selector") or {})
    return formatted_selector(spec.get("selector"))


POD_CELLS: dict[str, Cell] = {
    "pod_ready": _pod_ready,
    "pod_status": _pod_status,
    "pod_restarts": _pod_restarts,
    "pod_ip": _pod_ip,
    "pod_node": lambda pod: pod["spec"].get("nodeName") or NONE,
    "pod_nominated": lambda pod: status_of(pod).get("nominatedNodeName") or NONE,
    "pod_gates": _pod_gates,
    "job_status": _job_status,
    "job_completions": _job_completions,
    "job_duration": _job_duration,
    "cron_zone": lambda cron: cron["spec"].get("timeZone") or NONE,
    "cron_suspend": lambda cron: str(bool(cron["spec"].get("suspend"))),
    "cron_active": lambda cron: len(status_of(cron).get("active") or ()),
    "cron_last": _cron_last,
    "deployment_ready": _ready_of,
    "deployment_updated": _text("updatedReplicas"),
    "deployment_available": _text("availableReplicas"),
    "replicas_desired": _number("replicas", "spec"),
    "replicas_current": _number("replicas"),
    "replicas_ready": _number("readyReplicas"),
    "daemon_desired": _number("desiredNumberScheduled"),
    "daemon_current": _number("currentNumberScheduled"),
    "daemon_ready": _number("numberReady"),
    "daemon_updated": _number("updatedNumberScheduled"),
    "daemon_available": _number("numberAvailable"),
    "daemon_selector": lambda obj: formatted_labels((_template(obj).get("spec") or {}).get("nodeSelector") or {}),
    "container_names": _containers("name"),
    "container_images": _containers("image"),
    "label_selector": _selector,
    "template_labels": lambda obj: formatted_labels((_template(obj).get("metadata") or {}).get("labels") or {}),
}
