"""Cells of built-in tables that no JSONPath can make (`k8s.io/kubernetes/pkg/printers`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from syncsource.localplane.serving.clustercells import CLUSTER_CELLS
from syncsource.localplane.serving.durations import since
from syncsource.localplane.serving.podcells import POD_CELLS

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


def _bound(kind: str) -> Callable[[Object], str]:
    return lambda obj: ", ".join(_subject(one) for one in obj.get("subjects") or () if one["kind"] == kind)


def _subject(subject: Object) -> str:
    is_account = subject["kind"] == "ServiceAccount" and subject.get("namespace")
    return f"{subject['namespace']}/{subject['name']}" if is_account else str(subject["name"])


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
    "bound_users": _bound("User"),
    "bound_groups": _bound("Group"),
    "bound_accounts": _bound("ServiceAccount"),
    **POD_CELLS,
    **CLUSTER_CELLS,
}
