"""SQLite: a temporary table filled by executemany, one writer at a time by BEGIN IMMEDIATE, NULL-safe comparison by IS NOT."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Engine

from syncsource.destinations.dialect import Dumping, Load, Refusal, Terms
from syncsource.destinations.dumps.programs import Programs
from syncsource.destinations.quoting import CHANGES, REFUSED, ROW_ID, STAGE, Joined, index_name, quoted, updating
from syncsource.destinations.sqlite import columns, connecting, faults, schema
from syncsource.destinations.sqlite.dumping import SqliteDumping
from syncsource.destinations.table import Column, Found, Layout, Referrer, Table, folded
from syncsource.destinations.values import Codec
from syncsource.errors import SyncError
from syncsource.records.columns import Written
from syncsource.resource.fields import FieldSpec


class SQLite:
    """SQLite 3.35 and later."""

    begin = "BEGIN IMMEDIATE"
    temp = "temp"
    placeholder = "?"
    insert = "INSERT OR ABORT INTO"  # a table may declare UNIQUE … ON CONFLICT REPLACE, which would delete rows
    join = "JOIN"
    numbered = "AS "
    temporary = ""
    as_given = ""

    def engine(self, url: URL, terms: Terms) -> Engine:
        return connecting.connect(url, terms)

    def standstill(self, *, within: bool) -> str | None:
        """A process that stands still holds the file's lock until it ends."""

    def translate(self, error: BaseException, place: str) -> SyncError | None:
        return faults.translate(error, place)

    def refusal(self, error: BaseException) -> Refusal:
        return faults.refusal(error)

    def layout(self, driver: Any, schema_name: str | None, name: str) -> Layout | None:
        return schema.layout(driver, schema_name, name)

    def create(self, driver: Any, schema: str | None, name: str, fields: Sequence[FieldSpec], keys: Sequence[str]) -> None:
        """NOT NULL on the key, since SQLite's primary keys take NULLs."""
        parts = [f"{quoted(field.name)} {columns.created(field.type)}{' NOT NULL' * (field.name in keys)}" for field in fields]
        primary = f"PRIMARY KEY ({', '.join(map(quoted, keys))})"
        parts.append(primary if keys else f"{quoted(ROW_ID)} INTEGER PRIMARY KEY AUTOINCREMENT")
        driver.execute(f"CREATE TABLE IF NOT EXISTS main.{quoted(name)} ({', '.join(parts)})")

    def create_companion(
        self,
        driver: Any,
        name: str,
        own: Mapping[str, str],
        columns: Sequence[Found],
        layout: Layout,
        index: Sequence[Sequence[str]],
        *,
        temporary: bool,
    ) -> None:
        primary = [] if index else [f"PRIMARY KEY ({', '.join(map(quoted, own))})"]
        parts = [*self._declared(own, columns), *primary]
        at = self.temp if temporary else "main"
        driver.execute(f"CREATE TABLE IF NOT EXISTS {at}.{quoted(name)} ({', '.join(parts)})")
        for place, indexed in enumerate(index):
            of = f"{index_name(name, place)} ON {quoted(name)} ({', '.join(map(quoted, indexed))})"
            driver.execute(f"CREATE INDEX IF NOT EXISTS {at}.{of}")

    def _declared(self, own: Mapping[str, str], columns: Sequence[Found]) -> list[str]:
        typed = [f"{quoted(found.name)} {self.typed(found)}" for found in columns]
        return [*(f"{quoted(one)} {kind} NOT NULL" for one, kind in own.items()), *typed]

    def make_indexes(self, name: str, index: Sequence[Sequence[str]]) -> Sequence[str]:
        return [
            f"CREATE INDEX main.{index_name(name, place)} ON {quoted(name)} ({', '.join(map(quoted, one))})"
            for place, one in enumerate(index)
        ]

    def drop_indexes(self, name: str, index: Sequence[Sequence[str]]) -> Sequence[str]:
        return [f"DROP INDEX IF EXISTS main.{index_name(name, place)}" for place, _ in enumerate(index)]

    def owned(self, name: str) -> str:
        return "SELECT 1"

    def changing(self, name: str) -> Sequence[str]:
        """It changes rows in place."""
        return []

    def created(self, field_type: str) -> str:
        return columns.created(field_type)

    def typed(self, found: Found) -> str:
        """A type in quotes is taken as it was declared, whatever its words are."""
        return f"{'' if found.type == schema.UNTYPED else quoted(found.type)} COLLATE {found.collation}"

    def later(self, column: Column, one: str, other: str) -> str:
        """People write instants in another form than we do."""
        if column.field_type in ("timestamp", "date"):
            return f"julianday({one}) > julianday({other})"
        return f"{one} > {other}"

    def find(self, columns: Sequence[Found], name: str) -> Found | None:
        return folded(columns, name)

    def codec(self, found: Found, field_type: str, key: bool) -> Codec | None:
        return None if key and field_type == "json" else columns.codec(found, field_type)

    def stage_ddl(self, table: Table, cursors: bool) -> Sequence[str]:
        typed = [f"c{place} {_affinity(column.found)} COLLATE {column.found.collation}" for place, column in enumerate(table.columns)]
        found = [f"p{place} {_affinity(one)} COLLATE {one.collation}" for place, one in enumerate(table.identity)]
        parts = ["seq INTEGER PRIMARY KEY", *(['"cursor" TEXT'] if cursors else []), *typed, *found]
        return [f"CREATE TEMPORARY TABLE {STAGE} ({', '.join(parts)})"]

    def work_table(self, columns: str, sought: Sequence[str] = ()) -> str:
        return f"({columns})"

    def indexes(self, name: str, sought: Sequence[str]) -> Sequence[str]:
        table = name.rpartition(".")[2]
        return [f"CREATE INDEX IF NOT EXISTS {self.temp}.{table}_{column} ON {table} ({column})" for column in sought]

    @contextmanager
    def loading(self, driver: Any, names: Sequence[str]) -> Iterator[Load]:
        """In a transaction of its own, which touches nothing but temporary tables and so locks nothing."""
        insert = f"INSERT INTO {self.temp}.{STAGE} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
        driver.execute("BEGIN")
        try:
            yield lambda columns: driver.executemany(insert, zip(*map(_as_they_go, columns), strict=True))
        except BaseException:
            driver.rollback()
            raise
        driver.execute("COMMIT")

    def fill(self, driver: Any, table: str, columns: Sequence[Sequence[Any]]) -> None:
        driver.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})", zip(*columns, strict=True))

    def staged(self, table: Table, *, sought: bool) -> Sequence[str]:
        """Without an index SQLite would look through all of them each time."""
        keys = ", ".join(staged for _, staged in table.matching)
        return [f"CREATE INDEX IF NOT EXISTS {self.temp}.{STAGE}_keys ON {STAGE} ({keys})"] if sought else []

    def referrers(self, driver: Any, layout: Layout) -> Sequence[Referrer]:
        return schema.referrers(driver, layout)

    def differs(self, column: Column, one: str, other: str) -> str:
        return f"{one} IS NOT {other} COLLATE BINARY"

    def exact(self, column: Column, expression: str) -> str | None:
        return None if column.found.collation == "BINARY" else f"{expression} COLLATE BINARY"

    def readable(self, column: Column, expression: str) -> str:
        return expression

    def guards(self, table: Table) -> Sequence[str]:
        return []

    def updating(
        self,
        target: str,
        assigned: Sequence[tuple[str, str]],
        kept: Sequence[str],
        joined: Sequence[Joined],
        keys: str,
        where: str,
        *,
        whole: bool = False,
    ) -> str:
        return updating("UPDATE OR ABORT", target, assigned, joined, keys, where)

    def deleting(self, target: str, match: Sequence[str], other: str, keys: str, where: str) -> str:
        """By a list: SQLite would look through the other table once for each row."""
        found = f"SELECT {', '.join(f't.{name}' for name in match)} FROM {other} JOIN {target} AS t ON {keys} WHERE {where}"
        return f"DELETE FROM {target} WHERE ({', '.join(match)}) IN ({found})"

    def locks(self, joined: str, order: str) -> str | None:
        """BEGIN IMMEDIATE keeps every other writer out."""

    def locking(self, select: str, order: str) -> str:
        return select

    def in_order(self, select: str, order: str) -> str | None:
        """Nobody else writes."""
        return None

    def apart(self, name: str, like: str, own: Mapping[str, str], columns: Sequence[Found]) -> str | None:
        return f"CREATE TABLE main.{quoted(name)} ({', '.join(self._declared(own, columns))})"

    def analyzed(self, name: str) -> Sequence[str]:
        return []

    def bisecting(self) -> Sequence[str]:
        """The staging table's seq is its rowid."""
        return [f"CREATE INDEX IF NOT EXISTS {self.temp}.{name}_seq ON {name} (seq)" for name in (CHANGES, REFUSED)]

    def stream(self, driver: Any, statement: str) -> Iterator[tuple[Any, ...]]:
        yield from driver.execute(statement)

    def in_place(self, driver: Any) -> bool:
        return bool(driver.in_place)

    def dumping(self, driver: Any, programs: Programs) -> Dumping:
        return SqliteDumping(driver)

    def cancel(self, driver: Any) -> None:
        driver.interrupt()


def _as_they_go(values: Sequence[Any]) -> Sequence[Any]:
    return values.texts if isinstance(values, Written) else values


def _affinity(found: Found) -> str:
    return "" if found.base == "BLOB" else found.base
