"""HorizontalPodAutoscalers in autoscaling/v1: stored as v2, of which v1 can say only the share of the processor (`pkg/apis/autoscaling/v1`).

What v1 has no field for stands in annotations, so that a client of v1 that writes back what it read loses nothing.
"""

from __future__ import annotations

import json
from typing import Any

TYPE = "autoscaling.v1.HorizontalPodAutoscaler"
_PREFIX = "autoscaling.alpha.kubernetes.io/"
_SPEC, _STATUS = ("metrics", "behavior"), ("current-metrics", "conditions")
_CPU = "targetCPUUtilizationPercentage"

Object = dict[str, Any]


def to_stored(obj: Object) -> Object:
    """From v1 to v2."""
    metadata, spec, status = dict(obj["metadata"]), dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    kept = _taken(metadata)
    percent = spec.pop(_CPU, None)
    metrics = list(kept.get("metrics") or ())
    if percent is not None:
        metrics.insert(0, _cpu("target", percent))
    spec |= {"metrics": metrics or [_cpu("target", 80)]} | ({"behavior": kept["behavior"]} if kept.get("behavior") else {})
    current = status.pop("currentCPUUtilizationPercentage", None)
    measured = list(kept.get("current-metrics") or ())
    status["currentMetrics"] = ([_cpu("current", current)] if current is not None else []) + measured or None
    if kept.get("conditions"):
        status["conditions"] = kept["conditions"]
    return {**obj, "apiVersion": "autoscaling/v2", "metadata": metadata, "spec": spec, "status": status}


def from_stored(obj: Object) -> Object:
    """From v2 to v1."""
    metadata, spec, status = dict(obj["metadata"]), dict(obj["spec"]), dict(obj.get("status") or {})
    percent, others = _split(spec.pop("metrics", None), "target")
    current, measured = _split(status.pop("currentMetrics", None), "current")
    kept = {"metrics": others, "behavior": spec.pop("behavior", None)}
    kept |= {"current-metrics": measured, "conditions": status.pop("conditions", None)}
    said = {_PREFIX + name: json.dumps(value, separators=(",", ":"), sort_keys=True) for name, value in kept.items() if value}
    if said:
        metadata["annotations"] = {**(metadata.get("annotations") or {}), **said}
    if percent is not None:
        spec[_CPU] = percent
    if current is not None:
        status["currentCPUUtilizationPercentage"] = current
    status.setdefault("currentReplicas", 0)
    return {**obj, "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": status}


def _cpu(field: str, percent: int) -> Object:
    return {
        "type": "Resource",
        "resource": {"name": "cpu", field: {"averageUtilization": percent, **({"type": "Utilization"} if field == "target" else {})}},
    }


def _split(metrics: list[Object] | None, field: str) -> tuple[int | None, list[Object]]:
    """The share of the processor, which is the first of its kind, and all other metrics."""
    percent, others = None, []
    for metric in metrics or ():
        resource = metric.get("resource") or {}
        found = (resource.get(field) or {}).get("averageUtilization") if resource.get("name") == "cpu" else None
        if percent is None and found is not None:
            percent = found
        else:
            others.append(metric)
    return percent, others


def _taken(metadata: Object) -> Object:
    """What the annotations say, which go; what can't be read says nothing."""
    annotations = dict(metadata.get("annotations") or {})
    found: Object = {}
    for name in (*_SPEC, *_STATUS):
        text = annotations.pop(_PREFIX + name, None)
        try:
            found[name] = json.loads(text) if text else None
        except (ValueError, RecursionError):
            continue
    metadata.pop("annotations", None)
    if annotations:
        metadata["annotations"] = annotations
    return found
