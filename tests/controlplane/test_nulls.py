"""Nulls in custom objects, as Kubernetes 1.36 takes them: left out where a schema does not allow them, refused where they are applied."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

PATH = "/apis/nulls.example/v1/namespaces/default/things"


@pytest.fixture(scope="module", autouse=True)
def defined(http: httpx.Client) -> None:
    properties = {
        "size": {"type": "integer"},
        "note": {"type": "string", "nullable": True},
        "colour": {"type": "string", "default": "red"},
        "list": {"type": "array", "items": {"type": "string"}},
        "map": {"type": "object", "additionalProperties": {"type": "string"}},
    }
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": properties}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": "Thing", "plural": "things"}
    spec = {"group": "nulls.example", "scope": "Namespaced", "names": names, "versions": [version]}
    body = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.nulls.example"},
        "spec": spec,
    }
    assert http.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", json=body).status_code == 201


def thing(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "nulls.example/v1", "kind": "Thing", "metadata": {"generateName": "t"}, "spec": spec}


KEPT = [
    ({"size": 1, "map": None}, {"size": 1}),
    ({"map": {"a": None, "b": "c"}}, {"map": {"b": "c"}}),
    ({"list": None}, {}),
    ({"note": None}, {"note": None}),
    ({"colour": None}, {}),
]


@pytest.mark.parametrize(("given", "kept"), KEPT, ids=str)
def test_a_null_that_may_not_be_counts_as_left_out(given: dict[str, Any], kept: dict[str, Any], http: httpx.Client) -> None:
    made = http.post(PATH, json=thing(**given))
    assert made.status_code == 201, made.text
    assert made.json()["spec"] == {"colour": "red", **kept}


def test_a_patch_may_set_null(http: httpx.Client) -> None:
    name = http.post(PATH, json=thing(size=1)).json()["metadata"]["name"]
    patch = [{"op": "add", "path": "/spec/size", "value": None}]
    patched = http.patch(f"{PATH}/{name}", content=json.dumps(patch), headers={"Content-Type": "application/json-patch+json"})
    assert patched.json()["spec"] == {"colour": "red"}


REFUSED = [
    ({"map": None}, 'spec.map: Invalid value: "null": spec.map in body must be of type object: "null"'),
    ({"map": {"a": None}}, 'spec.map.a: Invalid value: "null": spec.map.a in body must be of type string: "null"'),
    ({"size": None}, 'spec.size: Invalid value: "null": spec.size in body must be of type integer: "null"'),
]


@pytest.mark.parametrize(("given", "why"), REFUSED, ids=str)
def test_an_applied_null_is_refused(given: dict[str, Any], why: str, http: httpx.Client) -> None:
    body = {**thing(**given), "metadata": {"name": "applied"}}
    headers = {"Content-Type": "application/apply-patch+yaml"}
    refused = http.patch(f"{PATH}/applied", params={"fieldManager": "m"}, content=json.dumps(body), headers=headers)
    assert refused.json()["message"] == f'Thing.nulls.example "applied" is invalid: {why}'


def test_a_null_in_a_list_stays_and_is_refused(http: httpx.Client) -> None:
    refused = http.post(PATH, json=thing(list=["a", None]))
    assert 'spec.list[1]: Invalid value: "null": spec.list[1] in body must be of type string: "null"' in refused.json()["message"]
    assert "some validation rules were not checked" not in refused.json()["message"]
