"""Objects that were stored before their definition changed, or in another version than they are asked for: what Kubernetes 1.36 answers."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.controlplane.conftest import Server

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
MERGE = {"Content-Type": "application/merge-patch+json"}
JSON = {"Content-Type": "application/json-patch+json"}
APPLY = {"Content-Type": "application/apply-patch+yaml"}
TEXT = {"type": "string"}
BEFORE = {"spec": {"type": "object", "properties": {"a": TEXT, "b": TEXT}}}
AFTER = {
    "spec": {
        "type": "object",
        "properties": {
            "a": TEXT,
            "c": {**TEXT, "default": "see"},
            "d": {"type": "object", "default": {}, "properties": {"e": {"type": "integer", "default": 5}}},
        },
    },
    "status": {"type": "object", "default": {"p": "q"}, "properties": {"p": TEXT}},
}
WHOLE = {"a": "1", "c": "see", "d": {"e": 5}}
OWNED = {"f:spec": {".": {}, "f:a": {}, "f:b": {}}}


def _version(name: str, properties: dict[str, Any], *, served: bool = True, storage: bool = True) -> dict[str, Any]:
    schema = {"openAPIV3Schema": {"type": "object", "properties": properties}}
    return {"name": name, "served": served, "storage": storage, "schema": schema, "subresources": {"status": {}}}


@dataclass
class Things:
    """A definition of its own, and its objects."""

    http: httpx.Client
    group: str

    @property
    def definition(self) -> str:
        return f"{CRDS}/things.{self.group}"

    def path(self, name: str = "", version: str = "v1") -> str:
        return f"/apis/{self.group}/{version}/namespaces/default/things" + (f"/{name}" if name else "")

    def define(self, *versions: dict[str, Any]) -> None:
        names = {"plural": "things", "kind": "Thing"}
        spec = {"group": self.group, "scope": "Namespaced", "names": names, "versions": list(versions)}
        assert self.http.post(CRDS, json={"metadata": {"name": f"things.{self.group}"}, "spec": spec}).status_code == 201

    def redefine(self, *versions: dict[str, Any]) -> None:
        changed = self.http.patch(self.definition, json={"spec": {"versions": list(versions)}}, headers=MERGE)
        assert changed.status_code == 200, changed.text

    def body(self, name: str, version: str = "v1", **spec: str) -> dict[str, Any]:
        return {"apiVersion": f"{self.group}/{version}", "kind": "Thing", "metadata": {"name": name}, "spec": spec}

    def create(self, name: str, version: str = "v1", **spec: str) -> dict[str, Any]:
        made = self.http.post(self.path(version=version), json=self.body(name, version, **spec), params={"fieldManager": "m"})
        assert made.status_code == 201, made.text
        return made.json()

    def patch(self, name: str, patch: Any, version: str = "v1", manager: str = "n", headers: dict[str, str] = MERGE) -> dict[str, Any]:
        done = self.http.patch(self.path(name, version), json=patch, headers=headers, params={"fieldManager": manager})
        assert done.status_code in (200, 201), done.text
        return done.json()

    def get(self, name: str, version: str = "v1") -> dict[str, Any]:
        return self.http.get(self.path(name, version)).json()


@pytest.fixture
def things(http: httpx.Client) -> Things:
    return Things(http, f"g{uuid.uuid4().hex[:8]}.example.dev")


@pytest.fixture
def old(things: Things) -> dict[str, Any]:
    """An object that was stored before its definition gained defaults and lost a field."""
    things.define(_version("v1", BEFORE))
    made = things.create("x", a="1", b="2")
    things.redefine(_version("v1", AFTER))
    return made


def _entries(obj: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(entry["manager"], entry["fieldsV1"]) for entry in obj["metadata"].get("managedFields", [])]


def _metadata(obj: dict[str, Any]) -> tuple[int, str]:
    return obj["metadata"]["generation"], obj["metadata"]["resourceVersion"]


def test_it_is_read_as_the_definition_is_now(http: httpx.Client, things: Things, old: dict[str, Any]) -> None:
    exact = {"resourceVersion": old["metadata"]["resourceVersion"], "resourceVersionMatch": "Exact"}
    lists = [http.get(things.path(), params=params).json()["items"][0] for params in ({}, exact, {"fieldSelector": "metadata.name=x"})]
    for found in (things.get("x"), http.get(things.path("x/status")).json(), *lists):
        assert (found["spec"], found["status"], _metadata(found)) == (WHOLE, {"p": "q"}, _metadata(old))
        assert _entries(found) == [("m", OWNED)]


def test_a_watch_begins_with_it_as_it_is_now(
    http: httpx.Client, things: Things, old: dict[str, Any], watch_lines: Callable[..., Iterator[dict[str, Any]]]
) -> None:
    with watch_lines(http, things.path()) as events:
        assert next(events)["object"]["spec"] == WHOLE


def test_its_deletion_tells_it_as_it_is_now(
    server: Server, http: httpx.Client, things: Things, old: dict[str, Any], watch_lines: Callable[..., Iterator[dict[str, Any]]]
) -> None:
    version = http.get(things.path()).json()["metadata"]["resourceVersion"]
    with watch_lines(server.client(), things.path(), resourceVersion=version) as events:
        http.delete(things.path("x"))
        event = next(events)
    assert (event["type"], event["object"]["spec"]) == ("DELETED", WHOLE)


def test_a_watch_does_not_go_on_from_before(http: httpx.Client, things: Things, old: dict[str, Any]) -> None:
    version = int(old["metadata"]["resourceVersion"])
    params = {"watch": "1", "resourceVersion": str(version), "timeoutSeconds": "5"}
    said = http.get(things.path(), params=params).json()
    assert (said["type"], said["object"]["code"]) == ("ERROR", 410)
    assert said["object"]["message"] == f"too old resource version: {version} ({version + 1})"


def test_a_change_of_the_definition_ends_the_watches(server: Server, things: Things) -> None:
    things.define(_version("v1", BEFORE))
    opened, ended = threading.Event(), threading.Event()
    params = {"watch": "1", "resourceVersion": things.create("x", a="1")["metadata"]["resourceVersion"], "timeoutSeconds": "60"}

    def watch() -> None:
        with server.client().stream("GET", things.path(), params=params) as response:
            opened.set()
            assert not response.read()
        ended.set()

    threading.Thread(target=watch, daemon=True).start()
    assert opened.wait(10)
    things.redefine(_version("v1", AFTER))
    assert ended.wait(10)


def test_a_patch_that_changes_nothing_writes_what_it_is_now(things: Things, old: dict[str, Any]) -> None:
    first = things.patch("x", {})
    assert (first["spec"], first["metadata"]["generation"], _entries(first)) == (WHOLE, 1, [("m", OWNED)])
    assert _metadata(first) != _metadata(old)
    assert _metadata(things.patch("x", {})) == _metadata(first)


def test_a_patch_finds_the_defaults_there(things: Things, old: dict[str, Any]) -> None:
    patch = [{"op": "test", "path": "/spec/c", "value": "see"}, {"op": "replace", "path": "/spec/c", "value": "changed"}]
    patched = things.patch("x", patch, headers=JSON)
    assert patched["spec"] == {**WHOLE, "c": "changed"}
    assert (patched["metadata"]["generation"], _entries(patched)) == (2, [("m", OWNED), ("n", {"f:spec": {"f:c": {}}})])


def test_what_a_patch_takes_over_is_no_more_than_it_says(things: Things, old: dict[str, Any]) -> None:
    patched = things.patch("x", {"spec": {"a": "9"}})
    assert _entries(patched) == [("m", {"f:spec": {".": {}, "f:b": {}}}), ("n", {"f:spec": {"f:a": {}}})]


def test_an_applied_default_is_no_change(things: Things, old: dict[str, Any]) -> None:
    applied = things.patch("x", things.body("x", c="see"), manager="ap", headers=APPLY)
    assert (applied["spec"], applied["metadata"]["generation"]) == (WHOLE, 1)
    assert _entries(applied) == [("ap", {"f:spec": {"f:c": {}}}), ("m", OWNED)]
    assert "time" not in applied["metadata"]["managedFields"][0]


def test_an_update_with_what_was_read_is_no_change(http: httpx.Client, things: Things, old: dict[str, Any]) -> None:
    written = http.put(things.path("x"), json=things.get("x"), params={"fieldManager": "n"})
    assert (written.json()["metadata"]["generation"], _entries(written.json())) == (1, [("m", OWNED)])
    assert "Warning" not in written.headers


def test_a_restart_changes_nothing_of_this(launch: Callable[..., Server], tmp_path: Path) -> None:
    first = launch(tmp_path)
    things = Things(first.client(), "again.example.dev")
    things.define(_version("v1", BEFORE))
    things.create("x", a="1", b="2")
    things.redefine(_version("v1", AFTER))
    first.stop()
    assert Things(launch(tmp_path).client(), things.group).get("x")["spec"] == WHOLE


NEW, BETA = {"a": TEXT, "new": {**TEXT, "default": "nu"}}, {"a": TEXT, "old": TEXT}
V1 = _version("v1", {"spec": {"type": "object", "properties": NEW}})
V1BETA1 = _version("v1beta1", {"spec": {"type": "object", "properties": BETA}}, storage=False)


def test_a_version_that_is_not_stored_keeps_what_the_stored_one_has(things: Things) -> None:
    things.define(V1, V1BETA1)
    made = things.create("x", "v1beta1", a="1", old="o")
    assert made["spec"] == things.get("x", "v1beta1")["spec"] == {"a": "1"}
    assert _entries(made) == [("m", {"f:spec": {".": {}, "f:a": {}, "f:old": {}}})]
    assert things.get("x")["spec"] == {"a": "1", "new": "nu"}


def test_a_write_through_another_version_loses_what_that_does_not_have(things: Things) -> None:
    things.define(V1, V1BETA1)
    things.create("x", a="1", new="n")
    patched = things.patch("x", {"spec": {"old": "o", "a": "2"}}, "v1beta1")
    assert (patched["spec"], patched["metadata"]["generation"], _entries(patched)) == ({"a": "2"}, 2, [])
    assert things.get("x")["spec"] == {"a": "2", "new": "nu"}


def test_a_dry_run_shows_what_would_be_kept(http: httpx.Client, things: Things) -> None:
    things.define(V1, V1BETA1)
    dry = http.post(things.path(version="v1beta1"), json=things.body("x", "v1beta1", a="1", old="o"), params={"dryRun": "All"})
    assert dry.json()["spec"] == {"a": "1"}


def test_another_version_is_stored_from_the_next_write_on(things: Things) -> None:
    things.define(V1, V1BETA1)
    before = things.create("x", a="1", new="n")
    things.redefine({**V1, "storage": False}, {**V1BETA1, "storage": True})
    assert things.get("x")["spec"] == {"a": "1", "new": "n"}
    written = things.patch("x", {})
    assert (written["spec"], _metadata(written) == _metadata(before)) == ({"a": "1"}, False)
    things.redefine({**V1, "storage": False}, {**V1BETA1, "storage": True, "served": False})
    assert things.get("x")["spec"] == {"a": "1"}


def test_a_definition_that_serves_no_version_goes_with_its_objects(
    http: httpx.Client, things: Things, watch_lines: Callable[..., Iterator[dict[str, Any]]]
) -> None:
    things.define(V1)
    things.create("x", a="1")
    things.redefine({**V1, "served": False})
    assert {http.get(path).text for path in (things.path(), f"/apis/{things.group}")} == {"404 page not found\n"}
    version = http.get(CRDS).json()["metadata"]["resourceVersion"]
    assert http.delete(things.definition).status_code == 200
    with watch_lines(http, CRDS, fieldSelector=f"metadata.name=things.{things.group}", resourceVersion=version) as events:
        assert any(event["type"] == "DELETED" for event in events)
    things.define(V1)
    assert http.get(things.path()).json()["items"] == []
