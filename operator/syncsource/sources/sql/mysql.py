"""MySQL and MariaDB: an unbuffered cursor in a consistent, read-only snapshot; instants are the server's own texts, in UTC.

Statements are prepared by the server and their parameters are user variables: PyMySQL itself would write parameters into the
text, quotes and all, wherever they stand.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any

import pymysql
from pymysql import converters
from pymysql.constants import FIELD_TYPE, FLAG
from pymysql.cursors import SSCursor
from sqlalchemy import URL

from syncsource.databases import mysql
from syncsource.databases.faults import Fault
from syncsource.sources.sql.dialect import NUMBER, Bound, Column, Driver, Order, Rows, Statement, as_number, without_zone
from syncsource.sources.sql.values import Codec, Unreadable, bits, number, octets, parsed, single

_INTEGERS = (FIELD_TYPE.TINY, FIELD_TYPE.SHORT, FIELD_TYPE.INT24, FIELD_TYPE.LONG, FIELD_TYPE.LONGLONG, FIELD_TYPE.YEAR)
_DECIMALS = (FIELD_TYPE.DECIMAL, FIELD_TYPE.NEWDECIMAL)
_TEXTS = (FIELD_TYPE.VARCHAR, FIELD_TYPE.VAR_STRING, FIELD_TYPE.STRING, FIELD_TYPE.ENUM, FIELD_TYPE.SET)
_BLOBS = (FIELD_TYPE.TINY_BLOB, FIELD_TYPE.MEDIUM_BLOB, FIELD_TYPE.LONG_BLOB, FIELD_TYPE.BLOB, FIELD_TYPE.GEOMETRY)
_BINARY = 63
"""The character set of what is no text."""

_DECODERS: dict[Any, Any] = {**converters.encoders, **dict.fromkeys(_INTEGERS, int), **dict.fromkeys(_DECIMALS, Decimal)}
_SETTINGS = (
    "SET NAMES utf8mb4",
    "SET time_zone = '+00:00', net_write_timeout = 3600",  # a slow writer is not to end the read
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
)


class _Stream(SSCursor):
    """An unbuffered cursor that can be left where it is: PyMySQL's own would read the rest."""

    _result: Any
    connection: Any

    @property
    def fields(self) -> list[Any]:
        """What the server says of each column."""
        return list(self._result.fields)

    def leave(self) -> None:
        """The connection is good for nothing more."""
        if self._result is not None:
            self._result.unbuffered_active = False
        self._result = None
        self.connection = None


@dataclass(frozen=True, slots=True)
class _Link:
    """A connection, and how to make another."""

    connection: Any
    arguments: dict[str, Any] = field(repr=False)


class MySQL:
    """See :class:`~syncsource.sources.sql.dialect.Dialect`."""

    name = "MySQL"
    errors: tuple[type[Exception], ...] = (pymysql.err.Error, UnicodeError, OSError)

    def connect(self, url: URL, timeout: float) -> Driver:
        limits = {
            "connect_timeout": max(1, min(round(timeout), 10)),
            "read_timeout": math.ceil(timeout),
            "write_timeout": math.ceil(timeout),
        }
        arguments = {**limits, **mysql.arguments(url, "spec.source.sql.urlFrom")}
        driver = pymysql.connect(**arguments, conv=_DECODERS, cursorclass=_Stream, autocommit=True)
        for setting in _SETTINGS:
            _execute(driver, setting)
        return _Link(driver, arguments)

    def clock(self, driver: Driver) -> datetime | None:
        with driver.connection.cursor() as cursor:
            cursor.execute("SELECT UTC_TIMESTAMP(6)")
            return datetime.fromisoformat(cursor.fetchone()[0]).replace(tzinfo=UTC)

    def columns(self, driver: Driver, statement: Statement) -> list[Column]:
        cursor = _opened(driver.connection, ("SELECT * FROM (", *statement, "\n) AS syncsource_read LIMIT 0"))
        found = [_column(field) for field in cursor.fields]
        cursor.close()
        return found

    def stream(self, driver: Driver, statement: Statement, size: Callable[[], int]) -> Iterator[Rows]:
        cursor = _opened(driver.connection, statement)
        try:
            while rows := cursor.fetchmany(size()):
                yield rows
                del rows
        finally:
            cursor.leave()

    def cancel(self, driver: Driver) -> None:
        """The protocol has no word for it: another connection kills this one."""
        with suppress(*self.errors), pymysql.connect(**driver.arguments) as other:
            _execute(other, f"KILL {driver.connection.thread_id()}")

    def close(self, driver: Driver) -> None:
        with suppress(*self.errors):
            driver.connection.close()

    def fault(self, error: Exception) -> Fault:
        return mysql.fault(error)

    def quoted(self, name: str) -> str:
        return "`" + name.replace("`", "``") + "`"

    def compared(self, column: str, order: Order) -> str:
        return f"CAST(CONVERT({column} USING utf8mb4) AS BINARY)" if order is Order.TEXT else column

    def ascending(self, expression: str) -> str:
        return expression

    def free(self, text: str) -> Any:
        return as_number(text) if NUMBER.fullmatch(text) else without_zone(text, UTC)

    def cursor(self, order: Order, text: str, zone: tzinfo) -> Statement:
        if order is Order.TEXT:
            return "CAST(", Bound(text), " AS BINARY)"
        if order in (Order.INSTANT, Order.LOCAL):
            return "CAST(", Bound(without_zone(text, zone if order is Order.LOCAL else UTC)), " AS DATETIME(6))"
        return (Bound(as_number(text) if order is Order.NUMBER else text[:10]),)


