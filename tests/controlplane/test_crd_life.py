"""The life of a definition, from its names to the deletion of its objects: what Kubernetes 1.36 answers at each step."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
MERGE = {"Content-Type": "application/merge-patch+json"}
ACCEPTED = {"NamesAccepted": ("True", "NoConflicts", "no conflicts found")}
ESTABLISHED = {"Established": ("True", "InitialNamesAccepted", "the initial names have been accepted")}
REFUSED = {"Established": ("False", "NotAccepted", "not all names are accepted")}
OPEN = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
VERSION = {"name": "v1", "served": True, "storage": True, "schema": OPEN}
IN_USE = '"{}" is already in use'.format


def _definition(
    group: str, kind: str, *, versions: tuple[dict[str, Any], ...] = (VERSION,), note: str = "", **names: Any
) -> dict[str, Any]:
    plural = f"{kind.lower()}s"
    metadata = {"name": f"{plural}.{group}", "annotations": {"api-approved.kubernetes.io": note} if note else {}}
    spec = {"group": group, "scope": "Namespaced", "names": {"plural": plural, "kind": kind, **names}, "versions": list(versions)}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": metadata, "spec": spec}


@pytest.fixture
def group() -> str:
    return f"g{uuid.uuid4().hex[:8]}.example.dev"


def _define(http: httpx.Client, *definitions: dict[str, Any]) -> None:
    for definition in definitions:
        made = http.post(CRDS, json=definition)
        assert made.status_code == 201, made.text


def _status(http: httpx.Client, definition: dict[str, Any]) -> dict[str, Any]:
    status: dict[str, Any] = http.get(f"{CRDS}/{definition['metadata']['name']}").json()["status"]
    return status


def _conditions(status: dict[str, Any]) -> dict[str, tuple[str, str, str]]:
    return {found["type"]: (found["status"], found["reason"], found["message"]) for found in status["conditions"]}


def _warnings(response: httpx.Response) -> list[str]:
    return response.headers.get_list("Warning")


def _served(http: httpx.Client, group: str) -> dict[str, list[str]]:
    found = http.get(f"/apis/{group}/v1").json().get("resources", [])
    return {resource["name"]: resource.get("shortNames", []) for resource in found}


def test_a_name_belongs_to_whoever_had_it_first(http: httpx.Client, group: str) -> None:
    first = _definition(group, "Alpha", shortNames=["al", "aa"])
    same_kind = _definition(group, "Beta", singular="alphas", shortNames=["al", "bb", "aa"], listKind="AlphaList")
    same_short = _definition(group, "Gamma", shortNames=["al"])
    same_kind["spec"]["names"]["kind"] = "Alpha"
    _define(http, first, same_kind, same_short)
    assert _conditions(_status(http, first)) == ACCEPTED | ESTABLISHED
    refused = _status(http, same_kind)
    assert _conditions(refused) == {"NamesAccepted": ("False", "ListKindConflict", IN_USE("AlphaList"))} | REFUSED
    assert refused["acceptedNames"] == {"plural": "betas"}
    assert _conditions(_status(http, same_short))["NamesAccepted"] == ("False", "ShortNamesConflict", IN_USE("al"))
    assert _served(http, group) == {"alphas": ["al", "aa"]}
    assert http.get(f"/apis/{group}/v1/namespaces/default/betas").status_code == 404


def test_names_that_are_free_again_go_to_who_waits_for_them(http: httpx.Client, group: str) -> None:
    first, second = _definition(group, "Alpha", shortNames=["al"]), _definition(group, "Gamma", shortNames=["al", "gg"])
    _define(http, first, second)
    assert _served(http, group) == {"alphas": ["al"]}
    changed = http.patch(f"{CRDS}/alphas.{group}", json={"spec": {"names": {"shortNames": ["aa"]}}}, headers=MERGE)
    assert changed.status_code == 200
    assert _conditions(_status(http, second)) == ACCEPTED | ESTABLISHED
    assert _served(http, group) == {"alphas": ["aa"], "gammas": ["al", "gg"]}
    assert group in http.get("/openapi/v2").text


def test_what_is_established_stays_with_the_names_it_has(http: httpx.Client, group: str) -> None:
    first, second = _definition(group, "Alpha", shortNames=["al"]), _definition(group, "Gamma")
    _define(http, first, second)
    changed = http.patch(f"{CRDS}/gammas.{group}", json={"spec": {"names": {"shortNames": ["al", "alpha"]}}}, headers=MERGE)
    both = f"[{IN_USE('al')}, {IN_USE('alpha')}]"
    assert _conditions(changed.json()["status"]) == {"NamesAccepted": ("False", "ShortNamesConflict", both)} | ESTABLISHED
    assert _served(http, group) == {"alphas": ["al"], "gammas": []}


@pytest.mark.parametrize(
    ("note", "condition"),
    [
        ("unapproved, a trial", ("False", "UnapprovedAnnotation", 'not approved: "unapproved, a trial"')),
        ("https://example.com/x", ("True", "ApprovedAnnotation", "approved in https://example.com/x")),
    ],
)
def test_groups_of_the_community_say_whether_they_are_approved(http: httpx.Client, note: str, condition: tuple[str, str, str]) -> None:
    definition = _definition(f"g{uuid.uuid4().hex[:8]}.k8s.io", "Alpha", note=note)
    _define(http, definition)
    assert _conditions(_status(http, definition)) == ACCEPTED | ESTABLISHED | {"KubernetesAPIApprovalPolicyConformant": condition}


def _versioned(group: str) -> dict[str, Any]:
    others = (
        {**VERSION, "storage": False},
        {**VERSION, "name": "v1beta1", "deprecated": True},
        {**VERSION, "name": "v1alpha1", "storage": False, "deprecated": True, "deprecationWarning": 'old "words"'},
        {**VERSION, "name": "v1alpha2", "storage": False, "served": False},
    )
    return _definition(group, "Delta", versions=others)


def test_who_uses_a_deprecated_version_is_warned(http: httpx.Client, group: str) -> None:
    _define(http, _versioned(group))
    path = f"/apis/{group}/{{}}/namespaces/default/deltas".format
    expected = [f'299 - "{group}/v1beta1 Delta is deprecated; use {group}/v1 Delta"']
    assert [_warnings(http.get(path(version))) for version in ("v1", "v1beta1", "v1alpha1")] == [[], expected, ['299 - "old \\"words\\""']]
    missing, watch = http.get(path("v1beta1") + "/none"), http.get(path("v1beta1"), params={"watch": 1, "timeoutSeconds": 1})
    assert (missing.status_code, _warnings(missing), _warnings(watch)) == (404, expected, expected)
    assert http.get(path("v1alpha2")).status_code == 404


@pytest.fixture
def ending(http: httpx.Client, group: str, wait_gone: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    """A definition that goes as soon as its one object may."""
    definition = _versioned(group)
    _define(http, definition)
    path = f"/apis/{group}/v1/namespaces/default/deltas"
    assert http.post(path, json={"metadata": {"name": "held", "finalizers": ["example.dev/hold"]}}).status_code == 201
    answer = http.delete(f"{CRDS}/{definition['metadata']['name']}")
    assert answer.status_code == 200
    yield answer.json()
    http.patch(f"{path}/held", json={"metadata": {"finalizers": None}}, headers=MERGE)
    wait_gone(f"{CRDS}/{definition['metadata']['name']}")


@pytest.fixture
def wait_gone(http: httpx.Client) -> Callable[[str], None]:
    """Watch until the object at a path has been deleted."""

    def wait(path: str) -> None:
        folder, _, name = path.rpartition("/")
        params = {"watch": "1", "fieldSelector": f"metadata.name={name}", "timeoutSeconds": "10"}
        with http.stream("GET", folder, params=params) as response:
            for line in response.iter_lines() if http.get(path).status_code == 200 else ():
                if '"DELETED"' in line:
                    break
        assert http.get(path).status_code == 404

    return wait


def test_a_definition_says_that_its_objects_go_first(http: httpx.Client, ending: dict[str, Any]) -> None:
    assert ending["metadata"]["generation"] == 1
    assert "deletionGracePeriodSeconds" not in ending["metadata"]
    assert ending["metadata"]["finalizers"] == ["customresourcecleanup.apiextensions.k8s.io"]
    pending = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"
    assert _conditions(ending["status"])["Terminating"] == ("True", "InstanceDeletionPending", pending)
    held = f"/apis/{ending['spec']['group']}/v1/namespaces/default/deltas/held"
    params = {"watch": "1", "fieldSelector": f"metadata.name={ending['metadata']['name']}", "timeoutSeconds": "10"}
    with http.stream("GET", CRDS, params=params) as watch:
        assert any("InstanceDeletionInProgress" in line for line in watch.iter_lines())
    assert http.get(held).json()["metadata"]["deletionTimestamp"]


def test_nothing_is_created_while_the_definition_goes(http: httpx.Client, ending: dict[str, Any]) -> None:
    group = ending["spec"]["group"]
    path = f"/apis/{group}/v1/namespaces/default/deltas"
    message = f'deltas.{group} "new" is forbidden: create not allowed while custom resource definition is terminating'
    body = {"apiVersion": f"{group}/v1", "kind": "Delta", "metadata": {"name": "new"}}
    applied = {"headers": {"Content-Type": "application/apply-patch+yaml"}, "params": {"fieldManager": "m"}}
    for made in (http.post(path, json=body), http.patch(f"{path}/new", json=body, **applied)):
        assert (made.status_code, made.json()["message"]) == (403, message)
    again = http.post(CRDS, json=_versioned(group))
    assert (again.status_code, again.json()["message"][:24]) == (409, "object is being deleted:")
    assert http.patch(f"{path}/held", json={"spec": {"a": 1}}, headers=MERGE).status_code == 200


def test_a_definition_that_comes_again_has_none_of_the_objects(http: httpx.Client, group: str, wait_gone: Callable[[str], None]) -> None:
    hidden = {**VERSION, "name": "v1beta1", "served": False}
    definition = _definition(group, "Omega", versions=({**VERSION, "storage": False}, hidden))
    _define(http, definition)
    path, place = f"/apis/{group}/v1/namespaces/default/omegas", f"{CRDS}/omegas.{group}"
    assert http.post(path, json={"metadata": {"name": "old"}}).status_code == 201
    before = http.delete(place).json()["metadata"]["uid"]
    wait_gone(place)
    assert http.get(path).status_code == 404
    _define(http, definition)
    assert http.get(place).json()["metadata"]["uid"] != before
    assert http.get(path).json()["items"] == []
