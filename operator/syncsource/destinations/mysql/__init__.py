"""MySQL and MariaDB: LOAD DATA or inserts into a temporary table, tables joined in our order so that no other row is locked, bytes compared where
texts are equal to a collation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from typing import Any

from sqlalchemy import URL, Engine

from syncsource.databases.mysql import by_code_point
from syncsource.destinations.dialect import Dumping, Load, Refusal, Terms
from syncsource.destinations.dumps.programs import Programs
from syncsource.destinations.mysql import columns, connecting, faults, schema
from syncsource.destinations.mysql.dumping import MySqlDumping
from syncsource.destinations.mysql.filling import Filling
from syncsource.destinations.quoting import NUMBER, ROW_ID, STAGE, Joined, in_a_row, quoted
from syncsource.destinations.table import Column, Found, Layout, Referrer, Table, folded
from syncsource.destinations.values import Codec
from syncsource.errors import SyncError
from syncsource.resource.fields import FieldSpec

_TEXTUAL = frozenset(("char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum"))
_EXACT = ("nopad_bin", "0900_bin")
"""Ends of the names of collations by which different texts are never equal."""
_MOMENTS = frozenset(("datetime", "timestamp"))
_LONG = frozenset(("tinyblob", "blob", "mediumblob", "longblob"))
_INDEXED = 40
"""Characters of a column in an index of ours: sixteen columns of them fit."""
_LOCK_SECONDS = 30


class MySQL:
    """MariaDB 10.6 and MySQL 8.0.23, and later."""

    begin = "BEGIN"
    temp = ""
    placeholder = "%s"
    insert = "INSERT INTO"
    join = "STRAIGHT_JOIN"
    numbered = f"({NUMBER} bigint NOT NULL PRIMARY KEY) "
    temporary = "TEMPORARY "
    as_given = ""

    def engine(self, url: URL, terms: Terms) -> Engine:
        return connecting.connect(url, terms)

    def standstill(self, *, within: bool) -> str | None:
        return connecting.standstill(within=within)

    def translate(self, error: BaseException, place: str) -> SyncError | None:
        return faults.translate(error, place)

    def refusal(self, error: BaseException) -> Refusal:
        return faults.refusal(error)

    def layout(self, driver: Any, schema_name: str | None, name: str) -> Layout | None:
        return schema.layout(driver, schema_name, name)

    def referrers(self, driver: Any, layout: Layout) -> Sequence[Referrer]:
        return schema.referrers(driver, layout)

    def create(self, driver: Any, schema_name: str | None, name: str, fields: Sequence[FieldSpec], keys: Sequence[str]) -> None:
        """Texts compare by code point, spaces at their end included."""
        mariadb = "MariaDB" in driver.get_server_info()
        parts = [f"{quoted(field.name)} {columns.created(field.type, len(keys) if field.name in keys else 0)}" for field in fields]
        primary = f"PRIMARY KEY ({', '.join(map(quoted, keys))})"
        parts.append(primary if keys else f"{quoted(ROW_ID)} bigint NOT NULL AUTO_INCREMENT PRIMARY KEY")
        with driver.cursor() as cursor:
            cursor.execute(
                f"CREATE TABLE IF NOT EXISTS {quoted(schema_name, name)} ({', '.join(parts)}) "
                f"ENGINE=InnoDB ROW_FORMAT=DYNAMIC CHARACTER SET utf8mb4 COLLATE {by_code_point(mariadb=mariadb)}"
            )

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
        """CREATE … SELECT keeps each column's type, length and collation."""
        primary = f"PRIMARY KEY ({', '.join(map(quoted, own))})"
        indexes = [f"KEY ({', '.join(_indexed(columns, one) for one in names)})" for names in index]
        unseen = [f"{NUMBER} bigint NOT NULL AUTO_INCREMENT INVISIBLE PRIMARY KEY", *indexes]
        parts = [*(f"{quoted(one)} {kind} NOT NULL" for one, kind in own.items()), *(unseen if index else [primary])]
        names = ", ".join([*(f"0 AS {quoted(one)}" for one in own), *(quoted(column.name) for column in columns)])
        with driver.cursor() as cursor:
            cursor.execute(
                f"CREATE {'TEMPORARY ' * temporary}TABLE IF NOT EXISTS {quoted(name)} ({', '.join(parts)}) ENGINE=InnoDB ROW_FORMAT=DYNAMIC "
                f"SELECT {names} FROM {quoted(layout.schema, layout.name)} LIMIT 0"
            )

    def make_indexes(self, name: str, index: Sequence[Sequence[str]]) -> Sequence[str]:
        return []

    def drop_indexes(self, name: str, index: Sequence[Sequence[str]]) -> Sequence[str]:
        return []

    def owned(self, name: str) -> str:
        return "SELECT 0"

    def changing(self, name: str) -> Sequence[str]:
        """It changes rows in place."""
        return []

    def created(self, field_type: str) -> str:
        return columns.created(field_type)

    def typed(self, found: Found) -> str:
        """A TIMESTAMP is NOT NULL on some servers unless it says NULL."""
        return f"{found.type} {f'COLLATE {found.collation}' if found.collation else ''} NULL"

    def later(self, column: Column, one: str, other: str) -> str:
        return f"{one} > {other}"

    def find(self, columns: Sequence[Found], name: str) -> Found | None:
        return folded(columns, name)

    def codec(self, found: Found, field_type: str, key: bool) -> Codec | None:
        if not key:
            return columns.codec(found, field_type)
        return None if field_type == "json" else columns.key_codec(found, field_type)

    def stage_ddl(self, table: Table, cursors: bool) -> Sequence[str]:
        """CREATE … SELECT keeps each column's type, length and collation. The server may look for the key of each row of the table: an index can't be
        added later, since that would commit."""
        typed = [f"{quoted(column.name)} AS c{place}" for place, column in enumerate(table.columns)]
        keys = [_indexed([replace(found, name=staged)], staged) for found, staged in table.matching]
        found = [f"p{place} {self.typed(one)}" for place, one in enumerate(table.identity)]
        own = [
            "seq bigint NOT NULL PRIMARY KEY",
            *(['"cursor" longtext CHARACTER SET utf8mb4'] if cursors else []),
            *found,
            f"KEY ({', '.join(keys)})",
        ]
        select = ", ".join(["0 AS seq", *(['NULL AS "cursor"'] if cursors else []), *typed])
        return [
            f"CREATE TEMPORARY TABLE {STAGE} ({', '.join(own)}) ENGINE=InnoDB ROW_FORMAT=DYNAMIC "
            f"SELECT {select} FROM {quoted(table.schema, table.name)} LIMIT 0"
        ]

    def work_table(self, columns: str, sought: Sequence[str] = ()) -> str:
        """Some servers want a primary key in every table."""
        keys = ", ".join(f"KEY ({column})" for column in ("seq", *sought))
        own = f"n bigint NOT NULL AUTO_INCREMENT INVISIBLE PRIMARY KEY, {keys}"
        return f"({columns}, {own}) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"

    def indexes(self, name: str, sought: Sequence[str]) -> Sequence[str]:
        """To add one would commit."""
        return []

    @contextmanager
    def loading(self, driver: Any, names: Sequence[str]) -> Iterator[Load]:
        """In a transaction of its own, which touches nothing but the temporary table."""
        driver.begin()
        filling = Filling(driver, names)
        try:
            yield filling.take
            filling.finish()
        except BaseException:
            filling.leave()
            if driver.open:
                driver.rollback()
            raise
        driver.commit()

    def fill(self, driver: Any, table: str, columns: Sequence[Sequence[Any]]) -> None:
        marks = ", ".join(["%s"] * len(columns))
        with driver.cursor() as cursor:
            cursor.executemany(f"INSERT INTO {table} VALUES ({marks})", list(zip(*columns, strict=True)))

    def staged(self, table: Table, *, sought: bool) -> Sequence[str]:
        return []

    def differs(self, column: Column, one: str, other: str) -> str:
        if column.found.base in _TEXTUAL and not _exact(column):
            return f"NOT (CAST({one} AS BINARY) <=> CAST({other} AS BINARY))"
        return f"NOT ({one} <=> {other})"

    def exact(self, column: Column, expression: str) -> str | None:
        """Most collations fold case or accents, and all but a few don't look at spaces at the end."""
        folds = column.found.base in _TEXTUAL - {"enum"} and not _exact(column)
        return f"CAST({expression} AS BINARY)" if folds else None

    def readable(self, column: Column, expression: str) -> str:
        """PyMySQL makes objects of its own of instants and times, and the server shows six digits of a FLOAT."""
        if column.found.base == column.field_type == "float":
            return f"CAST({expression} AS DOUBLE)"
        if column.found.base in _MOMENTS and column.field_type == "timestamp":
            return f"CONCAT(REPLACE({expression}, ' ', 'T'), 'Z')"
        return f"CAST({expression} AS CHAR)" if column.found.base in ("time", "json") else expression

    def guards(self, table: Table) -> Sequence[str]:
        """Without a unique index nothing but a lock keeps two SyncSources of one table from inserting the same key; people are not held up by it.
        It ends with the connection. One that is not given is an error: two rows where one is wanted."""
        if not table.alone:
            return []
        name = sha256(quoted(table.schema, table.name).encode()).hexdigest()[:40]
        return [f"SELECT IF(GET_LOCK('syncsource {name}', {_LOCK_SECONDS}) = 1, 1, (SELECT 1 UNION SELECT 2))"]

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
        """A key may be an instant that is set ON UPDATE, unless a statement sets it. Where the table comes first its rows are changed as they are read, unless
        its primary key is set: otherwise they are kept in a table of the server's own until all are found, which takes twice as long."""
        pairs = ", ".join(f"t.{quoted(name)} = {value}" for name, value in [*assigned, *((name, f"t.{quoted(name)}") for name in kept)])
        tables = _first(f"{target} AS t", keys, joined) if whole else [*joined, Joined(f"{target} AS t", keys)]
        return f"UPDATE {in_a_row(tables, self.join)} SET {pairs} WHERE {where}"

    def deleting(self, target: str, match: Sequence[str], other: str, keys: str, where: str) -> str:
        return f"DELETE t FROM {other} STRAIGHT_JOIN {target} AS t ON {keys} WHERE {where}"

    def locks(self, joined: str, order: str) -> str | None:
        """In the order of the changes: whoever waits for us in a circle is told to try again."""
        return self.locking(f"SELECT count(*) FROM {joined}", order)

    def locking(self, select: str, order: str) -> str:
        return f"{select} FOR UPDATE"

    def in_order(self, select: str, order: str) -> str | None:
        """It reads the changes in their order, and each row when it has locked it."""
        return None

    def apart(self, name: str, like: str, own: Mapping[str, str], columns: Sequence[Found]) -> str | None:
        """To create one would commit."""
        return None

    def analyzed(self, name: str) -> Sequence[str]:
        return []

    def bisecting(self) -> Sequence[str]:
        """The work tables have their indexes from the beginning: to add one would commit."""
        return []

    def stream(self, driver: Any, statement: str) -> Iterator[tuple[Any, ...]]:
        """All of them are in the client's memory: a connection that sends rows takes no other statement."""
        with driver.cursor() as cursor:
            cursor.execute(statement)
            yield from cursor

    def in_place(self, driver: Any) -> bool:
        return True

    def dumping(self, driver: Any, programs: Programs) -> Dumping:
        return MySqlDumping(driver, programs)

    def cancel(self, driver: Any) -> None:
        connecting.cancel(driver)


def _exact(column: Column) -> bool:
    """Whether its collation tells apart all that are not the same."""
    return column.found.collation.endswith(_EXACT)


def _first(target: str, keys: str, joined: Sequence[Joined]) -> list[Joined]:
    """The same joins the other way round: of those that must be there, the last one has the keys."""
    *before, keyed = [one for one in joined if not one.outer]
    outer = [one for one in joined if one.outer]
    return [Joined(target), Joined(keyed.table, keys), *(Joined(one.table, keyed.on) for one in before), *outer]


def _indexed(columns: Sequence[Found], name: str) -> str:
    """A column in an index: of long ones the beginning, so that all fit."""
    found = next((column for column in columns if column.name == name), None)
    wide = found is not None and (found.base in _LONG or (found.base in _TEXTUAL and found.base != "enum") or found.base.endswith("binary"))
    length = min(_indexed_length(found), _INDEXED) if found is not None and wide else 0
    return f"{quoted(name)}({length})" if length else quoted(name)


def _indexed_length(found: Found) -> int:
    declared = re.search(r"\((\d+)\)", found.type)
    return int(declared[1]) if declared else _INDEXED
