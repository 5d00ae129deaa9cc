"""One partition of a run, from its cursor to its commits; a source that is read as a whole is one."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Collection, Iterator
from datetime import datetime

from sqlalchemy import Connection

from syncsource import failpoints, ledger
from syncsource.destinations import Owner, Policy, Writer
from syncsource.engine.destination import keep_images
from syncsource.engine.guards import Invalid, Limits
from syncsource.engine.parallel import Slot
from syncsource.engine.parts import Done, Setting, Waiting, counted, told_of_held
from syncsource.engine.plan import Counts
from syncsource.engine.reading import Reader
from syncsource.engine.windows import Span, spans
from syncsource.errors import RetryableError, StalledError
from syncsource.records.batch import Rejected
from syncsource.records.cursors import cap, higher, look_back, meaning
from syncsource.records.shape import Shape
from syncsource.sources.base import Slice, Source

_log = logging.getLogger(__name__)

_LONG = 15.0
"""Seconds of writing after which nobody tries again: who waited for a lock in vain has waited longer."""
STAGE_ROWS = 2000
"""Rows are staged by at least so many at a time, however small the pages are."""


class PartitionRun:
    """``run`` raises a SyncError or leaves everything committed; windows before the one that failed stay committed.

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
        self._read = 0
        self._skipped = 0
        self._note, self._known = "", False
        self._before: str | None = None
        self._full = True
        self.cursor: str | None = None
        """The cursor that was committed last."""
        self.counts = Counts()
        """Of what was committed."""
        self.windows = 0
        """Windows committed."""

    def run(self) -> None:
        """Read and write it."""
        kept = self._kept()
        state = self._usable_state(kept)
        self._before = self.cursor = kept.text if kept and self._incremental else None
        self._full = self._before is None and state is None and not self._setting.plan.files.handed
        for span in self._spans():
            self._setting.stop.check()
            self._read_and_write(span, state if span.last and not self.windows else None)
            self.windows += 1

    def _kept(self) -> ledger.Cursor | None:
        """What the last read left behind, unless it is of no use."""
        setting = self._setting
        if setting.plan.full:
            return None
        with setting.database.engine.connect() as connection:
            kept = ledger.cursor(connection, setting.plan.identity, self._partition)
        return kept if kept and kept.config_hash == setting.config_hash else None

    def _usable_state(self, kept: ledger.Cursor | None) -> str | None:
        """A source that finds nothing new leaves things as they are: only where they are as a complete read left them.
        Where pieces are taken once, what is in quarantine stays for people to mend."""
        if kept is None or kept.state is None:
            return None
        setting = self._setting
        settled = setting.spec.source.chosen.takes_once or not ledger.has_quarantined(
            setting.database.engine, setting.plan.identity, self._partition
        )
        return kept.state if settled else None

    def _tell(self) -> None:
        of = f" of partition {self._partition}" if self._partition else ""
        if self._before is not None:
            _log.info("reading%s from the cursor %s", of, self._before)
        else:
            _log.info("reading everything%s" if self._full else "reading what is new%s", of)

    def _spans(self) -> Iterator[Span]:
        incremental, setting = self._incremental, self._setting
        if incremental is None:
            return iter([Span(None)])
        try:
            since = look_back(self._before, incremental.lookback) if self._before is not None else None
        except ValueError as error:
            raise StalledError(f"spec.incremental.lookback: {error}; remove lookback or choose another cursor") from None
        if incremental.window is None:
            return iter([Span(since)])
        first = incremental.window.start if since is None else since
        try:
            return spans(first, incremental.window.size, setting.started_at, self._shape.zone)
        except ValueError as error:
            raise StalledError(f"spec.incremental.window: {error}; remove window or choose another cursor") from None

    def _read_and_write(self, span: Span, state: str | None) -> None:
        setting, zone = self._setting, self._shape.zone
        part = Slice(since=span.since, until=span.until, partition=self._partition, state=state)
        self._begin()
        with (
            Writer(setting.database, setting.table, Policy.of(setting.spec.write), zone=zone) as writer,
            setting.stop.calling(writer.cancel),
            Reader(self._source, self._shape, part, setting.stop) as reader,
        ):
            quarantined = self._invalid.count
            read, seen = self._stage(writer, reader, span.last)
            self._read += read
            self._invalid.check(self._read)
            setting.moved(0, 0, "Writing")
            cursor = self._cursor_after(span, seen, reader.served_at)
            with setting.turn:
                self._write_in_turn(writer, span, cursor, read, quarantined)

    def _begin(self) -> None:
        """Waits until it may be read, without a connection: that may take long."""
        if self._slot is not None:
            self._slot.take()
        if not self.windows:
            self._tell()

    def _stage(self, writer: Writer, reader: Reader, last: bool) -> tuple[int, str | None]:
        """Stages every batch; returns how many records came, and their highest cursor."""
        read, pages, seen = 0, 0, None
        self._skipped = 0
        waiting = Waiting()
        for batch in reader:
            self._setting.stop.check()
            seen = higher(seen, batch.cursor, self._shape.zone)
            read += batch.read
            self._skipped += batch.skipped
            self._keep_aside(writer, batch.rejected)
            if waiting.add(batch) >= STAGE_ROWS or not self._source.waits:
                self._flush(writer, waiting, more=not self._source.waits and batch.read > 0)
            self._setting.moved(batch.read, reader.pages - pages, "Reading")
            pages = reader.pages
        if last and self._slot is not None:
            self._slot.give_back()
        self._flush(writer, waiting, more=False)
        _log.info("%s on %s read", counted(read, "record"), counted(reader.pages, "page"))
        return read, seen

    def _flush(self, writer: Writer, waiting: Waiting, *, more: bool) -> None:
        """``more``: the next rows come without delay, so that the database may work on these meanwhile."""
        self._keep_aside(writer, writer.stage(*waiting.taken(), more=more))
        failpoints.hit("after-stage")

    def _cursor_after(self, span: Span, seen: str | None, served_at: datetime | None) -> str | None:
        """Never later than the run's start, by either side's clock: what changed while we read is read again.

        A window's is its end, and a young one's what it saw. A full read's cursor is what it saw, be it earlier than the last one: so a
        cursor that went astray is mended.
        """
        reached = span.until if span.closed else seen
        if reached is None or not self._fits(reached, span):
            return self.cursor
        start = self._setting.started_at
        return higher(self.cursor, cap(reached, min(start, served_at or start), self._shape.zone), self._shape.zone)

    def _fits(self, reached: str, span: Span) -> bool:
        """Windows follow from an instant or a date: a cursor of another kind stays aside."""
        windowed = self._incremental is not None and self._incremental.window is not None
        return not windowed or meaning(reached)[0] == meaning(span.since or "")[0]

    def _write_in_turn(self, writer: Writer, span: Span, cursor: str | None, read: int, quarantined: int) -> None:
        """Who meets others at the same rows, so that the database ends one of them, tries again: what is staged stays."""
        begun = time.monotonic()
        while True:
            invalid = self._invalid.copy()
            try:
                self._write(writer, span, cursor, read, quarantined)
                return
            except RetryableError as error:
                if error.reason != "DatabaseBusy" or time.monotonic() - begun > _LONG:
                    raise
                _log.info("the database ended the transaction since others use the same rows (%s): once more", error.message)
            self._invalid = invalid
            self._setting.stop.event.wait(random.uniform(0.01, 0.2))
            self._setting.stop.check()

    def _write(self, writer: Writer, span: Span, cursor: str | None, read: int, quarantined: int) -> None:
        """One transaction. ``quarantined``: records that earlier windows set aside."""
        setting, identity = self._setting, self._setting.plan.identity
        if not self._source.unchanged and (writer.staged or setting.table.owned):
            setting.backup.take()
        with writer.transaction() as connection:
            counts, total = self._applied(writer, connection, span, read, quarantined)
            state = self._source.state if span.last else None
            ledger.save_cursor(connection, identity, cursor, setting.config_hash, self._partition, state=state)
            self._commit(connection, self._done(counts, cursor, span, total, writer.waiting(self._owner)))
            setting.stop.check()
            ledger.check_fence(connection, setting.fence)
            setting.backup.written(counts.changed)
            failpoints.hit("before-commit")
        failpoints.hit("after-commit")
        self.counts, self.cursor = counts, cursor

    def _applied(self, writer: Writer, connection: Connection, span: Span, read: int, quarantined: int) -> tuple[Counts, int]:
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
        total = ledger.commit_rejected(connection, plan.identity, plan.run, full=self._full and span.last, partition=self._partition)
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
        return self._before is None and not (self._setting.plan.files.handed or self._source.known)

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

    def _done(self, counts: Counts, cursor: str | None, span: Span, total: int, waiting: int) -> Done:
        return Done(
            partition=self._partition,
            before=self._before,
            cursor=cursor,
            counts=counts,
            last=span.last,
            unchanged=self._source.unchanged,
            note=self._note,
            complete=self._known or self._source.unchanged,
            full=self._full,
            invalid=self._invalid,
            quarantined_total=total,
            conflicts_total=waiting,
        )

    def _keep_aside(self, writer: Writer, rejected: Collection[Rejected]) -> None:
        if rejected:
            self._invalid.add(rejected)
            ledger.stage_rejected(writer.connection, rejected)
