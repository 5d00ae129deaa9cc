"""A REST API whose answers a test changes at any time, and manifests of SyncSources that read it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.upstream import Asked, Reply, Script, Upstream, serving

Object = dict[str, Any]
PAGE = 100

FIELDS = [
    {"name": "id", "type": "integer"},
    {"name": "customer", "path": "customer.name", "type": "text", "required": True},
    {"name": "total", "type": "decimal(18,2)"},
    {"name": "modified", "type": "timestamp"},
]


@dataclass
class Api:
    """Answers each path with its script; 404 where there is none."""

    upstream: Upstream
    routes: dict[str, Script] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def serving(cls, port: int = 0) -> Iterator[Api]:
        """One that listens."""
        with serving(lambda asked: Reply({"message": "no such thing"}, 404), port=port) as upstream:
            api = cls(upstream)
            upstream.script = api.answer
            yield api

    @property
    def url(self) -> str:
        """Its baseURL."""
        return self.upstream.url

    def answer(self, asked: Asked) -> Reply:
        """The reply of the path's script."""
        script = self.routes.get(asked.path)
        return script(asked) if script else Reply({"message": "no such thing"}, 404)

    def asked(self, path: str) -> list[dict[str, str]]:
        """The queries that came for a path."""
        return [asked.query for asked in self.upstream.asked if asked.path == path]


class Orders:
    """Orders behind numbered pages, filtered by ``modified_after``. ``hold`` keeps back all pages after the first."""

    def __init__(self, count: int) -> None:
        self.records = [order(number) for number in range(1, count + 1)]
        self.held = threading.Event()
        """Set when a page is being held back."""
        self._open = threading.Event()
        self._open.set()

    def hold(self) -> None:
        """From now on, pages after the first wait."""
        self.held.clear()
        self._open.clear()

    def release(self) -> None:
        """Send what is held back."""
        self._open.set()

    def __call__(self, asked: Asked) -> Reply:
        page = int(asked.query.get("page", 1))
        if page > 1 and not self._open.is_set():
            self.held.set()
            self._open.wait(60)
        found = [record for record in self.records if record["modified"] >= asked.query.get("modified_after", "")]
        pages = -(-len(found) // PAGE)
        return Reply(found[(page - 1) * PAGE : page * PAGE], headers={"X-WP-TotalPages": str(pages)})

    def rows(self) -> set[tuple[int, str, str]]:
        """What the table should hold: id, customer, total."""
        return {(record["id"], record["customer"]["name"], record["total"]) for record in self.records}


def order(number: int) -> Object:
    """An order as the API sends it, changed in the minute of its number."""
    modified = f"2024-03-01T{number // 60:02}:{number % 60:02}:00Z"
    return {"id": number, "customer": {"name": f"Ayu {number}"}, "total": f"{number}.50", "modified": modified}


def source(name: str, api: Api, path: str, *, secret: str, table: str, **spec: Any) -> Object:
    """A SyncSource of orders. ``spec`` replaces whole fields of spec; ``http`` adds to source.http."""
    http = {"baseURL": api.url, "request": {"path": path}, "retry": {"attempts": 1}, **spec.pop("http", {})}
    destination = {"urlFrom": {"secretKeyRef": {"name": secret, "key": "url"}}, "table": table, "createTable": True}
    wanted = {
        "source": {"http": http},
        "fields": FIELDS,
        "keys": [{"fields": ["id"]}],
        "destination": {"sql": destination},
        "retry": {"backoff": "1s", "maxBackoff": "1s"},
        **spec,
    }
    return {"apiVersion": "syncsource.dev/v1alpha1", "kind": "SyncSource", "metadata": {"name": name}, "spec": wanted}


PAGES = {"page": {"sizeParam": "per_page", "size": PAGE}}
