"""Partitions and windows through ``syncsource run``: a real upstream, a real database, and processes that are killed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.api import PAGES, Api, Object, Orders, order, source
from tests.e2e.cluster import secret
from tests.e2e.databases import Warehouse, sqlite_file
from tests.e2e.product import run
from tests.e2e.test_validate_and_run import write
from tests.upstream import Asked, Reply, Upstream

STORES = [str(number) for number in range(1, 22)]
LOST = "3"


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[Warehouse]:
    """A fresh file."""
    with sqlite_file(tmp_path / "rows.db") as warehouse:
        yield warehouse


@pytest.fixture
def stores(api: Api) -> dict[str, Orders]:
    """Seven orders in each of 21 stores."""
    found = {}
    for number, name in enumerate(STORES):
        api.routes[f"/stores/{name}/orders"] = found[name] = Orders(0)
        found[name].records = [order(number * 10 + more) for more in range(7)]
    return found


def manifest(api: Api, **spec: Any) -> Object:
    http = {"pagination": PAGES, "request": {"path": "/stores/{{ partition }}/orders"}}
    incremental = {"cursor": "modified", "param": "modified_after"}
    return source("orders", api, "", secret="db", table="orders", http=http, incremental=incremental, **spec)


def ids(rows: Warehouse) -> list[int]:
    return [row[0] for row in rows.sql("SELECT id FROM orders ORDER BY id")]


def test_twenty_one_stores(api: Api, stores: dict[str, Orders], rows: Warehouse, tmp_path: Path) -> None:
    """One does not answer: the others are committed, the status is not green, and the next run reads on from each store's own cursor."""
    partitions = {"values": STORES, "parallelism": 5}
    file = write(tmp_path / "orders.yaml", manifest(api, partitions=partitions), secret("db", url=rows.url))
    lost = api.routes.pop(f"/stores/{LOST}/orders")
    first = run("run", "-f", file, "-o", "json")
    told = json.loads(first.stdout)
    assert (first.returncode, told["result"], told["reason"]) == (1, "Failed", "PartitionsFailed")
    assert told["message"].startswith(f"20/21 partitions, 140 new, 0 unchanged, 1 error: {LOST}: NotFound: ")
    assert told["partitions"] == {"total": 21, "succeeded": 20, "failed": 1}
    assert [one["partition"] for one in told["by_partition"] if one["result"] == "Failed"] == [LOST]
    api.routes[f"/stores/{LOST}/orders"] = lost
    api.upstream.asked.clear()
    second = run("run", "-f", file)
    assert (second.returncode, second.stderr) == (0, "")
    assert second.stdout.startswith("Succeeded in ")
    assert second.stdout.endswith("s: 21/21 partitions, 7 new, 20 unchanged, 0 errors\n")
    asked = {asked.path: asked.query.get("modified_after") for asked in api.upstream.asked}
    assert asked == {f"/stores/{name}/orders": None if name == LOST else stores[name].records[-1]["modified"] for name in STORES}
    assert ids(rows) == sorted(record["id"] for store in stores.values() for record in store.records)


@pytest.mark.parametrize("place", ["before-commit", "after-commit"])
def test_killed_between_partitions(api: Api, stores: dict[str, Orders], rows: Warehouse, tmp_path: Path, place: str) -> None:
    """What was committed stays, nothing is there twice, and the next run makes it whole."""
    file = write(tmp_path / "orders.yaml", manifest(api, partitions={"values": STORES[:4]}), secret("db", url=rows.url))
    (tmp_path / place).write_text("kill 3")
    assert run("run", "-f", file, env={"SYNCSOURCE_FAILPOINTS": str(tmp_path)}).returncode == -9
    whole = 2 if place == "before-commit" else 3
    assert len(ids(rows)) == whole * 7
    assert rows.sql("SELECT count(*) FROM syncsource_cursors") == [(whole,)]
    done = run("run", "-f", file)
    assert done.stdout.endswith(f"s: 4/4 partitions, {(4 - whole) * 7} new, {whole} unchanged, 0 errors\n")
    assert len(ids(rows)) == len(set(ids(rows))) == 28
    results = [result for (result,) in rows.sql("SELECT result FROM syncsource_runs ORDER BY fence")]
    assert results == ["Interrupted", "Succeeded"]


def test_killed_between_windows(api: Api, rows: Warehouse, tmp_path: Path) -> None:
    """The next run goes on with the window that was not committed."""
    records = [order(number) for number in range(0, 300, 20)]

    def answer(asked: Asked) -> Reply:
        return Reply([one for one in records if asked.query["modified_after"] <= one["modified"] < asked.query["before"]])

    api.routes["/orders"] = answer
    window = {"size": "1h", "start": "2024-03-01T00:00:00Z"}
    incremental = {"cursor": "modified", "param": "modified_after", "endParam": "before", "window": window}
    spec = source("orders", api, "/orders", secret="db", table="orders", incremental=incremental, timeout="1h")
    file = write(tmp_path / "orders.yaml", spec, secret("db", url=rows.url))
    (tmp_path / "before-commit").write_text("kill 3")
    assert run("run", "-f", file, env={"SYNCSOURCE_FAILPOINTS": str(tmp_path)}).returncode == -9
    assert (ids(rows), rows.sql("SELECT cursor FROM syncsource_cursors")) == ([0, 20, 40, 60, 80, 100], [("2024-03-01T02:00:00Z",)])
    api.upstream.asked.clear()
    window["size"] = "3650d"
    write(tmp_path / "orders.yaml", spec, secret("db", url=rows.url))
    done = run("run", "-f", file)
    assert done.stdout.endswith("s: 9 read, 9 inserted, 0 updated, 0 unchanged\n"), done.stdout
    assert [asked.query["modified_after"] for asked in api.upstream.asked] == ["2024-03-01T02:00:00Z"]
    assert ids(rows) == [one["id"] for one in records]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"partitions": {"values": ["1", "2"]}}, "spec.partitions: every partition would read the same; write {{ partition }} into"),
        (
            {"incremental": {"cursor": "modified", "param": "since", "window": {"size": "1h", "start": "2024-03-01"}}},
            "spec.incremental.window: its end is never sent, so that each window would read all that follows; set endParam, or write",
        ),
    ],
    ids=["partitions", "window"],
)
def test_what_the_upstream_is_not_told_of_is_refused(changes: Object, message: str, tmp_path: Path) -> None:
    spec = source("orders", Api(Upstream(lambda asked: Reply(), 1)), "/orders", secret="db", table="orders", **changes)
    done = run("run", "-f", write(tmp_path / "orders.yaml", spec, secret("db", url=f"sqlite:///{tmp_path}/rows.db")))
    assert done.returncode == 2
    assert f"  {message}" in done.stderr
