"""The floor of each database: a script that does its best upsert and nothing else. ``python -m benchmarks.upserts FILE DATABASE``.

The csv module reads the file. No row that is the same is written again, as a run of ours does not.
"""

from __future__ import annotations

import csv
import sqlite3
import sys
import tempfile
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pymysql

from benchmarks.floor import COLUMNS, CREATE, SET
from benchmarks.timing import clock

Cells = list[str | None]
_LINES = 2000
_OTHERS = COLUMNS[1:]
_PAID, _MOMENTS = COLUMNS.index("paid"), (COLUMNS.index("created"), COLUMNS.index("modified"))


def rows(file: str) -> Iterator[Cells]:
    """The cells of each line, empty ones as nulls."""
    with open(file, newline="", encoding="utf-8") as text:
        lines = csv.reader(text)
        next(lines)
        for line in lines:
            yield [cell or None for cell in line]


def tabbed(lines: Iterable[Cells]) -> Iterator[str]:
    """Some thousand lines at a time as bulk loaders take them; no cell of an order needs an escape."""
    some: list[str] = []
    for line in lines:
        some.append("\t".join(["\\N" if cell is None else cell for cell in line]))
        if len(some) == _LINES:
            yield "\n".join(some) + "\n"
            some.clear()
    if some:
        yield "\n".join(some) + "\n"


def postgresql(file: str, url: str) -> None:
    """COPY into a temporary table, then one INSERT ON CONFLICT where something differs."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(CREATE)
        cursor.execute("CREATE TEMP TABLE staging (LIKE orders)")
        with cursor.copy("COPY staging FROM STDIN") as copy:
            for text in tabbed(rows(file)):
                copy.write(text)
        mine, theirs = (", ".join(f"{one}.{name}" for name in _OTHERS) for one in ("orders", "excluded"))
        condition = f"({mine}) IS DISTINCT FROM ({theirs})"
        cursor.execute(f"INSERT INTO orders SELECT * FROM staging ON CONFLICT (id) DO UPDATE SET {SET} WHERE {condition}")


def mariadb(file: str, url: str) -> None:
    """LOAD DATA of a file of its own into a temporary table, then one INSERT ON DUPLICATE KEY, which writes no row that stays as it is."""
    parts = urlsplit(url)
    (path,) = parse_qs(parts.query)["unix_socket"]
    where: Any = {"unix_socket": path, "user": parts.username, "database": parts.path[1:], "ssl_disabled": True}
    with pymysql.connect(**where, local_infile=True) as connection, connection.cursor() as cursor:
        cursor.execute(f"{CREATE.replace('timestamptz', 'datetime(6)')} CHARACTER SET utf8mb4")
        cursor.execute("CREATE TEMPORARY TABLE staging SELECT * FROM orders LIMIT 0")
        with tempfile.NamedTemporaryFile("w") as text:
            text.writelines(tabbed(map(_as_mariadb_reads, rows(file))))
            text.flush()
            cursor.execute(f"LOAD DATA LOCAL INFILE '{text.name}' INTO TABLE staging CHARACTER SET utf8mb4")
        values = ", ".join(f"{name} = VALUES({name})" for name in _OTHERS)
        cursor.execute(f"INSERT INTO orders SELECT * FROM staging ON DUPLICATE KEY UPDATE {values}")
        connection.commit()


def _as_mariadb_reads(cells: Cells) -> Cells:
    """No zones of time, no words for true and false."""
    cells[_PAID] = "1" if cells[_PAID] == "true" else "0"
    for place in _MOMENTS:
        cells[place] = (cells[place] or "")[:-1]
    return cells


def sqlite(file: str, path: str) -> None:
    """executemany of INSERT ON CONFLICT where something differs, straight into the table."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(CREATE)
    condition = " OR ".join(f"orders.{name} IS NOT excluded.{name}" for name in _OTHERS)
    insert = f"INSERT INTO orders VALUES ({','.join('?' * len(COLUMNS))}) ON CONFLICT (id) DO UPDATE SET {SET} WHERE {condition}"
    connection.executemany(insert, rows(file))
    connection.commit()
    connection.close()


if __name__ == "__main__":
    file, database = sys.argv[1:]
    with clock():
        if database.startswith("postgresql"):
            postgresql(file, database)
        elif database.startswith("mysql"):
            mariadb(file, database)
        else:
            sqlite(file, database.removeprefix("sqlite:///"))
