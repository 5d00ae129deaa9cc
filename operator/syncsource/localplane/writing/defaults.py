"""Defaults that depend on other fields, by type (`pkg/apis/*/v1/defaults.go`); the others stand in `apitypes.txt`.

Each function completes one value in place, after everything below it has been completed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Object = dict[str, Any]
DEFAULT_CPU_PERCENT = 80
CLIENT_IP_SECONDS = 10800
RBAC = "rbac.authorization.k8s.io"


def _container(container: Object) -> None:
    if "imagePullPolicy" not in container and container.get("image"):
        container["imagePullPolicy"] = "Always" if _tag(container["image"]) == "latest" else "IfNotPresent"


def _tag(image: str) -> str:
    """The tag that is pulled: a digest names no tag."""
    if "@" in image:
        return ""
    name = image.rpartition("/")[2]
    return name.partition(":")[2] or "latest"


def _volume(volume: Object) -> None:
    if volume.keys() <= {"name"}:
        volume["emptyDir"] = {}


def _http_get(action: Object) -> None:
    if not action.get("path"):
        action["path"] = "/"


def _pod_spec(spec: Object) -> None:
    """The old name of the service account follows the new one."""
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    if spec.get("hostNetwork"):
        for container in [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]:
            for port in container.get("ports") or ():
                port.setdefault("hostPort", port["containerPort"])


def _pod(pod: Object) -> None:
    spec = pod["spec"]
    for container in [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]:
        resources = container["resources"]
        if resources.get("limits"):
            resources["requests"] = {**resources["limits"], **(resources.get("requests") or {})}
    spec.setdefault("enableServiceLinks", True)


def _rolling_deployment(strategy: Object) -> None:
    if strategy.get("type") == "RollingUpdate":
        strategy["rollingUpdate"] = {"maxSurge": "25%", "maxUnavailable": "25%", **(strategy.get("rollingUpdate") or {})}


def _rolling_daemons(strategy: Object) -> None:
    if strategy.get("type") == "RollingUpdate":
        strategy["rollingUpdate"] = {"maxSurge": 0, "maxUnavailable": 1, **(strategy.get("rollingUpdate") or {})}


def _rolling_stateful(strategy: Object) -> None:
    if strategy.get("type") == "RollingUpdate":
        strategy["rollingUpdate"] = {"partition": 0, **(strategy.get("rollingUpdate") or {})}


def _labelled_by_template(obj: Object) -> None:
    labels = _template_labels(obj)
    if labels and not obj["metadata"].get("labels"):
        obj["metadata"]["labels"] = dict(labels)


def _template_labels(obj: Object) -> dict[str, str]:
    template = obj["spec"].get("template") or {}
    return (template.get("metadata") or {}).get("labels") or {}


def _replication_controller(obj: Object) -> None:
    if _template_labels(obj) and not obj["spec"].get("selector"):
        obj["spec"]["selector"] = dict(_template_labels(obj))
    _labelled_by_template(obj)


def _stateful_spec(spec: Object) -> None:
    for claim in spec.get("volumeClaimTemplates") or ():
        claim |= {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}


def _limits(item: Object) -> None:
    if item.get("type") != "Container":
        return
    default = {**(item.get("max") or {}), **(item.get("default") or {})}
    requests = {**(item.get("min") or {}), **default, **(item.get("defaultRequest") or {})}
    item |= {name: amounts for name, amounts in (("default", default), ("defaultRequest", requests)) if amounts}


def _job(job: Object) -> None:
    """Jobs only: the Jobs that a CronJob makes are completed when they are made."""
    spec = job["spec"]
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", 6 if "backoffLimitPerIndex" not in spec else 2**31 - 1)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    spec.setdefault("podReplacementPolicy", "Failed" if "podFailurePolicy" in spec else "TerminatingOrFailed")
    _labelled_by_template(job)


def _service_port(port: Object) -> None:
    port.setdefault("protocol", "TCP")
    if port.get("targetPort") in (None, 0, ""):
        port["targetPort"] = port["port"]


def _service_spec(spec: Object) -> None:
    if spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    elif not ((spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}).get("timeoutSeconds"):
        spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": CLIENT_IP_SECONDS}}
    if spec["type"] in {"NodePort", "LoadBalancer"}:
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if spec["type"] == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)
    if spec["type"] != "ExternalName":
        spec.setdefault("internalTrafficPolicy", "Cluster")


def _network_policy(spec: Object) -> None:
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]


def _subject(subject: Object) -> None:
    if not subject.get("apiGroup") and subject.get("kind") in {"User", "Group"}:
        subject["apiGroup"] = RBAC


def _scaler(spec: Object) -> None:
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": DEFAULT_CPU_PERCENT}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]


def _scaler_behavior(behavior: Object) -> None:
    """What is said of one direction is completed; the other has the controller's own rules, as the server writes them."""
    percent = {"type": "Percent", "value": 100, "periodSeconds": 15}
    pods = {"type": "Pods", "value": 4, "periodSeconds": 15}
    up = {"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": [pods, percent]}
    down = {"selectPolicy": "Max", "policies": [percent]}
    behavior["scaleUp"] = up | (behavior.get("scaleUp") or {})
    behavior["scaleDown"] = down | (behavior.get("scaleDown") or {})


COMPLETE: dict[str, Callable[[Object], None]] = {
    "apps.v1.StatefulSetSpec": _stateful_spec,
    "core.v1.Container": _container,
    "core.v1.LimitRangeItem": _limits,
    "core.v1.EphemeralContainer": _container,
    "core.v1.HTTPGetAction": _http_get,
    "core.v1.Volume": _volume,
    "core.v1.PodSpec": _pod_spec,
    "core.v1.Pod": _pod,
    "core.v1.ReplicationController": _replication_controller,
    "core.v1.ServicePort": _service_port,
    "core.v1.ServiceSpec": _service_spec,
    "apps.v1.DeploymentStrategy": _rolling_deployment,
    "apps.v1.DaemonSetUpdateStrategy": _rolling_daemons,
    "apps.v1.StatefulSetUpdateStrategy": _rolling_stateful,
    "batch.v1.Job": _job,
    "networking.v1.NetworkPolicySpec": _network_policy,
    "rbac.v1.Subject": _subject,
    "autoscaling.v2.HorizontalPodAutoscalerSpec": _scaler,
    "autoscaling.v2.HorizontalPodAutoscalerBehavior": _scaler_behavior,
}
