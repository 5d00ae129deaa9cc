"""Batches on their way to the staging table: each value made what its column takes, bad rows set aside with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any

from syncsource.destinations.duplicates import Rising
from syncsource.destinations.encoding import Fault, encoded
from syncsource.destinations.loading import Loading, Piece, Refused
from syncsource.destinations.matching.batch import digests_table
from syncsource.destinations.quoting import WORTH_STATISTICS
from syncsource.destinations.session import Session, nameless
from syncsource.destinations.statements import Statements
from syncsource.destinations.table import Table
from syncsource.destinations.values import row_json
from syncsource.records.batch import Rejected
from syncsource.records.columns import chosen
from syncsource.records.rows import Row, Rows

_PIECE = 5000
"""Rows handed over at once at most."""


class Staging:
    """The staging table of one run. Rows are numbered in the order of reading."""

    def __init__(self, session: Session, table: Table) -> None:
        self._session, self._table = session, table
        self._statements = Statements(session.dialect, table)
        self._loading = Loading(session, table)
        self._keys = Rising(table)
        self._refused: list[Refused] = []
        self.has_cursors = False
        self.count = 0
        """Rows staged."""
        self._next = 0
        self._created = False

    @property
    def distinct(self) -> bool:
        """Whether each row's key is known to be another than those before."""
        return self._keys.rising

    def add(self, rows: Sequence[Row], cursors: Sequence[str | None] | None, *, more: bool = False) -> list[Rejected]:
        """Stages rows, all or those that their columns take; returns the others, and with ``more`` perhaps only by a later call."""
        if rows:
            self.create(cursors=cursors is not None)
        for start in range(0, len(rows), _PIECE):
            part = slice(start, start + _PIECE)
            self._add(rows[part] if len(rows) > _PIECE else rows, cursors[part] if cursors is not None else None)
        if not more:
            self.settle()
        refused, self._refused = sorted(self._refused, key=itemgetter(0)), []
        types = [column.field_type for column in self._table.columns]
        return [
            Rejected(row_json(self._table.names, types, row), fault.reason, fault.message, fault.field, as_row=True)
            for _, row, fault in refused
        ]

    def settle(self) -> bool:
        """Waits until all rows are there. False: some are not, and the next :meth:`add` says which."""
        self._refuse(self._loading.settle(self._names))
        return not self._refused

    def create(self, *, cursors: bool = False) -> None:
        """Makes the tables, unless they are there. Nothing else may be under way."""
        if self._created:
            return
        with nameless("the staging table"), self._session.transaction("BEGIN"):  # one commit for all of them
            digests = [digests_table(self._table, self._statements)] if self._table.candidates else []
            for statement in (*self._session.dialect.stage_ddl(self._table, cursors), *self._statements.work_tables(), *digests):
                self._session.run(statement)
        self._created, self.has_cursors = True, cursors

    def _add(self, rows: Sequence[Row], cursors: Sequence[str | None] | None) -> None:
        faults: dict[int, Fault] = {}
        values = Rows.of(rows).columns
        self._keys.look(values)
        columns = [encoded(column, found, faults) for column, found in zip(self._table.columns, values, strict=True)]
        first = self._next
        self._next += len(rows)
        lead: list[Sequence[Any]] = [range(first, self._next)]
        if self.has_cursors:
            lead.append(cursors if cursors is not None else [None] * len(rows))
        self.count += len(rows)
        self._refuse([(first + place, rows[place], fault) for place, fault in sorted(faults.items())])
        if len(faults) < len(rows):
            good = [place not in faults for place in range(len(rows))] if faults else None
            ready = [*lead, *columns]
            piece = Piece(ready if good is None else [chosen(column, good) for column in ready], rows, first)
            self._refuse(self._loading.take(self._names, piece))

    @property
    def _names(self) -> list[str]:
        return ["seq", *(['"cursor"'] if self.has_cursors else []), *(f"c{place}" for place in range(len(self._table.columns)))]

    def _refuse(self, refused: Sequence[Refused]) -> None:
        self._refused += refused
        self.count -= len(refused)


def gather_statistics(session: Session, table: Table, staged: int, *, sought: bool = False) -> None:
    """After the last row, before a comparison with the table: without statistics it is planned for a few rows. ``sought``: staged rows are looked for
    by their keys, even where the table needs it not."""
    if staged >= WORTH_STATISTICS:
        for statement in session.dialect.staged(table, sought=sought or table.owned is not None or table.bases is not None):
            session.run(statement)


def refused_rows(session: Session, table: Table, page: int = 1000) -> Iterator[Rejected]:
    """Staged rows that could not be written, in the order of reading, a page at a time."""
    for statement in session.dialect.bisecting():
        session.run(statement)
    statements = Statements(session.dialect, table)
    types, after = [column.field_type for column in table.columns], -1
    while found := session.rows(statements.refused(after, page)):
        for seq, reason, message, field, *row in found:
            after = seq
            yield Rejected(row_json(table.names, types, row), reason, message, field, as_row=True)
