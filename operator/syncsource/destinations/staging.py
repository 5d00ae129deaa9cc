"""Batches on their way to the staging table: each value made what its column takes, bad rows set aside with the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

from syncsource.destinations.session import RowRefused, Session, nameless
from syncsource.destinations.statements import Statements
from syncsource.destinations.table import Column, Table
from syncsource.destinations.values import row_json
from syncsource.records.batch import Rejected, Row

_NONE = type(None)
_Line = tuple[Any, ...]
"""seq, cursor where there are any, and the row's values as the driver takes them."""
_COPY_ROWS = 20_000
"""Rows loaded by one statement at most: what a bad row makes us read again."""

_WORTH_STATISTICS = 1000
"""Rows from which a bad plan costs more than ANALYZE."""


@dataclass(frozen=True, slots=True)
class _Fault:
    reason: str
    message: str
    field: str | None


class Staging:
    """The staging table of one run. Rows are numbered in the order of reading."""

    def __init__(self, session: Session, table: Table) -> None:
        self._session, self._table = session, table
        self._statements = Statements(session.dialect, table)
        self.has_cursors = False
        self.count = 0
        """Rows staged."""
        self._next = 0
        self._created = False

    def add(self, rows: Sequence[Row], cursors: Sequence[str | None] | None) -> list[Rejected]:
        """Stages rows, all or those that their columns take; returns the others."""
        if not rows:
            return []
        if not self._created:
            self._create(cursors is not None)
        rejected: list[Rejected] = []
        for start in range(0, len(rows), _COPY_ROWS):
            part = slice(start, start + _COPY_ROWS)
            rejected += self._add(rows[part], cursors[part] if cursors is not None else None)
        return rejected

    def finish(self) -> None:
        """After the last row, before the comparison."""
        if self.count >= _WORTH_STATISTICS:
            for statement in self._session.dialect.staged(self._table):
                self._session.run(statement)

    def _create(self, cursors: bool) -> None:
        with nameless("the staging table"), self._session.transaction("BEGIN"):  # one commit for all of them
            for statement in (*self._session.dialect.stage_ddl(self._table, cursors), *self._statements.work_tables()):
                self._session.run(statement)
        self._created, self.has_cursors = True, cursors

    def _add(self, rows: Sequence[Row], cursors: Sequence[str | None] | None) -> list[Rejected]:
        faults: dict[int, _Fault] = {}
        columns = [_encoded(column, values, faults) for column, values in zip(self._table.columns, zip(*rows, strict=True), strict=True)]
        first = self._next
        self._next += len(rows)
        lead: list[Sequence[Any]] = [range(first, self._next)]
        if self.has_cursors:
            lead.append(cursors if cursors is not None else [None] * len(rows))
        good = [place not in faults for place in range(len(rows))] if faults else None
        self._load(lambda: _lines(lead, columns, good), first, faults)
        self.count += len(rows) - len(faults)
        return [self._rejected(rows[place], fault) for place, fault in sorted(faults.items())]

    def _load(self, lines: Callable[[], Iterator[_Line]], first: int, faults: dict[int, _Fault]) -> None:
        """Loads rows; by halves where the database refuses some, until those stand alone. Tuples are made as they are sent, and
        again only then: keeping all of them costs more than the making."""
        try:
            self._session.load(self._names, lines())
        except RowRefused as refused:
            ready = list(lines())
            if len(ready) == 1:
                faults[ready[0][0] - first] = self._fault(refused)
                return
            middle = len(ready) // 2
            self._load(lambda: iter(ready[:middle]), first, faults)
            self._load(lambda: iter(ready[middle:]), first, faults)

    @property
    def _names(self) -> list[str]:
        return ["seq", *(["cursor"] if self.has_cursors else []), *(f"c{place}" for place in range(len(self._table.columns)))]

    def _fault(self, refused: RowRefused) -> _Fault:
        refusal = refused.refusal
        column = refusal.column or ""
        field = self._table.columns[int(column[1:])].name if column[1:].isdigit() else None
        return _Fault(refusal.reason, f"{field}: {refusal.message}" if field else refusal.message, field)

    def _rejected(self, row: Row, fault: _Fault) -> Rejected:
        types = [column.field_type for column in self._table.columns]
        return Rejected(row_json(self._table.names, types, row), fault.reason, fault.message, fault.field, as_row=True)


def _lines(lead: Sequence[Sequence[Any]], columns: Sequence[Sequence[Any]], good: Sequence[bool] | None) -> Iterator[_Line]:
    lines = zip(*lead, *columns, strict=True)
    return lines if good is None else compress(lines, good)


def _encoded(column: Column, values: Sequence[Any], faults: dict[int, _Fault]) -> Sequence[Any]:
    """A column's values as the driver takes them. A row's first fault is kept."""
    present: Sequence[Any] = values
    if _NONE in set(map(type, values)):
        if column.key or not column.found.nullable:
            _refuse_nulls(column, values, faults)
        present = [value for value in values if value is not None]
    codec = column.codec
    if codec.column is not None and present:
        made = iter(codec.column(present))
        return [None if value is None else next(made) for value in values] if len(present) < len(values) else list(made)
    if codec.convert is None or not present or (codec.passes is not None and codec.passes(present)):
        return values
    try:
        return [None if value is None else codec.convert(value) for value in values]
    except (ValueError, ArithmeticError):
        return [_encode(column, value, place, faults) for place, value in enumerate(values)]


def _encode(column: Column, value: Any, place: int, faults: dict[int, _Fault]) -> Any:
    assert column.codec.convert is not None
    try:
        return None if value is None else column.codec.convert(value)
    except (ValueError, ArithmeticError) as error:
        faults.setdefault(place, _Fault("InvalidValue", f"{column.name}: {error}", column.name))
        return None


def _refuse_nulls(column: Column, values: Sequence[Any], faults: dict[int, _Fault]) -> None:
    reason = "MissingKey" if column.key else "MissingValue"
    why = "a field of the key is missing or null" if column.key else f"missing or null, and the column is {column.found.type} NOT NULL"
    for place, value in enumerate(values):
        if value is None:
            faults.setdefault(place, _Fault(reason, f"{column.name}: {why}", column.name))


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
