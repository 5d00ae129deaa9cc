"""Lists, tables, discovery and OpenAPI: what clients read before they do anything."""

from __future__ import annotations

import base64
import datetime as dt
import json
from pathlib import Path

import pytest
import yaml

from syncsource.localplane.serving.durations import human
from syncsource.localplane.serving.jsonpath import find

MERGE = {"Content-Type": "application/merge-patch+json"}
TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}
AGGREGATED = {"Accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def _names(listed: dict) -> list[str]:
    return [item["metadata"]["name"] for item in listed["items"]]


def test_pages_are_a_whole(http, widgets, new_widget) -> None:
    made = sorted(new_widget(labels={"page": "yes"})["metadata"]["name"] for _ in range(7))
    names, token, versions = [], "", set()
    while True:
        page = http.get(widgets, params={"labelSelector": "page=yes", "limit": 3, "continue": token}).json()
        names += _names(page)
        versions.add(page["metadata"]["resourceVersion"])
        token = page["metadata"].get("continue", "")
        if not token:
            break
        new_widget()
    assert (names, len(versions)) == (made, 1)
    first = http.get(widgets, params={"limit": 1}).json()
    assert first["metadata"]["remainingItemCount"] == len(http.get(widgets).json()["items"]) - 1


def _stale(token: str, version: int) -> str:
    value = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    return base64.urlsafe_b64encode(json.dumps({**value, "rv": version}).encode()).decode().rstrip("=")


def test_pages_show_one_moment_whatever_is_written(http, widgets, new_widget) -> None:
    names = sorted(new_widget(labels={"moment": "yes"})["metadata"]["name"] for _ in range(8))
    one_moment = {"labelSelector": "moment=yes"}
    before = http.get(widgets, params=one_moment).json()
    first = http.get(widgets, params={**one_moment, "limit": 3}).json()
    http.delete(f"{widgets}/{names[0]}")
    http.delete(f"{widgets}/{names[4]}")
    http.patch(f"{widgets}/{names[6]}", json={"metadata": {"labels": {"moment": None}}, "spec": {"size": 3}}, headers=MERGE)
    new_widget(labels={"moment": "yes"}, name=f"{names[5]}-between")
    rest = http.get(widgets, params={**one_moment, "continue": first["metadata"]["continue"]}).json()
    assert first["items"] + rest["items"] == before["items"]
    assert first["metadata"]["resourceVersion"] == rest["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    exact = {**one_moment, "resourceVersion": before["metadata"]["resourceVersion"], "resourceVersionMatch": "Exact"}
    assert http.get(widgets, params=exact).json()["items"] == before["items"]
    newer = http.get(widgets, params={**exact, "resourceVersionMatch": "NotOlderThan"}).json()
    assert int(newer["metadata"]["resourceVersion"]) > int(before["metadata"]["resourceVersion"])
    assert len(newer["items"]) == 6


def test_what_remains_is_counted_at_the_version_of_the_first_page(http, widgets, new_widget) -> None:
    names = sorted(new_widget()["metadata"]["name"] for _ in range(4))
    total = len(http.get(widgets).json()["items"])
    first = http.get(widgets, params={"limit": 2}).json()["metadata"]
    http.delete(f"{widgets}/{names[-1]}")
    new_widget()
    second = http.get(widgets, params={"limit": 1, "continue": first["continue"]}).json()["metadata"]
    assert (first["remainingItemCount"], second.get("remainingItemCount")) == (total - 2, total - 3)


def test_all_namespaces_are_paged(http) -> None:
    path = "/api/v1/serviceaccounts"
    whole = [(item["metadata"]["namespace"], item["metadata"]["name"]) for item in http.get(path).json()["items"]]
    found, token = [], ""
    while token or not found:
        page = http.get(path, params={"limit": 1, "continue": token}).json()
        found += [(item["metadata"]["namespace"], item["metadata"]["name"]) for item in page["items"]]
        token = page["metadata"].get("continue", "")
    assert found == whole
    assert len(whole) > 3


def test_a_token_before_the_history_offers_one_that_goes_on(http, widgets, new_widget) -> None:
    for _ in range(3):
        new_widget()
    names = _names(http.get(widgets).json())
    token = http.get(widgets, params={"limit": 2}).json()["metadata"]["continue"]
    refused = http.get(widgets, params={"limit": 1, "continue": _stale(token, 1)})
    assert (refused.status_code, refused.json()["reason"]) == (410, "Expired")
    assert refused.json()["message"].startswith("The provided continue parameter is too old to display a consistent list result.")
    rest = http.get(widgets, params={"continue": refused.json()["metadata"]["continue"]})
    assert _names(rest.json()) == names[2:]


@pytest.mark.parametrize(
    ("parameters", "code", "message"),
    [
        ({"resourceVersion": "1", "resourceVersionMatch": "Exact"}, 410, "The resourceVersion for the provided list is too old."),
        ({"resourceVersion": "1", "limit": 5}, 410, "The resourceVersion for the provided list is too old."),
        ({"resourceVersion": "99999999"}, 504, "Timeout: Too large resource version: 99999999, current: "),
        ({"resourceVersion": "99999999", "resourceVersionMatch": "Exact"}, 504, "Timeout: Too large resource version: 99999999, current: "),
        ({"resourceVersion": "abc"}, 400, 'invalid resource version: resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax'),
        ({"resourceVersion": "-1"}, 400, 'invalid resource version: resourceVersion: Invalid value: "-1": strconv.ParseUint: parsing "-1": invalid syntax'),
        ({"resourceVersion": "9" * 20}, 400, f'invalid resource version: resourceVersion: Invalid value: "{"9" * 20}": strconv.ParseUint: parsing "{"9" * 20}": value out of range'),
        ({"resourceVersion": "9" * 5000}, 400, "invalid resource version: "),
        ({"limit": "many"}, 400, 'strconv.ParseInt: parsing "many": invalid syntax'),
        ({"limit": "9" * 20}, 400, f'strconv.ParseInt: parsing "{"9" * 20}": value out of range'),
        ({"resourceVersionMatch": "Exact"}, 422, 'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided'),
        ({"resourceVersionMatch": "Bogus", "resourceVersion": "5"}, 422, 'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Unsupported value: "Bogus": supported values: "Exact", "NotOlderThan", ""'),
        ({"resourceVersionMatch": "Exact", "resourceVersion": "0"}, 422, 'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"'),
        ({"resourceVersionMatch": "Exact", "resourceVersion": "5", "continue": "x"}, 422, 'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided'),
        ({"sendInitialEvents": "true"}, 422, 'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list'),
        ({"resourceVersion": "5", "continue": "x"}, 400, "specifying resource version is not allowed when using continue"),
        ({"continue": "garbage"}, 400, "invalid continue token: continue key is not valid: "),
        ({"continue": "%%%"}, 400, "invalid continue token: continue key is not valid: illegal base64 data at input byte 0"),
        ({"continue": "WzFd"}, 400, "invalid continue token: continue key is not valid: "),
        ({"continue": "eyJ2IjoidjkiLCJydiI6MSwic3RhcnQiOiIvYSJ9"}, 400, "invalid continue token: continue key is not valid: server does not recognize this encoded version v9"),
        ({"continue": "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MCwic3RhcnQiOiIvZzFcdTAwMDAifQ"}, 400, "invalid continue token: continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)"),
        ({"continue": "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MTQxLCJzdGFydCI6IiJ9"}, 400, "invalid continue token: continue key is not valid: encoded start key empty (version meta.k8s.io/v1)"),
        ({"continue": "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MTQxLCJzdGFydCI6Ii4uL2cxIn0"}, 400, "invalid continue token: continue key is not valid: ../g1"),
        ({"continue": "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6OTk5OTksInN0YXJ0IjoiL2cxXHUwMDAwIn0"}, 504, "Timeout: Too large resource version: 99999, current: "),
    ],
)  # fmt: skip
def test_bad_options_are_refused_as_kubernetes_does(http, widgets, parameters, code, message) -> None:
    refused = http.get(widgets, params=parameters)
    assert (refused.status_code, refused.json()["code"]) == (code, code)
    assert refused.json()["message"].startswith(message)


def test_any_version_is_a_whole_list(http, widgets, new_widget) -> None:
    new_widget()
    new_widget()
    now = http.get(widgets).json()
    for parameters in ({"resourceVersion": "0", "limit": 1}, {"limit": -1}, {"resourceVersion": now["metadata"]["resourceVersion"]}):
        listed = http.get(widgets, params=parameters).json()
        assert listed["items"] == now["items"]
        assert not listed["metadata"].get("continue")


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("size=big", "b"), ("size==big", "b"), ("size!=big", "s,n"), ("size in (big, small)", "b,s"), ("size notin (big)", "s,n"),
        ("size", "b,s"), ("!size", "n"), ("size,size!=big", "s"), ("rank>1", "s"), ("rank<2", "b"),
    ],
)  # fmt: skip
def test_label_selectors(http, selector, expected) -> None:
    path = "/api/v1/namespaces/default/secrets"
    for name, labels in (("b", {"size": "big", "rank": "1"}), ("s", {"size": "small", "rank": "2"}), ("n", {})):
        http.post(path, json={"metadata": {"name": name, "labels": labels}})
    assert set(_names(http.get(path, params={"labelSelector": selector}).json())) == set(expected.split(","))


