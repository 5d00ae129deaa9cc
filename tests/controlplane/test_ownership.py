"""Who owns which field after applies, updates and resets; the expected answers are those of Kubernetes 1.36."""

from __future__ import annotations

import pytest

from syncsource.localplane.admission.schema import Schema
from syncsource.localplane.writing.apply import merge
from syncsource.localplane.writing.fieldset import in_order
from syncsource.localplane.writing.managedfields import MAX_UPDATERS

APPLY = {"Content-Type": "application/apply-patch+yaml"}
MERGE = {"Content-Type": "application/merge-patch+json"}
API = "conformance.example.dev/v1alpha1"


@pytest.fixture
def apply(http, widgets):
    def send(name: str, spec: object, manager: str = "one", *, path: str = "", metadata: dict | None = None, **params: str):
        body = {"apiVersion": API, "kind": "Widget", "metadata": {"name": name, **(metadata or {})}}
        body |= {"status": spec} if path == "/status" else {} if spec is None else {"spec": spec}
        return http.patch(f"{widgets}/{name}{path}", json=body, headers=APPLY, params={"fieldManager": manager, **params})

    return send


def _owners(answer) -> dict[tuple[str, str], dict]:
    entries = answer.json()["metadata"].get("managedFields", [])
    return {(entry["manager"], entry.get("subresource", "")): entry["fieldsV1"] for entry in entries}


def test_an_apply_that_changes_nothing_has_no_time(apply) -> None:
    apply("own-time", {"colour": "red"}, "one")
    shared = apply("own-time", {"colour": "red"}, "two").json()["metadata"]["managedFields"]
    assert [(entry["manager"], "time" in entry) for entry in shared] == [("two", False), ("one", True)]


def test_what_an_applier_leaves_empty_goes_with_its_last_part(apply) -> None:
    apply("own-empty", {"colour": "red", "parts": [{"name": "a", "count": 2}], "options": {"deep": {"er": 1}}})
    assert apply("own-empty", {"colour": "red"}).json()["spec"] == {"colour": "red", "size": 10}


def test_empty_lists_are_owned_by_nobody_and_empty_maps_are(apply) -> None:
    made = apply("own-nothing", {"colour": "red", "parts": [], "options": {}})
    assert _owners(made)["one", ""] == {"f:spec": {"f:colour": {}, "f:options": {}}}


def test_status_and_spec_have_appliers_of_their_own(apply) -> None:
    apply("own-status", {"colour": "red"})
    both = apply("own-status", {"observedGeneration": 1}, path="/status")
    assert _owners(both) == {("one", ""): {"f:spec": {"f:colour": {}}}, ("one", "status"): {"f:status": {"f:observedGeneration": {}}}}
    refused = apply("own-status", {"observedGeneration": 2}, "two", path="/status")
    assert refused.json()["message"] == (
        'Apply failed with 1 conflict: conflict with "one" with subresource "status": .status.observedGeneration'
    )
    assert apply("own-nowhere", {"observedGeneration": 2}, path="/status").status_code == 404


def test_a_uid_does_not_create(apply) -> None:
    refused = apply("own-uid", {"colour": "red"}, metadata={"uid": "u"})
    assert refused.status_code == 409
    assert refused.json()["message"].endswith("uid mismatch: the provided object specified uid u, and no existing object was found")


def test_ownership_that_was_reset_begins_with_the_next_apply(apply, http, widgets, new_widget) -> None:
    name = new_widget({"colour": "red"})["metadata"]["name"]
    reset = http.patch(f"{widgets}/{name}", json={"metadata": {"managedFields": [{}]}}, headers=MERGE)
    assert _owners(reset) == {}
    updated = http.patch(f"{widgets}/{name}", json={"spec": {"size": 6}}, headers=MERGE)
    assert _owners(updated) == {}
    refused = apply(name, {"colour": "blue"})
    assert refused.json()["message"] == f'Apply failed with 1 conflict: conflict with "before-first-apply" using {API}: .spec.colour'
    forced = apply(name, {"colour": "blue"}, force="true")
    assert _owners(forced) == {("before-first-apply", ""): {"f:spec": {".": {}, "f:size": {}}}, ("one", ""): {"f:spec": {"f:colour": {}}}}


