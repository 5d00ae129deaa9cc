"""PostgreSQL: a named cursor in a REPEATABLE READ READ ONLY transaction; instants are the server's own texts, in UTC."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.adapt import AdaptersMap
from psycopg.types import TypeInfo
from psycopg.types.array import register_array
from psycopg.types.string import TextLoader
from sqlalchemy import URL

from syncsource.databases import postgresql
from syncsource.databases.faults import Fault
from syncsource.errors import PermanentError, RetryableError, StalledError, SyncError, outside_text
from syncsource.sources.sql.dialect import Bound, Column, Driver, Order, Rows, Statement, without_zone
from syncsource.sources.sql.values import Codec, day, finite, instant, local, nested, number, octets, parsed

_CONNECT = {
    "keepalives": "1",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "application_name": "syncsource",
}
"""libpq's settings, seconds; the URL's own query comes before them."""

_SETTINGS = (
    "SET TIME ZONE 'UTC'",
    "SET DateStyle TO 'ISO, YMD'",
    "SET IntervalStyle TO 'iso_8601'",
    "SET bytea_output TO 'hex'",
    "SET extra_float_digits TO 3",
    "SET client_encoding TO 'UTF8'",
    "SET cursor_tuple_fraction TO 1",  # everything is read: plans are not to hurry to the first row
)
"""Sent as statements, since poolers in front of a server refuse unknown startup parameters."""

_ORDERS = (
    dict.fromkeys(("int2", "int4", "int8", "oid", "numeric", "float4", "float8"), Order.NUMBER)
    | dict.fromkeys(("text", "varchar", "bpchar", "name"), Order.TEXT)
    | {"timestamptz": Order.INSTANT, "timestamp": Order.LOCAL, "date": Order.DAY, "uuid": Order.OTHER, "bool": Order.OTHER}
)
_CODECS = {
    "numeric": Codec(number, finite),
    "float4": Codec(number),
    "float8": Codec(number),
    "timestamptz": Codec(instant),
    "timestamp": Codec(local),
    "date": Codec(day),
    "bytea": Codec(octets),
    "json": Codec(parsed),
    "jsonb": Codec(parsed),
}
_NATIVE = frozenset(("bool", "int2", "int4", "int8", "oid", "numeric", "bytea"))
"""Types whose values psycopg loads; all others arrive as the server's text."""

_FAULTS: dict[str, tuple[type[SyncError], str]] = {
    "57014": (RetryableError, "Timeout"),
    "42601": (StalledError, "InvalidSpec"),
    "08P01": (StalledError, "InvalidSpec"),  # more parameters than the statement has: one stands in quotes
    "42P18": (StalledError, "InvalidSpec"),  # a parameter whose type can't be told
}
"""What a reader takes otherwise than a writer: nobody but the read's own timeout cancels its statements."""


def _adapters() -> AdaptersMap:
    found = AdaptersMap(psycopg.adapters)
    for info in psycopg.postgres.types:
        if info.name not in _NATIVE:
            found.register_loader(info.oid, TextLoader)
            register_array(info, found)
    return found


class PostgreSQL:
    """See :class:`~syncsource.sources.sql.dialect.Dialect`."""

    name = "PostgreSQL"
    errors: tuple[type[Exception], ...] = (psycopg.Error, UnicodeError)

    def __init__(self) -> None:
        self._adapters = _adapters()

    def connect(self, url: URL, timeout: float) -> Driver:
        """The transaction begins with the first query."""
        dialect = url.set(drivername="postgresql+psycopg").get_dialect()()
        options = {**_CONNECT, "connect_timeout": max(2, min(round(timeout), 10))}
        driver = psycopg.connect(**{**options, **dialect.create_connect_args(url)[1]}, context=self._adapters, autocommit=True)
        driver.execute("; ".join((*_SETTINGS, f"SET statement_timeout TO {round(timeout * 1000)}")))
        driver.set_autocommit(False)
        driver.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
        driver.set_read_only(True)
        return driver

    def clock(self, driver: Driver) -> datetime | None:
        row = driver.execute("SELECT extract(epoch FROM clock_timestamp())::text").fetchone()
        return _moment(row[0])

    def columns(self, driver: Driver, statement: Statement) -> list[Column]:
        with driver.cursor() as cursor:
            cursor.execute(*_rendered(("SELECT * FROM (", *statement, "\n) AS syncsource_read LIMIT 0")))
            described = list(cursor.description)
        own = _own_types(driver, [found.type_code for found in described if psycopg.postgres.types.get(found.type_code) is None])
        return [
            _column(found.name, psycopg.postgres.types.get(found.type_code) or own[found.type_code], found.type_code) for found in described
        ]

    def stream(self, driver: Driver, statement: Statement, size: Callable[[], int]) -> Iterator[Rows]:
        with driver.cursor("syncsource_read") as cursor:
            cursor.execute(*_rendered(statement))
            while rows := cursor.fetchmany(size()):
                yield rows
                del rows

    def cancel(self, driver: Driver) -> None:
        with suppress(psycopg.Error):  # a connection that is lost has nothing to stop
            driver.cancel_safe(timeout=5)

    def close(self, driver: Driver) -> None:
        with suppress(psycopg.Error):
            driver.close()

    def fault(self, error: Exception) -> Fault:
        if not isinstance(error, psycopg.Error):
            return Fault(PermanentError, "DatabaseError", outside_text(str(error), 400))
        known = _FAULTS.get(error.sqlstate or "")
        return Fault(*known, postgresql.said(error)) if known else postgresql.fault(error)

    def quoted(self, name: str) -> str:
        return '"' + name.replace('"', '""') + '"'

    def compared(self, column: str, order: Order) -> str:
        return f'{column} COLLATE "C"' if order is Order.TEXT else column

    def ascending(self, expression: str) -> str:
        return f"{expression} NULLS FIRST"

    def free(self, text: str) -> Any:
        return text

    def cursor(self, order: Order, text: str, zone: tzinfo) -> Statement:
        """The server takes an untyped parameter for what the column is."""
        return (Bound(without_zone(text, zone) if order is Order.LOCAL else text),)


def _rendered(statement: Statement) -> tuple[str, list[Any]]:
    """psycopg's form: %s, and % doubled."""
    texts = ["%s" if isinstance(part, Bound) else part.replace("%", "%%") for part in statement]
    return "".join(texts), [part.value for part in statement if isinstance(part, Bound)]


def _own_types(driver: Driver, oids: list[int]) -> dict[int, TypeInfo]:
    """Types that the database does not come with, such as enums; their arrays are taken apart from now on."""
    if not oids:
        return {}
    query = "SELECT oid, typname::text, CASE typcategory WHEN 'A' THEN typelem ELSE 0 END FROM pg_catalog.pg_type WHERE oid = ANY(%s)"
    found = {
        oid: TypeInfo(name.removeprefix("_"), element or oid, oid if element else 0) for oid, name, element in driver.execute(query, [oids])
    }
    for info in found.values():
        if info.array_oid:
            register_array(info, driver)
    return found


def _column(name: str, info: TypeInfo, oid: int) -> Column:
    codec = _CODECS.get(info.name)
    if info.oid != oid:
        return Column(name, f"{info.name}[]", None, Codec(nested(codec.convert)) if codec else None)
    return Column(name, info.name, _ORDERS.get(info.name), codec, json=info.name in ("json", "jsonb"))


def _moment(seconds: str) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(Decimal(seconds) * 1_000_000))
