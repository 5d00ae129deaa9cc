"""From client-side apply to server-side apply: what Kubernetes 1.36 lets ``kubectl`` take over without a conflict, and what not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

LAST = "kubectl.kubernetes.io/last-applied-configuration"
Object = dict[str, Any]


def config(**spec: Any) -> Object:
    return {"apiVersion": "conformance.example.dev/v1alpha1", "kind": "Widget", "metadata": {"name": "it"}, "spec": spec}


@pytest.fixture
def apply(http: httpx.Client, widgets: str) -> Callable[..., httpx.Response]:
    def send(applied: Object, manager: str) -> httpx.Response:
        headers = {"Content-Type": "application/apply-patch+yaml"}
        return http.patch(f"{widgets}/it", params={"fieldManager": manager}, content=json.dumps(applied), headers=headers)

    return send


@pytest.fixture
def made(http: httpx.Client, widgets: str) -> Callable[[str], None]:
    """The widget as client-side apply made it, with this annotation."""

    def make(said: str) -> None:
        http.delete(f"{widgets}/it")
        body = config(colour="red", size=20)
        body["metadata"]["annotations"] = {LAST: said}
        answer = http.post(widgets, params={"fieldManager": "kubectl-client-side-apply"}, json=body)
        assert answer.status_code == 201, answer.text

    return make


def test_kubectl_takes_over_what_was_applied_last(made: Any, apply: Any) -> None:
    made(json.dumps(config(colour="red", size=20)))
    refused = apply(config(size=21, colour="red"), "other")
    assert refused.json()["message"] == (
        'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using conformance.example.dev/v1alpha1: .spec.size'
    )
    taken = apply(config(size=21, colour="red"), "kubectl")
    assert taken.status_code == 200
    said = json.dumps(config(colour="red", size=21), separators=(",", ":")) + "\n"
    assert taken.json()["metadata"]["annotations"] == {LAST: said}
    owners = {
        entry["manager"]: entry["fieldsV1"]["f:spec"]
        for entry in taken.json()["metadata"]["managedFields"]
        if "f:spec" in entry["fieldsV1"]
    }
    assert owners["kubectl"] == {"f:colour": {}, "f:size": {}}
    assert "f:size" not in owners["kubectl-client-side-apply"]


def test_what_was_changed_since_is_a_conflict(made: Any, apply: Any, http: httpx.Client, widgets: str) -> None:
    made(json.dumps(config(colour="red", size=20)))
    headers = {"Content-Type": "application/merge-patch+json"}
    http.patch(f"{widgets}/it", params={"fieldManager": "ed"}, content='{"spec":{"size":30}}', headers=headers)
    refused = apply(config(size=21, colour="blue"), "kubectl")
    assert refused.json()["message"] == (
        'Apply failed with 1 conflict: conflict with "ed" using conformance.example.dev/v1alpha1: .spec.size'
    )


@pytest.mark.parametrize("said", ["{nonsense", "[]", "", '{"apiVersion":"conformance.example.dev/v2","metadata":{},"spec":{"size":20}}'])
def test_an_annotation_that_says_nothing_allows_nothing(said: str, made: Any, apply: Any) -> None:
    made(said)
    assert apply(config(size=21, colour="red"), "kubectl").status_code == 409


def test_without_an_annotation_none_is_made(apply: Any, http: httpx.Client, widgets: str) -> None:
    http.delete(f"{widgets}/it")
    assert apply(config(size=21, colour="red"), "kubectl").status_code == 201
    assert "annotations" not in apply(config(size=22, colour="red"), "kubectl").json()["metadata"]
