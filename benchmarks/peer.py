"""The peer: dlt with merge and upsert, from its REST source or a CSV file. ``python -m benchmarks.peer UPSTREAM DATABASE FOLDER [best]``."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

import dlt
from dlt.sources.rest_api import rest_api_source

from benchmarks.floor import COLUMNS
from benchmarks.manifest import TYPES
from benchmarks.timing import clock

_TYPES: Any = {"integer": "bigint", "boolean": "bool", "decimal(18,2)": "decimal"}
"""dlt's names of our types, where they are others."""


def _credentials(database: str) -> str:
    """dlt wants a host of its own; ours, a socket's folder in the query, counts all the same."""
    return database.replace("postgres:@/", "postgres:none@localhost:5432/")


BEST = {"EXTRACT__DATA_WRITER__FILE_MAX_ITEMS": "20000", "NORMALIZE__WORKERS": "2", "LOAD__WORKERS": "2"}
"""Two workers, and files enough for both."""


def main(upstream: str, database: str, folder: str, best: str = "") -> None:
    """Load the orders. On SQLite, MySQL and MariaDB dlt has no upsert: delete-insert is what it offers, and CSV is for PostgreSQL."""
    os.environ.update(BEST if best else {})
    postgresql = database.startswith("postgresql")
    table = {
        "name": "orders",
        "primary_key": "id",
        "write_disposition": {"disposition": "merge", "strategy": "upsert" if postgresql else "delete-insert"},
    }
    pipeline = dlt.pipeline("bench", destination=_destination(database), dataset_name=_dataset(database), pipelines_dir=folder)
    loader: Any = {"loader_file_format": "csv"} if best and postgresql else {}
    pipeline.run(_rest(upstream, table) if upstream.startswith("http") else _file(upstream, table), **loader)


def _destination(database: str) -> Any:
    if database.startswith("postgresql"):
        return dlt.destinations.postgres(_credentials(database))
    return dlt.destinations.sqlalchemy(database.replace("mysql:", "mysql+pymysql:"))


def _dataset(database: str) -> str:
    """A schema, where there are any; in MySQL they are databases."""
    if database.startswith("mysql"):
        return urlsplit(database).path[1:]
    return "peer" if database.startswith("postgresql") else "main"


def _rest(upstream: str, table: dict[str, Any]) -> Any:
    client: Any = {"base_url": upstream, "paginator": {"type": "cursor", "cursor_path": "next", "cursor_param": "cursor"}}
    resource: Any = {**table, "endpoint": {"path": "orders", "data_selector": "data"}}
    return rest_api_source({"client": client, "resources": [resource]})


def _file(path: str, table: dict[str, Any]) -> Any:
    """The csv module's rows, a thousand at a time, typed by dlt."""

    def pages() -> Iterator[list[dict[str, str | None]]]:
        with open(path, newline="", encoding="utf-8") as text:
            rows = csv.reader(text)
            names = next(rows)
            while page := list(islice(rows, 1000)):
                yield [dict(zip(names, [cell or None for cell in row], strict=True)) for row in page]

    return dlt.resource(
        pages, columns={name: {"data_type": _TYPES.get(kind, kind)} for name, kind in zip(COLUMNS, TYPES, strict=True)}, **table
    )


if __name__ == "__main__":
    with clock():
        main(*sys.argv[1:])
