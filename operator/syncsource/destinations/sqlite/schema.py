"""What SQLite's pragmas tell of a table."""

from __future__ import annotations

from typing import Any

from syncsource.destinations.quoting import quoted
from syncsource.destinations.table import Found, Layout, Referrer
from syncsource.errors import SchemaMismatch, StalledError

UNTYPED = "a column without type"
_GENERATED = (2, 3)


def layout(driver: Any, schema: str | None, name: str) -> Layout | None:
    """The table, or what else has its name; None where nothing has."""
    if schema is not None:
        raise StalledError("spec.destination.sql.schema: SQLite has no schemas: remove it")
    found = driver.execute(
        "SELECT name, type FROM main.sqlite_master WHERE type IN ('table', 'view') AND name = ? COLLATE NOCASE", [name]
    ).fetchone()
    if found is None:
        return None
    name, kind = found
    rows = driver.execute(f"PRAGMA main.table_xinfo({quoted(name)})").fetchall()
    primary = tuple(row[1] for row in sorted(rows, key=lambda row: row[5]) if row[5])
    if kind == "table" and not rows:
        raise SchemaMismatch(f"the table {name!r} has no columns")
    columns = tuple(_column(driver, name, row, primary) for row in rows if row[6] != 1)
    return Layout(None, name, kind, columns, primary, _unique(driver, name, primary))


def referrers(driver: Any, layout: Layout) -> list[Referrer]:
    """Foreign keys that refer to the table. One that names no column means the primary key."""
    found = []
    for (name,) in driver.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'").fetchall():
        keys: dict[int, list[Any]] = {}
        for row in driver.execute(f"PRAGMA main.foreign_key_list({quoted(name)})").fetchall():
            if row[2].lower() == layout.name.lower():
                keys.setdefault(row[0], []).append(row)
        for rows in keys.values():
            pairs = tuple((row[3], row[4] or layout.primary[row[1]]) for row in rows)
            found.append(Referrer("main", name, f"its column {', '.join(theirs for theirs, _ in pairs)}", pairs))
    return found


def affinity(declared: str) -> str:
    """SQLite's own rules, in their order: a type that they don't know is NUMERIC, none at all is BLOB."""
    text = declared.upper()
    if "INT" in text:
        return "INTEGER"
    if any(word in text for word in ("CHAR", "CLOB", "TEXT")):
        return "TEXT"
    if not text or "BLOB" in text:
        return "BLOB"
    return "REAL" if any(word in text for word in ("REAL", "FLOA", "DOUB")) else "NUMERIC"


def _column(driver: Any, table: str, row: tuple[Any, ...], primary: tuple[str, ...]) -> Found:
    _, name, declared, required, default, _, hidden = row
    rowid = primary == (name,) and declared.upper() == "INTEGER"
    return Found(
        name=name,
        type=declared or UNTYPED,
        base=affinity(declared),
        nullable=not required,
        default=default is not None or rowid,
        generated=hidden in _GENERATED,
        collation=_collation(driver, table, name),
    )


def _collation(driver: Any, table: str, column: str) -> str:
    """No pragma tells a column's collation, so it is tried out: the second half of a UNION ALL compares as the first does."""
    union = f"SELECT {quoted(column)} AS x FROM main.{quoted(table)} WHERE 0 UNION ALL SELECT 'a'"
    folds_case, ignores_spaces = driver.execute(f"SELECT x = 'A', x = 'a ' FROM ({union})").fetchone()
    return "NOCASE" if folds_case else "RTRIM" if ignores_spaces else "BINARY"


def _unique(driver: Any, table: str, primary: tuple[str, ...]) -> tuple[frozenset[str], ...]:
    found = [frozenset(primary)] if primary else []
    for _, name, unique, _, partial in driver.execute(f"PRAGMA main.index_list({quoted(table)})").fetchall():
        columns = [row[2] for row in driver.execute(f"PRAGMA main.index_info({quoted(name)})").fetchall()]
        if unique and not partial and None not in columns:
            found.append(frozenset(columns))
    return tuple(found)
