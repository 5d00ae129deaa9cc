"""What PostgreSQL's catalog tells of a table."""

from __future__ import annotations

from typing import Any

from syncsource.destinations.quoting import quoted
from syncsource.destinations.table import Found, Layout, Referrer
from syncsource.errors import SchemaMismatch

_KINDS = {"r": "table", "p": "table", "v": "view", "m": "materialized view", "f": "foreign table", "S": "sequence", "i": "index"}

_RELATION = "SELECT c.oid, n.nspname, c.relname, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass(%s)"

_COLUMNS = """
WITH RECURSIVE base AS (
  SELECT a.attnum, t.oid, t.typname, t.typtype, t.typcategory, t.typbasetype, a.atttypmod AS size, t.typnotnull AS required, t.typdefault IS NOT NULL AS filled
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT b.attnum, t.oid, t.typname, t.typtype, t.typcategory, t.typbasetype, d.typtypmod, b.required OR t.typnotnull, b.filled OR t.typdefault IS NOT NULL
  FROM base b JOIN pg_type d ON d.oid = b.oid JOIN pg_type t ON t.oid = b.typbasetype WHERE b.typtype = 'd'
)
SELECT a.attname, format_type(a.atttypid, a.atttypmod), CASE b.typtype WHEN 'e' THEN 'enum' ELSE b.typname END,
  NOT (a.attnotnull OR b.required), a.atthasdef OR b.filled OR a.attidentity <> '', a.attgenerated <> '' OR a.attidentity = 'a',
  b.size, CASE WHEN b.typname IN ('citext', 'interval') OR NOT coalesce(l.collisdeterministic, true) THEN 'folding' ELSE '' END
FROM base b JOIN pg_attribute a ON a.attrelid = %s AND a.attnum = b.attnum LEFT JOIN pg_collation l ON l.oid = a.attcollation
WHERE b.typtype <> 'd' ORDER BY a.attnum
"""

_INDEXES = """
SELECT i.indisprimary, array(
  SELECT a.attname::text FROM unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY AS k(attnum, place)
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum ORDER BY k.place)
FROM pg_index i
WHERE i.indrelid = %s AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
"""


def layout(driver: Any, schema: str | None, name: str) -> Layout | None:
    """The table, or what else has its name, with its true schema; None where nothing has. Names mean what search_path says."""
    if schema is not None and driver.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [schema]).fetchone() is None:
        raise SchemaMismatch(f"the database has no schema {schema!r}: create it, or mend spec.destination.sql.schema")
    found = driver.execute(_RELATION, [quoted(schema, name)]).fetchone()
    if found is None:
        return None
    oid, schema, name, kind = found
    columns = tuple(Found(*row) for row in driver.execute(_COLUMNS, [oid, oid]).fetchall())
    indexes = driver.execute(_INDEXES, [oid]).fetchall()
    primary = next((tuple(names) for is_primary, names in indexes if is_primary), ())
    return Layout(schema, name, _KINDS.get(kind, "relation"), columns, primary, tuple(frozenset(names) for _, names in indexes))


_REFERRERS = """
SELECT n.nspname, c.relname, k.conname, array(
  SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u(attnum, place)
  JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.attnum ORDER BY u.place), array(
  SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS u(attnum, place)
  JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.attnum ORDER BY u.place)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'f' AND k.confrelid = to_regclass(%s) AND k.conparentid = 0 ORDER BY 1, 2, 3
"""


def referrers(driver: Any, layout: Layout) -> list[Referrer]:
    """Foreign keys that refer to the table; of one that stands in the parts of a table, the table's."""
    rows = driver.execute(_REFERRERS, [quoted(layout.schema, layout.name)]).fetchall()
    return [Referrer(schema, name, key, tuple(zip(theirs, ours, strict=True))) for schema, name, key, theirs, ours in rows]
