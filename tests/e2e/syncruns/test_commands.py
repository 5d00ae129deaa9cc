"""Commands without -f: the operator does it, asked by a SyncRun; what they print, and what scripts can go by."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.cluster import Cluster
from tests.e2e.databases import Warehouse
from tests.e2e.product import run
from tests.e2e.scene import Scene, did

UNDO = {"undo": {"keep": "14d"}}
Cli = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def warehouse(sqlite: Warehouse) -> Warehouse:
    return sqlite


@pytest.fixture
def cli(cluster: Cluster) -> Cli:
    def call(*words: str) -> subprocess.CompletedProcess[str]:
        return run(*words, "--kubeconfig", str(cluster.kubeconfig), "--namespace", cluster.namespace)

    return call


def as_json(done: subprocess.CompletedProcess[str], code: int = 0) -> dict[str, Any]:
    assert done.returncode == code, done.stdout + done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def two_runs(scene: Scene, **spec: Any) -> None:
    scene.apply(**spec)
    scene.request("1")
    for number in (0, 1, 2):
        scene.orders.records[number]["total"] = "777.00"
    scene.request("2")


def test_undo(scene: Scene, cli: Cli) -> None:
    two_runs(scene, safety=UNDO)
    planned = cli("undo", scene.name, "--plan")
    assert planned.returncode == 0
    assert [" ".join(line.split()) for line in planned.stdout.splitlines()[2:]] == ["3 to their former values"]
    unasked = cli("undo", scene.name)
    assert (unasked.returncode, "add --yes to do it, or --plan to look only" in unasked.stderr) == (2, True)
    done = cli("undo", scene.name, "--yes")
    assert (done.returncode, "undone: 3 restored" in done.stdout) == (0, True)
    assert not [row for row in scene.rows() if row[2] == "777.00"]
    more = as_json(cli("undo", scene.name, "--yes", "-o", "json"))
    assert (more["phase"], more["result"]["undone"]["removed"]) == ("Succeeded", 250)
    over = cli("undo", scene.name, "--yes")
    assert (over.returncode, "Failed: NotFound: of no run it is kept what it did to rows" in over.stdout) == (1, True)


def test_restore(scene: Scene, cli: Cli) -> None:
    two_runs(scene, safety={"backup": {"mode": "Table"}})
    planned = cli("restore", scene.name, "--plan")
    assert [" ".join(line.split()) for line in planned.stdout.splitlines()[2:]] == ["3 changed since, to be set back"]
    assert as_json(cli("restore", scene.name, "--yes", "-o", "json"))["result"]["counts"] == did(updated=3)
    assert not [row for row in scene.rows() if row[2] == "777.00"]


def test_duplicates(scene: Scene, cli: Cli) -> None:
    scene.warehouse.sql(f"CREATE TABLE {scene.table} (n INTEGER PRIMARY KEY, id INTEGER, customer TEXT, total TEXT, modified TEXT)")
    scene.warehouse.sql(f"INSERT INTO {scene.table} (id, customer) VALUES (5, 'a'), (5, 'b'), (6, 'c')")
    scene.apply()
    found = cli("duplicates", scene.name)
    assert (found.returncode, "1 keys have more than one row, 1 rows too many" in found.stdout) == (1, True)
    planned = cli("duplicates", scene.name, "--fix", "--keep", "highest", "--by", "customer", "--plan")
    assert "1  rows to be deleted" in planned.stdout
    assert cli("duplicates", scene.name, "--fix", "--keep", "highest", "--by", "customer", "--yes").returncode == 0
    assert scene.warehouse.sql(f"SELECT customer FROM {scene.table} ORDER BY n") == [("b",), ("c",)]
    none = cli("duplicates", scene.name)
    assert (none.returncode, "no two rows share a key" in none.stdout) == (0, True)


def test_quarantine(scene: Scene, cli: Cli) -> None:
    scene.orders.records[0]["total"] = "secret-0"
    scene.apply()
    scene.request("1")
    again = cli("quarantine", scene.name, "--retry", "all")
    assert (again.returncode, "1 record tried, 0 written, 1 left in quarantine" in again.stdout) == (1, True)
    gone = cli("quarantine", scene.name, "--discard", "all")
    assert (gone.returncode, "1 record discarded, 0 left" in gone.stdout) == (0, True)
    unseen = cli("quarantine", scene.name)
    assert (unseen.returncode, "shown with -f only" in unseen.stderr) == (2, True)


def test_conflicts(scene: Scene, cli: Cli) -> None:
    scene.apply(write={"onExisting": "Merge", "conflict": {"resolve": "Manual"}})
    scene.request("1")
    scene.orders.records[0]["total"] = "777.00"
    scene.warehouse.sql(f"UPDATE {scene.table} SET total = '888.00' WHERE id = 1")
    scene.request("2")
    kept = cli("conflicts", scene.name, "--keep", "all")
    assert (kept.returncode, "1 conflict resolved for the destination, 0 left" in kept.stdout) == (0, True)
    unseen = cli("conflicts", scene.name)
    assert (unseen.returncode, "shown with -f only" in unseen.stderr) == (2, True)


def test_preview_and_test(scene: Scene, cli: Cli) -> None:
    scene.apply()
    shown = cli("preview", scene.name, "--limit", "5")
    assert (shown.returncode, "of the first 5 records: 5 inserted; nothing was written" in shown.stdout) == (0, True)
    tested = cli("test", scene.name)
    assert (tested.returncode, [line.split()[0] for line in tested.stdout.splitlines()][:2]) == (0, ["ok", "ok"])
    del scene.api.routes[scene.path]
    failed = as_json(cli("test", scene.name, "-o", "json"), 1)
    assert failed["result"]["steps"][-1]["reason"] == "NotFound"
    gone = cli("preview", scene.name)
    assert (gone.returncode, f"{scene.name}: Failed: NotFound: " in gone.stdout) == (1, True)


def test_what_can_not_be_done_is_told(scene: Scene, cli: Cli) -> None:
    nobody = cli("undo", "nobody", "--yes")
    assert (nobody.returncode, "nobody: Failed: SourceNotFound: " in nobody.stdout) == (1, True)
    refused = cli("quarantine", scene.name, "--retry", "ab")
    assert (refused.returncode, "spec.ids[0]" in refused.stderr) == (1, True)
    for words, told in (
        (("undo", "x", "--list"), "--list is for -f only"),
        (("quarantine", "x", "--show", "abcd"), "--show is for -f only"),
        (("undo", "-f", "x.yaml", "--timeout", "1s"), "--timeout is not for -f: that needs no control plane"),
        (("test",), "say which SyncSource: NAME of the control plane, or -f FILE"),
    ):
        wrong = run(*words)
        assert (wrong.returncode, told in wrong.stderr) == (2, True), wrong.stderr
