"""The SyncSources that read the benchmark's orders."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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


Object = dict[str, Any]


def orders(upstream: str) -> Object:
    """``spec``: orders by HTTP."""
    http = {
        "baseURL": upstream,
        "request": {"path": "/orders"},
        "records": "data",
        "pagination": {"cursor": {"param": "cursor", "path": "next"}},
    }
    return spec({"http": http}, PATHS)


def spec(source: Object, paths: Mapping[str, str]) -> Object:
    """``spec`` of a source whose records have the columns at these paths."""
    fields = [
        {"name": name, "type": kind, **({"path": paths[name]} if name in paths else {})} for name, kind in zip(COLUMNS, TYPES, strict=True)
    ]
    return {
        "source": source,
        "fields": fields,
        "keys": [{"fields": ["id"]}],
        "destination": {"sql": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "table": "orders", "createTable": True}},
        "timeout": "1h",
    }


def write_manifest(file: Path, spec: Object, database: str) -> None:
    """A file with the SyncSource and its Secret."""
    source = {"apiVersion": "syncsource.dev/v1alpha1", "kind": "SyncSource", "metadata": {"name": "orders"}, "spec": spec}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "stringData": {"url": database}}
    file.write_text(f"{json.dumps(source)}\n---\n{json.dumps(secret)}\n")
