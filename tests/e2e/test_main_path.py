"""From ``kubectl apply`` to rows, and what happens to both afterwards."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner, Result

from syncsource.cli.main import main
from tests.e2e.api import Orders, source
from tests.e2e.cluster import Cluster, Object, answered, condition, history, ready, told
from tests.e2e.scene import Scene, counts, did

PROMPTLY = 5.0
"""Seconds in which a request must have started its run: one, and what a busy machine adds."""

OFTEN = {"every": "1s"}


def test_create(scene: Scene) -> None:
    scene.apply(schedule={"every": "1h"})
    done = scene.wait(ready)
    assert scene.rows() == scene.orders.rows()
    assert told(done) == {
        "Ready": ("True", "Succeeded", "250 read, 250 inserted, 0 updated, 0 unchanged in <took>"),
        "Syncing": ("False", "WaitingForSchedule", "Next run at <time>."),
    }
    (entry,) = history(done)
    assert {**counts(entry), **{name: entry[name] for name in ("trigger", "generation", "full", "result", "reason")}} == {
        **did(read=250, inserted=250),
        "trigger": "Create",
        "generation": 1,
        "full": True,
        "result": "Succeeded",
        "reason": "Succeeded",
    }
    assert done["status"]["lastRun"] == {"id": entry["id"], "changed": 250, **did(read=250, inserted=250)}
    assert scene.cluster.wait_event(scene.name, "Succeeded")["message"] == condition(done, "Ready")["message"]


def test_second_run(scene: Scene) -> None:
    scene.apply(schedule={"every": "1h"})
    scene.wait(ready)
    done = scene.request("again")
    assert told(done)["Ready"] == ("True", "Succeeded", "250 read, 0 inserted, 0 updated, 250 unchanged in <took>")
    assert counts(history(done)[0]) == did(read=250, unchanged=250)
    assert done["status"]["lastRun"]["changed"] == 0
    assert scene.rows() == scene.orders.rows()


def test_request(scene: Scene) -> None:
    scene.apply()
    resting = scene.wait(lambda source: condition(source, "Syncing"))
    assert told(resting) == {
        "Ready": ("Unknown", "NeverRan", "Generation 1 of the spec has not run yet."),
        "Syncing": ("False", "Manual", "No schedule: runs on request."),
    }
    token, asked = datetime.now(UTC).isoformat(), time.monotonic()
    scene.cluster.annotate(scene.name, requestedAt=token)
    scene.wait(lambda source: source["status"].get("lastHandledRequestAt") == token)
    assert time.monotonic() - asked < PROMPTLY
    done = scene.wait(lambda source: answered(source, token))
    (entry,) = history(done)
    assert (entry["trigger"], entry["result"], counts(entry)) == ("Request", "Succeeded", did(read=250, inserted=250))
    assert datetime.fromisoformat(entry["startedAt"]) - datetime.fromisoformat(token) < timedelta(seconds=PROMPTLY)


def test_same_request_again(scene: Scene) -> None:
    scene.apply()
    scene.request("one")
    scene.cluster.annotate(scene.name, requestedAt="one")
    scene.cluster.patch(scene.name, {"metadata": {"labels": {"seen": "again"}}})
    done = scene.request("two")
    assert [entry["trigger"] for entry in history(done)] == ["Request", "Request"]
    scene.cluster.patch(scene.name, {"metadata": {"annotations": {"syncsource.dev/requestedAt": None}}})
    done = scene.request("three")
    assert len(history(done)) == 3


def test_changed_rows(scene: Scene) -> None:
    scene.apply()
    scene.request("first")
    for number in (3, 99, 100, 101, 249):
        scene.orders.records[number]["total"] = "0.01"
    done = scene.request("second")
    assert told(done)["Ready"] == ("True", "Succeeded", "250 read, 0 inserted, 5 updated, 245 unchanged in <took>")
    assert counts(history(done)[0]) == did(read=250, updated=5, unchanged=245)
    assert done["status"]["lastRun"]["changed"] == 5
    assert scene.rows() == scene.orders.rows()


def test_what_people_edit(scene: Scene) -> None:
    scene.apply()
    scene.request("first")
    scene.warehouse.sql(f"ALTER TABLE {scene.table} ADD COLUMN note TEXT")
    scene.warehouse.sql(f"UPDATE {scene.table} SET note = 'call ' || id WHERE id <= 20")
    scene.warehouse.sql(f"UPDATE {scene.table} SET customer = 'typed over' WHERE id = 5")
    scene.warehouse.sql(f"DELETE FROM {scene.table} WHERE id = 30")
    scene.warehouse.sql(f"INSERT INTO {scene.table} (id, customer, note) VALUES (9000, 'typed in', 'ours')")
    for record in scene.orders.records[:10]:
        record["total"] = "7.00"
    done = scene.request("second")
    assert counts(history(done)[0]) == did(read=250, inserted=1, updated=10, unchanged=239)
    assert scene.rows() == scene.orders.rows() | {(9000, "typed in", None)}
    noted = scene.warehouse.sql(f"SELECT id, note FROM {scene.table} WHERE note IS NOT NULL ORDER BY id")
    assert noted == [*((number, f"call {number}") for number in range(1, 21)), (9000, "ours")]


def test_suspend(scene: Scene) -> None:
    clock = f"clock-{scene.warehouse.kind}"
    scene.api.routes[f"/{clock}"] = Orders(1)
    secret_name = f"{scene.name}-db"
    scene.apply(schedule={"every": "1s"})
    scene.cluster.apply(source(clock, scene.api, f"/{clock}", secret=secret_name, table=clock.replace("-", "_"), schedule={"every": "1s"}))
    scene.wait(lambda source: len(history(source)) >= 2)
    scene.cluster.patch(scene.name, {"spec": {"suspend": True, "suspendReason": "stocktaking"}})
    held = scene.wait(lambda source: condition(source, "Suspended") and "currentRun" not in source["status"])
    assert told(held)["Suspended"] == ("True", "Suspended", "stocktaking")
    assert told(held)["Syncing"] == ("False", "WaitingForSchedule", "Suspended: nothing runs.")
    assert "nextRunTime" not in held["status"]
    asked = len(scene.asked())
    _let_pass(scene.cluster, clock, runs=3)
    assert len(scene.asked()) == asked

    refused = scene.request("while-suspended")
    assert history(refused)[1:] == history(held)[:9]
    entry = history(refused)[0]
    message = "The request was refused and will not run later: Suspended: stocktaking."
    assert {name: entry[name] for name in ("trigger", "result", "reason", "message", "duration")} == {
        "trigger": "Request",
        "result": "Refused",
        "reason": "Suspended",
        "message": message,
        "duration": "0ms",
    }
    assert counts(entry) == did()
    event = scene.cluster.wait_event(scene.name, "Suspended")
    assert (event["type"], event["message"]) == ("Warning", message)
    assert len(scene.asked()) == asked

    scene.cluster.patch(scene.name, {"spec": {"suspend": False}})
    resumed = scene.wait(lambda source: history(source)[0]["id"] != entry["id"] and ready(source))
    assert "Suspended" not in told(resumed)
    assert history(resumed)[0]["trigger"] == "Schedule"
    _let_pass(scene.cluster, clock, runs=3)
    assert {one["trigger"] for one in history(scene.cluster.get(scene.name))[:-1] if one["result"] != "Refused"} <= {"Schedule", "Create"}
    for name in (scene.name, clock):
        scene.cluster.delete(name)


def _let_pass(cluster: Cluster, clock: str, runs: int) -> None:
    """Returns when another SyncSource, one that runs every second, has run so many times more."""
    known = {entry["id"] for entry in history(cluster.get(clock))}
    cluster.wait(clock, lambda source: len({entry["id"] for entry in history(source)} - known) >= runs)


def test_delete(scene: Scene) -> None:
    incremental = {"cursor": "modified", "param": "modified_after"}
    scene.apply(incremental=incremental)
    scene.request("first")
    ledger = "SELECT run, result, inserted FROM syncsource_runs WHERE identity LIKE '%/" + scene.name + "'"
    before = scene.warehouse.sql(ledger)
    assert [row[1:] for row in before] == [("Succeeded", 250)]
    scene.cluster.delete(scene.name)
    scene.apply(incremental=incremental)
    assert scene.rows() == scene.orders.rows()
    assert scene.warehouse.sql(ledger) == before
    done = scene.request("second")
    assert scene.asked()[-1]["modified_after"] == "2024-03-01T04:10:00Z"
    assert counts(history(done)[0]) == did(read=1, unchanged=1)


def test_incremental(scene: Scene) -> None:
    scene.apply(incremental={"cursor": "modified", "param": "modified_after", "lookback": "10m"})
    first = scene.request("first")
    assert [asked.get("modified_after") for asked in scene.asked()] == [None] * 3
    assert first["status"]["cursor"] == "2024-03-01T04:10:00Z"
    scene.orders.records[248]["total"] = "0.02"
    scene.orders.records[0] |= {"total": "0.03", "modified": "2024-03-02T00:00:00Z"}
    second = scene.request("second")
    assert scene.asked()[3:] == [{"modified_after": "2024-03-01T04:00:00Z", "page": "1", "per_page": "100"}]
    assert second["status"]["cursor"] == "2024-03-02T00:00:00Z"
    assert (history(second)[0]["full"], counts(history(second)[0])) == (False, did(read=12, updated=2, unchanged=10))
    assert scene.rows() == scene.orders.rows()
    scene.cluster.annotate(scene.name, fullRefreshAt="third")
    full = scene.request("third")
    assert (history(full)[0]["full"], counts(history(full)[0])) == (True, did(read=250, unchanged=250))
    assert "modified_after" not in scene.asked()[4]


@pytest.mark.parametrize("warehouse", ["sqlite"], indirect=True)
def test_verified(scene: Scene) -> None:
    scene.apply(incremental={"cursor": "modified", "param": "modified_after"}, safety={"verify": {"every": "1d"}})
    rested = scene.request("first")
    assert "nextTime" in rested["status"]["verification"]
    assert "accuracy" not in rested["status"]

    exact = _verify(scene)
    assert (exact.exit_code, exact.stderr) == (0, "")
    assert exact.stdout.splitlines() == [
        f"{scene.name}: 100.0000 % of 1,000 cells are equal",
        "250 rows compared, 0 missing, 0 different",
    ], "all of them, though a run would read what is new"

    scene.warehouse.sql(f"UPDATE {scene.table} SET customer = 'typed over' WHERE id = 5")
    scene.warehouse.sql(f"DELETE FROM {scene.table} WHERE id = 30")
    scene.warehouse.sql(f"INSERT INTO {scene.table} (id, customer) VALUES (9000, 'typed in')")
    _set_verify(scene, OFTEN)
    found = scene.wait(lambda source: source["status"]["accuracy"] != "100.0000")
    assert found["status"]["accuracy"] == "99.5000"
    counted = found["status"]["verification"]
    assert {name: counted[name] for name in ("result", "complete", "cells", "rows", "missing", "different", "extra", "columns")} == {
        "result": "Succeeded",
        "complete": True,
        "cells": 1000,
        "rows": 250,
        "missing": 1,
        "different": 1,
        "extra": 1,
        "columns": {"customer": 1},
    }
    assert "typed" not in json.dumps(found["status"])

    _set_verify(scene, {**OFTEN, "sample": 100})
    part = scene.wait(lambda source: source["status"]["verification"].get("sample") == 100)["status"]["verification"]
    assert (part["rows"], part["complete"], part.get("extra")) == (100, False, None)
    enough = _verify(scene, "-o", "json", "--at-least", "90")
    assert (enough.exit_code, json.loads(enough.stdout)["accuracy"]) == (0, "98.7500")

    route = scene.api.routes.pop(scene.path)
    lost = scene.wait(lambda source: source["status"]["verification"]["result"] == "Failed")["status"]
    assert (lost["verification"]["reason"], lost["verification"]["rows"], lost["accuracy"]) == ("NotFound", 100, "98.7500")
    assert scene.cluster.wait_event(scene.name, "VerificationFailed")["type"] == "Warning"
    scene.api.routes[scene.path] = route
    scene.wait(lambda source: source["status"]["verification"]["result"] == "Succeeded")
    scene.warehouse.sql(f"DROP TABLE {scene.table}")
    gone = scene.wait(lambda source: source["status"]["verification"]["message"] == "the table is not there yet: run it first")
    assert (told(gone)["Ready"], history(gone)) == (told(rested)["Ready"], history(rested)), "runs have nothing to do with it"

    _set_verify(scene, None)
    quiet = scene.wait(lambda source: "nextTime" not in source["status"]["verification"])
    failed = _verify(scene, "-o", "json")
    assert (failed.exit_code, failed.stdout) == (1, "")
    assert failed.stderr == f"error: {scene.name}: Failed: NotFound: the table is not there yet: run it first\n"
    scene.cluster.patch(scene.name, {"spec": {"suspend": True}})
    refused = _verify(scene)
    assert refused.exit_code == 1
    assert refused.stderr.endswith(": Refused: Suspended: The request was refused and will not run later: Suspended.\n")
    assert scene.cluster.get(scene.name)["status"]["accuracy"] == quiet["status"]["accuracy"]


def _set_verify(scene: Scene, how: Object | None) -> None:
    """Sets spec.safety.verify, and no more than that of it."""
    scene.cluster.patch(scene.name, {"spec": {"safety": {"verify": how if how is None else {"sample": None, **how}}}})


def _verify(scene: Scene, *options: str) -> Result:
    """``syncsource verify`` of the control plane."""
    where = ["--kubeconfig", str(scene.cluster.kubeconfig), "--namespace", scene.cluster.namespace]
    return CliRunner().invoke(main, ["verify", scene.name, *where, *options], catch_exceptions=False)