def _execute(connection: Any, statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)


def _opened(connection: Any, statement: Statement) -> Any:
    """A cursor on the statement's rows."""
    values = [part.value for part in statement if isinstance(part, Bound)]
    names = [f"@syncsource_{place}" for place in range(len(values))]
    _execute(connection, "SET @syncsource_read = %s", "".join("?" if isinstance(part, Bound) else part for part in statement))
    _execute(connection, "PREPARE syncsource_read FROM @syncsource_read")
    for name, value in zip(names, values, strict=True):
        _execute(connection, f"SET {name} = %s", value)
    cursor = connection.cursor()
    cursor.execute("EXECUTE syncsource_read" + (f" USING {', '.join(names)}" if names else ""))
    return cursor


def _column(found: Any) -> Column:
    kind, flags, binary = found.type_code, found.flags, found.charsetnr == _BINARY
    if kind in _INTEGERS or kind in _DECIMALS:
        return Column(found.name, "a number", Order.NUMBER)
    if kind in _MOMENTS:
        return Column(found.name, *_MOMENTS[kind])
    if kind in _TEXTS or (kind in _BLOBS and not binary):
        return _text(found.name, flags, binary)
    return Column(found.name, *_OTHERS.get(kind, ("binary", None, Codec(octets) if kind in _BLOBS else None)), **_FORMS.get(kind, {}))


def _text(name: str, flags: int, binary: bool) -> Column:
    if binary:
        return Column(name, "binary", Order.OTHER, Codec(octets))
    return Column(name, "enum or set", Order.OTHER) if flags & (FLAG.ENUM | FLAG.SET) else Column(name, "text", Order.TEXT)


def _local(text: str) -> str:
    return f"{text[:10]}T{text[11:]}" if _exists(text) else _beyond(text)


def _utc(text: str) -> str:
    return f"{text[:10]}T{text[11:]}Z" if _exists(text) else _beyond(text)


def _day(text: str) -> str:
    return text if _exists(text) else _beyond(text)


def _exists(text: str) -> bool:
    """MySQL knows the year 0, the month 0 and the day 0."""
    return text[:4] != "0000" and text[5:7] != "00" and text[8:10] != "00"


def _beyond(text: str) -> str:
    raise Unreadable(f"{text!r} is no day between the years 1 and 9999")


_MOMENTS = {
    FIELD_TYPE.DATETIME: ("datetime", Order.LOCAL, Codec(_local)),
    FIELD_TYPE.TIMESTAMP: ("timestamp", Order.INSTANT, Codec(_utc)),
    FIELD_TYPE.DATE: ("date", Order.DAY, Codec(_day)),
    FIELD_TYPE.NEWDATE: ("date", Order.DAY, Codec(_day)),
}
_OTHERS: dict[int, tuple[str, Order | None, Codec | None]] = {
    FIELD_TYPE.FLOAT: ("float", Order.OTHER, Codec(single)),
    FIELD_TYPE.DOUBLE: ("double", Order.NUMBER, Codec(number)),
    FIELD_TYPE.TIME: ("time", Order.OTHER, None),
    FIELD_TYPE.BIT: ("bit", Order.OTHER, Codec(bits)),
    FIELD_TYPE.JSON: ("json", None, Codec(parsed)),
}
_FORMS: dict[int, dict[str, Any]] = {FIELD_TYPE.FLOAT: {"select": "({} + 0e0)"}, FIELD_TYPE.JSON: {"json": True}}
"""A FLOAT is sent with six digits: as a double it is sent whole."""
