"""Upstreams that nobody here wrote: json-server's pages and Link headers, the control plane's own lists, NDJSON from nginx."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.controlplane.conftest import Server, start_server
from tests.reading import peers
from tests.reading.stage import Rows, record

COUNT = 230
LABEL = {"part": "first"}
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


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Its URL, and the folder that it serves."""
    folder = tmp_path / "served"
    folder.mkdir(mode=0o755)
    with peers.nginx(folder) as url:
        yield url, folder / "orders.ndjson"


def test_ndjson_that_nginx_compresses(nginx: tuple[str, Path], tmp_path: Path) -> None:
    """Read as it comes; unchanged it costs one request, and what is cut off leaves everything as it is."""
    url, file = nginx
    orders = [record(number, number % 60) for number in range(1, 20_001)]
    file.write_text("".join(json.dumps(order) + "\n" for order in orders))
    table = Rows(tmp_path / "rows.db", None)
    http = {"baseURL": url, "request": {"path": "/orders.ndjson"}}
    with httpx.Client(trust_env=False) as client:
        assert client.get(f"{url}/orders.ndjson").headers["content-encoding"] == "gzip"
    first = table.run(http)
    assert (first.result, first.counts.inserted) == ("Succeeded", 20_000)
    assert table.rows() == table.compared(orders)
    assert table.run(http).counts.read == 0
    file.write_text("".join(json.dumps(order) + "\n" for order in [*orders, record(20_001, 1)])[:-9])
    os.utime(file, (1, 1))
    cut = table.run(http)
    assert (cut.result, cut.reason) == ("Failed", "ConnectionLost")
    assert table.rows() == table.compared(orders)


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The embedded control plane with 100 ConfigMaps."""
    server = start_server(tmp_path_factory.mktemp("plane"))
    client = server.client()
    for number in range(100):
        made = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"m{number:03}", "labels": LABEL},
            "data": {"total": f"{number}.50"},
        }
        client.post("/api/v1/namespaces/default/configmaps", json=made).raise_for_status()
    yield server
    server.stop()


def test_the_control_plane_s_own_list(plane: Server, tmp_path: Path) -> None:
    """limit and continue, the token of its kubeconfig, its own authority; a wrong token is refused, and a server that no usual authority knows."""
    http: dict[str, Any] = {
        "baseURL": plane.url,
        "request": {"path": "/api/v1/namespaces/default/configmaps", "query": {"limit": "40", "labelSelector": "part=first"}},
        "records": "items",
        "pagination": {"cursor": {"param": "continue", "path": "metadata.continue"}},
        "auth": {"bearer": {"secretRef": {"name": "plane"}}},
        "tls": {"authority": {"name": "plane"}},
    }
    fields = [{"name": "id", "path": "metadata.name", "type": "text"}, {"name": "total", "path": "data.total", "type": "decimal(9,2)"}]
    cluster = yaml.safe_load(plane.kubeconfig.read_text())["clusters"][0]["cluster"]
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    table = Rows(tmp_path / "rows.db", None, {"fields": fields}, {"plane": {"token": plane.user["token"], "ca.crt": authority}})
    outcome = table.run(http)
    assert (outcome.result, outcome.counts.read) == ("Succeeded", 100), outcome.message
    wanted = {(f"m{number:03}", f"{number}.50") for number in range(100)}
    assert set(table.sql("SELECT id, total FROM t")) == wanted
    table.secrets = {"plane": {"token": "wrong", "ca.crt": authority}}
    assert table.run(http).reason == "AuthFailed"
    del http["tls"]
    assert table.run(http).reason == "TLSFailed"
