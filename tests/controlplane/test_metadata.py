"""Metadata of custom objects: read, refused and warned of in the words of Kubernetes 1.36."""

from __future__ import annotations

import pytest

OWNER = {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "u1"}


def _create(http, widgets, metadata):
    return http.post(widgets, json={"metadata": metadata, "spec": {"colour": "red"}}, params={"dryRun": "All"})


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ("x", "json: cannot unmarshal string into Go value of type v1.ObjectMeta"),
        ({"name": 5}, "json: cannot unmarshal number into Go struct field ObjectMeta.name of type string"),
        ({"name": "n", "namespace": 5}, "json: cannot unmarshal number into Go struct field ObjectMeta.namespace of type string"),
        ({"name": "n", "labels": {"a": 5}}, "json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string"),
        ({"name": "n", "labels": []}, "json: cannot unmarshal array into Go struct field ObjectMeta.labels of type map[string]string"),
        ({"name": "n", "finalizers": "x"}, "json: cannot unmarshal string into Go struct field ObjectMeta.finalizers of type []string"),
        ({"name": "n", "generation": 1.5}, "json: cannot unmarshal number 1.5 into Go struct field ObjectMeta.generation of type int64"),
        (
            {"name": "n", "deletionTimestamp": 5},
            "json: cannot unmarshal number into Go struct field ObjectMeta.deletionTimestamp of type string",
        ),
        (
            {"name": "n", "ownerReferences": ["x"]},
            "json: cannot unmarshal string into Go struct field ObjectMeta.ownerReferences of type v1.OwnerReference",
        ),
    ],
)
def test_a_wrong_type(http, widgets, metadata, why) -> None:
    refused = _create(http, widgets, metadata)
    assert (refused.status_code, refused.json()["message"]) == (
        400,
        f'Widget in version "v1alpha1" cannot be handled as a Widget: {why}',
    )


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"labels": {"a": None}}, {"labels": {"a": ""}}),
        ({"annotations": {"a": None}}, {"annotations": {"a": ""}}),
        ({"labels": {}, "annotations": {}, "finalizers": []}, {}),
    ],
)
def test_what_is_null_or_empty(http, widgets, given, kept) -> None:
    made = _create(http, widgets, {"name": "n", **given}).json()["metadata"]
    assert {name: made[name] for name in ("labels", "annotations", "finalizers") if name in made} == kept


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (
            {"finalizers": ["orphan", "foregroundDeletion"]},
            'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot be both set',
        ),
        (
            {"ownerReferences": [{**OWNER, "controller": True}, {**OWNER, "uid": "u2", "controller": True}]},
            'metadata.ownerReferences: Invalid value: [{"apiVersion":"v1","kind":"ConfigMap","name":"x","uid":"u1","controller":true},'
            '{"apiVersion":"v1","kind":"ConfigMap","name":"x","uid":"u2","controller":true}]: Only one reference can have Controller set '
            'to true. Found "true" in references for ConfigMap/x and ConfigMap/x',
        ),
        (
            {"ownerReferences": [{**OWNER, "apiVersion": "a/b/c"}]},
            'metadata.ownerReferences.apiVersion: Invalid value: "a/b/c": version must not be empty',
        ),
        (
            {"ownerReferences": [{**OWNER, "kind": "Event"}]},
            'metadata.ownerReferences: Invalid value: {"apiVersion":"v1","kind":"Event","name":"x","uid":"u1"}: '
            "/v1, Kind=Event is disallowed from being an owner",
        ),
        ({"labels": {"a" * 64: "x"}}, f'metadata.labels: Invalid value: "{"a" * 64}": name part must be no more than 63 bytes'),
        ({"labels": {"a": "x" * 64}}, f'metadata.labels: Invalid value: "{"x" * 64}": must be no more than 63 bytes'),
    ],
)
def test_a_wrong_value(http, widgets, given, why) -> None:
    refused = _create(http, widgets, {"name": "n", **given})
    assert (refused.status_code, refused.json()["message"]) == (422, f'Widget.conformance.example.dev "n" is invalid: {why}')


def test_an_owner_that_comes_twice_is_kept_once(http, widgets) -> None:
    made = _create(http, widgets, {"name": "n", "ownerReferences": [OWNER, OWNER]})
    assert made.json()["metadata"]["ownerReferences"] == [OWNER]
    assert made.headers["Warning"].endswith('please fix your requests; duplicate UID(s) observed: u1"')


@pytest.mark.parametrize(("name", "hint"), [("a", ""), ("a.example", " including a path (/)")])
def test_a_finalizer_without_a_domain(http, widgets, name, hint) -> None:
    said = _create(http, widgets, {"name": "n", "finalizers": [name]}).headers["Warning"]
    assert f"prefer a domain-qualified finalizer name{hint} to avoid accidental conflicts" in said


@pytest.mark.parametrize("name", ["foregroundDeletion", "kubernetes", "example.dev/a"])
def test_a_finalizer_that_is_fine(http, widgets, name) -> None:
    assert "Warning" not in _create(http, widgets, {"name": "n", "finalizers": [name]}).headers
