"""An object on its way out: marked, given its time, and held while something must happen first (`registry/rest/delete.go`)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from syncsource.localplane.registry import definitions
from syncsource.localplane.registry.resource import Resource
from syncsource.localplane.writing.strategies import CRD, GENERIC, STRATEGIES

Object = dict[str, Any]
_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def is_held(obj: Object) -> bool:
    """Whether something must happen before the object may go."""
    metadata = obj["metadata"]
    waits = bool(metadata.get("deletionTimestamp") and metadata.get("deletionGracePeriodSeconds"))
    return waits or bool(metadata.get("finalizers") or (obj["kind"] == "Namespace" and (obj.get("spec") or {}).get("finalizers")))


def begin(resource: Resource, obj: Object, grace: int | None) -> None:
    """Mark it; what is marked already can only get less time. `grace` is what was asked for, None where nothing was."""
    if obj["metadata"].get("deletionTimestamp"):
        _shorten(obj["metadata"], grace)
        return
    seconds = STRATEGIES.get(resource.storage, GENERIC).grace(obj, grace)
    if resource.storage == CRD:
        now = dt.datetime.now(dt.UTC).strftime(_FORMAT)
        obj["metadata"]["deletionTimestamp"] = now
        definitions.begin_deletion(obj, now)
        return
    goes = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=min(seconds, 10**9))
    obj["metadata"].update(deletionTimestamp=goes.strftime(_FORMAT), deletionGracePeriodSeconds=seconds)
    if resource.has_generation:
        obj["metadata"]["generation"] = obj["metadata"].get("generation", 0) + 1
    if resource.storage == "namespaces":
        obj["status"] = {**(obj.get("status") or {}), "phase": "Terminating"}


def _shorten(metadata: Object, grace: int | None) -> None:
    given = metadata.get("deletionGracePeriodSeconds") or 0
    if grace is not None and grace < given:
        goes = dt.datetime.strptime(metadata["deletionTimestamp"], _FORMAT).replace(tzinfo=dt.UTC)
        goes += dt.timedelta(seconds=max(grace - given, -(10**9)))
        metadata.update(deletionTimestamp=goes.strftime(_FORMAT), deletionGracePeriodSeconds=grace)
