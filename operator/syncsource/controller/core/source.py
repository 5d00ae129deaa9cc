"""All that is known of one SyncSource."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from syncsource.controller.core.intent import Intent
from syncsource.controller.core.observed import Observed, Ref
from syncsource.controller.core.packed import pack, pack_status, unpack, unpack_status
from syncsource.controller.core.requests import Requests
from syncsource.controller.core.versions import older
from syncsource.resource.status import SyncSourceStatus, Trigger


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run under way, pinned to the spec that it was decided for."""

    id: str
    trigger: Trigger
    generation: int
    digest: str
    substance: str = ""
    full: bool
    requests: Requests
    """The requests that it answers."""
    started: datetime | None = None
    """None: it is being prepared, the start is not written yet."""
    told: datetime | None = None
    """When status last told of it."""
    read: int = 0
    cancelled: str = ""
    """Why it was told to stop; empty: it was not."""
    asked: str = ""
    """Key of the SyncRun that it is for; empty: it is for none."""
    secrets_changed: bool = False
    """Whether a Secret that it uses changed since it began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One SyncSource: the object at its latest seen version, its status as it should be, and its run or verification: never both."""

    ref: Ref
    generation: int
    version: str
    """Its resourceVersion: what the next status write expects to find."""
    requests: Requests
    intent: Intent
    packed_spec: bytes
    packed_status: bytes
    packed_written: bytes
    """status as the API server has it, as far as known."""
    run: Run | None = None
    verifying: Run | None = None
    waiting: bool = False
    """Whether it waits for a slot, and has for long enough to say so."""

    @property
    def status(self) -> SyncSourceStatus:
        """The status as it should be."""
        return unpack_status(self.packed_status)

    @property
    def spec(self) -> dict[str, Any]:
        """The spec as the API server holds it."""
        return unpack(self.packed_spec)

    @property
    def dirty(self) -> bool:
        """Whether the API server has yet to be told."""
        return self.packed_status != self.packed_written

    @property
    def starting(self) -> bool:
        """Whether a run is being prepared: its start's write tells all."""
        return self.run is not None and self.run.started is None

    def holding(self, status: SyncSourceStatus) -> Source:
        """The source with another status."""
        return replace(self, packed_status=pack_status(status))


def source_of(seen: Observed) -> Source:
    """The source of an object that is seen for the first time."""
    status = pack_status(seen.status)
    return Source(
        ref=seen.ref,
        generation=seen.generation,
        version=seen.version,
        requests=seen.requests,
        intent=seen.intent,
        packed_spec=pack(seen.spec),
        packed_status=status,
        packed_written=status,
    )


def refreshed(source: Source, seen: Observed, *, yielding: bool = False) -> Source:
    """The source as of a newer version of its object. A status that somebody else wrote is taken over, unless ours is still to be written
    and is not ``yielding``."""
    written = pack_status(seen.status)
    foreign = written != source.packed_written and (yielding or not source.dirty)
    return replace(
        source,
        generation=seen.generation,
        version=seen.version,
        requests=seen.requests,
        intent=seen.intent,
        packed_spec=pack(seen.spec),
        packed_status=written if foreign else source.packed_status,
        packed_written=written,
    )


def acknowledged(source: Source, packed: bytes, version: str) -> Source:
    """The source once the API server took that status. An answer that a newer version of the object overtook tells nothing new."""
    if older(version, than=source.version):
        return source
    return replace(source, packed_written=packed, version=version)
