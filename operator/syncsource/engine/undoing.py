"""A run taken back, by what it kept of the rows that it wrote: all of it in one transaction, with a run record of its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from syncsource import ledger
from syncsource.destinations import Database, Owner, Undoer, Undone, find_table
from syncsource.engine.destination import opened
from syncsource.engine.fenced import ended, fenced, foreseen
from syncsource.engine.inferring import unread, with_fields
from syncsource.engine.plan import Counts, Outcome, RunPlan
from syncsource.engine.recording import DUPLICATES, RESTORE, UNDO
from syncsource.engine.stopping import Stop
from syncsource.errors import PermanentError
from syncsource.resource.spec import SyncSourceSpec

READS_NOTHING = frozenset((DUPLICATES, RESTORE))
"""Triggers of runs that changed rows without the source: their cursors are no one's."""


class Undoing(msgspec.Struct, frozen=True, kw_only=True):
    """What undoing a run does to rows."""

    run: str
    """The run that is undone."""
    started_at: datetime
    restored: int
    """Rows that the run had changed, and that get their former values."""
    removed: int
    """Rows that the run had inserted."""
    reinserted: int
    """Rows that the run had deleted."""
    left: int
    """Rows that somebody has changed or removed since, or that a later run has: they are left alone."""


def foresee(plan: RunPlan, run: str | None, stop: Stop) -> Undoing:
    """What :func:`undo` would do, found out by doing it in a transaction that is rolled back. ``run``: None for the last that can be undone.

    Raises a SyncError that holds no secret: PermanentError (NotFound, NotUndoable) where there is no such run, or nothing is kept of it.
    """
    with opened(plan) as (spec, database), stop.after(spec.timeout, "nothing was changed"):
        record, kept = _found(database, plan.identity, run)
        with _undoer(plan, spec, database) as undoer:
            return _told(record, foreseen(undoer, stop, lambda: _all(undoer, kept)))


def undo(plan: RunPlan, run: str | None, stop: Stop, *, rewind: bool = False) -> tuple[Outcome, Undoing | None]:
    """Undoes a run; None: the last that can be undone. ``rewind``: the cursors go back, too, so that the next run reads again what this one had read.

    Never raises: what goes wrong is in the outcome, and then nothing has changed.
    """

    def work() -> tuple[Outcome, Undoing]:
        with opened(plan) as (spec, database), stop.after(spec.timeout, "nothing was changed"):
            return _write(plan, spec, database, run, stop, rewind)

    return ended(plan, stop, work)


def listed(plan: RunPlan) -> list[ledger.Undoable]:
    """The runs of which it is kept what they did, newest first. Raises as :func:`foresee`."""
    with opened(plan) as (_, database):
        return ledger.undoable_runs(database.engine, plan.identity)


def prune(plan: RunPlan, spec: SyncSourceSpec, database: Database) -> None:
    """Deletes what need not be kept any longer, a run's transaction at a time. Raises a SyncError."""
    most = spec.safety.undo.max_rows if spec.safety.undo else None
    gone = ledger.no_longer_kept(database.engine, plan.identity, most)
    if not gone:
        return
    with Undoer(database) as undoer:
        for images in gone:
            with undoer.transaction() as connection:
                undoer.forget(images)
                ledger.forget_images(connection, [images.batch])


def _found(database: Database, identity: str, run: str | None) -> tuple[ledger.RunRecord, Sequence[ledger.KeptImages]]:
    """The run, and what was kept of it."""
    record = ledger.undoable(database.engine, identity, run)
    if record is None:
        told = f"no run of this SyncSource has an id that begins with {run!r}" if run else "of no run it is kept what it did to rows"
        raise PermanentError(f"{told}: `syncsource undo --list` shows those that can be undone", reason="NotFound")
    kept = ledger.images_of(database.engine, identity, record.run)
    if not kept:
        why = "it changed nothing, its time is over, or spec.safety.undo was absent"
        raise PermanentError(f"nothing is kept of what run {record.run} did to rows: {why}", reason="NotUndoable")
    return record, kept


def _undoer(plan: RunPlan, spec: SyncSourceSpec, database: Database) -> Undoer:
    """One that knows the bases, where rows are merged."""
    if spec.write.on_existing != "Merge":
        return Undoer(database)
    spec = with_fields(spec, plan.identity, database, unread)
    table = find_table(database, spec.destination.sql, spec.fields, spec.keys, spec.write)
    return Undoer(database, table, Owner(plan.identity, "", complete=False).source)


def _all(undoer: Undoer, kept: Sequence[ledger.KeptImages]) -> Undone:
    done = Undone()
    for images in kept:
        done = done.plus(undoer.undo(images))
    return done


def _write(plan: RunPlan, spec: SyncSourceSpec, database: Database, run: str | None, stop: Stop, rewind: bool) -> tuple[Outcome, Undoing]:
    """The images are looked for under the fence, which waits for a partition that is about to commit."""
    record, _ = _found(database, plan.identity, run)
    if rewind and record.trigger in READS_NOTHING:
        raise PermanentError(f"run {record.run} read nothing: undo it without setting cursors back", reason="NotUndoable")
    found = Undone()

    def work(connection: Connection) -> Outcome:
        nonlocal found
        _, kept = _found(database, plan.identity, record.run)
        found = _all(undoer, kept)
        for images in kept:
            ledger.undone(connection, images.batch, plan.run)
        if rewind:
            ledger.rewind(connection, plan.identity, record)
        return _outcome(plan, record, found, rewind)

    with _undoer(plan, spec, database) as undoer:
        outcome = fenced(plan, database, undoer, stop, UNDO, work)
    return outcome, _told(record, found)


def _outcome(plan: RunPlan, record: ledger.RunRecord, done: Undone, rewind: bool) -> Outcome:
    counts = Counts(inserted=done.reinserted, updated=done.restored, deleted=done.removed)
    parts = [
        (done.restored, "restored"),
        (done.removed, "removed"),
        (done.reinserted, "inserted again"),
        (done.left, "changed since and left"),
    ]
    told = ", ".join(f"{count:,} {word}" for count, word in parts if count) or "nothing was left to undo"
    again = "; the cursor went back" if rewind else ""
    return Outcome(run=plan.run, result="Succeeded", counts=counts, message=f"run {record.run} undone: {told}{again}")


def _told(record: ledger.RunRecord, done: Undone) -> Undoing:
    return Undoing(
        run=record.run,
        started_at=record.started_at,
        restored=done.restored,
        removed=done.removed,
        reinserted=done.reinserted,
        left=done.left,
    )
