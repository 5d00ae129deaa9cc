"""One source: overview, runs, log, Events, YAML."""

from __future__ import annotations

import json
from typing import Any

from syncsource.localplane.podlogs import ContainerLog
from tests.tui.stage import Show, Stage, ago, condition, entry, failed, ready, running, showing

LABELS = {"app.kubernetes.io/name": "syncsource", "app.kubernetes.io/component": "operator"}


async def opened(show: Show, key: str = "enter") -> None:
    await show.until_live("orders")
    await show.press(key)
    await show.until_shows("1 Overview")


async def test_the_overview_is_live(stage: Stage) -> None:
    await stage.create("orders", ready(cursor="2026-11-21T11:00:00Z"), labels={"app": "shop"})
    async with showing(stage.kubeconfig) as show:
        await opened(show)
        for told in (
            "every 15m",
            "GET https://api.example/v1/orders",
            "table orders (database of Secret db, key url)",
            "2026-11-21T11:00:00Z",
            "app=shop",
            "True · Succeeded · for 4m",
        ):
            await show.until_shows(told)
        message = "x" * 300
        await stage.status("orders", failed(message=message, consecutiveFailures=3))
        await show.until_shows("3 in a row")
        assert show.text.replace("\n", "").replace(" ", "").count("x") >= 300
        await stage.status("orders", running(read=77))
        await show.until_shows("run 0mw3 (Schedule), 77 read, 4")
        await show.press("escape")
        await show.until(lambda: show.app.screen is show.fleet)


async def test_tabs_by_number_by_name_and_by_arrow(stage: Stage) -> None:
    await stage.create("orders", ready())
    async with showing(stage.kubeconfig) as show:
        await opened(show, "y")
        await show.until_shows("[5 YAML]")
        for number, tab in enumerate(("Overview", "Runs", "Logs", "Events"), 1):
            await show.press(str(number))
            await show.until_shows(f"[{number} {tab}]")
        await show.press("right")
        await show.until_shows("[5 YAML]")
        await show.press("colon", *"runs", "enter")
        await show.until_shows("[2 Runs]")
        await show.press("q")
        await show.until(lambda: show.app.screen is show.fleet)


async def test_runs_and_their_details(stage: Stage) -> None:
    long = "the table has no column total: " + "add it, or set createTable. " * 12
    history = [
        entry("0mw5", result="Failed", reason="SchemaMismatch", message=long, startedAt=ago(90)),
        entry("0mw4", trigger="Request", read=1204, inserted=12, quarantined=2, message="1,204 read"),
    ]
    await stage.create(
        "orders", ready(history=history, currentRun={"id": "0mw6", "trigger": "Retry", "generation": 1, "startedAt": ago(5), "read": 40})
    )
    async with showing(stage.kubeconfig) as show:
        await opened(show, "r")
        await show.until_shows("▸ Running")
        assert "✗ Failed" in show.text
        assert "40 so far" in show.text
        await show.press("j")
        await show.until_shows("Failed: SchemaMismatch")
        assert " ".join(show.text.split()).count("add it, or set createTable.") >= 12
        await show.press("j")
        await show.until_shows("1,204 read, 12 inserted, 0 updated, 0 unchanged, 0 skipped, 2 quarantined")
        await stage.status("orders", {"currentRun": None, "history": [entry("0mw6", trigger="Retry", message="now it works"), *history]})
        await show.until_shows("now it works")
        await show.until_shows("2 quarantined")


async def test_it_has_not_run_yet(stage: Stage) -> None:
    await stage.create("orders")
    async with showing(stage.kubeconfig) as show:
        await opened(show, "r")
        await show.until_shows("It has not run yet.")
        await show.press("1")
        await show.until_shows("no operator has looked at it yet")


async def test_yaml_without_managed_fields(stage: Stage) -> None:
    await stage.create("orders", ready(), annotations={"kubectl.kubernetes.io/last-applied-configuration": "{}", "owner": "ana"})
    async with showing(stage.kubeconfig) as show:
        await opened(show, "y")
        await show.until_shows("baseURL: https://api.example/v1")
        page = show.app.screen.yaml.text  # type: ignore[attr-defined]
        assert "managedFields" not in page
        assert "last-applied" not in page
        assert "owner: ana" in page
        assert page.startswith("apiVersion: syncsource.dev/v1alpha1\nkind: SyncSource\nmetadata:\n")


async def test_events_come_and_are_counted(stage: Stage) -> None:
    source = await stage.create("orders", ready())
    other = await stage.create("stores", ready())
    event = await stage.client.post("/api/v1/namespaces/default/events", _event("e1", source, "Failed", "503", ago(60)))
    await stage.client.post("/api/v1/namespaces/default/events", _event("e2", other, "Succeeded", "not ours", ago(50)))
    async with showing(stage.kubeconfig) as show:
        await opened(show, "e")
        await show.until_shows("503")
        assert "not ours" not in show.text
        await stage.client.post("/api/v1/namespaces/default/events", _event("e3", source, "Succeeded", "12 read", ago(10)))
        await show.until_shows("12 read")
        path = f"/api/v1/namespaces/default/events/{event['metadata']['name']}"
        await stage.client.merge_patch(path, {"count": 4, "lastTimestamp": ago(-1)}, right="")
        await show.until_shows("Failed                  4  503")


