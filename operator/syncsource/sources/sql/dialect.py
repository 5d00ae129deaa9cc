"""What differs between databases. Each has a module with a class of this shape; nothing else asks which one it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from enum import Enum
from typing import Any, Protocol

from sqlalchemy import URL

from syncsource.databases.faults import Fault
from syncsource.records.cursors import Instant
from syncsource.sources.sql.values import Codec

Driver = Any
"""A connection of the driver's own: psycopg's, PyMySQL's or sqlite3's."""
Rows = Sequence[tuple[Any, ...]]
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")


class Order(Enum):
    """How the values of a column follow one another, where it can be a cursor or break its ties."""

    NUMBER = "number"
    INSTANT = "instant"
    LOCAL = "an instant without zone"
    DAY = "day"
    TEXT = "text"
    """By code point."""
    OTHER = "the type's own"
    """No cursor, but good for breaking ties."""
    LOOSE = "as each value is"
    """SQLite's: numbers before texts."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of what is read. ``type``: for messages. ``codec``: None where its values are JSON-like already. ``json``: whether ``codec`` parses
    JSON already. ``order``: None where the database has none for it."""

    name: str
    type: str
    order: Order | None
    codec: Codec | None = None
    json: bool = False
    select: str = "{}"
    """What is selected, for the column's quoted name: where the database would round the value it sends."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A parameter of a statement."""

    value: Any


Statement = Sequence[str | Bound]
"""SQL, and the parameters in their places."""


class Dialect(Protocol):
    """One kind of database."""

    name: str
    """For messages."""
    errors: tuple[type[Exception], ...]
    """What its driver raises."""

    def connect(self, url: URL, timeout: float) -> Driver:
        """A connection on which one read-only transaction sees one moment. ``timeout``: seconds to wait for it, and later for rows."""

    def clock(self, driver: Driver) -> datetime | None:
        """The server's clock in UTC, read before the first row; None where it is this machine's."""

    def columns(self, driver: Driver, statement: Statement) -> list[Column]:
        """The columns of a query."""

    def stream(self, driver: Driver, statement: Statement, size: Callable[[], int]) -> Iterator[Rows]:
        """A query's rows, at most ``size()`` at a time, without holding all of them."""

    def cancel(self, driver: Driver) -> None:
        """Ends what the connection does. Called from another thread."""

    def close(self, driver: Driver) -> None:
        """Closes the connection, however much of a query is unread. Never raises."""

    def fault(self, error: Exception) -> Fault:
        """What a driver's error means."""

    def quoted(self, name: str) -> str:
        """An identifier."""

    def compared(self, column: str, order: Order) -> str:
        """What stands for a cursor column in comparisons and ORDER BY, NULL first."""

    def ascending(self, expression: str) -> str:
        """An expression in ORDER BY, NULL first."""

    def free(self, text: str) -> Any:
        """A cursor's text as a parameter of a query that says itself what it is compared with."""

    def cursor(self, order: Order, text: str, zone: tzinfo) -> Statement:
        """A cursor's text as what :meth:`compared` is compared with. ``zone``: of columns that name none."""


def without_zone(text: str, zone: tzinfo) -> str:
    """An instant as a column without time zone holds it; what is none, as it is."""
    instant = Instant.parse(text, zone)
    if instant is None or not instant.match["zone"]:
        return text
    return instant.local.astimezone(zone).replace(tzinfo=None).isoformat() + (instant.match["fraction"] or "")


def as_number(text: str) -> int | Decimal | str:
    """A cursor's text as the number that it is."""
    try:
        found = Decimal(text)
        return int(found) if found == found.to_integral_value() and found.adjusted() < 1000 else found
    except ArithmeticError:
        return text