def test_field_selectors(http, widgets, new_widget) -> None:
    green = new_widget({"colour": "green"})["metadata"]["name"]
    assert _names(http.get(widgets, params={"fieldSelector": "spec.colour=green"}).json()) == [green]
    assert green not in _names(http.get(widgets, params={"fieldSelector": "spec.colour!=green"}).json())
    assert _names(http.get(widgets, params={"fieldSelector": f"metadata.name={green},metadata.namespace=default"}).json()) == [green]


def test_tables_have_the_printer_columns(http, widgets, new_widget) -> None:
    new_widget({"colour": "blue", "size": 7}, name="tabled")
    table = http.get(f"{widgets}/tabled", headers=TABLE).json()
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Colour", "Size", "Ready", "Reason", "Age"]
    (row,) = table["rows"]
    assert row["cells"][:5] == ["tabled", "blue", 7, None, None]
    assert row["object"]["kind"] == "PartialObjectMetadata"
    whole = http.get(f"{widgets}/tabled", headers=TABLE, params={"includeObject": "Object"}).json()
    assert whole["rows"][0]["object"]["spec"]["colour"] == "blue"


def test_metadata_alone_is_served(http, widgets, new_widget) -> None:
    new_widget(name="partial")
    accept = {"Accept": "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"}
    assert set(http.get(f"{widgets}/partial", headers=accept).json()) == {"kind", "apiVersion", "metadata"}