def test_entries_that_cannot_be_read_are_not_taken(http, widgets, new_widget) -> None:
    widget = new_widget()
    junk = [{"manager": "a", "operation": "Steal", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {}}}]
    kept = http.patch(f"{widgets}/{widget['metadata']['name']}", json={"metadata": {"managedFields": junk}}, headers=MERGE).json()
    assert kept["metadata"]["managedFields"] == widget["metadata"]["managedFields"]


def test_the_oldest_of_many_updaters_become_one(http, widgets, new_widget) -> None:
    name = new_widget()["metadata"]["name"]
    for number in range(MAX_UPDATERS + 3):
        label = {"metadata": {"labels": {f"l{number}": "x"}}}
        last = http.patch(f"{widgets}/{name}", json=label, headers=MERGE, params={"fieldManager": f"m{number:02}"})
    entries = last.json()["metadata"]["managedFields"]
    assert len(entries) == MAX_UPDATERS
    assert "ancient-changes" in {entry["manager"] for entry in entries}


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"colour": "red", "zz": 1}, ".spec.zz: field not declared in schema"),
        ({"colour": 5}, ".spec.colour: expected string, got &value.valueUnstructured{Value:5}"),
        ({"colour": "red", "size": "5"}, ".spec.size: expected numeric (int or float), got string"),
        ({"colour": "red", "parts": "x"}, ".spec.parts: expected list, got &{x}"),
        ("x", ".spec: expected map, got &{x}"),
        ({"colour": "red", "parts": [{"name": "a"}, {"name": "a"}]}, '.spec.parts: duplicate entries for key [name="a"]'),
        (
            {"colour": "red", "parts": [{"count": 1}]},
            '.spec.parts: element 0: associative list with keys has an element that omits all key fields ["name"]'
            " (and doesn't have default values for any key fields)",
        ),
        (
            {"colour": "red", "zz": 1, "parts": [{"name": "a", "yy": 2}]},
            'errors:\n  .spec.parts[name="a"].yy: field not declared in schema\n  .spec.zz: field not declared in schema',
        ),
    ],
)
@pytest.mark.parametrize("validation", ["Strict", "Ignore"])
def test_a_configuration_that_does_not_fit_its_schema_is_not_applied(apply, http, widgets, spec, why, validation) -> None:
    refused = apply("own-unfit", spec, fieldValidation=validation)
    prefix = f"failed to create typed patch object (/own-unfit; {API}, Kind=Widget): "
    assert (refused.status_code, refused.json()["message"]) == (500, prefix + why)
    assert http.get(f"{widgets}/own-unfit").status_code == 404


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({}, "/, Kind="),
        ({"apiVersion": API}, f"{API}, Kind="),
        ({"kind": "Widget"}, "/, Kind=Widget"),
        ({"apiVersion": "x/v1", "kind": "Widget"}, "x/v1, Kind=Widget"),
        ({"apiVersion": API, "kind": "X"}, f"{API}, Kind=X"),
    ],
)
def test_a_configuration_is_of_the_kind_that_it_is_sent_to(http, widgets, body, shown) -> None:
    refused = http.patch(f"{widgets}/own-kind", json=body, headers=APPLY, params={"fieldManager": "one"})
    assert (refused.status_code, refused.json()["message"]) == (400, f"invalid object type: {shown}")


@pytest.mark.parametrize(
    ("live", "applied", "merged"),
    [
        ("abc", "cda", "bcda"),
        ("bcda", "zd", "bczda"),
        ("bczda", "ba", "bczda"),
        ("abc", "", "abc"),
        ("", "ba", "ba"),
        ("abcd", "dcba", "dcba"),
    ],
)
def test_applied_items_are_in_their_order_and_others_stay_between_them(live, applied, merged) -> None:
    schema = Schema.parse({"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"})
    assert "".join(merge(list(live), list(applied), schema)) == merged


def test_conflicts_are_told_leaves_first() -> None:
    paths = [("f:spec", "f:labels", "f:z"), ("f:spec", "f:size"), ("f:spec",)]
    assert in_order(paths) == [("f:spec",), ("f:spec", "f:size"), ("f:spec", "f:labels", "f:z")]
