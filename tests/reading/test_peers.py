"""Upstreams that nobody here wrote: json-server's pages and Link headers, the control plane's own lists, NDJSON from nginx."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.reading import peers
from tests.reading.stage import Rows, record

COUNT = 230
SORTED = {"_sort": "changed,id", "_order": "asc,asc"}


@pytest.fixture(scope="module")
def json_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Orders of which some were changed in the same second."""
    orders = [record(number, number // 4) for number in range(1, COUNT + 1)]
    with peers.json_server(tmp_path_factory.mktemp("json-server"), page=orders, link=orders, none=orders) as url:
        yield url


@pytest.mark.parametrize(
    ("kind", "query", "pagination"),
    [
        ("page", SORTED, {"page": {"param": "_page", "sizeParam": "_limit", "size": 50}}),
        ("link", {**SORTED, "_page": "1", "_limit": "50"}, {"link": {}}),
        ("none", {}, {"none": {}}),
    ],
    ids=["page", "link", "none"],
)
def test_json_server(kind: str, query: dict[str, str], pagination: dict[str, Any], json_server: str, tmp_path: Path) -> None:
    table = Rows(tmp_path / "rows.db", {"cursor": "changed", "param": "changed_gte"})
    http = {"baseURL": json_server, "request": {"path": f"/{kind}", "query": query}, "pagination": pagination}
    first = table.run(http)
    assert (first.result, first.counts.read, first.counts.inserted) == ("Succeeded", COUNT, COUNT)
    _edit(f"{json_server}/{kind}")
    second = table.run(http)
    assert (second.result, second.counts.inserted, second.counts.updated) == ("Succeeded", 60, 1)
    assert second.counts.read < COUNT
    assert table.rows() == sorted(table.compared(httpx.get(f"{json_server}/{kind}", trust_env=False).json()))


def _edit(url: str) -> None:
    """More than a page of new ones in one second, and an old one is changed."""
    with httpx.Client(trust_env=False) as client:
        for number in range(60):
            client.post(url, json=record(1000 + number, 59)).raise_for_status()
        client.patch(f"{url}/7", json={"name": "edited", "changed": "2024-03-01T00:01:00Z"}).raise_for_status()
