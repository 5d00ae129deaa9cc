"""Writes one run's rows: staged while they are read, applied in one transaction that the caller shares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, tzinfo
from types import TracebackType
from typing import Literal, Self

from sqlalchemy import Connection

from syncsource.destinations.applying import Applied, Applying, Refused
from syncsource.destinations.database import Database
from syncsource.destinations.duplicates import drop_older
from syncsource.destinations.foreseeing import OLDER, Foreseen, compared, refused, staged_rows
from syncsource.destinations.session import Session, nameless
from syncsource.destinations.staging import Staging, gather_statistics
from syncsource.destinations.statements import Statements
from syncsource.destinations.table import Table
from syncsource.records.batch import Rejected
from syncsource.records.rows import Row


class Writer:
    """One connection, for one run. Leave it by ``with`` or :meth:`close`: what was not committed is gone.

    ``zone``: of instants among the cursors that name none. ``newer``: a column; rows in which it is higher than what was staged stay, and count
    as unchanged. Every method raises the errors that open_database lists, and
    AbortedError (Cancelled) once :meth:`cancel` was called.
    """

    def __init__(
        self,
        database: Database,
        table: Table,
        on_existing: Literal["Update", "Skip"] = "Update",
        *,
        zone: tzinfo = UTC,
        newer: str | None = None,
    ) -> None:
        self._session = Session(database)
        self._table, self._update, self._zone, self._newer = table, on_existing == "Update", zone, newer
        self._staging = Staging(self._session, table)
        self._skipped = 0
        self._begun = False

    @property
    def connection(self) -> Connection:
        """The writer's connection, in autocommit outside of :meth:`transaction`: temporary tables on it live as long as the writer."""
        self._staging.settle()
        return self._session.connection

    def stage(self, rows: Sequence[Row], cursors: Sequence[str | None] | None = None, *, more: bool = False) -> list[Rejected]:
        """Takes rows to the staging table; returns those that their columns can't hold exactly. Locks nothing.

        ``more``: another call follows soon. The database may still be at work on these rows then, and what it refuses of them is returned by a
        later call; the last one is without.
        ``cursors``: one for each row; of rows with one key the highest is the newest. Given from the first call on, or never.
        """
        return self._staging.add(rows, cursors, more=more)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """The transaction that writes: committed at the end of the block, gone if it raises. Only after the last :meth:`stage`."""
        with nameless("the run's rows"):
            self._settle()
            with self._session.transaction(self._session.dialect.begin):
                self._begun = True
                try:
                    yield self._session.connection
                finally:
                    self._begun = False

    def apply(self) -> Applied:
        """Compares what was staged with the table and writes what differs, all at once. Inside :meth:`transaction`, once."""
        if not self._begun:
            raise RuntimeError("apply() is for the inside of transaction()")
        if not self._staging.count:
            return Applied()
        for statement in self._session.dialect.guards(self._table):
            self._session.run(statement)
        applying = Applying(self._session, self._table, update=self._update, newer=self._newer)
        waiting = self._staging.count - self._skipped
        applying.run(waiting)
        same = waiting - applying.inserted - applying.updated - applying.refused
        return Applied(
            inserted=applying.inserted,
            updated=applying.updated,
            unchanged=same if self._update else 0,
            skipped=self._skipped if self._update else self._skipped + same,
            rejected=Refused(self._session, self._table, applying.refused),
        )

    def foresee(self, rows: Sequence[Row], cursors: Sequence[str | None] | None = None) -> list[Foreseen]:
        """What :meth:`stage` and :meth:`apply` would do to each row; only what a constraint would refuse is not foreseen. Writes nothing.
        Once, and alone."""
        rejected = iter(self._staging.add(rows, cursors))
        if not self._staging.count:
            return [refused(one) for one in rejected]
        statements = Statements(self._session.dialect, self._table)
        staged = staged_rows(self._session, statements)
        self._settle()
        gather_statistics(self._session, self._table, self._staging.count)
        found = compared(self._session, statements, update=self._update)
        return [found.get(seq, OLDER) if seq in staged else refused(next(rejected)) for seq in range(len(rows))]

    def cancel(self) -> None:
        """Stops what the writer is doing, from any thread; it and all that follows raise AbortedError (Cancelled)."""
        self._session.cancel()

    def close(self) -> None:
        """Closes the connection; what is temporary or not committed goes with it."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _settle(self) -> None:
        """What needs no lock on the table comes before the transaction."""
        if not self._staging.settle():
            raise RuntimeError("stage(more=True) must be followed by stage() without, which tells of the rows refused")
        if self._staging.count and not self._staging.distinct:
            statements = Statements(self._session.dialect, self._table)
            with self._session.transaction("BEGIN"):
                self._skipped += drop_older(self._session, statements, cursors=self._staging.has_cursors, zone=self._zone)