def test_discovery_tells_the_same_in_both_forms(http, widgets) -> None:
    groups = {group["name"] for group in http.get("/apis").json()["groups"]}
    items = http.get("/apis", headers=AGGREGATED).json()["items"]
    assert {item["metadata"]["name"] for item in items} == groups
    assert {"apiextensions.k8s.io", "coordination.k8s.io", "events.k8s.io", "conformance.example.dev"} <= groups
    core = http.get("/api", headers=AGGREGATED).json()["items"][0]["versions"][0]["resources"]
    listed = {entry["name"] for entry in http.get("/api/v1").json()["resources"] if "/" not in entry["name"]}
    assert {entry["resource"] for entry in core} == listed >= {"namespaces", "secrets", "configmaps", "events", "pods"}
    assert http.get("/version").json()["gitVersion"] == "v1.36.2"


def test_openapi_has_every_group_version_and_field(http, widgets) -> None:
    paths = http.get("/openapi/v3").json()["paths"]
    link = paths["apis/conformance.example.dev/v1alpha1"]["serverRelativeURL"]
    document = http.get(link).json()
    widget = document["components"]["schemas"]["dev.example.conformance.v1alpha1.Widget"]
    assert widget["properties"]["spec"]["properties"]["size"]["description"] == "The size, in millimetres."
    patch = document["paths"]["/apis/conformance.example.dev/v1alpha1/namespaces/{namespace}/widgets/{name}"]["patch"]
    assert {"fieldValidation", "dryRun"} <= {parameter["name"] for parameter in patch["parameters"]}
    assert "dev.example.conformance.v1alpha1.Widget" in http.get("/openapi/v2").json()["definitions"]


def test_a_changed_definition_is_served_at_once(http, widgets, new_widget) -> None:
    crd = http.get(f"{CRDS}/widgets.conformance.example.dev").json()
    conditions = {found["type"]: found["status"] for found in crd["status"]["conditions"]}
    assert conditions == {"NamesAccepted": "True", "Established": "True"}
    properties = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    properties["added"] = {"type": "string", "default": "new"}
    assert http.put(f"{CRDS}/widgets.conformance.example.dev", json=crd).status_code == 200
    assert new_widget()["spec"]["added"] == "new"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"group": "batch"}, "spec.group"), ({"scope": "Other"}, "spec.scope"), ({"versions": []}, "spec.versions"), ({"names": {}}, "spec.names.kind"),
    ],
)  # fmt: skip
def test_a_bad_definition_is_refused(http, change, field) -> None:
    crd = yaml.safe_load((Path(__file__).parent / "conformance" / "files" / "crd.yaml").read_text())
    crd["spec"].update(change)
    refused = http.post(CRDS, json=crd)
    assert refused.status_code == 422
    assert field in {found["field"] for found in refused.json()["details"]["causes"]}


OBJECT = {"a": {"b": [{"n": "x", "v": 1}, {"n": "y", "v": 2}]}, "d.e": 3, "m": {"k": "z"}}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".a.b[0].v", [1]), (".a.b[-1].v", [2]), (".a.b[*].v", [1, 2]), ('.a.b[?(@.n=="y")].v', [2]), (".a.b[?(@.v>1)].n", ["y"]),
        (".a.b[0:1].n", ["x"]), (".d\\.e", [3]), ("['d.e']", [3]), ("..v", [1, 2]), (".none.at.all", []), (".m[0]", []), (".a.b[?(@.n)].n", ["x", "y"]),
        ("{.m.k}", ["z"]),
    ],
)  # fmt: skip
def test_jsonpath(path, found) -> None:
    assert find(path, OBJECT) == found


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "<invalid>"), (0, "0s"), (119, "119s"), (120, "2m"), (125, "2m5s"), (599, "9m59s"), (600, "10m"), (10_799, "179m"), (10_800, "3h"),
        (11_100, "3h5m"), (28_800, "8h"), (172_800, "2d"), (180_000, "2d2h"), (691_200, "8d"), (63_072_000, "2y"), (66_000_000, "2y33d"),
        (300_000_000, "9y"),
    ],
)  # fmt: skip
def test_ages(seconds, shown) -> None:
    assert human(dt.timedelta(seconds=seconds)) == shown
