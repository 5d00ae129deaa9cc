"""Cells of built-in tables that no JSONPath can make (`k8s.io/kubernetes/pkg/printers`)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from syncsource.localplane.serving.durations import human, since

Object = Mapping[str, Any]


def _data_count(obj: Object) -> str:
    return str(len(obj.get("data") or {}) + len(obj.get("binaryData") or {}))


def _secret_count(obj: Object) -> str:
    return str(len(obj.get("secrets") or []))


def _role_reference(obj: Object) -> str:
    return f"{obj['roleRef']['kind']}/{obj['roleRef']['name']}"


def _first(obj: Object) -> str:
    return obj.get("firstTimestamp") or obj.get("eventTime") or ""


def _last(obj: Object) -> str:
    return (obj.get("series") or {}).get("lastObservedTime") or obj.get("lastTimestamp") or _first(obj)


def _event_object(obj: Object) -> str:
    involved = obj.get("involvedObject") or {}
    kind, name = str(involved.get("kind", "")).lower(), involved.get("name", "")
    return f"{kind}/{name}" if name else kind


def _event_source(obj: Object) -> str:
    source = obj.get("source") or {}
    component = source.get("component") or obj.get("reportingComponent") or ""
    host = source.get("host") or obj.get("reportingInstance") or ""
    return ", ".join(filter(None, (component, host)))


def _event_count(obj: Object) -> int:
    return int((obj.get("series") or {}).get("count") or obj.get("count") or 1)


def _statuses(pod: Object) -> list[dict[str, Any]]:
    return (pod.get("status") or {}).get("containerStatuses") or []


def _pod_ready(pod: Object) -> str:
    ready = sum(bool(status.get("ready")) for status in _statuses(pod))
    return f"{ready}/{len(pod['spec'].get('containers') or [])}"


def _pod_status(pod: Object) -> str:
    if pod["metadata"].get("deletionTimestamp"):
        return "Terminating"
    status = pod.get("status") or {}
    reason = status.get("reason") or status.get("phase") or "Unknown"
    for container in reversed(_statuses(pod)):
        state = container.get("state") or {}
        ended = state.get("terminated") or {}
        reason = (state.get("waiting") or {}).get("reason") or ended.get("reason") or reason
    return str(reason)


def _pod_restarts(pod: Object) -> str:
    return str(sum(status.get("restartCount") or 0 for status in _statuses(pod)))


def _node_status(node: Object) -> str:
    conditions = (node.get("status") or {}).get("conditions") or []
    ready = [one.get("status") == "True" for one in conditions if one.get("type") == "Ready"]
    status = ("Ready" if ready[0] else "NotReady") if ready else "Unknown"
    return f"{status},SchedulingDisabled" if (node.get("spec") or {}).get("unschedulable") else status


def _node_roles(node: Object) -> str:
    prefix = "node-role.kubernetes.io/"
    roles = sorted(name.removeprefix(prefix) for name in node["metadata"].get("labels") or {} if name.startswith(prefix))
    return ",".join(roles) or "<none>"


def _job_status(job: Object) -> str:
    if job["metadata"].get("deletionTimestamp"):
        return "Terminating"
    true = {found["type"] for found in (job.get("status") or {}).get("conditions") or [] if found.get("status") == "True"}
    for condition, status in (("Complete", "Complete"), ("Failed", "Failed"), ("Suspended", "Suspended")):
        if condition in true:
            return status
    return "Running"


def _job_completions(job: Object) -> str:
    return f"{(job.get('status') or {}).get('succeeded') or 0}/{job['spec'].get('completions') or 1}"


def _job_duration(job: Object) -> str:
    status = job.get("status") or {}
    if not status.get("startTime"):
        return ""
    if not status.get("completionTime"):
        return since(status["startTime"])
    return human(dt.datetime.fromisoformat(status["completionTime"]) - dt.datetime.fromisoformat(status["startTime"]))


def _replicas(field: str) -> Callable[[Object], str]:
    return lambda obj: str((obj.get("status") or {}).get(field) or 0)


def _deployment_ready(obj: Object) -> str:
    return f"{(obj.get('status') or {}).get('readyReplicas') or 0}/{obj['spec'].get('replicas') or 0}"


def _containers(field: str) -> Callable[[Object], str]:
    return lambda obj: ",".join(str(one.get(field) or "") for one in obj["spec"]["template"]["spec"]["containers"])


def _labels(labels: Mapping[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in sorted(labels.items())) or "<none>"


def _service_ports(service: Object) -> str:
    ports = service["spec"].get("ports") or []
    return ",".join(f"{port['port']}/{port['protocol']}" for port in ports) or "<none>"


CELLS: dict[str, Callable[[Object], Any]] = {
    "data_count": _data_count,
    "secret_count": _secret_count,
    "role_reference": _role_reference,
    "event_last_seen": lambda event: since(_last(event)),
    "event_first_seen": lambda event: since(_first(event)),
    "event_object": _event_object,
    "event_source": _event_source,
    "event_message": lambda event: str(event.get("message") or "").strip(),
    "event_count": _event_count,
    "pod_ready": _pod_ready,
    "pod_status": _pod_status,
    "pod_restarts": _pod_restarts,
    "node_status": _node_status,
    "node_roles": _node_roles,
    "job_status": _job_status,
    "job_completions": _job_completions,
    "job_duration": _job_duration,
    "deployment_ready": _deployment_ready,
    "deployment_updated": _replicas("updatedReplicas"),
    "deployment_available": _replicas("availableReplicas"),
    "container_names": _containers("name"),
    "container_images": _containers("image"),
    "selector_labels": lambda obj: _labels(obj["spec"]["selector"].get("matchLabels") or {}),
    "service_address": lambda service: service["spec"].get("clusterIP") or "<none>",
    "service_external": lambda service: service["spec"].get("externalName") or "<none>",
    "service_ports": _service_ports,
    "service_selector": lambda service: _labels(service["spec"].get("selector") or {}),
}
