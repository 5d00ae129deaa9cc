"""Watches: what is sent, from where, and when they end."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time

import pytest

from syncsource.localplane.storage.broadcast import HISTORY_BYTES, HISTORY_EVENTS, QUEUE_EVENTS, Broadcast, Change
from syncsource.localplane.storage.store import Key

MERGE = {"Content-Type": "application/merge-patch+json"}
STREAMING = {"sendInitialEvents": "true", "allowWatchBookmarks": "true", "resourceVersionMatch": "NotOlderThan"}


def test_changes_arrive_in_order_and_at_once(http, server, widgets, new_widget, watch_lines) -> None:
    start = http.get(widgets).json()["metadata"]["resourceVersion"]
    with watch_lines(server.client(), widgets, resourceVersion=start) as events:
        widget = new_widget({"colour": "red"}, name="watched")
        http.patch(f"{widgets}/watched", json={"spec": {"size": 20}}, headers=MERGE)
        http.delete(f"{widgets}/watched")
        seen = [next(events) for _ in range(3)]
    assert [event["type"] for event in seen] == ["ADDED", "MODIFIED", "DELETED"]
    assert {event["object"]["metadata"]["uid"] for event in seen} == {widget["metadata"]["uid"]}
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in seen]
    assert versions == sorted(set(versions))


def test_a_watch_without_a_version_begins_with_what_is_there(server, widgets, new_widget, watch_lines) -> None:
    widget = new_widget(labels={"begin": "here"})
    with watch_lines(server.client(), widgets, labelSelector="begin=here") as events:
        first = next(events)
    assert (first["type"], first["object"]["metadata"]["name"]) == ("ADDED", widget["metadata"]["name"])


def test_an_object_enters_and_leaves_a_selection(http, server, widgets, new_widget, watch_lines) -> None:
    start = http.get(widgets).json()["metadata"]["resourceVersion"]
    with watch_lines(server.client(), widgets, labelSelector="in=yes", resourceVersion=start) as events:
        name = new_widget()["metadata"]["name"]
        for value in ("yes", "yes-still", None):
            http.patch(f"{widgets}/{name}", json={"metadata": {"labels": {"in": value}}}, headers=MERGE)
        http.patch(f"{widgets}/{name}", json={"metadata": {"labels": {"in": "yes"}}}, headers=MERGE)
        seen = [next(events)["type"] for _ in range(3)]
    assert seen == ["ADDED", "DELETED", "ADDED"]


def test_a_streaming_list_ends_with_a_marked_bookmark(server, widgets, new_widget, watch_lines) -> None:
    new_widget(labels={"stream": "yes"})
    with watch_lines(server.client(), widgets, labelSelector="stream=yes", **STREAMING) as events:
        seen = [next(events), next(events)]
    assert [event["type"] for event in seen] == ["ADDED", "BOOKMARK"]
    assert seen[1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_a_watch_ends_after_its_time(server, widgets, watch_lines) -> None:
    began = time.monotonic()
    with watch_lines(server.client(), widgets, timeoutSeconds=1, labelSelector="none=such") as events:
        assert list(events) == []
    assert 0.5 < time.monotonic() - began < 5


def test_a_version_before_the_history_is_gone(server, widgets, watch_lines) -> None:
    with watch_lines(server.client(), widgets, resourceVersion="1") as events:
        (event,) = list(events)
    status = event["object"]
    assert (event["type"], status["code"], status["reason"]) == ("ERROR", 410, "Expired")
    assert re.fullmatch(r"too old resource version: 1 \(\d+\)", status["message"])


def test_more_than_memory_holds_comes_from_the_store(http, server, widgets, new_widget, watch_lines) -> None:
    name = new_widget()["metadata"]["name"]
    start = int(http.get(widgets).json()["metadata"]["resourceVersion"])
    path = "/api/v1/namespaces/default/configmaps"
    http.post(path, json={"metadata": {"name": "busy"}, "data": {"filling": "x" * 900_000}})
    http.patch(f"{widgets}/{name}", json={"spec": {"size": 2}}, headers=MERGE)
    for number in range(2 * HISTORY_BYTES // 1_800_000 + 1):
        http.patch(f"{path}/busy", json={"data": {"number": str(number)}}, headers=MERGE)
    with watch_lines(server.client(), widgets, resourceVersion=str(start)) as events:
        http.patch(f"{widgets}/{name}", json={"spec": {"size": 3}}, headers=MERGE)
        seen = [next(events)["object"] for _ in range(2)]
    assert [obj["spec"]["size"] for obj in seen] == [2, 3]
    with watch_lines(server.client(), path, resourceVersion=str(start)) as events:
        assert [next(events)["type"] for _ in range(3)] == ["ADDED", "MODIFIED", "MODIFIED"]


def test_a_version_to_come_is_waited_for(http, server, widgets, new_widget, watch_lines) -> None:
    now = int(http.get(widgets).json()["metadata"]["resourceVersion"])
    with watch_lines(server.client(), widgets, resourceVersion=str(now + 2)) as events:
        made = [new_widget()["metadata"]["name"] for _ in range(3)]
        assert next(events)["object"]["metadata"]["name"] == made[2]


def test_a_streaming_list_of_a_version_to_come_ends(server, widgets, watch_lines) -> None:
    with watch_lines(server.client(), widgets, **STREAMING, resourceVersion="99999999") as events:
        (event,) = list(events)
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 504, "Timeout")


def test_without_initial_events_a_watch_begins_now(http, server, widgets, new_widget, watch_lines) -> None:
    new_widget()
    with watch_lines(server.client(), widgets, sendInitialEvents="false", resourceVersionMatch="NotOlderThan") as events:
        made = new_widget()
        assert next(events)["object"]["metadata"]["name"] == made["metadata"]["name"]


def test_a_bookmark_comes_before_the_end(http, server, widgets, new_widget, watch_lines) -> None:
    with watch_lines(server.client(), widgets, labelSelector="none=such", allowWatchBookmarks="true", timeoutSeconds=3) as events:
        version = new_widget()["metadata"]["resourceVersion"]
        (event,) = list(events)
    assert event["type"] == "BOOKMARK"
    assert set(event["object"]) == {"kind", "apiVersion", "metadata"}
    assert int(event["object"]["metadata"]["resourceVersion"]) >= int(version)


@pytest.mark.parametrize(
    "accept", ["application/json;as=Table;v=v1;g=meta.k8s.io", "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"]
)
def test_other_forms_are_sent_to_every_watch(http, server, widgets, new_widget, watch_lines, accept) -> None:
    with contextlib.ExitStack() as stack:
        now = http.get(widgets).json()["metadata"]["resourceVersion"]
        client = server.client(headers={"Accept": accept})
        watches = [stack.enter_context(watch_lines(client, widgets, resourceVersion=now)) for _ in range(3)]
        new_widget(name=f"formed-{len(accept)}")
        http.patch(f"{widgets}/formed-{len(accept)}", json={"spec": {"size": 4}}, headers=MERGE)
        told = [[next(events) for _ in range(2)] for events in watches]
    assert told[0] == told[1] == told[2]
    if "Table" in accept:
        first, second = (event["object"] for event in told[0])
        assert [column["name"] for column in first["columnDefinitions"]][:2] == ["Name", "Colour"]
        assert (second["columnDefinitions"], second["rows"][0]["cells"][2]) == (None, 4)


@pytest.mark.parametrize(
    ("parameters", "code", "message"),
    [
        ({"resourceVersion": "abc"}, 500, 'resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax'),
        ({"timeoutSeconds": "abc"}, 400, 'strconv.ParseInt: parsing "abc": invalid syntax'),
        ({"resourceVersionMatch": "NotOlderThan"}, 422, 'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'),
        ({"sendInitialEvents": "true"}, 422, 'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'),
        ({"sendInitialEvents": "true", "resourceVersionMatch": "Exact"}, 422, 'ListOptions.meta.k8s.io "" is invalid: [resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan, resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"]'),
    ],
)  # fmt: skip
def test_bad_options_are_refused_as_kubernetes_does(http, widgets, parameters, code, message) -> None:
    refused = http.get(widgets, params={"watch": "1", **parameters})
    assert (refused.status_code, refused.json()["message"]) == (code, message)


def test_one_object_is_watched_by_name(http, server, widgets, new_widget, watch_lines) -> None:
    name = new_widget()["metadata"]["name"]
    with watch_lines(server.client(), widgets, fieldSelector=f"metadata.name={name}") as events:
        assert next(events)["type"] == "ADDED"
        new_widget()
        http.delete(f"{widgets}/{name}")
        assert next(events)["type"] == "DELETED"


def _change(version: int) -> Change:
    return Change("MODIFIED", Key("widgets", "default", "a"), version, b"{}", b"{}")


async def test_a_slow_watcher_is_dropped() -> None:
    broadcast = Broadcast(0)
    with broadcast.watching("widgets") as watcher:
        for version in range(1, QUEUE_EVENTS + 2):
            broadcast.publish(_change(version))
        assert watcher.is_closed


async def test_the_history_is_bounded() -> None:
    broadcast = Broadcast(0)
    for version in range(1, HISTORY_EVENTS + 11):
        broadcast.publish(_change(version))
    assert broadcast.oldest == 10
    assert broadcast.since("widgets", 9) is None
    assert len(broadcast.since("widgets", 10) or []) == HISTORY_EVENTS


async def test_waiting_ends_with_a_change_or_with_time() -> None:
    broadcast = Broadcast(0)
    with broadcast.watching("widgets") as watcher:
        assert await watcher.next(0.01) == []
        waiting = asyncio.create_task(watcher.next(5))
        await asyncio.sleep(0)
        broadcast.publish(_change(1))
        assert [change.version for change in await waiting] == [1]
        broadcast.end()
        assert await watcher.next(5) == []


@pytest.mark.parametrize("resource", ["secrets", "configmaps"])
def test_the_core_kinds_are_watched_too(server, http, watch_lines, resource) -> None:
    path = f"/api/v1/namespaces/default/{resource}"
    start = http.get(path).json()["metadata"]["resourceVersion"]
    with watch_lines(server.client(), path, resourceVersion=start) as events:
        http.post(path, json={"metadata": {"name": "watched"}})
        assert next(events)["object"]["metadata"]["name"] == "watched"
