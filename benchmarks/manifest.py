"""The SyncSource that reads the benchmark's orders."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.floor import COLUMNS

TYPES = [
    "integer",
    "text",
    "text",
    "text",
    "boolean",
    "text",
    "text",
    "text",
    "decimal(18,2)",
    "decimal(18,2)",
    "integer",
    "text",
    "timestamp",
    "timestamp",
]
PATHS = {"customer": "customer.name", "phone": "customer.phone", "email": "customer.email", "total": "amount.total", "tax": "amount.tax"}


def write_manifest(file: Path, upstream: str, database: str) -> None:
    """A file with the SyncSource and its Secret."""
    fields = [
        {"name": name, "type": kind, **({"path": PATHS[name]} if name in PATHS else {})} for name, kind in zip(COLUMNS, TYPES, strict=True)
    ]
    spec = {
        "source": {
            "http": {
                "baseURL": upstream,
                "request": {"path": "/orders"},
                "records": "data",
                "pagination": {"cursor": {"param": "cursor", "path": "next"}},
            }
        },
        "fields": fields,
        "keys": [{"fields": ["id"]}],
        "destination": {"sql": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "table": "orders", "createTable": True}},
        "timeout": "1h",
    }
    source = {"apiVersion": "syncsource.dev/v1alpha1", "kind": "SyncSource", "metadata": {"name": "orders"}, "spec": spec}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "stringData": {"url": database}}
    file.write_text(f"{json.dumps(source)}\n---\n{json.dumps(secret)}\n")
