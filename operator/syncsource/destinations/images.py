"""What a transaction does to rows, kept so that it can be undone: each row before and after, as a whole, in its table's own types."""

from __future__ import annotations

from uuid import uuid4

from syncsource.destinations.companions import open_companion
from syncsource.destinations.quoting import GONE, NUMBER, in_a_row, quoted
from syncsource.destinations.session import Session
from syncsource.destinations.statements import Span, Statements, within
from syncsource.destinations.table import Companion, Layout, Table
from syncsource.records.images import Taken

BATCH, SEQ, SIDE = "syncsource_batch", "syncsource_seq", "syncsource_side"
_OWN = {BATCH: "varchar(32)", SEQ: "bigint", SIDE: "varchar(1)"}
APART = 50_000
"""Rows from which images have a table of their own."""
BEFORE, AFTER, INSERTED, DELETED = "BAID"
"""Sides: a changed row before and after, an inserted one after, a deleted one before."""


def open_images(session: Session, layout: Layout) -> Companion:
    """The table for images of a table."""
    return open_companion(session, layout, "undo", _OWN, layout.columns)


class Images:
    """Takes the images of one transaction, around the statements that write."""

    def __init__(self, session: Session, table: Table, statements: Statements) -> None:
        self._session, self._table, self._statements = session, table, statements
        self._companion = table.images
        self._batch = uuid4().hex
        self._name = self._companion.name if self._companion is not None else ""

    @property
    def kept(self) -> bool:
        """Whether any are taken at all."""
        return self._companion is not None

    def expect(self, rows: int) -> None:
        """So many rows are about to be written. The images of very many stand in a table of their own, without an index: it would double what they cost."""
        if self._companion is None or rows < APART or self._name != self._companion.name:
            return
        name = f"{self._companion.name}_{self._batch[:16]}"
        statement = self._session.dialect.apart(name, self._companion.name, _OWN, self._companion.columns)
        if statement is not None:
            self._session.run(statement)
            self._name = name

    def _expect_none(self) -> None:
        assert self._companion is not None
        if self._name != self._companion.name:
            self._session.run(f"DROP TABLE {quoted(self._name)}")
            self._name = self._companion.name

    def before_update(self, span: Span | None, *, listed: bool = True) -> int | None:
        """Of the rows that still differ, which are locked from then on: how many these are; None where no images are taken. ``listed``: see
        :meth:`Statements.staged`."""
        if self._companion is None:
            return None
        return self._take(BEFORE, self._statements.to_change(span, listed=listed), listed=listed, lock=True)

    def after_update(self, span: Span | None, *, listed: bool = True) -> None:
        """Of all of them: one without an image before it was left alone, and is of no use."""
        if self._companion is not None:
            self._take(AFTER, f"v.is_new = 0{within(span)}" if listed else "1 = 1", listed=listed)

    def after_insert(self, span: Span | None, *, listed: bool) -> None:
        """Of the rows just inserted: those listed, or all that are staged. Where their primary key is not known yet, see :meth:`of_found`."""
        if self._companion is not None and not self._table.candidates:
            self._take(INSERTED, f"{'v.is_new = 1' if listed else '1 = 1'}{within(span)}", listed=listed)

    def of_found(self, found: str, seq: str, keys: str) -> None:
        """Of rows that were inserted, which are found only now: ``keys`` joins the table to them."""
        if self._companion is not None:
            self._insert(INSERTED, seq, f"{found} JOIN {self._statements.target} AS t ON {keys}", "1 = 1")

    def of_gone(self, side: str, keys: str, where: str) -> None:
        """Of rows numbered by ``g``, which ``keys`` joins to the table, such as those that the source has no more: before or after they are
        marked, or before they are deleted."""
        if self._companion is not None:
            source = f"{self._statements.temporary(GONE)} AS g JOIN {self._statements.target} AS t ON {keys}"
            self._insert(side, f"-g.{NUMBER}", source, where)

    def taken(self, rows: int) -> Taken | None:
        """What there is of them; None where there are none. ``rows``: how many were written."""
        if self._companion is None:
            return None
        if not rows:
            self._expect_none()
            return None
        return Taken(
            batch=self._batch,
            images=self._name,
            schema=self._table.schema,
            table=self._table.name,
            match=self._table.primary or self._table.match,
            changed=[column.name for column in self._table.columns if column.changeable]
            + ([self._table.marker.found.name] if self._table.marker else []),
            rows=rows,
        )

    def _take(self, side: str, where: str, *, listed: bool = True, lock: bool = False) -> int:
        statements = self._statements
        staged = in_a_row(statements.staged(listed=listed))
        return self._insert(
            side, "s.seq", f"{staged} {statements.based}JOIN {statements.target} AS t ON {statements.keys}", where, lock=lock
        )

    def _insert(self, side: str, seq: str, source: str, where: str, *, lock: bool = False) -> int:
        assert self._companion is not None
        names = [quoted(column.name) for column in self._companion.columns]
        values = ", ".join(f"t.{name}" for name in names)
        select = f"SELECT '{self._batch}', {seq}, '{side}', {values} FROM {source} WHERE {where}"
        found = self._session.dialect.locking(select, self._statements.order) if lock else select
        return self._session.run(f"INSERT INTO {quoted(self._name)} ({BATCH}, {SEQ}, {SIDE}, {', '.join(names)}) {found}")

    def _mine(self, alias: str) -> str:
        return f"{alias}.{BATCH} = '{self._batch}'"
