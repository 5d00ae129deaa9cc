"""The column by which the database itself knows the newer of two rows."""

from __future__ import annotations

from syncsource.destinations import Table
from syncsource.resource.spec import SyncSourceSpec

_MOMENTS = frozenset(("timestamp", "date"))
_NUMBERS = frozenset(("integer", "decimal", "float"))
_NUMERIC = frozenset(
    [
        "INTEGER",
        "NUMERIC",
        "REAL",
        "int2",
        "int4",
        "int8",
        "numeric",
        "float4",
        "float8",
        "tinyint",
        "smallint",
        "mediumint",
        "int",
        "bigint",
        "decimal",
        "float",
        "double",
    ]
)
"""Columns, as the databases call them, that compare numbers as numbers."""


def newest_column(spec: SyncSourceSpec, table: Table) -> str | None:
    """The column that holds the cursor, where the database compares it as it is meant: a row in which it is higher than a record's
    was read after that."""
    cursor = spec.incremental.cursor if spec.incremental else None
    for field, column in zip(spec.fields, table.columns, strict=True):
        kind = column.field_type.partition("(")[0]
        ordered = kind in _MOMENTS or (kind in _NUMBERS and column.found.base in _NUMERIC)
        if (field.path or field.name) == cursor and field.value is None and not field.partition and ordered and not column.key:
            return column.name
    return None
