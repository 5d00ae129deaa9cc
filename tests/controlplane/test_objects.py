"""Creating, reading, updating and deleting over plain HTTP: what every client relies on."""

from __future__ import annotations

import re

import pytest


def test_a_created_object_has_the_systems_fields(new_widget) -> None:
    widget = new_widget({"colour": "red"}, name="made")
    metadata = widget["metadata"]
    assert widget["spec"] == {"colour": "red", "size": 10}
    assert metadata["generation"] == 1
    assert re.fullmatch(r"[0-9a-f-]{36}", metadata["uid"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", metadata["creationTimestamp"])
    assert int(metadata["resourceVersion"]) > 1


def test_creating_what_exists_is_a_conflict(http, widgets, new_widget) -> None:
    widget = new_widget()
    widget["metadata"].pop("resourceVersion")
    refused = http.post(widgets, json=widget)
    assert refused.status_code == 409
    assert refused.json()["reason"] == "AlreadyExists"
    assert refused.json()["details"] == {"name": widget["metadata"]["name"], "group": "conformance.example.dev", "kind": "widgets"}


def test_a_name_is_generated(http, widgets) -> None:
    body = {"metadata": {"generateName": "auto-"}, "spec": {"colour": "red"}}
    names = {http.post(widgets, json=body).json()["metadata"]["name"] for _ in range(3)}
    assert len(names) == 3
    assert all(re.fullmatch(r"auto-[a-z0-9]{5}", name) for name in names)


def test_an_update_needs_the_version_it_was_made_from(http, widgets, new_widget) -> None:
    widget = new_widget()
    path = f"{widgets}/{widget['metadata']['name']}"
    changed = {**widget, "spec": {"colour": "blue"}}
    assert http.put(path, json=changed).json()["metadata"]["generation"] == 2
    stale = http.put(path, json={**widget, "spec": {"colour": "green"}})
    assert stale.status_code == 409
    assert stale.json()["message"].endswith("the object has been modified; please apply your changes to the latest version and try again")
    without = {**changed, "metadata": {"name": widget["metadata"]["name"]}}
    assert "must be specified for an update" in http.put(path, json=without).json()["message"]


def test_nothing_is_written_where_nothing_changes(http, widgets, new_widget) -> None:
    widget = new_widget()
    path = f"{widgets}/{widget['metadata']['name']}"
    again = http.put(path, json=widget).json()
    assert again["metadata"]["resourceVersion"] == widget["metadata"]["resourceVersion"]


def test_the_generation_moves_with_the_spec_alone(http, widgets, new_widget) -> None:
    path = f"{widgets}/{new_widget()['metadata']['name']}"
    merge = {"Content-Type": "application/merge-patch+json"}
    for patch, expected in (
        ({"metadata": {"labels": {"a": "b"}}}, 1),
        ({"spec": {"size": 11}}, 2),
        ({"spec": {"size": 11}}, 2),
        ({"status": {"observedGeneration": 2}}, 2),
    ):
        assert http.patch(path, json=patch, headers=merge).json()["metadata"]["generation"] == expected
    status = http.patch(f"{path}/status", json={"status": {"observedGeneration": 2}, "spec": {"size": 90}}, headers=merge).json()
    assert (status["metadata"]["generation"], status["spec"]["size"], status["status"]) == (2, 11, {"observedGeneration": 2})


@pytest.mark.parametrize(
    ("preconditions", "code"), [({"uid": "other"}, 409), ({"resourceVersion": "1"}, 409), ({}, 200)], ids=["uid", "version", "none"]
)
def test_a_deletion_has_preconditions(http, widgets, new_widget, preconditions, code) -> None:
    widget = new_widget()
    path = f"{widgets}/{widget['metadata']['name']}"
    answered = http.request("DELETE", path, json={"preconditions": preconditions})
    assert answered.status_code == code
    assert http.get(path).status_code == (404 if code == 200 else 200)


def test_a_json_patch_tests_the_uid(http, widgets, new_widget) -> None:
    widget = new_widget()
    headers = {"Content-Type": "application/json-patch+json"}
    path = f"{widgets}/{widget['metadata']['name']}"
    set_status = {"op": "add", "path": "/status", "value": {"observedGeneration": 1}}
    wrong = [{"op": "test", "path": "/metadata/uid", "value": "other"}, set_status]
    assert http.patch(f"{path}/status", json=wrong, headers=headers).status_code == 422
    right = [{"op": "test", "path": "/metadata/uid", "value": widget["metadata"]["uid"]}, set_status]
    assert http.patch(f"{path}/status", json=right, headers=headers).json()["status"] == {"observedGeneration": 1}


def test_a_patch_with_another_uid_is_a_conflict(http, widgets, new_widget) -> None:
    path = f"{widgets}/{new_widget()['metadata']['name']}"
    patch = {"metadata": {"uid": "other"}, "spec": {"size": 12}}
    assert http.patch(path, json=patch, headers={"Content-Type": "application/merge-patch+json"}).status_code == 409


def test_finalizers_hold_an_object(http, widgets, new_widget) -> None:
    widget = new_widget(finalizers=["example.dev/hold"])
    path = f"{widgets}/{widget['metadata']['name']}"
    marked = http.delete(path).json()
    assert marked["metadata"]["deletionTimestamp"]
    merge = {"Content-Type": "application/merge-patch+json"}
    more = http.patch(path, json={"metadata": {"finalizers": ["example.dev/hold", "example.dev/more"]}}, headers=merge)
    assert more.status_code == 422
    assert "no new finalizers can be added if the object is being deleted" in more.json()["message"]
    http.patch(path, json={"metadata": {"finalizers": None}}, headers=merge)
    assert http.get(path).status_code == 404


def test_a_dry_run_stores_nothing(http, widgets, new_widget) -> None:
    body = {"metadata": {"name": "dry"}, "spec": {"colour": "red"}}
    made = http.post(widgets, json=body, params={"dryRun": "All"})
    assert made.status_code == 201
    assert made.json()["spec"]["size"] == 10
    assert http.get(f"{widgets}/dry").status_code == 404
    widget = new_widget()
    path = f"{widgets}/{widget['metadata']['name']}"
    assert http.delete(path, params={"dryRun": "All"}).status_code == 200
    assert http.get(path).status_code == 200
    assert http.post(widgets, json=body, params={"dryRun": "Some"}).status_code == 422


def test_options_in_a_body_stand_for_those_in_the_query(http, new_widget, widgets) -> None:
    path = f"{widgets}/{new_widget()['metadata']['name']}"
    assert http.request("DELETE", path, json={"dryRun": ["All"]}).status_code == 200
    assert http.get(path).status_code == 200
    assert http.request("DELETE", path, json={"kind": "DeleteOptions"}, params={"dryRun": "All"}).status_code == 200
    assert http.get(path).status_code == 404


def test_unknown_fields_are_an_error_or_a_warning_or_nothing(http, widgets) -> None:
    body = {"metadata": {"name": "unknown"}, "spec": {"colour": "red", "colr": "red"}}
    strict = http.post(widgets, json=body, params={"fieldValidation": "Strict"})
    assert strict.status_code == 400
    assert strict.json()["message"] == (
        'Widget in version "v1alpha1" cannot be handled as a Widget: strict decoding error: unknown field "spec.colr"'
    )
    warned = http.post(widgets, json=body, params={"fieldValidation": "Warn", "dryRun": "All"})
    assert warned.headers["Warning"] == '299 - "unknown field \\"spec.colr\\""'
    ignored = http.post(widgets, json=body, params={"fieldValidation": "Ignore"})
    assert "Warning" not in ignored.headers
    assert ignored.json()["spec"] == {"colour": "red", "size": 10}


def test_causes_name_fields_and_reasons(http, widgets) -> None:
    refused = http.post(widgets, json={"metadata": {"name": "bad"}, "spec": {"colour": "pink", "size": 0}})
    assert refused.status_code == 422
    assert {(found["field"], found["reason"]) for found in refused.json()["details"]["causes"]} == {
        ("spec.colour", "FieldValueNotSupported"),
        ("spec.size", "FieldValueInvalid"),
        ("<nil>", "FieldValueInvalid"),
    }


def test_a_collection_is_deleted_by_selector(http, widgets, new_widget) -> None:
    gone = [new_widget(labels={"sweep": "yes"}) for _ in range(3)]
    kept = new_widget(labels={"sweep": "no"})
    deleted = http.delete(widgets, params={"labelSelector": "sweep=yes"})
    assert {item["metadata"]["name"] for item in deleted.json()["items"]} == {widget["metadata"]["name"] for widget in gone}
    left = http.get(widgets, params={"labelSelector": "sweep"}).json()["items"]
    assert [item["metadata"]["name"] for item in left] == [kept["metadata"]["name"]]


def test_big_integers_and_unicode_arrive_as_sent(http, widgets, new_widget) -> None:
    options = {"big": 2**53 + 1, "small": -(2**62), "text": "naïve 🙂", "none": None, "exact": 0.1}
    widget = new_widget({"colour": "red", "options": options})
    assert http.get(f"{widgets}/{widget['metadata']['name']}").json()["spec"]["options"] == options


def test_a_secret_is_given_as_text_and_kept_as_base64(http) -> None:
    body = {"metadata": {"name": "s"}, "stringData": {"a": "b"}}
    made = http.post("/api/v1/namespaces/default/secrets", json=body).json()
    assert (made["data"], made["type"], "stringData" in made) == ({"a": "Yg=="}, "Opaque", False)


def test_both_event_apis_show_one_event(http) -> None:
    body = {
        "metadata": {"name": "e.1"},
        "involvedObject": {"kind": "Widget", "name": "a", "namespace": "default"},
        "reason": "Painted",
        "message": "red",
        "type": "Normal",
    }
    assert http.post("/api/v1/namespaces/default/events", json=body).status_code == 201
    other = http.get("/apis/events.k8s.io/v1/namespaces/default/events/e.1").json()
    assert (other["apiVersion"], other["note"], other["regarding"]["name"]) == ("events.k8s.io/v1", "red", "a")
    found = http.get("/apis/events.k8s.io/v1/namespaces/default/events", params={"fieldSelector": "regarding.name=a"}).json()
    assert [item["note"] for item in found["items"]] == ["red"]


def test_an_unknown_namespace_takes_nothing(http, widgets) -> None:
    refused = http.post(widgets.replace("default", "nowhere"), json={"metadata": {"name": "a"}, "spec": {"colour": "red"}})
    assert (refused.status_code, refused.json()["message"]) == (404, 'namespaces "nowhere" not found')


@pytest.mark.parametrize("name", ["default", "kube-system", "kube-public"])
def test_the_first_namespaces_are_never_deleted(http, name) -> None:
    refused = http.delete(f"/api/v1/namespaces/{name}")
    assert (refused.status_code, refused.json()["message"]) == (403, f'namespaces "{name}" is forbidden: this namespace may not be deleted')
    assert http.get(f"/api/v1/namespaces/{name}/serviceaccounts/default").status_code == 200
