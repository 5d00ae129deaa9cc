"""What a run is asked to do, and what became of it. Both cross a process border as JSON."""

from __future__ import annotations

import enum
from typing import Any

import msgspec

from syncsource.sources.files import NO_FILES, Files

WORKER_DIED = "WorkerDied"
"""Reason of an outcome of which nobody could ask the ledger: the worker ended, and so does the operator."""


class Next(enum.StrEnum):
    """What happens after a run."""

    NOTHING = "Nothing"
    """It succeeded: the schedule goes on."""
    RETRY = "Retry"
    """It failed and is retried with backoff."""
    SCHEDULE = "Schedule"
    """It failed and a retry would fail the same way: the next scheduled run tries again."""
    STALL = "Stall"
    """It failed and waits for a change of spec, Secret or request."""


class Counts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a run did to records: read = inserted + updated + unchanged + skipped + quarantined; and how many rows it deleted."""

    read: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    quarantined: int = 0
    deleted: int = 0
    conflicts: int = 0
    """Columns of rows that both sides changed, and that wait for people since this run."""

    @property
    def changed(self) -> int:
        """Rows of the table that are not as they were."""
        return self.inserted + self.updated + self.deleted

    def plus(self, other: Counts) -> Counts:
        """Both together."""
        return Counts(**{name: getattr(self, name) + getattr(other, name) for name in Counts.__struct_fields__})


class Partitions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many partitions a run has, and how many of them have ended how."""

    total: int
    succeeded: int = 0
    failed: int = 0


class PartitionOutcome(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What became of one partition. A failed one may have committed windows: ``counts`` tells of those."""

    partition: str
    result: str
    """Succeeded or Failed."""
    reason: str = ""
    message: str = ""
    counts: Counts = Counts()
    cursor: str | None = None


class Accuracy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the table compares with the source; see :class:`syncsource.engine.verifying.Verified`, which also has examples of rows."""

    accuracy: str | None
    sample: int | None
    """How many records of each partition were to be read; None: all."""
    complete: bool
    cells: int
    rows: int
    missing: int
    different: int
    ambiguous: int
    extra: int | None
    quarantined: int
    skipped: int
    columns: dict[str, int]
    """Those with the most cells that differ."""


class RunPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that one run needs. ``secrets`` holds secret values: never log or print a plan."""

    run: str
    """The run's id."""
    identity: str
    """Whose cursor, fence and quarantine these are: control plane, namespace and name, joined with "/"."""
    trigger: str
    generation: int = 1
    full: bool = False
    """Whether to ignore the cursor."""
    spec: dict[str, Any]
    """spec of the SyncSource, as the API server holds it."""
    secrets: dict[str, dict[str, str]]
    """The Secrets that the spec names, decoded: name → key → value."""
    files: Files = NO_FILES
    """Those of the machine that may be read."""
    link_local: bool = False
    """Whether link-local and cloud metadata addresses may be asked."""
    lanes: int | None = None
    """How many partitions may have a connection at a time, beside one for all of them. None: as many as the spec says."""

    def __repr__(self) -> str:
        return f"RunPlan(run={self.run!r}, identity={self.identity!r})"


class Progress(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far a run has come."""

    read: int
    pages: int
    phase: str
    """Reading, Writing."""
    partitions: Partitions | None = None
    """None where the source is read as a whole."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What became of a run. Holds no secret and no record's content."""

    run: str
    result: str
    """Succeeded, Failed or Interrupted."""
    next: Next = Next.NOTHING
    reason: str = ""
    message: str = ""
    retry_after: float | None = None
    """Seconds that the other side asked to wait at least."""
    counts: Counts = Counts()
    full: bool = False
    """Whether it read everything: asked for, or because there was no cursor that fits the spec."""
    cursor: str | None = None
    """The cursor after the run, for display: of several partitions the lowest."""
    quarantined_total: int = 0
    """Records of this SyncSource in quarantine now."""
    conflicts_total: int = 0
    """Conflicts of this SyncSource that wait for people now."""
    seconds: float = 0.0
    document_reads: int = 0
    """Documents that the upstream bills."""
    partitions: Partitions | None = None
    """None where the source is read as a whole."""
    by_partition: list[PartitionOutcome] = []
    """Each partition that ended, in their order."""
    verified: Accuracy | None = None
    """What a verification found, which writes nothing: it has no counts."""
    found: dict[str, Any] = {}
    """What an action of a SyncRun found or did, as its ``status.result`` has it."""
