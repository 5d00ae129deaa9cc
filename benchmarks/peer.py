"""The peer: dlt's REST source with merge and upsert. ``python -m benchmarks.peer UPSTREAM DATABASE FOLDER [best]``."""

from __future__ import annotations

import os
import sys
from typing import Any

import dlt
from dlt.sources.rest_api import rest_api_source


def _credentials(database: str) -> str:
    """dlt wants a host of its own; ours, a socket's folder in the query, counts all the same."""
    return database.replace("postgres:@/", "postgres:none@localhost:5432/")


BEST = {"EXTRACT__DATA_WRITER__FILE_MAX_ITEMS": "20000", "NORMALIZE__WORKERS": "2", "LOAD__WORKERS": "2"}
"""Two workers, and files enough for both."""


def main(upstream: str, database: str, folder: str, best: str = "") -> None:
    """Load the orders. On SQLite dlt has no upsert: delete-insert is what it offers, and CSV is for PostgreSQL."""
    os.environ.update(BEST if best else {})
    postgresql = database.startswith("postgresql")
    client: Any = {"base_url": upstream, "paginator": {"type": "cursor", "cursor_path": "next", "cursor_param": "cursor"}}
    resource: Any = {
        "name": "orders",
        "primary_key": "id",
        "write_disposition": {"disposition": "merge", "strategy": "upsert" if postgresql else "delete-insert"},
        "endpoint": {"path": "orders", "data_selector": "data"},
    }
    destination = dlt.destinations.postgres(_credentials(database)) if postgresql else dlt.destinations.sqlalchemy(database)
    pipeline = dlt.pipeline("bench", destination=destination, dataset_name="peer" if postgresql else "main", pipelines_dir=folder)
    loader: Any = {"loader_file_format": "csv"} if best and postgresql else {}
    pipeline.run(rest_api_source({"client": client, "resources": [resource]}), **loader)


if __name__ == "__main__":
    main(*sys.argv[1:])
