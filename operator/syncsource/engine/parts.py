"""What the partitions of a run share, and what each of them tells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime

from syncsource import ledger
from syncsource.destinations import Database, Table
from syncsource.engine.backups import RunBackup
from syncsource.engine.ending import UNCHANGED
from syncsource.engine.guards import Invalid
from syncsource.engine.plan import Counts, PartitionOutcome, Partitions, RunPlan
from syncsource.engine.stopping import Stop
from syncsource.records.batch import Batch
from syncsource.records.rows import Row, Rows
from syncsource.resource.spec import SyncSourceSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What the partitions of a run share."""

    plan: RunPlan
    spec: SyncSourceSpec
    config_hash: str
    database: Database
    table: Table
    fence: ledger.Fence
    stop: Stop
    backup: RunBackup
    started_at: datetime
    batch_rows: int | None
    """Records from which on a transaction ends with a page; None: it ends with the window."""
    fresh: bool
    """Whether the table was empty as a run began that commits batch by batch."""
    moved: Callable[[int, int, str], None]
    """Takes the records and pages that were read since the last call, and the phase."""
    turn: AbstractContextManager[object]
    """Held while a partition writes: those that must take turns, as in one SQLite file, queue here, where the queue is fair and nobody's patience
    ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a partition has done when a transaction of it commits, this one included."""

    partition: str
    before: str | None
    cursor: str | None
    counts: Counts
    last: bool
    """Whether no transaction follows."""
    unchanged: bool
    """Whether the upstream had nothing new, so that nothing was written."""
    note: str
    """What else there is to be told, for people; usually empty."""
    complete: bool
    """Whether it is known what the source has no more."""
    full: bool
    """Whether everything was read."""
    invalid: Invalid
    quarantined_total: int
    """Records in quarantine, of all partitions."""
    conflicts_total: int
    """Conflicts that wait for people, of all partitions."""

    @property
    def message(self) -> str:
        """For people; empty where the counts tell everything."""
        quarantined = f"quarantined: {self.invalid.summary()}" if self.counts.quarantined else ""
        return "; ".join(filter(None, [UNCHANGED * self.unchanged or quarantined, self.note]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a run that fails had committed."""

    counts: Counts = field(default_factory=Counts)
    cursor: str | None = None
    document_reads: int = 0
    partitions: Partitions | None = None
    by_partition: list[PartitionOutcome] = field(default_factory=list)
    told: str = ""
    """For people; empty where nothing was committed."""


class Waiting:
    """Rows of several pages on their way to staging: a statement per page of a hundred rows would be slow."""

    def __init__(self) -> None:
        self._rows: list[Sequence[Row]] = []
        self._cursors: list[str | None] | None = None
        self._count = 0

    def add(self, batch: Batch) -> int:
        """Returns how many rows wait now."""
        self._rows.append(batch.rows)
        self._count += len(batch.rows)
        if batch.cursors is not None:
            self._cursors = [*(self._cursors or ()), *batch.cursors]
        return self._count

    def taken(self) -> tuple[Sequence[Row], list[str | None] | None]:
        """The rows and their cursors, which wait no longer."""
        rows, cursors = Rows.joined(self._rows), self._cursors
        self._rows, self._cursors, self._count = [], None, 0
        return rows, cursors


def told_of_held(held: str) -> str:
    """That rows stay, and why; empty where none does."""
    return f"rows that the source has no more stay: {held}" if held else ""


def counted(number: int, thing: str, things: str = "") -> str:
    """``1 page``, ``1,200 pages``."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {things or thing + 's'}"
