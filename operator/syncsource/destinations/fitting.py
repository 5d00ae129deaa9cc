"""Which field types a table's columns ask for, where the spec declares none."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from syncsource.destinations.database import Database
from syncsource.destinations.dialect import Dialect
from syncsource.destinations.quoting import quoted
from syncsource.destinations.session import Session, nameless
from syncsource.destinations.table import Found
from syncsource.resource.spec import SqlDestination

_TEXTUAL = re.compile(r"char|text|clob|name$", re.IGNORECASE)
_FLOATING = re.compile(r"real|double|float", re.IGNORECASE)
_EXACT = re.compile(r"(?:numeric|decimal)\((\d+),\s*(\d+)\)", re.IGNORECASE)
_ORDER = ("boolean", "integer", "timestamp", "date", "time", "uuid", "json", "bytes", "decimal(38,10)", "float", "text")


def fitting(
    database: Database, destination: SqlDestination, seen: Mapping[str, str], keys: Sequence[str], kept: Mapping[str, str]
) -> dict[str, str] | None:
    """Of the fields seen in records, with the types that their values have, those that are columns of the table, with the types that
    their columns ask for. ``kept``: types that stay where they fit. None where there is no such table."""
    session = Session(database, brief=True)
    try:
        layout = session.layout(destination.schema_, destination.table)
    finally:
        session.close()
    if layout is None:
        return None
    dialect = database.dialect
    found = {name: column for name in seen if (column := dialect.find(layout.columns, name)) is not None and not column.generated}
    types = {
        name: _type(dialect, column, [kept[name]] if name in kept else _asked(column, seen[name]), name in keys)
        for name, column in found.items()
    }
    return {name: kind for name, kind in types.items() if kind is not None}


def add_columns(database: Database, destination: SqlDestination, fields: Mapping[str, str]) -> list[str]:
    """Adds nullable columns for the fields that the table has no column for; returns their names. A table that is not there stays so."""
    session = Session(database, brief=True)
    try:
        layout = session.layout(destination.schema_, destination.table)
        missing = [] if layout is None else [name for name in fields if database.dialect.find(layout.columns, name) is None]
        for name in missing:
            target = quoted(layout.schema, layout.name) if layout else ""
            with nameless(f"the column {name!r} of {destination.table!r}"):
                session.run(f"ALTER TABLE {target} ADD COLUMN {quoted(name)} {database.dialect.created(fields[name])}")
    finally:
        session.close()
    return missing


def _type(dialect: Dialect, column: Found, first: Sequence[str], key: bool) -> str | None:
    """The first type that fits; None where none does: the column is left alone."""
    return next((kind for kind in (*first, *_ORDER) if dialect.codec(column, kind, key) is not None), None)


def _asked(column: Found, seen: str) -> list[str]:
    """Types to try before all others."""
    exact = _EXACT.search(column.type)
    return [
        *(["text"] if _TEXTUAL.search(column.type) else []),
        *(["float"] if _FLOATING.search(column.type) else []),
        *([f"decimal({exact[1]},{exact[2]})"] if exact and int(exact[2]) <= int(exact[1]) <= 99 else []),
        *([seen] if seen else []),
    ]
