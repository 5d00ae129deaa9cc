"""Each action of a SyncRun: created with kubectl, done by the operator, seen in the table and told by status, which holds no record's content."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.e2e.cluster import history
from tests.e2e.scene import Scene, did
from tests.e2e.syncruns.kube import Kubectl, manifest

UNDO = {"undo": {"keep": "14d"}}
NO_ID = [
    {"name": "id", "type": "integer"},
    {"name": "customer", "path": "customer.name", "type": "text", "required": True},
    {"name": "total", "type": "decimal(18,2)"},
    {"name": "modified", "type": "timestamp"},
]


def sync(kubectl: Kubectl, scene: Scene, action: str = "Sync") -> dict[str, Any]:
    told: dict[str, Any] = kubectl.complete(scene.name, action)
    return told


def test_sync_and_full_refresh(scene: Scene, kubectl: Kubectl) -> None:
    scene.apply(incremental={"cursor": "modified", "param": "modified_after"})
    first = sync(kubectl, scene)
    assert (first["result"]["counts"], first["result"]["full"]) == (did(read=250, inserted=250), True)
    assert scene.rows() == scene.orders.rows()
    second, full = sync(kubectl, scene), sync(kubectl, scene, "FullRefresh")
    assert second["result"]["counts"] == did(read=1, unchanged=1)
    assert full["result"]["counts"] == did(read=250, unchanged=250)
    told = history(scene.cluster.get(scene.name))
    assert [(entry["id"], entry["trigger"]) for entry in told] == [(one["run"], "Request") for one in (full, second, first)]
    assert (first["phase"], first["message"].split(" in ")[0]) == ("Succeeded", "250 read, 250 inserted, 0 updated, 0 unchanged")


def test_undo(scene: Scene, kubectl: Kubectl) -> None:
    scene.apply(safety=UNDO, incremental={"cursor": "modified", "param": "modified_after"})
    sync(kubectl, scene)
    before = scene.rows()
    changed = scene.orders.records[-1]
    changed["total"] = "9999.00"
    scene.orders.records.append({**changed, "id": 9001, "modified": "2024-03-02T00:00:00Z"})
    mistake = sync(kubectl, scene)
    assert mistake["result"]["counts"] == did(read=2, inserted=1, updated=1)
    scene.warehouse.sql(f"UPDATE {scene.table} SET customer = 'edited' WHERE id = 9001")
    plan = kubectl.complete(scene.name, "Undo", dryRun=True)
    assert {key: plan["result"]["undone"][key] for key in ("run", "restored", "removed", "left")} == {
        "run": mistake["run"], "restored": 1, "removed": 0, "left": 1,
    }  # fmt: skip
    assert len(scene.rows()) == 251
    done = kubectl.complete(scene.name, "Undo", run=mistake["run"], rewind=True)
    assert (done["result"]["counts"]["updated"], done["result"]["undone"]["left"]) == (1, 1)
    assert {row for row in scene.rows() if row[0] != 9001} == before
    assert scene.cluster.wait_event(scene.name, "Undo")["type"] == "Normal"
    assert sync(kubectl, scene)["result"]["counts"]["read"] == 2  # the cursor went back
    [trigger] = scene.warehouse.sql(f"SELECT \"trigger\" FROM syncsource_runs WHERE run = '{done['run']}'")
    assert trigger == ("Undo",)


def test_restore(scene: Scene, kubectl: Kubectl) -> None:
    scene.apply(safety={"backup": {"mode": "Table"}})
    sync(kubectl, scene)
    before = scene.rows()
    scene.orders.records[0]["total"] = "1000.00"
    sync(kubectl, scene)
    scene.warehouse.sql(f"DELETE FROM {scene.table} WHERE id = 3")
    plan = kubectl.complete(scene.name, "Restore", dryRun=True)
    assert (plan["result"]["restored"]["restored"], plan["result"]["restored"]["reinserted"]) == (1, 1)
    done = kubectl.complete(scene.name, "Restore", backup=plan["result"]["restored"]["backup"][:8])
    assert done["result"]["counts"] == did(inserted=1, updated=1)
    assert scene.rows() == before


def test_quarantine(scene: Scene, kubectl: Kubectl) -> None:
    for number in (0, 1, 2):
        scene.orders.records[number]["total"] = f"secret-{number}"
    scene.apply()
    assert sync(kubectl, scene)["result"]["counts"]["quarantined"] == 3
    assert scene.cluster.get(scene.name)["status"]["quarantined"] == 3
    again = kubectl.complete(scene.name, "RetryQuarantined", all=True)
    assert (again["reason"], again["result"]["quarantined"], again["result"]["counts"]["quarantined"]) == ("RecordsQuarantined", 3, 3)
    ids = [digest[:12] for (digest,) in scene.warehouse.sql("SELECT digest FROM syncsource_quarantine WHERE digest IS NOT NULL")]
    mine = [one for one in ids if _is_of(scene, one)]
    gone = kubectl.complete(scene.name, "DiscardQuarantined", ids=mine[:1])
    assert (gone["result"]["discarded"], gone["result"]["quarantined"]) == (1, 2)
    scene.wait(lambda source: source["status"]["quarantined"] == 2)
    fields = [{**field, "type": "text"} if field["name"] == "total" else field for field in NO_ID]
    if scene.warehouse.kind == "sqlite":  # PostgreSQL's column stays a number
        scene.apply(fields=fields)
        mended = kubectl.complete(scene.name, "RetryQuarantined", ids=mine[1:])
        assert (mended["result"]["counts"]["inserted"], mended["result"]["quarantined"]) == (2, 0)
    unknown = kubectl.failed(scene.name, "RetryQuarantined", ids=["zzzz"])
    assert (unknown["reason"], "zzzz" in unknown["message"]) == ("NotFound", True)
    assert "secret-" not in json.dumps(scene.cluster.list("SyncRun"))


def _is_of(scene: Scene, digest: str) -> bool:
    found = scene.warehouse.sql(f"SELECT identity FROM syncsource_quarantine WHERE digest LIKE '{digest}%'")
    return any(identity.endswith(f"/{scene.name}") for (identity,) in found)


def test_resolve_conflict(scene: Scene, kubectl: Kubectl) -> None:
    scene.apply(write={"onExisting": "Merge", "conflict": {"resolve": "Manual"}})
    sync(kubectl, scene)
    for number in (1, 2):
        scene.orders.records[number - 1]["total"] = "777.00"
        scene.warehouse.sql(f"UPDATE {scene.table} SET total = 888.00 WHERE id = {number}")
    assert sync(kubectl, scene)["result"]["counts"]["conflicts"] == 2
    assert scene.cluster.get(scene.name)["status"]["conflicts"] == 2
    done = kubectl.complete(scene.name, "ResolveConflict", all=True, resolve="Source")
    assert (done["message"], done["result"]["conflicts"]) == ("2 conflicts resolved for the source, 0 left", 0)
    scene.wait(lambda source: source["status"]["conflicts"] == 0)
    assert {row[2] for row in scene.rows() if row[0] in (1, 2)} == {"777.00"}
    told = json.dumps([one["status"] for one in scene.cluster.list("SyncRun")])
    assert not [value for value in ("777", "888") if value in told]


def test_verify(scene: Scene, kubectl: Kubectl) -> None:
    scene.apply()
    none = kubectl.failed(scene.name, "Verify")
    assert (none["reason"], none["message"]) == ("NotFound", "the table is not there yet: run it first")
    sync(kubectl, scene)
    scene.warehouse.sql(f"UPDATE {scene.table} SET customer = 'edited' WHERE id = 7")
    found = kubectl.complete(scene.name, "Verify")["result"]["verified"]
    assert (found["accuracy"], found["rows"], found["different"], found["columns"]) == ("99.9000", 250, 1, {"customer": 1})
    some = kubectl.complete(scene.name, "Verify", sample=100)["result"]["verified"]
    assert (some["rows"], some["complete"]) == (100, False)
    assert "accuracy" not in scene.cluster.get(scene.name)["status"]


def test_duplicates(scene: Scene, kubectl: Kubectl) -> None:
    scene.warehouse.sql(
        f"CREATE TABLE {scene.table} (n INTEGER PRIMARY KEY, id INTEGER, customer TEXT, total DECIMAL(18,2), modified TIMESTAMP)"
    )
    for number, customer in ((1, "a"), (2, "b"), (3, "c")):
        scene.warehouse.sql(f"INSERT INTO {scene.table} (n, id, customer) VALUES ({number}, 5, '{customer}')")
    scene.apply()
    assert kubectl.complete(scene.name, "Duplicates")["result"]["duplicates"] == {"keys": 1, "surplus": 2}
    planned = kubectl.complete(scene.name, "Duplicates", fix=True, keep="Highest", by="customer", dryRun=True)
    assert planned["result"]["duplicates"] == {"kept": 1, "deleted": 2}
    assert kubectl.complete(scene.name, "Duplicates", fix=True, keep="Highest", by="customer")["result"]["counts"]["deleted"] == 2
    assert scene.warehouse.sql(f"SELECT n FROM {scene.table}") == [(3,)]
    wrong = kubectl.failed(scene.name, "Duplicates", fix=True, by="sum")
    assert (wrong["reason"], wrong["message"].split(": its columns")[0].split(f"'{scene.table}'")) == (
        "SchemaMismatch",
        ["spec.by: the table ", " has no column 'sum'"],
    )
    assert kubectl.complete(scene.name, "Undo")["result"]["undone"]["reinserted"] == 2
    assert scene.warehouse.sql(f"SELECT n FROM {scene.table} ORDER BY n") == [(1,), (2,), (3,)]


def test_connection(scene: Scene, kubectl: Kubectl) -> None:
    scene.orders.records[0]["total"] = "secret-0"
    scene.apply(incremental={"cursor": "modified", "param": "modified_after"})
    good = kubectl.complete(scene.name, "TestConnection")
    steps = {one["step"]: (one["result"], one["reason"], one["message"]) for one in good["result"]["steps"]}
    assert steps["Table"][0] == "Ok"
    assert steps["Fields"][:2] == ("Warning", "InvalidValue")
    assert steps["Cursor"] == ("Ok", "", "modified is in every record")
    assert "secret-0" not in json.dumps(good)
    del scene.api.routes[scene.path]
    bad = kubectl.failed(scene.name, "TestConnection")
    assert (bad["reason"], bad["message"].split(":")[0]) == ("NotFound", "First page")
    scene.cluster.delete(f"{scene.name}-db", "Secret")
    lacking = kubectl.failed(scene.name, "TestConnection")
    assert [(one["step"], one["reason"]) for one in lacking["result"]["steps"]] == [("Secrets", "SecretNotFound")]
    refused = kubectl.failed(scene.name, "Undo")
    assert (refused["reason"], "startedAt" in refused) == ("SecretNotFound", False)


def test_preview(scene: Scene, kubectl: Kubectl) -> None:
    scene.apply()
    new = kubectl.complete(scene.name, "Preview")
    assert (new["result"]["counts"], new["result"]["creates"]) == (did(read=100, inserted=100), True)
    assert scene.table not in scene.warehouse.tables()
    sync(kubectl, scene)
    scene.orders.records[0]["total"], scene.orders.records[1]["total"] = "1000.00", "secret-1"
    known = kubectl.complete(scene.name, "Preview", limit=10)
    assert known["result"]["counts"] == did(read=10, updated=1, unchanged=8, quarantined=1)
    assert known["message"] == "of the first 10 records: 1 updated, 8 unchanged, 1 quarantined; nothing was written"
    assert "secret-1" not in json.dumps(known)


def test_what_kubectl_shows(scene: Scene, kubectl: Kubectl) -> None:
    scene.apply()
    name = kubectl.ask(scene.name, "Sync")
    kubectl("wait", "--for=jsonpath={.status.completedAt}", f"syncrun/{name}", "--timeout=30s")
    head, row = kubectl("get", "syncrun", name).splitlines()
    assert head.split() == ["NAME", "SOURCE", "ACTION", "PHASE", "REASON", "DURATION", "AGE"]
    assert row.split()[:5] == [name, scene.name, "Sync", "Succeeded", "Succeeded"]
    wide = kubectl("get", "syncruns", name, "-o", "wide").splitlines()
    assert wide[0].split()[-2:] == ["RUN", "MESSAGE"]
    assert "250 read, 250 inserted, 0 updated, 0 unchanged in " in wide[1]
    mine = kubectl("get", "syncrun", "--field-selector", f"spec.source={scene.name},spec.action=Sync", "-o", "name")
    assert mine == f"syncrun.syncsource.dev/{name}\n"
    assert f"syncrun.syncsource.dev/{name}\n" in kubectl("get", "sync", "-o", "name")
    assert "whose value stands" in kubectl("explain", "syncrun.spec.resolve")
    assert "Complete" in kubectl("describe", "syncrun", name)


@pytest.mark.usefixtures("rules")
def test_what_the_api_server_refuses(kubectl: Kubectl) -> None:
    refused = kubectl("create", "-f", "-", stdin=manifest("orders", "Verify", rewind=True), fails=True)
    assert "spec.rewind: Invalid value: " in refused
    assert "rewind is for Undo, not for Verify: remove it, or change action" in refused
    name = kubectl.ask("nobody", "Verify")
    refused = kubectl("patch", "syncrun", name, "--type=merge", "-p", '{"spec":{"sample":5}}', fails=True)
    assert "a SyncRun's spec is immutable: create another SyncRun" in refused
    refused = kubectl("create", "-f", "-", stdin=manifest("orders", "DiscardQuarantined"), fails=True)
    assert "say which records or conflicts: ids, or all: true, and not both" in refused
