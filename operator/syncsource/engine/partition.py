"""One partition of a run, from its cursor to its commits; a source that is read as a whole is one."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Collection, Iterator

from sqlalchemy import Connection

from syncsource import failpoints, ledger
from syncsource.destinations import Owner, Policy, Writer
from syncsource.engine.beginning import Beginning
from syncsource.engine.destination import keep_images
from syncsource.engine.guards import Invalid, Limits
from syncsource.engine.newest import newest_column
from syncsource.engine.parallel import Slot
from syncsource.engine.parts import Done, Setting, Waiting, counted, told_of_held
from syncsource.engine.plan import Counts
from syncsource.engine.position import Position
from syncsource.engine.reading import Reader
from syncsource.engine.windows import Span
from syncsource.errors import PermanentError, RetryableError
from syncsource.records.batch import Batch, Rejected
from syncsource.records.cursors import meaning
from syncsource.records.shape import Shape
from syncsource.sources.base import Slice, Source

_log = logging.getLogger(__name__)

_LONG = 15.0
"""Seconds of writing after which nobody tries again: who waited for a lock in vain has waited longer."""
STAGE_ROWS = 2000
"""Rows are staged by at least so many at a time, however small the pages are."""


class _Forgotten(Exception):
    """The source does not know the place any more at which a read was to go on."""


class PartitionRun:
    """``run`` raises a SyncError or leaves everything committed; what was committed before it failed, window by window or batch by batch, stays.

    ``commit`` is called in each transaction, before the fence is checked. ``slot`` is taken when all is ready to be read, and given back once
    nothing more is: NotBegun where it can't be taken.
    """

    def __init__(
        self,
        setting: Setting,
        source: Source,
        partition: str,
        commit: Callable[[Connection, Done], None],
        slot: Slot | None = None,
    ) -> None:
        self._setting, self._source, self._partition, self._commit, self._slot = setting, source, partition, commit, slot
        spec = setting.spec
        self._incremental = spec.incremental
        self._shape = Shape.of(spec, partition)
        self._invalid = Invalid(spec.validation)
        self._most = setting.batch_rows
        self._read = 0
        self._skipped = 0
        self._note, self._known = "", False
        self._beginning: Beginning
        self.cursor: str | None = None
        """The cursor that was committed last."""
        self.counts = Counts()
        """Of what was committed."""
        self.windows = self.batches = 0
        """Windows committed, and batches."""

    def run(self) -> None:
        """Read and write it."""
        setting = self._setting
        beginning = self._beginning = Beginning.of(setting, self._partition)
        self.cursor = beginning.cursor
        for position in self._positions(beginning):
            setting.stop.check()
            try:
                self._read_and_write(position, beginning.state if position.span.last and not self.windows else None)
            except _Forgotten:
                self._read_and_write(position.again(setting.started_at, setting.fence.token), None)
            self.windows += 1

    def _positions(self, beginning: Beginning) -> Iterator[Position]:
        """Each slice that is to be read, at its beginning, but for the first where a read goes on."""
        if beginning.left is not None:
            yield beginning.left
        for span in beginning.spans(self._shape.zone):
            yield beginning.position(span, self.cursor)

    def _tell(self, position: Position) -> None:
        of = f" of partition {self._partition}" if self._partition else ""
        if position.resume is not None:
            _log.info("reading%s goes on where it ended early", of)
        elif self._beginning.cursor is not None:
            _log.info("reading%s from the cursor %s", of, self._beginning.cursor)
        else:
            _log.info("reading everything%s" if self._beginning.full else "reading what is new%s", of)

    def _read_and_write(self, position: Position, state: str | None) -> None:
        """Raises _Forgotten where the source does not take the place at which it was to go on."""
        span, resumed = position.span, position.resume is not None
        part = Slice(since=span.since, until=span.until, partition=self._partition, state=state, resume=position.resume)
        self._begin(position)
        with Reader(self._source, self._shape, part, self._setting.stop) as reader:
            try:
                batches, more = iter(reader), True
                while more:
                    more = self._batch(reader, batches, position)
            except PermanentError as error:
                if not resumed or reader.pages:
                    raise
                _log.warning("the source does not go on where it ended early: %s: reading again from the beginning", error.reason)
                raise _Forgotten from None

    def _batch(self, reader: Reader, batches: Iterator[Batch], position: Position) -> bool:
        """One transaction. Whether another may follow."""
        setting = self._setting
        policy = Policy.of(setting.spec.write, newer=newest_column(setting.spec, setting.table) if position.fresh else None)
        with Writer(setting.database, setting.table, policy, zone=self._shape.zone) as writer, setting.stop.calling(writer.cancel):
            quarantined = self._invalid.count
            read, more = self._stage(writer, reader, batches, position)
            self._read += read
            self._invalid.check(self._read)
            setting.moved(0, 0, "Writing")
            position.served(reader.served_at)
            cursor = self._cursor_after(position, more)
            with setting.turn:
                self._write_in_turn(writer, position, more, cursor, read, quarantined)
        return more

    def _begin(self, position: Position) -> None:
        """Waits until it may be read, without a connection: that may take long."""
        if self._slot is not None:
            self._slot.take()
        if not self.windows:
            self._tell(position)

    def _stage(self, writer: Writer, reader: Reader, batches: Iterator[Batch], position: Position) -> tuple[int, bool]:
        """Stages what makes a transaction; returns how many records came, and whether more may follow."""
        read, more = 0, False
        self._skipped = 0
        waiting = Waiting()
        for batch in batches:
            self._setting.stop.check()
            position.take(batch, self._shape.zone)
            read += batch.read
            self._skipped += batch.skipped
            self._keep_aside(writer, batch.rejected)
            self._setting.moved(batch.read, reader.news(), "Reading")
            if waiting.add(batch) >= STAGE_ROWS or not self._source.waits:
                self._flush(writer, waiting, more=not self._source.waits and batch.read > 0)
            if more := self._most is not None and read >= self._most:
                break
        if not more:
            self._all_read(reader, position)
        self._flush(writer, waiting, more=False)
        return read, more

    def _all_read(self, reader: Reader, position: Position) -> None:
        if position.span.last and self._slot is not None:
            self._slot.give_back()
        _log.info("%s on %s read", counted(reader.records, "record"), counted(reader.pages, "page"))

    def _flush(self, writer: Writer, waiting: Waiting, *, more: bool) -> None:
        """``more``: the next rows come without delay, so that the database may work on these meanwhile."""
        self._keep_aside(writer, writer.stage(*waiting.taken(), more=more))
        failpoints.hit("after-stage")

    def _cursor_after(self, position: Position, more: bool) -> str | None:
        """A window's is its end, and a young one's what it saw. Before that it stays."""
        if more:
            return self.cursor if self.windows else self._beginning.standing
        span = position.span
        reached = span.until if span.closed else position.seen
        return position.cursor(reached if reached is not None and self._fits(reached, span) else None, self._shape.zone)

    def _fits(self, reached: str, span: Span) -> bool:
        """Windows follow from an instant or a date: a cursor of another kind stays aside."""
        windowed = self._incremental is not None and self._incremental.window is not None
        return not windowed or meaning(reached)[0] == meaning(span.since or "")[0]

    def _write_in_turn(self, writer: Writer, position: Position, more: bool, cursor: str | None, read: int, quarantined: int) -> None:
        """Who meets others at the same rows, so that the database ends one of them, tries again: what is staged stays."""
        begun = time.monotonic()
        while True:
            invalid = self._invalid.copy()
            try:
                self._write(writer, position, more, cursor, read, quarantined)
                return
            except RetryableError as error:
                if error.reason != "DatabaseBusy" or time.monotonic() - begun > _LONG:
                    raise
                _log.info("the database ended the transaction since others use the same rows (%s): once more", error.message)
            self._invalid = invalid
            self._setting.stop.event.wait(random.uniform(0.01, 0.2))
            self._setting.stop.check()

    def _write(self, writer: Writer, position: Position, more: bool, cursor: str | None, read: int, quarantined: int) -> None:
        """``quarantined``: records that earlier transactions set aside."""
        setting, identity = self._setting, self._setting.plan.identity
        if not self._source.unchanged and (writer.staged or setting.table.owned):
            setting.backup.take()
        with writer.transaction() as connection:
            last = position.span.last and not more
            counts, total = self._applied(writer, connection, position, read, quarantined, last=last)
            state, left = self._state(last), position.left(more=more, last=last)
            ledger.save_cursor(connection, identity, cursor, setting.config_hash, self._partition, state=state, position=left)
            self._commit(connection, self._done(counts, cursor, last, total, writer.waiting(self._owner)))
            setting.stop.check()
            ledger.check_fence(connection, setting.fence)
            setting.backup.written(counts.changed)
            failpoints.hit("before-commit")
        failpoints.hit("after-commit")
        self.counts, self.cursor, self.batches = counts, cursor, self.batches + 1
        if more:
            _log.info("%s committed so far", counted(counts.read, "record"))

    def _state(self, last: bool) -> str | None:
        """What the source remembers is of a complete read. Pieces that were taken once stay taken."""
        return self._source.state if last else self._beginning.taken

    def _applied(
        self, writer: Writer, connection: Connection, position: Position, read: int, quarantined: int, *, last: bool
    ) -> tuple[Counts, int]:
        """What is committed with this transaction, and how many records are in quarantine then."""
        plan = self._setting.plan
        if self._source.unchanged:
            return self.counts, ledger.quarantine_total(connection, plan.identity)
        limits = Limits(self._setting.spec)
        if self._complete:
            limits.check_read(writer.staged)
        owner = self._owner
        applied = writer.apply(limits.check_changes, owner)
        self._known = owner.complete and not applied.unfound
        self._note = self._noted(applied.held)
        self._keep_aside(writer, applied.rejected)
        self._invalid.check(self._read)
        keep_images(connection, plan, self._setting.spec, self._partition, applied.taken)
        total = ledger.commit_rejected(
            connection, plan.identity, plan.run, full=self._beginning.full and last, partition=self._partition, since=position.fence
        )
        counts = Counts(
            read=read,
            inserted=applied.inserted,
            updated=applied.updated,
            unchanged=applied.unchanged,
            skipped=applied.skipped + self._skipped,
            quarantined=self._invalid.count - quarantined,
            deleted=applied.deleted,
            conflicts=applied.conflicts,
        )
        return self.counts.plus(counts), total

    @property
    def _complete(self) -> bool:
        """Whether all that there is was read: what is remembered of it only tells whether anything is new."""
        return self._beginning.cursor is None and not (self._most or self._setting.plan.files.handed or self._source.known)

    @property
    def _owner(self) -> Owner:
        plan = self._setting.plan
        complete = self._complete and not self._invalid.count
        return Owner(plan.identity, self._partition, complete=complete, claims=not plan.files.handed)

    def _noted(self, held: str) -> str:
        """What is to be told of rows that the source has no more, and that stay nevertheless."""
        if held:
            return told_of_held(held)
        kept = self._complete and self._invalid.count and self._setting.spec.write.on_absent != "Ignore"
        return "rows that the source has no more stay until no record of it is quarantined" if kept else ""

    def _done(self, counts: Counts, cursor: str | None, last: bool, total: int, waiting: int) -> Done:
        return Done(
            partition=self._partition,
            before=self._beginning.cursor,
            cursor=cursor,
            counts=counts,
            last=last,
            unchanged=self._source.unchanged,
            note=self._note,
            complete=self._known or self._source.unchanged,
            full=self._beginning.full,
            invalid=self._invalid,
            quarantined_total=total,
            conflicts_total=waiting,
        )

    def _keep_aside(self, writer: Writer, rejected: Collection[Rejected]) -> None:
        if rejected:
            self._invalid.add(rejected)
            ledger.stage_rejected(writer.connection, rejected)
