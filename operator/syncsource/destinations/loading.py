"""Rows on their way into the staging table, piece by piece; those that the database refuses are found by halves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from syncsource.destinations.encoding import Fault
from syncsource.destinations.session import RowRefused, Session
from syncsource.destinations.table import Table
from syncsource.records.rows import Row

_PIECES = 8
"""Pieces that the database is given before it must have taken all of them: they are kept until then."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows, at least one. ``columns`` are seq, the cursor where there are any, and the values as the driver takes them; ``rows`` the same as they
    came, and those among them that are no longer wanted; ``first``: seq of the first of ``rows``."""

    columns: Sequence[Sequence[Any]]
    rows: Sequence[Row]
    first: int


Refused = tuple[int, Row, Fault]
"""seq, the row as it came, and why."""


class Loading:
    """Fills the staging table."""

    def __init__(self, session: Session, table: Table) -> None:
        self._session, self._table = session, table
        self._waiting: list[Piece] = []

    def take(self, names: Sequence[str], piece: Piece) -> list[Refused]:
        """Hands a piece over; the database may be at work on it for a while. Returns what it refused meanwhile, of this piece or those before."""
        self._waiting.append(piece)
        try:
            self._session.load(names, piece.columns)
        except RowRefused:
            return self._again(names)
        return self.settle(names) if len(self._waiting) >= _PIECES else []

    def settle(self, names: Sequence[str]) -> list[Refused]:
        """Waits until the database has taken everything; returns what it refused."""
        if not self._waiting:
            return []
        try:
            self._session.settle()
        except RowRefused:
            return self._again(names)
        self._waiting.clear()
        return []

    def _again(self, names: Sequence[str]) -> list[Refused]:
        """One row was refused, and nothing is there of all that waited."""
        pieces, self._waiting = self._waiting, []
        refused: list[Refused] = []
        for piece in pieces:
            found: list[tuple[int, Fault]] = []
            self._halves(names, piece.columns, found)
            refused += [(seq, piece.rows[seq - piece.first], fault) for seq, fault in found]
        return refused

    def _halves(self, names: Sequence[str], columns: Sequence[Sequence[Any]], found: list[tuple[int, Fault]]) -> None:
        """Loads rows; by halves where the database refuses some, until those stand alone."""
        try:
            self._session.load(names, columns)
            self._session.settle()
        except RowRefused as refused:
            if len(columns[0]) == 1:
                found.append((columns[0][0], self._fault(refused, [column[0] for column in columns])))
                return
            middle = len(columns[0]) // 2
            for half in (slice(middle), slice(middle, None)):
                self._halves(names, [column[half] for column in columns], found)

    def _fault(self, refused: RowRefused, row: Sequence[Any]) -> Fault:
        refusal = refused.refusal
        column = refusal.column or ""
        place = int(column[1:]) if column[1:].isdigit() else _no_text(row[-len(self._table.columns) :], nul=_NUL in refusal.message)
        field = None if place is None else self._table.columns[place].name
        return Fault(refusal.reason, f"{field}: {refusal.message}" if field else refusal.message, field)


_NUL = "0x00"
"""What PostgreSQL and psycopg call it."""


def _no_text(values: Sequence[Any], *, nul: bool) -> int | None:
    """The place of the text that no database takes for one: nothing but the row is named then."""
    for place, value in enumerate(values):
        if isinstance(value, str) and ((nul and "\0" in value) or not _encodes(value)):
            return place
    return None


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
