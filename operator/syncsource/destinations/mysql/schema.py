"""What the information schema of MySQL and MariaDB tells of a table."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import Any

from syncsource.destinations.table import Found, Layout, Referrer
from syncsource.errors import SchemaMismatch

_TABLE = """
SELECT t.TABLE_SCHEMA, t.TABLE_NAME, t.TABLE_TYPE, t.ENGINE, e.TRANSACTIONS FROM information_schema.TABLES t
LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
WHERE t.TABLE_SCHEMA = COALESCE(%s, DATABASE()) AND t.TABLE_NAME = %s ORDER BY CAST(t.TABLE_NAME AS BINARY) = CAST(%s AS BINARY) DESC
"""
_COLUMNS = """
SELECT COLUMN_NAME, COLUMN_TYPE, DATA_TYPE, IS_NULLABLE, COLUMN_DEFAULT, EXTRA, COLLATION_NAME FROM information_schema.COLUMNS
WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s ORDER BY ORDINAL_POSITION
"""
_INDEXES = """
SELECT INDEX_NAME, COLUMN_NAME, SUB_PART FROM information_schema.STATISTICS
WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s AND NON_UNIQUE = 0 ORDER BY INDEX_NAME, SEQ_IN_INDEX
"""
_GENERATED = ("VIRTUAL GENERATED", "STORED GENERATED", "PERSISTENT")
_KINDS = {"BASE TABLE": "table", "SYSTEM VERSIONED": "table"}


def layout(driver: Any, schema: str | None, name: str) -> Layout | None:
    """The table, or what else has its name; None where nothing has. SchemaMismatch where it has no transactions, or there is no such schema."""
    if schema is not None and not _rows(driver, "SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = %s", schema):
        raise SchemaMismatch(f"the server has no database {schema!r}: create it, or mend spec.destination.sql.schema")
    found = _rows(driver, _TABLE, schema, name, name)
    if not found:
        return None
    schema, name, kind, engine, transactions = found[0]
    kind = _KINDS.get(kind, kind.lower())
    if kind == "table" and transactions != "YES":
        raise SchemaMismatch(f'the table {name!r} is of {engine}, which has no transactions: ALTER TABLE "{name}" ENGINE=InnoDB')
    columns = tuple(_column(*row) for row in _rows(driver, _COLUMNS, schema, name))
    indexes = _plain(_rows(driver, _INDEXES, schema, name))
    unique = tuple(frozenset(names) for names in indexes.values())
    return Layout(schema, name, kind, columns, tuple(indexes.get("PRIMARY", ())), unique)


_REFERRERS = """
SELECT CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, COLUMN_NAME, REFERENCED_COLUMN_NAME FROM information_schema.KEY_COLUMN_USAGE
WHERE REFERENCED_TABLE_SCHEMA = %s AND REFERENCED_TABLE_NAME = %s ORDER BY CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION
"""


def referrers(driver: Any, layout: Layout) -> list[Referrer]:
    """Foreign keys that refer to the table."""
    rows = groupby(_rows(driver, _REFERRERS, layout.schema, layout.name), key=itemgetter(0, 1, 2))
    return [Referrer(schema, name, key, tuple((one[3], one[4]) for one in parts)) for (schema, name, key), parts in rows]


def _column(name: str, declared: str, base: str, nullable: str, default: str | None, extra: str, collation: str | None) -> Found:
    extra = extra.upper()
    return Found(
        name=name,
        type=declared,
        base=base.lower(),
        nullable=nullable == "YES",
        default=default not in (None, "NULL" if nullable == "YES" else None) or "AUTO_INCREMENT" in extra or "DEFAULT_GENERATED" in extra,
        generated=any(word in extra for word in _GENERATED),
        moves="ON UPDATE" in extra or base.lower() == "timestamp",
        collation=collation or "",
    )


def _plain(rows: list[tuple[Any, ...]]) -> dict[str, list[str]]:
    """Unique indexes of whole columns, by name."""
    found = {name: list(parts) for name, parts in groupby(rows, key=itemgetter(0))}
    return {
        name: [part[1] for part in parts] for name, parts in found.items() if all(part[1] is not None and part[2] is None for part in parts)
    }


def _rows(driver: Any, query: str, *values: str | None) -> list[tuple[Any, ...]]:
    with driver.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())
