"""One run: pages → typed rows → staging → comparison → changed rows, cursor and fence in one transaction."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Connection

from syncsource import failpoints, ledger
from syncsource.destinations import Database, Writer, open_table
from syncsource.engine.confighash import config_hash
from syncsource.engine.guards import Invalid
from syncsource.engine.plan import Counts, Progress, RunPlan
from syncsource.engine.reading import Reader
from syncsource.engine.stopping import Stop
from syncsource.errors import StalledError
from syncsource.records.batch import Batch, Rejected, Row
from syncsource.records.cursors import cap, higher, look_back
from syncsource.records.shape import Shape
from syncsource.resource.spec import SyncSourceSpec
from syncsource.sources.base import Slice, Source

_log = logging.getLogger(__name__)

STAGE_ROWS = 5000
"""Rows are staged by at least so many at a time, however small the pages are."""


@dataclass
class Tally:
    """What a run has counted so far, and where it is."""

    read: int = 0
    full: bool = True
    cursor: str | None = None
    quarantined_total: int = 0
    applied: Counts = field(default_factory=Counts)
    started: float = field(default_factory=time.monotonic)


class _Waiting:
    """Rows of several pages on their way to staging: a statement per page of a hundred rows would be slow."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.cursors: list[str | None] | None = None

    def add(self, batch: Batch) -> int:
        """Returns how many rows wait now."""
        self.rows += batch.rows
        if batch.cursors is not None:
            self.cursors = (self.cursors or []) + batch.cursors
        return len(self.rows)

    def clear(self) -> None:
        self.rows, self.cursors = [], None


class Run:
    """The steps of one run, in their order, on one database. ``write`` raises a SyncError or leaves everything committed."""

    def __init__(
        self, plan: RunPlan, spec: SyncSourceSpec, database: Database, source: Source, stop: Stop, progress: Callable[[Progress], None]
    ) -> None:
        self._plan, self._spec, self._database, self._source = plan, spec, database, source
        self._stop, self._progress = stop, progress
        self._invalid = Invalid(spec.validation)
        self._started_at = datetime.now(UTC)
        self.tally = Tally()

    def write(self, fence: ledger.Fence) -> None:
        """Everything between the fence and the commit."""
        sql = self._spec.destination.sql
        keys = self._spec.keys[0].fields
        table = open_table(self._database, sql, self._spec.fields, keys)
        before = self._cursor_before()
        incremental = self._spec.incremental
        shape = Shape(self._spec.fields, keys, incremental.cursor if incremental else None)
        with Writer(self._database, table, self._spec.write.on_existing, zone=shape.zone) as writer, self._stop.calling(writer.cancel):
            with Reader(self._source, shape, Slice(since=self._since(before)), self._stop) as reader:
                seen = self._stage(writer, reader, shape)
            self._invalid.check(self.tally.read)
            self._report(reader.pages, "Writing")
            after = self._cursor_after(before, seen, reader.served_at, shape)
            self._commit(writer, fence, before, after)

    def invalid_summary(self) -> str:
        """Why records went to quarantine, for people; empty where none did."""
        return self._invalid.summary()

    def _cursor_before(self) -> str | None:
        if self._spec.incremental is None or self._plan.full:
            return None
        with self._database.engine.connect() as connection:
            kept = ledger.cursor(connection, self._plan.identity)
        return kept.text if kept and kept.config_hash == config_hash(self._spec) else None

    def _since(self, before: str | None) -> str | None:
        self.tally.full = before is None
        _log.info("reading everything" if before is None else "reading from the cursor %s", *([] if before is None else [before]))
        if before is None or self._spec.incremental is None:
            return None
        try:
            return look_back(before, self._spec.incremental.lookback)
        except ValueError as error:
            raise StalledError(f"spec.incremental.lookback: {error}; remove lookback or choose another cursor") from None

    def _stage(self, writer: Writer, reader: Reader, shape: Shape) -> str | None:
        """Stages every batch; returns the highest cursor seen."""
        seen: str | None = None
        waiting = _Waiting()
        for batch in reader:
            self._stop.check()
            seen = higher(seen, batch.cursor, shape.zone)
            self.tally.read += batch.read
            self._keep_aside(writer.connection, batch.rejected)
            if waiting.add(batch) >= STAGE_ROWS:
                self._flush(writer, waiting)
            self._report(reader.pages, "Reading")
        self._flush(writer, waiting)
        _log.info("%s on %s read", _counted(self.tally.read, "record"), _counted(reader.pages, "page"))
        return seen

    def _flush(self, writer: Writer, waiting: _Waiting) -> None:
        self._keep_aside(writer.connection, writer.stage(waiting.rows, waiting.cursors))
        waiting.clear()
        failpoints.hit("after-stage")

    def _cursor_after(self, before: str | None, seen: str | None, served_at: datetime | None, shape: Shape) -> str | None:
        """Never later than the run's start, by either side's clock: what changed while we read is read again.

        A full read's cursor is what it saw, be it earlier than the last one: so a cursor that went astray is mended.
        """
        if seen is None:
            return before
        return higher(before, cap(seen, min(self._started_at, served_at or self._started_at), shape.zone), shape.zone)

    def _commit(self, writer: Writer, fence: ledger.Fence, before: str | None, after: str | None) -> None:
        plan, tally = self._plan, self.tally
        with writer.transaction() as connection:
            applied = writer.apply()
            self._keep_aside(connection, applied.rejected)
            self._invalid.check(tally.read)
            tally.quarantined_total = ledger.commit_rejected(connection, plan.identity, plan.run, full=tally.full)
            ledger.save_cursor(connection, plan.identity, after, config_hash(self._spec))
            counts = Counts(
                read=tally.read,
                inserted=applied.inserted,
                updated=applied.updated,
                unchanged=applied.unchanged,
                skipped=applied.skipped,
                quarantined=self._invalid.count,
            )
            ledger.finish_run(connection, plan.run, result="Succeeded", counts=counts, cursor_before=before, cursor_after=after)
            self._stop.check()
            ledger.check_fence(connection, fence)
            tally.applied, tally.cursor = counts, after
            failpoints.hit("before-commit")
        failpoints.hit("after-commit")

    def _keep_aside(self, connection: Connection, rejected: Collection[Rejected]) -> None:
        if rejected:
            self._invalid.add(rejected)
            ledger.stage_rejected(connection, rejected)

    def _report(self, pages: int, phase: str) -> None:
        self._progress(Progress(read=self.tally.read, pages=pages, phase=phase))


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
