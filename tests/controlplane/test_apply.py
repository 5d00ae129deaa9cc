"""Patches: server-side apply with owners and conflicts, strategic merge, merge and JSON patch."""

from __future__ import annotations

import pytest

from syncsource.localplane.admission.schema import Schema
from syncsource.localplane.writing.apply import merge
from syncsource.localplane.writing.fieldset import compare, fields_of, from_fields_v1, path_text, remove, to_fields_v1
from syncsource.localplane.writing.patches import merge_patch
from syncsource.localplane.writing.strategic import strategic_merge

APPLY = {"Content-Type": "application/apply-patch+yaml"}
MERGE = {"Content-Type": "application/merge-patch+json"}
STRATEGIC = {"Content-Type": "application/strategic-merge-patch+json"}
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


@pytest.fixture
def apply(http, widgets):
    def send(name: str, spec: dict, manager: str, **more):
        body = {
            "apiVersion": "conformance.example.dev/v1alpha1",
            "kind": "Widget",
            "metadata": {"name": name, **more.pop("metadata", {})},
            "spec": spec,
        }
        return http.patch(f"{widgets}/{name}", json=body, headers=APPLY, params={"fieldManager": manager, **more})

    return send


def test_applying_creates_and_applying_again_changes_nothing(apply) -> None:
    made = apply("ssa-new", {"colour": "red"}, "one")
    assert made.status_code == 201
    again = apply("ssa-new", {"colour": "red"}, "one")
    assert (again.status_code, again.json()) == (200, made.json())


def test_a_field_of_another_manager_is_a_conflict_unless_forced(apply) -> None:
    apply("ssa-conflict", {"colour": "red", "size": 3}, "one")
    refused = apply("ssa-conflict", {"colour": "blue", "size": 4}, "two")
    assert refused.status_code == 409
    assert refused.json()["message"] == 'Apply failed with 2 conflicts: conflicts with "one":\n- .spec.colour\n- .spec.size'
    assert refused.json()["details"]["causes"][0] == {
        "reason": "FieldManagerConflict",
        "message": 'conflict with "one"',
        "field": ".spec.colour",
    }
    forced = apply("ssa-conflict", {"colour": "blue", "size": 4}, "two", force="true").json()
    owners = {entry["manager"]: entry["fieldsV1"] for entry in forced["metadata"]["managedFields"]}
    assert owners == {"two": {"f:spec": {"f:colour": {}, "f:size": {}}}}


def test_equal_values_are_owned_together(apply) -> None:
    apply("ssa-shared", {"colour": "red"}, "one")
    shared = apply("ssa-shared", {"colour": "red"}, "two").json()
    assert [entry["manager"] for entry in shared["metadata"]["managedFields"]] == ["two", "one"]
    left = apply("ssa-shared", {"colour": "red", "size": 5}, "one").json()
    assert left["spec"] == {"colour": "red", "size": 5}


def test_what_is_not_applied_any_more_goes(apply) -> None:
    parts = [{"name": "a", "count": 2}, {"name": "b"}]
    apply("ssa-drop", {"colour": "red", "note": "n", "parts": parts}, "one")
    apply("ssa-drop", {"colour": "red", "parts": [{"name": "b", "count": 9}]}, "two", force="true")
    dropped = apply("ssa-drop", {"colour": "red", "parts": [{"name": "c"}]}, "one").json()
    assert dropped["spec"] == {"colour": "red", "size": 10, "parts": [{"name": "b", "count": 9}, {"name": "c", "count": 1}]} or dropped["spec"] == {
        "colour": "red", "size": 10, "parts": [{"name": "c", "count": 1}, {"name": "b", "count": 9}],
    }  # fmt: skip


def test_an_update_takes_a_field_over(apply, http, widgets) -> None:
    apply("ssa-update", {"colour": "red", "size": 3}, "one")
    http.patch(f"{widgets}/ssa-update", json={"spec": {"size": 4}}, headers=MERGE, params={"fieldManager": "hand"})
    refused = apply("ssa-update", {"colour": "red", "size": 3}, "one")
    assert refused.json()["message"] == (
        'Apply failed with 1 conflict: conflict with "hand" using conformance.example.dev/v1alpha1: .spec.size'
    )


def test_the_status_has_its_own_owners(http, widgets, new_widget) -> None:
    name = new_widget()["metadata"]["name"]
    body = {
        "apiVersion": "conformance.example.dev/v1alpha1",
        "kind": "Widget",
        "metadata": {"name": name},
        "status": {"observedGeneration": 1},
    }
    applied = http.patch(f"{widgets}/{name}/status", json=body, headers=APPLY, params={"fieldManager": "controller"}).json()
    entry = next(entry for entry in applied["metadata"]["managedFields"] if entry["manager"] == "controller")
    assert (entry["subresource"], entry["operation"], entry["fieldsV1"]) == ("status", "Apply", {"f:status": {"f:observedGeneration": {}}})


def test_applying_needs_a_manager_and_no_managed_fields(apply) -> None:
    assert apply("ssa-bad", {"colour": "red"}, "").status_code == 422
    assert apply("ssa-bad", {"colour": "red"}, "one", metadata={"managedFields": [{"manager": "x"}]}).status_code == 400


