"""Writes one run's rows: staged while they are read, applied in one transaction that the caller shares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, tzinfo
from types import TracebackType
from typing import Self

from sqlalchemy import Connection

from syncsource.destinations.absent import Owner
from syncsource.destinations.applied import Applied, Guard, Refused
from syncsource.destinations.applying import Applying
from syncsource.destinations.bases import waiting
from syncsource.destinations.database import Database
from syncsource.destinations.duplicates import drop_older
from syncsource.destinations.foreseeing import OLDER, Foreseen, compared, refused, staged_rows
from syncsource.destinations.matching import Matching
from syncsource.destinations.merging import Merge
from syncsource.destinations.policy import UPSERT, Policy
from syncsource.destinations.session import Session, nameless
from syncsource.destinations.staging import Staging, gather_statistics
from syncsource.destinations.statements import Statements
from syncsource.destinations.table import Table
from syncsource.destinations.verifying import Compared
from syncsource.destinations.verifying import compared as compared_with
from syncsource.records.batch import Rejected
from syncsource.records.rows import Row


class Writer:
    """One connection, for one run. Leave it by ``with`` or :meth:`close`: what was not committed is gone.

    ``zone``: of instants among the cursors that name none. Every method raises the errors that open_database lists, and AbortedError (Cancelled)
    once :meth:`cancel` was called.
    """

    def __init__(
        self,
        database: Database,
        table: Table,
        policy: Policy = UPSERT,
        *,
        zone: tzinfo = UTC,
    ) -> None:
        self._session = Session(database)
        self._table, self._policy, self._zone = table, policy, zone
        self._staging = Staging(self._session, table)
        self._matching = Matching(self._session, table, Statements(self._session.dialect, table, policy)) if table.candidates else None
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

    @property
    def staged(self) -> int:
        """Rows that are staged, one for each key. Complete once :meth:`transaction` has begun."""
        return self._staging.count - self._skipped

    def apply(self, guard: Guard = lambda changes, rows: None, owner: Owner | None = None) -> Applied:
        """Compares what was staged with the table and writes what differs, all at once. Inside :meth:`transaction`, once.

        ``owner``: whose rows these are, where the table is to lose those that their source has no more, or where they are merged.
        """
        if not self._begun:
            raise RuntimeError("apply() is for the inside of transaction()")
        if not (self._staging.count or self._table.owned):
            return Applied()
        for statement in self._session.dialect.guards(self._table):
            self._session.run(statement)
        applying = Applying(self._session, self._table, self._policy, guard, owner, self._matching)
        applying.run(self.staged)
        same = self.staged - applying.inserted - applying.updated - applying.refused - applying.skipped
        skipped = self._skipped + applying.skipped
        return Applied(
            inserted=applying.inserted,
            updated=applying.updated,
            unchanged=same if self._policy.update else 0,
            skipped=skipped if self._policy.update else skipped + same,
            rejected=Refused(self._session, self._table, applying.refused),
            conflicts=applying.merging.filed if applying.merging else 0,
            deleted=applying.absent.done if applying.absent else 0,
            held=applying.absent.held if applying.absent else "",
            taken=applying.taken(),
            unfound=applying.unfound,
        )

    def sweep(self, guard: Guard, owner: Owner) -> Applied:
        """Deletes or marks the rows that none of the partitions had, each of which was read completely. Inside :meth:`transaction`, in place of
        :meth:`apply`, with nothing staged."""
        for statement in self._session.dialect.guards(self._table):
            self._session.run(statement)
        return Applying(self._session, self._table, self._policy, guard, owner).sweep()

    def waiting(self, owner: Owner) -> int:
        """Conflicts that wait for people now. Not between the calls of :meth:`stage`."""
        return waiting(self._session, self._table, owner.source)

    def foresee(self, rows: Sequence[Row], cursors: Sequence[str | None] | None = None, owner: Owner | None = None) -> list[Foreseen]:
        """What :meth:`stage` and :meth:`apply` would do to each row; only what a constraint would refuse is not foreseen. Writes nothing.
        Once, and alone."""
        rejected = iter(self._staging.add(rows, cursors))
        if not self._staging.count:
            return [refused(one) for one in rejected]
        dialect, policy = self._session.dialect, self._policy
        merge = Merge(dialect, self._table, owner.source, policy.merge) if owner is not None and policy.merge is not None else None
        statements = Statements(dialect, self._table, policy, merge=merge)
        staged = staged_rows(self._session, statements)
        self._settle()
        self._look()
        gather_statistics(self._session, self._table, self._staging.count)
        found = compared(self._session, statements)
        return [found.get(seq, OLDER) if seq in staged else refused(next(rejected)) for seq in range(len(rows))]

    def compare(self, examples: int) -> tuple[Compared, int]:
        """How the table compares with what was staged, and how many staged rows were older ones of a key. Writes nothing. Once, and alone."""
        self._staging.create()
        self._settle()
        unfound = self._look()
        gather_statistics(self._session, self._table, self._staging.count, sought=True)
        statements = Statements(self._session.dialect, self._table)
        return compared_with(self._session, self._table, statements, examples, unfound), self._skipped

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

    def _look(self) -> int:
        """Finds the rows of the records by several keys, and changes nothing; returns how many records find none of their own."""
        if self._matching is None:
            return 0
        self._matching.borrow()
        return self._matching.refused + self._matching.find()

    def _settle(self) -> None:
        """What needs no lock on the table comes before the transaction."""
        if self._table.owned is not None:
            self._staging.create()
        if not self._staging.settle():
            raise RuntimeError("stage(more=True) must be followed by stage() without, which tells of the rows refused")
        if self._matching is not None and self._staging.count:
            with self._session.transaction("BEGIN"):
                self._skipped += self._matching.settle(self._staging.count, cursors=self._staging.has_cursors, zone=self._zone)
        elif self._staging.count and not self._staging.distinct:
            statements = Statements(self._session.dialect, self._table)
            with self._session.transaction("BEGIN"):
                self._skipped += drop_older(self._session, statements, cursors=self._staging.has_cursors, zone=self._zone)
