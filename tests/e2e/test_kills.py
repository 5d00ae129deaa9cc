"""Processes killed in mid-run: no row is lost, none is written twice, nothing is stuck."""

from __future__ import annotations

from pathlib import Path

from tests.e2e import product as processes
from tests.e2e.api import Api, Orders
from tests.e2e.cluster import Object, history, ready
from tests.e2e.databases import Warehouse
from tests.e2e.product import Product
from tests.e2e.scene import Scene, counts, did

GONE = "the run's process ended, or another operator took over; what it had not committed is gone, and the next run goes on from the cursor"
SOON = {"backoff": "1s", "maxBackoff": "1s"}


def test_worker(product: Product, scene: Scene) -> None:
    scene.orders.hold()
    scene.apply(retry=SOON)
    scene.cluster.annotate(scene.name, requestedAt="one")
    assert scene.orders.held.wait(30)
    for worker in product.workers:
        worker.kill()
    scene.wait(lambda source: history(source))
    assert scene.table not in scene.warehouse.tables() or scene.rows() == set()
    scene.orders.release()
    done = scene.wait(ready)
    assert results(done) == [("Retry", "Succeeded", "Succeeded"), ("Request", "Interrupted", "Interrupted")]
    assert history(done)[1]["message"] == GONE
    event = scene.cluster.wait_event(scene.name, "Interrupted")
    assert (event["type"], event["message"]) == ("Warning", history(done)[1]["message"])
    assert counts(history(done)[0]) == did(read=250, inserted=250)
    assert scene.rows() == scene.orders.rows()
    assert "a worker ended with code -9; another takes its place" in product.log
    assert ledger(scene) == [("Interrupted",), ("Succeeded",)]


def test_everything(api: Api, postgresql: Warehouse, sqlite: Warehouse, tmp_path: Path) -> None:
    with processes.up(tmp_path) as product:
        scenes = [_killed(product, api, warehouse) for warehouse in (postgresql, sqlite)]
        for scene in scenes:
            scene.wait(ready)
            scene.orders.records.extend(Orders(520).records[250:])
            scene.orders.hold()
            scene.cluster.annotate(scene.name, requestedAt="one")
            assert scene.orders.held.wait(30)
        product.kill()
    for scene in scenes:
        assert scene.rows() == Orders(250).rows()
        scene.orders.release()
    with processes.up(tmp_path) as product:
        for scene in scenes:
            scene.cluster = product.cluster
            _goes_on(scene)


def _killed(product: Product, api: Api, warehouse: Warehouse) -> Scene:
    scene = Scene(f"killed-{warehouse.kind}", product.cluster, api, Orders(250), warehouse)
    api.routes[scene.path] = scene.orders
    scene.apply(retry=SOON, schedule={"every": "1h"}, incremental={"cursor": "modified", "param": "modified_after"})
    return scene


def _goes_on(scene: Scene) -> None:
    done = scene.wait(lambda source: len(history(source)) == 3 and ready(source))
    assert results(done) == [
        ("Retry", "Succeeded", "Succeeded"),
        ("Request", "Interrupted", "Interrupted"),
        ("Create", "Succeeded", "Succeeded"),
    ]
    assert history(done)[1]["message"] == GONE
    assert scene.cluster.wait_event(scene.name, "Interrupted")["message"] == GONE
    assert scene.asked()[-1]["modified_after"] == "2024-03-01T04:10:00Z"
    assert counts(history(done)[0]) == did(read=271, inserted=270, unchanged=1)
    assert scene.rows() == scene.orders.rows()
    assert counts(history(scene.request("two"))[0]) == did(read=1, unchanged=1)


def results(source: Object) -> list[tuple[str, str, str]]:
    """Trigger, result and reason of each run, newest first."""
    return [(entry["trigger"], entry["result"], entry["reason"]) for entry in history(source)]


def ledger(scene: Scene) -> list[tuple[str]]:
    """The results that the ledger has, oldest first."""
    found = scene.warehouse.sql(f"SELECT result FROM syncsource_runs WHERE identity LIKE '%/{scene.name}' ORDER BY started_at")
    return [(result,) for (result,) in found]
