"""The statement of a read, from ``spec.source.sql`` and a slice."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from syncsource.errors import SchemaMismatch
from syncsource.resource.sqlsource import SqlSource
from syncsource.sources.base import Slice
from syncsource.sources.sql.dialect import Bound, Column, Dialect, Order, Statement
from syncsource.sources.sql.ordering import floor_of

_PLACEHOLDER = re.compile(r"(\{(?:cursor|until|partition)\})")


@dataclass(frozen=True, slots=True)
class Selecting:
    """What is read of a database. ``cursor``: the column; None: everything is read each time. ``keys``: columns that break its ties."""

    sql: SqlSource
    dialect: Dialect
    cursor: str | None
    keys: Sequence[str]
    zone: tzinfo

    def described(self, part: Slice) -> Statement:
        """What is asked for the columns."""
        names = ", ".join(map(self.dialect.quoted, self.sql.columns)) if self.sql.columns else "*"
        return (f"SELECT {names} FROM ", *self._from(part))

    def statement(self, columns: Sequence[Column], part: Slice) -> Statement:
        """What is read of these columns, in the order of the cursor where there is one."""
        quoted = self.dialect.quoted
        names = [quoted(column.name) for column in columns]
        shown = [
            name if column.select == "{}" else f"{column.select.format(name)} AS {name}"
            for name, column in zip(names, columns, strict=True)
        ]
        return (f"SELECT {', '.join(shown)} FROM ", *self._from(part), *self._window(columns, part), self._order(columns))

    def _from(self, part: Slice) -> Iterator[str | Bound]:
        sql, quoted = self.sql, self.dialect.quoted
        if sql.query is not None:
            yield "("
            yield from self._bound(sql.query.rstrip().removesuffix(";"), part)
            yield "\n) AS syncsource_read WHERE (1 = 1)"
            return
        assert sql.table is not None
        yield f"{quoted(sql.schema_)}.{quoted(sql.table)}" if sql.schema_ else quoted(sql.table)
        yield " WHERE ("
        yield from self._bound(sql.where or "1 = 1", part)
        yield "\n)"

    def _bound(self, text: str, part: Slice) -> Iterator[str | Bound]:
        """What a placeholder stands for never becomes part of the text."""
        free = self.dialect.free
        values = {
            "{cursor}": None if part.since is None else free(part.since),
            "{until}": None if part.until is None else free(part.until),
            "{partition}": part.partition,
        }
        for piece in _PLACEHOLDER.split(text):
            yield Bound(values[piece]) if piece in values else piece

    def _window(self, columns: Sequence[Column], part: Slice) -> Iterator[str | Bound]:
        """NULL is neither after a cursor nor before an end: such rows come where everything is read."""
        own = self.sql.query or ""
        column = self._column(columns)
        if column is None:
            return
        assert column.order is not None
        compared = self.dialect.compared(self.dialect.quoted(column.name), column.order)
        since = part.since if "{cursor}" not in own else None
        until = part.until if "{until}" not in own else None
        within_day = column.order is Order.DAY and until is not None and len(until) > len("2026-01-31")
        for bound, sign in ((part.resume or since, ">="), (until, "<=" if within_day else "<")):
            if bound is not None:
                text = floor_of(bound) if column.order in (Order.TEXT, Order.LOOSE) else bound
                yield f" AND {compared} {sign} "
                yield from self.dialect.cursor(column.order, text, self.zone)

    def _order(self, columns: Sequence[Column]) -> str:
        column = self._column(columns)
        if column is None:
            return ""
        by_name = {found.name: found for found in columns}
        ties = [by_name[key] for key in self.keys if key in by_name and key != column.name]
        ordered = [self.dialect.compared(self.dialect.quoted(column.name), column.order or Order.OTHER)]
        ordered += [self.dialect.quoted(tie.name) for tie in ties if tie.order is not None]
        return " ORDER BY " + ", ".join(map(self.dialect.ascending, ordered))

    def _column(self, columns: Sequence[Column]) -> Column | None:
        """The cursor's column. SchemaMismatch where it is not there, or has no order that a cursor can be compared by."""
        if self.cursor is None:
            return None
        found = next((column for column in columns if column.name == self.cursor), None)
        if found is None:
            raise SchemaMismatch(f"spec.incremental.cursor: {self.absent(self.cursor, columns)}")
        if found.order is None or found.order is Order.OTHER:
            raise SchemaMismatch(
                f"spec.incremental.cursor: the column {found.name!r} is {found.type}, which can't be a cursor: choose one of numbers, dates, "
                f"instants or texts"
            )
        return found

    def absent(self, name: str, columns: Sequence[Column]) -> str:
        """For messages: what is read has no such column."""
        what = "the query" if self.sql.table is None else f"the table {self.sql.table!r}"
        names = [column.name for column in columns]
        listed = ", ".join(names[:30]) + (", …" if len(names) > 30 else "")
        way_out = "; add it to spec.source.sql.columns" if self.sql.columns else ""
        return f"{what} gives no column {name!r}: it gives {listed}{way_out}"
