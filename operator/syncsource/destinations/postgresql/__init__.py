"""PostgreSQL: COPY into a temporary table, rows locked in the order of their key, NULL-safe comparison by IS DISTINCT FROM."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import URL, Engine

from syncsource.destinations.dialect import Dumping, Load, Refusal, Terms
from syncsource.destinations.dumps.programs import Programs
from syncsource.destinations.postgresql import catalog, columns, connecting, copying, faults
from syncsource.destinations.postgresql.dumping import PostgresDumping
from syncsource.destinations.quoting import CHANGES, REFUSED, STAGE, Joined, quoted, updating
from syncsource.destinations.table import Column, Found, Layout, Referrer, Table
from syncsource.destinations.values import Codec
from syncsource.errors import SyncError
from syncsource.resource.fields import FieldSpec

_STREAM_ROWS = 5000
_UNEQUAL = frozenset(("xml", "point", "line", "lseg", "box", "path", "polygon", "circle"))
"""Types that have no =, or one that compares something else than values."""
_ALONE = "SELECT pg_advisory_xact_lock(hashtextextended('syncsource create', 0))"


class PostgreSQL:
    """PostgreSQL 13 and later."""

    begin = "BEGIN ISOLATION LEVEL READ COMMITTED"
    temp = "pg_temp"
    placeholder = "%s"
    insert = "INSERT INTO"
    join = "JOIN"
    numbered = "AS "
    temporary = ""
    as_given = "OVERRIDING SYSTEM VALUE "

    def engine(self, url: URL, terms: Terms) -> Engine:
        return connecting.connect(url, terms)

    def standstill(self, *, within: bool) -> str | None:
        """Where a transaction is open it has its own setting."""

    def translate(self, error: BaseException, place: str) -> SyncError | None:
        return faults.translate(error, place)

    def refusal(self, error: BaseException) -> Refusal:
        return faults.refusal(error)

    def layout(self, driver: Any, schema: str | None, name: str) -> Layout | None:
        return catalog.layout(driver, schema, name)

    def referrers(self, driver: Any, layout: Layout) -> Sequence[Referrer]:
        return catalog.referrers(driver, layout)

    def create(self, driver: Any, schema: str | None, name: str, fields: Sequence[FieldSpec], keys: Sequence[str]) -> None:
        """Under a lock: CREATE TABLE IF NOT EXISTS alone fails where two sessions race."""
        parts = [f"{quoted(field.name)} {columns.created(field.type)}" for field in fields]
        parts.append(f"PRIMARY KEY ({', '.join(map(quoted, keys))})")
        driver.execute(_ALONE)
        driver.execute(f"CREATE TABLE IF NOT EXISTS {quoted(schema, name)} ({', '.join(parts)})")

    def create_companion(
        self, driver: Any, name: str, own: Mapping[str, str], columns: Sequence[Found], layout: Layout, index: Sequence[str]
    ) -> None:
        """CREATE … AS keeps each column's type, length and collation, and no constraint."""
        typed = [*(f"NULL::{kind} AS {quoted(one)}" for one, kind in own.items()), *(quoted(column.name) for column in columns)]
        driver.execute(_ALONE)
        source = quoted(layout.schema, layout.name)
        driver.execute(f"CREATE TABLE IF NOT EXISTS {quoted(name)} AS SELECT {', '.join(typed)} FROM {source} WITH NO DATA")
        kind, indexed = ("", index) if index else ("UNIQUE ", list(own))
        driver.execute(f"CREATE {kind}INDEX IF NOT EXISTS {quoted(f'{name}_key')} ON {quoted(name)} ({', '.join(map(quoted, indexed))})")

    def created(self, field_type: str) -> str:
        return columns.created(field_type)

    def typed(self, found: Found) -> str:
        return found.type

    def later(self, column: Column, one: str, other: str) -> str:
        return f"{one} > {other}"

    def find(self, columns: Sequence[Found], name: str) -> Found | None:
        return next((column for column in columns if column.name == name), None)

    def codec(self, found: Found, field_type: str, key: bool) -> Codec | None:
        return columns.codec(found, field_type, key)

    def stage_ddl(self, table: Table, cursors: bool) -> Sequence[str]:
        """CREATE … AS keeps each column's type, length and collation."""
        typed = [f"{quoted(column.name)} AS c{place}" for place, column in enumerate(table.columns)]
        extra = ['NULL::text AS "cursor"'] if cursors else []
        select = ", ".join(["0::bigint AS seq", *extra, *typed])
        return [
            f"CREATE TEMPORARY TABLE {STAGE} ON COMMIT PRESERVE ROWS AS SELECT {select} FROM {quoted(table.schema, table.name)} WITH NO DATA"
        ]

    def work_table(self, columns: str) -> str:
        return f"({columns})"

    @contextmanager
    def loading(self, driver: Any, names: Sequence[str]) -> Iterator[Load]:
        with driver.cursor() as cursor, cursor.copy(f"COPY {self.temp}.{STAGE} ({', '.join(names)}) FROM STDIN") as copy:
            yield partial(copying.send, copy)

    def staged(self, table: Table, *, sought: bool) -> Sequence[str]:
        """Statistics of what is joined: without them the comparison is planned for a table of ten rows."""
        keys = [f"c{place}" for place, column in enumerate(table.columns) if column.key]
        return [f"ANALYZE {self.temp}.{STAGE} ({', '.join(['seq', *keys])})"]

    def differs(self, column: Column, one: str, other: str) -> str:
        if column.found.base == "json":
            return f"{one}::jsonb IS DISTINCT FROM {other}::jsonb"
        if column.found.base in _UNEQUAL:
            return f"{one}::text IS DISTINCT FROM {other}::text"
        if column.found.collation:  # texts that are equal to it may still differ
            return f'{one}::text COLLATE "C" IS DISTINCT FROM {other}::text COLLATE "C"'
        return f"{one} IS DISTINCT FROM {other}"

    def exact(self, column: Column, expression: str) -> str | None:
        return f'{expression}::text COLLATE "C"' if column.found.collation else None

    def readable(self, column: Column, expression: str) -> str:
        """psycopg reads JSON's numbers as floats, and other types as objects of its own."""
        return f"{expression}::text" if column.field_type in ("json", "text", "uuid") else expression

    def guards(self, table: Table) -> Sequence[str]:
        """Deferred constraints would fail at COMMIT, where no row can be named. Without a unique index nothing but a lock keeps
        two SyncSources of one table from inserting the same key; people are not held up by it."""
        statements = ["SET CONSTRAINTS ALL IMMEDIATE"]
        if table.alone:
            name = quoted(table.schema, table.name).replace("'", "''")
            statements.append(f"SELECT pg_advisory_xact_lock(hashtextextended('syncsource ' || '{name}', 0))")
        return statements

    def updating(
        self,
        target: str,
        assigned: Sequence[tuple[str, str]],
        kept: Sequence[str],
        joined: Sequence[Joined],
        keys: str,
        where: str,
    ) -> str:
        return updating("UPDATE", target, assigned, joined, keys, where)

    def deleting(self, target: str, match: Sequence[str], other: str, keys: str, where: str) -> str:
        return f"DELETE FROM {target} AS t WHERE EXISTS (SELECT 1 FROM {other} WHERE {keys} AND {where})"

    def locks(self, joined: str, order: str) -> str | None:
        return f"SELECT count(*) FROM (SELECT 1 FROM {joined} ORDER BY {order} FOR UPDATE OF t) locked"

    def bisecting(self) -> Sequence[str]:
        tables = [f"{self.temp}.{name}" for name in (STAGE, CHANGES, REFUSED)]
        indexes = [f"CREATE INDEX IF NOT EXISTS {name.partition('.')[2]}_seq ON {name} (seq)" for name in tables]
        return [*indexes, f"ANALYZE {tables[1]}"]

    def stream(self, driver: Any, statement: str) -> Iterator[tuple[Any, ...]]:
        with driver.cursor(name="syncsource_stream") as cursor:
            cursor.itersize = _STREAM_ROWS
            cursor.execute(statement)
            yield from cursor

    def in_place(self, driver: Any) -> bool:
        return True

    def dumping(self, driver: Any, programs: Programs) -> Dumping:
        return PostgresDumping(driver, programs)

    def cancel(self, driver: Any) -> None:
        driver.cancel_safe(timeout=5)
