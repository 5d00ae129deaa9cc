"""A run partition by partition: each commits and fails on its own, and the run's end tells of all."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from sqlalchemy import Connection

from syncsource import ledger
from syncsource.destinations import Owner, Policy, Writer
from syncsource.engine.conflicts import waiting
from syncsource.engine.connecting import threads
from syncsource.engine.destination import keep_images
from syncsource.engine.ending import failed_partly, first_failures, known, summary, together
from syncsource.engine.guards import Invalid, Limits
from syncsource.engine.parallel import NotBegun, Slot, Starts, side_by_side
from syncsource.engine.partition import PartitionRun
from syncsource.engine.partitions import partition_values
from syncsource.engine.parts import Done, Kept, Setting, told_of_held
from syncsource.engine.plan import Counts, Next, Outcome, PartitionOutcome, Partitions
from syncsource.engine.progress import Meter
from syncsource.engine.redacting import redact
from syncsource.errors import AbortedError, GuardError, SyncError
from syncsource.records.cursors import lowest
from syncsource.resource import partitions as declared
from syncsource.sources.base import Source

_log = logging.getLogger(__name__)


class Partitioned:
    """Ends the run in the ledger, be it Failed, unless it raises: then the run as a whole was stopped."""

    def __init__(self, setting: Setting, spec: declared.Partitions, opened: Callable[[], Source], meter: Meter) -> None:
        self._setting, self._spec, self._opened, self._meter = setting, spec, opened, meter
        self._values: list[str] = []
        self._ended: dict[str, PartitionOutcome] = {}
        self._errors: list[SyncError] = []
        self._sources: list[Source] = []
        """Those that are open."""
        self._billed = 0
        """By those that are closed."""
        self._done: dict[str, Done] = {}
        """The last transaction of each partition."""
        self._lock = threading.Lock()
        self._swept, self._note = Counts(), ""
        """What :meth:`_sweep` did, and what there is to be told of it."""

    def run(self) -> Outcome:
        """See :meth:`syncsource.engine.run.Run.write`."""
        setting, spec = self._setting, self._spec
        self._values = partition_values(spec, setting.database)
        ledger.expect_partitions(setting.database.engine, setting.plan.run, len(self._values))
        self._meter.expect(len(self._values))
        starts = Starts(self._values, spec.parallelism, spec.delay, setting.stop)
        most = min(threads(setting.spec), setting.plan.lanes or len(self._values))
        side_by_side(min(most, len(self._values)), partial(self._work, starts), setting.stop)
        setting.stop.check()
        self._sweep()
        outcome = self._outcome()
        self._end(outcome)
        return outcome

    @property
    def kept(self) -> Kept:
        """See :attr:`syncsource.engine.run.Run.kept`."""
        with self._lock:
            ended = [self._ended[value] for value in self._values if value in self._ended]
        counts, partitions = together([one.counts for one in ended]), self._partitions(ended)
        return Kept(
            counts=counts,
            partitions=partitions,
            by_partition=ended,
            cursor=lowest([one.cursor for one in ended]),
            document_reads=self._billed + sum(source.billed for source in self._sources),
            told=f"committed before: {summary(partitions, counts)}" if ended else "",
        )

    def _work(self, starts: Starts) -> None:
        """One thread: it opens a source of its own, and another after a failure."""
        source: Source | None = None
        try:
            while (slot := starts.next()) is not None:
                try:
                    source = source or self._open()
                    if not self._one(source, slot, starts):
                        self._close(source)
                        source = None
                finally:
                    slot.give_back()
        finally:
            if source is not None:
                self._close(source)

    def _open(self) -> Source:
        source = self._opened()
        self._sources.append(source)
        return source

    def _close(self, source: Source) -> None:
        """A run of thousands of partitions that all fail opens as many: none is kept."""
        source.close()
        with self._lock:
            self._sources.remove(source)
            self._billed += source.billed

    def _one(self, source: Source, slot: Slot, starts: Starts) -> bool:
        """Whether the source can be used again."""
        value = slot.value
        part = PartitionRun(self._setting, source, value, self._save, slot)
        try:
            part.run()
        except NotBegun:
            return True
        except Exception as error:
            ours = known(error)
            if isinstance(ours, AbortedError) or self._setting.stop.event.is_set():
                raise
            if not self._committed(value):
                self._fail(value, part, ours)
                if self._spec.on_failure == "Stop":
                    starts.halt()
            return False
        self._succeed(value)
        return True

    def _save(self, connection: Connection, done: Done) -> None:
        self._done[done.partition] = done
        ledger.save_partition(
            connection,
            self._setting.plan.run,
            done.partition,
            result="Succeeded" if done.last else "Running",
            counts=done.counts,
            message=done.message,
            cursor_before=done.before,
            cursor_after=done.cursor,
        )

    def _committed(self, value: str) -> bool:
        """A connection that breaks during COMMIT leaves open what became of it: the ledger knows."""
        setting, record = self._setting, None
        with suppress(SyncError):
            record = ledger.partition_record(setting.database.engine, setting.plan.run, value)
        if record is None or record.result != "Succeeded":
            return False
        self._succeed(value)
        return True

    def _succeed(self, value: str) -> None:
        done = self._done[value]
        told = PartitionOutcome(partition=value, result="Succeeded", message=done.message, counts=done.counts, cursor=done.cursor)
        with self._lock:
            self._ended[value] = told
        self._meter.ended(succeeded=True)

    def _fail(self, value: str, part: PartitionRun, error: SyncError) -> None:
        setting = self._setting
        message = redact(error.message, setting.plan.secrets)
        _log.warning("partition %s failed: %s: %s", value, error.reason, message)
        with suppress(SyncError):
            ledger.fail_partition(setting.database.engine, setting.fence, value, reason=error.reason, message=message, counts=part.counts)
        told = PartitionOutcome(
            partition=value, result="Failed", reason=error.reason, message=message, counts=part.counts, cursor=part.cursor
        )
        error.__traceback__ = error.__cause__ = error.__context__ = None  # whose frames hold the partition's pages
        with self._lock:
            self._ended[value] = told
            self._errors.append(error)
        self._meter.ended(succeeded=False)

    def _sweep(self) -> None:
        """What no partition had is gone from the source: known once all of them were read completely."""
        setting = self._setting
        known_all = len(self._done) == len(self._values) and all(done.complete for done in self._done.values())
        if setting.table.owned is None or self._errors or not known_all:
            return
        plan, owner = setting.plan, Owner(setting.plan.identity, "", complete=True)
        setting.backup.take()
        try:
            with (
                Writer(setting.database, setting.table, Policy.of(setting.spec.write)) as writer,
                setting.stop.calling(writer.cancel),
                writer.transaction() as connection,
            ):
                applied = writer.sweep(Limits(setting.spec).check_changes, owner)
                keep_images(connection, plan, setting.spec, "", applied.taken)
                setting.stop.check()
                ledger.check_fence(connection, setting.fence)
                setting.backup.written(applied.deleted)
        except GuardError as error:
            self._errors.append(error)
            self._note = error.message
            return
        self._swept, self._note = Counts(deleted=applied.deleted), told_of_held(applied.held)

    def _outcome(self) -> Outcome:
        kept = self.kept
        assert kept.partitions is not None
        counts = kept.counts.plus(self._swept)
        message, following, reason, after = summary(kept.partitions, counts), Next.NOTHING, "", None
        if self._errors:
            following, reason, after = failed_partly(self._errors, len(self._values))
            reason = reason if kept.partitions.failed else self._errors[0].reason
            message = f"{message}: {first_failures(kept.by_partition)}"
        elif kept.counts.quarantined:
            reason, message = "RecordsQuarantined", f"{message}; quarantined: {self._invalid_summary()}"
        message = message.removesuffix(": ") + (f"; {self._note}" if self._note else "")
        return Outcome(
            run=self._setting.plan.run,
            result="Failed" if self._errors else "Succeeded",
            next=following,
            reason=reason,
            message=message,
            retry_after=after,
            counts=counts,
            full=bool(self._done) and not self._errors and all(done.full for done in self._done.values()),
            cursor=kept.cursor,
            quarantined_total=sum(ledger.quarantine_counts(self._setting.database.engine, self._setting.plan.identity).values()),
            conflicts_total=waiting(self._setting.plan, self._setting.spec, self._setting.database),
            document_reads=kept.document_reads,
            partitions=kept.partitions,
            by_partition=kept.by_partition,
        )

    def _end(self, outcome: Outcome) -> None:
        befores = [done.before for done in self._done.values() if done.before is not None]
        entered = ledger.end_run(
            self._setting.database.engine,
            self._setting.fence,
            result=outcome.result,
            reason=outcome.reason,
            message=redact(outcome.message, self._setting.plan.secrets),
            counts=outcome.counts,
            document_reads=outcome.document_reads,
            partitions=outcome.partitions,
            cursor_before=None if outcome.full else lowest(befores),
            cursor_after=outcome.cursor,
        )
        if not entered:
            raise AbortedError("another run of this SyncSource took over; what partitions had committed stays", reason="Fenced")

    def _partitions(self, ended: Sequence[PartitionOutcome]) -> Partitions:
        succeeded = sum(one.result == "Succeeded" for one in ended)
        return Partitions(total=len(self._values), succeeded=succeeded, failed=len(ended) - succeeded)

    def _invalid_summary(self) -> str:
        tally = Invalid(self._setting.spec.validation)
        for done in self._done.values():
            tally.merge(done.invalid)
        return tally.summary()
