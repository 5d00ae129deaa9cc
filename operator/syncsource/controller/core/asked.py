"""All that is known of one SyncRun: the object at its latest seen version, and its status as it should be."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from syncsource.controller.core.observed import Ref
from syncsource.controller.core.packed import pack, unpack
from syncsource.controller.core.versions import older
from syncsource.resource.runstatus import SyncRunStatus
from syncsource.resource.syncrun import RUNS, TTL, SyncRunSpec, spec_of
from syncsource.resource.syncsource import Metadata, problems_of


class Stage(enum.Enum):
    """How far a SyncRun is, for this operator."""

    WAITING = enum.auto()
    """Its turn has not come. With a run's id: that run could not begin after all, and is begun anew."""
    TAKEN = enum.auto()
    """It is done here."""
    LEFT = enum.auto()
    """Another operator, which is gone, had begun it."""
    SETTLING = enum.auto()
    """The ledger is asked what became of it."""
    ELSEWHERE = enum.auto()
    """Another operator does it."""
    OVER = enum.auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRun:
    """One SyncRun at one resource version, as the API server sent it."""

    ref: Ref
    generation: int
    version: str
    created: datetime
    source: str
    """Name of its SyncSource."""
    spec: SyncRunSpec | None
    problem: str
    """What is wrong with the spec; empty: nothing."""
    status: SyncRunStatus
    listed: bool
    """Whether it came with a list: then nobody saw how it came to be as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One SyncRun."""

    ref: Ref
    generation: int
    version: str
    """Its resourceVersion: what the next status write expects to find."""
    source: str
    """``namespace/name`` of its SyncSource."""
    order: tuple[datetime, int]
    """Of one SyncSource, the lowest goes first."""
    spec: SyncRunSpec | None
    problem: str
    stage: Stage
    packed_status: bytes
    packed_written: bytes
    run: str = ""
    """The id of what is done here."""
    claimed: bool = False
    """Whether the API server has it that it is done here."""
    cancelled: str = ""
    """Why it was told to stop; empty: it was not."""

    @property
    def status(self) -> SyncRunStatus:
        """The status as it should be."""
        return SyncRunStatus.model_validate(unpack(self.packed_status))

    @property
    def dirty(self) -> bool:
        """Whether the API server has yet to be told."""
        return self.packed_status != self.packed_written

    @property
    def starting(self) -> bool:
        """Whether the write of its beginning is under way, which tells all."""
        return self.stage is Stage.TAKEN and not self.claimed

    @property
    def is_run(self) -> bool:
        """Whether it is a run of the source."""
        return self.spec is not None and self.spec.action in RUNS

    @property
    def expires(self) -> datetime | None:
        """When it is to be deleted; None: it is not over."""
        if self.stage is not Stage.OVER:
            return None
        return (self.status.completed_at or self.order[0]) + (self.spec.ttl if self.spec else TTL)

    def holding(self, status: SyncRunStatus) -> Asked:
        """The SyncRun with another status."""
        return replace(self, packed_status=pack_run_status(status))


def pack_run_status(status: SyncRunStatus) -> bytes:
    """The status as the API writes it, compressed. Equal statuses are equal bytes."""
    return pack(status.model_dump(mode="json", by_alias=True, exclude_none=True))


def observe_run(manifest: Mapping[str, Any], *, listed: bool = False) -> SeenRun:
    """The SyncRun of a manifest from the API server. Never raises for what a person wrote: that is ``problem``."""
    metadata, spec, problem = Metadata.model_validate(manifest["metadata"]), None, ""
    try:
        spec = spec_of(manifest)
    except ValidationError as error:
        problem = "; ".join(map(str, problems_of(error)))
    return SeenRun(
        ref=Ref(namespace=metadata.namespace, name=metadata.name, uid=metadata.uid),
        generation=metadata.generation,
        version=metadata.resource_version,
        created=metadata.creation_timestamp or datetime.min.replace(tzinfo=UTC),
        source=str((manifest.get("spec") or {}).get("source", "")),
        spec=spec,
        problem=problem,
        status=_read_status(manifest.get("status")),
        listed=listed,
    )


def asked_of(seen: SeenRun) -> Asked:
    """A SyncRun that is seen for the first time."""
    status = pack_run_status(seen.status)
    return Asked(
        ref=seen.ref,
        generation=seen.generation,
        version=seen.version,
        source=f"{seen.ref.namespace}/{seen.source}",
        order=(seen.created, int(seen.version) if seen.version.isdecimal() else 0),
        spec=seen.spec,
        problem=seen.problem,
        stage=_stage(seen.status, Stage.LEFT if seen.listed else Stage.ELSEWHERE),
        packed_status=status,
        packed_written=status,
    )


def refreshed_run(asked: Asked, seen: SeenRun) -> Asked:
    """The SyncRun as of a newer version. What another operator wrote of its beginning or its end stands."""
    written, status = pack_run_status(seen.status), seen.status
    asked = replace(asked, version=seen.version, packed_written=written)
    settles = asked.stage in (Stage.LEFT, Stage.SETTLING) and not status.is_over
    if asked.stage is Stage.OVER and not status.is_over:
        return asked
    if settles or status.phase in (None, "Pending") or (status.phase == "Running" and status.run == asked.run):
        return asked
    return replace(asked, packed_status=written, stage=_stage(status, Stage.ELSEWHERE))


def acknowledged_run(asked: Asked, packed: bytes, version: str) -> Asked:
    """The SyncRun once the API server took that status."""
    return asked if older(version, than=asked.version) else replace(asked, packed_written=packed, version=version)


def _stage(status: SyncRunStatus, running: Stage) -> Stage:
    return Stage.OVER if status.is_over else running if status.phase == "Running" else Stage.WAITING


def _read_status(status: Any) -> SyncRunStatus:
    try:
        return SyncRunStatus.model_validate(status or {})
    except ValidationError:
        return SyncRunStatus()
