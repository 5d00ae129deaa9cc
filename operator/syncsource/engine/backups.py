"""``spec.safety.backup``: a copy of the table before a run writes to it, and the table as it was again."""

from __future__ import annotations

import logging
import threading
from datetime import datetime
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from syncsource.destinations import Backup, Backups, Database, FileBackups, Keeping, Restored, found_backup
from syncsource.engine.destination import keep_images, opened
from syncsource.engine.fenced import ended, fenced, foreseen
from syncsource.engine.plan import Counts, Outcome, RunPlan
from syncsource.engine.recording import RESTORE
from syncsource.engine.redacting import redact
from syncsource.engine.stopping import Stop
from syncsource.errors import PermanentError, StalledError, SyncError
from syncsource.resource.spec import SyncSourceSpec
from syncsource.sources.files import Files

_LEFT = "nothing was changed"
_log = logging.getLogger(__name__)


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A backup that can be restored."""

    id: str
    made_at: datetime
    rows: int
    place: str
    """The copy's own name: of a table, or the path of a file."""


class Restoring(msgspec.Struct, frozen=True, kw_only=True):
    """What restoring a backup does to rows."""

    backup: str
    made_at: datetime
    restored: int
    """Rows that were changed since, and that are set back."""
    removed: int
    """Rows that were added since."""
    reinserted: int
    """Rows that are gone since."""


class RunBackup:
    """A run's: one copy, made before its first transaction that has rows to write, and dropped again where the run changed none."""

    def __init__(self, plan: RunPlan, spec: SyncSourceSpec, database: Database, stop: Stop) -> None:
        self._plan, self._spec, self._database, self._stop = plan, spec, database, stop
        self._turn = threading.Lock()
        self._tried = self._changed = False
        self._made: Backup | None = None

    def take(self) -> None:
        """Before a transaction; of several partitions the first one's call makes it, and the others wait until it is there."""
        with self._turn:
            if self._spec.safety.backup is None or self._tried:
                return
            with self._opened() as backups, self._stop.calling(backups.cancel):
                self._made = backups.take()
            self._tried = True

    def written(self, changed: int) -> None:
        """Before a transaction that changed so many rows is committed: whether it was is not always known."""
        self._changed = self._changed or changed > 0

    def end(self) -> None:
        """At the run's end, however it ended. What can't be dropped has no part in that."""
        if self._made is None or self._spec.safety.backup is None:
            return
        try:
            with self._opened() as backups:
                if not self._changed:
                    backups.drop(self._made)
                backups.keep(self._spec.safety.backup.keep)
        except SyncError as error:
            _log.warning(
                "backups that need not be kept could not be dropped: %s: %s", error.reason, redact(error.message, self._plan.secrets)
            )

    def _opened(self) -> Keeping:
        return keeping(self._plan, self._spec, self._database)


def keeping(plan: RunPlan, spec: SyncSourceSpec, database: Database) -> Keeping:
    """The copies where the spec wants them: in files, or in tables, also those of a spec that wants none any more."""
    backup, sql = spec.safety.backup, spec.destination.sql
    if backup is None or backup.directory is None:
        return Backups(database, sql, plan.identity)
    return FileBackups(database, sql, plan.identity, plan.run, Path(backup.directory), _within(plan.files))


def check(plan: RunPlan, spec: SyncSourceSpec, database: Database) -> str:
    """Tells where a run could put files; empty where it makes none. Raises what a run would."""
    with keeping(plan, spec, database) as backups:
        if not isinstance(backups, FileBackups):
            return ""
        backups.check()
    return f"files go to {spec.safety.backup.directory}" if spec.safety.backup else ""


def _within(files: Files) -> Path | None:
    if files.anywhere:
        return None
    if files.backups is None:
        raise StalledError(
            "spec.safety.backup.directory: this operator may write no files; start it with --backups FOLDER, or use mode Table",
            reason="DirectoryRefused",
        )
    return Path(files.backups)


def listed(plan: RunPlan) -> list[Kept]:
    """Newest first. Raises a SyncError that holds no secret."""
    with opened(plan) as (spec, database), keeping(plan, spec, database) as backups:
        return [Kept(id=one.id, made_at=one.made_at, rows=backups.rows(one), place=one.name) for one in backups.listed()]


def foresee(plan: RunPlan, backup: str | None, stop: Stop) -> Restoring:
    """What :func:`restore` would do, found out by doing it in a transaction that is rolled back. ``backup``: None for the newest.

    Raises a SyncError that holds no secret: PermanentError (NotFound) where there is no such backup.
    """
    with (
        opened(plan) as (spec, database),
        stop.after(spec.timeout, _LEFT),
        keeping(plan, spec, database) as backups,
    ):
        chosen = _brought(backups, backup, stop)
        return _told(chosen, foreseen(backups, stop, backups.restore))


def restore(plan: RunPlan, backup: str | None, stop: Stop) -> tuple[Outcome, Restoring | None]:
    """Makes the table's rows those of a backup; None: of the newest. Never raises: what goes wrong is in the outcome, and then nothing has changed."""

    def work() -> tuple[Outcome, Restoring]:
        with (
            opened(plan) as (spec, database),
            stop.after(spec.timeout, _LEFT),
            keeping(plan, spec, database) as backups,
        ):
            chosen, done = _brought(backups, backup, stop), list[Restored]()

            def write(connection: Connection) -> Outcome:
                done.append(backups.restore())
                keep_images(connection, plan, spec, "", done[0].taken)
                return _outcome(plan, _told(chosen, done[0]))

            if spec.safety.undo is not None:
                backups.keep_images()
            outcome = fenced(plan, database, backups, stop, RESTORE, write)
            return outcome, _told(chosen, done[0])

    return ended(plan, stop, work)


def _brought(backups: Keeping, identifier: str | None, stop: Stop) -> Backup:
    chosen = _chosen(backups, identifier)
    with stop.calling(backups.cancel):
        backups.bring(chosen)
    return chosen


def _chosen(backups: Keeping, identifier: str | None) -> Backup:
    chosen = found_backup(backups.listed(), identifier)
    if chosen is None:
        told = f"no backup has an id that begins with {identifier!r}, or more than one" if identifier else "there is no backup"
        raise PermanentError(f"{told}: `syncsource restore --list` shows those that there are", reason="NotFound")
    return chosen


def _told(backup: Backup, done: Restored) -> Restoring:
    return Restoring(backup=backup.id, made_at=backup.made_at, restored=done.restored, removed=done.removed, reinserted=done.reinserted)


def _outcome(plan: RunPlan, done: Restoring) -> Outcome:
    parts = [(done.restored, "set back"), (done.removed, "removed"), (done.reinserted, "inserted again")]
    told = ", ".join(f"{count:,} {word}" for count, word in parts if count) or "the table was as it is there"
    counts = Counts(inserted=done.reinserted, updated=done.restored, deleted=done.removed)
    return Outcome(run=plan.run, result="Succeeded", counts=counts, message=f"backup {done.backup} restored: {told}")
