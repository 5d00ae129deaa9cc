"""An object as the API server sent it, read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from syncsource.controller.core.intent import Intent, intent_of
from syncsource.controller.core.requests import Requests, read_requests
from syncsource.errors import StalledError
from syncsource.resource.status import SyncSourceStatus
from syncsource.resource.syncsource import Metadata, parse


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """Which object. A recreated one has the same key and another uid."""

    namespace: str
    name: str
    uid: str

    @property
    def key(self) -> str:
        """``namespace/name``."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """One object at one resource version."""

    ref: Ref
    generation: int
    version: str
    created: datetime | None
    requests: Requests
    intent: Intent
    spec: Mapping[str, Any]
    status: SyncSourceStatus


def observe(manifest: Mapping[str, Any]) -> Observed:
    """The object of a manifest from the API server. Never raises for what a person wrote: that is ``intent.problem``."""
    metadata = Metadata.model_validate(manifest["metadata"])
    return Observed(
        ref=Ref(namespace=metadata.namespace, name=metadata.name, uid=metadata.uid),
        generation=metadata.generation,
        version=metadata.resource_version,
        created=metadata.creation_timestamp,
        requests=read_requests(metadata.annotations, created=metadata.creation_timestamp),
        intent=_intent(manifest),
        spec=manifest.get("spec") or {},
        status=read_status(manifest.get("status")),
    )


def read_status(status: Any) -> SyncSourceStatus:
    """The status, or an empty one where it is not of this version's making."""
    try:
        return SyncSourceStatus.model_validate(status or {})
    except ValidationError:
        return SyncSourceStatus()


def _intent(manifest: Mapping[str, Any]) -> Intent:
    try:
        return intent_of(parse({**manifest, "status": None}).spec)
    except StalledError as error:
        spec = manifest.get("spec") or {}
        return Intent(suspend=spec.get("suspend") is True, suspend_reason=str(spec.get("suspendReason", "")), problem=error.message)
