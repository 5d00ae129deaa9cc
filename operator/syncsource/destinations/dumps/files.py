"""Copies of a table in files of a directory, as it was before a run wrote to it. The files are the list: nothing else knows of them."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType

from sqlalchemy import inspect

from syncsource.destinations.database import Database
from syncsource.destinations.dumps.folder import Folder, Note, fingerprint, plain
from syncsource.destinations.dumps.programs import Programs
from syncsource.destinations.keeping import Backup, Keeping, moment_of, new_id
from syncsource.destinations.quoting import quoted
from syncsource.destinations.restoring import check_alike
from syncsource.destinations.session import nameless
from syncsource.destinations.table import Layout
from syncsource.errors import PermanentError, RetryableError, SyncError
from syncsource.resource.spec import SqlDestination

_STALE = timedelta(days=1)
"""Age at which a table that a backup's rows were brought into belongs to nobody who still works."""


class FileBackups(Keeping):
    """Those in ``directory``. ``within``: where that may be; None: anywhere."""

    def __init__(
        self, database: Database, destination: SqlDestination, identity: str, run: str, directory: Path, within: Path | None
    ) -> None:
        super().__init__(database, destination, identity)
        self._run, self._place = run, f"{database.engine.dialect.name} {database.place}"
        self._folder = Folder(directory, f"{plain(destination.table)}-{self._digest}-", within)
        self._programs = Programs()
        self._dumping = self._session.dialect.dumping(self._session.driver, self._programs)
        self._prefix = f"syncsource_restore_{self._digest}_"
        self._scratch: str | None = None
        self._engine = database.engine

    def check(self) -> None:
        """Whether one could be taken. PermanentError where the directory or a program is wanting, SchemaMismatch where the table is not fit."""
        self._folder.check()
        self._dumping.check()
        layout = self._session.layout(self._destination.schema_, self._destination.table)
        if layout is not None:
            self._check_table(layout)

    def take(self) -> Backup | None:
        """See :meth:`Keeping.take`. It is read back before it counts."""
        layout = self._copied()
        if layout is None:
            return None
        self.check()
        stem = f"{(identifier := new_id())}-{plain(self._run)}"
        with self._folder.new(stem) as partial:
            with self._session.translated():
                self._dumping.dump(layout, partial)
                rows = self._dumping.rows(layout, partial)
            if not rows:
                return None
            size, digest = fingerprint(partial)
            note = Note(
                id=identifier,
                run=self._run,
                database=self._place,
                schema=layout.schema,
                table=layout.name,
                rows=rows,
                columns={column.name: column.type for column in layout.columns},
                file=self._folder.name(stem, self._dumping.ending),
                size=size,
                sha256=digest,
            )
            self._programs.check()
            return Backup(id=identifier, name=str(self._folder.finish(partial, note)))

    def listed(self) -> list[Backup]:
        """See :meth:`Keeping.listed`."""
        return [Backup(id=note.id, name=str(self._folder.path(note))) for note in self._notes()]

    def rows(self, backup: Backup) -> int:
        """See :meth:`Keeping.rows`."""
        return self._noted(backup).rows

    def keep(self, count: int) -> None:
        """See :meth:`Keeping.keep`."""
        self._folder.keep(count)

    def drop(self, backup: Backup) -> None:
        """See :meth:`Keeping.drop`."""
        self._folder.drop(Path(backup.name).name)

    def bring(self, backup: Backup) -> None:
        """Into a table beside the ledger, which goes again with this connection."""
        note, now = self._noted(backup), self._layout()
        check_alike(note.columns, now)
        self._folder.verify(note)
        self._dumping.check()
        self._drop_stale()
        columns = [found for found in now.columns if found.name in note.columns]
        self._scratch = f"{self._prefix}{new_id()}"
        with nameless(f"to create the table {self._scratch!r}"), self._session.transaction(self._session.dialect.begin):
            self._session.create_companion(self._scratch, {}, columns, now, [now.primary])
        lacking = [name for name in note.columns if name not in {found.name for found in columns}]
        with nameless("the rows of the backup"), self._session.translated():
            rows = self._dumping.load(self._folder.path(note), note.table, [found.name for found in columns], lacking, self._scratch)
        if rows != note.rows:
            raise RetryableError(f"the backup {backup.id} has {note.rows:,} rows, of which {rows:,} came back", reason="BackupFailed")

    def cancel(self) -> None:
        """Ends the programs, too."""
        self._programs.cancel()
        super().cancel()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        super().__exit__(kind, error, trace)
        if self._scratch is not None:
            with suppress(SyncError), self._engine.begin() as connection:  # one that is left goes as a stale one
                connection.exec_driver_sql(f"DROP TABLE IF EXISTS {quoted(self._scratch)}")

    def _brought(self) -> Layout:
        assert self._scratch is not None
        layout = self._session.layout(None, self._scratch)
        assert layout is not None
        return layout

    def _check_table(self, layout: Layout) -> None:
        with self._session.translated():
            self._dumping.check_table(layout)

    def _notes(self) -> list[Note]:
        """Those of this kind of database: where the URL names another one now, its rows are written otherwise."""
        return [note for note in self._folder.listed() if note.file.endswith(self._dumping.ending)]

    def _noted(self, backup: Backup) -> Note:
        note = next((note for note in self._notes() if note.id == backup.id), None)
        if note is None:
            raise PermanentError(f"the backup {backup.id} is gone", reason="NotFound")
        return note

    def _drop_stale(self) -> None:
        """Those of processes that were killed."""
        for name in inspect(self._session.connection).get_table_names():
            if name.startswith(self._prefix) and datetime.now(UTC) - moment_of(name.removeprefix(self._prefix)) > _STALE:
                self._session.run(f"DROP TABLE {quoted(name)}")
