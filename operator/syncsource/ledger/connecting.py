"""The ledger's own transactions, and what differs between databases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Select, Table
from sqlalchemy.dialects import mysql, postgresql, sqlite

_INSERTS: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert, "mysql": mysql.insert}


def writing(engine: Engine) -> Engine:
    """The engine for a transaction that writes. SQLite must know that at its start: syncsource_writes makes it BEGIN IMMEDIATE."""
    return engine.execution_options(syncsource_writes=True)


def reading(engine: Engine) -> Engine:
    """The engine for single queries, which need no transaction. On MySQL that would be a mode to be set back by statements, whose errors nobody
    translates where the connection is lost by then."""
    return engine if engine.dialect.name == "mysql" else engine.execution_options(isolation_level="AUTOCOMMIT")


def upsert(
    connection: Connection, table: Table, values: dict[str, Any] | Sequence[dict[str, Any]] | Select[Any], update: dict[str, Any] | None
) -> None:
    """Inserts; where the primary key is there, sets ``update`` instead (None: leaves the row). In ``update``, a column's name stands
    for the value that was to be inserted, so that None means "the new one"."""
    insert = _INSERTS[connection.dialect.name](table)
    insert = insert.from_select(list(values.selected_columns.keys()), values) if isinstance(values, Select) else insert
    if connection.dialect.name == "mysql":  # which takes any unique key; our tables have the primary one alone
        new = {name: insert.inserted[name] if value is None else value for name, value in (update or {}).items()}
        first = next(iter(table.primary_key))
        statement = insert.on_duplicate_key_update(new or {first.name: table.c[first.name]})
    elif update is None:
        statement = insert.on_conflict_do_nothing(index_elements=list(table.primary_key))
    else:
        new = {name: insert.excluded[name] if value is None else value for name, value in update.items()}
        statement = insert.on_conflict_do_update(index_elements=list(table.primary_key), set_=new)
    connection.execute(statement, None if isinstance(values, Select) else values)
