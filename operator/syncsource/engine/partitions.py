"""Which partitions a run has."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnClause, inspect, literal_column, quoted_name, select, table
from sqlalchemy import column as column_of
from sqlalchemy.engine import Connection, Inspector
from sqlalchemy.exc import DBAPIError

from syncsource.destinations import Database
from syncsource.errors import PermanentError, RetryableError, SchemaMismatch, SyncError, outside_text
from syncsource.resource.partitions import LONGEST, MOST, Partitions, PartitionsFrom

TOO_FEW = "PartitionsMissing"
"""Retryable: the table that names the partitions has fewer than it must have, or is not there yet."""
INVALID = "PartitionsInvalid"
"""Permanent: values that can't name partitions, or too many of them."""

_TEXTUAL = (str, int, Decimal, uuid.UUID, datetime.date)


def partition_values(partitions: Partitions, database: Database) -> list[str]:
    """The partitions, in their order. Raises RetryableError, PermanentError or SchemaMismatch where a table's values can't be used."""
    if partitions.values is not None:
        return list(partitions.values)
    assert partitions.from_ is not None
    with database.engine.connect() as connection:
        _check(inspect(connection), partitions.from_)
    return _texts(_queried(database, partitions.from_), partitions.from_)


def _check(inspector: Inspector, source: PartitionsFrom) -> None:
    """The words of the database would not name the field of the spec."""
    if not inspector.has_table(source.table, source.schema_):
        told = f"the database has no table {source.table!r}, which spec.partitions.from names: create it, or let its SyncSource run first"
        raise RetryableError(told, reason=TOO_FEW)
    columns = [found["name"] for found in inspector.get_columns(source.table, source.schema_)]
    if source.column not in columns:
        raise SchemaMismatch(
            f"the table {source.table!r} has no column {source.column!r}, which spec.partitions.from names: it has {', '.join(columns[:30])}"
        )


def _queried(database: Database, source: PartitionsFrom) -> list[Any]:
    """In a transaction that can't write, and with a bound parameter, so that drivers take a single statement."""
    values: ColumnClause[Any] = column_of(quoted_name(source.column, True))
    schema = quoted_name(source.schema_, True) if source.schema_ else None
    query = select(values).distinct().select_from(table(quoted_name(source.table, True), schema=schema)).where(values.is_not(None))
    if source.where is not None:
        query = query.where(literal_column(f"(\n{source.where}\n)"))
    with _refusals(), _read_only(database) as connection:
        return list(connection.execute(query.order_by(values).limit(MOST + 1)).scalars())


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except RetryableError:
        raise
    except SyncError as error:
        raise type(error)(f"spec.partitions.from: {error.message}", reason=error.reason) from error
    except DBAPIError as error:
        raise PermanentError(
            f"spec.partitions.from: the database refused the query: {outside_text(str(error.orig))}", reason=INVALID
        ) from error


@contextmanager
def _read_only(database: Database) -> Iterator[Connection]:
    kind = database.engine.dialect.name
    engine = database.engine.execution_options(postgresql_readonly=True) if kind == "postgresql" else database.engine
    with engine.connect() as connection:
        if kind == "mysql":
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")  # of the next one alone
        if kind != "sqlite":
            yield connection
            return
        connection.exec_driver_sql("PRAGMA query_only = ON")
        try:
            yield connection
        finally:
            connection.exec_driver_sql("PRAGMA query_only = OFF")


def _texts(values: Sequence[Any], source: PartitionsFrom) -> list[str]:
    where = f" where {source.where}" if source.where else ""
    if len(values) < source.minimum:
        raise RetryableError(
            f"{source.table} has {len(values)} values in {source.column}{where}, fewer than spec.partitions.from.minimum ({source.minimum})",
            reason=TOO_FEW,
        )
    if len(values) > MOST:
        raise PermanentError(f"{source.table} has more than {MOST:,} values in {source.column}{where}: at most so many", reason=INVALID)
    return [_text(value, source) for value in values]


def _text(value: Any, source: PartitionsFrom) -> str:
    text = str(value) if isinstance(value, _TEXTUAL) and not isinstance(value, bool) else ""
    if not 0 < len(text) <= LONGEST:
        raise PermanentError(
            f"{source.table}.{source.column} has a value that can't name a partition ({type(value).__name__}, {len(text)} characters): "
            f"it must be a text, number, date or uuid of 1 to {LONGEST} characters; leave it out with spec.partitions.from.where",
            reason=INVALID,
        )
    return text