def _event(name: str, source: dict[str, Any], reason: str, message: str, at: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": "default"},
        "involvedObject": {
            "kind": "SyncSource",
            "name": source["metadata"]["name"],
            "namespace": "default",
            "uid": source["metadata"]["uid"],
        },
        "type": "Warning" if reason == "Failed" else "Normal",
        "reason": reason,
        "message": message,
        "count": 1,
        "firstTimestamp": at,
        "lastTimestamp": at,
        "source": {"component": "syncsource"},
    }


async def operator_pod(stage: Stage, name: str = "syncsource-operator") -> ContainerLog:
    """The operator's Pod, and where its container writes."""
    found = await stage.client.get("/api/v1/namespaces")
    if "syncsource" not in [item["metadata"]["name"] for item in found["items"]]:
        await stage.namespace("syncsource")
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": LABELS},
        "spec": {"containers": [{"name": "operator", "image": "syncsource"}]},
    }
    made = await stage.client.post("/api/v1/namespaces/syncsource/pods", pod)
    status = {"phase": "Running", "containerStatuses": [_container_status()]}
    await stage.client.merge_patch(f"/api/v1/namespaces/syncsource/pods/{name}/status", {"status": status}, right="")
    return ContainerLog(stage.folder, namespace="syncsource", pod=name, uid=made["metadata"]["uid"], container="operator")


def _container_status() -> dict[str, Any]:
    running = {"running": {"startedAt": ago(100)}}
    return {"name": "operator", "ready": True, "restartCount": 0, "image": "syncsource", "imageID": "", "state": running}


def line(message: str, source: str = "default/orders", level: str = "info", **more: str) -> bytes:
    told = {
        "time": ago(30),
        "level": level,
        "logger": "syncsource.controller",
        "message": message,
        **({"source": source} if source else {}),
        **more,
    }
    return json.dumps(told).encode()


async def test_the_log_of_this_source_as_it_is_written(stage: Stage) -> None:
    await stage.create("orders", ready())
    log = await operator_pod(stage)
    log.write("stderr", line("Schedule run started", run="0mw7"))
    log.write("stderr", line("of another", "default/stores"))
    log.write("stderr", b"Traceback (most recent call last):")
    async with showing(stage.kubeconfig) as show:
        await opened(show, "l")
        await show.until_shows("Schedule run started")
        assert "of another" not in show.text
        assert "Traceback" not in show.text
        log.write("stderr", line("it broke", level="error", run="0mw7", trace="t-1"))
        await show.until_shows("it broke")
        await show.until_shows("t-1")
        await show.press("a")
        await show.until_shows("Traceback (most recent call last):")
        await show.until_shows("of another")
        await show.press("slash", *"BROKE", "enter")
        await show.until(lambda: "of another" not in show.text)
        assert "it broke" in show.text
    log.close()


async def test_the_end_of_a_long_log_is_followed_until_somebody_reads(stage: Stage) -> None:
    await stage.create("orders", ready())
    log = await operator_pod(stage)
    for number in range(200):
        log.write("stderr", line(f"line {number}"))
    async with showing(stage.kubeconfig, size=(80, 24)) as show:
        await opened(show, "l")
        await show.until_shows("line 199")
        log.write("stderr", line("line 200"))
        await show.until_shows("line 200")
        await show.press("k", "k")
        log.write("stderr", line("line 201"))
        await show.until_shows("standing still")
        await show.pilot.pause(0.3)
        assert "line 201" not in show.text
        await show.press("f")
        await show.until_shows("line 201")
    log.close()


async def test_another_operator_is_found_when_its_pod_is_gone(stage: Stage) -> None:
    await stage.create("orders", ready())
    async with showing(stage.kubeconfig) as show:
        await opened(show, "l")
        await show.until_shows("no log: there is no Pod with the labels app.kubernetes.io/name=syncsource")
        log = await operator_pod(stage)
        log.write("stderr", line("here I am"))
        await show.until_shows("here I am")
    log.close()


async def test_what_was_deleted_can_still_be_read_but_not_changed(stage: Stage) -> None:
    await stage.create("orders", ready())
    async with showing(stage.kubeconfig) as show:
        await opened(show)
        await show.until_shows("every 15m")
        await stage.delete("orders")
        await show.until(lambda: "deleted" in show.line("header"))
        assert "every 15m" in show.text
        await show.press("T")
        await show.until(lambda: show.line("activity") == "Trigger: no row is chosen")


async def test_changes_from_within_a_source(stage: Stage) -> None:
    await stage.create("orders", ready(conditions=[condition("Ready", "True", "Succeeded", "ok")]))
    async with showing(stage.kubeconfig) as show:
        await opened(show)
        await show.press("T")
        await show.until_shows("Trigger orders")
        await show.press("y")
        await show.until(lambda: show.line("activity") == "▸ Trigger orders Requested")
