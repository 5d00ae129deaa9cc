"""What a deletion takes with it: dependents, the contents of a namespace, the objects of a definition."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

MERGE = {"Content-Type": "application/merge-patch+json"}
CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
SECRETS = "/api/v1/namespaces/default/secrets"


@pytest.fixture
def gone(http, server, watch_lines) -> Callable[[str], None]:
    """Wait until a path is not found, by the watch of its collection."""

    def wait(path: str) -> None:
        collection, _, name = path.rpartition("/")
        listed = http.get(collection, params={"fieldSelector": f"metadata.name={name}"})
        if listed.status_code == 404 or not listed.json()["items"]:
            return
        version = listed.json()["metadata"]["resourceVersion"]
        with watch_lines(server.client(), collection, fieldSelector=f"metadata.name={name}", resourceVersion=version) as events:
            assert any(event["type"] == "DELETED" for event in events), f"{path} is still there"

    return wait


def _make(http, path: str, name: str, *owners: dict, finalizers: tuple[str, ...] = ()) -> dict:
    references = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
            "blockOwnerDeletion": True,
        }
        for owner in owners
    ]
    body = {"metadata": {"name": name, "ownerReferences": references, "finalizers": list(finalizers)}}
    made = http.post(path, json=body)
    assert made.status_code == 201, made.text
    return made.json()


def test_dependents_follow_their_owner(http, gone) -> None:
    owner = _make(http, CONFIGMAPS, "owner")
    middle = _make(http, CONFIGMAPS, "middle", owner)
    _make(http, SECRETS, "leaf", middle)
    http.delete(f"{CONFIGMAPS}/owner")
    gone(f"{CONFIGMAPS}/middle")
    gone(f"{SECRETS}/leaf")


def test_one_of_two_owners_is_not_enough(http, server, watch_lines) -> None:
    one, two = _make(http, CONFIGMAPS, "one"), _make(http, CONFIGMAPS, "two")
    shared = _make(http, SECRETS, "shared", one, two)
    with watch_lines(server.client(), SECRETS, resourceVersion=shared["metadata"]["resourceVersion"]) as events:
        http.delete(f"{CONFIGMAPS}/one")
        event = next(events)
    assert event["type"] == "MODIFIED"
    assert [owner["name"] for owner in event["object"]["metadata"]["ownerReferences"]] == ["two"]


def test_an_owner_that_never_was_is_gone(http, gone) -> None:
    _make(http, SECRETS, "astray", {"metadata": {"name": "x", "uid": "00000000-0000-0000-0000-000000000000"}})
    gone(f"{SECRETS}/astray")


def test_orphans_stay(http, gone) -> None:
    owner = _make(http, CONFIGMAPS, "parent")
    _make(http, SECRETS, "orphan", owner)
    http.request("DELETE", f"{CONFIGMAPS}/parent", json={"propagationPolicy": "Orphan"})
    gone(f"{CONFIGMAPS}/parent")
    assert http.get(f"{SECRETS}/orphan").json()["metadata"].get("ownerReferences", []) == []


def test_a_foreground_deletion_waits_for_dependents(http, gone) -> None:
    owner = _make(http, CONFIGMAPS, "front")
    _make(http, SECRETS, "held", owner, finalizers=("example.dev/hold",))
    marked = http.request("DELETE", f"{CONFIGMAPS}/front", json={"propagationPolicy": "Foreground"}).json()
    assert marked["metadata"]["finalizers"] == ["foregroundDeletion"]
    deadline = time.monotonic() + 10
    while not http.get(f"{SECRETS}/held").json()["metadata"].get("deletionTimestamp"):
        assert time.monotonic() < deadline
    assert http.get(f"{CONFIGMAPS}/front").status_code == 200
    http.patch(f"{SECRETS}/held", json={"metadata": {"finalizers": None}}, headers=MERGE)
    gone(f"{CONFIGMAPS}/front")


def test_a_namespace_goes_with_its_contents(http, widgets, gone) -> None:
    http.post("/api/v1/namespaces", json={"metadata": {"name": "shop"}})
    inside = widgets.replace("default", "shop")
    held = {"metadata": {"name": "a", "finalizers": ["example.dev/hold"]}, "spec": {"colour": "red"}}
    assert http.post(inside, json=held).status_code == 201
    assert http.delete("/api/v1/namespaces/shop").json()["status"]["phase"] == "Terminating"
    late = http.post("/api/v1/namespaces/shop/secrets", json={"metadata": {"name": "late"}})
    assert (late.status_code, late.json()["reason"]) == (403, "Forbidden")
    http.patch(f"{inside}/a", json={"metadata": {"finalizers": None}}, headers=MERGE)
    gone("/api/v1/namespaces/shop")


def test_a_definition_goes_with_its_objects(http, widgets, gone, new_widget) -> None:
    new_widget()
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    http.delete(f"{crds}/widgets.conformance.example.dev")
    gone(f"{crds}/widgets.conformance.example.dev")
    assert http.get(widgets).status_code == 404
    groups = http.get("/apis").json()["groups"]
    assert "conformance.example.dev" not in {group["name"] for group in groups}
