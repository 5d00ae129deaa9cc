"""What is wrong with CronJobs, autoscalers, budgets, quotas, leases and classes (`pkg/apis/batch`, `autoscaling`, `policy` …)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import Cause
from syncsource.localplane.writing.amounts import not_negative, positive_or_percent
from syncsource.localplane.writing.cronschedules import check_schedule, check_zone

Object = Mapping[str, Any]
HIGHEST_USER_PRIORITY = 1_000_000_000
SYSTEM_PRIORITIES = frozenset({"system-cluster-critical", "system-node-critical"})
_METRICS = ("ContainerResource", "External", "Object", "Pods", "Resource")


def _cron_job(spec: Object, path: str) -> Iterator[Cause]:
    if spec["schedule"]:
        wrong = check_schedule(spec["schedule"])
        if wrong:
            yield cause.invalid(f"{path}.schedule", spec["schedule"], wrong)
    if spec.get("timeZone") is not None:
        wrong = check_zone(spec["timeZone"])
        if wrong:
            yield cause.invalid(f"{path}.timeZone", spec["timeZone"], wrong)
    yield from not_negative(spec, path, "startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit")
    job = spec["jobTemplate"]["spec"]
    if job.get("selector") is not None and not job.get("manualSelector"):
        yield cause.invalid(f"{path}.jobTemplate.spec.selector", job["selector"], "`selector` will be auto-generated")


def _job(spec: Object, path: str) -> Iterator[Cause]:
    names = ("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished", "backoffLimitPerIndex")
    yield from not_negative(spec, path, *names)
    if spec.get("completionMode") == "Indexed" and spec.get("completions") is None:
        yield cause.required(f"{path}.completions", "when completion mode is Indexed")


def _replicated(spec: Object, path: str) -> Iterator[Cause]:
    yield from not_negative(spec, path, "replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds")
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None and 0 <= deadline <= (spec.get("minReadySeconds") or 0):
        yield cause.invalid(f"{path}.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")


def _rolling(rolling: Object, path: str) -> Iterator[Cause]:
    for name in ("maxUnavailable", "maxSurge"):
        yield from positive_or_percent(f"{path}.{name}", rolling.get(name))
    if all(rolling.get(name) in (0, "0%") for name in ("maxUnavailable", "maxSurge")):
        yield cause.invalid(f"{path}.maxUnavailable", rolling.get("maxUnavailable"), "may not be 0 when `maxSurge` is 0")


def _budget(spec: Object, path: str) -> Iterator[Cause]:
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        yield cause.invalid(path, dict(spec), "minAvailable and maxUnavailable cannot be both set")
    for name in ("minAvailable", "maxUnavailable"):
        yield from positive_or_percent(f"{path}.{name}", spec.get(name))


def _scaler(spec: Object, path: str) -> Iterator[Cause]:
    least, most = spec.get("minReplicas", 1), spec["maxReplicas"]
    if least < 1:
        yield cause.invalid(f"{path}.minReplicas", least, "must be greater than or equal to 1")
    if most < 1:
        yield cause.invalid(f"{path}.maxReplicas", most, "must be greater than 0")
    elif most < least:
        yield cause.invalid(f"{path}.maxReplicas", most, "must be greater than or equal to `minReplicas`")


def _metric(metric: Object, path: str) -> Iterator[Cause]:
    kind = metric["type"]
    if kind and kind not in _METRICS:
        yield cause.not_supported(f"{path}.type", kind, _METRICS)
    elif kind:
        field = kind[:1].lower() + kind[1:]
        if metric.get(field) is None:
            yield cause.required(f"{path}.{field}", "must populate information for the given metric source")


def _lease(spec: Object, path: str) -> Iterator[Cause]:
    if spec.get("leaseDurationSeconds") is not None and spec["leaseDurationSeconds"] <= 0:
        yield cause.invalid(f"{path}.leaseDurationSeconds", spec["leaseDurationSeconds"], "must be greater than 0")
    if spec.get("leaseTransitions") is not None and spec["leaseTransitions"] < 0:
        yield cause.invalid(f"{path}.leaseTransitions", spec["leaseTransitions"], "must be greater than or equal to 0")


def _quota(spec: Object, path: str) -> Iterator[Cause]:
    for name, amount in (spec.get("hard") or {}).items():
        if amount.startswith("-"):
            yield cause.invalid(f"{path}.hard[{name}]", amount, "must be greater than or equal to 0")


def _claim(spec: Object, path: str) -> Iterator[Cause]:
    if not spec.get("accessModes"):
        yield cause.required(f"{path}.accessModes", "at least 1 access mode is required")
    storage = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if storage is None:
        yield cause.required(f"{path}.resources[storage]")
    elif storage == "0" or storage.startswith("-"):
        yield cause.invalid(f"{path}.resources[storage]", storage, "must be greater than zero")


def _volume(spec: Object, path: str) -> Iterator[Cause]:
    if not spec.get("accessModes"):
        yield cause.required(f"{path}.accessModes")
    if not spec.get("capacity"):
        yield cause.required(f"{path}.capacity")


def _priority(obj: Object, path: str) -> Iterator[Cause]:
    name, value = obj["metadata"].get("name") or "", obj["value"]
    if name in SYSTEM_PRIORITIES:
        return
    if name.startswith("system-"):
        yield cause.forbidden("metadata.name", "priority class names with 'system-' prefix are reserved for system use only")
    if value > HIGHEST_USER_PRIORITY:
        yield cause.forbidden("value", f"maximum allowed value of a user defined priority is {HIGHEST_USER_PRIORITY}")


POLICY_CHECKS: dict[str, Callable[[Object, str], Iterator[Cause]]] = {
    "batch.v1.CronJobSpec": _cron_job,
    "batch.v1.JobSpec": _job,
    "apps.v1.DeploymentSpec": _replicated,
    "apps.v1.ReplicaSetSpec": _replicated,
    "apps.v1.StatefulSetSpec": _replicated,
    "apps.v1.DaemonSetSpec": _replicated,
    "core.v1.ReplicationControllerSpec": _replicated,
    "apps.v1.RollingUpdateDeployment": _rolling,
    "policy.v1.PodDisruptionBudgetSpec": _budget,
    "autoscaling.v2.HorizontalPodAutoscalerSpec": _scaler,
    "autoscaling.v1.HorizontalPodAutoscalerSpec": _scaler,
    "autoscaling.v2.MetricSpec": _metric,
    "coordination.v1.LeaseSpec": _lease,
    "core.v1.ResourceQuotaSpec": _quota,
    "core.v1.PersistentVolumeClaimSpec": _claim,
    "core.v1.PersistentVolumeSpec": _volume,
    "scheduling.v1.PriorityClass": _priority,
}
