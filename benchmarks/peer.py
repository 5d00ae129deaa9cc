"""The peer: dlt's REST source with merge and upsert. ``python -m benchmarks.peer UPSTREAM DATABASE FOLDER``."""

from __future__ import annotations

import sys
from typing import Any

import dlt
from dlt.sources.rest_api import rest_api_source


def main(upstream: str, database: str, folder: str) -> None:
    """Load the orders into the database's schema ``orders``."""
    client: Any = {"base_url": upstream, "paginator": {"type": "cursor", "cursor_path": "next", "cursor_param": "cursor"}}
    resource: Any = {
        "name": "orders",
        "primary_key": "id",
        "write_disposition": {"disposition": "merge", "strategy": "upsert"},
        "endpoint": {"path": "orders", "data_selector": "data"},
    }
    destination = dlt.destinations.postgres(database) if database.startswith("postgresql") else dlt.destinations.sqlalchemy(database)
    pipeline = dlt.pipeline(
        "bench", destination=destination, dataset_name="main" if database.startswith("sqlite") else "peer", pipelines_dir=folder
    )
    pipeline.run(rest_api_source({"client": client, "resources": [resource]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
