"""The floor: what the parts cost with nothing around them. ``python -m benchmarks.floor UPSTREAM DATABASE``."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import orjson
import psycopg

from benchmarks.timing import clock

COLUMNS = [
    "id",
    "number",
    "status",
    "currency",
    "paid",
    "customer",
    "phone",
    "email",
    "total",
    "tax",
    "items",
    "note",
    "created",
    "modified",
]
TYPES = [
    "bigint",
    "text",
    "text",
    "text",
    "boolean",
    "text",
    "text",
    "text",
    "numeric(18,2)",
    "numeric(18,2)",
    "bigint",
    "text",
    "timestamptz",
    "timestamptz",
]
CREATE = f"CREATE TABLE IF NOT EXISTS orders ({', '.join(map(' '.join, zip(COLUMNS, TYPES, strict=True)))}, PRIMARY KEY (id))"
SET = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:])


def pages(upstream: str) -> Iterator[list[tuple[Any, ...]]]:
    """Rows of each page."""
    with httpx.Client() as client:
        cursor: str | None = "0"
        while cursor is not None:
            body = orjson.loads(client.get(f"{upstream}/orders", params={"cursor": cursor}).content)
            yield [_row(order) for order in body["data"]]
            cursor = body["next"]


def _row(order: dict[str, Any]) -> tuple[Any, ...]:
    customer, amount = order["customer"], order["amount"]
    return (
        order["id"],
        order["number"],
        order["status"],
        order["currency"],
        order["paid"],
        customer["name"],
        customer["phone"],
        customer["email"],
        amount["total"],
        amount["tax"],
        order["items"],
        order["note"],
        order["created"],
        order["modified"],
    )


def postgresql(upstream: str, url: str) -> None:
    """COPY into a temporary table, then one INSERT ON CONFLICT."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(CREATE)
        cursor.execute("CREATE TEMP TABLE staging (LIKE orders)")
        for rows in pages(upstream):
            with cursor.copy("COPY staging FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        cursor.execute(f"INSERT INTO orders SELECT * FROM staging ON CONFLICT (id) DO UPDATE SET {SET}")


def sqlite(upstream: str, path: str) -> None:
    """executemany of INSERT ON CONFLICT, straight into the table."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(CREATE)
    for rows in pages(upstream):
        connection.executemany(f"INSERT INTO orders VALUES ({','.join('?' * len(COLUMNS))}) ON CONFLICT (id) DO UPDATE SET {SET}", rows)
    connection.commit()
    connection.close()


if __name__ == "__main__":
    upstream, database = sys.argv[1:]
    with clock():
        postgresql(upstream, database) if database.startswith("postgresql") else sqlite(upstream, database.removeprefix("sqlite:///"))