def test_a_strategic_patch_merges_lists_by_key(http) -> None:
    pod = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "1"}]}}
    deployment = {"metadata": {"name": "strategic"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": pod}}
    assert http.post(DEPLOYMENTS, json=deployment).status_code == 201
    containers = [{"name": "b", "image": "2"}, {"name": "a", "$patch": "delete"}, {"name": "c", "image": "3"}]
    patch = {"spec": {"template": {"spec": {"containers": containers}}}}
    patched = http.patch(f"{DEPLOYMENTS}/strategic", json=patch, headers=STRATEGIC).json()
    kept = patched["spec"]["template"]["spec"]["containers"]
    assert [(found["name"], found["image"]) for found in kept] == [("b", "2"), ("c", "3")]


SET = Schema(types=("array",), list_type="set", is_merged=True, items=Schema(types=("string",)))
NAMED = Schema(types=("object",), properties={"name": Schema()})
KEYED = Schema(types=("array",), list_type="map", list_map_keys=("name",), items=NAMED, is_merged=True, merge_key="name")
PLAIN = Schema(types=("array",), items=Schema())
ROOT = Schema(types=("object",), properties={"set": SET, "keyed": KEYED, "plain": PLAIN, "map": Schema(additional=Schema())})


@pytest.mark.parametrize(
    ("current", "patch", "merged"),
    [
        ({"map": {"a": 1}}, {"map": {"b": 2}}, {"map": {"a": 1, "b": 2}}),
        ({"map": {"a": 1}}, {"map": {"a": None}}, {"map": {}}),
        ({"map": {"a": 1}}, {"map": {"$patch": "replace", "b": 2}}, {"map": {"b": 2}}),
        ({"map": {"a": 1, "c": 3}}, {"map": {"$retainKeys": ["a", "b"], "b": 2}}, {"map": {"a": 1, "b": 2}}),
        ({"plain": [1, 2]}, {"plain": [3]}, {"plain": [3]}),
        ({"set": ["a"]}, {"set": ["a", "b"]}, {"set": ["a", "b"]}),
        ({"set": ["a", "b"]}, {"$deleteFromPrimitiveList/set": ["a"]}, {"set": ["b"]}),
        ({"keyed": [{"name": "a", "x": 1}]}, {"keyed": [{"name": "a", "y": 2}]}, {"keyed": [{"name": "a", "x": 1, "y": 2}]}),
        ({"keyed": [{"name": "a"}]}, {"keyed": [{"$patch": "replace"}, {"name": "b"}]}, {"keyed": [{"name": "b"}]}),
        ({"keyed": [{"name": "a"}]}, {"keyed": [{"name": "b"}]}, {"keyed": [{"name": "b"}, {"name": "a"}]}),
        (
            {"keyed": [{"name": "a"}, {"name": "b"}, {"name": "c"}]},
            {"keyed": [{"name": "b", "x": 1}, {"name": "d"}]},
            {"keyed": [{"name": "a"}, {"name": "b", "x": 1}, {"name": "d"}, {"name": "c"}]},
        ),
        (
            {"keyed": [{"name": "a"}, {"name": "b"}]},
            {"$setElementOrder/keyed": [{"name": "b"}, {"name": "a"}], "keyed": [{"name": "b", "x": 1}]},
            {"keyed": [{"name": "b", "x": 1}, {"name": "a"}]},
        ),
    ],
)
def test_strategic_merging(current, patch, merged) -> None:
    assert strategic_merge(current, patch, ROOT) == merged


@pytest.mark.parametrize(
    ("current", "patch", "merged"),
    [({"a": 1}, {"a": None}, {}), ({"a": {"b": 1}}, {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}}), ({"a": [1]}, {"a": [2]}, {"a": [2]}), ([1], {"a": {"b": None}}, {"a": {}})],
)  # fmt: skip
def test_merge_patches_are_those_of_rfc_7386(current, patch, merged) -> None:
    assert merge_patch(current, patch) == merged


def test_fields_are_named_by_key_value_and_position() -> None:
    fields = fields_of({"keyed": [{"name": "a", "x": 1}], "set": ["v"], "plain": [1], "map": {"k": None}}, ROOT)
    assert sorted(map(path_text, fields)) == [
        ".keyed[name=\"a\"]", ".keyed[name=\"a\"].name", ".keyed[name=\"a\"].x", ".map.k", ".plain", ".set[=\"v\"]",
    ]  # fmt: skip
    assert from_fields_v1(to_fields_v1(fields)) == fields


def test_a_comparison_says_what_was_added_changed_and_removed() -> None:
    found = compare({"map": {"a": 1, "b": 1}, "set": ["x"]}, {"map": {"a": 2, "c": 1}, "set": ["x", "y"]}, ROOT)
    assert (found.modified, found.removed) == ({("f:map", "f:a")}, {("f:map", "f:b")})
    assert found.added == {("f:map", "f:c"), ("f:set", 'v:"y"')}


def test_removing_takes_items_out() -> None:
    value = {"keyed": [{"name": "a"}, {"name": "b", "x": 1}], "map": {"k": 1, "l": 2}}
    paths = frozenset({("f:keyed", 'k:{"name":"a"}'), ("f:keyed", 'k:{"name":"b"}', "f:x"), ("f:map", "f:k")})
    assert remove(value, ROOT, paths) == {"keyed": [{"name": "b"}], "map": {"l": 2}}


def test_merging_keeps_the_place_of_other_items() -> None:
    live = [{"name": "a"}, {"name": "b"}, {"name": "c"}]
    assert [item["name"] for item in merge(live, [{"name": "c"}, {"name": "d"}], KEYED)] == ["a", "b", "c", "d"]
