"""The steps of one run, in their order."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing, nullcontext
from datetime import UTC, datetime

from sqlalchemy import Connection

from syncsource import ledger
from syncsource.destinations import Database
from syncsource.engine.backups import RunBackup
from syncsource.engine.confighash import config_hash
from syncsource.engine.destination import has_rows, opened_table
from syncsource.engine.partition import PartitionRun
from syncsource.engine.partitioned import Partitioned
from syncsource.engine.parts import Done, Kept, Setting, counted
from syncsource.engine.plan import Outcome, Progress, RunPlan
from syncsource.engine.progress import Meter
from syncsource.engine.stopping import Stop
from syncsource.resource.safety import BATCH_ROWS
from syncsource.resource.spec import SyncSourceSpec
from syncsource.sources.base import Source


class Run:
    """One run on one database. Where it fails, :attr:`kept` tells what it had committed."""

    def __init__(
        self,
        plan: RunPlan,
        spec: SyncSourceSpec,
        database: Database,
        opened: Callable[[], Source],
        stop: Stop,
        progress: Callable[[Progress], None],
    ) -> None:
        self._plan, self._spec, self._database, self._opened = plan, spec, database, opened
        self._stop, self._meter = stop, Meter(progress)
        self._started_at = datetime.now(UTC)
        self._backup = RunBackup(plan, spec, database, stop)
        self._work: Whole | Partitioned | None = None

    def write(self, fence: ledger.Fence) -> Outcome:
        """Everything between the fence and the run's end in the ledger. Raises a SyncError; what was not committed is gone then."""
        setting = self._setting(fence)
        if self._spec.partitions is None:
            self._work = Whole(setting, self._opened)
        else:
            self._work = Partitioned(setting, self._spec.partitions, self._opened, self._meter)
        try:
            return self._work.run()
        finally:
            self._backup.end()

    @property
    def kept(self) -> Kept:
        """What was committed so far."""
        return self._work.kept if self._work is not None else Kept()

    def _setting(self, fence: ledger.Fence) -> Setting:
        spec, database = self._spec, self._database
        table = opened_table(spec, self._plan.identity, database)
        queues = spec.partitions is not None and (table.alone or database.engine.dialect.name == "sqlite")
        rows = (spec.safety.batch_rows or BATCH_ROWS) if spec.safety.transaction == "Batch" else None
        return Setting(
            plan=self._plan,
            spec=spec,
            config_hash=config_hash(spec),
            database=database,
            table=table,
            fence=fence,
            stop=self._stop,
            backup=self._backup,
            started_at=self._started_at,
            batch_rows=rows,
            fresh=rows is not None and not has_rows(database, table),
            moved=self._meter.moved,
            turn=threading.Lock() if queues else nullcontext(),
        )


class Whole:
    """A source without partitions. Its last commit ends the run."""

    def __init__(self, setting: Setting, opened: Callable[[], Source]) -> None:
        self._setting, self._source = setting, opened()
        self._part = PartitionRun(setting, self._source, "", self._commit)
        self._outcome = Outcome(run=setting.plan.run, result="Running")

    def run(self) -> Outcome:
        """See :meth:`Run.write`."""
        with closing(self._source):
            self._part.run()
        return self._outcome

    @property
    def kept(self) -> Kept:
        """See :attr:`Run.kept`."""
        part = self._part
        done = counted(part.windows, "window") if self._setting.batch_rows is None else counted(part.batches, "batch", "batches")
        told = f"{done} before it committed" if part.batches else ""
        return Kept(counts=part.counts, cursor=part.cursor, document_reads=self._source.billed, told=told)

    def _commit(self, connection: Connection, done: Done) -> None:
        plan = self._setting.plan
        if not done.last:
            ledger.save_partition(
                connection, plan.run, "", result="Running", counts=done.counts, cursor_before=done.before, cursor_after=done.cursor
            )
            return
        self._outcome = self._succeeded(done)
        ledger.finish_run(
            connection,
            plan.run,
            result="Succeeded",
            counts=done.counts,
            reason=self._outcome.reason,
            message=self._outcome.message,
            cursor_before=done.before,
            cursor_after=done.cursor,
            document_reads=self._source.billed,
        )

    def _succeeded(self, done: Done) -> Outcome:
        return Outcome(
            run=self._setting.plan.run,
            result="Succeeded",
            reason="RecordsQuarantined" if done.counts.quarantined else "",
            message=done.message,
            counts=done.counts,
            full=done.full,
            cursor=done.cursor,
            quarantined_total=done.quarantined_total,
            conflicts_total=done.conflicts_total,
            document_reads=self._source.billed,
        )
